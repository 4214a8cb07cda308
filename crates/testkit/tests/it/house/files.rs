//! A file has one subject.

use std::path::{Path, PathBuf};

/// A file that grows past this has two subjects (ARCHITECTURE.md).
const MAX_LINES: usize = 500;

#[test]
fn no_source_file_is_longer_than_its_subject() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("crates/");
    let sources = rust_files(crates);
    assert!(sources.len() > 20, "found only {} source files below {}", sources.len(), crates.display());
    let too_long: Vec<String> = sources
        .iter()
        .filter_map(|path| {
            let lines = std::fs::read_to_string(path).expect("UTF-8").lines().count();
            (lines > MAX_LINES).then(|| format!("{} has {lines} lines", path.display()))
        })
        .collect();
    assert!(
        too_long.is_empty(),
        "split by subject what has more than {MAX_LINES} lines:\n{}",
        too_long.join("\n")
    );
}

fn rust_files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).expect("a directory").flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}
