//! What accounts and addresses may ask for in a length of time, kept in the store.
//!
//! Each function is called within the transaction of the change that it guards, so that a request that is
//! refused, for whatever reason, uses nothing up. A limit that is off costs nothing.
//!
//! A row is kept for each limit with its rate and each subject, so that a rate that the operator changes
//! starts afresh. What has been paid off is removed now and then.

#[cfg(test)]
mod tests;

use std::net::IpAddr;
use std::time::Duration;

use chancery_acme::identifier::IdentifierSet;
use chancery_acme::{Identifier, Problem};
use chancery_db::{Db, ReadTx, WriteTx};
use chancery_rate::{Rate, Refusal, Tat};
use chancery_time::Timestamp;
use chancery_web::network_of;

use super::Failure;
use crate::config::policy::Limits;
use crate::store::rates::{self, Key};
use crate::store::{authorizations, orders};

/// The names of the limits, as the configuration and the audit log have them.
pub(crate) mod name {
    pub(crate) const REQUESTS_PER_IP: &str = "requests_per_ip";
    pub(crate) const ABUSE_PER_IP: &str = "abuse_per_ip";
    pub(super) const ACCOUNTS_PER_IP: &str = "accounts_per_ip";
    pub(super) const ORDERS_PER_ACCOUNT: &str = "orders_per_account";
    pub(super) const NAMES_PER_ACCOUNT: &str = "names_per_account";
    pub(super) const CERTIFICATES_PER_NAMES: &str = "certificates_per_names";
    pub(super) const FAILED_VALIDATIONS: &str = "failed_validations";
    pub(super) const PENDING_AUTHORIZATIONS: &str = "pending_authorizations";
}

/// For how long nothing more is said of a limit that knows no length of time.
const QUIET: Duration = Duration::from_hours(1);
/// How many rows one look at those that may have been paid off takes in.
const PAGE: i64 = 1_000;

/// A limit that was reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reached {
    /// Its name.
    pub(crate) limit: &'static str,
    /// Whose it is: an address, an account, an account and a name, or a set of names.
    pub(crate) subject: String,
    pub(crate) account_id: Option<i64>,
    /// How much it allows.
    pub(crate) allowed: String,
    /// How long the client has to wait; `None` where no waiting helps.
    pub(crate) after: Option<Duration>,
    /// For how long the audit log need not hear of it again.
    pub(crate) quiet: Duration,
    detail: String,
}

impl Reached {
    /// One that a rate refused. `what` is what there is too much of.
    pub(crate) fn new(
        limit: &'static str,
        rate: Rate,
        what: &str,
        subject: String,
        refusal: Refusal,
    ) -> Self {
        let after = match refusal {
            Refusal::Wait { after, .. } => Some(after),
            _ => None,
        };
        Self {
            limit,
            subject,
            account_id: None,
            allowed: rate.to_string(),
            after,
            quiet: rate.per(),
            detail: format!("too many {what} ({limit}): {refusal}"),
        }
    }

    fn of_account(self, account_id: i64) -> Self {
        Self { account_id: Some(account_id), ..self }
    }

    /// What the client is told.
    pub(crate) fn problem(&self) -> Problem {
        Problem::rate_limited(self.detail.clone())
    }
}

/// An order, as the limits see it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ordering<'a> {
    pub(crate) account_id: i64,
    pub(crate) identifiers: &'a IdentifierSet,
    /// Whether it renews a certificate in time ([`super::renewals::replaced`]).
    pub(crate) is_exempt: bool,
}

impl Limits {
    /// Takes one new account from an address.
    pub(crate) fn take_account(
        &self,
        tx: &mut WriteTx<'_>,
        from: IpAddr,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let Some(rate) = self.accounts_per_ip else { return Ok(()) };
        let meter = Meter { limit: name::ACCOUNTS_PER_IP, rate, subject: network_of(from) };
        let refused = meter.take(tx, 1, now)?;
        refused.map_err(|refusal| meter.reached("new accounts from this address", refusal).into())
    }

