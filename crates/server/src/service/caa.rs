//! Whether CAA records allow this CA to issue (RFC 8659, RFC 8657): looked at when a challenge is passed, and again
//! before a certificate is made where that was too long ago. What cannot be found out allows nothing.

mod looks;
#[cfg(test)]
mod tests;

pub(crate) use looks::Looks;

use std::sync::Arc;
use std::time::Duration;

use chancery_acme::caa::{self, Record, Request};
use chancery_acme::{Identifier, Problem, ProblemType};
use chancery_time::Timestamp;
use chancery_validation::FailureKind;
use serde_json::json;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use looks::Places;

use super::Failure;
use super::observer::{Observer, Unmet, patiently};
use super::profiles::ProfileRef;
use crate::app::App;
use crate::audit::{Entry, Origin, events};
use crate::store::authorizations::{self, Support};
use crate::store::orders::Order;

/// How long a look counts: what public CAs are held to (CA/Browser Forum, Baseline Requirements §3.2.2.8).
const FRESH: Duration = Duration::from_hours(8);
/// The pauses before the second look and the third, while a client waits for its certificate.
const PAUSES: [Duration; 2] = [Duration::from_millis(500), Duration::from_secs(2)];
/// How long all looks for an order may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// How many names a client is told of that were refused.
const TOLD: usize = 20;
/// How many the audit log is told of, whose entries are bounded.
const LOGGED: usize = 5;
/// The longest that either is told of one, in characters: enough for the longest name and what is wrong with it.
const LONGEST: usize = 400;
/// What `validationmethods` has to name for accounts that are spared every proof. RFC 8657 §4 leaves the labels
/// with `ca-` to each CA.
const WITHOUT_PROOF: &str = "ca-external-account";

/// What is asked of the records of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Question {
    pub(crate) identifier: Identifier,
    pub(crate) account_url: Arc<str>,
    /// How the name was proven, as `validationmethods` has it (RFC 8657 §4).
    pub(crate) method: &'static str,
}

/// Looks once whether the records allow it. Addresses have none (RFC 8738 leaves CAA to names).
pub(crate) async fn look(observer: &Observer, question: &Question) -> Result<(), Unmet> {
    let Some(name) = question.identifier.dns_name() else { return Ok(()) };
    let found = observer.caa.relevant(name.as_str()).await.map_err(|failure| {
        let found = failure.to_string();
        let detail = format!("the CAA records of `{}` cannot be found out: {found}", question.identifier);
        let problem = (failure.kind != FailureKind::Local).then(|| Problem::new(ProblemType::Caa, detail));
        Unmet { problem, may_pass: failure.transient, found }
    })?;
    let records: Vec<Record> = found
        .into_iter()
        .map(|record| Record { flags: record.flags, tag: record.tag, value: record.value.into_bytes() })
        .collect();
    let request = Request {
        issuer_domains: &observer.issuer.domains,
        is_wildcard: question.identifier.is_wildcard(),
        account_uri: &question.account_url,
        method: question.method,
    };
    caa::evaluate(&records, &request).map_err(|refusal| {
        let found = format!("`{}` must not be certified: {refusal}", question.identifier);
        Unmet { problem: Some(Problem::new(ProblemType::Caa, &*found)), may_pass: false, found }
    })
}

/// Makes sure, before a certificate is made for an order, that the CAA records of all its names were looked at not
/// long ago. Where nothing has to be looked at, nothing is awaited but one read.
///
/// # Errors
/// `caa` where a name must not be certified, or its records cannot be found out; `orderNotReady` where they are
/// being looked at for another request; [`Failure::Busy`] where there was no place for a look.
pub(crate) async fn require(
    app: &App,
    profile: ProfileRef<'_>,
    order: &Order,
    origin: Option<&Arc<Origin>>,
    now: Timestamp,
) -> Result<(), Failure> {
    if !profile.rules.caa {
        return Ok(());
    }
    let order_id = order.id;
    // Before anything is read: what the other request finds, counts for this one.
    let Some(_hold) = app.looks.take(order_id) else { return Err(in_hand(origin.is_some())) };
    let supports = app.db.read(move |tx| authorizations::supports_of_order(tx, order_id)).await?;
    let account_url: Arc<str> = app.urls.account(&app.sealer, order.account_id).into();
    let due = due(order.identifiers.as_slice(), &supports, &account_url, now);
    if due.is_empty() {
        return Ok(());
    }
    let looked_at: Vec<i64> = due.iter().filter_map(|due| due.checks).collect();
    let problems =
        look_at_all(&profile.at_work.observer, app.looks.of_account(order.account_id), due).await?;
    if problems.is_empty() {
        let keep = move |tx: &mut chancery_db::WriteTx<'_>| {
            looked_at.iter().try_for_each(|id| authorizations::set_caa_checked(tx, *id, now))
        };
        return Ok(app.db.write(keep).await?);
    }
    let details = json!({
        "order": order_id,
        "refused": problems.len(),
        "errors": problems.iter().take(LOGGED).map(Problem::detail).collect::<Vec<_>>(),
    });
    let entry = Entry::new(events::ORDER_CAA_DENY, details).account(order.account_id);
    let entry = entry.denied("CAA records do not allow it");
    let entry = match origin {
        Some(origin) => entry.from(origin),
        None => entry,
    };
    app.trail.tell_alone(&app.db, entry, now).await?;
    Err(told(problems, order.identifiers.as_slice().len() == 1).into())
}

