use chancery_acme::challenge::ChallengeType;

use super::*;

const NOW: i64 = 1_000_000;

fn name(text: &str) -> Identifier {
    Identifier::dns(text).unwrap()
}

fn support(id: i64, identifier: &str, checked_at: Option<i64>) -> Support {
    Support {
        id,
        identifier: name(identifier),
        with_subdomains: false,
        caa_checked_at: checked_at.map(Timestamp::from_unix_seconds),
        proven_by: Some(ChallengeType::Dns01),
    }
}

fn wide(id: i64, identifier: &str, checked_at: Option<i64>) -> Support {
    Support { with_subdomains: true, ..support(id, identifier, checked_at) }
}

/// Each name that is due, with the method and the authorization that its look is kept with.
fn due_of(identifiers: &[Identifier], supports: &[Support]) -> Vec<(String, &'static str, Option<i64>)> {
    due(identifiers, supports, &"https://ca.test/a".into(), Timestamp::from_unix_seconds(NOW))
        .into_iter()
        .map(|due| (due.question.identifier.to_string(), due.question.method, due.checks))
        .collect()
}

#[test]
fn a_look_counts_for_eight_hours() {
    let hours = |hours: i64| NOW - hours * 3_600;
    for (checked_at, is_due) in [
        (Some(NOW), false),
        (Some(hours(8) + 1), false),
        (Some(hours(8)), true),
        (Some(hours(9)), true),
        // The clock was set back since.
        (Some(NOW + 1), true),
        (None, true),
    ] {
        let due = due_of(&[name("a.test")], &[support(1, "a.test", checked_at)]);
        let expected = if is_due { vec![("a.test".to_owned(), "dns-01", Some(1))] } else { vec![] };
        assert_eq!(due, expected, "{checked_at:?}");
    }
}

#[test]
fn the_look_at_an_ancestor_does_not_count_for_the_names_below() {
    let identifiers = [name("b.test"), name("a.b.test"), name("*.b.test")];
    let due = due_of(&identifiers, &[wide(7, "b.test", Some(NOW))]);
    let below = |text: &str| (text.to_owned(), "dns-01", None);
    assert_eq!(due, [below("a.b.test"), below("*.b.test")]);
    let due = due_of(&identifiers[..1], &[wide(7, "b.test", None)]);
    assert_eq!(due, [("b.test".to_owned(), "dns-01", Some(7))]);
}

#[test]
fn a_wildcard_and_its_base_are_looked_at_each() {
    let supports = [support(1, "a.test", Some(NOW)), support(2, "*.a.test", None)];
    let due = due_of(&[name("a.test"), name("*.a.test")], &supports);
    assert_eq!(due, [("*.a.test".to_owned(), "dns-01", Some(2))]);
}

#[test]
fn names_that_needed_no_proof_are_looked_at_and_addresses_are_not() {
    let skipped = Support { proven_by: None, ..support(1, "a.test", None) };
    let address = Identifier::ip("192.0.2.1").unwrap();
    let due = due_of(&[name("a.test"), address], &[skipped]);
    assert_eq!(due, [("a.test".to_owned(), "ca-external-account", Some(1))]);
}

/// Refusals for so many names.
fn refusals(count: usize) -> Vec<Problem> {
    let refusal = |n: usize| {
        let detail = shortened(&"ü".repeat(100_000));
        Problem::new(ProblemType::Caa, detail).about(name(&format!("n{n}.test")))
    };
    (0..count).map(refusal).collect()
}

#[test]
fn a_client_is_told_of_a_few_names_among_many() {
    for (refused, subproblems) in [(2, 2), (TOLD, TOLD), (TOLD + 1, TOLD), (100, TOLD)] {
        let json = told(refusals(refused), false).to_json();
        let problem: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(problem["type"], "urn:ietf:params:acme:error:caa");
        assert_eq!(problem["subproblems"].as_array().unwrap().len(), subproblems, "{refused}");
        let says_how_many = problem["detail"].as_str().unwrap().contains(&refused.to_string());
        assert_eq!(says_how_many, refused > TOLD, "{problem}");
        assert!(json.len() < 32 * 1_024, "{}", json.len());
    }
    assert_eq!(told(refusals(1), true).detail().chars().count(), LONGEST);
}

#[test]
fn what_is_told_is_cut_between_characters() {
    let exact = "ü".repeat(LONGEST);
    assert_eq!(shortened(&exact), exact);
    assert_eq!(shortened(&format!("{exact}!")), "ü".repeat(LONGEST - 1) + "…");
}

#[test]
fn an_order_in_hand_fails_no_job() {
    let Failure::Refused(problem) = in_hand(true) else { panic!("a client is refused") };
    assert_eq!(problem.kind(), ProblemType::OrderNotReady);
    assert!(matches!(in_hand(false), Failure::Busy(_)));
}
