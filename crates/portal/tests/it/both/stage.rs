//! The vendor's portal, the customer's server, and the time of both.

use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use chancery_testkit::{
    Answer, Engine, Finished, Installation, MovableClock, PortalSite, RawClient, SoldLicense, TestServer,
    run_program, sibling,
};
use serde_json::{Value, json};

use super::{DAY, HOUR, TO_THE_NEXT_POLL};
use crate::portal::PORTAL;

/// How long something may take that happens in the background.
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(20);
/// What the running server writes when it was answered.
const ANSWERED: &str = "the licence portal answered";
/// What the running server writes when it waited too long.
const TIMED_OUT: &str = r#"failure="timed_out""#;
/// What the running server writes when it takes up what is in its store.
const READ_AGAIN: &str = "the licence was read again";

/// A portal with a product, a customer and an offline root that vouches for its key, and a server that asks it.
pub(super) struct Stage {
    pub(super) portal: PortalSite,
    pub(super) server: Installation,
    pub(super) clock: MovableClock,
    /// The key that signs, unless a test changes it.
    pub(super) kid: String,
    organisation: String,
    /// The licence keys that were handed out.
    keys: Mutex<Vec<String>>,
    /// What the customer's commands printed.
    told: Mutex<String>,
}

impl Stage {
    /// Both programs on that engine, the server with neither licence nor window.
    pub(super) fn set(engine: Engine) -> Self {
        let portal = PortalSite::new(PORTAL, engine).logging("debug");
        let binary = sibling(PORTAL, "chancery");
        let server = Installation::without_window(binary.to_str().unwrap(), engine).logging("debug");
        portal.json(&[
            "product",
            "create",
            "--slug",
            "chancery",
            "--name",
            "Chancery",
            "--kind",
            "chancery",
            "--with-plans",
        ]);
        let organisation =
            portal.json(&["org", "create", "--name", "Example Ltd", "--email", "it@example.org"]);
        let root = trust("anchor.pem");
        portal.json(&["signing-root", "set", "--env", "dev", &root]);
        let stage = Self {
            kid: text(&portal.json(&["signing-key", "create", "--env", "dev"]), "key_id"),
            organisation: text(&organisation, "id"),
            portal,
            server,
            clock: MovableClock::with_monotonic(),
            keys: Mutex::default(),
            told: Mutex::default(),
        };
        stage.vouch(1, &[&stage.kid]);
        stage.vendor(&["signing-key", "activate", &stage.kid]);
        stage.connect(|_| {});
        stage
    }

    /// What happens on the offline machine, and on the way back: a manifest that lists those keys.
    pub(super) fn vouch(&self, sequence: u64, kids: &[&str]) {
        let file = self.portal.beside(&format!("{sequence}.manifest"));
        let mut words: Vec<String> = ["keys", "manifest", "--env", "dev", "--key"].map(str::to_owned).into();
        words.extend([trust("signing-key.pem"), "--sequence".to_owned(), sequence.to_string()]);
        words.extend(["-o".to_owned(), shown(&file)]);
        for kid in kids {
            let public = self.portal.beside(&format!("{kid}.pem"));
            if !public.exists() {
                self.vendor(&["signing-key", "export", kid, "-o", &shown(&public)]);
            }
            let (from, until) = (self.clock.now() - DAY, self.clock.now() + 1_000 * DAY);
            let (from, until) = (from.whole_seconds(), until.whole_seconds());
            let use_for = "use=license,use=revocations";
            words.extend([
                "--add".to_owned(),
                format!("{},{use_for},from={from},until={until}", public.display()),
            ]);
        }
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        run_program(PORTAL, &words).succeeded();
        self.vendor(&["manifest", "take", "--env", "dev", &shown(&file)]);
    }

    /// The path of a manifest that [`vouch`](Self::vouch) made.
    pub(super) fn manifest(&self, sequence: u64) -> String {
        shown(&self.portal.beside(&format!("{sequence}.manifest")))
    }

