//! Test vectors: one scenario to a file, `vectors/*.txt`. Lines of `name: value`, an empty line, and then
//! the artefact, to the end of the file less its last line break.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// One scenario.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Vector {
    /// The file's name without `.txt`.
    pub(crate) name: String,
    header: BTreeMap<String, String>,
    pub(crate) artefact: String,
}

impl Vector {
    pub(crate) fn new(name: &str, header: &[(&str, &str)], artefact: &str) -> Self {
        let header = header.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Self { name: name.to_owned(), header, artefact: artefact.to_owned() }
    }

    /// Every vector of that format, in the order of their names.
    pub(crate) fn all(format: &str) -> Vec<Self> {
        let mut vectors: Vec<Self> = std::fs::read_dir(folder())
            .unwrap()
            .map(|entry| Self::read(&entry.unwrap().path()))
            .filter(|vector| vector.value("format") == format)
            .collect();
        vectors.sort_by(|one, other| one.name.cmp(&other.name));
        vectors
    }

    pub(crate) fn value(&self, name: &str) -> &str {
        self.optional(name).unwrap_or_else(|| panic!("{} has no line `{name}:`", self.name))
    }

    pub(crate) fn optional(&self, name: &str) -> Option<&str> {
        self.header.get(name).map(String::as_str)
    }

    pub(crate) fn write(&self) {
        let header: String = self.header.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
        let path = folder().join(format!("{}.txt", self.name));
        std::fs::write(path, format!("{header}\n{}\n", self.artefact)).unwrap();
    }

    fn read(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).unwrap();
        let (header, artefact) =
            text.split_once("\n\n").unwrap_or_else(|| panic!("{}: no empty line", path.display()));
        let header = header.lines().map(|line| {
            let (name, value) = line.split_once(": ").unwrap_or_else(|| panic!("{}: {line}", path.display()));
            (name.to_owned(), value.to_owned())
        });
        Self {
            name: path.file_stem().unwrap().to_str().unwrap().to_owned(),
            header: header.collect(),
            artefact: artefact.strip_suffix('\n').unwrap_or(artefact).to_owned(),
        }
    }
}

/// Holds the files of a format to what the code makes; with `UPDATE_VECTORS=1`, writes them first.
pub(crate) fn hold(format: &str, made: Vec<Vector>) {
    if std::env::var_os("UPDATE_VECTORS").is_some() {
        made.iter().for_each(Vector::write);
    }
    let mut made = made;
    made.sort_by(|one, other| one.name.cmp(&other.name));
    assert_eq!(
        Vector::all(format),
        made,
        "UPDATE_VECTORS=1 writes the vectors anew; delete stale ones by hand"
    );
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors")
}
