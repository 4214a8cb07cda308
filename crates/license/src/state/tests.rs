use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::version::Version;

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);
const BUILD: Build = Build { version: version(2, 1, 0), date: day(0) };

const fn version(major: u32, minor: u32, patch: u32) -> Version {
    Version { major, minor, patch }
}

/// Midnight of that day, counted from the build.
const fn day(number: i64) -> Timestamp {
    Timestamp::from_unix_seconds(1_767_225_600 + number * 86_400)
}

/// A licence issued and begun on the day of its serial, which ends on `expires` with 7 days of grace.
fn terms(serial: u64, expires: i64) -> LicenseTerms {
    let issued = day(i64::try_from(serial).unwrap());
    LicenseTerms {
        id: format!("license-{serial}"),
        edition: Edition { serial, issued },
        not_before: issued,
        expires: day(expires),
        grace: DEFAULT_GRACE,
        after_grace: AfterGrace::RenewalsOnly,
        clock_tolerance: DEFAULT_CLOCK_TOLERANCE,
        minimum_version: None,
        newest_build: None,
    }
}

fn documents(licenses: impl IntoIterator<Item = LicenseTerms>) -> Documents {
    let licenses = licenses.into_iter().map(Ok).collect();
    Documents { licenses, revocations: None, call_home: CallHome::Disabled }
}

fn fresh() -> Watermark {
    Watermark::starting(&BUILD)
}

fn judge(documents: &Documents, now: Timestamp) -> Judgement {
    state(documents, now, Some(fresh()), &BUILD)
}

/// How good a state is for whoever would cheat.
fn rank(state: State) -> u8 {
    match (state.allows_new(), state.allows_renewals(), state) {
        (true, _, State::Valid { .. }) => 3,
        (true, _, _) => 2,
        (false, true, _) => 1,
        (false, false, _) => 0,
    }
}

#[test]
fn a_licence_goes_through_its_life() {
    let held = documents([LicenseTerms { not_before: day(10), ..terms(1, 100) }]);
    let second = Duration::from_secs(1);
    for (now, expected, new, renewals) in [
        (day(10) - second, State::NotYetValid { from: day(10) }, false, false),
        (day(10), State::Valid { until: day(100) }, true, true),
        (day(100) - second, State::Valid { until: day(100) }, true, true),
        (day(100), State::Grace { until: day(107) }, true, true),
        (day(107) - second, State::Grace { until: day(107) }, true, true),
        (day(107), State::Expired { since: day(107), then: AfterGrace::RenewalsOnly }, false, true),
        (Timestamp::MAX, State::Expired { since: day(107), then: AfterGrace::RenewalsOnly }, false, true),
    ] {
        let judgement = judge(&held, now);
        assert_eq!(judgement.state, expected, "{now}");
        assert_eq!(
            (judgement.state.allows_new(), judgement.state.allows_renewals()),
            (new, renewals),
            "{now}"
        );
        assert_eq!(judgement.warnings, [], "{now}");
    }
    let none = documents([]);
    assert_eq!(judge(&none, day(10)).state, State::NoLicense);
    assert_eq!(state(&none, day(10), None, &BUILD).state, State::NoLicense);
}

#[test]
fn grace_and_what_comes_after_it_are_the_licences_own() {
    let held =
        documents([LicenseTerms { grace: Duration::ZERO, after_grace: AfterGrace::Block, ..terms(1, 100) }]);
    let judgement = judge(&held, day(100));
    assert_eq!(judgement.state, State::Expired { since: day(100), then: AfterGrace::Block });
    assert!(!judgement.state.allows_renewals());
}

/// The table of the CertForge seed, row by row, and the row it lacks.
#[test]
fn the_call_home_table_holds() {
    let jwt = LicenseTerms { after_grace: AfterGrace::Block, ..terms(0, 100) };
    let renewal = LicenseTerms {
        edition: Edition { serial: 0, issued: day(99) },
        not_before: day(99),
        expires: day(465),
        ..jwt.clone()
    };
    let blocked = State::Expired { since: day(107), then: AfterGrace::Block };
    let valid = State::Valid { until: day(100) };
    let grace = State::Grace { until: day(107) };
    let renewed = State::Valid { until: day(465) };
    let rows = [
        ("valid, succeeding", 50, CallHome::Succeeding, false, valid),
        ("valid, failing", 50, CallHome::Failing, false, valid),
        ("expired, succeeding, renewed", 103, CallHome::Succeeding, true, renewed),
        ("expired past grace, succeeding, renewed", 200, CallHome::Succeeding, true, renewed),
        ("expired, failing, within grace", 103, CallHome::Failing, false, grace),
        ("expired, failing, past grace", 107, CallHome::Failing, false, blocked),
        ("expired, succeeding, not renewed, within grace", 103, CallHome::Succeeding, false, grace),
        ("expired, succeeding, not renewed, past grace", 107, CallHome::Succeeding, false, blocked),
        ("expired, offline, past grace", 107, CallHome::Disabled, false, blocked),
    ];
    for (row, today, call_home, renewed, expected) in rows {
        let licenses = [Some(jwt.clone()), renewed.then(|| renewal.clone())];
        let held = Documents { call_home, ..documents(licenses.into_iter().flatten()) };
        let judgement = judge(&held, day(today));
        assert_eq!(judgement.state, expected, "{row}");
        let warnings = if call_home == CallHome::Failing { vec![Warning::CallHomeFailing] } else { vec![] };
        assert_eq!(judgement.warnings, warnings, "{row}");
    }
}

