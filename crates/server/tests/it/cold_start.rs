//! The cold-start window from its opening to the cap, under a clock that the test moves.

use std::time::Duration;

use chancery_testkit::{Engine, Finished, Installation, MovableClock, RawClient, Responder, Vendor};
use chancery_time::Timestamp;
use serde_json::{Value, json};

use crate::acme::block_on;
use crate::{CHANCERY, on_both_engines};

on_both_engines!(
    a_window_is_lived_through_to_the_cap,
    the_cap_outlives_the_rows_it_came_from,
    an_end_that_was_edited_lies_at_the_cap,
    the_audit_log_remembers_the_first_account,
    a_damaged_record_opens_nothing,
    a_plan_that_no_longer_fits_is_warned_of_and_refuses_orders,
    a_licence_ends_the_cold_start,
    every_refusal_leaves_the_store_as_it_was,
);

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(86_400);
const WEEK: Duration = Duration::from_secs(7 * 86_400);
const CAP: Duration = Duration::from_secs(21 * 86_400);

/// What only a served account leaves behind, each table before those that it refers to.
const ROWS_OF_ACCOUNTS: [&str; 8] = [
    "managed_servers",
    "certificates",
    "order_authorizations",
    "challenges",
    "authorizations",
    "orders",
    "jobs",
    "accounts",
];

/// An installation without licence or window, and the clock that all of its programs run under.
struct Site {
    clock: MovableClock,
    installation: Installation,
}

impl Site {
    fn new(engine: Engine) -> Self {
        Self { clock: MovableClock::new(), installation: Installation::without_window(CHANCERY, engine) }
    }

    fn run(&self, arguments: &[&str]) -> Finished {
        self.installation.run_at(&self.clock, &[&["cold-start"], arguments].concat())
    }

    /// What a command that must succeed prints with `--json`.
    fn json(&self, arguments: &[&str]) -> Value {
        let printed = self.run(&[arguments, &["--json"]].concat()).succeeded().stdout;
        serde_json::from_str(&printed).unwrap_or_else(|error| panic!("{error}: {printed}"))
    }

    /// What a command that must be refused says, having printed nothing else and changed nothing.
    fn refused(&self, arguments: &[&str]) -> String {
        let before = self.stored();
        let refused = self.run(arguments).exited_with(1);
        assert_eq!(refused.stdout, "");
        assert_eq!(self.stored(), before, "{refused}");
        refused.stderr
    }

    /// Starts the server and stops it again.
    fn serves(&self) {
        self.installation.serve_under(&self.clock).terminate();
    }

    /// The banner under which the server refuses to start.
    fn banner(&self) -> String {
        let refused = self.installation.serve_refused(Some(&self.clock)).exited_with(3);
        assert_eq!(refused.stdout, "");
        let start = refused.stderr.find("LICENSE REQUIRED").unwrap_or_else(|| panic!("no banner: {refused}"));
        refused.stderr[start..].to_owned()
    }

    /// Serves one client from its registration to a certificate.
    fn serve_a_client(&self) {
        block_on(async {
            let mut server = self.installation.serve_under(&self.clock);
            let responder = Responder::start(self.installation.http01_port()).await;
            let mut client = RawClient::under(&self.clock, &self.installation).await;
            let finalized = client.obtain(&responder, "first.localhost").await;
            assert_eq!(finalized.status, 200, "{finalized:?}");
            server.terminate();
        });
    }

    /// A number that tells windows apart: by when they were opened, their end, and the length of the name of
    /// their plan, which no two plans share. Where there is none, 0.
    fn stored(&self) -> i64 {
        let window = "2 * opened_at + 3 * ends_at + LENGTH(plan)";
        let query = format!("SELECT CAST(COALESCE(SUM({window}), 0) AS BIGINT) FROM cold_start");
        self.installation.query_i64(&query)
    }
}

