use std::time::Duration;

use chancery_acme::challenge::ChallengeType;
use chancery_acme::identifier::RawIdentifier;
use chancery_pki::certificate::ProfileSpec;
use chancery_pki::request::RequestRules;

use super::*;
use crate::config::policy::Strategy;

fn profile(name: &str, allow: Option<&[&str]>, deny: &[&str]) -> Profile {
    let scopes = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
    Profile {
        name: name.to_owned(),
        description: String::new(),
        allow: allow.map(scopes),
        deny: scopes(deny),
        challenges: vec![ChallengeType::Http01, ChallengeType::Dns01],
        validation: 0,
        authorities: vec![0],
        strategy: Strategy::FirstAvailable,
        certificates: ProfileSpec::default(),
        requests: RequestRules::default(),
        caa: false,
        authorizations_last: Duration::from_hours(1),
        require_eab: false,
        require_approval: false,
    }
}

fn names(values: &[&str]) -> IdentifierSet {
    let raw = |value: &&str| RawIdentifier {
        kind: if value.parse::<std::net::IpAddr>().is_ok() { "ip" } else { "dns" }.to_owned(),
        value: (*value).to_owned(),
        ..RawIdentifier::default()
    };
    IdentifierSet::new(values.iter().map(raw).collect()).unwrap().0
}

fn select_for(
    profiles: &[Profile],
    values: &[&str],
    profile: Option<&str>,
    policy: Option<&AccountPolicy>,
) -> Result<String, Problem> {
    let identifiers = names(values);
    let request = Request { identifiers: &identifiers, profile, is_bound: policy.is_some(), account: policy };
    select(profiles, &request).map(|index| profiles[index].name.clone())
}

#[test]
fn the_first_profile_that_holds_all_names_serves() {
    let profiles = [
        profile("narrow", Some(&["=a.corp.test"]), &[]),
        profile("corp", Some(&[".corp.test/1", "*..corp.test", "10.0.0.0/8"]), &["=secret.corp.test"]),
        profile("rest", None, &[".corp.test"]),
    ];
    let chosen = |values: &[&str]| select_for(&profiles, values, None, None);
    for (values, served_by) in [
        (&["a.corp.test"][..], "narrow"),
        (&["a.corp.test", "b.corp.test"], "corp"),
        (&["*.a.corp.test", "10.1.2.3"], "corp"),
        (&["elsewhere.test"], "rest"),
        (&["corp.test"], "rest"),
    ] {
        assert_eq!(chosen(values).unwrap(), served_by, "{values:?}");
    }
    // This wildcard is good for the name that is denied.
    assert_eq!(chosen(&["*.corp.test"]).unwrap_err().kind(), ProblemType::RejectedIdentifier);
    let refused = chosen(&["secret.corp.test"]).unwrap_err();
    assert_eq!(refused.kind(), ProblemType::RejectedIdentifier);
    assert!(!refused.to_json().contains("subproblems"), "{}", refused.to_json());
    let refused = chosen(&["secret.corp.test", "b.corp.test"]).unwrap_err().to_json();
    assert!(refused.contains("subproblems") && !refused.contains("b.corp.test"), "{refused}");
    let apart = chosen(&["a.corp.test", "elsewhere.test"]).unwrap_err();
    assert!(apart.detail().contains("separately"), "{}", apart.detail());
}

#[test]
fn a_profile_that_is_named_serves_or_nothing_does() {
    let profiles = [profile("one", None, &[]), profile("two", Some(&[".corp.test"]), &[])];
    let chosen = |name| select_for(&profiles, &["a.corp.test"], Some(name), None);
    assert_eq!(chosen("two").unwrap(), "two");
    assert_eq!(chosen("three").unwrap_err().kind(), ProblemType::InvalidProfile);
    let outside = select_for(&profiles, &["a.test"], Some("two"), None).unwrap_err();
    assert_eq!(outside.kind(), ProblemType::RejectedIdentifier);
}

#[test]
fn names_that_no_challenge_can_prove_are_refused() {
    let by_http = Profile { challenges: vec![ChallengeType::Http01], ..profile("http", None, &[]) };
    let by_dns = Profile { challenges: vec![ChallengeType::Dns01], ..profile("dns", None, &[]) };
    let profiles = [by_http, by_dns];
    assert_eq!(select_for(&profiles, &["*.a.test"], None, None).unwrap(), "dns");
    assert_eq!(select_for(&profiles, &["192.0.2.1"], None, None).unwrap(), "http");
    let both = select_for(&profiles, &["192.0.2.1", "*.a.test"], None, None).unwrap_err();
    assert_eq!(both.kind(), ProblemType::RejectedIdentifier);
}

#[test]
fn profiles_for_bound_accounts_serve_no_others() {
    let bound = Profile { require_eab: true, ..profile("bound", None, &[]) };
    let alone = std::slice::from_ref(&bound);
    let refused = select_for(alone, &["a.test"], None, None).unwrap_err();
    assert_eq!(refused.kind(), ProblemType::ExternalAccountRequired);
    let policy = AccountPolicy::default();
    assert_eq!(select_for(alone, &["a.test"], None, Some(&policy)).unwrap(), "bound");
    let mixed = [bound, profile("open", None, &[])];
    assert_eq!(select_for(&mixed, &["a.test"], None, None).unwrap(), "open");
    assert_eq!(select_for(&mixed, &["a.test"], None, Some(&policy)).unwrap(), "bound");
}

#[test]
fn a_binding_narrows_what_the_profiles_allow() {
    let profiles = [profile("one", None, &[]), profile("two", None, &[])];
    let policy = AccountPolicy {
        allow: vec![".corp.test".parse().unwrap()],
        deny: vec!["=b.corp.test".parse().unwrap()],
        profiles: vec!["two".to_owned()],
        ..AccountPolicy::default()
    };
    let chosen = |values: &[&str], name| select_for(&profiles, values, name, Some(&policy));
    assert_eq!(chosen(&["a.corp.test"], None).unwrap(), "two");
    assert_eq!(chosen(&["a.test"], None).unwrap_err().kind(), ProblemType::RejectedIdentifier);
    assert_eq!(chosen(&["b.corp.test"], None).unwrap_err().kind(), ProblemType::RejectedIdentifier);
    assert_eq!(chosen(&["a.corp.test"], Some("one")).unwrap_err().kind(), ProblemType::Unauthorized);
}

#[test]
fn a_policy_is_kept_as_json() {
    let policy = AccountPolicy {
        allow: vec![".corp.test/2".parse().unwrap()],
        max_validity_seconds: Some(86_400),
        skip_validation: true,
        ..AccountPolicy::default()
    };
    let json = serde_json::to_string(&policy).unwrap();
    assert_eq!(json, r#"{"allow":[".corp.test/2"],"max_validity_seconds":86400,"skip_validation":true}"#);
    assert_eq!(serde_json::from_str::<AccountPolicy>(&json).unwrap(), policy);
    assert_eq!(policy.max_validity(), Some(Duration::from_hours(24)));
}
