//! Private keys encrypted under a passphrase: PKCS#8 `ENCRYPTED PRIVATE KEY`.
//!
//! PBES2 (RFC 8018 §6.2) with PBKDF2-HMAC-SHA-256 and AES-256-CBC, which every OpenSSL since 1.0.0 reads
//! and writes.

use std::num::NonZeroU32;

use der::asn1::OctetStringRef;
use der::pem::LineEnding;
use der::{Decode, Encode};
use pkcs5::EncryptionScheme;
use pkcs5::pbes2::{self, Kdf, Pbkdf2Params, Pbkdf2Prf};
use pkcs8::EncryptedPrivateKeyInfoRef;

use crate::asn1::Malformed;
use crate::crypto;
use crate::key::private::expect_label;
use crate::key::{KeyError, PrivateKey};

/// Why an encrypted key file could not be written or opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyFileError {
    /// The file or the key in it is not one that can be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// An empty passphrase protects nothing.
    #[error("the passphrase is empty; a private key is never stored under an empty passphrase")]
    EmptyPassphrase,
    /// The file is encrypted in a way that is not supported.
    #[error(
        "the key file is encrypted in an unsupported way ({what}); convert it with `openssl pkcs8 -topk8 -v2 \
         aes-256-cbc -v2prf hmacWithSHA256`"
    )]
    Scheme {
        /// What is not supported.
        what: &'static str,
    },
    /// Opening the file would take too long, or its writer left out the protection.
    #[error("the key file asks for {iterations} PBKDF2 iterations; between 1000 and 10000000 are accepted")]
    Iterations {
        /// The number that the file asks for.
        iterations: u32,
    },
    /// The passphrase does not open the file (or the file is damaged: the two cannot be told apart).
    #[error("the passphrase does not open the key file, or the file is damaged")]
    WrongPassphrase,
}

impl PrivateKey {
    /// A PEM block `ENCRYPTED PRIVATE KEY`. The derivation takes some tenths of a second, on purpose.
    ///
    /// # Errors
    /// [`KeyFileError::EmptyPassphrase`], or [`KeyError::Library`] when the system gives no randomness.
    pub fn to_encrypted_pem(&self, passphrase: &str) -> Result<String, KeyFileError> {
        if passphrase.is_empty() {
            return Err(KeyFileError::EmptyPassphrase);
        }
        let salt: [u8; 16] = crypto::random().map_err(|_| KeyError::Library)?;
        let iv: [u8; 16] = crypto::random().map_err(|_| KeyError::Library)?;
        let key = crypto::pbkdf2_sha256(passphrase.as_bytes(), &salt, ITERATIONS);
        let ciphertext =
            crypto::aes_256_cbc_encrypt(&key, iv, self.to_pkcs8_der()?).map_err(|_| KeyError::Library)?;
        let parameters = pbes2::Parameters::generate_pbkdf2_sha256_aes256cbc(ITERATIONS.get(), &salt, iv)
            .map_err(|_| KeyError::Library)?;
        Ok(encode(parameters, &ciphertext).map_err(|_| KeyError::Library)?)
    }

    /// Opens a PEM block `ENCRYPTED PRIVATE KEY`.
    ///
    /// # Errors
    /// [`KeyFileError`] tells a wrong passphrase from a file that cannot be opened at all.
    pub fn from_encrypted_pem(pem: &str, passphrase: &str) -> Result<Self, KeyFileError> {
        let (label, document) = der::Document::from_pem(pem).map_err(KeyError::Pem)?;
        expect_label(label, LABEL)?;
        let info = EncryptedPrivateKeyInfoRef::from_der(document.as_bytes())
            .map_err(Malformed::in_a("the encrypted private key"))
            .map_err(KeyError::from)?;
        let scheme = Scheme::try_from(&info.encryption_algorithm)?;
        let key = crypto::pbkdf2_sha256(passphrase.as_bytes(), scheme.salt, scheme.iterations);
        let der = crypto::aes_256_cbc_decrypt(&key, scheme.iv, info.encrypted_data.as_ref())
            .map_err(|_| KeyFileError::WrongPassphrase)?;
        match Self::from_pkcs8_der(&der) {
            // One wrong passphrase in 256 leaves padding that looks right.
            Err(KeyError::Malformed(_)) => Err(KeyFileError::WrongPassphrase),
            read => Ok(read?),
        }
    }
}