    /// Takes a new order. One that renews a certificate in time is never refused: clients renew when the server's
    /// own renewal information tells them to.
    pub(crate) fn take_order(
        &self,
        tx: &mut WriteTx<'_>,
        order: Ordering<'_>,
        now: Timestamp,
    ) -> Result<(), Failure> {
        if order.is_exempt {
            return Ok(());
        }
        let names = u32::try_from(order.identifiers.as_slice().len()).unwrap_or(u32::MAX);
        if let Some(rate) = self.orders_per_account {
            let what = "orders of this account";
            take_of_account(tx, name::ORDERS_PER_ACCOUNT, rate, order.account_id, 1, what, now)?;
        }
        self.take_names(tx, order.account_id, names, now)?;
        self.ask_certificate(tx, order, now)
    }

    /// Takes so many names that an account asks for: in an order, or ahead of any.
    pub(crate) fn take_names(
        &self,
        tx: &mut WriteTx<'_>,
        account_id: i64,
        number: u32,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let Some(rate) = self.names_per_account else { return Ok(()) };
        let what = "names that this account asks for";
        take_of_account(tx, name::NAMES_PER_ACCOUNT, rate, account_id, number, what, now)
    }

    /// Asks whether one more certificate may be issued for a set of names. Those of the whole window are
    /// counted, those being issued with them, and those revoked left out.
    pub(crate) fn ask_certificate(
        &self,
        tx: &mut ReadTx<'_>,
        order: Ordering<'_>,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let Some(rate) = self.certificates_per_names.filter(|_| !order.is_exempt) else { return Ok(()) };
        let count = rate.count().get();
        let digest = order.identifiers.digest();
        let issued = orders::issued_for_names(tx, digest.as_ref(), now - rate.per(), now, i64::from(count))?;
        // The last of them has to leave the window first.
        let last = issued.last().filter(|_| issued.len() >= usize::try_from(count).unwrap_or(usize::MAX));
        let Some(last) = last else { return Ok(()) };
        let until = *last + rate.per();
        let refusal = Refusal::Wait { rate, until, after: until.since(now) };
        let subject = order.identifiers.canonical();
        let what = "certificates for exactly these names";
        let reached = Reached::new(name::CERTIFICATES_PER_NAMES, rate, what, subject, refusal);
        Err(reached.of_account(order.account_id).into())
    }

    /// Asks whether an account has no more pending authorizations than it may, those included that were made
    /// just now and lapse at `lapse_at`.
    pub(crate) fn ask_pending(
        &self,
        tx: &mut ReadTx<'_>,
        account_id: i64,
        lapse_at: Timestamp,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let Some(most) = self.pending_authorizations else { return Ok(()) };
        // Of those beyond the limit it is the last to lapse; then there is room for what is asked for.
        let beyond = authorizations::pending_beyond(tx, account_id, i64::from(most), now)?;
        let Some(until) = beyond else { return Ok(()) };
        let limit = name::PENDING_AUTHORIZATIONS;
        // Where even that one is new, the request alone asks for more than there may be.
        let (after, advice) = if until < lapse_at {
            let shown = until + Duration::from_millis(999);
            (
                Some(until.since(now)),
                format!("complete or deactivate some, or try again at {}", shown.whole_seconds()),
            )
        } else {
            (None, "ask for fewer names at once, and complete or deactivate what is pending".to_owned())
        };
        Err(Reached {
            limit,
            subject: account_id.to_string(),
            account_id: Some(account_id),
            allowed: most.to_string(),
            after,
            quiet: QUIET,
            detail: format!(
                "too many pending authorizations of this account ({limit}): the limit is {most}; {advice}"
            ),
        }
        .into())
    }

    /// Asks whether a name may be validated for an account, after what failed of late.
    pub(crate) fn ask_validation(
        &self,
        tx: &mut ReadTx<'_>,
        account_id: i64,
        identifier: &Identifier,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let Some(meter) = self.validations(account_id, identifier) else { return Ok(()) };
        let Err(refusal) = meter.ask(tx, now)? else { return Ok(()) };
        let what = format!("failed validations of {identifier} by this account");
        Err(meter.reached(&what, refusal).of_account(account_id).into())
    }

