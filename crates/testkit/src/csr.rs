//! Certificate requests, made in this process.

use rcgen::{CertificateParams, DistinguishedName, KeyPair};

/// A request (PKCS #10, DER) for a certificate of one DNS name, by a new P-256 key.
pub fn certificate_request(name: &str) -> Vec<u8> {
    signed(name, &KeyPair::generate().expect("a new key"))
}

/// A request of that kind by the private key in `pkcs8`, DER.
pub fn certificate_request_by(pkcs8: &[u8], name: &str) -> Vec<u8> {
    signed(name, &KeyPair::try_from(pkcs8).expect("a private key in PKCS #8"))
}

fn signed(name: &str, key: &KeyPair) -> Vec<u8> {
    let mut request = CertificateParams::new([name.to_owned()]).expect("a DNS name");
    request.distinguished_name = DistinguishedName::new();
    request.serialize_request(key).expect("a key in memory signs").der().to_vec()
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};

    use super::*;
    use crate::{Workdir, run_program};

    /// What `openssl` reads in a request, once it has verified its signature.
    fn read_by_openssl(request: &[u8]) -> String {
        let files = Workdir::new();
        let file = files.join("request.der");
        std::fs::write(&file, request).unwrap();
        let file = file.display().to_string();
        let arguments = ["req", "-inform", "DER", "-noout", "-verify", "-text", "-in", &file];
        run_program("openssl", &arguments).succeeded().stdout
    }

    #[test]
    fn openssl_reads_what_was_asked_for() {
        let text = read_by_openssl(&certificate_request("a.localhost"));
        assert!(text.contains("DNS:a.localhost"), "{text}");
        assert!(text.contains("Subject: \n") || text.contains("Subject:\n"), "{text}");
    }

    #[test]
    fn a_given_key_signs() {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        let request = certificate_request_by(key.to_pkcs8v1().unwrap().as_ref(), "a.localhost");
        read_by_openssl(&request);
        let public: PublicKeyX509Der<'_> = key.public_key().as_der().unwrap();
        let holds_key = request.windows(public.as_ref().len()).any(|part| part == public.as_ref());
        assert!(holds_key, "the request is for the public half of the given key");
    }
}
