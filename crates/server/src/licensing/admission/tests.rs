//! Which orders are admitted, in every state and at every limit.

use std::convert::Infallible;

use chancery_license::state::{AfterGrace, InvalidReason};
use chancery_license::{Configuration, Database, Feature, Plan};

use super::super::build;
use super::super::snapshot::Snapshot;
use super::super::testing::{
    DAY, configuration, empty, in_window, license, license_with, licensed, revoked, today,
};
use super::*;

/// An account, and what there is besides.
#[derive(Debug, Clone, Copy)]
struct Account {
    is_renewal: bool,
    is_managed: bool,
    managed_servers: u64,
    certificates: u64,
}

const NEW: Account = Account { is_renewal: false, is_managed: false, managed_servers: 0, certificates: 0 };
const MANAGED: Account = Account { is_managed: true, managed_servers: 1, certificates: 1, ..NEW };
const RENEWAL: Account = Account { is_renewal: true, ..MANAGED };

impl Applicant for Account {
    type Error = Infallible;

    fn is_renewal(&mut self) -> Result<bool, Infallible> {
        Ok(self.is_renewal)
    }
    fn is_managed(&mut self) -> Result<bool, Infallible> {
        Ok(self.is_managed)
    }
    fn managed_servers(&mut self) -> Result<u64, Infallible> {
        Ok(self.managed_servers)
    }
    fn certificates(&mut self) -> Result<u64, Infallible> {
        Ok(self.certificates)
    }
}

/// The reasons for a refusal; none where the order is admitted.
fn reasons(
    snapshot: &Snapshot,
    configuration: Configuration,
    now: Timestamp,
    mut account: Account,
) -> Vec<&'static str> {
    let times = snapshot.record.map(|record| record.times);
    let basis = Basis::new(snapshot, configuration, now, times, &build());
    match basis.admit(&mut account).unwrap() {
        Ok(Licensed(_)) => Vec::new(),
        Err(denied) => {
            let reasons = denied.reasons();
            let problem = Problem::from(denied);
            assert_eq!(problem.status(), 403);
            for reason in &reasons {
                assert!(problem.detail().contains(reason), "{reason}: {}", problem.detail());
            }
            reasons
        }
    }
}

fn sqlite() -> Configuration {
    configuration(Database::Sqlite, 1)
}

const NONE: [&str; 0] = [];