fn in_hand(by_client: bool) -> Failure {
    if by_client {
        let detail = "the CAA records of the order are being looked at for another request: read the order until \
                      that has an answer, and finalize again if it is still ready";
        return Problem::new(ProblemType::OrderNotReady, detail).into();
    }
    // Nothing that the order could fail for.
    Failure::Busy("the CAA records of an order are being looked at already")
}

/// What the client is told of the names that were refused.
fn told(mut problems: Vec<Problem>, alone: bool) -> Problem {
    let refused = problems.len();
    if refused <= TOLD {
        return Problem::of_identifiers(problems, alone);
    }
    problems.truncate(TOLD);
    let detail = format!("{refused} names were refused, of which the subproblems tell {TOLD}");
    Problem::new(ProblemType::Caa, detail).with_subproblems(problems)
}

/// As much of a text as is told.
fn shortened(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        None => text.to_owned(),
        Some(_) => text.chars().take(LONGEST - 1).chain(['…']).collect(),
    }
}

/// A name whose records have to be looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Due {
    question: Question,
    /// The authorization that it is kept with, if it is that of the name itself.
    checks: Option<i64>,
}

/// The names of an order whose records were not looked at, or too long ago.
fn due(identifiers: &[Identifier], supports: &[Support], account_url: &Arc<str>, now: Timestamp) -> Vec<Due> {
    let names = identifiers.iter().filter(|identifier| identifier.dns_name().is_some());
    let due = names.filter_map(|identifier| {
        let own = supports.iter().find(|support| support.identifier == *identifier);
        let support = own.or_else(|| supports.iter().find(|support| stands_above(support, identifier)));
        // A look from the future, before the clock was set back, says nothing.
        let is_fresh = |at: Timestamp| at <= now && now < at + FRESH;
        if own.and_then(|own| own.caa_checked_at).is_some_and(is_fresh) {
            return None;
        }
        let method = support.and_then(|support| support.proven_by).map_or(WITHOUT_PROOF, |kind| kind.name());
        let (identifier, account_url) = (identifier.clone(), Arc::clone(account_url));
        Some(Due { question: Question { identifier, account_url, method }, checks: own.map(|own| own.id) })
    });
    due.collect()
}

fn stands_above(support: &Support, identifier: &Identifier) -> bool {
    let (Some(above), Some(name)) = (support.identifier.dns_name(), identifier.dns_name()) else {
        return false;
    };
    support.with_subdomains && name.labels_below(above).is_some()
}

/// Looks at the records of all these names, several at once; yields a problem for each that is refused.
async fn look_at_all(
    observer: &Arc<Observer>,
    places: Places,
    due: Vec<Due>,
) -> Result<Vec<Problem>, Failure> {
    // Dropped with this future, which ends the looks under way.
    let mut looks = JoinSet::new();
    for Due { question, .. } in due {
        let (observer, places) = (Arc::clone(observer), places.clone());
        looks.spawn(async move {
            let outcome = look_in_turn(&observer, &places, &question).await;
            (question.identifier, outcome)
        });
    }
    let (mut problems, mut all_looked_at) = (Vec::new(), true);
    while let Some(ended) = looks.join_next().await {
        let (identifier, outcome) = ended.map_err(anyhow::Error::from)?;
        let unmet = match outcome {
            Some(Ok(())) => continue,
            Some(Err(unmet)) => unmet,
            None => {
                all_looked_at = false;
                continue;
            }
        };
        let Some(problem) = unmet.problem else {
            return Err(anyhow::anyhow!("CAA records of {identifier}: {}", unmet.found).into());
        };
        let problem = Problem::new(problem.kind(), shortened(problem.detail()));
        problems.push((identifier.clone(), problem.about(identifier)));
    }
    if problems.is_empty() && !all_looked_at {
        return Err(Failure::Busy("there was no place for a look at CAA records"));
    }
    problems.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(problems.into_iter().map(|(_, problem)| problem).collect())
}

/// Looks once there is a place; `None` where there was none in time, which says nothing of the name.
async fn look_in_turn(
    observer: &Observer,
    places: &Places,
    question: &Question,
) -> Option<Result<(), Unmet>> {
    let (never, mut has_begun) = (CancellationToken::new(), false);
    let look = async {
        let _place = places.take().await?;
        has_begun = true;
        patiently(&PAUSES, &never, || look(observer, question)).await
    };
    match tokio::time::timeout(PATIENCE, look).await {
        Ok(outcome) => outcome,
        Err(_) if has_begun => Some(Err(took_too_long())),
        Err(_) => None,
    }
}

fn took_too_long() -> Unmet {
    let found = format!(
        "the CAA records could not be found out within {PATIENCE:?}: make their DNS servers answer faster, and \
         finalize again"
    );
    Unmet { problem: Some(Problem::new(ProblemType::Caa, &*found)), may_pass: true, found }
}
