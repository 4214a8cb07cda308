//! One rule, one function.

use const_oid::db::{rfc4519, rfc5280};
use const_oid::{AssociatedOid, ObjectIdentifier};
use der::asn1::UintRef;
use der::{Decode, Encode, Tag, Tagged};
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::name::{DistributionPointName, GeneralName};
use x509_cert::ext::pkix::{
    AuthorityInfoAccessSyntax, AuthorityKeyIdentifier, BasicConstraints, CrlDistributionPoints,
    ExtendedKeyUsage, KeyUsage, KeyUsages, SubjectAltName, SubjectKeyIdentifier,
};
use x509_cert::time::Time;
use x509_cert::{Certificate, Version};

use crate::certificate::oid::TLS_FEATURE;
use crate::certificate::{EndEntityUsage, MAX_VALIDITY, MustStaple, SubjectRule, Validity};
use crate::key::KeyKind;
use crate::lint::Expected;
use crate::name::San;

/// The problem, if there is one.
type Finding = Result<(), &'static str>;
type Rule = fn(&Certificate, &Expected<'_>) -> Finding;

/// Every rule with its name.
pub(super) const ALL: [(&str, Rule); 18] = [
    ("version", version),
    ("serial", serial),
    ("signature-algorithm", signature_algorithm),
    ("issuer", issuer),
    ("validity", validity),
    ("validity-form", validity_form),
    ("subject", subject),
    ("public-key", public_key),
    ("unique-ids", unique_ids),
    ("extensions", extensions),
    ("basic-constraints", basic_constraints),
    ("key-usage", key_usage),
    ("extended-key-usage", extended_key_usage),
    ("subject-alt-name", subject_alt_name),
    ("subject-key-id", subject_key_id),
    ("authority-key-id", authority_key_id),
    ("must-staple", must_staple),
    ("urls", urls),
];

fn version(certificate: &Certificate, _: &Expected<'_>) -> Finding {
    let is_3 = certificate.tbs_certificate().version() == Version::V3;
    demand(is_3, "it is not of version 3 (RFC 5280 §4.1.2.1)")
}

fn serial(certificate: &Certificate, expected: &Expected<'_>) -> Finding {
    let octets = certificate.tbs_certificate().serial_number().as_bytes();
    let positive =
        octets.first().is_some_and(|first| *first < 0x80) && octets.iter().any(|octet| *octet != 0);
    demand(positive, "its serial number is not positive (RFC 5280 §4.1.2.2)")?;
    demand(octets.len() <= 20, "its serial number has more than 20 octets (RFC 5280 §4.1.2.2)")?;
    let wanted = UintRef::new(expected.serial.as_bytes()).map_err(|_| "its serial number is too long")?;
    let found = UintRef::new(octets).map_err(|_| "its serial number is too long")?;
    demand(found == wanted, "its serial number is not the one that was recorded")
}

fn signature_algorithm(certificate: &Certificate, expected: &Expected<'_>) -> Finding {
    let inner = certificate.tbs_certificate().signature();
    let same = inner == certificate.signature_algorithm();
    demand(same, "it names two different signature algorithms (RFC 5280 §4.1.1.2)")?;
    let wanted = expected.issuer.signature_algorithm().identifier();
    let fits = inner.oid == wanted.oid && inner.parameters.as_ref().map(Into::into) == wanted.parameters;
    demand(fits, "its signature algorithm is not the issuer's")
}

fn issuer(certificate: &Certificate, expected: &Expected<'_>) -> Finding {
    let issuer = certificate.tbs_certificate().issuer().to_der();
    let same = issuer.is_ok_and(|issuer| issuer == expected.issuer.certificate().subject_der());
    demand(same, "its issuer is not, octet for octet, the issuing certificate's subject (RFC 5280 §4.1.2.4)")
}

fn validity(certificate: &Certificate, expected: &Expected<'_>) -> Finding {
    let found = certificate.tbs_certificate().validity();
    let found = Validity::from_times(found.not_before, found.not_after);
    let found = found.map_err(|_| "it ends before it begins")?;
    demand(found == expected.validity, "it is not valid when it should be")?;
    demand(found.period() <= MAX_VALIDITY, "it is valid for longer than the hard cap")?;
    let within_profile = found.period() <= expected.profile.spec().max_validity;
    demand(within_profile, "it is valid for longer than its profile allows")?;
    let within_issuer = found.within(expected.issuer.validity()) == Ok(found);
    demand(within_issuer, "it is valid at times when its issuer is not")
}

fn validity_form(certificate: &Certificate, _: &Expected<'_>) -> Finding {
    let validity = certificate.tbs_certificate().validity();
    let proper = |time: Time| {
        let is_utc_time = matches!(time, Time::UtcTime(_));
        is_utc_time == (time.to_date_time().year() < 2050)
    };
    let both = proper(validity.not_before) && proper(validity.not_after);
    demand(both, "a time is not UTCTime before 2050 and GeneralizedTime from then on (RFC 5280 §4.1.2.5)")
}

/// Empty, or one common name as the profile asks for: the first DNS name that fits into one.
fn subject(certificate: &Certificate, expected: &Expected<'_>) -> Finding {
    let subject = certificate.tbs_certificate().subject();
    let attributes: Vec<_> = subject.iter().collect();
    match (attributes.as_slice(), common_name(expected)) {
        ([], None) => Ok(()),
        (_, None) => Err("its subject is not empty"),
        ([only], Some(wanted)) if only.oid == rfc4519::COMMON_NAME => {
            let written = only.value.tag() == Tag::Utf8String && only.value.value() == wanted.as_bytes();
            demand(written, "its common name is not the first of its DNS names that fits")
        }
        _ => Err("its subject is not one common name"),
    }
}

/// What the common name has to be.
fn common_name<'e>(expected: &Expected<'e>) -> Option<&'e str> {
    if expected.profile.spec().subject == SubjectRule::Empty {
        return None;
    }
    expected.request.names().iter().find_map(|name| match name {
        San::Dns(name) => (name.len() <= 64).then_some(name.as_str()),
        San::Ip(_) => None,
    })
}

