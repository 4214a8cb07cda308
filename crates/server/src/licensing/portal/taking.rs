//! What an answer of the portal brought, into the store.
//!
//! An answer that got here was signed by the vendor and answers the very question that was just asked, so that the
//! time in it is the time: the watermark is anchored by it anew.

use aws_lc_rs::digest::{SHA256, digest};
use chancery_db::WriteTx;
use chancery_license::exchange::{Response, Verdict};
use chancery_license::state::DEFAULT_CLOCK_TOLERANCE;
use chancery_license::{Document, DocumentError};
use chancery_time::Timestamp;
use serde_json::json;

use super::desk::{Desk, Purpose};
use super::failure::Failure;
use super::schedule::Outcome;
use crate::audit::events;
use crate::licensing::change::Office;
use crate::licensing::facts::Facts;
use crate::licensing::held::Unbelieved;
use crate::licensing::intake::{self, Brought, Intake, Taken};
use crate::licensing::record::Record;
use crate::licensing::snapshot::note_change;
use crate::store::licenses::DocumentKind;
use crate::store::portal::{self as contacts, Contact, Rejection};

/// What the portal answered, and what became of it.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) verdict: Verdict,
    /// What else it says.
    pub(crate) warnings: Vec<String>,
    /// What was taken, and was not there already.
    pub(crate) taken: Vec<Taken>,
    pub(crate) rejected: Vec<Rejected>,
}

/// A document that was not taken.
#[derive(Debug, Clone)]
pub(crate) struct Rejected {
    pub(crate) form: &'static str,
    pub(crate) reason: String,
    /// The names of the reasons, where it does not fit.
    pub(crate) reasons: Vec<&'static str>,
    /// Whether it was told before.
    pub(crate) is_known: bool,
    digest: Vec<u8>,
}

/// An answer on its way into the store.
pub(super) struct Delivery<'a> {
    pub(super) desk: &'a Desk,
    pub(super) purpose: &'a Purpose,
    /// Manifests without which the response could not be believed.
    pub(super) manifests: Vec<String>,
    pub(super) response: Document<Response>,
}

impl Delivery<'_> {
    /// Takes each document by itself: one that is refused takes none of the others with it.
    pub(super) async fn take(self, now: Timestamp) -> Result<Answer, Failure> {
        let answered = self.response.issued;
        let office = &self.desk.office;
        // First: a document must not be refused by a clock that the answer corrects.
        office
            .db
            .write({
                let (office, counter) = (office.clone(), self.response.body.counter);
                move |tx| {
                    // Somebody has asked since: what is told then is newer.
                    if contacts::contact(tx)?.counter != counter {
                        return Err(Failure::Busy);
                    }
                    re_anchor(&office, tx, answered, now)
                }
            })
            .await?;
        let known = office.db.read(contacts::rejections).await?;
        let (mut taken, mut rejected) = (Vec::new(), Vec::new());
        for text in in_order(self.manifests, self.response.body.documents) {
            let digest = fingerprint(&text);
            let is_known = known.iter().any(|rejection| rejection.digest == digest);
            let Some(kind) = intake::recognise(&text) else {
                let reason = "this version cannot take documents of its kind".to_owned();
                let form = "unknown";
                rejected.push(Rejected { form, reason, reasons: Vec::new(), is_known, digest });
                continue;
            };
            match take_one(
                office,
                Brought { kind, text, license_key: self.purpose.license_key() },
                self.purpose,
                now,
            )
            .await
            {
                Ok(Taken::Unchanged) => {}
                Err(refusal) if is_the_list_that_is_held(&refusal) => {}
                Ok(new) => taken.push(new),
                Err(intake::Refusal::Store(error)) => return Err(error.into()),
                Err(refusal) => rejected.push(Rejected {
                    form: kind.name(),
                    reason: told(&refusal),
                    reasons: reasons(&refusal),
                    is_known,
                    digest,
                }),
            }
        }
        let Response { verdict, warnings, .. } = self.response.body;
        let answer = Answer { verdict, warnings, taken, rejected };
        tell_rejected(office, self.purpose, &answer, now).await;
        conclude(self.desk, self.purpose, &answer, known, answered, now).await?;
        Ok(answer)
    }
}

/// Key manifests first, then revocation lists, then licences: each may decide about those after it.
fn in_order(manifests: Vec<String>, documents: Vec<String>) -> Vec<String> {
    let mut all: Vec<String> = manifests.into_iter().chain(documents).collect();
    all.sort_by_key(|text| match intake::recognise(text) {
        Some(DocumentKind::Keys) => 0,
        Some(DocumentKind::Revocations) => 1,
        Some(DocumentKind::License | DocumentKind::LicenseJwt | DocumentKind::MachineFile) => 2,
        None => 3,
    });
    all
}

async fn take_one(
    office: &Office,
    brought: Brought,
    purpose: &Purpose,
    now: Timestamp,
) -> Result<Taken, intake::Refusal> {
    let (by, taker) = (purpose.actor(), office.clone());
    office
        .db
        .write(move |tx| Intake { office: &taker, now, force: false, by: by.clone() }.take(tx, &brought))
        .await
}

/// Each document is told of once, however often the portal offers it; whoever registers is told every time.
async fn tell_rejected(office: &Office, purpose: &Purpose, answer: &Answer, now: Timestamp) {
    let is_told = |rejected: &&Rejected| purpose.is_registration() || !rejected.is_known;
    for rejected in answer.rejected.iter().filter(is_told) {
        let details = json!({
            "form": rejected.form,
            "error": rejected.reason,
            "reasons": rejected.reasons,
        });
        office.note_refusal_by(purpose.rejection(), purpose.actor(), "not_taken", details, now).await;
    }
}

