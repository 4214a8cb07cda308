//! A question to the portal, from its beginning to what became of the answer.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chancery_db::WriteTx;
use chancery_license::exchange::{Nonce, Request, Verdict, open_response, seal_request};
use chancery_license::{Document, Keyring, LicenseKey};
use chancery_time::{Clock, Timestamp};
use serde_json::json;

use super::client::{Client, Sealed};
use super::failure::Failure;
use super::question::Question;
use super::schedule::{Outcome, is_due, next_poll};
use super::taking::{Answer, Delivery};
use crate::audit::{Kind, events, operator};
use crate::config::license::License;
use crate::licensing::change::Office;
use crate::licensing::snapshot::note_change;
use crate::store::portal::{self as contacts, Contact};

/// How long whoever asks has the word: longer than a question can last.
const LEASE: Duration = Duration::from_secs(120);
/// Who did it, where the running server asked by itself.
const PORTAL: &str = "portal";

/// What the portal is asked for.
#[derive(Debug, Clone)]
pub(crate) enum Purpose {
    /// Whatever is new, because it is time to ask.
    Poll,
    /// Whatever is new, because an operator wants to know.
    Refresh,
    /// The licence of that key, for this machine under that name.
    Register { key: LicenseKey, name: Option<String> },
}

/// Where the portal is asked. There is none where nobody is to be asked.
pub(crate) struct Desk {
    pub(super) office: Office,
    client: Client,
    interval: Duration,
    clock: Arc<dyn Clock>,
    /// Until when this desk has the word, as the store has it.
    word: Mutex<Option<Timestamp>>,
}

/// A question that may be asked now.
struct Begun {
    document: Document<Request>,
    keyring: Keyring,
}

impl Desk {
    /// The desk of a configuration; `None` where it says that nobody is asked.
    ///
    /// # Errors
    /// When the files that the configuration names cannot be used.
    pub(crate) fn of(
        license: &License,
        office: Office,
        clock: Arc<dyn Clock>,
    ) -> anyhow::Result<Option<Self>> {
        let (Some(client), Some(portal)) = (Client::of(license)?, license.portal()) else { return Ok(None) };
        Ok(Some(Self { office, client, interval: portal.interval, clock, word: Mutex::default() }))
    }

    /// Asks, for an operator.
    pub(crate) async fn ask(&self, purpose: Purpose) -> Result<Answer, Failure> {
        let answered = match self.exchange(&purpose).await {
            Ok(Some(answer)) => Ok(answer),
            // Only a poll waits for its time.
            Ok(None) => Err(Failure::Busy),
            Err(failure) => Err(failure),
        };
        let refused = match &answered {
            Err(failure) => Some(failure.name()),
            Ok(answer) if purpose.is_registration() && answer.verdict != Verdict::Licensed => {
                Some(answer.verdict.name())
            }
            Ok(_) => None,
        };
        if let Some(error) = refused {
            purpose.refused(&self.office, error, self.clock.now()).await;
        }
        answered
    }

    /// Asks, where it is time and nobody else does; `None` where not.
    pub(crate) async fn poll(&self) -> Result<Option<Answer>, Failure> {
        self.exchange(&Purpose::Poll).await
    }

