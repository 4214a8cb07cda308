//! How it stands with the portal, as `chancery license status` shows it.

use chancery_cli::Lines;
use chancery_time::Timestamp;
use serde_json::{Value, json};

use super::Visit;
use crate::config::license::CallHome;
use crate::store::portal::{self, Contact, Rejection};

pub(super) struct Standing {
    portal: Option<String>,
    is_offline: bool,
    contact: Contact,
    rejections: Vec<Rejection>,
    /// The name of the key by which questions are signed.
    signing_key: String,
}

impl Standing {
    pub(super) async fn of(on: &Visit) -> anyhow::Result<Self> {
        let read = on.office.db.read(|tx| Ok((portal::contact(tx)?, portal::rejections(tx)?)));
        let (contact, rejections) = read.await.map_err(|error: chancery_db::Error| error)?;
        Ok(Self {
            portal: on.config.license.portal().map(|portal| portal.url.clone()),
            is_offline: matches!(on.config.license.call_home, CallHome::Offline { .. }),
            contact,
            rejections,
            signing_key: on.office.installation.signing.public().id().to_string(),
        })
    }

    pub(super) fn add_to(&self, lines: &mut Lines) {
        let Self { contact, .. } = self;
        let nobody = if self.is_offline {
            "offline: nobody is contacted"
        } else {
            "none configured: nobody is contacted"
        };
        lines.add("Portal", self.portal.as_deref().unwrap_or(nobody));
        lines.add(
            "Next call-home",
            self.next().map_or_else(|| self.no_date().to_owned(), Timestamp::to_minutes),
        );
        let verdict = contact.verdict.as_deref().unwrap_or("unknown");
        let last = contact.answered_at.map(|at| format!("{}: {verdict}", at.to_minutes()));
        lines.add("Last contact", last.as_deref().unwrap_or("none"));
        if let (Some(at), Some(failure)) = (contact.failed_at, &contact.failure) {
            lines.add("Last failure", format!("{}: {failure}", at.to_minutes()));
        }
        if let Some(name) = &contact.machine_name {
            lines.add("Machine name", name);
        }
        lines.add("Signing key", &self.signing_key);
    }

    /// What the operator should hear of.
    pub(super) fn warnings(&self) -> impl Iterator<Item = String> {
        let of_portal = self.contact.warnings.iter().map(|warning| format!("the portal says: {warning}"));
        let rejected = self.rejections.iter().map(|rejection| {
            let (kind, at, reason) = (&rejection.kind, rejection.at.to_minutes(), &rejection.reason);
            format!("a document ({kind}) that the portal sends since {at} is not taken: {reason}")
        });
        of_portal.chain(rejected)
    }

    /// The members that it has in the JSON object.
    pub(super) fn json(&self) -> Value {
        let Self { contact, .. } = self;
        json!({
            "portal": self.portal,
            "offline": self.is_offline,
            "next_call_home": self.next(),
            "last_contact": contact.answered_at,
            "verdict": contact.verdict,
            "last_failure": contact.failed_at.map(|at| json!({ "at": at, "reason": contact.failure })),
            "failing": contact.is_failing,
            "machine_name": contact.machine_name,
            "signing_key": self.signing_key,
            "rejected": self.rejections.iter().map(|rejection| json!({
                "kind": rejection.kind,
                "reason": rejection.reason,
                "since": rejection.at,
            })).collect::<Vec<_>>(),
            "portal_warnings": contact.warnings,
        })
    }

    fn next(&self) -> Option<Timestamp> {
        self.contact.due_at.filter(|_| self.portal.is_some())
    }

    fn no_date(&self) -> &'static str {
        if self.portal.is_some() { "as soon as the server runs" } else { "none" }
    }
}
