//! Keys of clients, of every kind that an account can have (RFC 8555 §6.2), and of some that it cannot.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, ECDSA_P521_SHA512_FIXED_SIGNING,
    EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
};
use base64ct::{Base64UrlUnpadded, Encoding};
use serde_json::{Value, json};

/// A private key, and the JOSE names of what it does.
pub struct JwsKey(Kind);

enum Kind {
    Ec { key: EcdsaKeyPair, curve: &'static Curve },
    Ed25519(Ed25519KeyPair),
    Rsa(RsaKeyPair),
}

struct Curve {
    /// The name in a JWK (RFC 7518 §6.2.1.1).
    name: &'static str,
    /// The algorithm that goes with it (RFC 7518 §3.4).
    alg: &'static str,
    signing: &'static EcdsaSigningAlgorithm,
}

const P256: Curve = Curve { name: "P-256", alg: "ES256", signing: &ECDSA_P256_SHA256_FIXED_SIGNING };
const P384: Curve = Curve { name: "P-384", alg: "ES384", signing: &ECDSA_P384_SHA384_FIXED_SIGNING };
const P521: Curve = Curve { name: "P-521", alg: "ES512", signing: &ECDSA_P521_SHA512_FIXED_SIGNING };

impl JwsKey {
    /// A new key on P-256, which signs with ES256.
    pub fn p256() -> Self {
        Self::ec(&P256)
    }

    /// A new key on P-384, which signs with ES384.
    pub fn p384() -> Self {
        Self::ec(&P384)
    }

    /// A new key on P-521, which signs with ES512.
    pub fn p521() -> Self {
        Self::ec(&P521)
    }

    /// A new Ed25519 key, which signs with EdDSA.
    pub fn ed25519() -> Self {
        Self(Kind::Ed25519(Ed25519KeyPair::generate().expect("a new key")))
    }

    /// A new RSA key of 2048 bits, which signs with RS256.
    pub fn rsa() -> Self {
        Self(Kind::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).expect("a new key")))
    }

    /// A known key on P-256, by its private number and its coordinates, each base64url as in a JWK.
    pub fn known_p256(d: &str, x: &str, y: &str) -> Self {
        let octets = |text| Base64UrlUnpadded::decode_vec(text).expect("base64url");
        let point = [vec![4], octets(x), octets(y)].concat();
        let key = EcdsaKeyPair::from_private_key_and_public_key(P256.signing, &octets(d), &point);
        Self(Kind::Ec { key: key.expect("a key on P-256"), curve: &P256 })
    }

    fn ec(curve: &'static Curve) -> Self {
        Self(Kind::Ec { key: EcdsaKeyPair::generate(curve.signing).expect("a new key"), curve })
    }

    /// The algorithm that it signs with, as it stands in a protected header.
    pub fn alg(&self) -> &'static str {
        match &self.0 {
            Kind::Ec { curve, .. } => curve.alg,
            Kind::Ed25519(_) => "EdDSA",
            Kind::Rsa(_) => "RS256",
        }
    }

    /// The public half.
    pub fn jwk(&self) -> Value {
        match &self.0 {
            Kind::Ec { key, curve } => {
                // SEC 1 §2.3.3: 04 ‖ x ‖ y.
                let (x, y) =
                    key.public_key().as_ref()[1..].split_at((key.public_key().as_ref().len() - 1) / 2);
                json!({ "kty": "EC", "crv": curve.name, "x": base64url(x), "y": base64url(y) })
            }
            Kind::Ed25519(key) => {
                json!({ "kty": "OKP", "crv": "Ed25519", "x": base64url(key.public_key().as_ref()) })
            }
            Kind::Rsa(key) => {
                let key = key.public_key();
                let exponent = key.exponent().big_endian_without_leading_zero();
                let modulus = key.modulus().big_endian_without_leading_zero();
                json!({ "kty": "RSA", "e": base64url(exponent), "n": base64url(modulus) })
            }
        }
    }

    /// The thumbprint of the public half (RFC 7638), base64url.
    pub fn thumbprint(&self) -> String {
        // The JWK has the required members alone, and writes them in the order of their names (§3).
        base64url(digest(&SHA256, self.jwk().to_string().as_bytes()).as_ref())
    }

    /// A signature in the form that a JWS carries.
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        match &self.0 {
            Kind::Ec { key, .. } => {
                let signature = key.sign(&SystemRandom::new(), message).expect("a key in memory signs");
                signature.as_ref().to_vec()
            }
            Kind::Ed25519(key) => key.sign(message).as_ref().to_vec(),
            Kind::Rsa(key) => {
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
                    .expect("a key in memory signs");
                signature
            }
        }
    }

    /// A JWS in flattened form (RFC 7515 §7.2.2) with any protected header.
    pub fn flattened(&self, header: &Value, payload: &[u8]) -> Value {
        let header = base64url(header.to_string().as_bytes());
        let payload = base64url(payload);
        let signature = base64url(&self.sign(format!("{header}.{payload}").as_bytes()));
        json!({ "protected": header, "payload": payload, "signature": signature })
    }

    /// The private half in PKCS #8, DER.
    pub fn pkcs8(&self) -> Vec<u8> {
        let document = match &self.0 {
            Kind::Ec { key, .. } => key.to_pkcs8v1(),
            Kind::Ed25519(key) => key.to_pkcs8v1(),
            Kind::Rsa(key) => {
                let der: Pkcs8V1Der<'_> = key.as_der().expect("a key in memory");
                return der.as_ref().to_vec();
            }
        };
        document.expect("a key in memory").as_ref().to_vec()
    }
}

/// Unpadded base64url (RFC 7515 §2).
pub fn base64url(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{
        ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ECDSA_P521_SHA512_FIXED, ED25519,
        RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey, VerificationAlgorithm,
    };

    use super::*;

    #[test]
    fn each_kind_signs_with_its_algorithm() {
        let kinds: [(JwsKey, &str, &'static dyn VerificationAlgorithm); 5] = [
            (JwsKey::p256(), "ES256", &ECDSA_P256_SHA256_FIXED),
            (JwsKey::p384(), "ES384", &ECDSA_P384_SHA384_FIXED),
            (JwsKey::p521(), "ES512", &ECDSA_P521_SHA512_FIXED),
            (JwsKey::ed25519(), "EdDSA", &ED25519),
            (JwsKey::rsa(), "RS256", &RSA_PKCS1_2048_8192_SHA256),
        ];
        for (key, alg, algorithm) in kinds {
            assert_eq!(key.alg(), alg);
            let public = match &key.0 {
                Kind::Ec { key, .. } => key.public_key().as_ref().to_vec(),
                Kind::Ed25519(key) => key.public_key().as_ref().to_vec(),
                Kind::Rsa(key) => key.public_key().as_ref().to_vec(),
            };
            let signature = key.sign(b"message");
            UnparsedPublicKey::new(algorithm, &public).verify(b"message", &signature).unwrap();
        }
    }

    /// RFC 7515, appendix A.3.1.
    #[test]
    fn a_known_key_is_that_key() {
        let (x, y) =
            ("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0");
        let key = JwsKey::known_p256("jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI", x, y);
        assert_eq!(key.jwk(), json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y }));
        assert_eq!(key.thumbprint().len(), 43);
    }
}