    /// Gives the word back that a question had which was not asked to its end.
    pub(crate) async fn give_up(&self) -> Result<(), chancery_db::Error> {
        let word = *self.word.lock().unwrap_or_else(PoisonError::into_inner);
        let change = move |tx: &mut WriteTx<'_>| {
            let contact = contacts::contact(tx)?;
            // Somebody else may have it by now.
            if word.is_none() || contact.busy_until != word {
                return Ok(());
            }
            contacts::keep(tx, &Contact { busy_until: None, ..contact })
        };
        self.office.db.write(change).await
    }

    async fn exchange(&self, purpose: &Purpose) -> Result<Option<Answer>, Failure> {
        let Some(begun) = self.begin(purpose).await? else { return Ok(None) };
        let answered = self.converse(purpose, begun).await;
        match &answered {
            Err(failure) if failure.is_the_portals() => self.settle_failure(purpose, failure).await?,
            Err(_) => self.give_up().await?,
            Ok(_) => {}
        }
        answered.map(Some)
    }

    async fn converse(&self, purpose: &Purpose, begun: Begun) -> Result<Answer, Failure> {
        let Begun { document, mut keyring } = begun;
        let installation = &self.office.installation;
        let request = seal_request(&document, &installation.signing)
            .map_err(|error| Failure::NotSealed(error.to_string()))?;
        let Sealed { response, keys } = self.client.sync(&installation.key, &request).await?;
        // A manifest needs no response around it: a root signed it. One that is not newer is of no use.
        let mut manifests = Vec::new();
        for manifest in keys {
            if let Ok(next) = keyring.admit(&manifest) {
                keyring = next;
                manifests.push(manifest);
            }
        }
        let response = open_response(&response, &keyring, &document)?.into_document();
        let delivery = Delivery { desk: self, purpose, manifests, response };
        delivery.take(self.clock.now()).await
    }

    /// Takes the word, and counts the question before it is asked.
    async fn begin(&self, purpose: &Purpose) -> Result<Option<Begun>, Failure> {
        let (office, interval, now) = (self.office.clone(), self.interval, self.clock.now());
        let (purpose, random) = (purpose.clone(), crate::random::bytes::<32>());
        let random = random.map_err(|error| Failure::NotSealed(error.to_string()))?;
        let busy_until = Some(now + LEASE);
        let begun = self
            .office
            .db
            .write(move |tx| {
                let contact = contacts::contact(tx)?;
                let is_poll = matches!(purpose, Purpose::Poll);
                if is_poll && !is_due(contact.due_at, interval, now) {
                    return Ok(None);
                }
                if is_busy(&contact, now) {
                    return if is_poll { Ok(None) } else { Err(Failure::Busy) };
                }
                let counter = contact.counter.saturating_add(1);
                contacts::keep(tx, &Contact { counter, busy_until, ..contact.clone() })?;
                let snapshot = office.read(tx)?;
                if snapshot.record.is_none() {
                    return Err(Failure::RecordDamaged);
                }
                let name = match &purpose {
                    Purpose::Register { name, .. } => name.clone(),
                    Purpose::Poll | Purpose::Refresh => None,
                };
                let question = Question {
                    nonce: Nonce::from_random(random),
                    counter,
                    license_key: purpose.license_key(),
                    machine_name: name.or(contact.machine_name),
                    snapshot: &snapshot,
                    usage: office.usage(tx, now)?,
                };
                let document = question.document(&office, now);
                Ok(Some(Begun { document, keyring: snapshot.held.keyring }))
            })
            .await?;
        if begun.is_some() {
            *self.word.lock().unwrap_or_else(PoisonError::into_inner) = busy_until;
        }
        Ok::<_, Failure>(begun)
    }

    /// Notes that there is no answer. A registration that fails leaves everything as it was.
    async fn settle_failure(&self, purpose: &Purpose, failure: &Failure) -> Result<(), chancery_db::Error> {
        let (told, retry_after) = (failure.to_string(), failure.retry_after());
        let is_registration = purpose.is_registration();
        let now = self.clock.now();
        let (office, schedule) = (self.office.clone(), self.schedule(Outcome::Failed { retry_after }, now));
        self.office
            .db
            .write(move |tx| {
                let contact = Contact { busy_until: None, ..contacts::contact(tx)? };
                if is_registration {
                    return contacts::keep(tx, &contact);
                }
                if !contact.is_failing {
                    note_change(tx)?;
                }
                let due_at = Some(schedule(&office, tx)?);
                let failed = Contact {
                    due_at,
                    failed_at: Some(now),
                    failure: Some(told.clone()),
                    is_failing: true,
                    ..contact
                };
                contacts::keep(tx, &failed)
            })
            .await
    }

    /// What says, within a transaction, when the portal is asked next.
    pub(super) fn schedule(
        &self,
        outcome: Outcome,
        now: Timestamp,
    ) -> impl Fn(&Office, &mut WriteTx<'_>) -> Result<Timestamp, chancery_db::Error> + Send + 'static {
        let interval = self.interval;
        // Without random bytes the questions of many installations are not spread, which harms nobody.
        let random = crate::random::bytes().map_or(0, u16::from_ne_bytes);
        move |office, tx| {
            let snapshot = office.read(tx)?;
            let judged = snapshot.judge(now, &office.build);
            let ends = judged.license.map(|license| license.terms.expires);
            Ok(next_poll(outcome, interval, ends, random, now))
        }
    }
}

impl Purpose {
    /// Who did it, for the audit log.
    pub(super) fn actor(&self) -> String {
        match self {
            Self::Poll => PORTAL.to_owned(),
            Self::Refresh | Self::Register { .. } => operator(),
        }
    }

    /// The key that a machine file in the answer opens with.
    pub(super) fn license_key(&self) -> Option<LicenseKey> {
        match self {
            Self::Register { key, .. } => Some(key.clone()),
            Self::Poll | Self::Refresh => None,
        }
    }

    pub(super) const fn is_registration(&self) -> bool {
        matches!(self, Self::Register { .. })
    }

    /// Tells the audit log that it came to nothing.
    pub(crate) async fn refused(&self, office: &Office, error: &'static str, now: Timestamp) {
        let details = json!({ "error": error });
        office.note_refusal_by(self.rejection(), self.actor(), error, details, now).await;
    }

    /// What is told where it comes to nothing.
    pub(super) const fn rejection(&self) -> Kind {
        match self {
            Self::Poll | Self::Refresh => events::LICENSE_REFRESH_REJECTED,
            Self::Register { .. } => events::LICENSE_REGISTER_REJECTED,
        }
    }
}

/// Whether somebody has the word. One that lasts longer than any was taken by a clock that was ahead.
fn is_busy(contact: &Contact, now: Timestamp) -> bool {
    contact.busy_until.is_some_and(|until| now < until && until <= now + LEASE)
}

#[cfg(test)]
mod tests;
