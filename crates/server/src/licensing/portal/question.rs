//! What is sent to the portal. `docs/licensing.md` lists every member under "What is sent".

use chancery_license::exchange::{Held, Metrics, Nonce, Request};
use chancery_license::{Document, LicenseKey, Usage};
use chancery_time::Timestamp;

use crate::licensing::change::Office;
use crate::licensing::snapshot::Snapshot;

/// What one question is made of, beside what the installation is.
pub(super) struct Question<'a> {
    pub(super) nonce: Nonce,
    pub(super) counter: u64,
    pub(super) license_key: Option<LicenseKey>,
    pub(super) machine_name: Option<String>,
    pub(super) snapshot: &'a Snapshot,
    pub(super) usage: Usage,
}

impl Question<'_> {
    /// The question as it is signed.
    pub(super) fn document(self, office: &Office, now: Timestamp) -> Document<Request> {
        let held = &self.snapshot.held;
        let serials = held.licenses.iter().map(|(_, facts)| facts.terms.edition.serial);
        Document {
            product: office.anchors.product().to_owned(),
            environment: office.anchors.environment(),
            issued: now.whole_seconds(),
            body: Request {
                installation_key: office.installation.key.clone(),
                public_key: office.installation.signing.public().clone(),
                nonce: self.nonce,
                counter: self.counter,
                license_key: self.license_key,
                machine_name: self.machine_name,
                // What is not here any more is asked for again.
                held: Held {
                    serial: serials.max().unwrap_or_default(),
                    revocations: held.documents.revocations.as_ref().map_or(0, |list| list.sequence),
                    keys: held.keyring.sequence(),
                },
                metrics: Metrics {
                    database: office.configuration.database,
                    authorities: u32::try_from(office.configuration.authorities).unwrap_or(u32::MAX),
                    managed_servers: self.usage.managed_servers,
                    active_certificates: self.usage.certificates,
                    version: office.build.version,
                },
            },
        }
    }
}

#[cfg(test)]
mod tests;
