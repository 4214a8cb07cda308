//! Licence JWTs.

use std::time::Duration;

use chancery_license::jwt::{Claims, Tier, mint};
use chancery_license::{Feature, SigningKey};
use chancery_time::Timestamp;

use super::{Vendor, now};

/// A licence JWT to be signed. Without further ado it is `jwt-test` of the tier pro, issued now, with an end
/// in 30 days and 7 days of grace, for 1000 certificates, 25 users, 10 profiles and the features acme and api.
#[derive(Debug)]
pub struct JwtBuilder<'a> {
    vendor: &'a Vendor,
    claims: Claims,
}

impl<'a> JwtBuilder<'a> {
    pub(super) fn new(vendor: &'a Vendor) -> Self {
        let now = now();
        let claims = Claims {
            jti: "jwt-test".to_owned(),
            sub: "ops@example.com".to_owned(),
            iss: "chancery-test".to_owned(),
            iat: seconds(now),
            exp: seconds(now + Duration::from_secs(30 * 86_400)),
            org_name: "Example Ltd".to_owned(),
            tier: Tier::Pro,
            cert_limit: 1_000,
            user_limit: 25,
            dtp_limit: 10,
            grace_days: 7,
            features: [Feature::Acme, Feature::Api].into(),
            version: "0.1.0".parse().expect("a version"),
        };
        Self { vendor, claims }
    }

    /// Names the licence (`jti`).
    pub fn id(self, id: &str) -> Self {
        self.claims(|claims| claims.jti = id.to_owned())
    }

    /// Sets what was sold (`tier`).
    pub fn tier(self, tier: Tier) -> Self {
        self.claims(|claims| claims.tier = tier)
    }

    /// Sets when it was issued and begins (`iat`), in whole seconds.
    pub fn issued(self, issued: Timestamp) -> Self {
        self.claims(|claims| claims.iat = seconds(issued))
    }

    /// Sets when it ends (`exp`), in whole seconds.
    pub fn expires(self, expires: Timestamp) -> Self {
        self.claims(|claims| claims.exp = seconds(expires))
    }

    /// Changes any claims.
    pub fn claims(mut self, change: impl FnOnce(&mut Claims)) -> Self {
        change(&mut self.claims);
        self
    }

    /// Signs it with the vendor's RSA key (RS256).
    pub fn mint(self) -> String {
        self.signed_by(&self.vendor.rsa)
    }

    /// Signs it with the vendor's Ed25519 key (EdDSA).
    pub fn mint_eddsa(self) -> String {
        self.signed_by(&self.vendor.ed25519)
    }

    fn signed_by(&self, key: &SigningKey) -> String {
        mint(&self.claims, key).expect("the claims are those of a licence")
    }
}

fn seconds(instant: Timestamp) -> u64 {
    u64::try_from(instant.unix_seconds()).expect("no timestamp lies before 1970")
}