#[test]
fn the_highest_serial_wins_whatever_it_allows() {
    let valid = |until| State::Valid { until: day(until) };
    let state_of = |licenses: Vec<LicenseTerms>, today| judge(&documents(licenses), day(today)).state;
    assert_eq!(state_of(vec![terms(1, 300), terms(2, 100)], 50), valid(100));
    assert_eq!(state_of(vec![terms(2, 100), terms(1, 300)], 103), State::Grace { until: day(107) });
    // A `.lic` replaces every JWT, which has no serial, and of two JWTs the later one counts.
    let jwt = |issued, expires| LicenseTerms {
        edition: Edition { serial: 0, issued: day(issued) },
        not_before: day(issued),
        ..terms(0, expires)
    };
    assert_eq!(state_of(vec![jwt(40, 300), terms(1, 100)], 50), valid(100));
    assert_eq!(state_of(vec![jwt(40, 200), jwt(30, 300)], 50), valid(200));
}

#[test]
fn a_renewal_that_waits_for_its_day_disturbs_nothing() {
    let renewal = LicenseTerms { not_before: day(100), ..terms(2, 465) };
    let held = documents([terms(1, 100), renewal.clone()]);
    let before = judge(&held, day(50));
    assert_eq!(
        (before.state, before.edition),
        (State::Valid { until: day(100) }, Some(terms(1, 100).edition))
    );
    let after = state(&held, day(100), before.watermark, &BUILD);
    assert_eq!((after.state, after.edition), (State::Valid { until: day(465) }, Some(renewal.edition)));
    // Alone it has to wait.
    assert_eq!(judge(&documents([renewal]), day(50)).state, State::NotYetValid { from: day(100) });
}

#[test]
fn the_newest_document_cannot_be_taken_away() {
    let seen = judge(&documents([terms(1, 300), terms(2, 100)]), day(50)).watermark;
    let newest = terms(2, 100).edition;
    let superseded = State::Invalid(InvalidReason::Superseded { newest });
    assert_eq!(state(&documents([terms(1, 300)]), day(50), seen, &BUILD).state, superseded);
    assert_eq!(state(&documents([]), day(50), seen, &BUILD).state, State::NoLicense);
    assert!(state(&documents([terms(3, 400)]), day(50), seen, &BUILD).state.allows_new());
}

#[test]
fn nothing_older_covers_for_the_one_in_effect() {
    let waiting = LicenseTerms { not_before: day(200), ..terms(3, 465) };
    let held = documents([terms(1, 300), terms(2, 100), waiting.clone()]);
    let seen = judge(&held, day(50));
    assert_eq!((seen.state, seen.edition), (State::Valid { until: day(100) }, Some(terms(2, 100).edition)));
    let without = documents([terms(1, 300), waiting]);
    assert_eq!(
        state(&without, day(150), seen.watermark, &BUILD).state,
        State::NotYetValid { from: day(200) }
    );
}

#[test]
fn what_is_not_to_be_believed_says_why_and_hides_nothing_better() {
    let refused = |reasons: &[InvalidReason]| Documents {
        licenses: reasons.iter().copied().map(Err).collect(),
        ..documents([])
    };
    for reason in
        [InvalidReason::BadSignature, InvalidReason::WrongEnvironment, InvalidReason::WrongInstallation]
    {
        assert_eq!(judge(&refused(&[reason]), day(50)).state, State::Invalid(reason));
        let mut held = refused(&[reason]);
        held.licenses.push(Ok(terms(1, 100)));
        assert_eq!(judge(&held, day(50)).state, State::Valid { until: day(100) });
    }
}

