//! The extensions of a certificate, one function each.

use const_oid::db::rfc5280;
use const_oid::{AssociatedOid, ObjectIdentifier};
use der::Encode;
use der::asn1::{Ia5String, OctetString};
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::crl::dp::DistributionPoint;
use x509_cert::ext::pkix::name::{DistributionPointName, GeneralName};
use x509_cert::ext::pkix::{
    AccessDescription, AuthorityInfoAccessSyntax, AuthorityKeyIdentifier, BasicConstraints,
    CrlDistributionPoints, ExtendedKeyUsage, KeyUsage, SubjectAltName, SubjectKeyIdentifier,
};

use crate::certificate::oid::TLS_FEATURE;
use crate::certificate::{EndEntityUsage, ProfileSpec};
use crate::key::KeyKind;
use crate::name::San;

/// RFC 5280 §4.2.1.9. Critical in every certificate.
pub(crate) fn basic_constraints(ca: bool, path_len: Option<u8>) -> der::Result<Extension> {
    encode(true, &BasicConstraints { ca, path_len_constraint: path_len })
}

/// RFC 5280 §4.2.1.3: digitalSignature, and those of the others that such a key can do.
pub(crate) fn key_usage(spec: &ProfileSpec, kind: KeyKind) -> der::Result<Extension> {
    let suited = spec.key_usages.iter().copied().filter(|usage| usage.suits(kind));
    let usages = EndEntityUsage::flags(suited) | EndEntityUsage::DigitalSignature.flag();
    encode(true, &KeyUsage(usages))
}

/// RFC 5280 §4.2.1.12.
pub(super) fn extended_key_usage(spec: &ProfileSpec) -> der::Result<Extension> {
    encode(false, &ExtendedKeyUsage(spec.extended_key_usages.iter().map(|purpose| purpose.oid()).collect()))
}

/// RFC 5280 §4.2.1.6: critical where the subject is empty, not critical where it is not.
pub(super) fn subject_alt_name(names: &[San], critical: bool) -> der::Result<Extension> {
    let names = names.iter().map(San::to_general_name).collect::<der::Result<Vec<_>>>()?;
    encode(critical, &SubjectAltName(names))
}

/// RFC 5280 §4.2.1.2.
pub(crate) fn subject_key_id(key_id: &[u8]) -> der::Result<Extension> {
    encode(false, &SubjectKeyIdentifier(OctetString::new(key_id)?))
}

/// RFC 5280 §4.2.1.1.
pub(crate) fn authority_key_id(key_id: &[u8]) -> der::Result<Extension> {
    let key_identifier = Some(OctetString::new(key_id)?);
    encode(false, &AuthorityKeyIdentifier { key_identifier, ..Default::default() })
}

/// RFC 5280 §4.2.2.1, where the profile has URLs for it.
pub(super) fn authority_info_access(spec: &ProfileSpec) -> der::Result<Option<Extension>> {
    let urls = [(rfc5280::ID_AD_OCSP, &spec.ocsp_url), (rfc5280::ID_AD_CA_ISSUERS, &spec.ca_issuers_url)];
    let mut descriptions = Vec::new();
    for (method, url) in urls {
        let Some(url) = url else { continue };
        descriptions.push(AccessDescription { access_method: method, access_location: uri(url)? });
    }
    if descriptions.is_empty() {
        return Ok(None);
    }
    encode(false, &AuthorityInfoAccessSyntax(descriptions)).map(Some)
}

/// RFC 5280 §4.2.1.13, where the profile has a URL for it.
pub(super) fn crl_distribution_points(spec: &ProfileSpec) -> der::Result<Option<Extension>> {
    let Some(url) = &spec.crl_url else { return Ok(None) };
    let point = DistributionPoint {
        distribution_point: Some(DistributionPointName::FullName(vec![uri(url)?])),
        reasons: None,
        crl_issuer: None,
    };
    encode(false, &CrlDistributionPoints(vec![point])).map(Some)
}

/// RFC 7633: the feature 5, `status_request`.
pub(super) fn must_staple() -> der::Result<Extension> {
    with_oid(TLS_FEATURE, false, &vec![5_u16])
}

/// An extension of a type that knows its identifier.
pub(crate) fn encode<T: AssociatedOid + Encode>(critical: bool, value: &T) -> der::Result<Extension> {
    with_oid(T::OID, critical, value)
}

fn with_oid(extn_id: ObjectIdentifier, critical: bool, value: &impl Encode) -> der::Result<Extension> {
    Ok(Extension { extn_id, critical, extn_value: OctetString::new(value.to_der()?)? })
}

fn uri(url: &str) -> der::Result<GeneralName> {
    Ok(GeneralName::UniformResourceIdentifier(Ia5String::new(url)?))
}
