//! Every row of the tables on what a start comes to.

use chancery_license::{Database, Feature, Limit, Plan};

use super::super::testing::{
    DAY, configuration, empty, in_window, license, license_with, licensed, revoked, today,
};
use super::super::{acknowledgement, build};
use super::*;
use crate::licensing::facts::Facts;
use crate::licensing::record::ForcedGrace;

fn boot_at(snapshot: &Snapshot, configuration: Configuration, usage: Usage, now: Timestamp) -> Boot {
    decide(snapshot, &snapshot.judge(now, &build()), configuration, usage)
}

fn boot(snapshot: &Snapshot, configuration: Configuration) -> Boot {
    boot_at(snapshot, configuration, Usage::default(), today())
}

fn sqlite() -> Configuration {
    configuration(Database::Sqlite, 1)
}

fn names(boot: &Boot) -> Vec<&'static str> {
    match boot {
        Boot::Degraded { reasons, .. } | Boot::Refused(BootRefusal::Degraded { reasons, .. }) => {
            reasons.iter().map(|reason| reason.name()).collect()
        }
        other => panic!("not degraded: {other:?}"),
    }
}

fn acknowledged(facts: &Facts, configuration: Configuration) -> Acknowledgement {
    let hash = acknowledgement::binding(facts, configuration);
    Acknowledgement { hash, reasons: vec!["any".to_owned()], at: today() }
}

#[test]
fn without_a_licence_only_an_open_window_lets_it_run() {
    let end = today() + DAY;
    assert_eq!(boot(&empty(), sqlite()), Boot::Refused(BootRefusal::NoLicense));
    for plan in Plan::ALL {
        let window = Window { plan, ends_at: end };
        let snapshot = in_window(plan, end);
        let at = |now| boot_at(&snapshot, sqlite(), Usage::default(), now);
        assert_eq!(boot(&snapshot, sqlite()), Boot::ColdStart { window, misfits: vec![] });
        assert_eq!(at(end), Boot::Refused(BootRefusal::WindowElapsed { window, cap: None }));
    }
}

#[test]
fn a_window_warns_of_what_does_not_fit_and_never_refuses() {
    let snapshot = in_window(Plan::Free, today() + DAY);
    let Boot::ColdStart { misfits, .. } = boot(&snapshot, configuration(Database::Postgres, 2)) else {
        panic!("refused");
    };
    let names: Vec<_> = misfits.into_iter().map(Misfit::reason).collect();
    assert_eq!(names, ["db_not_allowed", "max_cas_exceeded"]);
}

#[test]
fn a_window_without_the_record_is_none() {
    let snapshot = Snapshot { record: None, ..in_window(Plan::Free, today() + DAY) };
    assert_eq!(boot(&snapshot, sqlite()), Boot::Refused(BootRefusal::RecordDamaged));
    let snapshot = Snapshot { record: None, ..licensed(license(Plan::Pro)) };
    let refused = Boot::Refused(BootRefusal::Invalid(InvalidReason::WatermarkMissing));
    assert_eq!(boot(&snapshot, sqlite()), refused);
}

#[test]
fn a_licence_in_force_or_in_grace_is_conforming() {
    let snapshot = licensed(license(Plan::Free));
    for days in [0, 29, 30, 36] {
        let booted = boot_at(&snapshot, sqlite(), Usage::default(), today() + days * DAY);
        assert_eq!(booted, Boot::Conforming, "day {days}");
    }
}