#[test]
fn a_licence_must_fit_the_build() {
    let newer = LicenseTerms { minimum_version: Some(version(2, 2, 0)), ..terms(1, 100) };
    let too_new = InvalidReason::TooNewForBuild { needed: version(2, 2, 0), build: BUILD.version };
    assert_eq!(judge(&documents([newer.clone()]), day(50)).state, State::Invalid(too_new));
    let exact = LicenseTerms { minimum_version: Some(BUILD.version), ..terms(1, 100) };
    assert!(judge(&documents([exact]), day(50)).state.allows_new());

    let lapsed = LicenseTerms { newest_build: Some(day(-1)), ..terms(1, 100) };
    let uncovered = InvalidReason::BuildNotCovered { newest: day(-1), built: BUILD.date };
    assert_eq!(judge(&documents([lapsed]), day(50)).state, State::Invalid(uncovered));
    let covered = LicenseTerms { newest_build: Some(BUILD.date), ..terms(1, 100) };
    assert!(judge(&documents([covered]), day(50)).state.allows_new());

    // After going back to an older build, the fault is told rather than its consequence.
    let seen = Some(Watermark { newest: Some(newer.edition), ..fresh() });
    assert_eq!(state(&documents([newer]), day(50), seen, &BUILD).state, State::Invalid(too_new));
}

#[test]
fn revocation_is_final_and_its_list_cannot_be_taken_away() {
    let list = |sequence, ids: &[&str], serials: &[u64]| {
        Some(Revocations {
            sequence,
            ids: ids.iter().map(|id| (*id).to_owned()).collect(),
            serials: serials.iter().copied().collect(),
        })
    };
    let held = |revocations| Documents { revocations, ..documents([terms(1, 300), terms(2, 100)]) };
    assert_eq!(judge(&held(list(1, &["license-2"], &[])), day(50)).state, State::Revoked);
    assert_eq!(judge(&held(list(1, &[], &[2])), day(50)).state, State::Revoked);
    assert!(!State::Revoked.allows_new() && !State::Revoked.allows_renewals());
    let other = judge(&held(list(7, &["license-1"], &[0, 1])), day(50));
    assert_eq!(other.state, State::Valid { until: day(100) });

    let missing = State::Invalid(InvalidReason::RevocationsMissing { needed: 7 });
    for older in [None, list(6, &[], &[])] {
        assert_eq!(state(&held(older), day(50), other.watermark, &BUILD).state, missing);
    }
    assert!(state(&held(list(8, &[], &[])), day(50), other.watermark, &BUILD).state.allows_new());
    // A serial says nothing about JWTs, which have none.
    let jwt = Documents { revocations: list(1, &[], &[0]), ..documents([terms(0, 100)]) };
    assert!(judge(&jwt, day(50)).state.allows_new());
}

#[test]
fn without_its_watermark_a_licence_is_not_judged() {
    let judgement = state(&documents([terms(1, 100)]), day(50), None, &BUILD);
    assert_eq!(judgement.state, State::Invalid(InvalidReason::WatermarkMissing));
    assert_eq!(judgement.watermark, None);
}

#[test]
fn a_clock_set_back_is_noticed_beyond_the_tolerance_and_gains_nothing_within() {
    let held = documents([terms(1, 100)]);
    let seen = Some(Watermark { time: day(100) + HOUR, ..fresh() });
    let judged = |now| state(&held, now, seen, &BUILD);
    for (now, warns) in [
        (day(100) + HOUR, false),
        (day(100), false),
        (day(99) + HOUR, false),
        (day(99), true),
        (day(-900), true),
    ] {
        let judgement = judged(now);
        assert_eq!(judgement.state, State::Grace { until: day(107) }, "{now}");
        assert_eq!(judgement.judged_at, day(100) + HOUR, "{now}");
        let rollback = Warning::ClockRollback { now, watermark: day(100) + HOUR };
        assert_eq!(judgement.warnings, if warns { vec![rollback] } else { vec![] }, "{now}");
    }
    let patient = documents([LicenseTerms { clock_tolerance: 3 * DAY, ..terms(1, 100) }]);
    assert_eq!(state(&patient, day(98), seen, &BUILD).warnings, []);
}

#[test]
fn a_document_speaks_for_the_time_of_its_issue() {
    let held = documents([terms(50, 100)]);
    let judgement = judge(&held, day(10));
    assert_eq!((judgement.state, judgement.judged_at), (State::Valid { until: day(100) }, day(50)));
    assert_eq!(judgement.watermark.map(Watermark::time), Some(day(50)));
    // One that the vendor misdated is mended by the next one, with a fresh answer.
    let misdated = LicenseTerms { edition: Edition { serial: 51, issued: day(3_000) }, ..terms(51, 100) };
    let seen = judge(&documents([misdated.clone()]), day(60));
    assert_eq!(rank(seen.state), 1);
    let mended = seen.watermark.map(|watermark| watermark.re_anchored(day(60)));
    let judgement = state(&documents([misdated, terms(52, 100)]), day(60), mended, &BUILD);
    assert_eq!(judgement.state, State::Valid { until: day(100) });
}