    /// Has the server ask the portal, by what `change` makes of `license.portal`.
    pub(super) fn connect(&self, change: impl FnOnce(&mut Value)) {
        let mut portal = json!({ "url": self.portal.url(), "ca_file": self.portal.root() });
        change(&mut portal);
        self.server.configure(|config| config["license"] = json!({ "environment": "dev", "portal": portal }));
    }

    /// A command of the vendor, which has to succeed; what it prints with `--json`.
    #[track_caller]
    pub(super) fn vendor(&self, words: &[&str]) -> Value {
        let told = self.portal.run_at(&self.clock, &[words, &["--json"]].concat()).succeeded();
        serde_json::from_str(&told.stdout).unwrap_or_else(|error| panic!("no JSON ({error}): {told}"))
    }

    /// A command of the customer on the server's machine.
    pub(super) fn customer(&self, words: &[&str]) -> Finished {
        let finished = self.server.run_at(&self.clock, words);
        self.told.lock().unwrap().push_str(&format!("{}{}", finished.stdout, finished.stderr));
        finished
    }

    /// A licence for the customer in the server's environment.
    pub(super) fn sell(&self, plan: &str, options: &[&str]) -> SoldLicense {
        self.sell_for("dev", plan, options)
    }

    pub(super) fn sell_for(&self, environment: &str, plan: &str, options: &[&str]) -> SoldLicense {
        let words =
            ["license", "create", "--plan", plan, "--env", environment, "--organisation", &self.organisation];
        let made = self.vendor(&[&words, options].concat());
        let sold = SoldLicense { id: text(&made, "id"), key: text(&made, "key") };
        self.keys.lock().unwrap().push(sold.key.clone());
        sold
    }

    /// Has the vendor link the server to a licence.
    pub(super) fn link(&self, license: &SoldLicense) {
        self.vendor(&["installation", "link", &self.server.installation_key(), "--license", &license.id]);
    }

    /// Has the vendor sell a licence and link the server to it, and the customer fetch it.
    pub(super) fn licensed(&self, plan: &str, options: &[&str]) -> SoldLicense {
        let license = self.sell(plan, options);
        self.link(&license);
        self.customer(&["license", "refresh"]).succeeded();
        license
    }

    /// `license register KEY`.
    pub(super) fn register(&self, key: &str, options: &[&str]) -> Finished {
        self.customer(&[&["license", "register", "--env", "dev", key], options].concat())
    }

    /// What `license status` knows.
    pub(super) fn status(&self) -> Value {
        let status = self.customer(&["license", "status", "--json"]).succeeded();
        serde_json::from_str(&status.stdout).unwrap()
    }

    /// What the vendor sees of the server.
    pub(super) fn seen_by_vendor(&self) -> Value {
        self.vendor(&["installation", "show", &self.server.installation_key()])
    }

    /// How many seats of a licence are taken.
    pub(super) fn seats(&self, license: &SoldLicense) -> u64 {
        self.vendor(&["license", "show", &license.id])["active_seats"].as_u64().unwrap()
    }

    /// What the audit log was told of a kind of event. The server has ended.
    pub(super) fn audited(&self, event: &str) -> Vec<Value> {
        let query = self.customer(&["audit", "query", "--json", "--event", event]).succeeded();
        query.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    pub(super) fn open_portal(&self) -> TestServer<'_> {
        self.portal.serve_under(&self.clock)
    }

