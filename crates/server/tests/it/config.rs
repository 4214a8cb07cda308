//! What `chancery validate` says of a configuration that cannot be used.

mod policy;

use std::fmt::Write;

use chancery_testkit::{Finished, Workdir, run_program};

use crate::CHANCERY;

const GOOD: &str = r#"server:
  url: https://ca.example.org
  listen: 127.0.0.1:14000
  workdir: work
database:
  driver: sqlite
  path: chancery.db
authorities:
  - name: default
    type: local
    directory: ca
    passphrase_file: secrets/ca-passphrase
validation:
  - name: default
    http01:
      port: 5002
    egress:
      allow: [127.0.0.0/8, "::1/128"]
profiles:
  - name: default
    authority: default
    validation: default
    validity: 90d
"#;

#[test]
fn a_good_configuration_is_accepted() {
    validate(GOOD).succeeded();
}

/// One fault in each, made by replacing one text of [`GOOD`] by another.
#[test]
fn each_fault_is_named_with_line_and_column() {
    let mut said = String::new();
    for (case, good, bad) in [
        ("unknown_key", "  path: chancery.db", "  path: chancery.db\n  pool_size: 4"),
        ("unknown_section", "database:", "databse: {}\ndatabase:"),
        ("duplicate_key", "  driver: sqlite", "  driver: sqlite\n  driver: sqlite"),
        ("wrong_type", "      port: 5002", "      port: many"),
        ("number_out_of_range", "      port: 5002", "      port: 70000"),
        ("explicit_zero_port", "      port: 5002", "      port: 0"),
        ("explicit_zero_validity", "validity: 90d", "validity: 0d"),
        ("validity_beyond_the_cap", "validity: 90d", "validity: 826d"),
        ("missing_url", "  url: https://ca.example.org\n", ""),
        ("url_without_tls", "url: https://ca.example.org", "url: http://ca.example.org"),
        ("url_with_a_path", "url: https://ca.example.org", "url: https://ca.example.org/acme"),
        ("listen_without_a_port", "listen: 127.0.0.1:14000", "listen: 127.0.0.1"),
        ("unknown_driver", "driver: sqlite", "driver: mysql"),
        ("dangling_authority", "    authority: default", "    authority: issuing"),
        ("dangling_validation", "    validation: default", "    validation: inside"),
        ("not_a_network", "allow: [127.0.0.0/8, \"::1/128\"]", "allow: [127.0.0.0/33]"),
        ("several_nodes_on_sqlite", "  workdir: work\n", "  workdir: work\n  several_nodes: true\n"),
        ("bad_yaml", "  listen: 127.0.0.1:14000", "  listen: [127.0.0.1:14000"),
        ("tab_for_indent", "  listen: 127.0.0.1:14000", "\tlisten: 127.0.0.1:14000"),
        ("two_documents", "    validity: 90d\n", "    validity: 90d\n---\nserver: {}\n"),
    ] {
        let refused = validate(&replace(good, bad));
        writeln!(said, "{case}\n{}", refusal(&refused)).unwrap();
    }
    insta::assert_snapshot!("faults", said);
}

#[test]
fn several_faults_are_named_at_once() {
    let config = GOOD.replace("driver: sqlite", "driver: mysql").replace("validity: 90d", "validity: soon");
    insta::assert_snapshot!("several_faults", refusal(&validate(&config)));
}

#[test]
fn an_empty_file_is_refused() {
    insta::assert_snapshot!("empty_file", refusal(&validate("")));
}

#[test]
fn a_file_that_is_not_there_is_refused() {
    let nowhere = Workdir::new().join("chancery.yaml");
    let path = nowhere.to_str().unwrap();
    let refused = run_program(CHANCERY, &["validate", "-f", path]);
    insta::assert_snapshot!("no_file", refusal(&refused).replace(path, "[CONFIG]"));
}

fn validate(config: &str) -> Finished {
    let workdir = Workdir::new();
    let path = workdir.write("chancery.yaml", config);
    let path = path.to_str().unwrap();
    let mut finished = run_program(CHANCERY, &["validate", "-f", path]);
    finished.stderr = finished.stderr.replace(path, "[CONFIG]");
    finished
}

fn replace(good: &str, bad: &str) -> String {
    assert_eq!(GOOD.matches(good).count(), 1, "`{good}` stands once in the good configuration");
    GOOD.replace(good, bad)
}

/// What a command that refused has said.
fn refusal(finished: &Finished) -> String {
    let refused = finished.clone().exited_with(1);
    assert_eq!(refused.stdout, "", "a refusal goes to standard error");
    refused.stderr
}
