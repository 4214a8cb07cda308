//! The clients that people use, run as their pages in `docs/clients` tell people to run them.

mod known;
mod page;
mod sandbox;
mod webroot;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

pub use known::KnownClient;

use crate::process::{Finished, program_from_env};
use crate::{Installation, certificate_serial, free_port};
use page::{Page, Placeholders};
use sandbox::Sandbox;

/// How long a server with ACME built in may take to get its certificate.
const PATIENCE: Duration = Duration::from_secs(120);

/// The page's `example.com`, as the tests have it: names below `localhost` need no name server.
const DOMAIN: &str = "example.localhost";

/// The script that the pages leave to the user. Two challenges may publish under one name at the same time.
const DNS_HOOK: &str = r#"#!/bin/sh
# dns-hook add|remove NAME VALUE
set -eu
file='DIRECTORY'/"${2%.}"
case $1 in
add) printf '%s\n' "$3" >>"$file" ;;
remove)
    grep -vxF -e "$3" "$file" >"$file.left~" || true
    mv "$file.left~" "$file"
    ;;
esac
"#;

/// Where a client put what it was issued.
#[derive(Debug, Clone)]
pub struct Issued {
    /// The end-entity certificate, PEM. Some clients append the chain.
    pub certificate: PathBuf,
    /// The intermediates, PEM. Some clients put the end-entity certificate before them.
    pub chain: PathBuf,
    /// The private key, PEM.
    pub key: PathBuf,
}

/// What a page tells how to do: a heading with commands below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// From nothing to a certificate for [`Client::NAME`], by http-01.
    Issue,
    /// A new certificate for the same names, at once.
    Renew,
    /// Revokes the newest certificate.
    Revoke,
    /// Gives the account a new key (RFC 8555 §7.3.5).
    ChangeAccountKey,
    /// From nothing to a certificate for [`Client::DOMAIN`] and everything one label below it, by dns-01.
    IssueWildcard,
    /// From nothing to a certificate for [`Client::NAME`], by tls-alpn-01.
    IssueByTls,
    /// From nothing to a certificate for [`Client::NAME`] by http-01, with an account that is bound to
    /// `EAB_KID` (RFC 8555 §7.3.4).
    IssueBound,
}

impl Step {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Issue,
        Self::Renew,
        Self::Revoke,
        Self::ChangeAccountKey,
        Self::IssueWildcard,
        Self::IssueByTls,
        Self::IssueBound,
    ];

    fn heading(self) -> &'static str {
        match self {
            Self::Issue => "Issue by http-01",
            Self::Renew => "Renew",
            Self::Revoke => "Revoke",
            Self::ChangeAccountKey => "Change the account key",
            Self::IssueWildcard => "Issue a wildcard by dns-01",
            Self::IssueByTls => "Issue by tls-alpn-01",
            Self::IssueBound => "Issue with an external account binding",
        }
    }
}

/// The heading of what is done once, before anything else.
const SET_UP: &str = "Set up";

/// A client with its own directories, against one installation, where it has never run.
#[derive(Debug)]
pub struct Client<'a> {
    known: KnownClient,
    page: Page,
    sandbox: Sandbox,
    installation: &'a Installation,
    tls_port: u16,
}

impl<'a> Client<'a> {
    /// What the pages call `example.com`.
    pub const DOMAIN: &'static str = DOMAIN;
    /// What the pages call `www.example.com`.
    pub const NAME: &'static str = "www.example.localhost";

    /// A client that was set up as its page says, and has not spoken with the server yet.
    pub fn new(installation: &'a Installation, known: KnownClient) -> Self {
        let tls_port = free_port();
        let placeholders = Placeholders::new()
            .text("https://ca.example", installation.url())
            .text("example.com", DOMAIN)
            .port("80", installation.http01_port())
            .port("443", tls_port)
            .port("2019", free_port());
        let sandbox = Sandbox::new(installation.client_dir(known.name()), installation.root(), placeholders);
        let mut client = Self { known, page: known.page(), sandbox, installation, tls_port };
        client.prepare();
        if client.page.headings().any(|heading| heading == SET_UP) {
            client.sandbox.run(client.page.commands(SET_UP)).succeeded();
        }
        client
    }

    /// Gives the client the credentials of an external account.
    #[must_use]
    pub fn bound(mut self, key_id: &str, hmac_key: &str) -> Self {
        self.sandbox.set("EAB_KID", key_id);
        self.sandbox.set("EAB_HMAC_KEY", hmac_key);
        self
    }

    /// Lets the client's hook publish what a name server reads in a directory: a file named by the owner
    /// name, of which each line is a TXT record.
    #[must_use]
    pub fn publishing_in(self, directory: &Path) -> Self {
        // Apache runs hooks as the user of its workers.
        set_mode(directory, 0o777);
        let script = DNS_HOOK.replace("DIRECTORY", &directory.display().to_string());
        self.sandbox.write("/usr/local/bin/dns-hook", &script);
        set_mode(&self.sandbox.path("/usr/local/bin/dns-hook"), 0o755);
        self
    }

