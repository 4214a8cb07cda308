//! A second reading of a request, by another parser, held against the first.
//!
//! What one program reads from a request and another does not is where requests for someone else's names hide.
//! The first reading is by the `der` crate; this one by `asn1`, which shares no code with it, is as strict, is
//! well kept (Python's `cryptography` reads X.509 with it) and brings nothing else along. It reads
//! the same bytes without a look at the first reading. Everything that decides about the certificate is
//! compared.

#![expect(clippy::result_large_err, reason = "the error of the parser is as large as it is; nobody keeps it")]

use std::net::IpAddr;

use asn1::{Asn1Read, BitString, ParseResult, SequenceOf, SetOf, Tlv};
use const_oid::ObjectIdentifier;
use const_oid::db::{rfc5280, rfc5912};
use der::Encode;
use x509_cert::attr::AttributeTypeAndValue;
use x509_cert::ext::Extension;

use crate::name::San;
use crate::request::{CertificateRequest, RequestRefusal};

/// RFC 2986 §4.2, `CertificationRequest`.
#[derive(Asn1Read)]
struct Request<'a> {
    body: Tlv<'a>,
    algorithm: Algorithm<'a>,
    signature: BitString<'a>,
}

#[derive(Asn1Read)]
struct Algorithm<'a> {
    oid: asn1::ObjectIdentifier,
    _parameters: Option<Tlv<'a>>,
}

/// RFC 2986 §4.1, `CertificationRequestInfo`. The order of the attributes is left to the first reading.
#[derive(Asn1Read)]
struct Body<'a> {
    version: u8,
    subject: SequenceOf<'a, SetOf<'a, NameAttribute<'a>>>,
    public_key: Tlv<'a>,
    #[implicit(0, required)]
    attributes: SequenceOf<'a, Attribute<'a>>,
}

#[derive(Asn1Read)]
struct NameAttribute<'a> {
    oid: asn1::ObjectIdentifier,
    value: Tlv<'a>,
}

#[derive(Asn1Read)]
struct Attribute<'a> {
    oid: asn1::ObjectIdentifier,
    values: SetOf<'a, Tlv<'a>>,
}

/// RFC 5280 §4.1.
#[derive(Asn1Read)]
struct RequestedExtension<'a> {
    oid: asn1::ObjectIdentifier,
    #[default(false)]
    critical: bool,
    value: &'a [u8],
}

/// Holds both readings of a request against each other. `names` are what the first made of its subject
/// alternative names.
pub(super) fn agrees(request: &CertificateRequest, names: &[San]) -> Result<(), RequestRefusal> {
    match difference(request, names) {
        Ok(None) => Ok(()),
        Ok(Some(what)) => Err(RequestRefusal::Ambiguous { what }),
        Err(_) => Err(RequestRefusal::Ambiguous { what: "its structure" }),
    }
}

/// The first thing that the readings differ in.
fn difference(request: &CertificateRequest, names: &[San]) -> ParseResult<Option<&'static str>> {
    let Request { body, algorithm, signature } = asn1::parse_single(&request.der)?;
    let extent = body.full_data() == request.signed
        && signature.as_bytes() == request.signature
        && signature.padding_bits() == 0;
    let body: Body<'_> = body.parse()?;
    let extensions = extensions(&body.attributes)?;
    let comparisons = [
        ("what is signed", extent),
        ("the signature's method", same_oid(&algorithm.oid, &request.signature_oid)),
        ("the version", (body.version == 0) == request.is_version_1),
        ("the subject", same_subject(request, body.subject)),
        ("the public key", body.public_key.full_data() == request.public_key.spki_der()),
        ("the types of attributes", same_attributes(request, body.attributes)),
        ("the extensions", same_extensions(&request.extension_requests, &extensions)),
        ("the names", alternative_names(&extensions)?.as_deref() == Some(names)),
    ];
    Ok(comparisons.into_iter().find(|(_, same)| !same).map(|(what, _)| what))
}

