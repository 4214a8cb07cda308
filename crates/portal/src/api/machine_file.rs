//! A machine file, as the API hands it out: a JSON:API document of exactly these members.

use chancery_license::machine_file::{ALGORITHM, Issued};
use serde::Serialize;
use utoipa::ToSchema;

use super::Time;
use super::clear_key::ClearKey;

/// A machine file.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct MachineFileObject {
    data: MachineFileData,
}

/// The file, and what it belongs to.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct MachineFileData {
    /// `machine-files`
    #[serde(rename = "type")]
    kind: &'static str,
    attributes: MachineFileAttributes,
    relationships: MachineFileRelationships,
}

/// The file and its times.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct MachineFileAttributes {
    /// The file itself, in its armour.
    certificate: String,
    /// `aes-256-gcm+ed25519`
    algorithm: &'static str,
    /// How many seconds there are from `issued` to `expiry`.
    ttl: u64,
    issued: Time,
    expiry: Time,
}

/// What the file belongs to.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct MachineFileRelationships {
    license: MachineFileLicense,
    machine: MachineFileMachine,
}

/// The licence of the file.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct MachineFileLicense {
    data: MachineFileLicenseReference,
}

/// The licence by its key.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct MachineFileLicenseReference {
    /// `licenses`
    #[serde(rename = "type")]
    kind: &'static str,
    id: ClearKey,
}

/// The machine of the file.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct MachineFileMachine {
    data: MachineFileMachineReference,
}

/// The machine by its fingerprint.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct MachineFileMachineReference {
    /// `machines`
    #[serde(rename = "type")]
    kind: &'static str,
    id: String,
}

impl MachineFileObject {
    pub(crate) fn new(issued: Issued, license_key: &str, fingerprint: &str) -> Self {
        let license = MachineFileLicenseReference { kind: "licenses", id: license_key.into() };
        let machine = MachineFileMachineReference { kind: "machines", id: fingerprint.to_owned() };
        Self {
            data: MachineFileData {
                kind: "machine-files",
                attributes: MachineFileAttributes {
                    algorithm: ALGORITHM,
                    ttl: issued.ttl_seconds(),
                    issued: issued.issued.into(),
                    expiry: issued.expires.into(),
                    certificate: issued.certificate,
                },
                relationships: MachineFileRelationships {
                    license: MachineFileLicense { data: license },
                    machine: MachineFileMachine { data: machine },
                },
            },
        }
    }

    /// The file itself, in its armour.
    #[cfg(test)]
    pub(crate) fn certificate(&self) -> &str {
        &self.data.attributes.certificate
    }
}
