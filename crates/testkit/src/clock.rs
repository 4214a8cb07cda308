//! A clock that a test sets, for the real binary.

use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::Workdir;

/// Where Debian's package faketime puts the library; the loader fills in `$LIB`.
const LIBRARY: &str = "/usr/$LIB/faketime/libfaketime.so.1";

/// The time of day of the processes that are started under it; their timers run on as usual.
#[derive(Debug)]
pub struct MovableClock {
    /// Holds how far the processes' time of day lies beyond the real one.
    offset: PathBuf,
    ahead_seconds: AtomicU64,
    _workdir: Workdir,
}

impl MovableClock {
    /// A clock that shows the real time until it is moved.
    pub fn new() -> Self {
        let workdir = Workdir::new();
        let clock =
            Self { offset: workdir.join("offset"), ahead_seconds: AtomicU64::new(0), _workdir: workdir };
        clock.write();
        clock
    }

    /// Moves the time of day forward, also for processes that run already.
    pub fn advance(&self, by: Duration) {
        self.ahead_seconds.fetch_add(by.as_secs(), Ordering::Relaxed);
        self.write();
    }

    pub(crate) fn put_on(&self, command: &mut Command) {
        command
            .env("LD_PRELOAD", LIBRARY)
            .env("FAKETIME_TIMESTAMP_FILE", &self.offset)
            .env("FAKETIME_NO_CACHE", "1")
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    }

    fn write(&self) {
        // Renamed into place, so that no process reads half a number.
        let next = self.offset.with_extension("next");
        std::fs::write(&next, format!("+{}s\n", self.ahead_seconds.load(Ordering::Relaxed)))
            .expect("write the clock");
        std::fs::rename(&next, &self.offset).expect("set the clock");
    }
}

impl Default for MovableClock {
    fn default() -> Self {
        Self::new()
    }
}
