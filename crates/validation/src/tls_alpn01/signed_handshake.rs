//! TLS with a host that has to hold the key of the certificate it shows.
//!
//! Nobody vouches for a challenge certificate, so no path is looked for. What counts is that whoever
//! answers has made it, and the signature in the handshake shows that.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, verify_tls13_signature_with_raw_key};
use rustls::pki_types::{CertificateDer, ServerName, SubjectPublicKeyInfoDer, UnixTime};
use rustls::{
    CertificateError, DigitallySignedStruct, Error, PeerIncompatible, PeerMisbehaved, SignatureScheme,
};
use x509_cert::der::{Decode as _, Encode as _};
use x509_cert::spki::SubjectPublicKeyInfoOwned;
use x509_cert::{Certificate, der};

/// Takes any certificate whose key signs the handshake.
///
/// The usual check of that signature is of no use here: it refuses a certificate with a critical
/// extension that it does not know, which a challenge certificate has to have (RFC 8737 §3).
#[derive(Debug)]
pub(super) struct SignedHandshake {
    pub(super) provider: Arc<CryptoProvider>,
}

impl SignedHandshake {
    fn algorithms(&self) -> &WebPkiSupportedAlgorithms {
        &self.provider.signature_verification_algorithms
    }
}

impl ServerCertVerifier for SignedHandshake {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let key = public_key(certificate)?;
        let algorithm = key.algorithm.to_der().map_err(unreadable)?;
        let mapping = self.algorithms().mapping.iter().find(|(scheme, _)| *scheme == signed.scheme);
        let (_, candidates) = mapping.ok_or(PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme)?;
        // In TLS 1.2 a scheme says nothing of the curve, so that several algorithms may be meant.
        let fitting = candidates.iter().find(|candidate| {
            // The identifier comes without the tag and the length of its sequence.
            algorithm.get(2..) == Some(candidate.public_key_alg_id().as_ref())
        });
        let fitting = fitting.ok_or(PeerIncompatible::NoSignatureSchemesInCommon)?;
        let key = key.subject_public_key.as_bytes().ok_or(CertificateError::BadEncoding)?;
        fitting
            .verify_signature(key, message, signed.signature())
            .map(|()| HandshakeSignatureValid::assertion())
            .map_err(|_| CertificateError::BadSignature.into())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let key = public_key(certificate)?.to_der().map_err(unreadable)?;
        let key = SubjectPublicKeyInfoDer::from(key);
        verify_tls13_signature_with_raw_key(message, &key, signed, self.algorithms())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms().supported_schemes()
    }
}

fn public_key(certificate: &CertificateDer<'_>) -> Result<SubjectPublicKeyInfoOwned, Error> {
    let certificate = Certificate::from_der(certificate).map_err(unreadable)?;
    Ok(certificate.tbs_certificate().subject_public_key_info().clone())
}

fn unreadable(_: der::Error) -> Error {
    CertificateError::BadEncoding.into()
}
