//! Every rule of the window, and every way to be refused one.

use chancery_license::state::InvalidReason;
use chancery_license::{Database, Feature, Watermark};

use super::super::build;
use super::super::record::{Record, Times};
use super::super::testing::{DAY, configuration, empty, in_window, license, licensed, revoked, today};
use super::*;

const HOUR: Duration = Duration::from_secs(3_600);
const MILLISECOND: Duration = Duration::from_millis(1);

fn sqlite() -> Configuration {
    configuration(Database::Sqlite, 1)
}

/// The installation after its first account was served at that time.
fn anchored(snapshot: Snapshot, first_account_at: Timestamp) -> Snapshot {
    let record = snapshot.record.map(|record| Record { first_account_at: Some(first_account_at), ..record });
    Snapshot { record, first_account_at: Some(first_account_at), ..snapshot }
}

/// The installation once it has seen that time.
fn seen(snapshot: Snapshot, time: Timestamp) -> Snapshot {
    let record = snapshot.record.map(|record| {
        let watermark = Watermark::starting(&build()).re_anchored(time);
        Record { times: Times { watermark, of_windows: time, ..record.times }, ..record }
    });
    Snapshot { record, ..snapshot }
}

fn init_at(snapshot: &Snapshot, now: Timestamp) -> Result<Window, Refusal> {
    init(snapshot, &snapshot.judge(now, &build()), Plan::Pro, sqlite())
}

fn switch_at(snapshot: &Snapshot, now: Timestamp) -> Result<Window, Refusal> {
    switch(snapshot, &snapshot.judge(now, &build()), Plan::Pro, sqlite())
}

fn extend_at(snapshot: &Snapshot, now: Timestamp) -> Result<Extension, Refusal> {
    extend(snapshot, &snapshot.judge(now, &build()))
}

fn new_end_at(snapshot: &Snapshot, now: Timestamp) -> Timestamp {
    extend_at(snapshot, now).unwrap().new_end
}

#[test]
fn a_licence_in_any_state_leaves_no_room_for_a_cold_start() {
    let begun_late = |days| {
        let mut facts = license(Plan::Pro);
        facts.terms.not_before = today() + days * DAY;
        facts
    };
    let mut unreadable = empty();
    unreadable.held.documents.licenses.push(Err(InvalidReason::BadSignature));
    for (state, snapshot, now) in [
        ("valid", licensed(license(Plan::Pro)), today()),
        ("grace", licensed(license(Plan::Pro)), today() + 33 * DAY),
        ("expired", licensed(license(Plan::Pro)), today() + 40 * DAY),
        ("revoked", revoked(license(Plan::Pro)), today()),
        ("not_yet_valid", licensed(begun_late(2)), today()),
        ("invalid", unreadable, today()),
    ] {
        assert_eq!(snapshot.judge(now, &build()).state.name(), state);
        assert_eq!(init_at(&snapshot, now), Err(Refusal::LicenseInstalled), "{state}");
        let window = Some(Window { plan: Plan::Free, ends_at: now + DAY });
        let snapshot = Snapshot { window, ..snapshot };
        assert_eq!(init_at(&snapshot, now), Err(Refusal::LicenseInstalled), "{state}");
        // Until a licence begins, an open window bridges the time.
        if state != "not_yet_valid" {
            assert_eq!(switch_at(&snapshot, now), Err(Refusal::LicenseInstalled), "{state}");
            assert_eq!(extend_at(&snapshot, now), Err(Refusal::LicenseInstalled), "{state}");
        }
    }
}

#[test]
fn a_window_is_opened_once() {
    for end in [today() - DAY, today(), today() + DAY] {
        let snapshot = in_window(Plan::Free, end);
        assert_eq!(init_at(&snapshot, today()), Err(Refusal::AlreadyInitialised), "{end}");
    }
}

#[test]
fn what_was_never_opened_is_neither_switched_nor_extended() {
    assert_eq!(switch_at(&empty(), today()), Err(Refusal::NeverInitialised));
    assert_eq!(extend_at(&empty(), today()), Err(Refusal::NeverInitialised));
}

