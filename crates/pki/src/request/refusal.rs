//! Why a certificate request is not honoured, in words for the person who made it.

use chancery_keycheck::RsaWeakness;
use chancery_keycheck::ed25519::SmallOrder;
use const_oid::ObjectIdentifier;

use crate::certificate::EndEntityUsage;
use crate::key::KeyKind;

/// Why a certificate request is refused. The text is for the client: it says what, where and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestRefusal {
    /// RFC 2986 §4.1 knows one version.
    #[error("the certificate request is not of version 1 (written as 0, RFC 2986 section 4.1)")]
    Version,
    /// The policy does not allow keys of that kind.
    #[error("{kind} keys are not allowed by the profile")]
    KeyNotAllowed {
        /// The kind of the request's key.
        kind: KeyKind,
    },
    /// The RSA key is too short or too long.
    #[error("the RSA key has {bits} bits; the profile allows {min} to {max}")]
    RsaBits {
        /// Bits of the modulus.
        bits: usize,
        /// The fewest allowed.
        min: usize,
        /// The most allowed.
        max: usize,
    },
    /// The RSA key is weak whatever its length.
    #[error("the RSA key is weak: {0}; generate another")]
    WeakRsa(RsaWeakness),
    /// Anybody can sign under the Ed25519 key.
    #[error("the Ed25519 key is none: {0}; generate another")]
    SmallOrder(SmallOrder),
    /// Others have the private key too.
    #[error("the key of the certificate request is known to be compromised; generate another")]
    CompromisedKey,
    /// There is more than one list of extensions.
    #[error("the certificate request has {count} extension requests; exactly one is expected")]
    ExtensionRequests {
        /// How many there are.
        count: usize,
    },
    /// The extensions are in Microsoft's own attribute, which is not read.
    #[error(
        "the certificate request carries extensions in the attribute {oid}; put them into a PKCS#9 \
         extensionRequest (RFC 2985 section 5.4.2)"
    )]
    ForeignExtensions {
        /// The attribute's type.
        oid: ObjectIdentifier,
    },
    /// An extension stands there twice.
    #[error("the extension {oid} appears more than once in the certificate request")]
    DuplicateExtension {
        /// The extension's identifier.
        oid: ObjectIdentifier,
    },
    /// An extension is not what it should be.
    #[error("the extension {oid} of the certificate request is not valid DER: {source}")]
    MalformedExtension {
        /// The extension's identifier.
        oid: ObjectIdentifier,
        /// What the decoder found.
        source: der::Error,
    },
    /// An extension that is never issued on request.
    #[error(
        "the extension {oid} cannot be requested; leave in the request subjectAltName and, where needed, \
         keyUsage, extendedKeyUsage or the TLS feature status_request"
    )]
    ExtensionNotAllowed {
        /// The extension's identifier.
        oid: ObjectIdentifier,
    },
    /// The request asks for the certificate of an authority.
    #[error("the certificate request asks for a CA certificate; only end-entity certificates are issued")]
    CaRequested,
    /// Key usages that only an authority has.
    #[error("the certificate request asks for the key usage keyCertSign or cRLSign; remove it")]
    CaKeyUsage,
    /// A key usage that the policy does not allow.
    #[error("the key usage {usage} is not allowed by the profile")]
    KeyUsage {
        /// The usage.
        usage: EndEntityUsage,
    },
    /// `encipherOnly` and `decipherOnly` narrow keyAgreement, which is never done here by halves.
    #[error("the key usages encipherOnly and decipherOnly cannot be requested; remove them")]
    HalfAgreement,
    /// A purpose that the policy does not allow.
    #[error("the extended key usage {oid} is not allowed by the profile")]
    ExtendedKeyUsage {
        /// The purpose.
        oid: ObjectIdentifier,
    },
    /// "Must staple" is not allowed.
    #[error("the TLS feature status_request (must-staple) is not allowed by the profile")]
    MustStaple,
    /// A TLS feature other than status_request.
    #[error("only the TLS feature status_request (5) can be requested")]
    TlsFeature,
    /// The names are missing, or in the common name alone.
    #[error(
        "the certificate request has no subjectAltName; put the names of the order there (for instance with \
         `openssl req -addext subjectAltName=DNS:host.example`), the common name is not read for them"
    )]
    NoNames,
    /// A name is of another kind than dNSName or iPAddress, or an address has an impossible length.
    #[error("subjectAltName holds something other than DNS names and IP addresses; remove it")]
    NameKind,
    /// Names that were not ordered.
    #[error(
        "the certificate request names {names}, which the order does not; request exactly the order's names"
    )]
    SurplusNames {
        /// The names, separated by commas.
        names: String,
    },
    /// Names that were ordered and are not there.
    #[error("the certificate request lacks {names} of the order; request exactly the order's names")]
    MissingNames {
        /// The names, separated by commas.
        names: String,
    },
    /// Subject attributes other than a common name.
    #[error("the subject holds the attribute {oid}; leave the subject empty, or keep one common name")]
    SubjectAttribute {
        /// The attribute's type.
        oid: ObjectIdentifier,
    },
    /// More than one common name.
    #[error("the subject holds more than one common name; leave it empty, or keep one")]
    CommonNames,
    /// A common name that was not ordered.
    #[error("the common name is none of the order's names; leave it out, or use one of them")]
    CommonName,
    /// Two parsers do not read the same in it.
    #[error(
        "the certificate request is ambiguous: two ways of reading it differ in {what}; write it as plain DER, \
         for instance with another program"
    )]
    Ambiguous {
        /// What they read differently.
        what: &'static str,
    },
    /// The signature is by a method that is not accepted.
    #[error(
        "the certificate request is signed with {oid}, which is not accepted for a {kind} key; use SHA-256, \
         SHA-384 or SHA-512 with RSA (PKCS #1 v1.5) or ECDSA, or Ed25519"
    )]
    SignatureAlgorithm {
        /// The method.
        oid: ObjectIdentifier,
        /// The kind of the request's key.
        kind: KeyKind,
    },
    /// The key in the request is not valid for its kind.
    #[error("the public key of the certificate request is not a valid {kind} key")]
    InvalidKey {
        /// What it claims to be.
        kind: KeyKind,
    },
    /// The signature does not verify.
    #[error("the certificate request's signature does not verify under the key in it")]
    Signature,
}
