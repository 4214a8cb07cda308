//! Challenge types, tokens, and what a client must show for each (RFC 8555 §8).

use base64ct::{Base64UrlUnpadded, Encoding};
use serde::{Serialize, Serializer};

use crate::crypto::{RandomFailed, random, sha256};
use crate::identifier::Identifier;
use crate::jwk::Thumbprint;
use crate::scope::Scope;

/// A challenge type that the server knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChallengeType {
    /// A file under `/.well-known/acme-challenge/` (RFC 8555 §8.3).
    Http01,
    /// A self-signed certificate (RFC 8737 §3).
    TlsAlpn01,
    /// A TXT record with a digest (RFC 8555 §8.4).
    Dns01,
    /// The same under a name of the account's own (draft-ietf-acme-dns-account-label).
    DnsAccount01,
    /// A TXT record that names the account and stays (draft-ietf-acme-dns-persist).
    DnsPersist01,
}

impl ChallengeType {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Http01, Self::TlsAlpn01, Self::Dns01, Self::DnsAccount01, Self::DnsPersist01];

    /// The name in the challenge object.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Http01 => "http-01",
            Self::TlsAlpn01 => "tls-alpn-01",
            Self::Dns01 => "dns-01",
            Self::DnsAccount01 => "dns-account-01",
            Self::DnsPersist01 => "dns-persist-01",
        }
    }

    /// The type with that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Whether it is shown by a record in the DNS, and not by answering a connection.
    pub const fn is_dns(self) -> bool {
        match self {
            Self::Http01 | Self::TlsAlpn01 => false,
            Self::Dns01 | Self::DnsAccount01 | Self::DnsPersist01 => true,
        }
    }

    /// Whether control of the identifier can be shown by this type. A wildcard is shown in the DNS
    /// alone: whoever answers at one name below the base speaks for no other. An address is shown
    /// by answering at it (RFC 8738 §7).
    pub fn fits(self, identifier: &Identifier) -> bool {
        match identifier {
            Identifier::Dns(_) => true,
            Identifier::Wildcard(_) => self.is_dns(),
            Identifier::Ip(_) => !self.is_dns(),
        }
    }

    /// Whether it fits the identifiers that the scope covers. They are all of one sort.
    pub fn fits_scope(self, scope: &Scope) -> bool {
        self.fits(&scope.example())
    }

    /// Whether the challenge has a token, and the client answers with a key authorization.
    pub fn has_token(self) -> bool {
        !matches!(self, Self::DnsPersist01)
    }
}

impl Serialize for ChallengeType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// A fresh token: 256 random bits in base64url, where RFC 8555 §8.3 asks for 128.
///
/// # Errors
/// When the system's random source fails.
pub fn token() -> Result<String, RandomFailed> {
    Ok(Base64UrlUnpadded::encode_string(&random::<32>()?))
}

/// What the client must show: the token and the thumbprint of its key (RFC 8555 §8.1).
pub fn key_authorization(token: &str, thumbprint: &Thumbprint) -> String {
    format!("{token}.{thumbprint}")
}

/// What the TXT record of dns-01 and dns-account-01 must hold: the SHA-256 digest of the key
/// authorization in base64url (RFC 8555 §8.4).
pub fn dns01_value(key_authorization: &str) -> String {
    Base64UrlUnpadded::encode_string(&sha256(key_authorization.as_bytes()))
}

/// What the certificate of tls-alpn-01 must hold: the SHA-256 digest of the key authorization
/// (RFC 8737 §3).
pub fn tls_alpn01_digest(key_authorization: &str) -> [u8; 32] {
    sha256(key_authorization.as_bytes())
}

/// Where the TXT record of dns-01 is (RFC 8555 §8.4), for a name or the base of a wildcard. Like its sisters for the other types, it can be
/// longer than a name may be; such a name cannot be looked up, and nobody has a record there.
pub fn dns01_owner(name: &str) -> String {
    format!("_acme-challenge.{name}")
}

