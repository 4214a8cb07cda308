//! The ASN.1 structures that are written, and those that are read as the bytes they came in.

use der::asn1::{AnyRef, BitStringRef, SetOfVec, UintRef};
use der::{Decode, Encode, Header, Length, Reader, Sequence, SliceReader, Tag, TagMode, TagNumber};
use spki::AlgorithmIdentifierRef;
use x509_cert::attr::Attribute;
use x509_cert::ext::Extension;
use x509_cert::name::Name;
use x509_cert::time::Time;

/// Bytes that are not the DER structure they ought to be, with the offset where the reader gave up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} is not valid DER: {source}")]
pub struct Malformed {
    /// The structure that was being read.
    pub what: &'static str,
    /// What the decoder found.
    pub source: der::Error,
}

impl Malformed {
    /// For `map_err`: names the structure in which a decoder failed.
    pub(crate) fn in_a(what: &'static str) -> impl Fn(der::Error) -> Self {
        move |source| Self { what, source }
    }
}

/// RFC 5280 §4.1: `TBSCertificate`, as it is written.
#[derive(Debug, Clone, Sequence)]
pub(crate) struct TbsCertificate<'a> {
    /// 2 stands for version 3.
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT")]
    pub(crate) version: u8,
    pub(crate) serial: UintRef<'a>,
    pub(crate) signature: AlgorithmIdentifierRef<'a>,
    pub(crate) issuer: AnyRef<'a>,
    pub(crate) validity: TimeRange,
    pub(crate) subject: AnyRef<'a>,
    pub(crate) public_key: AnyRef<'a>,
    #[asn1(context_specific = "3", tag_mode = "EXPLICIT")]
    pub(crate) extensions: Vec<Extension>,
}

/// RFC 5280 §4.1: `Validity`.
#[derive(Debug, Clone, Copy, Sequence)]
pub(crate) struct TimeRange {
    pub(crate) not_before: Time,
    pub(crate) not_after: Time,
}

/// RFC 2986 §4.1: `CertificationRequestInfo`.
#[derive(Debug, Clone)]
pub(crate) struct RequestInfo<'a> {
    pub(crate) version: UintRef<'a>,
    pub(crate) subject: Name,
    /// The SubjectPublicKeyInfo with its tag and length.
    pub(crate) public_key: &'a [u8],
    pub(crate) attributes: SetOfVec<Attribute>,
}

impl<'a> RequestInfo<'a> {
    pub(crate) fn from_der(der: &'a [u8]) -> der::Result<Self> {
        let mut reader = SliceReader::new(der)?;
        let info = reader.sequence(|reader| {
            let version = UintRef::decode(reader)?;
            let subject = Name::decode(reader)?;
            let public_key = reader.tlv_bytes()?;
            let attributes = reader.context_specific(TagNumber(0), TagMode::Implicit)?;
            let attributes = attributes.ok_or_else(|| Tag::Set.value_error())?;
            Ok::<_, der::Error>(Self { version, subject, public_key, attributes })
        })?;
        reader.finish()?;
        Ok(info)
    }
}

/// What certificates and requests have in common: something signed, the method, the signature.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Signed<'a> {
    /// The bytes under the signature, with their tag and length.
    pub(crate) message: &'a [u8],
    pub(crate) algorithm: AlgorithmIdentifierRef<'a>,
    pub(crate) signature: &'a [u8],
}

impl<'a> Signed<'a> {
    /// Takes the structure apart; the input has to end with it.
    pub(crate) fn from_der(der: &'a [u8]) -> der::Result<Self> {
        let mut reader = SliceReader::new(der)?;
        let signed = reader.sequence(|reader| {
            let message = reader.tlv_bytes()?;
            let algorithm = AlgorithmIdentifierRef::decode(reader)?;
            let signature = BitStringRef::decode(reader)?;
            let signature = signature.as_bytes().ok_or_else(|| Tag::BitString.value_error())?;
            Ok::<_, der::Error>(Self { message, algorithm, signature })
        })?;
        reader.finish()?;
        Ok(signed)
    }

    /// The inverse of [`Signed::from_der`].
    pub(crate) fn to_der(self) -> der::Result<Vec<u8>> {
        let signature = BitStringRef::from_bytes(self.signature)?;
        let message_len = Length::try_from(self.message.len())?;
        let length = ((message_len + self.algorithm.encoded_len()?)? + signature.encoded_len()?)?;
        let mut der = Vec::with_capacity(usize::try_from(length.for_tlv(Tag::Sequence)?)?);
        Header::new(Tag::Sequence, length).encode_to_vec(&mut der)?;
        der.extend_from_slice(self.message);
        self.algorithm.encode_to_vec(&mut der)?;
        signature.encode_to_vec(&mut der)?;
        Ok(der)
    }
}