fn a_window_is_lived_through_to_the_cap(engine: Engine) {
    let site = Site::new(engine);
    snapshot("status_before", &site.run(&["status"]).succeeded().stdout);
    snapshot("init", &site.run(&["init", "--plan=pro"]).succeeded().stdout);
    snapshot("status_in_setup", &site.run(&["status"]).succeeded().stdout);
    snapshot("extend_in_setup", &site.run(&["extend"]).succeeded().stdout);
    let opened = site.json(&["status"]);
    let end = time(&opened, "window_ends");

    // The first day.
    site.serve_a_client();
    snapshot("status_on_the_first_day", &site.run(&["status"]).succeeded().stdout);
    let served = site.json(&["status"]);
    assert_eq!(time(&served, "window_ends"), end);
    let first_account_at = time(&served, "anchor_at");
    let cap = time(&served, "cap_at");
    assert_eq!(served["anchor"], "first_acme_account");
    assert_eq!(cap, first_account_at + CAP);
    assert!(end - WEEK <= first_account_at && first_account_at <= site.clock.now(), "{served}");

    site.clock.advance(6 * DAY);
    site.serves();

    // The eighth.
    site.clock.advance(2 * DAY);
    snapshot("banner_when_it_is_over", &site.banner());
    snapshot("status_when_it_is_over", &site.run(&["status"]).succeeded().stdout);
    snapshot("extend_preview", &site.run(&["extend"]).succeeded().stdout);
    assert_eq!(time(&site.json(&["status"]), "window_ends"), end);
    site.banner();
    snapshot("extend_confirmed", &site.run(&["extend", "--confirm"]).succeeded().stdout);
    site.serves();
    let second = time(&site.json(&["status"]), "window_ends");
    assert!(second >= end + 8 * DAY && second <= site.clock.now() + WEEK, "{second}");

    // The sixteenth: less than a week is left.
    site.clock.advance(8 * DAY);
    site.banner();
    let extended = site.json(&["extend", "--confirm"]);
    assert_eq!((time(&extended, "new_window_ends"), time(&extended, "window_ends")), (cap, cap));
    assert_eq!(time(&extended, "previous_window_ends"), second);
    site.serves();
    snapshot("extend_at_the_cap", &site.refused(&["extend", "--confirm"]));

    // The end of the third week.
    site.clock.advance(cap.since(site.clock.now()) + MINUTE);
    snapshot("banner_at_the_cap", &site.banner());
    snapshot("extend_beyond_the_cap", &site.refused(&["extend", "--confirm"]));
    snapshot("status_at_the_cap", &site.run(&["status"]).succeeded().stdout);
    site.refused(&["extend"]);
    site.refused(&["init", "--plan=enterprise"]);
}

/// The row of the window is under no MAC; the cap is.
fn an_end_that_was_edited_lies_at_the_cap(engine: Engine) {
    let site = Site::new(engine);
    site.run(&["init", "--plan=pro"]).succeeded();
    site.serve_a_client();
    site.installation.sql("UPDATE cold_start SET ends_at = 4102444800000");
    let status = site.json(&["status"]);
    assert_eq!(status["window_ends"], status["cap_at"]);
    site.clock.advance(40 * DAY);
    site.banner();

    // Nor does a record begin anew for being said to be due.
    for table in ROWS_OF_ACCOUNTS.iter().chain(&["cold_start"]) {
        site.installation.sql(&format!("DELETE FROM {table}"));
    }
    site.installation.sql("DELETE FROM settings WHERE name = 'license_record'");
    site.installation
        .sql("INSERT INTO settings (name, value) SELECT 'license_record_due', value FROM settings WHERE name = 'installation_key'");
    site.refused(&["init", "--plan=pro"]);
    site.banner();
}

/// Where everything in the database is made to forget it, be it by a record from before.
fn the_audit_log_remembers_the_first_account(engine: Engine) {
    let site = Site::new(engine);
    site.run(&["init", "--plan=pro"]).succeeded();
    site.installation.sql("CREATE TABLE kept AS SELECT value FROM settings WHERE name = 'license_record'");
    site.serve_a_client();
    let served = site.json(&["status"]);
    for table in ROWS_OF_ACCOUNTS {
        site.installation.sql(&format!("DELETE FROM {table}"));
    }
    site.installation
        .sql("UPDATE settings SET value = (SELECT value FROM kept) WHERE name = 'license_record'");
    let forgetful = site.json(&["status"]);
    let (logged, known) = (time(&forgetful, "anchor_at"), time(&served, "anchor_at"));
    assert!(logged <= known + MINUTE && known <= logged + MINUTE, "{forgetful}");
    site.clock.advance(40 * DAY);
    site.banner();
    site.refused(&["extend", "--confirm"]);
}