#[test]
fn ten_years_ahead_and_back_recovers() {
    let held = documents([terms(1, 365)]);
    let mut watermark = judge(&held, day(30)).watermark.unwrap().re_anchored(day(30));
    for hour in 1..=48 {
        let now = day(30 + 3_650) + hour * HOUR;
        watermark = watermark.ran(now, HOUR);
        let judgement = state(&held, now, Some(watermark), &BUILD);
        assert!(!judgement.state.allows_new());
        watermark = judgement.watermark.unwrap();
    }
    let back = state(&held, day(32), Some(watermark), &BUILD);
    assert_eq!(back.state, State::Valid { until: day(365) });
    assert_eq!(back.judged_at, day(34));
    assert_eq!(back.warnings, [Warning::ClockRollback { now: day(32), watermark: day(34) }]);
    let mended = state(&held, day(32), Some(watermark.re_anchored(day(32))), &BUILD);
    assert_eq!((mended.state, mended.warnings), (State::Valid { until: day(365) }, vec![]));
}

fn any_terms() -> impl Strategy<Value = LicenseTerms> {
    (0..6_u64, 0..60_i64, 0..90_i64, 0..90_i64, 0..20_u32, any::<bool>()).prop_map(
        |(serial, issued, begins, length, grace, block)| LicenseTerms {
            edition: Edition { serial, issued: day(issued) },
            not_before: day(begins),
            expires: day(begins + length),
            grace: DAY * grace,
            after_grace: if block { AfterGrace::Block } else { AfterGrace::RenewalsOnly },
            ..terms(serial, 0)
        },
    )
}

fn any_documents() -> impl Strategy<Value = Documents> {
    let revoked = prop::collection::btree_set(0..6_u64, 0..2);
    let list = prop::option::of((1..5_u64, revoked).prop_map(|(sequence, serials)| Revocations {
        sequence,
        serials,
        ids: [].into(),
    }));
    // The vendor signs each edition once.
    let licenses = prop::collection::vec(any_terms(), 0..5).prop_map(|licenses| {
        let editions = licenses.into_iter().map(|terms| (terms.edition, terms));
        editions.collect::<BTreeMap<Edition, LicenseTerms>>().into_values()
    });
    (licenses, list).prop_map(|(licenses, revocations)| Documents { revocations, ..documents(licenses) })
}

proptest! {
    /// Whoever sets the clock back is judged as if it still showed the watermark.
    #[test]
    fn setting_the_clock_back_gains_nothing(held in any_documents(), seen in 0..200_i64, back in 0..200_i64) {
        let watermark = Some(Watermark { time: day(seen), ..fresh() });
        let honest = state(&held, day(seen), watermark, &BUILD);
        let cheating = state(&held, day(seen - back), watermark, &BUILD);
        prop_assert_eq!(cheating.state, honest.state);
        prop_assert_eq!(cheating.watermark, honest.watermark);
    }

    /// Once a state was judged, taking away documents, the revocation list or the watermark never
    /// leads to a better one, then or later.
    #[test]
    fn removing_anything_gains_nothing(
        held in any_documents(), kept in any::<[bool; 5]>(), keep_list: bool, keep_watermark: bool,
        first in 0..200_i64, later in 0..200_i64,
    ) {
        let remembered = judge(&held, day(first)).watermark;
        let full = state(&held, day(first + later), remembered, &BUILD);
        let fewer = Documents {
            licenses: held.licenses.iter().zip(kept).filter(|(_, keep)| *keep).map(|(license, _)| license.clone()).collect(),
            revocations: held.revocations.clone().filter(|_| keep_list),
            ..held.clone()
        };
        let after = state(&fewer, day(first + later), remembered.filter(|_| keep_watermark), &BUILD);
        prop_assert!(rank(after.state) <= rank(full.state), "{:?} after {:?}", after.state, full.state);
    }

    /// However the clock is turned while the process runs, a licence serves no longer than it lasts.
    #[test]
    fn nobody_gains_a_day(clocks in prop::collection::vec((-4_000..4_000_i64, 1..48_u32), 1..60)) {
        let held = documents([terms(1, 20)]);
        let mut watermark = judge(&held, day(1)).watermark.unwrap();
        let mut served = Duration::ZERO;
        for (clock, hours) in clocks {
            watermark = watermark.ran(day(clock), HOUR * hours);
            let judgement = state(&held, day(clock), Some(watermark), &BUILD);
            if !judgement.state.allows_new() {
                continue;
            }
            served += HOUR * hours;
            watermark = judgement.watermark.unwrap();
        }
        prop_assert!(served < day(27).since(day(1)));
    }

    /// Judging twice is judging once: what is remembered changes nothing by itself.
    #[test]
    fn remembering_is_stable(held in any_documents(), today in 0..200_i64) {
        let once = judge(&held, day(today));
        let twice = state(&held, day(today), once.watermark, &BUILD);
        prop_assert_eq!(twice, once);
    }
}
