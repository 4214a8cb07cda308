//! The documents at hand, each verified on its own.

use chancery_license::document::DocumentError;
use chancery_license::jwt::{self, JwtError};
use chancery_license::machine_file::block::BlockError;
use chancery_license::machine_file::{self, Identity, MachineFileError, Unjudged};
use chancery_license::state::{CallHome, Documents, InvalidReason, Revocations};
use chancery_license::{InstallationKey, Keyring, License, LicenseKey, RevocationList, Verified, open};

use super::facts::Facts;
use crate::store::licenses::{DocumentKind, StoredDocument};

/// Every document of the installation, as far as it is to be believed.
#[derive(Debug, Clone)]
pub(crate) struct Held {
    /// The anchors, and the keys that the manifests vouch for.
    pub(crate) keyring: Keyring,
    /// What the state function is given.
    pub(crate) documents: Documents,
    /// The licences among them, each with its number in the store.
    pub(crate) licenses: Vec<(i64, Facts)>,
}

/// Why a licence is not to be believed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unbelieved {
    #[error(transparent)]
    Document(#[from] DocumentError),
    #[error(transparent)]
    Jwt(#[from] JwtError),
    #[error(transparent)]
    MachineFile(#[from] MachineFileError),
    #[error(
        "it does not open here: it was made for another machine or another licence key. The fingerprint of this \
         installation is {0}: have the vendor make the machine file for it, and give the key of that licence"
    )]
    ForeignMachine(InstallationKey),
    #[error(transparent)]
    Block(#[from] BlockError),
    #[error(
        "it opens with the licence key alone: give it with --license-key-file FILE, or as CHANCERY_LICENSE_KEY"
    )]
    NoLicenseKey,
}

impl Unbelieved {
    pub(crate) fn reason(&self) -> InvalidReason {
        match self {
            // Nothing here judges a machine file by time, and no other class is without a reason.
            Self::MachineFile(error) => error.reason().unwrap_or(InvalidReason::Malformed),
            Self::ForeignMachine(_) => InvalidReason::WrongInstallation,
            Self::Block(error) => error.reason(),
            Self::NoLicenseKey => InvalidReason::Malformed,
            Self::Document(error) => error.into(),
            Self::Jwt(error) => error.reason(),
        }
    }
}

impl Held {
    /// Verifies the documents. `keys_needed` is the number of the newest key manifest ever admitted:
    /// without that one no licence is believed, since it may have withdrawn the key that signed it.
    pub(crate) fn new(
        anchors: &Keyring,
        documents: &[StoredDocument],
        installation: &InstallationKey,
        keys_needed: u64,
        call_home: CallHome,
    ) -> Self {
        let of_kind = |kind| documents.iter().filter(move |document| document.kind == kind);
        let mut keyring = anchors.clone();
        for manifest in of_kind(DocumentKind::Keys) {
            match keyring.admit(&manifest.text) {
                Ok(next) => keyring = next,
                Err(error) => tracing::error!(%error, "a key manifest in the store is not admitted"),
            }
        }
        let revocations = of_kind(DocumentKind::Revocations)
            .filter_map(|list| open::<RevocationList>(&list.text, &keyring).ok())
            .max_by_key(|list| list.body().sequence);

        let mut held = Self {
            documents: Documents {
                licenses: Vec::new(),
                revocations: revocations.as_ref().map(Revocations::from),
                call_home,
            },
            licenses: Vec::new(),
            keyring,
        };
        let believed = held.keyring.sequence() >= keys_needed;
        for document in documents {
            let license = match document.kind {
                DocumentKind::License => read_lic(&document.text, &held.keyring, installation),
                DocumentKind::LicenseJwt => read_jwt(&document.text, &held.keyring),
                DocumentKind::MachineFile => {
                    let key = document.license_key.as_ref();
                    read_machine_file(&document.text, key, &held.keyring, installation)
                }
                DocumentKind::Revocations | DocumentKind::Keys => continue,
            };
            let terms = match license {
                _ if !believed => Err(InvalidReason::KeysMissing { needed: keys_needed }),
                Ok(facts) => {
                    held.licenses.push((document.id, facts.clone()));
                    Ok(facts.terms)
                }
                Err(error) => Err(error.reason()),
            };
            held.documents.licenses.push(terms);
        }
        held
    }
}

/// Reads a licence in armour that is for this installation.
pub(crate) fn read_lic(
    text: &str,
    keyring: &Keyring,
    installation: &InstallationKey,
) -> Result<Facts, Unbelieved> {
    let verified: Verified<License> = open(text, keyring)?;
    verified.body().fit_installation(installation)?;
    Ok(Facts::from(&verified))
}

/// Reads a licence JWT.
pub(crate) fn read_jwt(text: &str, keyring: &Keyring) -> Result<Facts, Unbelieved> {
    let verified = jwt::verify(text.as_bytes(), &keyring.jwt_keys())?;
    keyring.judge_jwt(verified.signer(), verified.claims().terms().edition.issued)?;
    Ok(Facts::from(&verified))
}

/// Reads a machine file whose fingerprint is the key of this installation. Its times are the state function's matter.
pub(crate) fn read_machine_file(
    text: &str,
    license_key: Option<&LicenseKey>,
    keyring: &Keyring,
    installation: &InstallationKey,
) -> Result<Facts, Unbelieved> {
    let file = open_machine_file(text, license_key, keyring, installation)?;
    Ok(Facts::of_machine_file(&file, installation)?)
}

/// Opens a machine file for that installation, whatever it licenses.
pub(crate) fn open_machine_file(
    text: &str,
    license_key: Option<&LicenseKey>,
    keyring: &Keyring,
    installation: &InstallationKey,
) -> Result<Unjudged, Unbelieved> {
    let keys = keyring.machine_file_keys();
    // Who signed it is asked first: a key is not asked for on behalf of a file that does not count.
    machine_file::signer(text, &keys)?;
    let identity = Identity {
        license_key: license_key.ok_or(Unbelieved::NoLicenseKey)?.reveal(),
        fingerprint: installation.as_str(),
        product_slug: keyring.product(),
        keys: &keys,
    };
    let file = machine_file::read(text, &identity).map_err(|error| match error {
        MachineFileError::DecryptionFailed | MachineFileError::WrongFingerprint => {
            Unbelieved::ForeignMachine(installation.clone())
        }
        error => error.into(),
    })?;
    keyring.judge_machine_file(file.signer, file.contents.issued)?;
    Ok(file)
}