fn public_key(certificate: &Certificate, expected: &Expected<'_>) -> Finding {
    let key = certificate.tbs_certificate().subject_public_key_info().to_der();
    let same = key.is_ok_and(|key| key == expected.request.public_key().spki_der());
    demand(same, "its key is not the request's")
}

fn unique_ids(certificate: &Certificate, _: &Expected<'_>) -> Finding {
    let tbs = certificate.tbs_certificate();
    let none = tbs.issuer_unique_id().is_none() && tbs.subject_unique_id().is_none();
    demand(none, "it has a unique identifier (RFC 5280 §4.1.2.8)")
}

/// Known ones only, and each once (RFC 5280 §4.2).
fn extensions(certificate: &Certificate, _: &Expected<'_>) -> Finding {
    let extensions = all_extensions(certificate);
    for (index, extension) in extensions.iter().enumerate() {
        demand(KNOWN.contains(&extension.extn_id), "it has an extension that is never issued")?;
        let repeated = extensions.iter().skip(index + 1).any(|other| other.extn_id == extension.extn_id);
        demand(!repeated, "an extension appears twice (RFC 5280 §4.2)")?;
    }
    Ok(())
}

fn basic_constraints(certificate: &Certificate, _: &Expected<'_>) -> Finding {
    let found = find::<BasicConstraints>(certificate)?;
    let leaf = BasicConstraints { ca: false, path_len_constraint: None };
    demand(found == Some((true, leaf)), "basicConstraints is not critical and CA:FALSE")
}

