//! Holds every case of a table against the server, and reports all that is wrong with any of them at once.

use std::collections::HashSet;

use chancery_testkit::{Answer, Engine, Installation};
use serde_json::Value;

use super::case::Case;
use super::world::{self, World};
use crate::CHANCERY;
use crate::acme::block_on;

/// What no client may read of what goes on inside: panics, source files, SQL, paths, the names of types.
const INTERNAL: [&str; 12] = [
    "panicked", "unwrap", ".rs:", "src/", "/tmp", "SQL", "sqlite", "postgres", "UNIQUE", "anyhow", "std::",
    "Err(",
];

/// A host that requests speak of, and no answer may.
pub(super) const FOREIGN_HOST: &str = "evil.test";

/// A table: its name, and its cases.
pub(super) type Table = (&'static str, Vec<Case>);

/// Runs tables against one server.
pub(super) fn run(engine: Engine, tables: Vec<Table>) {
    block_on(async {
        let installation = Installation::new(CHANCERY, engine);
        world::configure(&installation);
        let mut server = installation.serve();
        let mut world = World::prepare(&installation).await;
        let mut complaints = Vec::new();
        for (table, cases) in tables {
            for case in cases {
                let found = hold(&mut world, &case).await;
                complaints.extend(found.into_iter().map(|found| format!("{table}: {}: {found}", case.name)));
            }
        }
        world.assert_unharmed().await;
        server.terminate();
        assert!(complaints.is_empty(), "{} complaints:\n{}", complaints.len(), complaints.join("\n"));
    });
}

/// What is wrong with the answer to a case.
async fn hold(world: &mut World, case: &Case) -> Vec<String> {
    let nonce = world.nonce().await;
    let draft = (case.make)(world, &nonce);
    let (earns_nonce, is_directory) = (draft.earns_nonce(), draft.is_for_directory());
    let answer = world.send(draft).await;
    let mut found = judge(case, &answer);
    let links = answer.headers.get_all("link");
    let index = links.iter().any(|link| link.to_str().is_ok_and(|link| link.ends_with(r#";rel="index""#)));
    if !index && !is_directory {
        found.push("there is no link to the directory".to_owned());
    }
    if earns_nonce {
        match answer.header("replay-nonce") {
            None => found.push("there is no nonce".to_owned()),
            Some(fresh) if fresh == nonce => found.push("the nonce is that of the request".to_owned()),
            Some(fresh) if !world.is_usable(fresh).await => found.push("its nonce is of no use".to_owned()),
            Some(_) => {}
        }
    }
    if !found.is_empty() {
        found.push(format!("{} {}", answer.status, answer.body));
    }
    found
}

/// What is wrong with an answer for what stands in it.
fn judge(case: &Case, answer: &Answer) -> Vec<String> {
    let mut found = Vec::new();
    let mut expect = |is_right: bool, what: &str| {
        if !is_right {
            found.push(what.to_owned());
        }
    };
    expect(answer.status.as_u16() == case.status, &format!("the status is not {}", case.status));
    expect(!answer.status.is_server_error(), "it is an error of the server");
    if !case.is_refusal() {
        expect(!answer.body.contains(FOREIGN_HOST), "it speaks of a host that is not the server's");
        return found;
    }
    expect(answer.header("content-type") == Some("application/problem+json"), "it is no problem document");
    expect(answer.header("cache-control") == Some("no-store"), "it may be cached");
    let mut methods: Vec<&str> =
        answer.header("allow").into_iter().flat_map(|list| list.split(',')).collect();
    methods.sort_unstable();
    expect(methods == case.allows, &format!("it allows {methods:?}"));
    let problem: Value = serde_json::from_str(&answer.body).unwrap_or_default();
    let urn = format!("urn:ietf:params:acme:error:{}", case.kind);
    expect(problem["type"] == urn, &format!("the type is not {}", case.kind));
    expect(problem["status"] == case.status, "the document has another status");
    let detail = problem["detail"].as_str().unwrap_or_default();
    expect(!detail.is_empty(), "there is no detail");
    expect(answer.body.len() < 4_096, "it is longer than anybody reads");
    expect(answer.body.contains(&case.says), &format!("it does not say `{}`", case.says));
    for word in INTERNAL {
        expect(!detail.contains(word), &format!("it tells of the inside: {word}"));
    }
    // RFC 8555 §6.2.
    let lists = problem["algorithms"].as_array().is_some_and(|algorithms| !algorithms.is_empty());
    expect(
        lists == (case.kind == "badSignatureAlgorithm"),
        "algorithms are listed where they belong, and only there",
    );
    found
}

/// The names that stand in several cases.
pub(super) fn duplicates<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut seen = HashSet::new();
    names.filter(|name| !seen.insert(*name)).collect()
}