/// Notes that the portal answered, what, and when it is asked next.
async fn conclude(
    desk: &Desk,
    purpose: &Purpose,
    answer: &Answer,
    known: Vec<Rejection>,
    answered: Timestamp,
    now: Timestamp,
) -> Result<(), Failure> {
    let (office, schedule) = (desk.office.clone(), desk.schedule(Outcome::Answered, now));
    let (verdict, warnings) = (answer.verdict, answer.warnings.clone());
    let rejections: Vec<Rejection> =
        answer.rejected.iter().map(|rejected| rejected.kept(&known, now)).collect();
    let name = match purpose {
        Purpose::Register { name, .. } if verdict == Verdict::Licensed => name.clone(),
        _ => None,
    };
    let is_registered =
        purpose.is_registration() && verdict == Verdict::Licensed && answer.rejected_license().is_none();
    let brought = answer.license().map(|(facts, _)| facts.clone());
    desk.office
        .db
        .write(move |tx| {
            // Again: a document that was taken meanwhile, and one that was replaced, may have moved it.
            re_anchor(&office, tx, answered, now)?;
            let contact = contacts::contact(tx)?;
            let machine_name = name.clone().or(contact.machine_name);
            let concluded = Contact {
                machine_name,
                busy_until: None,
                due_at: Some(schedule(&office, tx)?),
                answered_at: Some(now),
                verdict: Some(verdict.name().to_owned()),
                warnings: warnings.clone(),
                is_failing: false,
                ..contact
            };
            contacts::keep(tx, &concluded)?;
            contacts::keep_rejections(tx, &rejections)?;
            if is_registered {
                note_registration(&office, tx, brought.as_ref(), now)?;
            }
            note_change(tx)?;
            Ok::<_, Failure>(())
        })
        .await
}

/// Tells of the licence that came, or of the one that was here already.
fn note_registration(
    office: &Office,
    tx: &mut WriteTx<'_>,
    brought: Option<&Facts>,
    now: Timestamp,
) -> Result<(), Failure> {
    let snapshot = office.read(tx)?;
    let Some(facts) = brought.or(snapshot.judge(now, &office.build).license) else { return Ok(()) };
    let details = json!({
        "id": facts.terms.id,
        "serial": facts.terms.edition.serial,
        "plan": facts.plan,
        "expires": facts.terms.expires,
    });
    Ok(office.note(tx, events::LICENSE_REGISTER, "registered", details, now)?)
}

fn re_anchor(
    office: &Office,
    tx: &mut WriteTx<'_>,
    answered: Timestamp,
    now: Timestamp,
) -> Result<(), Failure> {
    let record = office.installation.record(tx)?.ok_or(Failure::RecordDamaged)?;
    let times = record.times.re_anchored(answered);
    let before = record.times.watermark.time();
    // Whose clock was wrong, nobody here can tell: the log keeps what the portal said.
    if before.since(answered).max(answered.since(before)) > DEFAULT_CLOCK_TOLERANCE {
        let details = json!({ "from": before, "to": answered, "clock": now });
        office.note(tx, events::LICENSE_CLOCK_ANCHORED, "portal_answer", details, now)?;
    }
    office.installation.keep(tx, &Record { times, ..record })?;
    Ok(())
}

/// By what a document is known again: its text, but for white space.
fn fingerprint(text: &str) -> Vec<u8> {
    digest(&SHA256, intake::plain(text).as_bytes()).as_ref().to_vec()
}

/// Whether it is the revocation list or key manifest of the number that is held, signed anew.
fn is_the_list_that_is_held(refusal: &intake::Refusal) -> bool {
    matches!(
        refusal,
        intake::Refusal::NotBelieved(Unbelieved::Document(DocumentError::StaleSequence { found, held })) if found == held
    )
}

/// What the operator is told; there is no `--force` here.
fn told(refusal: &intake::Refusal) -> String {
    match refusal {
        intake::Refusal::Misfit(reasons) => format!(
            "it does not fit this installation: {}; what was in effect goes on. Change the configuration or get a larger \
             licence: it is looked at again with every answer of the portal",
            intake::list(reasons)
        ),
        other => other.to_string(),
    }
}

fn reasons(refusal: &intake::Refusal) -> Vec<&'static str> {
    match refusal {
        intake::Refusal::Misfit(reasons) => reasons.iter().map(|reason| reason.name()).collect(),
        _ => Vec::new(),
    }
}

impl Answer {
    /// The licence that came and was taken, and whether it is in effect.
    pub(crate) fn license(&self) -> Option<(&Facts, bool)> {
        self.taken.iter().find_map(|taken| match taken {
            Taken::License { facts, in_effect, .. } => Some((facts.as_ref(), *in_effect)),
            _ => None,
        })
    }

    /// The licence that came and was not taken.
    pub(crate) fn rejected_license(&self) -> Option<&Rejected> {
        let is_license = |form| DocumentKind::ALL.iter().any(|kind| kind.is_license() && kind.name() == form);
        self.rejected.iter().find(|rejected| is_license(rejected.form))
    }
}

impl Rejected {
    /// As it is kept, with the time at which it was first offered.
    fn kept(&self, known: &[Rejection], now: Timestamp) -> Rejection {
        let before = known.iter().find(|rejection| rejection.digest == self.digest);
        Rejection {
            digest: self.digest.clone(),
            kind: self.form.to_owned(),
            reason: self.reason.clone(),
            at: before.map_or(now, |rejection| rejection.at),
        }
    }
}