/// Every reason, from the one thing that causes it.
#[test]
fn each_reason_is_found_and_refuses_until_acknowledged() {
    let none = Usage::default();
    let servers = |managed_servers| Usage { managed_servers, ..none };
    let rows: [(&str, Facts, Configuration, Usage, u32); 9] = [
        ("db_not_allowed", license(Plan::Free), configuration(Database::Postgres, 1), none, 0),
        ("max_cas_exceeded", license(Plan::Free), configuration(Database::Sqlite, 2), none, 0),
        ("managed_servers_exceeded", license(Plan::Free), sqlite(), servers(26), 0),
        (
            "max_managed_servers_zero",
            license_with(|allowed| allowed.max_managed_servers = Limit::Forbidden),
            sqlite(),
            none,
            0,
        ),
        ("license_expired", license(Plan::Free), sqlite(), none, 37),
        (
            "certificates_exceeded",
            license_with(|allowed| allowed.max_certificates = Limit::AtMost(3)),
            sqlite(),
            Usage { certificates: 4, ..none },
            0,
        ),
        (
            "users_exceeded",
            license_with(|allowed| allowed.max_users = Limit::AtMost(3)),
            sqlite(),
            Usage { users: 4, ..none },
            0,
        ),
        (
            "profiles_exceeded",
            license_with(|allowed| allowed.max_profiles = Limit::AtMost(1)),
            sqlite(),
            Usage { profiles: 2, ..none },
            0,
        ),
        (
            "feature_not_licensed",
            license_with(|allowed| allowed.features = [Feature::Api].into()),
            sqlite(),
            none,
            0,
        ),
    ];
    for (reason, facts, configuration, usage, days) in rows {
        let now = today() + days * DAY;
        let mut snapshot = licensed(facts.clone());
        let refused = boot_at(&snapshot, configuration, usage, now);
        assert!(matches!(refused, Boot::Refused(BootRefusal::Degraded { .. })), "{reason}: {refused:?}");
        assert_eq!(names(&refused), [reason]);

        snapshot.acknowledgement = Some(acknowledged(&facts, configuration));
        let served = boot_at(&snapshot, configuration, usage, now);
        assert!(matches!(served, Boot::Degraded { .. }), "{reason}: {served:?}");
        assert_eq!(names(&served), [reason]);
    }
}

#[test]
fn all_reasons_are_named_at_once() {
    let snapshot = licensed(license(Plan::Free));
    let usage = Usage { managed_servers: 26, ..Usage::default() };
    let refused = boot_at(&snapshot, configuration(Database::Postgres, 2), usage, today() + 37 * DAY);
    let all = ["license_expired", "db_not_allowed", "max_cas_exceeded", "managed_servers_exceeded"];
    assert_eq!(names(&refused), all);
}

/// At the limit is within it.
#[test]
fn what_is_just_within_the_limits_conforms() {
    let usage = Usage { managed_servers: 25, ..Usage::default() };
    let snapshot = licensed(license(Plan::Free));
    assert_eq!(boot_at(&snapshot, sqlite(), usage, today()), Boot::Conforming);
    let snapshot = licensed(license(Plan::Pro));
    assert_eq!(boot(&snapshot, configuration(Database::Postgres, 3)), Boot::Conforming);
}