#[test]
fn without_a_sound_record_nothing_is_opened() {
    let damaged = |snapshot| Snapshot { record: None, ..snapshot };
    assert_eq!(init_at(&damaged(empty()), today()), Err(Refusal::RecordDamaged));
    let snapshot = damaged(in_window(Plan::Free, today() + DAY));
    assert_eq!(init_at(&snapshot, today()), Err(Refusal::RecordDamaged));
    assert_eq!(switch_at(&snapshot, today()), Err(Refusal::RecordDamaged));
    assert_eq!(extend_at(&snapshot, today()), Err(Refusal::RecordDamaged));
    // The accounts that are there prove nothing about those that were.
    let snapshot = damaged(anchored(empty(), today()));
    assert_eq!(init_at(&snapshot, today()), Err(Refusal::RecordDamaged));
}

/// Each plan with each configuration: the reasons for which it is refused, by `init` and `switch` alike.
#[test]
fn a_plan_has_to_fit_the_configuration() {
    let with = |features: &[Feature]| Configuration {
        features: features.iter().copied().collect(),
        ..configuration(Database::Sqlite, 1)
    };
    let rows: [(Plan, Configuration, &[&str]); 16] = [
        (Plan::Free, configuration(Database::Sqlite, 1), &[]),
        (Plan::Free, configuration(Database::Sqlite, 2), &["max_cas_exceeded"]),
        (Plan::Free, configuration(Database::Postgres, 1), &["db_not_allowed"]),
        (Plan::Free, configuration(Database::Postgres, 2), &["db_not_allowed", "max_cas_exceeded"]),
        (Plan::Starter, configuration(Database::Sqlite, 2), &[]),
        (Plan::Starter, configuration(Database::Sqlite, 3), &["max_cas_exceeded"]),
        (Plan::Starter, configuration(Database::Postgres, 1), &["db_not_allowed"]),
        (Plan::Pro, configuration(Database::Sqlite, 3), &[]),
        (Plan::Pro, configuration(Database::Postgres, 3), &[]),
        (Plan::Pro, configuration(Database::Postgres, 4), &["max_cas_exceeded"]),
        (Plan::Enterprise, configuration(Database::Postgres, 5), &[]),
        (Plan::Enterprise, configuration(Database::Postgres, 6), &["max_cas_exceeded"]),
        (Plan::Free, with(&[Feature::Acme, Feature::Api]), &["feature_not_licensed"]),
        (Plan::Starter, with(&[Feature::Acme, Feature::Api]), &[]),
        (Plan::Pro, with(&[Feature::Oidc]), &["feature_not_licensed"]),
        (Plan::Enterprise, with(&[Feature::Oidc, Feature::Ha]), &[]),
    ];
    for (plan, configuration, reasons) in rows {
        let end = today() + DAY;
        let (closed, open) = (empty(), in_window(Plan::Free, end));
        let opened = init(&closed, &closed.judge(today(), &build()), plan, configuration);
        let switched = switch(&open, &open.judge(today(), &build()), plan, configuration);
        if reasons.is_empty() {
            assert_eq!(opened, Ok(Window { plan, ends_at: today() + WINDOW }), "{plan} {configuration:?}");
            assert_eq!(switched, Ok(Window { plan, ends_at: end }), "{plan} {configuration:?}");
            continue;
        }
        assert_eq!(opened.as_ref().err(), switched.as_ref().err());
        let Err(refusal) = opened else { panic!("{plan} was opened for {configuration:?}") };
        let said = refusal.to_string();
        assert!(said.contains(&format!("the plan {plan}:")), "{said}");
        let Refusal::Misfit { misfits, .. } = refusal else { panic!("{said}") };
        assert_eq!(misfits.iter().map(|misfit| misfit.reason()).collect::<Vec<_>>(), reasons, "{said}");
        for misfit in &misfits {
            assert!(said.contains(&misfit.to_string()) && said.contains(misfit.reason()), "{said}");
        }
    }
}

