//! When the server starts, and what it says when it does not.

use chancery_testkit::{Engine, Finished, Installation, Workdir, run_program};

use crate::acme::block_on;
use crate::{CHANCERY, on_both_engines};

on_both_engines!(refuses_without_a_window, a_window_opens_once, healthz_and_readyz_answer);

fn refuses_without_a_window(engine: Engine) {
    let installation = Installation::without_window(CHANCERY, engine);
    let refused = installation.run(&["serve"]).exited_with(3);
    assert_eq!(refused.stdout, "");
    let banner = banner(&refused);
    insta::with_settings!({filters => vec![
        (r"INST-[0-9A-HJKMNP-TV-Z-]{34}", "[INSTALLATION KEY]"),
        (r"-f \S+/chancery\.yaml", "-f [CONFIG]"),
    ]}, {
        insta::assert_snapshot!("no_window", banner);
    });

    installation.open_window("enterprise");
    installation.serve().terminate();
}

fn a_window_opens_once(engine: Engine) {
    let installation = Installation::new(CHANCERY, engine);
    let status = installation.run(&["cold-start", "status"]).succeeded();
    assert!(status.stdout.contains("enterprise"), "{status}");
    let again = installation.run(&["cold-start", "init", "--plan=pro"]);
    assert_ne!(again.code, Some(0), "{again}");
    assert!(again.stderr.contains("already"), "{again}");
}

fn healthz_and_readyz_answer(engine: Engine) {
    block_on(async {
        let installation = Installation::new(CHANCERY, engine);
        let mut server = installation.serve();
        for path in ["/healthz", "/readyz"] {
            let (status, body) =
                installation.https_client().get(&format!("{}{path}", installation.url())).await;
            assert_eq!(status, 200, "{path}: {body}");
        }
        server.terminate();
    });
}

#[test]
fn a_plan_without_postgresql_is_refused_on_postgresql() {
    let installation = Installation::without_window(CHANCERY, Engine::Postgres);
    let refused = installation.run(&["cold-start", "init", "--plan=free"]);
    assert_ne!(refused.code, Some(0), "{refused}");
    assert!(refused.stderr.contains("db_not_allowed"), "{refused}");
}

#[test]
fn init_makes_the_directories_that_it_writes_to() {
    let files = Workdir::new();
    let (workdir, config) = (files.join("a/workdir"), files.join("b/c/chancery.yml"));
    let (workdir, config) = (workdir.display().to_string(), config.display().to_string());
    run_program(CHANCERY, &["init", "--defaults", "--workdir", &workdir, "-o", &config]).succeeded();
    run_program(CHANCERY, &["validate", "-f", &config]).succeeded();

    let again = run_program(CHANCERY, &["init", "--defaults", "--workdir", &workdir, "-o", &config]);
    assert!(again.exited_with(1).stderr.contains("exists already"));
}

#[test]
fn the_version_is_printed() {
    let version = run_program(CHANCERY, &["--version"]).succeeded();
    assert_eq!(version.stdout, format!("chancery {}\n", env!("CARGO_PKG_VERSION")));
}

/// Standard error from the banner's first line on; log lines may stand before it.
fn banner(refused: &Finished) -> &str {
    let start = refused.stderr.find("LICENSE REQUIRED").unwrap_or_else(|| panic!("no banner: {refused}"));
    &refused.stderr[start..]
}
