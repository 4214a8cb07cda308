//! What clients are sent (RFC 8555 §7.1).

use std::collections::BTreeMap;

use chancery_time::Timestamp;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::challenge::ChallengeType;
use crate::identifier::Identifier;
use crate::jwk::Jwk;
use crate::renewal::Window;
use crate::state::{AccountStatus, AuthorizationStatus, ChallengeStatus, OrderStatus};

/// The directory (RFC 8555 §7.1.1): only what works stands in it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Directory {
    /// Where fresh nonces are had.
    pub new_nonce: String,
    /// Where accounts are made.
    pub new_account: String,
    /// Where orders are made.
    pub new_order: String,
    /// Where authorizations are had ahead of orders (RFC 8555 §7.4.1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new_authz: Option<String>,
    /// Where certificates are revoked (RFC 8555 §7.6).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoke_cert: Option<String>,
    /// Where accounts change their keys (RFC 8555 §7.3.5).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_change: Option<String>,
    /// Where it is told when to renew (RFC 9773 §3).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub renewal_info: Option<String>,
    /// About the server.
    pub meta: DirectoryMeta,
}

/// About the server (RFC 8555 §9.7.6).
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DirectoryMeta {
    /// Where the terms of service can be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub terms_of_service: Option<String>,
    /// Where the server's operator can be read of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub website: Option<String>,
    /// The domain names by which CAA records name the CA (RFC 8659 §4.2).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub caa_identities: Vec<String>,
    /// Whether new accounts need an external account binding.
    pub external_account_required: bool,
    /// The profiles that can be asked for, each with what a person should know of it
    /// (draft-ietf-acme-profiles §3).
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub profiles: BTreeMap<String, String>,
    /// Whether an authorization can hold for the names below its own (RFC 9444 §4.4).
    #[serde(skip_serializing_if = "is_false")]
    pub subdomain_auth_allowed: bool,
    /// The names that a record for dns-persist-01 can name the CA by (draft-ietf-acme-dns-persist-02
    /// §3.2): from one to [`DnsPersist::MAX_ISSUERS`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub issuer_domain_names: Vec<String>,
    /// What the account URI in such a record begins with (draft-ietf-acme-dns-persist-02 §4.1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_hash_prefix: Option<String>,
}

/// An account (RFC 8555 §7.1.2).
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Account<'a> {
    /// Its state.
    pub status: AccountStatus,
    /// Where its holder can be reached.
    pub contact: &'a [String],
    /// Its key; not in the RFC, but clients have come to rely on it.
    pub key: &'a Jwk,
    /// Whether its holder agreed to the terms of service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub terms_of_service_agreed: Option<bool>,
    /// The binding to an account elsewhere that it was made with, as the client sent it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_account_binding: Option<&'a RawValue>,
    /// Where its orders are listed.
    pub orders: String,
}

/// An account's orders (RFC 8555 §7.1.2.1).
#[derive(Debug, Serialize)]
pub struct OrderList {
    /// The orders' URLs.
    pub orders: Vec<String>,
}

/// An order (RFC 8555 §7.1.3).
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Order<'a> {
    /// Its state.
    pub status: OrderStatus,
    /// When it lapses.
    pub expires: Timestamp,
    /// What it is for.
    pub identifiers: &'a [Identifier],
    /// The client's wish for notBefore.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
    /// The client's wish for notAfter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_after: Option<Timestamp>,
    /// The profile by which it is issued (draft-ietf-acme-profiles §4).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<&'a str>,
    /// The certificate that it replaces (RFC 9773 §5).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replaces: Option<&'a str>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<&'a RawValue>,
    /// Its authorizations.
    pub authorizations: Vec<String>,
    /// Where it is finalized.
    pub finalize: String,
    /// Where its certificate is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<String>,
}

/// An authorization (RFC 8555 §7.1.4).
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Authorization<'a> {
    /// Its state.
    pub status: AuthorizationStatus,
    /// When it lapses.
    pub expires: Timestamp,
    /// What it is for.
    #[serde(flatten)]
    pub identifier: Authorized<'a>,
    /// Whether it holds for the names below its own (RFC 9444 §4.1).
    #[serde(skip_serializing_if = "is_false")]
    pub subdomain_auth_allowed: bool,
    /// How it can be had.
    pub challenges: Vec<Challenge<'a>>,
}

/// The identifier of an authorization. For a wildcard it is the base, and a member says so
/// (RFC 8555 §7.1.4).
#[derive(Debug, Clone, Copy)]
pub struct Authorized<'a>(pub &'a Identifier);

impl Serialize for Authorized<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Wire {
            identifier: Identifier,
            #[serde(skip_serializing_if = "is_false")]
            wildcard: bool,
        }
        Wire { identifier: self.0.base(), wildcard: self.0.is_wildcard() }.serialize(serializer)
    }
}

/// A challenge (RFC 8555 §8).
#[derive(Debug, Serialize)]
pub struct Challenge<'a> {
    /// Its type.
    #[serde(rename = "type")]
    pub kind: ChallengeType,
    /// Where it is answered.
    pub url: String,
    /// Its state.
    pub status: ChallengeStatus,
    /// The token, where the type has one: see [`ChallengeType::has_token`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<&'a str>,
    /// What dns-persist-01 has in its place.
    #[serde(flatten)]
    pub dns_persist: Option<DnsPersist<'a>>,
    /// When it was passed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validated: Option<Timestamp>,
    /// Why it was not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<&'a RawValue>,
}