fn key_usage(certificate: &Certificate, expected: &Expected<'_>) -> Finding {
    use KeyUsages::{
        CRLSign, DataEncipherment, DigitalSignature, KeyAgreement, KeyCertSign, KeyEncipherment,
        NonRepudiation,
    };
    let Some((true, KeyUsage(found))) = find::<KeyUsage>(certificate)? else {
        return Err("it has no critical key usage (RFC 5280 §4.2.1.3)");
    };
    demand(found.contains(DigitalSignature), "its key usage lacks digitalSignature")?;
    demand(found.is_disjoint(KeyCertSign | CRLSign), "its key usage is an authority's")?;
    let possible = match expected.request.public_key().kind() {
        KeyKind::Rsa { .. } => DigitalSignature | NonRepudiation | KeyEncipherment | DataEncipherment,
        KeyKind::EcdsaP256 | KeyKind::EcdsaP384 | KeyKind::EcdsaP521 => {
            DigitalSignature | NonRepudiation | KeyAgreement
        }
        KeyKind::Ed25519 => DigitalSignature | NonRepudiation,
    };
    let listed = EndEntityUsage::flags(expected.profile.spec().key_usages.iter().copied());
    let wanted = (listed & possible) | DigitalSignature;
    demand(found == wanted, "its key usage is not the profile's for such a key")
}

fn extended_key_usage(certificate: &Certificate, expected: &Expected<'_>) -> Finding {
    let Some((false, ExtendedKeyUsage(found))) = find::<ExtendedKeyUsage>(certificate)? else {
        return Err("it has no extended key usage, or a critical one");
    };
    let forbidden = [rfc5280::ANY_EXTENDED_KEY_USAGE, rfc5280::ID_KP_OCSP_SIGNING];
    demand(
        !found.iter().any(|oid| forbidden.contains(oid)),
        "it has an extended key usage that is never issued",
    )?;
    let wanted = expected.profile.spec().extended_key_usages.iter().map(|purpose| purpose.oid());
    demand(found.into_iter().eq(wanted), "the extended key usage is not the profile's")
}

fn subject_alt_name(certificate: &Certificate, expected: &Expected<'_>) -> Finding {
    let Some((critical, names)) = find::<SubjectAltName>(certificate)? else {
        return Err("it has no subjectAltName");
    };
    let subject_is_empty = certificate.tbs_certificate().subject().is_empty();
    let problem =
        "subjectAltName is not critical with an empty subject, or critical with another (RFC 5280 §4.2.1.6)";
    demand(critical == subject_is_empty, problem)?;
    let wanted = expected.request.names();
    let same = !wanted.is_empty()
        && names.0.len() == wanted.len()
        && names.0.iter().zip(wanted).all(|(found, wanted)| is_written_as(found, wanted));
    demand(same, "its names are not the request's")?;
    let proper = wanted.iter().all(|name| match name {
        San::Dns(name) => is_canonical_dns_name(name),
        San::Ip(_) => true,
    });
    demand(proper, "a DNS name is not lower-case letters, digits and hyphens in labels (RFC 1034 §3.5)")
}

fn subject_key_id(certificate: &Certificate, expected: &Expected<'_>) -> Finding {
    let found = find::<SubjectKeyIdentifier>(certificate)?;
    let wanted = expected.request.public_key().key_id();
    let same = found.is_some_and(|(critical, id)| !critical && id.0.as_bytes() == wanted);
    demand(same, "the subject key identifier is not its key's (RFC 5280 §4.2.1.2)")
}

fn authority_key_id(certificate: &Certificate, expected: &Expected<'_>) -> Finding {
    let found = find::<AuthorityKeyIdentifier>(certificate)?;
    let wanted = expected.issuer.certificate().key_id();
    let same = found.is_some_and(|(critical, authority)| {
        !critical
            && authority.key_identifier.is_some_and(|id| id.as_bytes() == wanted)
            && authority.authority_cert_issuer.is_none()
            && authority.authority_cert_serial_number.is_none()
    });
    demand(same, "the authority key identifier is not the issuer's key identifier (RFC 5280 §4.2.1.1)")
}

