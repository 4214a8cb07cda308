//! The workflow of vendors with machines that never see a network: activate and check out for them on a machine
//! that does, carry the file over, verify it there.

use std::path::Path;
use std::time::Duration;

use base64ct::{Base64, Encoding as _};
use chancery_testkit::{Engine, Finished, MovableClock, Network, PortalSite, run_without_network, sibling};
use serde_json::{Value, json};

use super::PORTAL;
use super::shop::{PRODUCT, Shop};

/// What people type, but for the host and the keys.
const ACTIVATE: &str = r#"curl -X POST "https://licenseseat.com/api/v1/products/my-app/licenses/LICENSE-KEY/activate" \
  -H "Authorization: Bearer pk_live_xxxxxxxx" \
  -H "Content-Type: application/json" \
  -d '{
    "fingerprint": "target-machine-fingerprint",
    "device_name": "Factory PLC 07"
  }'"#;
const CHECK_OUT: &str = r#"curl -X POST "https://licenseseat.com/api/v1/products/my-app/licenses/LICENSE-KEY/machine-file" \
  -H "Authorization: Bearer pk_live_xxxxxxxx" \
  -H "Content-Type: application/json" \
  -d '{
    "fingerprint": "target-machine-fingerprint",
    "ttl": 365,
    "include": ["license"]
  }'"#;
const FETCH_KEY: &str = r#"curl "https://licenseseat.com/api/v1/signing_keys/KEY-ID""#;

const FINGERPRINT: &str = "target-machine-fingerprint";
const DAY: Duration = Duration::from_secs(86_400);

/// The machine with a connection, and what it was given.
struct Desk<'a> {
    shop: &'a Shop,
    license_key: &'a str,
    publishable_key: &'a str,
}

impl Desk<'_> {
    /// Types a command, and gives the JSON that it prints.
    fn type_in(&self, command: &str) -> Value {
        let command = command
            .replace("https://licenseseat.com", &self.shop.url())
            .replace("LICENSE-KEY", self.license_key)
            .replace("pk_live_xxxxxxxx", self.publishable_key);
        let root = self.shop.root();
        let told =
            self.shop.network().run("bash", &["-c", &command], &[("CURL_CA_BUNDLE", root.to_str().unwrap())]);
        serde_json::from_str(&told.clone().succeeded().stdout)
            .unwrap_or_else(|error| panic!("{error}: {told}"))
    }

    /// Activates the machine and checks a file out for it.
    fn check_out(&self) -> String {
        let activation = self.type_in(ACTIVATE);
        assert_eq!(
            (&activation["object"], &activation["device_name"]),
            (&json!("activation"), &json!("Factory PLC 07"))
        );
        assert_eq!(activation["license"]["active_seats"], 1);
        let file = self.type_in(CHECK_OUT);
        file["data"]["attributes"]["certificate"].as_str().unwrap_or_else(|| panic!("{file}")).to_owned()
    }

    /// The public key that a file is verified with.
    fn public_key(&self, file: &str) -> String {
        let kid = envelope(file)["kid"].as_str().unwrap().to_owned();
        let told = self.type_in(&FETCH_KEY.replace("KEY-ID", &kid));
        assert_eq!(told["key_id"], kid);
        told["public_key"].as_str().unwrap().to_owned()
    }
}

/// The machine without: a licensed program and a file on it.
struct Machine<'a> {
    license_key: &'a str,
    public_key: &'a str,
    clock: MovableClock,
}

impl Machine<'_> {
    fn run(&self, file: &Path, fingerprint: &str) -> Finished {
        let program = sibling(PORTAL, "examples/licensed_program");
        run_without_network(
            program.to_str().unwrap(),
            &[file.to_str().unwrap(), self.license_key, fingerprint, self.public_key, PRODUCT],
            &self.clock,
        )
    }

    #[track_caller]
    fn accepts(&self, file: &Path, word: &str) {
        let told = self.run(file, FINGERPRINT).succeeded();
        assert!(told.stdout.starts_with(word), "{told}");
    }

    #[track_caller]
    fn refuses(&self, file: &Path, fingerprint: &str, class: &str) -> String {
        let told = self.run(file, fingerprint).exited_with(1);
        assert!(told.stdout.starts_with(&format!("refused ({class}): ")), "{told}");
        told.stdout
    }
}

#[test]
fn a_machine_that_never_sees_a_network_is_licensed() {
    let Some(network) = Network::new() else { return };
    let shop = Shop::stocked(PortalSite::new(PORTAL, Engine::Sqlite).within(network));
    let clock = MovableClock::new();
    let end = |days: u32| (clock.now() + days * DAY).whole_seconds().to_string();
    let (long, short) = (shop.sell(&["--expires", &end(3_000)]), shop.sell(&["--expires", &end(100)]));
    let publishable_key = shop.publishable_key();
    let mut server = shop.serve();
    let desk = |license_key| Desk { shop: &shop, license_key, publishable_key: &publishable_key };
    let file = desk(&long.key).check_out();
    let public_key = desk(&long.key).public_key(&file);
    // It asks for more days than its licence has.
    let clipped = desk(&short.key).check_out();
    assert_eq!(shop.active_activations(), 2);
    server.terminate();

    let saved = |name: &str, text: &str| {
        let path = shop.beside(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let (file_path, clipped_path) = (saved("machine.lic", &file), saved("clipped.lic", &clipped));
    let altered_path = saved("altered.lic", &altered(&file));
    let machine = Machine { license_key: &long.key, public_key: &public_key, clock };
    let second = Machine { license_key: &short.key, public_key: &public_key, clock: MovableClock::new() };

    machine.accepts(&file_path, "valid until ");
    second.accepts(&clipped_path, "valid until ");
    let mut told = vec![
        machine.refuses(&altered_path, FINGERPRINT, "bad_signature"),
        // It cannot be known what was in a file that does not open.
        machine.refuses(&file_path, "another-machine-entirely", "decryption_failed"),
    ];
    machine.clock.advance(366 * DAY);
    machine.accepts(&file_path, "in grace until ");
    machine.clock.advance(2 * DAY);
    told.push(machine.refuses(&file_path, FINGERPRINT, "expired"));
    // Its grace has not passed, but its licence has ended.
    second.clock.advance(100 * DAY);
    told.push(second.refuses(&clipped_path, FINGERPRINT, "license_expired"));
    told.sort();
    told.dedup();
    assert_eq!(told.len(), 4, "each has a message of its own: {told:#?}");
}

/// The envelope in the armour of a machine file.
fn envelope(file: &str) -> Value {
    let body: String = file.lines().filter(|line| !line.starts_with("-----")).collect();
    serde_json::from_slice(&Base64::decode_vec(&body).unwrap()).unwrap()
}

/// The file with one character of what is encrypted exchanged for another, and in order otherwise.
fn altered(file: &str) -> String {
    let envelope = envelope(file);
    let enc = envelope["enc"].as_str().unwrap();
    let other = if enc.as_bytes()[10] == b'A' { "B" } else { "A" };
    let changed = format!("{}{other}{}", &enc[..10], &enc[11..]);
    let member = |name: &str| &envelope[name];
    // The members stand in this order, compactly.
    let text = format!(
        r#"{{"enc":"{changed}","sig":{},"alg":{},"kid":{}}}"#,
        member("sig"),
        member("alg"),
        member("kid")
    );
    let body = Base64::encode_string(text.as_bytes());
    let lines: Vec<&str> =
        body.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN MACHINE FILE-----\n{}\n-----END MACHINE FILE-----\n", lines.join("\n"))
}