    /// The port to which the validator has to go for tls-alpn-01.
    pub fn tls_port(&self) -> u16 {
        self.tls_port
    }

    /// Runs the commands that the page has for a step.
    pub fn run(&self, step: Step) -> Finished {
        self.sandbox.run(self.page.commands(step.heading()))
    }

    /// Where the newest certificate of a name is, [`NAME`](Self::NAME) or [`DOMAIN`](Self::DOMAIN).
    pub fn issued(&self, name: &str) -> Issued {
        let [certificate, chain, key] = self.known.files().map(|file| {
            let file = self.sandbox.path(&file.replace("NAME", name));
            only_match(&file).unwrap_or(file)
        });
        Issued { certificate, chain, key }
    }

    /// The certificate of a name, which must have another serial number than `old`. Servers with ACME
    /// built in get theirs some time after the command that starts them; this waits for it.
    #[track_caller]
    pub fn issued_after(&self, name: &str, old: Option<&str>) -> Issued {
        let begin = Instant::now();
        loop {
            let issued = self.issued(name);
            if complete(&issued.certificate)
                && complete(&issued.key)
                && Some(certificate_serial(&issued.certificate).as_str()) != old
            {
                return issued;
            }
            assert!(
                self.known.is_server() && begin.elapsed() < PATIENCE,
                "{:?} has no new certificate in {}",
                self.known,
                issued.certificate.display()
            );
            pause();
        }
    }

    /// What the test needs and no user does.
    fn prepare(&mut self) {
        for directory in self.known.directories() {
            std::fs::create_dir_all(self.sandbox.path(directory)).expect("a directory of the client's");
        }
        for (program, variable) in self.known.programs() {
            self.sandbox.link_program(program, &program_from_env(variable));
        }
        match self.known {
            KnownClient::Certbot | KnownClient::CertbotDebian => self.keep_certbot_in(),
            KnownClient::Lego => {}
            KnownClient::Uacme => {
                self.sandbox.trust_root();
                self.serve_webroot();
            }
            KnownClient::Dehydrated | KnownClient::AcmeTiny => self.serve_webroot(),
            KnownClient::Caddy | KnownClient::CaddyDebian => {}
            KnownClient::ModMd => self.open_to_apache(),
            KnownClient::NpmAcmeClient => {
                let modules = program_from_env("CHANCERY_TEST_ACME_CLIENT");
                let link = self.sandbox.home().join("node_modules");
                std::os::unix::fs::symlink(modules, link).expect("a link to the module");
                self.serve_webroot();
            }
        }
    }

    /// certbot reads the directories that it keeps its things in from a file, so that the commands of the
    /// page can leave them out, as users do.
    fn keep_certbot_in(&self) {
        let directory = |written: &str| self.sandbox.path(written).display().to_string();
        let settings = format!(
            "config-dir = {}\nwork-dir = {}\nlogs-dir = {}\n",
            directory("/etc/letsencrypt"),
            directory("/var/lib/letsencrypt"),
            directory("/var/log/letsencrypt")
        );
        let file = self.sandbox.home().join(".config/letsencrypt/cli.ini");
        std::fs::create_dir_all(file.parent().expect("a file's path")).expect("a directory for settings");
        std::fs::write(file, settings).expect("settings of certbot");
    }

    fn serve_webroot(&self) {
        let root = self.sandbox.path("/var/www/html");
        std::fs::create_dir_all(root.join(".well-known/acme-challenge")).expect("a web root");
        webroot::serve(self.installation.http01_port(), &root);
    }

    /// Apache's workers are another user when root starts it, and have to reach the directory in which
    /// mod_md keeps its things. What else lies beside it has modes of its own.
    fn open_to_apache(&self) {
        let workdir = self.sandbox.home().parent().expect("it lies in the installation's directory");
        set_mode(workdir, 0o711);
        set_mode(self.sandbox.home(), 0o711);
    }
}

/// The path with its component `*` replaced by the one entry of the directory before it.
fn only_match(path: &Path) -> Option<PathBuf> {
    let (directory, rest) = path.to_str()?.split_once("/*/")?;
    let mut entries = std::fs::read_dir(directory).ok()?.flatten();
    let only = entries.next()?;
    assert!(entries.next().is_none(), "{directory} has more than one entry");
    Some(only.path().join(rest))
}

/// Whether a PEM file was written to its end.
fn complete(file: &Path) -> bool {
    std::fs::read_to_string(file).is_ok_and(|text| text.trim_end().ends_with("-----"))
}

#[expect(
    clippy::disallowed_methods,
    reason = "another program's server tells nobody that it has a certificate"
)]
fn pause() {
    std::thread::sleep(Duration::from_millis(200));
}

fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    let set = std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode));
    set.unwrap_or_else(|error| panic!("chmod {mode:o} {}: {error}", path.display()));
}