/// Where the TXT record of dns-account-01 is: a label made of the account's URL comes first, so that
/// several accounts can be validated for one name (draft-ietf-acme-dns-account-label-03 §3.1).
pub fn dns_account01_owner(account_url: &str, name: &str) -> String {
    let digest = sha256(account_url.as_bytes());
    let label = base32(digest.first_chunk::<10>().unwrap_or(&[0; 10]));
    format!("_{label}._acme-challenge.{name}")
}

/// Where the TXT records of dns-persist-01 are (draft-ietf-acme-dns-persist-02 §4).
pub fn dns_persist01_owner(name: &str) -> String {
    format!("_validation-persist.{name}")
}

/// Ten bytes in the base32 of RFC 4648 §6, in lower case: sixteen characters, and no padding.
fn base32(bytes: &[u8; 10]) -> String {
    let bits = bytes.iter().fold(0_u128, |bits, byte| bits << 8 | u128::from(*byte));
    (0..16)
        .rev()
        .map(|place| match (bits >> (place * 5) & 31) as u8 {
            value @ 0..=25 => char::from(b'a' + value),
            value => char::from(b'2' + value - 26),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_differ_and_have_the_entropy_that_the_rfc_asks_for() {
        let (a, b) = (token().unwrap(), token().unwrap());
        assert_ne!(a, b);
        assert_eq!(Base64UrlUnpadded::decode_vec(&a).unwrap().len(), 32);
    }

    #[test]
    fn names_read_back() {
        for kind in ChallengeType::ALL {
            assert_eq!(ChallengeType::named(kind.name()), Some(kind));
        }
        assert_eq!(ChallengeType::named("dns-02"), None);
    }

    #[test]
    fn each_type_fits_what_it_can_show() {
        let dns = Identifier::dns("a.test").unwrap();
        let wildcard = Identifier::dns("*.a.test").unwrap();
        let ip = Identifier::ip("192.0.2.1").unwrap();
        for (kind, fits) in [
            (ChallengeType::Http01, [true, false, true]),
            (ChallengeType::TlsAlpn01, [true, false, true]),
            (ChallengeType::Dns01, [true, true, false]),
            (ChallengeType::DnsAccount01, [true, true, false]),
            (ChallengeType::DnsPersist01, [true, true, false]),
        ] {
            assert_eq!([&dns, &wildcard, &ip].map(|identifier| kind.fits(identifier)), fits, "{kind:?}");
        }
    }

    #[test]
    fn a_digest_of_the_key_authorization_is_shown() {
        let key_authorization = "abc";
        // SHA-256 of `abc` (FIPS 180-2, B.1).
        assert_eq!(dns01_value(key_authorization), "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0");
        let digest = tls_alpn01_digest(key_authorization);
        assert_eq!(digest[..4], [0xba, 0x78, 0x16, 0xbf]);
        assert_eq!(digest[28..], [0xf2, 0x00, 0x15, 0xad]);
    }

    #[test]
    fn the_records_of_the_types_have_their_own_names() {
        assert_eq!(dns01_owner("a.test"), "_acme-challenge.a.test");
        assert_eq!(dns_persist01_owner("a.test"), "_validation-persist.a.test");
        for (account_url, label) in [
            // The example of the draft, and labels that others made by it.
            ("https://example.com/acme/acct/ExampleAccount", "ujmmovf2vn55tgye"),
            ("http://localhost:4000/acme/acct/1", "vkbgbqfhr6yv2asd"),
            ("https://example.com/acme/acct/1", "vrr7uudrklshxb6l"),
        ] {
            let owner = dns_account01_owner(account_url, "example.org");
            assert_eq!(owner, format!("_{label}._acme-challenge.example.org"));
        }
    }

    #[test]
    fn base32_has_the_alphabet_of_its_rfc() {
        assert_eq!(base32(&[0; 10]), "aaaaaaaaaaaaaaaa");
        assert_eq!(base32(&[0xff; 10]), "7777777777777777");
        assert_eq!(base32(b"foobarfoob"), "mzxw6ytbojtg633c");
    }
}
