//! What a certificate's key may be used for: key usages and extended key usages.

use std::fmt;
use std::str::FromStr;

use const_oid::ObjectIdentifier;
use const_oid::db::rfc5280;
use der::flagset::FlagSet;
use x509_cert::ext::pkix::KeyUsages;

use crate::key::KeyKind;

/// The key usages of RFC 5280 §4.2.1.3 that an end entity can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EndEntityUsage {
    /// `digitalSignature`, which every key here can do.
    DigitalSignature,
    /// `nonRepudiation`, later called contentCommitment.
    NonRepudiation,
    /// `keyEncipherment`, the key exchange of old with RSA keys.
    KeyEncipherment,
    /// `dataEncipherment`, with RSA keys.
    DataEncipherment,
    /// `keyAgreement`, with elliptic-curve keys.
    KeyAgreement,
}

impl EndEntityUsage {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::DigitalSignature,
        Self::NonRepudiation,
        Self::KeyEncipherment,
        Self::DataEncipherment,
        Self::KeyAgreement,
    ];

    /// The name, as RFC 5280 writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::DigitalSignature => "digitalSignature",
            Self::NonRepudiation => "nonRepudiation",
            Self::KeyEncipherment => "keyEncipherment",
            Self::DataEncipherment => "dataEncipherment",
            Self::KeyAgreement => "keyAgreement",
        }
    }

    /// Whether keys of that kind can be used so: RFC 3279 §2.3.1 (RSA), RFC 5480 §3 (elliptic curves),
    /// RFC 8410 §5 (Ed25519).
    pub const fn suits(self, kind: KeyKind) -> bool {
        match self {
            Self::DigitalSignature | Self::NonRepudiation => true,
            Self::KeyEncipherment | Self::DataEncipherment => matches!(kind, KeyKind::Rsa { .. }),
            Self::KeyAgreement => {
                matches!(kind, KeyKind::EcdsaP256 | KeyKind::EcdsaP384 | KeyKind::EcdsaP521)
            }
        }
    }

    pub(crate) const fn flag(self) -> KeyUsages {
        match self {
            Self::DigitalSignature => KeyUsages::DigitalSignature,
            Self::NonRepudiation => KeyUsages::NonRepudiation,
            Self::KeyEncipherment => KeyUsages::KeyEncipherment,
            Self::DataEncipherment => KeyUsages::DataEncipherment,
            Self::KeyAgreement => KeyUsages::KeyAgreement,
        }
    }

    /// The bits of several.
    pub(crate) fn flags(usages: impl IntoIterator<Item = Self>) -> FlagSet<KeyUsages> {
        usages.into_iter().fold(FlagSet::default(), |flags, usage| flags | usage.flag())
    }
}

impl fmt::Display for EndEntityUsage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that is none of [`EndEntityUsage`]'s.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{name}` is not a key usage for end entities; use digitalSignature, nonRepudiation, keyEncipherment, \
     dataEncipherment or keyAgreement"
)]
pub struct UnknownUsage {
    name: String,
}

impl FromStr for EndEntityUsage {
    type Err = UnknownUsage;

    fn from_str(name: &str) -> Result<Self, UnknownUsage> {
        let known = Self::ALL.into_iter().find(|usage| usage.name() == name);
        known.ok_or_else(|| UnknownUsage { name: name.chars().take(64).collect() })
    }
}

/// An extended key usage (RFC 5280 §4.2.1.12) that a profile can name: `serverAuth`, `clientAuth`, or another
/// by its object identifier, but none that would make the certificate more than one end entity's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Purpose(ObjectIdentifier);

/// Why an extended key usage is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PurposeError {
    /// It is neither a known name nor an object identifier.
    #[error("`{text}` is not an extended key usage; use serverAuth, clientAuth or an object identifier")]
    Unknown {
        /// What was given, cut to 64 characters.
        text: String,
    },
    /// It must not be in a certificate that is issued on an order.
    #[error("the extended key usage {oid} ({name}) is never issued")]
    Forbidden {
        /// The object identifier.
        oid: ObjectIdentifier,
        /// What RFC 5280 calls it.
        name: &'static str,
    },
}