/// It cannot be reset by clearing local state: neither the window's row nor those of the accounts.
fn the_cap_outlives_the_rows_it_came_from(engine: Engine) {
    let site = Site::new(engine);
    site.run(&["init", "--plan=pro"]).succeeded();
    site.serve_a_client();
    let cap = time(&site.json(&["status"]), "cap_at");

    let clear = || {
        for table in ROWS_OF_ACCOUNTS.iter().chain(&["cold_start"]) {
            site.installation.sql(&format!("DELETE FROM {table}"));
        }
        assert_eq!(site.installation.query_i64("SELECT COUNT(*) FROM accounts"), 0);
    };
    clear();
    site.clock.advance(18 * DAY);
    site.banner();
    let opened = site.json(&["init", "--plan=pro"]);
    assert_eq!(time(&opened, "window_ends"), cap);
    let printed = site.run(&["status"]).succeeded().stdout;
    assert!(printed.contains(&format!("Cap            : {} (2d23h left)", cap.to_minutes())), "{printed}");
    site.serves();

    site.clock.advance(3 * DAY);
    site.banner();
    clear();
    snapshot("init_beyond_the_cap", &site.refused(&["init", "--plan=pro"]));
    site.banner();
}

/// A window counts only while the record of what was seen is whole.
fn a_damaged_record_opens_nothing(engine: Engine) {
    let site = Site::new(engine);
    site.run(&["init", "--plan=pro"]).succeeded();
    // The first start makes the secrets of the audit log, which stay as they are here.
    site.serves();
    site.installation.sql("CREATE TABLE whole AS SELECT name, value FROM settings");
    for damage in [
        "DELETE FROM settings WHERE name = 'license_secret'",
        "UPDATE settings SET value = (SELECT value FROM whole WHERE name = 'license_secret')
         WHERE name = 'license_record'",
        "DELETE FROM settings WHERE name = 'license_record'",
    ] {
        site.installation.sql("DELETE FROM settings");
        site.installation.sql("INSERT INTO settings (name, value) SELECT name, value FROM whole");
        let status = site.json(&["status"]);
        assert_eq!(status["record_damaged"], false);
        assert!(status["remaining_seconds"].as_u64() > Some(0), "{status}");

        assert_eq!(site.installation.sql(damage), 1, "{damage}");
        snapshot("banner_without_a_record", &site.banner());
        let status = site.json(&["status"]);
        assert_eq!((&status["record_damaged"], &status["remaining_seconds"]), (&json!(true), &json!(0)));
    }
    snapshot("status_without_a_record", &site.run(&["status"]).succeeded().stdout);
    for command in [&["extend", "--confirm"][..], &["switch", "--plan=enterprise"]] {
        let said = site.refused(command);
        assert!(said.contains("missing or damaged"), "{said}");
    }
    site.installation.sql("DELETE FROM cold_start");
    snapshot("init_without_a_record", &site.refused(&["init", "--plan=pro"]));
    site.banner();
}

fn a_plan_that_no_longer_fits_is_warned_of_and_refuses_orders(engine: Engine) {
    let site = Site::new(engine);
    site.run(&["init", "--plan=pro"]).succeeded();
    declare_authorities(&site.installation, 4);
    block_on(async {
        let mut server = site.installation.serve_under(&site.clock);
        let warning = server.log_until("does not fit the plan");
        assert!(warning.contains("WARN") && warning.contains("(max_cas_exceeded)"), "{warning}");
        let mut client = RawClient::under(&site.clock, &site.installation).await;
        assert_eq!(client.register(&json!({})).await.status, 201);
        let refused = client.new_order("new.localhost", json!({})).await;
        let detail = refused.problem(403, "unauthorized");
        assert!(detail.contains("max_cas_exceeded"), "{detail}");
        server.terminate();
    });

    let switched = site.run(&["switch", "--plan=enterprise"]).succeeded();
    snapshot("switch", &switched.stdout);
    block_on(async {
        let mut server = site.installation.serve_under(&site.clock);
        let mut client = RawClient::under(&site.clock, &site.installation).await;
        client.register(&json!({})).await;
        assert_eq!(client.new_order("new.localhost", json!({})).await.status, 201);
        server.terminate();
        assert!(!server.log().contains("does not fit"), "{}", server.log());
    });
}