/// The acknowledgement is voided by a change of the plan's limits, of the number of authorities, of the
/// database, and by nothing else.
#[test]
fn what_voids_an_acknowledgement() {
    let facts = license(Plan::Free);
    let two = configuration(Database::Sqlite, 2);
    let known = acknowledged(&facts, two);
    let stands = |facts: Facts, configuration: Configuration, usage: Usage, days: u32| {
        let mut snapshot = licensed(facts);
        snapshot.acknowledgement = Some(known.clone());
        match boot_at(&snapshot, configuration, usage, today() + days * DAY) {
            Boot::Degraded { .. } => true,
            Boot::Refused(BootRefusal::Degraded { .. }) => false,
            other => panic!("not degraded: {other:?}"),
        }
    };
    let none = Usage::default();
    assert!(stands(facts.clone(), two, none, 0), "as it was acknowledged");

    // The plan.
    let mut starter = license(Plan::Starter);
    starter.entitlements.max_authorities = Limit::AtMost(1);
    assert!(!stands(starter, two, none, 0), "another plan");
    let limits: [fn(&mut Facts); 7] = [
        |facts| facts.entitlements.allowed_databases = chancery_license::Set::all(),
        |facts| facts.entitlements.max_authorities = Limit::Forbidden,
        |facts| facts.entitlements.max_managed_servers = Limit::AtMost(26),
        |facts| facts.entitlements.max_certificates = Limit::AtMost(1_000),
        |facts| facts.entitlements.max_users = Limit::AtMost(1_000),
        |facts| facts.entitlements.max_profiles = Limit::AtMost(1_000),
        |facts| facts.entitlements.features = [Feature::Acme, Feature::Api].into(),
    ];
    for (index, change) in limits.into_iter().enumerate() {
        let mut changed = facts.clone();
        change(&mut changed);
        assert!(!stands(changed, two, none, 0), "limit {index}");
    }
    // The authorities, the database.
    assert!(!stands(facts.clone(), configuration(Database::Sqlite, 3), none, 0));
    assert!(!stands(facts.clone(), configuration(Database::Postgres, 2), none, 0));

    // Nothing else: use, time, renewal, holder.
    for managed_servers in [1, 26, 1_000] {
        let usage = Usage { managed_servers, certificates: 5, ..none };
        assert!(stands(facts.clone(), two, usage, 0), "{managed_servers} servers");
    }
    assert!(stands(facts.clone(), two, none, 37), "expired since");
    let mut renewed = facts;
    renewed.terms.edition.serial = 2;
    renewed.terms.id = "lic-2".to_owned();
    renewed.terms.expires = today() + 400 * DAY;
    renewed.organisation = "Another name".to_owned();
    assert!(stands(renewed, two, none, 0), "renewed under the same plan");
}

#[test]
fn revoked_invalid_and_not_yet_valid_are_never_acknowledged() {
    let facts = license(Plan::Pro);
    let with_word = |mut snapshot: Snapshot| {
        snapshot.acknowledgement = Some(acknowledged(&facts, sqlite()));
        snapshot
    };
    let snapshot = with_word(revoked(facts.clone()));
    assert_eq!(boot(&snapshot, sqlite()), Boot::Refused(BootRefusal::Revoked));

    let mut snapshot = with_word(empty());
    snapshot.held.documents.licenses.push(Err(InvalidReason::BadSignature));
    let refused = Boot::Refused(BootRefusal::Invalid(InvalidReason::BadSignature));
    assert_eq!(boot(&snapshot, sqlite()), refused);

    let mut early = facts.clone();
    early.terms.not_before = today() + 5 * DAY;
    let snapshot = with_word(licensed(early.clone()));
    let refused = Boot::Refused(BootRefusal::NotYetValid { from: today() + 5 * DAY });
    assert_eq!(boot(&snapshot, sqlite()), refused);

    // A window bridges the time until then.
    let window = Window { plan: Plan::Free, ends_at: today() + DAY };
    let snapshot = Snapshot { window: Some(window), ..licensed(early) };
    assert_eq!(boot(&snapshot, sqlite()), Boot::ColdStart { window, misfits: vec![] });
}

#[test]
fn the_emergency_grace_counts_for_its_issue_until_its_end() {
    let facts = license(Plan::Free);
    let now = today() + 40 * DAY;
    let mut snapshot = licensed(facts.clone());
    let taken = |edition| Some(ForcedGrace { edition, until: now + 3 * DAY });
    let mut record = snapshot.record.unwrap();
    record.forced_grace = taken(facts.terms.edition);
    snapshot.record = Some(record);
    assert_eq!(boot_at(&snapshot, sqlite(), Usage::default(), now), Boot::Conforming);
    let over = boot_at(&snapshot, sqlite(), Usage::default(), now + 3 * DAY);
    assert_eq!(names(&over), ["license_expired"]);

    let mut other = facts.terms.edition;
    other.serial += 1;
    record.forced_grace = taken(other);
    snapshot.record = Some(record);
    assert_eq!(names(&boot_at(&snapshot, sqlite(), Usage::default(), now)), ["license_expired"]);
}
