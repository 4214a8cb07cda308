//! One portal: a directory, a database, a configuration, a port.

mod client;
mod setup;
mod tool;

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

pub use client::PortalClient;
pub use setup::SoldLicense;
pub use tool::{licenseseat, schemathesis};

use crate::process::{Finished, clean_command, run};
use crate::server::Serving;
use crate::sql::Target;
use crate::{Database, Engine, HttpsClient, MovableClock, Network, TestServer, Workdir, free_port};

/// A directory made by `chancery-portal init`, whose configuration names this test's own port and database, and
/// has no limits of rate.
#[derive(Debug)]
pub struct PortalSite {
    binary: PathBuf,
    port: u16,
    config: PathBuf,
    log: &'static str,
    /// Where it serves, if not in the test's own.
    network: Option<Network>,
    // Dropped last: the database before the directory it may lie in.
    database: Database,
    workdir: Workdir,
}

impl PortalSite {
    /// A portal as `chancery-portal init` leaves it. `binary` is `env!("CARGO_BIN_EXE_chancery-portal")`, which
    /// only a test of that crate has; others have [`sibling`](crate::sibling).
    pub fn new(binary: impl Into<PathBuf>, engine: Engine) -> Self {
        let workdir = Workdir::new();
        let site = Self {
            binary: binary.into(),
            port: free_port(),
            config: workdir.join("portal.yaml"),
            log: "info",
            network: None,
            database: Database::create(engine),
            workdir,
        };
        site.init();
        site
    }

    /// The same portal, which logs at that level from its next start on.
    #[must_use]
    pub fn logging(mut self, level: &'static str) -> Self {
        self.log = level;
        self
    }

    /// The same portal, which from its next start on serves in a network of its own. For SQLite alone: the tests'
    /// PostgreSQL is not in there.
    #[must_use]
    pub fn within(mut self, network: Network) -> Self {
        self.network = Some(network);
        self
    }

    /// The network of its own.
    pub fn network(&self) -> &Network {
        self.network.as_ref().expect("a portal in a network of its own")
    }

    /// Runs `chancery-portal ARGUMENTS… -f CONFIG` to its end.
    pub fn run(&self, arguments: &[&str]) -> Finished {
        run(&mut self.command(arguments))
    }

    /// Runs a command as [`run`](Self::run) does, under a clock that the test moves.
    pub fn run_at(&self, clock: &MovableClock, arguments: &[&str]) -> Finished {
        let mut command = self.command(arguments);
        clock.put_on(&mut command);
        run(&mut command)
    }

    /// Runs a command with `--json`, which has to succeed, and gives what it printed.
    #[track_caller]
    pub fn json(&self, arguments: &[&str]) -> Value {
        let told = self.run(&[arguments, &["--json"]].concat()).succeeded();
        serde_json::from_str(&told.stdout).unwrap_or_else(|error| panic!("no JSON ({error}): {told}"))
    }

    /// Starts `chancery-portal serve` and waits until it accepts requests.
    pub fn serve(&self) -> TestServer<'_> {
        TestServer::start(self, None)
    }

    /// Starts `chancery-portal serve` under a clock that the test moves.
    pub fn serve_under<'a>(&'a self, clock: &'a MovableClock) -> TestServer<'a> {
        TestServer::start(self, Some(clock))
    }

    /// Changes the configuration; the portal sees it at its next start.
    pub fn configure(&self, change: impl FnOnce(&mut Value)) {
        let mut config = self.configuration();
        change(&mut config);
        // What is written is JSON, which is YAML.
        let text = serde_json::to_string_pretty(&config).expect("JSON");
        std::fs::write(&self.config, text).expect("write the configuration");
    }

    /// The portal's working directory.
    pub fn workdir(&self) -> PathBuf {
        self.workdir.join("portal")
    }

    /// The path of a file of the test's own, beside the working directory.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.workdir.join(name)
    }

    /// The origin, `https://localhost:PORT`.
    pub fn url(&self) -> String {
        format!("https://localhost:{}", self.port)
    }

    /// The PEM file that vouches for the portal's certificate.
    pub fn root(&self) -> PathBuf {
        self.workdir().join("tls").join("portal.pem")
    }

    /// The configuration file.
    pub fn config(&self) -> &Path {
        &self.config
    }

    /// The database file. For SQLite alone.
    pub fn sqlite_file(&self) -> PathBuf {
        match self.target() {
            Target::Sqlite(file) => file,
            Target::Postgres(_) => panic!("PostgreSQL has no database file"),
        }
    }

    /// A client that has that API key.
    pub fn client(&self, key: &str) -> PortalClient {
        PortalClient::new(HttpsClient::trusting(&self.root()), self.url(), Some(key))
    }

    /// A client without API key.
    pub fn anonymous(&self) -> PortalClient {
        PortalClient::new(HttpsClient::trusting(&self.root()), self.url(), None)
    }

    /// A client that has that API key and whose time of day is the clock's.
    pub fn client_under(&self, clock: &MovableClock, key: &str) -> PortalClient {
        PortalClient::new(HttpsClient::under(&self.root(), clock), self.url(), Some(key))
    }

    /// Where SQL about this portal goes.
    pub(crate) fn target(&self) -> Target<'_> {
        Target::of(&self.database, &self.configuration(), &self.workdir())
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.bare_command();
        command.args(arguments).arg("-f").arg(&self.config);
        command
    }

    fn bare_command(&self) -> Command {
        let mut command = clean_command(&self.binary);
        if let Database::Postgres { dsn, .. } = &self.database {
            command.env("CHANCERY_PORTAL_DATABASE_DSN", dsn);
        }
        command
    }

    fn configuration(&self) -> Value {
        let text = std::fs::read_to_string(&self.config).expect("init wrote the configuration");
        serde_saphyr::from_str(&text).expect("init wrote YAML")
    }

    fn init(&self) {
        let mut init = self.bare_command();
        init.args(["init", "--url", &self.url()])
            .args(["--listen", &format!("127.0.0.1:{}", self.port)])
            .arg("--workdir")
            .arg(self.workdir())
            .arg("-o")
            .arg(&self.config);
        run(&mut init).succeeded();
        self.configure(|config| {
            if let Database::Postgres { .. } = self.database {
                config["database"] = json!({ "driver": "postgres" });
            }
            config["limits"] = json!({ "requests_per_key": "off", "requests_per_ip": "off" });
        });
    }
}

impl Serving for PortalSite {
    fn serving(&self) -> Command {
        let command = self.command(&["serve", "--log", self.log]);
        match &self.network {
            Some(network) => network.within(&command),
            None => command,
        }
    }

    fn ready(&self) -> String {
        format!("ready {}", self.url())
    }
}