const LABEL: &str = "ENCRYPTED PRIVATE KEY";

/// OWASP's advice for PBKDF2-HMAC-SHA-256 since 2023.
const ITERATIONS: NonZeroU32 = NonZeroU32::new(600_000).unwrap();

/// OpenSSL writes 2048 unless told otherwise; ten million take some seconds.
const ACCEPTED_ITERATIONS: std::ops::RangeInclusive<u32> = 1_000..=10_000_000;

/// What of the parameters the file may choose.
struct Scheme<'a> {
    salt: &'a [u8],
    iterations: NonZeroU32,
    iv: [u8; 16],
}

impl<'a> TryFrom<&'a EncryptionScheme> for Scheme<'a> {
    type Error = KeyFileError;

    fn try_from(scheme: &'a EncryptionScheme) -> Result<Self, KeyFileError> {
        let unsupported = |what| KeyFileError::Scheme { what };
        let parameters = scheme.pbes2().ok_or(unsupported("not PBES2"))?;
        let Kdf::Pbkdf2(derivation) = &parameters.kdf else { return Err(unsupported("not PBKDF2")) };
        let pbes2::EncryptionScheme::Aes256Cbc { iv } = parameters.encryption else {
            return Err(unsupported("not AES-256-CBC"));
        };
        let Pbkdf2Params { salt, iteration_count, key_length, prf } = derivation;
        if *prf != Pbkdf2Prf::HmacWithSha256 {
            return Err(unsupported("not HMAC-SHA-256"));
        }
        if key_length.is_some_and(|length| length != 32) {
            return Err(unsupported("a key length other than 32"));
        }
        let iterations = NonZeroU32::new(*iteration_count)
            .filter(|count| ACCEPTED_ITERATIONS.contains(&count.get()))
            .ok_or(KeyFileError::Iterations { iterations: *iteration_count })?;
        Ok(Self { salt: salt.as_ref(), iterations, iv })
    }
}

fn encode(parameters: pbes2::Parameters, ciphertext: &[u8]) -> der::Result<String> {
    let info = EncryptedPrivateKeyInfoRef {
        encryption_algorithm: parameters.into(),
        encrypted_data: OctetStringRef::new(ciphertext)?,
    };
    Ok(der::pem::encode_string(LABEL, LineEnding::LF, &info.to_der()?)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::{KeyAlgorithm, Signer};

    #[test]
    fn opens_with_its_passphrase_only() {
        let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
        let pem = key.to_encrypted_pem("correct horse").unwrap();
        let again = PrivateKey::from_encrypted_pem(&pem, "correct horse").unwrap();
        assert_eq!(again.public_key(), key.public_key());
        let refused = PrivateKey::from_encrypted_pem(&pem, "battery staple").unwrap_err();
        assert_eq!(refused, KeyFileError::WrongPassphrase);
    }

    #[test]
    fn an_empty_passphrase_is_refused() {
        let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
        assert_eq!(key.to_encrypted_pem(""), Err(KeyFileError::EmptyPassphrase));
    }

    #[test]
    fn unbounded_work_is_refused() {
        for iterations in [0, 1, 999, 10_000_001, 100_000_000] {
            let parameters =
                pbes2::Parameters::generate_pbkdf2_sha256_aes256cbc(iterations, &[1; 16], [2; 16]).unwrap();
            let pem = encode(parameters, &[3; 32]).unwrap();
            let refused = PrivateKey::from_encrypted_pem(&pem, "any").unwrap_err();
            assert_eq!(refused, KeyFileError::Iterations { iterations });
        }
    }

    #[test]
    fn other_schemes_are_refused_with_help() {
        let parameters =
            pbes2::Parameters::generate_pbkdf2_sha256_aes128cbc(2_048, &[1; 16], [2; 16]).unwrap();
        let pem = encode(parameters, &[3; 32]).unwrap();
        let refused = PrivateKey::from_encrypted_pem(&pem, "any").unwrap_err();
        assert_eq!(refused, KeyFileError::Scheme { what: "not AES-256-CBC" });
        assert!(refused.to_string().contains("openssl pkcs8"), "{refused}");
    }
}