/// The extension requests, one for each value of the attribute.
fn extensions<'a>(
    attributes: &SequenceOf<'a, Attribute<'a>>,
) -> ParseResult<Vec<Vec<RequestedExtension<'a>>>> {
    let mut requests = Vec::new();
    for attribute in attributes.clone().filter(|attribute| is_extension_request(attribute)) {
        for value in attribute.values {
            requests.push(value.parse::<SequenceOf<'a, RequestedExtension<'a>>>()?.collect());
        }
    }
    Ok(requests)
}

fn is_extension_request(attribute: &Attribute<'_>) -> bool {
    same_oid(&attribute.oid, &rfc5912::ID_EXTENSION_REQ)
}

fn same_subject<'a>(
    request: &CertificateRequest,
    subject: SequenceOf<'a, SetOf<'a, NameAttribute<'a>>>,
) -> bool {
    let second: Vec<NameAttribute<'a>> = subject.flatten().collect();
    let same_one = |(first, second): (&AttributeTypeAndValue, &NameAttribute<'_>)| {
        same_oid(&second.oid, &first.oid)
            && first.value.to_der().is_ok_and(|value| value == second.value.full_data())
    };
    request.subject.iter().count() == second.len() && request.subject.iter().zip(&second).all(same_one)
}

fn same_attributes<'a>(request: &CertificateRequest, attributes: SequenceOf<'a, Attribute<'a>>) -> bool {
    let mut first: Vec<&[u8]> = request.other_attributes.iter().map(ObjectIdentifier::as_bytes).collect();
    let others: Vec<Attribute<'a>> =
        attributes.filter(|attribute| !is_extension_request(attribute)).collect();
    let mut second: Vec<&[u8]> = others.iter().map(|attribute| attribute.oid.as_der()).collect();
    first.sort_unstable();
    second.sort_unstable();
    first == second
}

fn same_extensions(first: &[Vec<Extension>], second: &[Vec<RequestedExtension<'_>>]) -> bool {
    let same_one = |(first, second): (&Extension, &RequestedExtension<'_>)| {
        same_oid(&second.oid, &first.extn_id)
            && second.critical == first.critical
            && second.value == first.extn_value.as_bytes()
    };
    first.len() == second.len()
        && first
            .iter()
            .zip(second)
            .all(|(first, second)| first.len() == second.len() && first.iter().zip(second).all(same_one))
}

/// What the subject alternative names say, sorted, each once; `None` where one is of a kind that is not
/// issued, or where there are none.
fn alternative_names(requests: &[Vec<RequestedExtension<'_>>]) -> ParseResult<Option<Vec<San>>> {
    let mut extensions = requests.iter().flatten();
    let Some(extension) = extensions.find(|one| same_oid(&one.oid, &rfc5280::ID_CE_SUBJECT_ALT_NAME)) else {
        return Ok(None);
    };
    let names: SequenceOf<'_, Tlv<'_>> = asn1::parse_single(extension.value)?;
    let Some(mut names) = names.map(|name| alternative_name(&name)).collect::<Option<Vec<San>>>() else {
        return Ok(None);
    };
    names.sort_unstable();
    names.dedup();
    Ok(Some(names))
}

/// RFC 5280 §4.2.1.6: dNSName has the tag \[2], iPAddress \[7]; both are primitive.
fn alternative_name(name: &Tlv<'_>) -> Option<San> {
    match (name.tag_bytes(), name.data()) {
        ([0x82], text) if text.is_ascii() => {
            std::str::from_utf8(text).ok().map(|text| San::Dns(text.to_ascii_lowercase()))
        }
        ([0x87], [a, b, c, d]) => Some(San::Ip(IpAddr::from([*a, *b, *c, *d]))),
        ([0x87], octets) => <[u8; 16]>::try_from(octets).ok().map(|octets| San::Ip(IpAddr::from(octets))),
        _ => None,
    }
}

fn same_oid(second: &asn1::ObjectIdentifier, first: &ObjectIdentifier) -> bool {
    second.as_der() == first.as_bytes()
}
