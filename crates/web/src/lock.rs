//! One server in one directory.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// Why a directory cannot be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LockError {
    /// Another process has it.
    #[error("another server works in {} already ({setting})", .directory.display())]
    Taken {
        /// The directory.
        directory: PathBuf,
        /// The key of the configuration that names it.
        setting: &'static str,
    },
    /// The lock's file cannot be opened.
    #[error("cannot open {}: {source}", .path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file cannot be locked.
    #[error("cannot lock {}: {source}", .path.display())]
    Lock {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Makes sure that no other server works in a directory, which `setting` of the configuration names. The lock
/// ends with the file that is returned, and so with the process.
///
/// # Errors
/// When another server works there, or the directory cannot be written to.
pub fn lock(directory: &Path, setting: &'static str) -> Result<File, LockError> {
    let path = directory.join("lock");
    let file = match File::create(&path) {
        Ok(file) => file,
        Err(source) => return Err(LockError::Open { path, source }),
    };
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            Err(LockError::Taken { directory: directory.to_path_buf(), setting })
        }
        Err(TryLockError::Error(source)) => Err(LockError::Lock { path, source }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_had_by_one_at_a_time() {
        let directory = tempfile::tempdir().unwrap();
        let held = lock(directory.path(), "server.workdir").unwrap();
        let refused = lock(directory.path(), "server.workdir").unwrap_err().to_string();
        let expected =
            format!("another server works in {} already (server.workdir)", directory.path().display());
        assert_eq!(refused, expected);
        drop(held);
        lock(directory.path(), "server.workdir").unwrap();

        let nowhere = lock(&directory.path().join("none"), "server.workdir");
        assert!(matches!(nowhere, Err(LockError::Open { .. })), "{nowhere:?}");
    }
}