fn must_staple(certificate: &Certificate, expected: &Expected<'_>) -> Finding {
    const STATUS_REQUEST: &[u8] = &[0x30, 3, 2, 1, 5];
    let found = all_extensions(certificate).iter().find(|extension| extension.extn_id == TLS_FEATURE);
    let found = found.map(|extension| (extension.critical, extension.extn_value.as_bytes()));
    let always = expected.profile.spec().must_staple == MustStaple::Always;
    let wanted = (always || expected.request.must_staple()).then_some((false, STATUS_REQUEST));
    demand(found == wanted, "the TLS feature is not the one that was asked for or is given always (RFC 7633)")
}

/// RFC 5280 §4.2.1.13 and §4.2.2.1.
fn urls(certificate: &Certificate, expected: &Expected<'_>) -> Finding {
    let spec = expected.profile.spec();
    let access =
        find::<AuthorityInfoAccessSyntax>(certificate)?.map(|(_, access)| access.0).unwrap_or_default();
    let access: Vec<_> = access.iter().map(|one| (one.access_method, uri(&one.access_location))).collect();
    let wanted = [(rfc5280::ID_AD_OCSP, &spec.ocsp_url), (rfc5280::ID_AD_CA_ISSUERS, &spec.ca_issuers_url)];
    let wanted: Vec<_> =
        wanted.iter().filter_map(|(method, url)| Some((*method, Some(url.as_deref()?)))).collect();
    demand(access == wanted, "authorityInfoAccess does not hold the profile's URLs")?;

    let points = find::<CrlDistributionPoints>(certificate)?.map(|(_, points)| points.0).unwrap_or_default();
    let points: Vec<_> = points
        .iter()
        .map(|point| match &point.distribution_point {
            Some(DistributionPointName::FullName(names)) => names.first().and_then(uri),
            _ => None,
        })
        .collect();
    let wanted: Vec<_> = spec.crl_url.iter().map(|url| Some(url.as_str())).collect();
    demand(points == wanted, "cRLDistributionPoints does not hold the profile's URL")
}

const KNOWN: [ObjectIdentifier; 9] = [
    rfc5280::ID_CE_BASIC_CONSTRAINTS,
    rfc5280::ID_CE_KEY_USAGE,
    rfc5280::ID_CE_EXT_KEY_USAGE,
    rfc5280::ID_CE_SUBJECT_ALT_NAME,
    rfc5280::ID_CE_SUBJECT_KEY_IDENTIFIER,
    rfc5280::ID_CE_AUTHORITY_KEY_IDENTIFIER,
    rfc5280::ID_CE_CRL_DISTRIBUTION_POINTS,
    rfc5280::ID_PE_AUTHORITY_INFO_ACCESS,
    TLS_FEATURE,
];

fn demand(holds: bool, problem: &'static str) -> Finding {
    if holds { Ok(()) } else { Err(problem) }
}

fn all_extensions(certificate: &Certificate) -> &[Extension] {
    certificate.tbs_certificate().extensions().map_or(&[], Vec::as_slice)
}

/// An extension and whether it is critical.
fn find<'a, T>(certificate: &'a Certificate) -> Result<Option<(bool, T)>, &'static str>
where
    T: AssociatedOid + Decode<'a, Error = der::Error>,
{
    let found = certificate.tbs_certificate().get_extension::<T>();
    found.map_err(|_| "an extension is not valid DER, or appears twice")
}

/// Octet for octet, so that no case is lost.
fn is_written_as(found: &GeneralName, wanted: &San) -> bool {
    match (found, wanted) {
        (GeneralName::DnsName(found), San::Dns(wanted)) => found.as_str() == wanted,
        (GeneralName::IpAddress(_), San::Ip(_)) => San::from_general_name(found).as_ref() == Some(wanted),
        _ => false,
    }
}

fn is_canonical_dns_name(name: &str) -> bool {
    let host = name.strip_prefix("*.").unwrap_or(name);
    host.len() <= 253 && host.split('.').all(is_canonical_label)
}

fn is_canonical_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.bytes().all(|octet| octet.is_ascii_lowercase() || octet.is_ascii_digit() || octet == b'-')
}

fn uri(name: &GeneralName) -> Option<&str> {
    match name {
        GeneralName::UniformResourceIdentifier(uri) => Some(uri.as_str()),
        _ => None,
    }
}
