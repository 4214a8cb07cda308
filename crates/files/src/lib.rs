//! Files that are there whole after a crash, or not at all.
//!
//! Contents go to a temporary file in the same directory, which is synced, put in place under the final
//! name in one step, and made permanent by syncing the directory.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Who may read a file besides its owner (the process's umask may take more away).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Nobody: mode 0600.
    Owner,
    /// Everybody: mode 0644.
    Everybody,
}

/// Why a file was not written or read.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The file is there already, and is left as it is.
    #[error("{} exists already and is not overwritten; move it away, or choose another place", .path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The path names no file.
    #[error("{} does not name a file", .path.display())]
    NoName {
        /// The path.
        path: PathBuf,
    },
    /// The file is larger than anything that belongs there.
    #[error("{} is larger than {limit} bytes", .path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The most that is read, in bytes.
        limit: u64,
    },
    /// The system refused.
    #[error("cannot {action} {}", .path.display())]
    Io {
        /// What was being done.
        action: &'static str,
        /// To which file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Writes a new file durably.
///
/// # Errors
/// [`FileError::Exists`] when there is a file of that name, also when it appeared a moment ago.
pub fn create(path: &Path, contents: &[u8], access: Access) -> Result<(), FileError> {
    let temporary = Temporary::write(path, contents, access)?;
    // Unlike a rename, a link never replaces.
    fs::hard_link(&temporary.path, path).map_err(|source| match source.kind() {
        io::ErrorKind::AlreadyExists => FileError::Exists { path: path.to_owned() },
        _ => io_error("create", path)(source),
    })?;
    drop(temporary);
    sync_directory(parent(path))
}

/// Writes a file durably; readers see the old contents or the new, never a mixture.
///
/// # Errors
/// What the system refused; the old file is then as it was.
pub fn replace(path: &Path, contents: &[u8], access: Access) -> Result<(), FileError> {
    let temporary = Temporary::write(path, contents, access)?;
    fs::rename(&temporary.path, path).map_err(io_error("replace", path))?;
    sync_directory(parent(path))
}

/// Makes a directory that its owner alone can enter (mode 0700), with its parents; one that is there is
/// left as it is.
///
/// # Errors
/// What the system refused.
pub fn create_directory(path: &Path) -> Result<(), FileError> {
    if path.is_dir() {
        return Ok(());
    }
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(io_error("create", path))?;
    sync_directory(parent(path))
}

/// Reads a text file of at most `limit` bytes.
///
/// # Errors
/// What the system refused, or that the file is too large.
pub fn read_text(path: &Path, limit: u64) -> Result<String, FileError> {
    let file = File::open(path).map_err(io_error("open", path))?;
    let mut text = String::new();
    file.take(limit.saturating_add(1)).read_to_string(&mut text).map_err(io_error("read", path))?;
    if text.len() as u64 > limit {
        return Err(FileError::TooLarge { path: path.to_owned(), limit });
    }
    Ok(text)
}

/// A synced file under a name of its own, removed when it is dropped.
struct Temporary {
    path: PathBuf,
}

impl Temporary {
    fn write(target: &Path, contents: &[u8], access: Access) -> Result<Self, FileError> {
        let (path, mut file) = open_beside(target, access)?;
        let temporary = Self { path };
        let written = file.write_all(contents).and_then(|()| file.sync_all());
        written.map_err(io_error("write", target))?;
        Ok(temporary)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // After a rename there is nothing left to remove; a stray temporary file harms nobody.
        let _ = fs::remove_file(&self.path);
    }
}

fn open_beside(target: &Path, access: Access) -> Result<(PathBuf, File), FileError> {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let Some(name) = target.file_name() else {
        return Err(FileError::NoName { path: target.to_owned() });
    };
    let mode = match access {
        Access::Owner => 0o600,
        Access::Everybody => 0o644,
    };
    loop {
        let turn = COUNTER.fetch_add(1, Ordering::Relaxed);
        let name = format!(".{}.{}-{turn}.tmp", name.to_string_lossy(), std::process::id());
        let path = parent(target).join(name);
        match OpenOptions::new().write(true).create_new(true).mode(mode).open(&path) {
            Ok(file) => return Ok((path, file)),
            // Left behind by a process of the same number that crashed: take the next name.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(io_error("create", &path)(error)),
        }
    }
}

fn sync_directory(path: &Path) -> Result<(), FileError> {
    File::open(path).and_then(|directory| directory.sync_all()).map_err(io_error("sync", path))
}

fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

fn io_error(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> FileError {
    move |source| FileError::Io { action, path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_new_file_is_private_and_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        create(&path, b"secret", Access::Owner).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"secret");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "the temporary file is gone");
    }

    #[test]
    fn an_existing_file_is_never_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        fs::write(&path, "old").unwrap();
        let refused = create(&path, b"new", Access::Owner).unwrap_err();
        assert!(matches!(&refused, FileError::Exists { path: named } if *named == path), "{refused}");
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn replacing_swaps_contents_and_mode() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config");
        for (contents, access, mode) in [("one", Access::Everybody, 0o644), ("two", Access::Owner, 0o600)] {
            replace(&path, contents.as_bytes(), access).unwrap();
            assert_eq!(read_text(&path, 3).unwrap(), contents);
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, mode);
        }
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn reading_is_bounded_and_errors_name_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("text");
        create(&path, b"12345", Access::Everybody).unwrap();
        assert!(matches!(read_text(&path, 4), Err(FileError::TooLarge { limit: 4, .. })));
        let missing = read_text(&dir.path().join("missing"), 4).unwrap_err();
        assert!(missing.to_string().contains("missing"), "{missing}");
        assert!(matches!(create(Path::new("/"), b"", Access::Owner), Err(FileError::NoName { .. })));
    }
}
