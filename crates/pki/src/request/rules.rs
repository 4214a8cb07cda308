//! The rules that a request has to meet, cheapest first, so that nobody makes the server work for nothing.

use std::net::IpAddr;
use std::sync::Arc;

use chancery_keycheck::{CompromisedKeys, ed25519, rsa};
use const_oid::ObjectIdentifier;
use const_oid::db::rfc4519;
use der::Tagged;
use der::asn1::Any;

use crate::certificate::{EndEntityUsage, Purpose};
use crate::key::{KeyKind, PublicKey, Signer};
use crate::name::San;
use crate::request::extensions::{self, Wishes};
use crate::request::{CertificateRequest, RequestRefusal, second_view};

/// What a profile allows a request to hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestRules {
    /// The kinds of key.
    pub key_types: Vec<KeyType>,
    /// The shortest RSA modulus in bits. Nothing below 2048 or above 8192 is ever accepted.
    pub min_rsa_bits: usize,
    /// Keys that nobody should use, since others have them too.
    pub compromised_keys: Arc<CompromisedKeys>,
    /// The key usages that a request may ask for. Asking does not grant them: the profile says what is issued.
    pub key_usages: Vec<EndEntityUsage>,
    /// The extended key usages that a request may ask for. Asking does not grant them either.
    pub extended_key_usages: Vec<Purpose>,
    /// Whether the TLS feature `status_request` ("must staple", RFC 7633) is granted to those who ask.
    pub must_staple: bool,
}

/// The kinds of key that a profile can allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyType {
    /// ECDSA on P-256.
    EcdsaP256,
    /// ECDSA on P-384.
    EcdsaP384,
    /// ECDSA on P-521.
    EcdsaP521,
    /// RSA.
    Rsa,
    /// Ed25519.
    Ed25519,
}

impl Default for RequestRules {
    /// Every kind of key, RSA from 2048 bits; every key usage of an end entity, since OpenSSL's stock
    /// configuration asks for nonRepudiation; serverAuth and clientAuth; no must-staple.
    fn default() -> Self {
        use KeyType::{EcdsaP256, EcdsaP384, EcdsaP521, Ed25519, Rsa};
        Self {
            key_types: vec![EcdsaP256, EcdsaP384, EcdsaP521, Rsa, Ed25519],
            min_rsa_bits: RSA_BITS_FLOOR,
            compromised_keys: Arc::new(CompromisedKeys::published()),
            key_usages: EndEntityUsage::ALL.to_vec(),
            extended_key_usages: vec![Purpose::SERVER_AUTH, Purpose::CLIENT_AUTH],
            must_staple: false,
        }
    }
}

/// A request that met every rule: what the certificate is made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValidatedRequest {
    public_key: PublicKey,
    names: Vec<San>,
    must_staple: bool,
}

impl ValidatedRequest {
    /// A request of this program for a key of its own, which needs no proof that the key is held: the
    /// signer is at hand. The names are sorted here.
    pub fn for_own_key(key: &dyn Signer, mut names: Vec<San>) -> Self {
        names.sort();
        Self { public_key: key.public_key().clone(), names, must_staple: false }
    }

    #[cfg(test)]
    pub(crate) const fn for_tests(public_key: PublicKey, names: Vec<San>, must_staple: bool) -> Self {
        Self { public_key, names, must_staple }
    }

    /// The key that the certificate is for.
    pub const fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    /// The names that the certificate speaks for, sorted; never empty.
    pub fn names(&self) -> &[San] {
        &self.names
    }

    /// Whether the certificate is to carry the TLS feature `status_request`.
    pub const fn must_staple(&self) -> bool {
        self.must_staple
    }
}

/// Holds a request against the names of its order (in any order, canonical) and the profile's rules.
///
/// # Errors
/// The first rule that the request does not meet.
pub fn check(
    request: &CertificateRequest,
    names: &[San],
    rules: &RequestRules,
) -> Result<ValidatedRequest, RequestRefusal> {
    version(request)?;
    key(&request.public_key, rules)?;
    attributes(request)?;
    let Wishes { names: requested, must_staple } = match request.extension_requests.as_slice() {
        [] => return Err(RequestRefusal::NoNames),
        [extensions] => extensions::read(extensions, rules)?,
        several => return Err(RequestRefusal::ExtensionRequests { count: several.len() }),
    };
    same_names(&requested, names)?;
    subject(request, &requested)?;
    second_view::agrees(request, &requested)?;
    signature(request)?;
    Ok(ValidatedRequest { public_key: request.public_key.clone(), names: requested, must_staple })
}

const RSA_BITS_FLOOR: usize = 2048;
const RSA_BITS_CEILING: usize = 8192;

/// Microsoft's attribute for extensions, `szOID_CERT_EXTENSIONS`.
const MICROSOFT_EXTENSIONS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.311.2.1.14");

fn version(request: &CertificateRequest) -> Result<(), RequestRefusal> {
    if request.is_version_1 { Ok(()) } else { Err(RequestRefusal::Version) }
}

