//! The one place that calls the cryptographic library.

use aws_lc_rs::cipher::{
    AES_256, DecryptionContext, EncryptionContext, PaddedBlockDecryptingKey, PaddedBlockEncryptingKey,
    UnboundCipherKey,
};
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, VerificationAlgorithm};
use aws_lc_rs::{digest, pbkdf2, rand, rsa};
use zeroize::Zeroizing;

use crate::key::{KeyAlgorithm, KeyKind, SignatureAlgorithm};

/// The library refused; it never says why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refused;

impl From<aws_lc_rs::error::Unspecified> for Refused {
    fn from(_: aws_lc_rs::error::Unspecified) -> Self {
        Self
    }
}

impl From<aws_lc_rs::error::KeyRejected> for Refused {
    fn from(_: aws_lc_rs::error::KeyRejected) -> Self {
        Self
    }
}

/// SHA-256 of `data`.
pub(crate) fn sha256(data: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, data).as_ref());
    hash
}

/// `N` octets from the system's generator.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], Refused> {
    let mut octets = [0; N];
    rand::fill(&mut octets)?;
    Ok(octets)
}

/// A private key in the library's hands.
pub(crate) enum KeyPair {
    Ecdsa(EcdsaKeyPair),
    Rsa(rsa::KeyPair),
    Ed25519(Ed25519KeyPair),
}

impl KeyPair {
    pub(crate) fn generate(algorithm: KeyAlgorithm) -> Result<Self, Refused> {
        Ok(match algorithm {
            KeyAlgorithm::EcdsaP256 => {
                Self::Ecdsa(EcdsaKeyPair::generate(&signature::ECDSA_P256_SHA256_ASN1_SIGNING)?)
            }
            KeyAlgorithm::EcdsaP384 => {
                Self::Ecdsa(EcdsaKeyPair::generate(&signature::ECDSA_P384_SHA384_ASN1_SIGNING)?)
            }
            KeyAlgorithm::Rsa3072 => Self::Rsa(rsa::KeyPair::generate(rsa::KeySize::Rsa3072)?),
            KeyAlgorithm::Rsa4096 => Self::Rsa(rsa::KeyPair::generate(rsa::KeySize::Rsa4096)?),
            KeyAlgorithm::Ed25519 => Self::Ed25519(Ed25519KeyPair::generate()?),
        })
    }

    pub(crate) fn from_pkcs8(kind: Pkcs8Kind, der: &[u8]) -> Result<Self, Refused> {
        Ok(match kind {
            Pkcs8Kind::EcdsaP256 => {
                Self::Ecdsa(EcdsaKeyPair::from_pkcs8(&signature::ECDSA_P256_SHA256_ASN1_SIGNING, der)?)
            }
            Pkcs8Kind::EcdsaP384 => {
                Self::Ecdsa(EcdsaKeyPair::from_pkcs8(&signature::ECDSA_P384_SHA384_ASN1_SIGNING, der)?)
            }
            Pkcs8Kind::Rsa => Self::Rsa(rsa::KeyPair::from_pkcs8(der)?),
            Pkcs8Kind::Ed25519 => Self::Ed25519(Ed25519KeyPair::from_pkcs8(der)?),
        })
    }

    /// PKCS#8 version 1, which every other program reads.
    pub(crate) fn to_pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, Refused> {
        Ok(Zeroizing::new(match self {
            Self::Ecdsa(pair) => pair.to_pkcs8v1()?.as_ref().to_vec(),
            Self::Rsa(pair) => AsDer::<Pkcs8V1Der<'_>>::as_der(pair)?.as_ref().to_vec(),
            Self::Ed25519(pair) => pair.to_pkcs8v1()?.as_ref().to_vec(),
        }))
    }

    /// The public half as a SubjectPublicKeyInfo.
    pub(crate) fn spki_der(&self) -> Result<Vec<u8>, Refused> {
        Ok(match self {
            Self::Ecdsa(pair) => spki(pair.public_key())?,
            Self::Rsa(pair) => spki(pair.public_key())?,
            Self::Ed25519(pair) => spki(pair.public_key())?,
        })
    }

    /// A signature by the method that goes with the key: SHA-384 for P-384, SHA-256 for P-256 and RSA
    /// (PKCS#1 v1.5).
    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Refused> {
        let random = SystemRandom::new();
        Ok(match self {
            Self::Ecdsa(pair) => pair.sign(&random, message)?.as_ref().to_vec(),
            Self::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&signature::RSA_PKCS1_SHA256, &random, message, &mut signature)?;
                signature
            }
            Self::Ed25519(pair) => pair.try_sign(message)?.as_ref().to_vec(),
        })
    }
}

/// What a PKCS#8 file says that it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pkcs8Kind {
    EcdsaP256,
    EcdsaP384,
    Rsa,
    Ed25519,
}

