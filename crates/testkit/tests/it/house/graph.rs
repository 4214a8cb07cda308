//! The dependencies as Cargo resolved them, read from `cargo metadata`.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

/// The crates of the workspace, and who depends on whom. Crates are meant by name; two versions of
/// one crate are the same to the rules.
#[derive(Debug, Default)]
pub(super) struct Graph {
    /// The workspace's own crates.
    pub(super) members: BTreeSet<String>,
    /// What each crate, ours or not, depends on when it is built (normal and build dependencies).
    pub(super) dependencies: BTreeMap<String, BTreeSet<String>>,
}

impl Graph {
    /// The graph of this workspace on this machine's kind.
    pub(super) fn of_this_workspace() -> Self {
        let host = rustc_host();
        let output = Command::new(env!("CARGO"))
            .args(["metadata", "--format-version", "1", "--locked", "--filter-platform", &host])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .expect("cargo metadata");
        assert!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
        Self::from_metadata(&serde_json::from_slice(&output.stdout).expect("JSON"))
    }

    /// Every crate that building `name` brings in, itself not included, each with the crate that
    /// asks for it.
    pub(super) fn reachable_from(&self, name: &str) -> BTreeMap<String, String> {
        let mut asked_by = BTreeMap::new();
        let mut waiting = vec![name.to_owned()];
        while let Some(asker) = waiting.pop() {
            for dependency in self.dependencies.get(&asker).into_iter().flatten() {
                if dependency != name && !asked_by.contains_key(dependency) {
                    asked_by.insert(dependency.clone(), asker.clone());
                    waiting.push(dependency.clone());
                }
            }
        }
        asked_by
    }

    fn from_metadata(metadata: &Value) -> Self {
        let list = |value: &Value| value.as_array().expect("a list").clone();
        let names: BTreeMap<String, String> = list(&metadata["packages"])
            .iter()
            .map(|package| (text(&package["id"]), text(&package["name"])))
            .collect();
        let name_of = |id: &Value| names[&text(id)].clone();

        let members = list(&metadata["workspace_members"]).iter().map(name_of).collect();
        let mut graph = Self { members, dependencies: BTreeMap::new() };
        for node in list(&metadata["resolve"]["nodes"]) {
            let needed = list(&node["deps"]).into_iter().filter(is_needed_to_build);
            let dependencies = needed.map(|dependency| name_of(&dependency["pkg"]));
            graph.dependencies.entry(name_of(&node["id"])).or_default().extend(dependencies);
        }
        graph
    }
}

fn is_needed_to_build(dependency: &Value) -> bool {
    let kinds = dependency["dep_kinds"].as_array().expect("a list");
    kinds.iter().any(|kind| kind["kind"] != "dev")
}

fn text(value: &Value) -> String {
    value.as_str().expect("a string").to_owned()
}

fn rustc_host() -> String {
    let output = Command::new("rustc").arg("-vV").output().expect("rustc -vV");
    let printed = String::from_utf8(output.stdout).expect("UTF-8");
    let host = printed.lines().find_map(|line| line.strip_prefix("host: "));
    host.expect("rustc names its host").to_owned()
}