fn a_licence_ends_the_cold_start(engine: Engine) {
    let site = Site::new(engine);
    site.run(&["init", "--plan=pro"]).succeeded();
    let expires = site.clock.now().whole_seconds() + 30 * DAY;
    let license = Vendor::new().jwt().expires(expires).mint();
    std::fs::write(site.installation.server_workdir().join("license.jwt"), license).unwrap();
    site.serves();

    let status = site.run(&["status"]).succeeded();
    let line =
        format!("License        : installed — plan=pro expires={expires}; cold-start no longer applies.\n");
    assert_eq!(status.stdout, line);
    let json = site.json(&["status"]);
    let license = json!({ "state": "valid", "plan": "pro", "expires": expires });
    assert_eq!(
        (&json["license"], &json["plan"], &json["window_ends"]),
        (&license, &Value::Null, &Value::Null)
    );
    for command in
        [&["init", "--plan=pro"][..], &["switch", "--plan=pro"], &["extend"], &["extend", "--confirm"]]
    {
        let said = site.refused(command);
        assert!(said.contains("a licence is installed"), "{said}");
    }
}

/// A licence that was installed ahead of its day leaves the window open until then.
#[test]
fn a_window_goes_on_until_the_licence_begins() {
    let site = Site::new(Engine::Sqlite);
    site.run(&["init", "--plan=pro"]).succeeded();
    let begins = site.clock.now().whole_seconds() + 2 * DAY;
    let file = site.installation.server_workdir().join("ahead.lic");
    let license = Vendor::new().license().not_before(begins).expires(begins + 30 * DAY).mint();
    std::fs::write(&file, license).unwrap();
    let file = file.display().to_string();
    site.installation.run_at(&site.clock, &["license", "install", &file]).succeeded();

    let status = site.run(&["status"]).succeeded().stdout;
    let until = format!("(not_yet_valid); cold-start applies until it begins at {}.", begins.to_minutes());
    assert!(status.contains(&until) && status.contains("Remaining      : 6d23h"), "{status}");
    assert!(site.refused(&["init", "--plan=pro"]).contains("a licence is installed"));
    site.run(&["extend", "--confirm"]).succeeded();
    site.serves();

    site.clock.advance(3 * DAY);
    let status = site.run(&["status"]).succeeded().stdout;
    let line = format!(
        "License        : installed — plan=pro expires={}; cold-start no longer applies.\n",
        begins + 30 * DAY
    );
    assert_eq!(status, line);
    assert_eq!(site.json(&["status"])["window_ends"], Value::Null);
    site.serves();
}

fn every_refusal_leaves_the_store_as_it_was(engine: Engine) {
    let site = Site::new(engine);
    // Makes the store.
    site.run(&["status"]).succeeded();
    for command in [&["switch", "--plan=pro"][..], &["extend"], &["extend", "--confirm"]] {
        let said = site.refused(command);
        assert!(said.contains("never initialised") && said.contains("cold-start init"), "{said}");
    }

    declare_authorities(&site.installation, 6);
    let said = site.refused(&["init", "--plan=enterprise"]);
    let misfit = "error: the configuration does not fit the plan enterprise: \
                  authorities configured: 6, allowed: 5 (max_cas_exceeded)\n";
    assert_eq!(said, misfit);
    declare_authorities(&site.installation, 4);
    let said = site.refused(&["init", "--plan=free"]);
    assert!(said.contains("authorities configured: 4, allowed: 1 (max_cas_exceeded)"), "{said}");
    assert_eq!(said.contains("(db_not_allowed)"), engine == Engine::Postgres, "{said}");

    let opened = site.json(&["init", "--plan=enterprise"]);
    assert_eq!(
        (&opened["plan"], &opened["remaining_seconds"]),
        (&json!("enterprise"), &json!(WEEK.as_secs()))
    );
    let said = site.refused(&["init", "--plan=enterprise"]);
    assert!(said.contains("already been initialised") && said.contains("cold-start extend"), "{said}");
    let said = site.refused(&["switch", "--plan=pro"]);
    assert!(said.contains("does not fit the plan pro") && said.contains("max_cas_exceeded"), "{said}");

    declare_authorities(&site.installation, 1);
    let switched = site.json(&["switch", "--plan=pro"]);
    assert_eq!((&switched["previous_plan"], &switched["plan"]), (&json!("enterprise"), &json!("pro")));
    assert_eq!(switched["window_ends"], opened["window_ends"]);
    let preview = site.json(&["extend"]);
    assert_eq!((&preview["extended"], &preview["window_ends"]), (&json!(false), &opened["window_ends"]));
}

