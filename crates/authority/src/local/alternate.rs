//! Other chains for the certificates of an authority: its issuing key, certified by another root
//! (RFC 8555 §7.4.2).

use chancery_pki::certificate::{CaCertificate, CaCertificateError, ChainError};

use super::LocalAuthority;

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";
/// The most certificates that a chain can have.
const MAX_LENGTH: usize = 8;

/// Why a chain is none for the certificates of an authority.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AlternateChainError {
    /// A part of it is not the certificate of an authority.
    #[error(transparent)]
    Certificate(#[from] CaCertificateError),
    /// There is none in it, or there are more than any client would follow.
    #[error("a chain has from 1 to {MAX_LENGTH} certificates, and this has {0}")]
    Length(usize),
    /// It begins elsewhere.
    #[error("the first certificate of the chain is not for the subject and key of the issuing certificate")]
    AnotherIssuer,
    /// One does not follow from the next.
    #[error("a certificate of the chain does not follow from the one behind it: {0}")]
    Chain(#[from] ChainError),
}

impl LocalAuthority {
    /// The chain in `pem`, without what is not PEM, if certificates of this authority can be sent with it: its
    /// first certificate is for the issuing key, and each follows from the next.
    ///
    /// # Errors
    /// [`AlternateChainError`] says which certificate does not fit.
    pub fn alternate_chain(&self, pem: &str) -> Result<String, AlternateChainError> {
        // RFC 7468 §5.2: explanatory text may stand before a block; RFC 8555 §9.1 wants none.
        let blocks =
            pem.split_inclusive(END).filter_map(|text| text.find(BEGIN).and_then(|at| text.get(at..)));
        let chain = blocks.map(CaCertificate::from_pem).collect::<Result<Vec<_>, _>>()?;
        let (Some(first), 1..=MAX_LENGTH) = (chain.first(), chain.len()) else {
            return Err(AlternateChainError::Length(chain.len()));
        };
        let own = self.issuer.certificate();
        if first.public_key() != own.public_key() || first.subject_der() != own.subject_der() {
            return Err(AlternateChainError::AnotherIssuer);
        }
        for (lower, upper) in chain.iter().zip(chain.iter().skip(1)) {
            lower.verify_issued_by(upper)?;
        }
        Ok(chain.iter().map(CaCertificate::to_pem).collect())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use chancery_pki::hierarchy;
    use chancery_pki::key::{KeyAlgorithm, PrivateKey, Signer as _};
    use chancery_time::Timestamp;
    use secrecy::SecretString;

    use super::super::CreateSpec;
    use super::*;

    const NOW: Timestamp = Timestamp::from_unix_seconds(1_781_443_380);
    const YEAR: Duration = Duration::from_hours(365 * 24);

    fn authority(name: &str) -> LocalAuthority {
        let directory = tempfile::tempdir().unwrap();
        let spec = CreateSpec {
            name,
            root_common_name: "Test Root",
            issuing_common_name: "Test Issuing",
            key_algorithm: KeyAlgorithm::EcdsaP256,
            passphrase: &SecretString::from("correct horse"),
            now: NOW,
            root_validity: YEAR * 10,
            issuing_validity: YEAR,
        };
        LocalAuthority::create(&directory.path().join("ca"), &spec).unwrap()
    }

    /// The issuing key of `authority`, certified by another root; with that root.
    fn crossed(authority: &LocalAuthority) -> (CaCertificate, CaCertificate) {
        let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
        let root = hierarchy::root("Another Root", &key, NOW, YEAR).unwrap();
        let issuing = authority.issuer().certificate().public_key();
        let crossed = hierarchy::intermediate("Test Issuing", issuing, &root, &key, NOW, YEAR).unwrap();
        assert_eq!(root.public_key(), key.public_key());
        (crossed, root)
    }

    #[test]
    fn a_chain_to_another_root_is_taken() {
        let authority = authority("one");
        let (crossed, root) = crossed(&authority);
        assert_eq!(authority.alternate_chain(&crossed.to_pem()), Ok(crossed.to_pem()));
        let explained = format!("subject: CN=x\n{}\r\n issuer:\n{}", crossed.to_pem(), root.to_pem());
        assert_eq!(authority.alternate_chain(&explained), Ok(crossed.to_pem() + &root.to_pem()));
    }

    #[test]
    fn chains_of_others_and_torn_ones_are_refused() {
        let (one, another) = (authority("one"), authority("another"));
        let (crossed, root) = crossed(&one);
        assert_eq!(one.alternate_chain(""), Err(AlternateChainError::Length(0)));
        let long = crossed.to_pem().repeat(9);
        assert_eq!(one.alternate_chain(&long), Err(AlternateChainError::Length(9)));
        assert_eq!(another.alternate_chain(&crossed.to_pem()), Err(AlternateChainError::AnotherIssuer));
        let reversed = format!("{}{}", root.to_pem(), crossed.to_pem());
        assert_eq!(one.alternate_chain(&reversed), Err(AlternateChainError::AnotherIssuer));
        let torn = format!("{}{}", crossed.to_pem(), another.root_pem());
        assert!(matches!(one.alternate_chain(&torn), Err(AlternateChainError::Chain(_))));
    }
}
