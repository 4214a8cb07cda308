//! The extensions that a request may ask for.
//!
//! What the certificate gets is the profile's business. A request that asks for more than it could ever
//! get is refused rather than quietly cut down; one that asks for what it gets anyway, or for less, passes.

use const_oid::db::rfc5280;
use const_oid::{AssociatedOid, ObjectIdentifier};
use der::Decode;
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::{BasicConstraints, ExtendedKeyUsage, KeyUsage, SubjectAltName};

use crate::certificate::EndEntityUsage;
use crate::certificate::oid::TLS_FEATURE;
use crate::name::San;
use crate::request::{RequestRefusal, RequestRules};

/// What the extensions of a request ask for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Wishes {
    /// The subject alternative names, sorted, each once.
    pub(super) names: Vec<San>,
    pub(super) must_staple: bool,
}

/// Reads the one list of extensions of a request and applies the rules about each.
pub(super) fn read(extensions: &[Extension], rules: &RequestRules) -> Result<Wishes, RequestRefusal> {
    no_duplicates(extensions)?;
    let mut wishes = Wishes::default();
    for extension in extensions {
        match extension.extn_id {
            rfc5280::ID_CE_SUBJECT_ALT_NAME => wishes.names = names(extension)?,
            rfc5280::ID_CE_BASIC_CONSTRAINTS => basic_constraints(extension)?,
            rfc5280::ID_CE_KEY_USAGE => key_usage(extension, rules)?,
            rfc5280::ID_CE_EXT_KEY_USAGE => extended_key_usage(extension, rules)?,
            TLS_FEATURE => {
                tls_feature(extension, rules)?;
                wishes.must_staple = true;
            }
            oid => return Err(RequestRefusal::ExtensionNotAllowed { oid }),
        }
    }
    Ok(wishes)
}

/// RFC 5280 §4.2: at most one of each.
fn no_duplicates(extensions: &[Extension]) -> Result<(), RequestRefusal> {
    let mut seen: Vec<ObjectIdentifier> = extensions.iter().map(|extension| extension.extn_id).collect();
    seen.sort_unstable();
    match seen.array_windows().find(|[one, next]| one == next) {
        Some([oid, _]) => Err(RequestRefusal::DuplicateExtension { oid: *oid }),
        None => Ok(()),
    }
}

fn names(extension: &Extension) -> Result<Vec<San>, RequestRefusal> {
    let names: SubjectAltName = decode(extension)?;
    let names: Option<Vec<San>> = names.0.iter().map(San::from_general_name).collect();
    let mut names = names.ok_or(RequestRefusal::NameKind)?;
    names.sort_unstable();
    names.dedup();
    Ok(names)
}

/// `CA:FALSE` says nothing that is not so anyway, and OpenSSL's stock configuration asks for it.
fn basic_constraints(extension: &Extension) -> Result<(), RequestRefusal> {
    let constraints: BasicConstraints = decode(extension)?;
    if constraints.ca {
        return Err(RequestRefusal::CaRequested);
    }
    Ok(())
}

fn key_usage(extension: &Extension, rules: &RequestRules) -> Result<(), RequestRefusal> {
    let usage: KeyUsage = decode(extension)?;
    if usage.key_cert_sign() || usage.crl_sign() {
        return Err(RequestRefusal::CaKeyUsage);
    }
    if usage.encipher_only() || usage.decipher_only() {
        return Err(RequestRefusal::HalfAgreement);
    }
    let asked = EndEntityUsage::ALL.into_iter().filter(|asked| usage.0.contains(asked.flag()));
    match asked.into_iter().find(|asked| !rules.key_usages.contains(asked)) {
        Some(usage) => Err(RequestRefusal::KeyUsage { usage }),
        None => Ok(()),
    }
}

fn extended_key_usage(extension: &Extension, rules: &RequestRules) -> Result<(), RequestRefusal> {
    let purposes: ExtendedKeyUsage = decode(extension)?;
    let allowed = |oid| rules.extended_key_usages.iter().any(|purpose| purpose.oid() == oid);
    match purposes.0.into_iter().find(|oid| !allowed(*oid)) {
        Some(oid) => Err(RequestRefusal::ExtendedKeyUsage { oid }),
        None => Ok(()),
    }
}

/// RFC 7633: a sequence of numbers; `status_request` is 5.
fn tls_feature(extension: &Extension, rules: &RequestRules) -> Result<(), RequestRefusal> {
    let features = Vec::<u16>::from_der(extension.extn_value.as_bytes())
        .map_err(|source| RequestRefusal::MalformedExtension { oid: TLS_FEATURE, source })?;
    if features != [5] {
        return Err(RequestRefusal::TlsFeature);
    }
    if !rules.must_staple {
        return Err(RequestRefusal::MustStaple);
    }
    Ok(())
}

fn decode<'a, T>(extension: &'a Extension) -> Result<T, RequestRefusal>
where
    T: AssociatedOid + Decode<'a, Error = der::Error>,
{
    T::from_der(extension.extn_value.as_bytes())
        .map_err(|source| RequestRefusal::MalformedExtension { oid: T::OID, source })
}

#[cfg(test)]
mod tests {
    use const_oid::db::rfc5912;
    use der::Encode;
    use der::asn1::OctetString;
    use x509_cert::ext::pkix::KeyUsages;
    use x509_cert::ext::pkix::name::GeneralName;

    use super::*;

    fn extension(oid: ObjectIdentifier, value: &impl Encode) -> Extension {
        raw(oid, value.to_der().unwrap())
    }

