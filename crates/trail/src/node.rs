//! The name of this node, under which its log stands and it holds its jobs.
//!
//! It outlives the process, so that a node that was killed takes its jobs up again at once. It belongs
//! to one directory on one machine: a copy of the directory, as one makes to set up a second node, must
//! not take the first one's jobs away.

use std::path::Path;

use anyhow::anyhow;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use base64ct::{Base64UrlUnpadded, Encoding};
use chancery_audit::Node;
use chancery_files::{self as files, Access, read_text};

/// Set by the system's installation (machine-id(5)).
const MACHINE_ID: &str = "/etc/machine-id";
const MAX_BYTES: u64 = 4_096;

/// The node's name; a new one on first start, and where the directory was copied from elsewhere.
///
/// # Errors
/// When the directory cannot be written to, or the random source fails.
pub fn node_name(workdir: &Path) -> anyhow::Result<String> {
    let path = workdir.join("node");
    let home = home(&std::fs::read_to_string(MACHINE_ID).unwrap_or_default(), &workdir.canonicalize()?);
    if let Some(name) = kept(&path, &home) {
        return Ok(name);
    }
    let mut random = [0; 12];
    SystemRandom::new().fill(&mut random).map_err(|_| anyhow!("the system's random source failed"))?;
    let name: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    files::replace(&path, format!("{name} {home}\n").as_bytes(), Access::Owner)?;
    Ok(name)
}

/// The name in the file, if the file was written here.
fn kept(path: &Path, home: &str) -> Option<String> {
    let text = read_text(path, MAX_BYTES).ok()?;
    let (name, written_at) = text.trim_end().split_once(' ')?;
    // A name that cannot stand in the audit log is from before there was one.
    (written_at == home && Node::new(name).is_ok()).then(|| name.to_owned())
}

/// A digest of where the directory is; the machine's own id is not for others to read.
fn home(machine: &str, workdir: &Path) -> String {
    let place = format!("{}\n{}", machine.trim(), workdir.display());
    Base64UrlUnpadded::encode_string(digest(&SHA256, place.as_bytes()).as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_stays_with_its_directory() {
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let first = node_name(one.path()).unwrap();
        assert_eq!(node_name(one.path()).unwrap(), first);

        std::fs::copy(one.path().join("node"), other.path().join("node")).unwrap();
        assert_ne!(node_name(other.path()).unwrap(), first);

        std::fs::write(one.path().join("node"), "").unwrap();
        assert_ne!(node_name(one.path()).unwrap(), "");
    }
}
