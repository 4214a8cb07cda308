//! What `chancery validate` says of profiles, validation and limits that make no sense.

use std::fmt::Write;
use std::time::Duration;

use chancery_testkit::{Engine, Installation, MovableClock};
use serde_json::{Value, json};

use super::{GOOD, refusal, validate};
use crate::CHANCERY;

/// [`GOOD`] with another profile beside the first.
fn with_profile(profile: &str) -> String {
    format!("{GOOD}  - name: more\n    authority: default\n    validation: default\n{profile}")
}

#[test]
fn everything_that_can_be_said_is_accepted() {
    validate(&with_profile(
        r#"    description: for people
    allow: [.corp.example/2, "*..corp.example", =corp.example, 10.0.0.0/8]
    deny: [=secret.corp.example]
    challenges: [http-01, tls-alpn-01, dns-01, dns-account-01, dns-persist-01]
    strategy: round_robin
    validity: 7d
    max_validity: 30d
    keys: {algorithms: [ecdsa-p256, ecdsa-p384, rsa], min_rsa_bits: 3072}
    key_usages: [digitalSignature, keyAgreement]
    extended_key_usages: [serverAuth, clientAuth, 1.3.6.1.5.5.7.3.17]
    subject: common_name
    must_staple: if_asked
    ca_issuers_url: http://ca.example.org/issuing.der
    crl_url: http://ca.example.org/crl
    ocsp_url: http://ca.example.org/ocsp
    caa: true
    authorizations_last: 7d
    require_eab: true
    require_approval: true
limits:
  orders_per_account: 10/1h
  abuse_per_ip: off
  pending_authorizations: 5
"#,
    ))
    .succeeded();
}

/// One fault in each, in a second profile.
#[test]
fn each_fault_of_a_profile_is_named_with_line_and_column() {
    let mut said = String::new();
    for (case, profile) in [
        ("a_scope_that_is_none", "    allow: [corp.example]\n"),
        ("nothing_allowed", "    allow: []\n"),
        ("a_rule_that_adds_nothing", "    allow: [.example, .corp.example]\n"),
        ("a_rule_that_is_denied", "    allow: [.corp.example]\n    deny: [.example]\n"),
        ("a_wildcard_without_dns", "    allow: [\"*.corp.example\"]\n    challenges: [http-01]\n"),
        ("an_address_by_dns", "    allow: [10.0.0.0/8]\n    challenges: [dns-01]\n"),
        ("an_unknown_challenge", "    challenges: [http-02]\n"),
        ("a_challenge_twice", "    challenges: [http-01, http-01]\n"),
        ("an_unknown_strategy", "    strategy: random\n"),
        ("a_life_beyond_the_longest", "    validity: 30d\n    max_validity: 7d\n"),
        ("an_unknown_algorithm", "    keys: {algorithms: [dsa]}\n"),
        ("short_rsa_keys", "    keys: {min_rsa_bits: 1024}\n"),
        ("an_authoritys_usage", "    key_usages: [keyCertSign]\n"),
        ("any_purpose", "    extended_key_usages: [2.5.29.37.0]\n"),
        ("an_unknown_subject", "    subject: full\n"),
        ("a_url_that_is_none", "    crl_url: ldap://ca.example.org\n"),
        ("authorizations_that_last_too_long", "    authorizations_last: 400d\n"),
        ("both_forms_of_authorities", "    authorities: [default]\n"),
        ("a_limit_of_nothing", "limits: {orders_per_account: 0/1h}\n"),
        ("a_limit_without_time", "limits: {orders_per_account: 300}\n"),
        ("pending_nothing", "limits: {pending_authorizations: 0}\n"),
    ] {
        let refused = validate(&with_profile(profile));
        writeln!(said, "{case}\n{}", refusal(&refused)).unwrap();
    }
    insta::assert_snapshot!("policy_faults", said);
}

#[test]
fn names_that_urls_need_are_refused() {
    let mut said = String::new();
    for name in ["order", "Upper", "with space", "default", "\"\""] {
        let config = with_profile("").replace("- name: more", &format!("- name: {name}"));
        writeln!(said, "{name}\n{}", refusal(&validate(&config))).unwrap();
    }
    insta::assert_snapshot!("profile_names", said);
}

#[test]
fn an_authority_that_expired_serves_no_profile() {
    let clock = MovableClock::new();
    let installation = Installation::new(CHANCERY, Engine::Sqlite);
    installation.run(&["validate"]).succeeded();
    clock.advance(Duration::from_secs(30 * 366 * 86_400));
    let refused = installation.run_at(&clock, &["validate"]).exited_with(1);
    assert!(refused.stderr.contains("no authority can serve the profile `default`"), "{}", refused.stderr);
}

#[test]
fn a_list_of_keys_has_to_be_one() {
    let installation = Installation::new(CHANCERY, Engine::Sqlite);
    let list = installation.server_workdir().join("compromised");
    installation.configure(|config: &mut Value| config["server"]["compromised_keys"] = json!(list));
    std::fs::write(&list, "# none yet\n").unwrap();
    installation.run(&["validate"]).succeeded();
    std::fs::write(&list, "not a digest\n").unwrap();
    let refused = installation.run(&["validate"]).exited_with(1);
    assert!(refused.stderr.contains("line 1"), "{}", refused.stderr);
}