impl Purpose {
    /// Authenticating a TLS server.
    pub const SERVER_AUTH: Self = Self(rfc5280::ID_KP_SERVER_AUTH);
    /// Authenticating a TLS client.
    pub const CLIENT_AUTH: Self = Self(rfc5280::ID_KP_CLIENT_AUTH);

    /// Takes any but `anyExtendedKeyUsage`, which would lift every restriction, and `OCSPSigning`, with which
    /// its holder could vouch for revoked certificates of the issuer (RFC 6960 §4.2.2.2).
    ///
    /// # Errors
    /// [`PurposeError::Forbidden`].
    pub fn new(oid: ObjectIdentifier) -> Result<Self, PurposeError> {
        let forbidden = [
            (rfc5280::ANY_EXTENDED_KEY_USAGE, "anyExtendedKeyUsage"),
            (rfc5280::ID_KP_OCSP_SIGNING, "OCSPSigning"),
        ];
        match forbidden.into_iter().find(|(forbidden, _)| *forbidden == oid) {
            Some((oid, name)) => Err(PurposeError::Forbidden { oid, name }),
            None => Ok(Self(oid)),
        }
    }

    /// The object identifier.
    pub const fn oid(self) -> ObjectIdentifier {
        self.0
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::SERVER_AUTH => f.write_str("serverAuth"),
            Self::CLIENT_AUTH => f.write_str("clientAuth"),
            Self(oid) => oid.fmt(f),
        }
    }
}

impl FromStr for Purpose {
    type Err = PurposeError;

    fn from_str(text: &str) -> Result<Self, PurposeError> {
        match text {
            "serverAuth" => Ok(Self::SERVER_AUTH),
            "clientAuth" => Ok(Self::CLIENT_AUTH),
            _ => match ObjectIdentifier::new(text) {
                Ok(oid) => Self::new(oid),
                Err(_) => Err(PurposeError::Unknown { text: text.chars().take(64).collect() }),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usages_are_named_both_ways() {
        for usage in EndEntityUsage::ALL {
            assert_eq!(usage.to_string().parse(), Ok(usage));
        }
        for unknown in ["keyCertSign", "cRLSign", "DigitalSignature", ""] {
            assert!(unknown.parse::<EndEntityUsage>().is_err(), "{unknown}");
        }
    }

    #[test]
    fn usages_suit_the_keys_that_can_do_them() {
        let suited = |kind| {
            let names: Vec<_> = EndEntityUsage::ALL.into_iter().filter(|usage| usage.suits(kind)).collect();
            names.into_iter().map(EndEntityUsage::name).collect::<Vec<_>>().join(" ")
        };
        let rsa = KeyKind::Rsa { bits: 2048 };
        assert_eq!(suited(rsa), "digitalSignature nonRepudiation keyEncipherment dataEncipherment");
        assert_eq!(suited(KeyKind::EcdsaP384), "digitalSignature nonRepudiation keyAgreement");
        assert_eq!(suited(KeyKind::Ed25519), "digitalSignature nonRepudiation");
    }

    #[test]
    fn purposes_are_named_both_ways() {
        for name in ["serverAuth", "clientAuth", "1.3.6.1.5.2.3.5"] {
            assert_eq!(name.parse::<Purpose>().unwrap().to_string(), name);
        }
        assert_eq!("1.3.6.1.5.5.7.3.1".parse(), Ok(Purpose::SERVER_AUTH));
        for unknown in ["server_auth", "", "1", "9.9.9", "1.3.6.1.5.5.7.3.1 "] {
            let refused = unknown.parse::<Purpose>();
            assert_eq!(refused, Err(PurposeError::Unknown { text: unknown.into() }));
        }
    }

    #[test]
    fn purposes_of_authorities_are_never_taken() {
        for (dotted, named) in [("2.5.29.37.0", "anyExtendedKeyUsage"), ("1.3.6.1.5.5.7.3.9", "OCSPSigning")]
        {
            let refused = dotted.parse::<Purpose>();
            assert!(matches!(refused, Err(PurposeError::Forbidden { name, .. }) if name == named));
        }
    }
}