/// Time that the server ran through has passed, whatever the clock shows afterwards.
#[test]
fn a_clock_set_back_a_month_does_not_lengthen_the_window() {
    block_on(async {
        let installation = Installation::without_window(CHANCERY, Engine::Sqlite);
        let running = MovableClock::with_monotonic();
        installation.run_at(&running, &["cold-start", "init", "--plan=pro"]).succeeded();
        let mut server = installation.serve_under(&running);
        let mut client = RawClient::under(&running, &installation).await;
        client.register(&json!({})).await;
        running.advance(8 * DAY);
        let refused = client.new_order("new.localhost", json!({})).await;
        let detail = refused.problem(403, "unauthorized");
        assert!(detail.contains("cold_start_elapsed"), "{detail}");
        server.terminate();

        let set_back = MovableClock::new();
        set_back.set_back(30 * DAY);
        let refused = installation.serve_refused(Some(&set_back)).exited_with(3);
        assert!(refused.stderr.contains("cold_start_elapsed"), "{refused}");
        let status = installation.run_at(&set_back, &["cold-start", "status"]).succeeded().stdout;
        assert!(status.contains("Remaining      : none (the window is over)"), "{status}");
        // Another week begins where the time seen stands, and not a month ago.
        let preview = installation.run_at(&set_back, &["cold-start", "extend", "--json"]).succeeded().stdout;
        let preview: Value = serde_json::from_str(&preview).unwrap();
        assert!(time(&preview, "new_window_ends") > time(&preview, "window_ends") + WEEK, "{preview}");
    });
}

/// The flags of an older way to start are known only to be refused.
#[test]
fn serve_knows_grace_only_to_say_what_replaced_it() {
    let installation = Installation::without_window(CHANCERY, Engine::Sqlite);
    for (flags, plan) in [
        (&["--grace"][..], "free"),
        (&["--grace", "--cold-start-plan", "starter"], "starter"),
        (&["--cold-start-plan=pro"], "pro"),
    ] {
        let refused = installation.run(&[&["serve"], flags].concat()).exited_with(1);
        assert_eq!(refused.stdout, "");
        assert!(refused.stderr.contains("168 hours"), "{refused}");
        let command = format!("`chancery cold-start init --plan={plan} -f ");
        assert!(refused.stderr.contains(&command) && refused.stderr.contains("chancery.yaml`"), "{refused}");
    }
    // Nothing was opened.
    installation.serve_refused(None).exited_with(3);
}

/// Declares so many authorities, all with the keys of the one that `init` made.
fn declare_authorities(installation: &Installation, number: usize) {
    installation.configure(|config| {
        let first = config["authorities"][0].clone();
        let named = |index| {
            let mut authority = first.clone();
            if index > 0 {
                authority["name"] = json!(format!("authority-{index}"));
            }
            authority
        };
        config["authorities"] = (0..number).map(named).collect();
    });
}

fn time(json: &Value, field: &str) -> Timestamp {
    let text = json[field].as_str().unwrap_or_else(|| panic!("no {field}: {json}"));
    text.parse().unwrap_or_else(|error| panic!("{field}: {error}"))
}

/// Holds a text to its snapshot, the same on both engines: without times, keys and paths.
#[track_caller]
fn snapshot(name: &str, text: &str) {
    insta::with_settings!({filters => vec![
        (r"INST-[0-9A-HJKMNP-TV-Z-]{34}", "[INSTALLATION KEY]"),
        (r"-f \S+/chancery\.yaml", "-f [CONFIG]"),
        (r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", "[TIME]"),
    ]}, {
        insta::assert_snapshot!(name, text);
    });
}