    /// Notes how a validation ended: a failure counts, a success makes up for all of them.
    pub(crate) fn note_validation(
        &self,
        tx: &mut WriteTx<'_>,
        account_id: i64,
        identifier: &Identifier,
        passed: bool,
        now: Timestamp,
    ) -> Result<(), chancery_db::Error> {
        let Some(meter) = self.validations(account_id, identifier) else { return Ok(()) };
        if passed {
            return rates::forget(tx, &meter.kind(), &meter.subject);
        }
        // Of several that ran at once, those beyond the limit make it no worse.
        meter.take(tx, 1, now).map(drop)
    }

    fn validations(&self, account_id: i64, identifier: &Identifier) -> Option<Meter> {
        let rate = self.failed_validations?;
        let subject = format!("{account_id} {}", identifier.canonical());
        Some(Meter { limit: name::FAILED_VALIDATIONS, rate, subject })
    }
}

/// Takes of a limit that an account has.
fn take_of_account(
    tx: &mut WriteTx<'_>,
    limit: &'static str,
    rate: Rate,
    account_id: i64,
    cost: u32,
    what: &str,
    now: Timestamp,
) -> Result<(), Failure> {
    let meter = Meter { limit, rate, subject: account_id.to_string() };
    let refused = meter.take(tx, cost, now)?;
    refused.map_err(|refusal| meter.reached(what, refusal).of_account(account_id).into())
}

/// One limit of one subject.
struct Meter {
    limit: &'static str,
    rate: Rate,
    subject: String,
}

impl Meter {
    fn take(
        &self,
        tx: &mut WriteTx<'_>,
        cost: u32,
        now: Timestamp,
    ) -> Result<Result<(), Refusal>, chancery_db::Error> {
        let kind = self.kind();
        let stored = rates::find(tx, &kind, &self.subject)?;
        match take(self.rate, stored, cost, now) {
            Ok(tat) => rates::keep(tx, &kind, &self.subject, tat).map(Ok),
            Err(refusal) => Ok(Err(refusal)),
        }
    }

    /// Whether one could be taken.
    fn ask(&self, tx: &mut ReadTx<'_>, now: Timestamp) -> Result<Result<(), Refusal>, chancery_db::Error> {
        let stored = rates::find(tx, &self.kind(), &self.subject)?;
        Ok(take(self.rate, stored, 1, now).map(drop))
    }

    fn kind(&self) -> String {
        format!("{} {}", self.limit, self.rate)
    }

    fn reached(self, what: &str, refusal: Refusal) -> Reached {
        Reached::new(self.limit, self.rate, what, self.subject, refusal)
    }
}

/// As [`Rate::take`], but for what only a clock that was set back explains, which is forgotten: nobody can owe
/// more than twice the rate's length of time.
pub(crate) fn take(rate: Rate, stored: Option<Tat>, cost: u32, now: Timestamp) -> Result<Tat, Refusal> {
    let most = Tat::from(now + 2 * rate.per());
    rate.take(stored.filter(|tat| *tat <= most), cost, now)
}

/// Removes rows that are worth as much as none from the next page of them, and returns where the page after
/// that begins; from the beginning again once all have been seen.
pub(crate) async fn prune(db: &Db, after: Key, now: Timestamp) -> Result<Key, Failure> {
    let page = db.read(move |tx| rates::page(tx, &after, now, PAGE)).await?;
    let is_full = i64::try_from(page.len()).is_ok_and(|rows| rows >= PAGE);
    let next = page.last().filter(|_| is_full).map(|(key, _)| key.clone()).unwrap_or_default();
    let paid_off: Vec<Key> = page.into_iter().filter(|(_, paid_off)| *paid_off).map(|(key, _)| key).collect();
    if !paid_off.is_empty() {
        db.write(move |tx| paid_off.iter().try_for_each(|key| rates::forget_paid_off(tx, key, now))).await?;
    }
    Ok(next)
}
