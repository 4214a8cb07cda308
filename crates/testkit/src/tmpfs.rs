//! A small file system of a test's own, which it can fill.

use std::fs::File;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use crate::process::run_program;

/// A file system in memory, mounted on a directory until the value is dropped. Drop it before the
/// directory.
#[derive(Debug)]
pub struct Tmpfs {
    directory: PathBuf,
}

impl Tmpfs {
    /// Mounts one of that many KiB on a directory, which is made where it is missing. `None` where this user
    /// may not mount: then the test says so and ends.
    pub fn mount(directory: &Path, kib: u32) -> Option<Self> {
        std::fs::create_dir_all(directory).unwrap_or_else(|why| panic!("{}: {why}", directory.display()));
        let options = format!("size={kib}k,mode=0700");
        let mounted = run_program("mount", &["-t", "tmpfs", "-o", &options, "tmpfs", text(directory)]);
        if mounted.code == Some(0) {
            return Some(Self { directory: directory.to_owned() });
        }
        eprintln!("NOT TESTED: a file system cannot be mounted here; run this as root. {mounted}");
        None
    }

    /// Fills it to the last byte that a new file gets.
    pub fn fill(&self) {
        let mut file = File::create(self.filler()).expect("a file system that is not full yet");
        let block = [b'x'; 512];
        loop {
            match file.write_all(&block) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::StorageFull => return,
                Err(error) => panic!("fill {}: {error}", self.directory.display()),
            }
        }
    }

    /// Takes back what [`fill`](Self::fill) wrote.
    pub fn make_room(&self) {
        std::fs::remove_file(self.filler()).expect("fill came before");
    }

    fn filler(&self) -> PathBuf {
        self.directory.join("filler")
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        // Lazily: a process that still has a file open there shall not keep the mount.
        let unmounted = run_program("umount", &["--lazy", text(&self.directory)]);
        if unmounted.code != Some(0) {
            eprintln!("{} is still mounted: {unmounted}", self.directory.display());
        }
    }
}

fn text(path: &Path) -> &str {
    path.to_str().expect("the path of a test is UTF-8")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Workdir;

    #[test]
    fn is_filled_emptied_and_gone() {
        let workdir = Workdir::new();
        let Some(tmpfs) = Tmpfs::mount(&workdir.join("small"), 64) else { return };
        let file = workdir.write("small/a", "");
        tmpfs.fill();
        let refused = std::fs::write(&file, "a").expect_err("it is full");
        assert_eq!(refused.kind(), ErrorKind::StorageFull);
        tmpfs.make_room();
        std::fs::write(&file, "a").unwrap();
        drop(tmpfs);
        assert!(!file.exists());
    }
}