    fn raw(extn_id: ObjectIdentifier, value: Vec<u8>) -> Extension {
        Extension { extn_id, critical: false, extn_value: OctetString::new(value).unwrap() }
    }

    fn read_one(extension: Extension) -> Result<Wishes, RequestRefusal> {
        read(&[extension], &RequestRules::default())
    }

    #[test]
    fn names_come_sorted_and_once() {
        let names = ["b.test", "A.test", "b.test"]
            .map(|name| GeneralName::DnsName(der::asn1::Ia5String::new(name).unwrap()))
            .to_vec();
        let wishes = read_one(extension(SubjectAltName::OID, &SubjectAltName(names))).unwrap();
        assert_eq!(wishes.names, [San::Dns("a.test".into()), San::Dns("b.test".into())]);
    }

    #[test]
    fn names_of_other_kinds_are_refused() {
        let mail = GeneralName::Rfc822Name(der::asn1::Ia5String::new("a@b.test").unwrap());
        let refused = read_one(extension(SubjectAltName::OID, &SubjectAltName(vec![mail])));
        assert_eq!(refused, Err(RequestRefusal::NameKind));
    }

    #[test]
    fn duplicates_are_refused() {
        let leaf = BasicConstraints { ca: false, path_len_constraint: None };
        let constraints = extension(BasicConstraints::OID, &leaf);
        let refused = read(&[constraints.clone(), constraints], &RequestRules::default());
        assert_eq!(refused, Err(RequestRefusal::DuplicateExtension { oid: BasicConstraints::OID }));
    }

    #[test]
    fn authorities_are_refused_and_leaves_pass() {
        let leaf = BasicConstraints { ca: false, path_len_constraint: None };
        assert!(read_one(extension(BasicConstraints::OID, &leaf)).is_ok());
        let authority = BasicConstraints { ca: true, path_len_constraint: None };
        let refused = read_one(extension(BasicConstraints::OID, &authority));
        assert_eq!(refused, Err(RequestRefusal::CaRequested));
    }

    #[test]
    fn key_usages_of_an_authority_are_refused() {
        let leaf = KeyUsage(KeyUsages::DigitalSignature | KeyUsages::NonRepudiation);
        assert!(read_one(extension(KeyUsage::OID, &leaf)).is_ok());
        for usage in [KeyUsages::KeyCertSign, KeyUsages::CRLSign] {
            let refused = read_one(extension(KeyUsage::OID, &KeyUsage(usage.into())));
            assert_eq!(refused, Err(RequestRefusal::CaKeyUsage));
        }
    }

    #[test]
    fn key_usages_have_to_be_allowed() {
        let asks = |usage: KeyUsages| [extension(KeyUsage::OID, &KeyUsage(usage.into()))];
        let rules =
            RequestRules { key_usages: vec![EndEntityUsage::DigitalSignature], ..RequestRules::default() };
        assert!(read(&asks(KeyUsages::DigitalSignature), &rules).is_ok());
        for usage in EndEntityUsage::ALL {
            assert!(read(&asks(usage.flag()), &RequestRules::default()).is_ok(), "{usage}");
            if usage != EndEntityUsage::DigitalSignature {
                assert_eq!(read(&asks(usage.flag()), &rules), Err(RequestRefusal::KeyUsage { usage }));
            }
        }
        for half in [KeyUsages::EncipherOnly, KeyUsages::DecipherOnly] {
            assert_eq!(read(&asks(half), &RequestRules::default()), Err(RequestRefusal::HalfAgreement));
        }
    }

    #[test]
    fn purposes_have_to_be_allowed() {
        let web = ExtendedKeyUsage(vec![rfc5280::ID_KP_SERVER_AUTH, rfc5280::ID_KP_CLIENT_AUTH]);
        assert!(read_one(extension(ExtendedKeyUsage::OID, &web)).is_ok());
        let code = ExtendedKeyUsage(vec![rfc5280::ID_KP_SERVER_AUTH, rfc5280::ID_KP_CODE_SIGNING]);
        let refused = read_one(extension(ExtendedKeyUsage::OID, &code));
        assert_eq!(refused, Err(RequestRefusal::ExtendedKeyUsage { oid: rfc5280::ID_KP_CODE_SIGNING }));
    }

    #[test]
    fn must_staple_has_to_be_allowed() {
        let staple = [extension(TLS_FEATURE, &vec![5_u16])];
        let mut rules = RequestRules::default();
        assert_eq!(read(&staple, &rules), Err(RequestRefusal::MustStaple));
        rules.must_staple = true;
        assert!(read(&staple, &rules).unwrap().must_staple);
        for features in [vec![], vec![17_u16], vec![5, 17]] {
            let refused = read(&[extension(TLS_FEATURE, &features)], &rules);
            assert_eq!(refused, Err(RequestRefusal::TlsFeature), "{features:?}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        let oid = rfc5912::ID_CE_NAME_CONSTRAINTS;
        let refused = read_one(raw(oid, vec![0x30, 0]));
        assert_eq!(refused, Err(RequestRefusal::ExtensionNotAllowed { oid }));
    }

    #[test]
    fn bytes_that_are_not_the_extension_are_refused() {
        for oid in [SubjectAltName::OID, BasicConstraints::OID, KeyUsage::OID, ExtendedKeyUsage::OID] {
            let refused = read_one(raw(oid, vec![0x05, 0]));
            assert!(matches!(refused, Err(RequestRefusal::MalformedExtension { .. })), "{refused:?}");
        }
    }
}
