//! What the store remembers of licences, under a MAC.
//!
//! The MAC covers the installation's key as well, so that the record of another installation does not
//! pass for this one's. Its key lies in the same store: it keeps rows from being edited by hand, not a
//! determined owner of the database from computing it anew.

use std::cmp::Ordering;
use std::time::Duration;

use aws_lc_rs::hmac;
use chancery_license::state::Edition;
use chancery_license::watermark::moved;
use chancery_license::{Build, InstallationKey, Watermark};
use chancery_time::Timestamp;
use serde::{Deserialize, Serialize};

/// Sets these MACs apart from any other use of the secret.
const LABEL: &[u8] = b"chancery licence record 1\0";
const MAC_LENGTH: usize = 32;

/// The record. A field that is added once there are records has a default, so that those still open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Record {
    /// How far the time has come.
    pub(crate) times: Times,
    /// When the first ACME account was served, from which the cap of cold starts counts.
    pub(crate) first_account_at: Option<Timestamp>,
    /// The number of the newest key manifest admitted; 0 where there was none.
    pub(crate) key_manifest: u64,
    /// Whether the licence that was in effect last was revoked. Taking it away does not help then.
    pub(crate) is_revoked: bool,
    /// The emergency grace that the operator took.
    pub(crate) forced_grace: Option<ForcedGrace>,
}

/// How far the time has come, by what this installation has seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Times {
    /// The highest trustworthy time, and the newest documents seen.
    pub(crate) watermark: Watermark,
    /// The time by which windows are judged. Unlike the watermark it begins with the clock of the first
    /// start: a window that was opened by a clock must not last longer when that clock is set back. A clock
    /// that was wrong then harms no licence, which this time says nothing of.
    pub(crate) of_windows: Timestamp,
    /// How often the vendor told the time. Of two watermarks the one that was anchored more often counts: it
    /// knows a time that the other one does not, even where that is the earlier one.
    #[serde(default)]
    pub(crate) anchored: u64,
}

impl Times {
    /// The times after the process ran for `elapsed`; see [`Watermark::ran`].
    pub(crate) fn ran(self, now: Timestamp, elapsed: Duration) -> Self {
        Self {
            watermark: self.watermark.ran(now, elapsed),
            of_windows: moved(self.of_windows, now, elapsed),
            ..self
        }
    }

    /// These times, which are the record's, with what another process of this installation knows: none
    /// of them before the other's, unless the vendor told the time since the other one looked.
    pub(crate) fn at_least(self, other: Self) -> Self {
        let of_windows = self.of_windows.max(other.of_windows);
        match self.anchored.cmp(&other.anchored) {
            Ordering::Greater => Self { of_windows, ..self },
            Ordering::Equal => {
                Self { watermark: self.watermark.at_least(other.watermark), of_windows, ..self }
            }
            // The record was put back to an older one under a running server.
            Ordering::Less => Self {
                watermark: self.watermark.re_anchored(other.watermark.time()),
                of_windows,
                anchored: other.anchored,
            },
        }
    }

    /// The times after the vendor told the time, in an answer whose freshness is proven; see
    /// [`Watermark::re_anchored`]. Windows are no licences: what the vendor says never lengthens them, so that
    /// their time moves ahead alone.
    pub(crate) fn re_anchored(self, answered: Timestamp) -> Self {
        Self {
            watermark: self.watermark.re_anchored(answered),
            of_windows: self.of_windows.max(answered),
            anchored: self.anchored.saturating_add(1),
        }
    }
}

/// An emergency grace: once for each issue of a licence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ForcedGrace {
    pub(crate) edition: Edition,
    pub(crate) until: Timestamp,
}

impl Record {
    /// The record of an installation that has just been made.
    pub(crate) const fn starting(build: &Build, now: Timestamp) -> Self {
        Self {
            times: Times { watermark: Watermark::starting(build), of_windows: now, anchored: 0 },
            first_account_at: None,
            key_manifest: 0,
            is_revoked: false,
            forced_grace: None,
        }
    }

    /// The record with a first account that is not later than `now`: one that seems to be was served by a
    /// clock that was ahead, and counts from now.
    pub(crate) fn with_honest_anchor(self, now: Timestamp) -> Self {
        let now = now.max(self.times.of_windows);
        Self { first_account_at: self.first_account_at.map(|at| at.min(now)), ..self }
    }

    /// The record with the watermark that a judgement asks to be remembered.
    pub(crate) fn remembering(self, watermark: Option<Watermark>) -> Self {
        let watermark = watermark.unwrap_or(self.times.watermark);
        Self { times: Times { watermark, ..self.times }, ..self }
    }
}

