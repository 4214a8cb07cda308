//! What the targets begin with: the test vectors, taken apart as far as each target wants them.

use std::path::Path;

use base64ct::{Base64, Base64UrlUnpadded, Encoding};
use chancery_license::Kind;
use serde_json::Value;

use super::{armour, machine_file};

/// The seeds of that target, where `license` is the folder of the crate.
pub fn of(target: &str, license: &Path) -> Vec<Vec<u8>> {
    let vectors = |prefix| artefacts(&license.join("vectors"), prefix);
    let documents =
        || ["lic-", "revocations-", "keys-", "request-", "response-"].into_iter().flat_map(vectors);
    let payloads = |prefix, kind: Kind| {
        let texts = vectors(prefix);
        let envelopes = texts.iter().flat_map(|text| envelopes(text, kind)).collect::<Vec<_>>();
        envelopes.iter().filter_map(|envelope| payload(envelope)).collect::<Vec<_>>()
    };
    let mut seeds: Vec<Vec<u8>> = match target {
        "armour" => {
            let mut seeds: Vec<Vec<u8>> = documents().map(String::into_bytes).collect();
            for name in ["anchor.pem", "jwt-anchor.pem"] {
                let pem = std::fs::read_to_string(license.join("trust/dev").join(name)).expect("an anchor");
                seeds.extend(armour::read("PUBLIC KEY", &pem));
                seeds.push(pem.into_bytes());
            }
            seeds
        }
        "claims" => vectors("jwt-").iter().filter_map(|token| part(token, 1)).collect(),
        "document" => {
            let envelopes = documents().flat_map(|text| {
                Kind::ALL.into_iter().flat_map(move |kind| envelopes(&text, kind)).collect::<Vec<_>>()
            });
            documents().map(String::into_bytes).chain(envelopes).collect()
        }
        "jwt" => {
            let tokens = vectors("jwt-");
            let headers: Vec<Vec<u8>> = tokens.iter().filter_map(|token| part(token, 0)).collect();
            tokens.into_iter().map(String::into_bytes).chain(headers).collect()
        }
        "key" => vectors("key-").into_iter().map(String::into_bytes).collect(),
        "license" => payloads("lic-", Kind::License),
        "machine_file" => {
            let files = vectors("machine-file-");
            let envelopes: Vec<Vec<u8>> =
                files.iter().filter_map(|file| armour::read(machine_file::LABEL, file)).collect();
            files.into_iter().map(String::into_bytes).chain(envelopes).collect()
        }
        "machine_payload" => {
            vectors("machine-file-").iter().filter_map(|file| machine_file::plaintext(file)).collect()
        }
        "manifest" => payloads("keys-", Kind::Keys),
        "request" => payloads("request-", Kind::Request),
        "response" => payloads("response-", Kind::Response),
        "revocations" => payloads("revocations-", Kind::Revocations),
        other => panic!("{other} is no target"),
    };
    seeds.sort();
    seeds.dedup();
    seeds
}

/// What stands below the header of each vector whose name begins so.
fn artefacts(vectors: &Path, prefix: &str) -> Vec<String> {
    let files = std::fs::read_dir(vectors).expect("the vectors").flatten();
    let ours = files.filter(|file| file.file_name().to_string_lossy().starts_with(prefix));
    ours.map(|file| {
        let text = std::fs::read_to_string(file.path()).expect("a vector");
        let (_, artefact) = text.split_once("\n\n").expect("an empty line below the header");
        artefact.strip_suffix('\n').unwrap_or(artefact).to_owned()
    })
    .collect()
}

/// The envelopes of a kind in a text that may hold several documents.
fn envelopes(text: &str, kind: Kind) -> Vec<Vec<u8>> {
    let documents = text.split("-----BEGIN ").skip(1).map(|rest| format!("-----BEGIN {rest}"));
    documents.filter_map(|document| armour::read(kind.label(), &document)).collect()
}

fn payload(envelope: &[u8]) -> Option<Vec<u8>> {
    let envelope: Value = serde_json::from_slice(envelope).ok()?;
    Base64::decode_vec(envelope["payload"].as_str()?).ok()
}

fn part(token: &str, index: usize) -> Option<Vec<u8>> {
    Base64UrlUnpadded::decode_vec(token.trim().split('.').nth(index)?).ok()
}