    pub(super) fn serve(&self) -> TestServer<'_> {
        self.server.serve_under(&self.clock)
    }

    /// A client of the server, with an account.
    pub(super) async fn client(&self) -> RawClient {
        let mut client = RawClient::under(&self.clock, &self.server).await;
        let registered = client.register(&json!({ "termsOfServiceAgreed": true })).await;
        assert_eq!(registered.status, 201, "{registered:?}");
        client
    }

    /// Lets time pass for both programs.
    pub(super) async fn pass(&self, time: Duration) {
        self.clock.advance(time);
        self.wake().await;
    }

    /// A connection wakes the server up, which else sees only later how late it is.
    async fn wake(&self) {
        let (client, url) = (self.server.https_client_under(&self.clock), self.server.directory_url());
        // One that is being made while the clock is moved may have taken too long by that.
        for _ in 0..3 {
            if client.try_certificate(&url).await.is_some() {
                break;
            }
        }
        // What was woken up has something to do.
        tokio::time::sleep(PAUSE).await;
    }

    /// Lets time pass until the server has asked the portal by itself, and taken up what was answered.
    pub(super) async fn next_poll(&self, server: &TestServer<'_>) {
        self.poll_after(TO_THE_NEXT_POLL, server).await;
    }

    pub(super) async fn poll_after(&self, time: Duration, server: &TestServer<'_>) {
        let answered = count(&server.log(), ANSWERED);
        let given_up = count(&server.log(), TIMED_OUT);
        self.pass(time).await;
        let is_over =
            || count(&server.log(), ANSWERED) > answered || count(&server.log(), TIMED_OUT) > given_up;
        self.until("it is answered", is_over).await;
        if count(&server.log(), TIMED_OUT) > given_up {
            // The clock was moved in the middle of the question, which took hours by that.
            self.pass(7 * HOUR).await;
            self.until("it is answered", || count(&server.log(), ANSWERED) > answered).await;
        }
        // It may have been taken up just before the line was written: then no further one comes.
        for _ in 0..40 {
            let log = server.log();
            if log.rfind(READ_AGAIN) > log.rfind(ANSWERED) {
                break;
            }
            self.pass(Duration::from_secs(2)).await;
        }
    }

    /// Waits until something has come about. The clock is left alone: a question that is under way would take too
    /// long by it.
    pub(super) async fn until(&self, what: &str, mut is_so: impl FnMut() -> bool) {
        let begun = Instant::now();
        while !is_so() {
            assert!(begun.elapsed() < PATIENCE, "{PATIENCE:?} have passed, and not: {what}");
            self.wake().await;
        }
    }

    /// Ends what serves, and holds the logs of both sides, and what the customer's commands printed, to naming no
    /// licence key.
    pub(super) fn close<const N: usize>(&self, mut serving: [TestServer<'_>; N]) {
        for program in &mut serving {
            program.terminate();
        }
        for program in &serving {
            let log = program.log();
            assert!(log.contains(" DEBUG "), "the log is at level debug");
            self.tells_no_key("a log", &log);
        }
        self.tells_no_key("a command", &self.told.lock().unwrap());
    }

    #[track_caller]
    pub(super) fn tells_no_key(&self, what: &str, text: &str) {
        for key in self.keys.lock().unwrap().iter() {
            // The groups alone would do, however they are written.
            let bare = key.trim_start_matches("CRT-");
            for form in
                [bare.to_owned(), bare.replace('-', ""), bare.to_lowercase(), bare.replace('-', "%2D")]
            {
                let line = text.lines().find(|line| line.contains(&form));
                assert!(
                    line.is_none(),
                    "{what} names a licence key: {}",
                    line.unwrap_or_default().replace(&form, "…")
                );
            }
        }
    }
}

/// How often that stands in a text.
pub(super) fn count(text: &str, what: &str) -> usize {
    text.matches(what).count()
}

/// The answer is an order.
#[track_caller]
pub(super) fn accepted(answer: &Answer) {
    assert_eq!(answer.status, 201, "{answer:?}");
}

/// The answer is a refusal for that reason.
#[track_caller]
pub(super) fn denied(answer: &Answer, reason: &str) {
    assert_eq!(answer.status, 403, "{answer:?}");
    assert!(answer.body.contains(reason), "{answer:?}");
}

fn trust(name: &str) -> String {
    shown(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../license/trust/dev").join(name))
}

fn shown(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

#[track_caller]
pub(super) fn text(value: &Value, member: &str) -> String {
    value[member].as_str().unwrap_or_else(|| panic!("no {member}: {value}")).to_owned()
}