fn key(key: &PublicKey, rules: &RequestRules) -> Result<(), RequestRefusal> {
    let kind = key.kind();
    let key_type = match kind {
        KeyKind::EcdsaP256 => KeyType::EcdsaP256,
        KeyKind::EcdsaP384 => KeyType::EcdsaP384,
        KeyKind::EcdsaP521 => KeyType::EcdsaP521,
        KeyKind::Rsa { .. } => KeyType::Rsa,
        KeyKind::Ed25519 => KeyType::Ed25519,
    };
    if !rules.key_types.contains(&key_type) {
        return Err(RequestRefusal::KeyNotAllowed { kind });
    }
    if let KeyKind::Rsa { bits } = kind {
        rsa_key(key, bits, rules.min_rsa_bits)?;
    }
    if let Some(point) = key.ed25519_point() {
        ed25519::examine(&point).map_err(RequestRefusal::SmallOrder)?;
    }
    if rules.compromised_keys.contains(key.spki_der()) {
        return Err(RequestRefusal::CompromisedKey);
    }
    Ok(())
}

fn rsa_key(key: &PublicKey, bits: usize, min_bits: usize) -> Result<(), RequestRefusal> {
    let (min, max) = (min_bits.max(RSA_BITS_FLOOR), RSA_BITS_CEILING);
    if !(min..=max).contains(&bits) {
        return Err(RequestRefusal::RsaBits { bits, min, max });
    }
    match key.rsa_numbers() {
        Some((modulus, exponent)) => rsa::examine(modulus, exponent).map_err(RequestRefusal::WeakRsa),
        None => Ok(()),
    }
}

/// Attributes describe the request, not the certificate, so those that are not read change nothing and are
/// let pass: a challengePassword (RFC 2985 §5.4.1), which has no meaning in ACME, and the remarks of
/// enrolment tools on their own version. The exception is Microsoft's attribute for extensions, since
/// passing it over would drop something that was asked for.
fn attributes(request: &CertificateRequest) -> Result<(), RequestRefusal> {
    if request.other_attributes.contains(&MICROSOFT_EXTENSIONS) {
        return Err(RequestRefusal::ForeignExtensions { oid: MICROSOFT_EXTENSIONS });
    }
    Ok(())
}

/// RFC 8555 §7.4: exactly the names of the order.
fn same_names(requested: &[San], ordered: &[San]) -> Result<(), RequestRefusal> {
    if requested.is_empty() {
        return Err(RequestRefusal::NoNames);
    }
    let surplus: Vec<&San> = requested.iter().filter(|name| !ordered.contains(name)).collect();
    if !surplus.is_empty() {
        return Err(RequestRefusal::SurplusNames { names: list(&surplus) });
    }
    let missing: Vec<&San> = ordered.iter().filter(|name| !requested.contains(name)).collect();
    if !missing.is_empty() {
        return Err(RequestRefusal::MissingNames { names: list(&missing) });
    }
    Ok(())
}

/// Empty, or one common name that is among the names (RFC 8555 §7.4).
fn subject(request: &CertificateRequest, names: &[San]) -> Result<(), RequestRefusal> {
    let mut common_names = Vec::new();
    for attribute in request.subject.iter() {
        if attribute.oid != rfc4519::COMMON_NAME {
            return Err(RequestRefusal::SubjectAttribute { oid: attribute.oid });
        }
        common_names.push(&attribute.value);
    }
    match common_names.as_slice() {
        [] => Ok(()),
        [name] if is_one_of(name, names) => Ok(()),
        [_] => Err(RequestRefusal::CommonName),
        _ => Err(RequestRefusal::CommonNames),
    }
}

fn signature(request: &CertificateRequest) -> Result<(), RequestRefusal> {
    let kind = request.public_key.kind();
    let unsupported = || RequestRefusal::SignatureAlgorithm { oid: request.signature_oid, kind };
    let algorithm = request.signature_algorithm.ok_or_else(unsupported)?;
    if !algorithm.suits(kind) {
        return Err(unsupported());
    }
    let verifier = request.public_key.verifier(algorithm).map_err(|_| RequestRefusal::InvalidKey { kind })?;
    verifier.verify(&request.signed, &request.signature).map_err(|_| RequestRefusal::Signature)
}

/// An empty common name counts as none.
fn is_one_of(common_name: &Any, names: &[San]) -> bool {
    use der::Tag::{Ia5String, PrintableString, Utf8String};
    if !matches!(common_name.tag(), Utf8String | PrintableString | Ia5String) {
        return false;
    }
    let Ok(text) = std::str::from_utf8(common_name.value()) else { return false };
    text.is_empty()
        || names.iter().any(|name| match name {
            San::Dns(name) => name.eq_ignore_ascii_case(text),
            San::Ip(address) => text.parse::<IpAddr>().is_ok_and(|parsed| parsed == *address),
        })
}

/// The first few names, so that an answer stays short.
/// The first of some names, each cleaned so that no terminal obeys it.
fn list(names: &[&San]) -> String {
    let clean = |name: &&San| {
        let name: String =
            name.to_string().chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
        format!("`{name}`")
    };
    names.iter().take(5).map(clean).collect::<Vec<_>>().join(", ")
}