#[test]
fn a_window_lasts_a_week_and_ends_at_the_cap_where_that_comes_first() {
    let first = today();
    let cap = first + 21 * DAY;
    for (case, snapshot, now, end) in [
        ("setup", empty(), first, first + 7 * DAY),
        ("setup, much later", empty(), first + 1_000 * DAY, first + 1_007 * DAY),
        ("first account", anchored(empty(), first), first, first + 7 * DAY),
        ("two weeks on", anchored(empty(), first), first + 14 * DAY, cap),
        ("after that", anchored(empty(), first), first + 14 * DAY + HOUR, cap),
        ("at the last moment", anchored(empty(), first), cap - MILLISECOND, cap),
    ] {
        assert_eq!(init_at(&snapshot, now), Ok(Window { plan: Plan::Pro, ends_at: end }), "{case}");
    }
    let reached = Refusal::CapReached { cap, first_account_at: first };
    for now in [cap, cap + MILLISECOND, cap + 1_000 * DAY] {
        let snapshot = anchored(empty(), first);
        assert_eq!(snapshot.cold_start_cap(), Some(cap));
        assert_eq!(init_at(&snapshot, now), Err(reached.clone()), "{now}");
    }
}

#[test]
fn an_extension_is_a_week_from_now() {
    let first = today() - 10 * DAY;
    let cap = first + 21 * DAY;
    let setup = |end| in_window(Plan::Starter, end);
    let served = |end| anchored(setup(end), first);
    for (case, snapshot, new_end) in [
        ("just opened", setup(today() + 7 * DAY), today() + 7 * DAY),
        ("open", setup(today() + HOUR), today() + 7 * DAY),
        ("over at this moment", setup(today()), today() + 7 * DAY),
        ("long over", setup(today() - 300 * DAY), today() + 7 * DAY),
        ("open, first account served", served(today() + HOUR), today() + 7 * DAY),
        ("over, first account served", served(today() - HOUR), today() + 7 * DAY),
    ] {
        let extension = extend_at(&snapshot, today()).unwrap();
        assert_eq!(extension.new_end, new_end, "{case}");
        assert_eq!(Some(extension.current), snapshot.window, "{case}");
        let anchor = snapshot.first_account_at.map(|_| (first, cap));
        assert_eq!(extension.anchor, anchor, "{case}");
    }
}

#[test]
fn extensions_end_at_the_cap() {
    let first = today();
    let cap = first + 21 * DAY;
    let reached = Refusal::CapReached { cap, first_account_at: first };
    let window = |end| anchored(in_window(Plan::Pro, end), first);
    assert_eq!(new_end_at(&window(first + 14 * DAY), first + 14 * DAY), cap);
    assert_eq!(new_end_at(&window(first + 20 * DAY), first + 18 * DAY), cap);
    assert_eq!(new_end_at(&window(cap - MILLISECOND), cap - MILLISECOND), cap);

    for now in [first + 14 * DAY, first + 18 * DAY, cap - MILLISECOND] {
        assert_eq!(extend_at(&window(cap), now), Err(Refusal::EndsAtCap { cap }), "{now}");
    }
    // It could be extended, were it not for the cap: from the third week on it cannot.
    for end in [first + 14 * DAY, cap] {
        for now in [cap, cap + DAY] {
            assert_eq!(extend_at(&window(end), now), Err(reached.clone()), "{end} at {now}");
        }
    }
}

#[test]
fn a_switch_keeps_the_deadline() {
    for end in [today() - 300 * DAY, today(), today() + HOUR, today() + 7 * DAY] {
        for snapshot in [in_window(Plan::Free, end), anchored(in_window(Plan::Free, end), today() - 30 * DAY)]
        {
            assert_eq!(switch_at(&snapshot, today()), Ok(Window { plan: Plan::Pro, ends_at: end }));
        }
    }
}

