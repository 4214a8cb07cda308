//! An authority whose issuing key lies in an encrypted file on this machine.

mod alternate;

pub use alternate::AlternateChainError;

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chancery_pki::certificate::{
    CaCertificate, CaCertificateError, Certificate, ChainError, IssueError, Issuer, IssuerError, Prepared,
};
use chancery_pki::hierarchy::{self, HierarchyError};
use chancery_pki::key::{KeyAlgorithm, KeyError, KeyFileError, PrivateKey, Signer};
use chancery_time::Timestamp;
use secrecy::{ExposeSecret, SecretString};

use chancery_files::{self as files, Access, FileError};

/// A root and an issuing intermediate, the latter's key open in memory.
///
/// The root's key stays in its file: nothing but making another intermediate needs it, so that file can be
/// kept on another machine.
pub struct LocalAuthority {
    name: String,
    issuer: Issuer,
    key: PrivateKey,
    chain_pem: String,
    root_pem: String,
}

/// Where the files of an authority lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths {
    /// The root certificate, PEM.
    pub root_certificate: PathBuf,
    /// The root's private key, encrypted PEM.
    pub root_key: PathBuf,
    /// The issuing certificate, PEM.
    pub issuing_certificate: PathBuf,
    /// The issuing certificate's private key, encrypted PEM.
    pub issuing_key: PathBuf,
}

impl Paths {
    /// The usual names in one directory: `root.pem`, `root.key`, `issuing.pem`, `issuing.key`.
    pub fn in_directory(directory: &Path) -> Self {
        Self {
            root_certificate: directory.join("root.pem"),
            root_key: directory.join("root.key"),
            issuing_certificate: directory.join("issuing.pem"),
            issuing_key: directory.join("issuing.key"),
        }
    }
}

/// What a new authority is made from.
#[derive(Debug, Clone)]
pub struct CreateSpec<'a> {
    /// What the configuration calls the authority.
    pub name: &'a str,
    /// The common name of the root.
    pub root_common_name: &'a str,
    /// The common name of the issuing intermediate.
    pub issuing_common_name: &'a str,
    /// The kind of both keys.
    pub key_algorithm: KeyAlgorithm,
    /// What both keys are encrypted under.
    pub passphrase: &'a SecretString,
    /// The time of day, from which both certificates are valid.
    pub now: Timestamp,
    /// How long the root is valid.
    pub root_validity: Duration,
    /// How long the intermediate is valid; cut to the root's.
    pub issuing_validity: Duration,
}

