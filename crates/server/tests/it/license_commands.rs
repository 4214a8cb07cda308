//! `chancery license`: what operators do with licences, and what they are told.

mod changes;
mod explain;
mod inspect;
mod install;
mod machine_file;
mod status;

use std::path::PathBuf;
use std::time::Duration;

use chancery_license::manifest::Use;
use chancery_license::{
    Document, Environment, IssuingKey, KeyManifest, Keyring, License, SigningKey, anchors, open, seal,
};
use chancery_testkit::{Engine, Finished, Installation, Vendor, Workdir};
use chancery_time::{Clock, SystemClock, Timestamp};
use serde_json::Value;

use crate::CHANCERY;

const DAY: Duration = Duration::from_secs(86_400);

/// An operator with an installation, and a vendor who sends documents.
struct Desk {
    installation: Installation,
    vendor: Vendor,
    files: Workdir,
}

impl Desk {
    /// With neither licence nor window.
    fn new(engine: Engine) -> Self {
        Self {
            installation: Installation::without_window(CHANCERY, engine),
            vendor: Vendor::new(),
            files: Workdir::new(),
        }
    }

    /// `chancery license ARGUMENTS… -f CONFIG`
    fn license(&self, arguments: &[&str]) -> Finished {
        self.installation.run(&[&["license"], arguments].concat())
    }

    /// The JSON that such a command prints.
    fn json(&self, arguments: &[&str]) -> Value {
        json(&self.license(&[arguments, &["--json"]].concat()).succeeded())
    }

    /// Puts a document in a file, as it was sent.
    fn file(&self, document: impl AsRef<[u8]>) -> String {
        let path = self.files.join("document");
        std::fs::write(&path, document).unwrap();
        path.display().to_string()
    }

    fn install(&self, document: &str) -> Finished {
        self.license(&["install", &self.file(document)]).succeeded()
    }

    fn force_install(&self, document: &str) -> Finished {
        self.license(&["install", "--force", &self.file(document)]).succeeded()
    }

    /// Runs a command that has to be refused with those words, and that changes nothing.
    #[track_caller]
    fn refuses(&self, arguments: &[&str], words: &str) {
        let before = self.store();
        assert_refused(&self.license(arguments), words);
        assert_eq!(self.store(), before, "{words}: the store changed");
    }

    /// Brings documents of which each has to be refused with its words, and which change nothing.
    #[track_caller]
    fn refuses_to_install<const N: usize>(&self, documents: [(impl AsRef<[u8]>, &str); N]) {
        let before = self.store();
        for (document, words) in documents {
            assert_refused(&self.license(&["install", &self.file(document)]), words);
        }
        assert_eq!(self.store(), before);
    }

    /// Everything that is known of the installation and its past, but for how much time is left.
    fn store(&self) -> Value {
        let mut status = self.json(&["status"]);
        status["state_details"]["remaining_seconds"].take();
        Value::from(vec![status, self.json(&["history"])])
    }

    fn state(&self) -> String {
        self.json(&["status"])["state"].as_str().unwrap().to_owned()
    }

    fn jwt_file(&self) -> PathBuf {
        self.installation.server_workdir().join("license.jwt")
    }
}

#[track_caller]
fn assert_refused(command: &Finished, words: &str) {
    let command = command.clone().exited_with(1);
    assert!(command.stdout.is_empty() && command.stderr.contains(words), "{words}: {command}");
}

#[track_caller]
fn json(finished: &Finished) -> Value {
    serde_json::from_str(&finished.stdout).unwrap_or_else(|error| panic!("no JSON ({error}): {finished}"))
}

fn now() -> Timestamp {
    SystemClock.now().whole_seconds()
}

/// A manifest that vouches for a key which may sign licences.
fn key_manifest(sequence: u64, issuing: &SigningKey) -> String {
    let root = SigningKey::from_pem(include_str!("../../../license/trust/dev/signing-key.pem")).unwrap();
    let issued = now();
    let listed = IssuingKey {
        key: issuing.public().clone(),
        not_before: issued - DAY,
        not_after: issued + 365 * DAY,
        uses: vec![Use::License],
    };
    let body = KeyManifest { sequence, next_root: None, keys: vec![listed] };
    let product = "chancery".to_owned();
    seal(&Document { product, environment: Environment::Dev, issued, body }, &[&root]).unwrap()
}

fn issuing_key() -> SigningKey {
    SigningKey::from_ed25519_seed(&[9; 32]).unwrap()
}

/// The same licence, signed by another key.
fn signed_by(key: &SigningKey, license: &str) -> String {
    let anchors = anchors::compiled("chancery").unwrap();
    let keyring = Keyring::new(&anchors, "chancery", Environment::Dev).unwrap();
    let document: Document<License> = open(license, &keyring).unwrap().into_document();
    seal(&document, &[key]).unwrap()
}

/// Runs assertions on snapshots without what differs from run to run.
fn without_incidentals(check: impl FnOnce()) {
    insta::with_settings!({filters => vec![
        (r"INST-[0-9A-HJKMNP-TV-Z-]{34}", "[INSTALLATION KEY]"),
        (r"(Signing key +): [0-9a-f]{32}", "$1: [KEY ID]"),
        (r"/\S+/(document|chancery\.yaml|chancery/license\.jwt)\b", "[DIR]/$1"),
        (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", "[SECOND]"),
        (r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", "[MINUTE]"),
        (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "[INSTANT]"),
        (r"\d+d\d+h|\d+h\d+m", "[LENGTH]"),
        (r"hash=[0-9a-f]{64}\b", "hash=[HASH]"),
        (r"hostname=\S+", "hostname=[HOST]"),
        (r"\b[0-9a-f]{4}\.\.\.[0-9a-f]{4}\b", "[SHORT HASH]"),
    ]}, { check() });
}