/// What was seen counts, not what the clock shows now: a window that is over stays over.
#[test]
fn a_clock_behind_what_was_seen_is_not_believed() {
    let first = today();
    let now = first - 30 * DAY;
    let at = |days| seen(anchored(in_window(Plan::Pro, first + 7 * DAY), first), first + days * DAY);
    for days in [0, 6, 8, 20] {
        let snapshot = at(days);
        let judged = snapshot.judge(now, &build());
        assert_eq!((judged.judged_at, judged.windows_judged_at), (first + days * DAY, first + days * DAY));
    }
    assert_eq!(new_end_at(&at(0), now), first + 7 * DAY);
    assert_eq!(new_end_at(&at(6), now), first + 13 * DAY);
    assert_eq!(new_end_at(&at(20), now), first + 21 * DAY);
    assert!(matches!(extend_at(&at(21), now), Err(Refusal::CapReached { .. })));
    let none = seen(anchored(empty(), first), first + 21 * DAY);
    assert!(matches!(init_at(&none, now), Err(Refusal::CapReached { .. })));
}

/// Whatever the clock shows when it is asked for: never less than there was, never more than a week
/// from then, and never beyond the cap.
#[test]
fn an_extension_takes_nothing_away_and_never_exceeds_a_week_or_the_cap() {
    let first = today();
    let cap = first + 21 * DAY;
    for hours in (0..=21 * 24).step_by(21) {
        let end = first + hours * HOUR;
        for now in (0..60 * 24).step_by(17).map(|hours| first - 30 * DAY + hours * HOUR) {
            for snapshot in [in_window(Plan::Pro, end), anchored(in_window(Plan::Pro, end), first)] {
                let Ok(Extension { new_end, .. }) = extend_at(&snapshot, now) else {
                    assert!(snapshot.first_account_at.is_some(), "refused at {now} without a cap");
                    assert!(end == cap || now >= cap, "refused at {now}");
                    continue;
                };
                let judged_at = snapshot.judge(now, &build()).windows_judged_at;
                let was_open = snapshot.usable_window().is_some_and(|window| is_open(window, judged_at));
                assert!(new_end >= end || !was_open, "{end} became {new_end} at {now}");
                assert!(new_end <= end.max(judged_at + WINDOW), "{end} became {new_end} at {now}");
                assert!(snapshot.first_account_at.is_none() || new_end <= cap, "{new_end} at {now}");
            }
        }
    }
}

#[test]
fn a_refusal_says_what_to_do() {
    let (cap, first_account_at) = (today() + 21 * DAY, today());
    for (refusal, words) in [
        (Refusal::LicenseInstalled, &["license status", "license uninstall"][..]),
        (Refusal::AlreadyInitialised, &["already", "cold-start status", "cold-start extend"]),
        (Refusal::NeverInitialised, &["never", "cold-start init --plan=PLAN"]),
        (Refusal::CapReached { cap, first_account_at }, &["3 weeks", "license install"]),
        (Refusal::EndsAtCap { cap }, &["3 weeks", "license install"]),
        (Refusal::RecordDamaged, &["backup", "vendor"]),
    ] {
        let said = refusal.to_string();
        for word in words {
            assert!(said.contains(word), "{word}: {said}");
        }
    }
    let said = Refusal::CapReached { cap, first_account_at }.to_string();
    assert!(said.contains(&cap.to_minutes()) && said.contains(&first_account_at.to_minutes()), "{said}");
}

#[test]
fn time_left_is_told_in_its_two_largest_units() {
    for (seconds, told) in [
        (0, "0m"),
        (59, "0m"),
        (60, "1m"),
        (3_599, "59m"),
        (3_600, "1h0m"),
        (86_399, "23h59m"),
        (86_400, "1d0h"),
        (604_799, "6d23h"),
        (604_800, "7d0h"),
    ] {
        assert_eq!(remaining(Duration::from_secs(seconds)), told, "{seconds} s");
    }
}
