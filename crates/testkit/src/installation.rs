//! One installation of Chancery: a directory, a database, a configuration, two ports.

mod elsewhere;
mod nodes;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

pub use elsewhere::Elsewhere;
use serde_json::{Value, json};

use crate::process::{Finished, clean_command, run};
use crate::server::Serving;
use crate::sql::Target;
use crate::{Database, Engine, HttpsClient, MovableClock, TestServer, Workdir, free_port};

/// A directory made by `chancery init --demo`, whose configuration names this test's own ports and
/// database.
#[derive(Debug)]
pub struct Installation {
    binary: PathBuf,
    /// The port of the URL by which clients know it.
    port: u16,
    /// Where it listens: the same port, but for [`another_node`](Self::another_node).
    listening: u16,
    http01_port: u16,
    config: PathBuf,
    root: PathBuf,
    log: &'static str,
    // Dropped last: the database before the directory it may lie in.
    database: Arc<Database>,
    workdir: Workdir,
}

impl Installation {
    /// An installation with an open cold-start window, plan enterprise. `binary` is
    /// `env!("CARGO_BIN_EXE_chancery")`, which only a test of that crate has.
    pub fn new(binary: &str, engine: Engine) -> Self {
        let installation = Self::without_window(binary, engine);
        installation.open_window("enterprise");
        installation
    }

    /// An installation as `chancery init` leaves it, with neither licence nor window.
    pub fn without_window(binary: &str, engine: Engine) -> Self {
        let workdir = Workdir::new();
        let port = free_port();
        let installation = Self {
            binary: PathBuf::from(binary),
            port,
            listening: port,
            http01_port: free_port(),
            config: workdir.join("chancery.yaml"),
            root: workdir.join("root.pem"),
            log: "info",
            database: Arc::new(Database::create(engine)),
            workdir,
        };
        installation.init();
        installation
    }

    /// The same installation, which logs at that level from its next start on.
    #[must_use]
    pub fn logging(mut self, level: &'static str) -> Self {
        self.log = level;
        self
    }

    /// Opens the cold-start window, as `chancery cold-start init` does.
    pub fn open_window(&self, plan: &str) {
        self.run(&["cold-start", "init", "--plan", plan]).succeeded();
    }

    /// Runs `chancery ARGUMENTS… -f CONFIG` to its end.
    pub fn run(&self, arguments: &[&str]) -> Finished {
        run(&mut self.command(arguments))
    }

    /// Runs a command as [`run`](Self::run) does, with further variables in its environment.
    pub fn run_with(&self, variables: &[(&str, &str)], arguments: &[&str]) -> Finished {
        run(self.command(arguments).envs(variables.iter().copied()))
    }

    /// Runs a command as [`run`](Self::run) does, under a clock that the test moves.
    pub fn run_at(&self, clock: &MovableClock, arguments: &[&str]) -> Finished {
        let mut command = self.command(arguments);
        clock.put_on(&mut command);
        run(&mut command)
    }

    /// Starts `chancery serve` and waits until it accepts requests.
    pub fn serve(&self) -> TestServer<'_> {
        TestServer::start(self, None)
    }

    /// Starts `chancery serve` under a clock that the test moves.
    pub fn serve_under<'a>(&'a self, clock: &'a MovableClock) -> TestServer<'a> {
        TestServer::start(self, Some(clock))
    }

    /// Runs `chancery serve`, for a start that is to be refused, to its end. Fails the test if it serves.
    pub fn serve_refused(&self, clock: Option<&MovableClock>) -> Finished {
        TestServer::refused(self, clock)
    }

    /// The key that names this installation, `INST-…`, as `chancery cold-start status` tells it.
    pub fn installation_key(&self) -> String {
        let status = self.run(&["cold-start", "status", "--json"]).succeeded();
        let json: Value = serde_json::from_str(&status.stdout).expect("the status is JSON");
        let key = json["installation_key"].as_str();
        key.unwrap_or_else(|| panic!("the status has no installation_key: {status}")).to_owned()
    }

    /// Changes the configuration; the server sees it at its next start.
    pub fn configure(&self, change: impl FnOnce(&mut Value)) {
        let mut config = self.configuration();
        change(&mut config);
        // What is written is JSON, which is YAML.
        let text = serde_json::to_string_pretty(&config).expect("JSON");
        std::fs::write(&self.config, text).expect("write the configuration");
    }

    /// The server's working directory.
    pub fn server_workdir(&self) -> PathBuf {
        self.workdir.join("chancery")
    }

    /// The URL of the ACME directory.
    pub fn directory_url(&self) -> String {
        format!("{}/acme/directory", self.url())
    }

    /// The base URL, `https://localhost:PORT`.
    pub fn url(&self) -> String {
        format!("https://localhost:{}", self.port)
    }

    /// The port where it listens, on 127.0.0.1.
    pub fn listening(&self) -> u16 {
        self.listening
    }

    /// The configuration file.
    pub fn config(&self) -> &Path {
        &self.config
    }

    /// The port to which this installation's validator goes for http-01.
    pub fn http01_port(&self) -> u16 {
        self.http01_port
    }

    /// The PEM file of the root certificate, which also vouches for the server's own certificate.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// A directory for a client of this installation.
    pub(crate) fn client_dir(&self, client: &str) -> PathBuf {
        self.workdir.join(client)
    }

    /// A client that trusts the root certificate alone.
    pub fn https_client(&self) -> HttpsClient {
        HttpsClient::trusting(&self.root)
    }

    /// A client that trusts the root certificate alone, and whose time of day is the clock's.
    pub fn https_client_under(&self, clock: &MovableClock) -> HttpsClient {
        HttpsClient::under(&self.root, clock)
    }

    /// Where SQL about this installation goes.
    pub(crate) fn target(&self) -> Target<'_> {
        Target::of(&self.database, &self.configuration(), &self.server_workdir())
    }

    /// `chancery ARGUMENTS… -f CONFIG`, not yet started.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.bare_command();
        command.args(arguments).arg("-f").arg(&self.config);
        command
    }

    fn configuration(&self) -> Value {
        let text = std::fs::read_to_string(&self.config).expect("init wrote the configuration");
        serde_saphyr::from_str(&text).expect("init wrote YAML")
    }

    fn bare_command(&self) -> Command {
        let mut command = clean_command(&self.binary);
        if let Database::Postgres { dsn, .. } = &*self.database {
            command.env("CHANCERY_DATABASE_DSN", dsn);
        }
        command
    }

    fn init(&self) {
        let mut init = self.bare_command();
        init.args(["init", "--defaults", "--demo", "--url", &self.url()])
            .args(["--listen", &format!("127.0.0.1:{}", self.listening)])
            .arg("--workdir")
            .arg(self.server_workdir())
            .arg("-o")
            .arg(&self.config);
        run(&mut init).succeeded();
        self.adapt_config();
        let root = self.run(&["ca", "root"]).succeeded();
        std::fs::write(&self.root, root.stdout).expect("write the root certificate");
    }

    /// Puts this test's database and http-01 port into the configuration that `init` wrote, and
    /// leaves all else as a user has it.
    fn adapt_config(&self) {
        self.configure(|config| {
            if let Database::Postgres { .. } = &*self.database {
                config["database"] = json!({ "driver": "postgres" });
            }
            config["validation"][0]["http01"]["port"] = json!(self.http01_port);
        });
    }
}

impl Serving for Installation {
    fn serving(&self) -> Command {
        self.command(&["serve", "--log", self.log])
    }

    fn ready(&self) -> String {
        format!("ready {}", self.directory_url())
    }
}
