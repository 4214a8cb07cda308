//! A vendor's desk: a directory with its files, and the program under test.

use std::path::PathBuf;

use chancery_license::{Anchor, Environment, Keyring, PublicKey, TrustAnchors};
use chancery_testkit::{Finished, Workdir, run_program};
use serde_json::Value;

const PORTAL: &str = env!("CARGO_BIN_EXE_chancery-portal");

pub(crate) struct Desk {
    workdir: Workdir,
}

impl Desk {
    pub(crate) fn new() -> Self {
        Self { workdir: Workdir::new() }
    }

    /// A desk with the Ed25519 key `root.key` and the RSA key `jwt.key`, both for production.
    pub(crate) fn with_keys() -> Self {
        let desk = Self::new();
        desk.run("keys generate --env prod -o @root.key").succeeded();
        desk.run("keys generate --env prod --type rsa -o @jwt.key").succeeded();
        desk
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.workdir.join(name)
    }

    pub(crate) fn read(&self, name: &str) -> String {
        let path = self.path(name);
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    pub(crate) fn write(&self, name: &str, content: &str) {
        self.workdir.write(name, content);
    }

    /// The names of all files and folders on the desk.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.workdir.path()).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// Runs the program with those words; `@name` is a file on the desk, and `_` in a word a space.
    pub(crate) fn run(&self, words: &str) -> Finished {
        let words: Vec<String> = words.split_whitespace().map(|word| self.spell(word)).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        run_program(PORTAL, &words)
    }

    /// Runs the program with those words and `--json`, and gives what it printed.
    pub(crate) fn json(&self, words: &str) -> Value {
        let finished = self.run(&format!("{words} --json")).succeeded();
        assert_eq!(finished.stderr, "", "{finished}");
        serde_json::from_str(&finished.stdout).unwrap_or_else(|error| panic!("{error}: {finished}"))
    }

    /// Runs the program, which has to fail with that exit code, leave nothing new, and say all of `named`.
    #[track_caller]
    pub(crate) fn refuses(&self, words: &str, code: i32, named: &[&str]) {
        let before = self.names();
        let finished = self.run(words).exited_with(code);
        assert_eq!(finished.stdout, "", "{finished}");
        for text in named {
            assert!(finished.stderr.contains(text), "`{text}` is missing: {finished}");
        }
        assert_eq!(self.names(), before, "{finished}");
    }

    /// The public key of a private key on the desk, as the program gives it out.
    pub(crate) fn public_key(&self, key: &str) -> PublicKey {
        let exported = self.run(&format!("keys export --key @{key}")).succeeded();
        PublicKey::from_pem(&exported.stdout).unwrap()
    }

    /// A keyring of production whose anchors are those keys on the desk.
    pub(crate) fn keyring(&self, keys: &[&str]) -> Keyring {
        let anchor = |key: &&str| Anchor {
            key: self.public_key(key),
            product: "chancery".to_owned(),
            environment: Environment::Prod,
        };
        let anchors = TrustAnchors::new(keys.iter().map(anchor).collect()).unwrap();
        Keyring::new(&anchors, "chancery", Environment::Prod).unwrap()
    }

    fn spell(&self, word: &str) -> String {
        match word.split_once('@') {
            // The `@` of an e-mail address has something before it.
            Some(("", name)) => self.path(name).to_str().unwrap().to_owned(),
            _ => word.replace('_', " "),
        }
    }
}
