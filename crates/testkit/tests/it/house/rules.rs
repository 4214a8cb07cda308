//! Arrows point down only. The floors and the rules are those of ARCHITECTURE.md, "The crates".

use super::graph::Graph;

/// Where the rules are explained to people.
const WRITTEN_IN: &str = "ARCHITECTURE.md, \"The house\"";

/// Each product crate and its floor. A crate may use those of lower floors.
const FLOORS: &[(&str, u8)] = &[
    ("chancery-time", 0),
    ("chancery-files", 0),
    ("chancery-keycheck", 0),
    ("chancery-license", 1),
    ("chancery-audit", 1),
    ("chancery-pki", 1),
    ("chancery-acme", 1),
    ("chancery-rate", 1),
    ("chancery-db", 1),
    ("chancery-validation", 2),
    ("chancery-authority", 2),
    ("chancery-cli", 2),
    ("chancery-web", 2),
    ("chancery-trail", 3),
    ("chancery", 4),
    ("chancery-portal", 4),
];

/// For tests and measurement; no product crate is built with them.
const DEV_TOOLS: &[&str] = &["chancery-testkit", "chancery-bench"];

/// Crates that do I/O or schedule it. A crate of pure rules does not bring them in, not even by
/// way of another.
const IO_CRATES: &[&str] = &[
    "tokio",
    "hyper",
    "axum",
    "reqwest",
    "rusqlite",
    "postgres",
    "tokio-postgres",
    "rustls",
    "hickory-resolver",
];
const PURE: &[&str] = &[
    "chancery-time",
    "chancery-keycheck",
    "chancery-license",
    "chancery-acme",
    "chancery-pki",
    "chancery-rate",
    "chancery-audit",
];

/// Who may ask for HTTP.
const HTTP_CRATES: &[&str] = &["axum", "hyper", "hyper-util"];
const HTTP_USERS: &[&str] = &["chancery-validation", "chancery", "chancery-portal", "chancery-web"];

#[test]
fn arrows_point_down_only() {
    let broken = violations(&Graph::of_this_workspace());
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// One sentence for each arrow that breaks a rule.
fn violations(graph: &Graph) -> Vec<String> {
    let mut broken = Vec::new();
    for member in &graph.members {
        if DEV_TOOLS.contains(&member.as_str()) {
            continue;
        }
        let Some(floor) = floor_of(member) else {
            broken.push(format!("{member} has no floor: give it one in FLOORS and in {WRITTEN_IN}"));
            continue;
        };
        broken.extend(wrong_arrows(graph, member, floor));
        broken.extend(forbidden_crates(graph, member));
    }
    broken
}

fn wrong_arrows(graph: &Graph, member: &str, floor: u8) -> Vec<String> {
    let mut broken = Vec::new();
    for dependency in graph.dependencies.get(member).into_iter().flatten() {
        if DEV_TOOLS.contains(&dependency.as_str()) {
            broken.push(format!(
                "{member} is built with {dependency}, which is for tests alone: make it a dev-dependency ({WRITTEN_IN})"
            ));
            continue;
        }
        let Some(below) = floor_of(dependency) else { continue };
        if below >= floor {
            broken.push(format!(
                "{member} (floor {floor}) uses {dependency} (floor {below}), but a crate uses lower floors only \
                 ({WRITTEN_IN})"
            ));
        }
        if member == "chancery-db" && dependency != "chancery-time" {
            broken.push(format!(
                "chancery-db uses {dependency}, but it may know of no other room ({WRITTEN_IN})"
            ));
        }
    }
    broken
}

fn forbidden_crates(graph: &Graph, member: &str) -> Vec<String> {
    let mut broken = Vec::new();
    if PURE.contains(&member) {
        for (found, asker) in graph.reachable_from(member) {
            if IO_CRATES.contains(&found.as_str()) {
                broken.push(format!(
                    "{member} brings in {found} (asked for by {asker}), but it holds pure rules and does no I/O \
                     ({WRITTEN_IN})"
                ));
            }
        }
    }
    if !HTTP_USERS.contains(&member) {
        for dependency in graph.dependencies.get(member).into_iter().flatten() {
            if HTTP_CRATES.contains(&dependency.as_str()) {
                broken.push(format!(
                    "{member} uses {dependency}, but only {} speak HTTP ({WRITTEN_IN})",
                    HTTP_USERS.join(", ")
                ));
            }
        }
    }
    broken
}

fn floor_of(name: &str) -> Option<u8> {
    FLOORS.iter().find(|(member, _)| *member == name).map(|(_, floor)| *floor)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a workspace with these arrows breaks. Crates with a name of ours are members.
    fn broken(arrows: &[(&str, &str)]) -> Vec<String> {
        let mut graph = Graph::default();
        for (from, to) in arrows {
            for name in [from, to] {
                if name.starts_with("chancery") {
                    graph.members.insert((*name).to_owned());
                }
            }
            graph.dependencies.entry((*from).to_owned()).or_default().insert((*to).to_owned());
        }
        violations(&graph)
    }

    #[test]
    fn what_the_picture_shows_is_allowed() {
        let arrows = [
            ("chancery", "chancery-authority"),
            ("chancery", "chancery-web"),
            ("chancery", "axum"),
            ("chancery-authority", "chancery-pki"),
            ("chancery-pki", "chancery-time"),
            ("chancery-db", "chancery-time"),
            ("chancery-db", "tokio"),
            ("chancery-testkit", "chancery-db"),
            ("chancery-testkit", "hyper"),
        ];
        assert_eq!(broken(&arrows), [""; 0]);
    }

    #[test]
    fn each_wrong_arrow_is_told_apart() {
        for (arrows, expected) in [
            (&[("chancery-pki", "chancery-acme")][..], "lower floors only"),
            (&[("chancery-time", "chancery")], "lower floors only"),
            (&[("chancery-portal", "chancery")], "lower floors only"),
            (&[("chancery-db", "chancery-license")], "no other room"),
            (&[("chancery", "chancery-bench")], "dev-dependency"),
            (&[("chancery-acme", "tokio")], "no I/O"),
            (&[("chancery-license", "innocent"), ("innocent", "tokio")], "asked for by innocent"),
            (&[("chancery-authority", "hyper")], "speak HTTP"),
            (&[("chancery-attic", "serde")], "has no floor"),
        ] {
            let broken = broken(arrows);
            assert!(broken.iter().any(|sentence| sentence.contains(expected)), "{arrows:?}: {broken:?}");
        }
    }
}
