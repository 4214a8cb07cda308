//! Every URL of the server, in one place.

use chancery_acme::{ObjectId, ObjectKind, Sealer};
use chancery_cli::config::BaseUrl;

/// The paths of the resources. Those of objects end in an opaque identifier.
pub(crate) mod path {
    /// What all of them begin with.
    pub(crate) const ACME: &str = "/acme/";
    pub(crate) const NEW_NONCE: &str = "/acme/new-nonce";
    pub(crate) const KEY_CHANGE: &str = "/acme/key-change";
    /// These stand behind [`ACME`], for the server as a whole, and behind it and the name of a profile.
    pub(crate) const DIRECTORY: &str = "/directory";
    pub(crate) const NEW_ACCOUNT: &str = "/new-account";
    pub(crate) const NEW_ORDER: &str = "/new-order";
    pub(crate) const NEW_AUTHZ: &str = "/new-authz";
    pub(crate) const ACCOUNT: &str = "/acme/account/";
    /// What hashed account URIs begin with (draft-ietf-acme-dns-persist-02 §4.1); nothing is served there.
    pub(crate) const ACCOUNT_HASH: &str = "/acme/account-hash/";
    pub(crate) const ORDER: &str = "/acme/order/";
    pub(crate) const AUTHORIZATION: &str = "/acme/authorization/";
    pub(crate) const CHALLENGE: &str = "/acme/challenge/";
    pub(crate) const CERTIFICATE: &str = "/acme/certificate/";
    pub(crate) const REVOKE_CERT: &str = "/acme/revoke-cert";
    pub(crate) const RENEWAL_INFO: &str = "/acme/renewal-info/";
    pub(crate) const HEALTHZ: &str = "/healthz";
    pub(crate) const READYZ: &str = "/readyz";
    /// Behind an account.
    pub(crate) const ORDERS: &str = "/orders";
    /// Behind an order.
    pub(crate) const FINALIZE: &str = "/finalize";
}

/// Makes the URLs that clients are given, all under `server.url`.
#[derive(Debug, Clone)]
pub(crate) struct Urls {
    origin: String,
}

impl Urls {
    pub(crate) fn new(base: &BaseUrl) -> Self {
        Self { origin: base.origin().to_owned() }
    }

    /// The URL of a path of this server.
    pub(crate) fn of_path(&self, path: &str) -> String {
        [&self.origin, path].concat()
    }

    /// The URL of a resource that the server has as a whole, and each profile for itself.
    pub(crate) fn of_profile(&self, profile: Option<&str>, resource: &str) -> String {
        match profile {
            Some(profile) => [&self.origin, path::ACME, profile, resource].concat(),
            None => [&self.origin, path::ACME.trim_end_matches('/'), resource].concat(),
        }
    }

    /// The URL of the server's directory.
    pub(crate) fn directory(&self) -> String {
        self.of_profile(None, path::DIRECTORY)
    }

    /// Whether `url` is that of a path (with its query) of this server.
    pub(crate) fn is_of_path(&self, url: &str, path: &str) -> bool {
        url.strip_prefix(&self.origin) == Some(path)
    }

    pub(crate) fn account(&self, sealer: &Sealer, row: i64) -> String {
        self.object(path::ACCOUNT, &sealer.seal(ObjectKind::Account, row), "")
    }

    pub(crate) fn orders(&self, sealer: &Sealer, account_row: i64) -> String {
        self.object(path::ACCOUNT, &sealer.seal(ObjectKind::Account, account_row), path::ORDERS)
    }

    /// The next page of an account's orders, those before `order_row`.
    pub(crate) fn orders_before(&self, sealer: &Sealer, account_row: i64, order_row: i64) -> String {
        let cursor = sealer.seal(ObjectKind::OrdersCursor, order_row);
        format!("{}?cursor={cursor}", self.orders(sealer, account_row))
    }

    pub(crate) fn order(&self, sealer: &Sealer, row: i64) -> String {
        self.object(path::ORDER, &sealer.seal(ObjectKind::Order, row), "")
    }

    pub(crate) fn finalize(&self, sealer: &Sealer, order_row: i64) -> String {
        self.object(path::ORDER, &sealer.seal(ObjectKind::Order, order_row), path::FINALIZE)
    }

    pub(crate) fn authorization(&self, sealer: &Sealer, row: i64) -> String {
        self.object(path::AUTHORIZATION, &sealer.seal(ObjectKind::Authorization, row), "")
    }

    pub(crate) fn challenge(&self, sealer: &Sealer, row: i64) -> String {
        self.object(path::CHALLENGE, &sealer.seal(ObjectKind::Challenge, row), "")
    }

    pub(crate) fn certificate(&self, sealer: &Sealer, row: i64) -> String {
        self.object(path::CERTIFICATE, &sealer.seal(ObjectKind::Certificate, row), "")
    }

    /// A certificate with another chain than its authority's own, which is 0.
    pub(crate) fn chain(&self, sealer: &Sealer, certificate_row: i64, chain: usize) -> String {
        let certificate = self.certificate(sealer, certificate_row);
        if chain == 0 { certificate } else { format!("{certificate}/{chain}") }
    }

    /// What clients put a stroke and the name of a certificate behind (RFC 9773 §4.1).
    pub(crate) fn renewal_info(&self) -> String {
        self.of_path(path::RENEWAL_INFO.trim_end_matches('/'))
    }

    /// The account that an account URL names; `None` for any URL that is not one of ours.
    pub(crate) fn open_account(&self, sealer: &Sealer, url: &str) -> Option<i64> {
        let name = url.strip_prefix(&self.origin)?.strip_prefix(path::ACCOUNT)?;
        sealer.open(ObjectKind::Account, name)
    }

    /// The order that an order URL names; `None` for any URL that is not one of ours.
    pub(crate) fn open_order(&self, sealer: &Sealer, url: &str) -> Option<i64> {
        let name = url.strip_prefix(&self.origin)?.strip_prefix(path::ORDER)?;
        sealer.open(ObjectKind::Order, name)
    }

    fn object(&self, path: &str, id: &ObjectId, behind: &str) -> String {
        [&self.origin, path, id.as_str(), behind].concat()
    }
}
