//! The files of a log.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context;
use chancery_audit::SegmentName;

pub(super) const COMPRESSED: &str = ".zst";

/// A segment, and where it lies.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) name: SegmentName,
    pub(super) path: PathBuf,
}

/// The segments of a directory in their order, or the one segment that the path names; of one that is there
/// both plain and compressed the plain file.
///
/// # Errors
/// When the directory cannot be read.
pub(super) fn list(path: &Path) -> anyhow::Result<Vec<Segment>> {
    if path.is_file() {
        return Ok(segment(path.to_owned()).into_iter().collect());
    }
    let reading = || format!("cannot read {}", path.display());
    let mut found = BTreeMap::new();
    for entry in path.read_dir().with_context(reading)? {
        let Some(Segment { name, path }) = segment(entry.with_context(reading)?.path()) else { continue };
        let is_plain = path.extension().is_none_or(|extension| extension != "zst");
        if is_plain || !found.contains_key(&name) {
            found.insert(name, path);
        }
    }
    Ok(found.into_iter().map(|(name, path)| Segment { name, path }).collect())
}

/// `None` for any other file.
fn segment(path: PathBuf) -> Option<Segment> {
    let file_name = path.file_name()?.to_str()?;
    let name = file_name.strip_suffix(COMPRESSED).unwrap_or(file_name).parse().ok()?;
    Some(Segment { name, path })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_listed_in_their_order() {
        let files = tempfile::tempdir().unwrap();
        let [first, second] = ["audit.20260614T132300125Z.jsonl", "audit.20260614T132300126Z.jsonl"];
        for name in
            ["checkpoint.ca1.txt", second, &format!("{first}.zst"), &format!("{second}.zst"), "audit.jsonl"]
        {
            std::fs::write(files.path().join(name), "").unwrap();
        }
        let listed = list(files.path()).unwrap();
        let names: Vec<_> = listed.iter().map(|segment| segment.path.file_name().unwrap()).collect();
        assert_eq!(names, [format!("{first}.zst").as_str(), second]);

        let alone = list(&files.path().join(second)).unwrap();
        assert_eq!(alone.iter().map(|segment| segment.name.as_str()).collect::<Vec<_>>(), [second]);
        assert!(list(&files.path().join("missing")).is_err());
    }
}