/// State by state: what becomes of a new order, and what of a renewal.
#[test]
fn every_state_says_what_it_admits() {
    let pro = || license(Plan::Pro);
    let blocking = || {
        let mut facts = pro();
        facts.terms.after_grace = AfterGrace::Block;
        facts
    };
    let mut early = pro();
    early.terms.not_before = today() + 300 * DAY;
    early.terms.expires = today() + 400 * DAY;
    let mut invalid = empty();
    invalid.held.documents.licenses.push(Err(InvalidReason::Malformed));
    let damaged = Snapshot { record: None, ..licensed(pro()) };
    let lost = Snapshot { record: None, ..in_window(Plan::Pro, today() + 100 * DAY) };
    let window = in_window(Plan::Pro, today() + 10 * DAY);

    /// What it is, on which day, and the reasons why a new order and a renewal are refused.
    type Row = (&'static str, Snapshot, u32, &'static [&'static str], &'static [&'static str]);
    let rows: [Row; 15] = [
        ("valid", licensed(pro()), 29, &[], &[]),
        ("grace", licensed(pro()), 36, &[], &[]),
        ("expired, renewals only", licensed(pro()), 37, &["license_expired"], &[]),
        ("expired, block, in grace", licensed(blocking()), 36, &[], &[]),
        ("expired, block", licensed(blocking()), 37, &["license_expired"], &["license_expired"]),
        ("revoked", revoked(pro()), 1, &["license_revoked"], &["license_revoked"]),
        ("revoked, past grace", revoked(pro()), 99, &["license_revoked"], &["license_revoked"]),
        ("invalid", invalid, 1, &["license_invalid"], &["license_invalid"]),
        ("record gone", damaged, 1, &["license_invalid"], &["license_invalid"]),
        ("not yet valid", licensed(early), 1, &["license_not_yet_valid"], &["license_not_yet_valid"]),
        ("no licence", empty(), 1, &["no_license"], &["no_license"]),
        ("window open", window.clone(), 9, &[], &[]),
        ("window elapsed", window, 10, &["cold_start_elapsed"], &[]),
        ("window, record gone", lost, 1, &["no_license"], &["no_license"]),
        ("grace of none", licensed(license_without_grace()), 30, &["license_expired"], &[]),
    ];
    for (what, snapshot, days, new, renewal) in rows {
        let now = today() + days * DAY;
        assert_eq!(reasons(&snapshot, sqlite(), now, NEW), new, "{what}: new");
        assert_eq!(reasons(&snapshot, sqlite(), now, MANAGED), new, "{what}: new names, known account");
        assert_eq!(reasons(&snapshot, sqlite(), now, RENEWAL), renewal, "{what}: renewal");
    }
}

fn license_without_grace() -> crate::licensing::facts::Facts {
    let mut facts = license(Plan::Pro);
    facts.terms.grace = std::time::Duration::ZERO;
    facts
}

/// Every denial of the seed and of the JWT limits, and that renewals pass all of them.
#[test]
fn every_limit_denies_new_orders_and_no_renewal() {
    let postgres = configuration(Database::Postgres, 1);
    let twenty_five = Account { managed_servers: 25, ..NEW };
    let three = Account { certificates: 3, managed_servers: 1, is_managed: true, ..NEW };
    let of_three = || license_with(|allowed| allowed.max_certificates = Limit::AtMost(3));
    let no_servers = || license_with(|allowed| allowed.max_managed_servers = Limit::Forbidden);
    let no_certificates = || license_with(|allowed| allowed.max_certificates = Limit::Forbidden);
    let no_acme = || license_with(|allowed| allowed.features = [Feature::Api].into());
    let free = || license(Plan::Free);

    let rows: [(&str, Snapshot, Configuration, Account); 9] = [
        ("db_not_allowed", licensed(free()), postgres, NEW),
        ("max_cas_exceeded", licensed(free()), configuration(Database::Sqlite, 2), NEW),
        ("managed_servers_exceeded", licensed(free()), sqlite(), twenty_five),
        ("max_managed_servers_zero", licensed(no_servers()), sqlite(), NEW),
        ("max_managed_servers_zero", licensed(no_servers()), sqlite(), MANAGED),
        ("certificates_exceeded", licensed(of_three()), sqlite(), three),
        ("certificates_exceeded", licensed(no_certificates()), sqlite(), NEW),
        ("feature_not_licensed", licensed(no_acme()), sqlite(), NEW),
        ("managed_servers_exceeded", in_window(Plan::Free, today() + DAY), sqlite(), twenty_five),
    ];
    for (reason, snapshot, configuration, account) in rows {
        assert_eq!(reasons(&snapshot, configuration, today(), account), [reason]);
        let renewal = Account { is_renewal: true, is_managed: true, ..account };
        assert_eq!(reasons(&snapshot, configuration, today(), renewal), NONE, "{reason}");
    }
}

#[test]
fn the_last_place_can_be_taken() {
    let free = licensed(license(Plan::Free));
    let taken = |managed_servers| Account { managed_servers, ..NEW };
    assert_eq!(reasons(&free, sqlite(), today(), taken(24)), NONE);
    assert_eq!(reasons(&free, sqlite(), today(), taken(25)), ["managed_servers_exceeded"]);
    // An account that holds a certificate takes no further place.
    let held = Account { is_managed: true, ..taken(25) };
    assert_eq!(reasons(&free, sqlite(), today(), held), NONE);
    assert_eq!(reasons(&free, sqlite(), today(), Account { managed_servers: 26, ..held }), NONE);
}

#[test]
fn all_reasons_are_told_at_once() {
    let snapshot = licensed(license(Plan::Free));
    let account = Account { managed_servers: 25, ..NEW };
    let told = reasons(&snapshot, configuration(Database::Postgres, 2), today() + 99 * DAY, account);
    let all = ["license_expired", "db_not_allowed", "max_cas_exceeded", "managed_servers_exceeded"];
    assert_eq!(told, all);
}

/// The store is not asked for numbers that no limit depends on.
#[test]
fn without_limits_nothing_is_counted() {
    struct Uncounted;
    impl Applicant for Uncounted {
        type Error = &'static str;

        fn is_renewal(&mut self) -> Result<bool, Self::Error> {
            Err("asked for a renewal")
        }
        fn is_managed(&mut self) -> Result<bool, Self::Error> {
            Err("asked for the account")
        }
        fn managed_servers(&mut self) -> Result<u64, Self::Error> {
            Err("counted servers")
        }
        fn certificates(&mut self) -> Result<u64, Self::Error> {
            Err("counted certificates")
        }
    }
    let snapshot = licensed(license(Plan::Enterprise));
    let basis =
        Basis::new(&snapshot, sqlite(), today(), snapshot.record.map(|record| record.times), &build());
    assert!(matches!(basis.admit(&mut Uncounted), Ok(Ok(Licensed(Cause::New { .. })))));
}

/// A clock that is set back gives no new day: the licence is judged at the highest time seen.
#[test]
fn a_clock_set_back_gains_nothing() {
    let snapshot = licensed(license(Plan::Pro));
    let seen = snapshot.record.unwrap().times;
    // So much time has passed while the server ran.
    let seen = seen.ran(today() + 50 * DAY, std::time::Duration::from_secs(86_400 * 1_050));
    let basis = Basis::new(&snapshot, sqlite(), today(), Some(seen), &build());
    let denied = basis.admit(&mut NEW.clone()).unwrap().unwrap_err();
    assert_eq!(denied.reasons(), ["license_expired"]);
}