/// Why an authority could not be made or opened.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// A file could not be written or read, or is there already.
    #[error(transparent)]
    File(#[from] FileError),
    /// A key could not be made.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A certificate could not be made.
    #[error(transparent)]
    Hierarchy(#[from] HierarchyError),
    /// A key could not be encrypted.
    #[error(transparent)]
    Encrypt(#[from] KeyFileError),
    /// A key file does not open.
    #[error("{} cannot be used", .path.display())]
    KeyFile {
        /// The file.
        path: PathBuf,
        /// Why.
        source: KeyFileError,
    },
    /// A file does not hold the certificate of an authority.
    #[error("{} cannot be used", .path.display())]
    Certificate {
        /// The file.
        path: PathBuf,
        /// Why.
        source: CaCertificateError,
    },
    /// Nothing can be issued from the issuing certificate.
    #[error(transparent)]
    Issuer(#[from] IssuerError),
    /// The key is another's.
    #[error("the key in {} is not the one that {} certifies", .key.display(), .certificate.display())]
    KeyMismatch {
        /// The key file.
        key: PathBuf,
        /// The certificate.
        certificate: PathBuf,
    },
    /// The certificates do not follow from each other.
    #[error("the issuing certificate does not follow from the root: {0}")]
    Chain(#[from] ChainError),
    /// A certificate has expired.
    #[error("the CA certificate `{subject}` expired after {not_after}; make or install a new one")]
    Expired {
        /// Its subject.
        subject: String,
        /// Its last second.
        not_after: Timestamp,
    },
    /// A certificate is not valid yet.
    #[error("the CA certificate `{subject}` is not valid before {not_before}; check the clock")]
    NotYetValid {
        /// Its subject.
        subject: String,
        /// Its first second.
        not_before: Timestamp,
    },
}

impl LocalAuthority {
    /// Makes a root and an issuing intermediate, and writes their four files into `directory` under the
    /// names of [`Paths::in_directory`], the keys encrypted and readable by their owner alone.
    ///
    /// # Errors
    /// [`FileError::Exists`] names the first file that is there already: nothing is ever overwritten. Files
    /// that were written before a later one failed are removed again.
    pub fn create(directory: &Path, spec: &CreateSpec<'_>) -> Result<Self, AuthorityError> {
        let paths = Paths::in_directory(directory);
        refuse_existing(&paths)?;
        let root_key = PrivateKey::generate(spec.key_algorithm)?;
        let root = hierarchy::root(spec.root_common_name, &root_key, spec.now, spec.root_validity)?;
        let key = PrivateKey::generate(spec.key_algorithm)?;
        let certificate = hierarchy::intermediate(
            spec.issuing_common_name,
            key.public_key(),
            &root,
            &root_key,
            spec.now,
            spec.issuing_validity,
        )?;
        let passphrase = spec.passphrase.expose_secret();
        let contents = [
            (&paths.root_key, root_key.to_encrypted_pem(passphrase)?, Access::Owner),
            (&paths.issuing_key, key.to_encrypted_pem(passphrase)?, Access::Owner),
            (&paths.root_certificate, root.to_pem(), Access::Everybody),
            (&paths.issuing_certificate, certificate.to_pem(), Access::Everybody),
        ];
        let authority = Self::assemble(spec.name, &root, certificate, key)?;
        files::create_directory(directory)?;
        write_all(&contents)?;
        Ok(authority)
    }

    /// Opens an authority to issue from it. The root's key is not touched.
    ///
    /// # Errors
    /// What is wrong with which file; a key that is not its certificate's, a chain that does not verify, and
    /// certificates that are not valid `now` are refused.
    pub fn open(
        name: &str,
        paths: &Paths,
        passphrase: &SecretString,
        now: Timestamp,
    ) -> Result<Self, AuthorityError> {
        let root = read_certificate(&paths.root_certificate)?;
        let certificate = read_certificate(&paths.issuing_certificate)?;
        root.verify_issued_by(&root)?;
        certificate.verify_issued_by(&root)?;
        expect_valid(&root, now)?;
        expect_valid(&certificate, now)?;
        let key = read_key(&paths.issuing_key, passphrase)?;
        if key.public_key() != certificate.public_key() {
            return Err(AuthorityError::KeyMismatch {
                key: paths.issuing_key.clone(),
                certificate: paths.issuing_certificate.clone(),
            });
        }
        Self::assemble(name, &root, certificate, key)
    }

    /// What the configuration calls the authority.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What [`chancery_pki::certificate::prepare`] builds certificates from.
    pub const fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    /// Signs a prepared certificate with the issuing key.
    ///
    /// # Errors
    /// [`IssueError::WrongKey`] when it was prepared for another authority.
    pub fn issue(&self, prepared: Prepared) -> Result<Certificate, IssueError> {
        prepared.issue(&self.key)
    }

    /// The certificates between an issued one and the root, PEM, lowest first.
    pub fn chain_pem(&self) -> &str {
        &self.chain_pem
    }

    /// The root certificate, PEM: what clients have to trust.
    pub fn root_pem(&self) -> &str {
        &self.root_pem
    }

    fn assemble(
        name: &str,
        root: &CaCertificate,
        certificate: CaCertificate,
        key: PrivateKey,
    ) -> Result<Self, AuthorityError> {
        let (root_pem, chain_pem) = (root.to_pem(), certificate.to_pem());
        let issuer = Issuer::new(certificate)?;
        Ok(Self { name: name.to_owned(), issuer, key, chain_pem, root_pem })
    }
}

impl fmt::Debug for LocalAuthority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LocalAuthority({}, {:?})", self.name, self.issuer)
    }
}

/// Longer than any certificate or key, in bytes.
const FILE_LIMIT: u64 = 64 * 1024;

/// Says so before keys are made, which can take seconds; [`files::create`] has the last word.
fn refuse_existing(paths: &Paths) -> Result<(), FileError> {
    let Paths { root_certificate, root_key, issuing_certificate, issuing_key } = paths;
    for path in [root_key, issuing_key, root_certificate, issuing_certificate] {
        if path.symlink_metadata().is_ok() {
            return Err(FileError::Exists { path: path.clone() });
        }
    }
    Ok(())
}

fn write_all(contents: &[(&PathBuf, String, Access)]) -> Result<(), FileError> {
    for (done, (path, text, access)) in contents.iter().enumerate() {
        let Err(error) = files::create(path, text.as_bytes(), *access) else { continue };
        for (path, ..) in contents.iter().take(done) {
            // What cannot be removed is named by the next attempt, as a file that exists.
            let _ = std::fs::remove_file(path);
        }
        return Err(error);
    }
    Ok(())
}

fn read_certificate(path: &Path) -> Result<CaCertificate, AuthorityError> {
    let pem = files::read_text(path, FILE_LIMIT)?;
    CaCertificate::from_pem(&pem)
        .map_err(|source| AuthorityError::Certificate { path: path.to_owned(), source })
}

fn read_key(path: &Path, passphrase: &SecretString) -> Result<PrivateKey, AuthorityError> {
    let pem = files::read_text(path, FILE_LIMIT)?;
    PrivateKey::from_encrypted_pem(&pem, passphrase.expose_secret())
        .map_err(|source| AuthorityError::KeyFile { path: path.to_owned(), source })
}

fn expect_valid(certificate: &CaCertificate, now: Timestamp) -> Result<(), AuthorityError> {
    let (subject, validity) = (certificate.subject().to_owned(), certificate.validity());
    if now.whole_seconds() > validity.not_after() {
        return Err(AuthorityError::Expired { subject, not_after: validity.not_after() });
    }
    if now < validity.not_before() {
        return Err(AuthorityError::NotYetValid { subject, not_before: validity.not_before() });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const NOW: Timestamp = Timestamp::from_unix_seconds(1_781_443_380);
    const YEAR: Duration = Duration::from_hours(365 * 24);

    fn create(directory: &Path, passphrase: &SecretString) -> Result<LocalAuthority, AuthorityError> {
        let spec = CreateSpec {
            name: "internal",
            root_common_name: "Test Root",
            issuing_common_name: "Test Issuing",
            key_algorithm: KeyAlgorithm::EcdsaP256,
            passphrase,
            now: NOW,
            root_validity: YEAR * 10,
            issuing_validity: YEAR,
        };
        LocalAuthority::create(directory, &spec)
    }

    fn open(
        directory: &Path,
        passphrase: &SecretString,
        now: Timestamp,
    ) -> Result<LocalAuthority, AuthorityError> {
        LocalAuthority::open("internal", &Paths::in_directory(directory), passphrase, now)
    }

    #[test]
    fn what_was_made_can_be_opened_without_the_root_key() {
        let (dir, passphrase) = (tempfile::tempdir().unwrap(), SecretString::from("correct horse"));
        let ca = dir.path().join("ca");
        let made = create(&ca, &passphrase).unwrap();
        fs::remove_file(ca.join("root.key")).unwrap();
        let opened = open(&ca, &passphrase, NOW).unwrap();
        assert_eq!(opened.root_pem(), made.root_pem());
        assert_eq!(opened.chain_pem(), made.chain_pem());
        assert_eq!(opened.issuer().certificate(), made.issuer().certificate());
        assert_eq!(opened.name(), "internal");
    }

    #[test]
    fn nothing_is_overwritten() {
        let (dir, passphrase) = (tempfile::tempdir().unwrap(), SecretString::from("correct horse"));
        for name in ["root.key", "issuing.key", "root.pem", "issuing.pem"] {
            let ca = dir.path().join(name);
            fs::create_dir(&ca).unwrap();
            fs::write(ca.join(name), "precious").unwrap();
            let refused = create(&ca, &passphrase).unwrap_err();
            assert!(refused.to_string().contains(name), "{refused}");
            assert_eq!(fs::read(ca.join(name)).unwrap(), b"precious");
            assert_eq!(fs::read_dir(&ca).unwrap().count(), 1);
        }
    }

    #[test]
    fn a_failure_half_way_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let (one, two) = (dir.path().join("one"), dir.path().join("two"));
        fs::write(&two, "precious").unwrap();
        let contents = [(&one, "1".to_owned(), Access::Owner), (&two, "2".to_owned(), Access::Owner)];
        let refused = write_all(&contents);
        assert!(matches!(refused, Err(FileError::Exists { path }) if path == two));
        assert!(!one.exists());
        assert_eq!(fs::read(&two).unwrap(), b"precious");
    }

    #[test]
    fn the_passphrase_the_key_the_chain_and_the_time_are_checked() {
        let (dir, passphrase) = (tempfile::tempdir().unwrap(), SecretString::from("correct horse"));
        let (ours, theirs) = (dir.path().join("ours"), dir.path().join("theirs"));
        create(&ours, &passphrase).unwrap();
        create(&theirs, &passphrase).unwrap();

        let wrong = open(&ours, &SecretString::from("battery staple"), NOW);
        assert!(matches!(wrong, Err(AuthorityError::KeyFile { source: KeyFileError::WrongPassphrase, .. })));
        let late = open(&ours, &passphrase, NOW + YEAR);
        assert!(matches!(late, Err(AuthorityError::Expired { .. })), "{late:?}");
        let early = open(&ours, &passphrase, NOW - Duration::from_secs(1));
        assert!(matches!(early, Err(AuthorityError::NotYetValid { .. })), "{early:?}");

        let mut paths = Paths::in_directory(&ours);
        paths.issuing_key = theirs.join("issuing.key");
        let mixed = LocalAuthority::open("internal", &paths, &passphrase, NOW);
        assert!(matches!(mixed, Err(AuthorityError::KeyMismatch { .. })), "{mixed:?}");
        let mut paths = Paths::in_directory(&ours);
        paths.root_certificate = theirs.join("root.pem");
        let mixed = LocalAuthority::open("internal", &paths, &passphrase, NOW);
        assert!(matches!(mixed, Err(AuthorityError::Chain(_))), "{mixed:?}");
    }
}
