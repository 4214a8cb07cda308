//! What a finished certificate says, for those who keep it.

use chancery_time::Timestamp;
use der::Decode;
use x509_cert::ext::pkix::SubjectAltName;

use crate::asn1::Malformed;
use crate::certificate::validity::timestamp;
use crate::name::San;

/// The names and the lifetime of an end-entity certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFacts {
    /// The names, sorted; names of kinds that are not issued are left out.
    pub names: Vec<San>,
    /// The first second of validity.
    pub not_before: Timestamp,
    /// The last second of validity.
    pub not_after: Timestamp,
}

impl CertificateFacts {
    /// Reads a DER certificate that is all of `der`.
    ///
    /// # Errors
    /// [`Malformed`] where it is none.
    pub fn from_der(der: &[u8]) -> Result<Self, Malformed> {
        let malformed = Malformed::in_a("the certificate");
        let certificate = x509_cert::Certificate::from_der(der).map_err(&malformed)?;
        let tbs = certificate.tbs_certificate();
        let alternatives = tbs.get_extension::<SubjectAltName>().map_err(&malformed)?;
        let mut names: Vec<San> = alternatives
            .map(|(_, names)| names.0.iter().filter_map(San::from_general_name).collect())
            .unwrap_or_default();
        names.sort();
        Ok(Self {
            names,
            not_before: timestamp(tbs.validity().not_before),
            not_after: timestamp(tbs.validity().not_after),
        })
    }
}
