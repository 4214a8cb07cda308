//! All that bears on what the server may do, as the store has it at one instant, and what it is worth.

use chancery_db::ReadTx;
use chancery_license::state::Warning;
use chancery_license::{Build, State, Watermark, state};
use chancery_time::Timestamp;

use super::change::{FORCED_GRACE, Office};
use super::cold_start;
use super::facts::Facts;
use super::held::Held;
use super::portal::call_home;
use super::record::{Record, Times};
use crate::store::cold_start::{self as windows, Window};
use crate::store::licenses::{self, Acknowledgement};
use crate::store::{accounts, portal as contacts, settings};

/// The state of the store.
#[derive(Debug, Clone)]
pub(crate) struct Snapshot {
    pub(crate) held: Held,
    /// `None` where the record is missing or was touched by another hand.
    pub(crate) record: Option<Record>,
    pub(crate) window: Option<Window>,
    pub(crate) acknowledgement: Option<Acknowledgement>,
    /// When the first ACME account was served: the earliest of what the record, the account's row and the
    /// audit log say.
    pub(crate) first_account_at: Option<Timestamp>,
    /// The number of changes so far.
    pub(crate) changes: u64,
}

/// What a snapshot is worth at an instant.
#[derive(Debug, Clone)]
pub(crate) struct Judged<'a> {
    pub(crate) state: State,
    /// The licence that the state speaks of.
    pub(crate) license: Option<&'a Facts>,
    /// Never before the highest trustworthy time seen.
    pub(crate) judged_at: Timestamp,
    /// The time by which the window is judged; see [`Times::of_windows`].
    pub(crate) windows_judged_at: Timestamp,
    pub(crate) warnings: Vec<Warning>,
    /// What has to be remembered from now on.
    pub(crate) watermark: Option<Watermark>,
    /// Whether the grace is the emergency one.
    pub(crate) is_forced_grace: bool,
}

impl Snapshot {
    /// Reads everything; every document is verified anew.
    pub(crate) fn read(tx: &mut ReadTx<'_>, office: &Office) -> Result<Self, chancery_db::Error> {
        let Office { installation, anchors, logged_first_account, is_online, .. } = office;
        let record = installation.record(tx)?;
        let keys_needed = record.map_or(0, |record| record.key_manifest);
        let documents = licenses::documents(tx)?;
        let remembered = record.and_then(|record| record.first_account_at);
        let first_row = accounts::first_created_at(tx)?;
        let call_home = call_home(&contacts::contact(tx)?, *is_online);
        Ok(Self {
            held: Held::new(anchors, &documents, &installation.key, keys_needed, call_home),
            record,
            window: windows::find(tx)?,
            acknowledgement: licenses::acknowledgement(tx)?,
            first_account_at: [remembered, first_row, *logged_first_account].into_iter().flatten().min(),
            changes: changes(tx)?,
        })
    }

    /// The snapshot as it would be with one more licence in effect, which ends a cold start.
    pub(crate) fn with_license(mut self, facts: Facts) -> Self {
        self.held.documents.licenses.push(Ok(facts.terms.clone()));
        self.held.licenses.push((0, facts));
        self.window = None;
        self
    }

    /// What it is worth at `now`, by the times of the record.
    pub(crate) fn judge(&self, now: Timestamp, build: &Build) -> Judged<'_> {
        self.judge_under(now, self.record.map(|record| record.times), build)
    }

    /// What it is worth at `now`, by times that have moved on since the record was read.
    pub(crate) fn judge_under(&self, now: Timestamp, times: Option<Times>, build: &Build) -> Judged<'_> {
        let watermark = times.map(|times| times.watermark);
        let judgement = state(&self.held.documents, now, watermark, build);
        let of_edition = |facts: &&Facts| Some(facts.terms.edition) == judgement.edition;
        let mut licenses = self.held.licenses.iter().map(|(_, facts)| facts);
        let mut judged = Judged {
            // Of two with the same edition the state function takes the later one as well.
            license: licenses.rfind(of_edition),
            state: judgement.state,
            judged_at: judgement.judged_at,
            windows_judged_at: times
                .map_or(judgement.judged_at, |times| times.of_windows.max(judgement.judged_at)),
            warnings: judgement.warnings,
            watermark: judgement.watermark,
            is_forced_grace: false,
        };
        if let Some(forced) = self.record.and_then(|record| record.forced_grace)
            && matches!(judged.state, State::Expired { .. })
            && Some(forced.edition) == judgement.edition
            && judged.judged_at < forced.until
            // One that was taken by a clock far ahead does not count before its time.
            && forced.until <= judged.judged_at + FORCED_GRACE
        {
            judged.state = State::Grace { until: forced.until };
            judged.is_forced_grace = true;
        }
        judged
    }

    /// The window, as far as it counts: not where the record of what was seen is gone, and never beyond
    /// the cap, whatever its row says. See [`cold_start::is_open`].
    pub(crate) fn usable_window(&self) -> Option<Window> {
        let cap = self.cold_start_cap().unwrap_or(Timestamp::MAX);
        let window = self.record.and(self.window);
        window.map(|window| Window { ends_at: window.ends_at.min(cap), ..window })
    }

    /// When cold starts end for good; `None` while no account has been served.
    pub(crate) fn cold_start_cap(&self) -> Option<Timestamp> {
        self.first_account_at.map(cold_start::cap_at)
    }
}

/// The number of changes so far.
pub(crate) fn changes(tx: &mut ReadTx<'_>) -> Result<u64, chancery_db::Error> {
    let stored = settings::find(tx, settings::LICENSE_CHANGES)?;
    Ok(stored.and_then(|bytes| bytes.try_into().ok()).map_or(0, u64::from_be_bytes))
}

/// Tells the running servers that something changed.
pub(crate) fn note_change(tx: &mut chancery_db::WriteTx<'_>) -> Result<(), chancery_db::Error> {
    let next = changes(tx)?.wrapping_add(1);
    settings::set(tx, settings::LICENSE_CHANGES, &next.to_be_bytes())
}
