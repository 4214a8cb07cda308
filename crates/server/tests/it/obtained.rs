//! Certificates that a test can do more with than look at.

use chancery_acme::renewal::CertId;
use chancery_pki::certificate::EndEntity;
use chancery_testkit::{JwsKey, RawClient, Responder, base64url, certificate_request_by};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde_json::{Value, json};

/// A certificate, as the account has it that ordered it.
pub(crate) struct Obtained {
    pub(crate) url: String,
    pub(crate) der: Vec<u8>,
    /// Signs with the certificate's key.
    pub(crate) holder: RawClient,
}

/// Takes one name to its certificate, with further members of the order's payload.
pub(crate) async fn obtain(
    client: &mut RawClient,
    responder: &Responder,
    name: &str,
    wishes: Value,
) -> Obtained {
    let finalize = client.ready_order(responder, name, wishes).await;
    finish(client, &finalize, name, JwsKey::p256()).await
}

/// Takes a ready order for one name to its certificate, for that key.
pub(crate) async fn finish(client: &mut RawClient, finalize: &str, name: &str, key: JwsKey) -> Obtained {
    let holder = client.with_key(key);
    let request = base64url(&certificate_request_by(&holder.key().pkcs8(), name));
    let order = client.post(finalize, &json!({ "csr": request }).to_string()).await;
    assert_eq!(order.status, 200, "{order:?}");
    let url = order.json()["certificate"].as_str().expect("the order is valid").to_owned();
    let download = client.post(&url, "").await;
    assert_eq!(download.status, 200, "{download:?}");
    Obtained { url, der: first(&download.body), holder }
}

/// The first certificate of a PEM chain.
pub(crate) fn first(pem: &str) -> Vec<u8> {
    CertificateDer::from_pem_slice(pem.as_bytes()).expect("PEM").to_vec()
}

/// The payload of a request for the revocation of a certificate.
pub(crate) fn revocation(der: &[u8], reason: impl Into<Value>) -> String {
    json!({ "certificate": base64url(der), "reason": reason.into() }).to_string()
}

impl Obtained {
    /// The name in renewal information (RFC 9773 §4.1).
    pub(crate) fn cert_id(&self) -> String {
        let certificate = EndEntity::from_der(&self.der).unwrap();
        let mut serial = certificate.serial;
        if serial[0] >= 0x80 {
            serial.insert(0, 0);
        }
        CertId::new(&certificate.authority_key_id.unwrap(), &serial).unwrap().to_string()
    }
}