/// What seals and opens records.
pub(crate) struct RecordSeal {
    key: hmac::Key,
    installation: InstallationKey,
}

impl RecordSeal {
    pub(crate) fn new(secret: &[u8], installation: &InstallationKey) -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, secret), installation: installation.clone() }
    }

    /// The record as it is stored: the MAC, then JSON.
    pub(crate) fn seal(&self, record: &Record) -> Vec<u8> {
        // A struct of numbers and texts always has a JSON form.
        let json = serde_json::to_vec(record).unwrap_or_default();
        let mut sealed = hmac::sign(&self.key, &self.message(&json)).as_ref().to_vec();
        sealed.extend_from_slice(&json);
        sealed
    }

    /// The record, where it was sealed for this installation and not touched since.
    pub(crate) fn open(&self, sealed: &[u8]) -> Option<Record> {
        let (mac, json) = sealed.split_at_checked(MAC_LENGTH)?;
        hmac::verify(&self.key, &self.message(json), mac).ok()?;
        serde_json::from_slice(json).ok()
    }

    fn message(&self, json: &[u8]) -> Vec<u8> {
        [LABEL, self.installation.as_str().as_bytes(), b"\0", json].concat()
    }
}

impl std::fmt::Debug for RecordSeal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RecordSeal").field("installation", &self.installation).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::licensing::build;

    #[test]
    fn a_record_opens_as_it_was_sealed_and_only_here() {
        let key = |byte| InstallationKey::from_random(&[byte; 29]);
        let seal = RecordSeal::new(&[1; 32], &key(1));
        let record = Record {
            first_account_at: Some(Timestamp::from_unix_seconds(1_000)),
            forced_grace: Some(ForcedGrace {
                edition: Edition { serial: 3, issued: Timestamp::from_unix_seconds(5) },
                until: Timestamp::from_unix_seconds(2_000),
            }),
            ..Record::starting(&build(), Timestamp::from_unix_seconds(900))
        };
        let sealed = seal.seal(&record);
        assert_eq!(seal.open(&sealed), Some(record));

        for index in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[index] ^= 1;
            assert_eq!(seal.open(&altered), None, "byte {index}");
        }
        assert_eq!(seal.open(&sealed[..20]), None);
        assert_eq!(RecordSeal::new(&[2; 32], &key(1)).open(&sealed), None);
        assert_eq!(RecordSeal::new(&[1; 32], &key(2)).open(&sealed), None);
    }

    #[test]
    fn a_record_from_before_the_vendor_told_the_time_opens() {
        let seal = RecordSeal::new(&[1; 32], &InstallationKey::from_random(&[1; 29]));
        let record = Record::starting(&build(), Timestamp::from_unix_seconds(900));
        let json = serde_json::to_string(&record).unwrap().replace(",\"anchored\":0", "");
        assert!(!json.contains("anchored"));
        let mut sealed = hmac::sign(&seal.key, &seal.message(json.as_bytes())).as_ref().to_vec();
        sealed.extend_from_slice(json.as_bytes());
        assert_eq!(seal.open(&sealed), Some(record));
    }

    const HOUR: Duration = Duration::from_secs(3_600);

    fn times(hours: u32) -> Times {
        let start = Record::starting(&build(), build().date).times;
        start.ran(build().date + 1_000 * HOUR, hours * HOUR)
    }

    #[test]
    fn what_another_process_saw_before_the_vendor_told_the_time_does_not_undo_it() {
        let before = times(500);
        let told = build().date + 10 * HOUR;
        let anchored = before.re_anchored(told);
        assert_eq!(anchored.watermark.time(), told);
        assert_eq!(anchored.of_windows, before.of_windows, "windows are not lengthened");

        let merged = anchored.at_least(before.ran(told, HOUR));
        assert_eq!(merged.watermark.time(), told);
        assert_eq!(merged.of_windows, before.of_windows + HOUR);

        // From then on it moves as it did before, whoever moves it.
        let ran = anchored.ran(told, 2 * HOUR);
        assert_eq!(merged.at_least(ran).watermark.time(), told + 2 * HOUR);
        assert_eq!(before.at_least(ran).watermark.time(), told + 2 * HOUR);
        assert_eq!(before.at_least(ran).anchored, 1);
    }

    #[test]
    fn the_vendor_moves_the_times_ahead_too() {
        let told = build().date + 5_000 * HOUR;
        let anchored = times(500).re_anchored(told);
        assert_eq!((anchored.watermark.time(), anchored.of_windows), (told, told));
    }
}