/// A public key made ready to verify signatures of one method.
#[derive(Debug, Clone)]
pub(crate) struct Verifier(signature::ParsedPublicKey);

impl Verifier {
    /// `Err` when the key is not valid (a point off its curve, say) or the method is not one for its kind.
    pub(crate) fn new(
        kind: KeyKind,
        spki_der: &[u8],
        algorithm: SignatureAlgorithm,
    ) -> Result<Self, Refused> {
        let method = verification(kind, algorithm).ok_or(Refused)?;
        Ok(Self(signature::ParsedPublicKey::new(method, spki_der)?))
    }

    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), Refused> {
        Ok(self.0.verify_sig(message, signature)?)
    }
}

/// PBKDF2 with HMAC-SHA-256 (RFC 8018 §5.2).
pub(crate) fn pbkdf2_sha256(
    passphrase: &[u8],
    salt: &[u8],
    iterations: std::num::NonZeroU32,
) -> Zeroizing<[u8; 32]> {
    let mut key = Zeroizing::new([0; 32]);
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, iterations, salt, passphrase, key.as_mut());
    key
}

/// AES-256-CBC with PKCS#7 padding.
pub(crate) fn aes_256_cbc_encrypt(
    key: &[u8; 32],
    iv: [u8; 16],
    mut plaintext: Zeroizing<Vec<u8>>,
) -> Result<Vec<u8>, Refused> {
    let key = PaddedBlockEncryptingKey::cbc_pkcs7(UnboundCipherKey::new(&AES_256, key)?)?;
    // The padding must fit, or growing would leave a copy of the plaintext in freed memory.
    let mut in_out = Zeroizing::new(Vec::with_capacity(plaintext.len() + AES_BLOCK));
    in_out.append(&mut plaintext);
    key.less_safe_encrypt(&mut *in_out, EncryptionContext::Iv128(FixedLength::from(iv)))?;
    Ok(in_out.to_vec())
}

/// The inverse of [`aes_256_cbc_encrypt`]; a wrong key shows as bad padding, most of the time.
pub(crate) fn aes_256_cbc_decrypt(
    key: &[u8; 32],
    iv: [u8; 16],
    ciphertext: &[u8],
) -> Result<Zeroizing<Vec<u8>>, Refused> {
    let key = PaddedBlockDecryptingKey::cbc_pkcs7(UnboundCipherKey::new(&AES_256, key)?)?;
    let mut in_out = Zeroizing::new(ciphertext.to_vec());
    let length = key.decrypt(&mut in_out, DecryptionContext::Iv128(FixedLength::from(iv)))?.len();
    in_out.truncate(length);
    Ok(in_out)
}

const AES_BLOCK: usize = 16;

fn spki<'a, K: AsDer<PublicKeyX509Der<'a>>>(key: &K) -> Result<Vec<u8>, Refused> {
    Ok(key.as_der()?.as_ref().to_vec())
}

fn verification(kind: KeyKind, algorithm: SignatureAlgorithm) -> Option<&'static dyn VerificationAlgorithm> {
    use SignatureAlgorithm as Method;
    Some(match (kind, algorithm) {
        (KeyKind::EcdsaP256, Method::EcdsaSha256) => &signature::ECDSA_P256_SHA256_ASN1,
        (KeyKind::EcdsaP256, Method::EcdsaSha384) => &signature::ECDSA_P256_SHA384_ASN1,
        (KeyKind::EcdsaP256, Method::EcdsaSha512) => &signature::ECDSA_P256_SHA512_ASN1,
        (KeyKind::EcdsaP384, Method::EcdsaSha256) => &signature::ECDSA_P384_SHA256_ASN1,
        (KeyKind::EcdsaP384, Method::EcdsaSha384) => &signature::ECDSA_P384_SHA384_ASN1,
        (KeyKind::EcdsaP384, Method::EcdsaSha512) => &signature::ECDSA_P384_SHA512_ASN1,
        (KeyKind::EcdsaP521, Method::EcdsaSha256) => &signature::ECDSA_P521_SHA256_ASN1,
        (KeyKind::EcdsaP521, Method::EcdsaSha384) => &signature::ECDSA_P521_SHA384_ASN1,
        (KeyKind::EcdsaP521, Method::EcdsaSha512) => &signature::ECDSA_P521_SHA512_ASN1,
        (KeyKind::Rsa { .. }, Method::RsaSha256) => &signature::RSA_PKCS1_2048_8192_SHA256,
        (KeyKind::Rsa { .. }, Method::RsaSha384) => &signature::RSA_PKCS1_2048_8192_SHA384,
        (KeyKind::Rsa { .. }, Method::RsaSha512) => &signature::RSA_PKCS1_2048_8192_SHA512,
        (KeyKind::Ed25519, Method::Ed25519) => &signature::ED25519,
        _ => return None,
    })
}