/// What a client must know to make a record for dns-persist-01.
#[derive(Debug, Clone, Copy)]
pub struct DnsPersist<'a> {
    /// The names that the record can name the CA by.
    pub issuer_domain_names: &'a [String],
    /// The URL of the account.
    pub account_url: &'a str,
}

impl DnsPersist<'_> {
    /// How many names clients take (draft-ietf-acme-dns-persist-02 §3.1).
    pub const MAX_ISSUERS: usize = 10;
}

/// The names are written twice: as the second draft has them (§3.1), and as the drafts before it had
/// them, which clients still read, with the account's URL that those require.
impl Serialize for DnsPersist<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Wire<'a> {
            #[serde(rename = "issuerDomainNames")]
            names: &'a [String],
            #[serde(rename = "issuer-domain-names")]
            names_before: &'a [String],
            accounturi: &'a str,
        }
        Wire {
            names: self.issuer_domain_names,
            names_before: self.issuer_domain_names,
            accounturi: self.account_url,
        }
        .serialize(serializer)
    }
}

/// When a certificate should be renewed (RFC 9773 §4.2).
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RenewalInfo {
    /// The time in which to do it.
    pub suggested_window: Window,
    /// A page for people that says why.
    #[serde(rename = "explanationURL", skip_serializing_if = "Option::is_none")]
    pub explanation_url: Option<String>,
}

fn is_false(flag: &bool) -> bool {
    !flag
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(value: &impl Serialize) -> String {
        serde_json::to_string(value).unwrap()
    }

    #[test]
    fn a_directory_has_what_works_and_nothing_else() {
        let mut directory = Directory {
            new_nonce: "n".into(),
            new_account: "a".into(),
            new_order: "o".into(),
            new_authz: None,
            revoke_cert: None,
            key_change: None,
            renewal_info: None,
            meta: DirectoryMeta::default(),
        };
        assert_eq!(
            json(&directory),
            r#"{"newNonce":"n","newAccount":"a","newOrder":"o","meta":{"externalAccountRequired":false}}"#
        );
        directory.new_authz = Some("z".into());
        directory.revoke_cert = Some("r".into());
        directory.key_change = Some("k".into());
        directory.renewal_info = Some("i".into());
        directory.meta = DirectoryMeta {
            caa_identities: vec!["ca.test".into()],
            external_account_required: true,
            profiles: BTreeMap::from([("web".into(), "For servers.".into())]),
            subdomain_auth_allowed: true,
            issuer_domain_names: vec!["ca.test".into()],
            account_hash_prefix: Some("h/".into()),
            ..DirectoryMeta::default()
        };
        assert_eq!(
            json(&directory),
            r#"{"newNonce":"n","newAccount":"a","newOrder":"o","newAuthz":"z","revokeCert":"r","keyChange":"k","renewalInfo":"i","meta":{"caaIdentities":["ca.test"],"externalAccountRequired":true,"profiles":{"web":"For servers."},"subdomainAuthAllowed":true,"issuerDomainNames":["ca.test"],"accountHashPrefix":"h/"}}"#
        );
    }

    #[test]
    fn an_authorization_for_a_wildcard_shows_its_base() {
        let show = |name: &str, subdomain_auth_allowed| {
            json(&Authorization {
                status: AuthorizationStatus::Pending,
                expires: Timestamp::MIN,
                identifier: Authorized(&Identifier::dns(name).unwrap()),
                subdomain_auth_allowed,
                challenges: vec![],
            })
        };
        assert_eq!(
            show("a.test", true),
            r#"{"status":"pending","expires":"1970-01-01T00:00:00Z","identifier":{"type":"dns","value":"a.test"},"subdomainAuthAllowed":true,"challenges":[]}"#
        );
        assert_eq!(
            show("*.a.test", false),
            r#"{"status":"pending","expires":"1970-01-01T00:00:00Z","identifier":{"type":"dns","value":"a.test"},"wildcard":true,"challenges":[]}"#
        );
    }

    #[test]
    fn a_challenge_has_a_token_or_the_names_of_the_issuer() {
        let names = ["ca.test".to_owned()];
        let challenge = |kind: ChallengeType| Challenge {
            kind,
            url: "u".into(),
            status: ChallengeStatus::Pending,
            token: kind.has_token().then_some("t"),
            dns_persist: (!kind.has_token())
                .then_some(DnsPersist { issuer_domain_names: &names, account_url: "https://ca.test/a/1" }),
            validated: None,
            error: None,
        };
        assert_eq!(
            json(&challenge(ChallengeType::Dns01)),
            r#"{"type":"dns-01","url":"u","status":"pending","token":"t"}"#
        );
        assert_eq!(
            json(&challenge(ChallengeType::DnsPersist01)),
            r#"{"type":"dns-persist-01","url":"u","status":"pending","issuerDomainNames":["ca.test"],"issuer-domain-names":["ca.test"],"accounturi":"https://ca.test/a/1"}"#
        );
    }

    #[test]
    fn renewal_information_has_the_names_of_its_rfc() {
        let suggested_window = Window { start: Timestamp::MIN, end: Timestamp::from_unix_seconds(86_400) };
        let info = RenewalInfo { suggested_window, explanation_url: Some("e".into()) };
        assert_eq!(
            json(&info),
            r#"{"suggestedWindow":{"start":"1970-01-01T00:00:00Z","end":"1970-01-02T00:00:00Z"},"explanationURL":"e"}"#
        );
    }
}
