//! The standard error of a process, which a test reads while it grows.

use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// All that a process wrote, over all of its runs.
#[derive(Debug, Default)]
pub(crate) struct Log {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    text: String,
    /// Up to where lines have been looked for and found, in bytes.
    found: usize,
    /// Whether a process still writes.
    open: bool,
}

/// Why a line was not found.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotFound {
    #[error("the process ended without writing it")]
    Ended,
    #[error("it was not written within {0:?}")]
    OutOfPatience(Duration),
}

impl Log {
    /// A process begins to write.
    pub(crate) fn open(&self) {
        self.state().open = true;
    }

    /// The process has ended, and nothing more comes.
    pub(crate) fn close(&self) {
        self.state().open = false;
        self.changed.notify_all();
    }

    /// One more line, with its line break if the process wrote one.
    pub(crate) fn append(&self, line: &str) {
        self.state().text.push_str(line);
        self.changed.notify_all();
    }

    /// All of it.
    pub(crate) fn text(&self) -> String {
        self.state().text.clone()
    }

    /// Waits for a line that holds `needle`, from behind the line that was found last.
    pub(crate) fn find(&self, needle: &str, patience: Duration) -> Result<String, NotFound> {
        let deadline = Instant::now() + patience;
        let mut state = self.state();
        loop {
            if let Some(line) = state.find(needle) {
                return Ok(line);
            }
            if !state.open {
                return Err(NotFound::Ended);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(NotFound::OutOfPatience(patience));
            }
            state = self.wait(state, left);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Waits until something has changed, or for so long.
    fn wait<'a>(&self, state: MutexGuard<'a, State>, at_most: Duration) -> MutexGuard<'a, State> {
        self.changed.wait_timeout(state, at_most).unwrap().0
    }
}

impl State {
    fn find(&mut self, needle: &str) -> Option<String> {
        let mut end = self.found;
        for line in self.text[self.found..].split_inclusive('\n') {
            end += line.len();
            if line.contains(needle) {
                let line = line.trim_end().to_owned();
                self.found = end;
                return Some(line);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(60);

    #[test]
    fn a_line_is_found_when_it_comes_and_only_once() {
        let log = Arc::new(Log::default());
        log.open();
        log.append("took up 1\nother\n");
        assert_eq!(log.find("took up", PATIENCE), Ok("took up 1".to_owned()));

        let writer = Arc::clone(&log);
        let writing = std::thread::spawn(move || writer.append("took up 2\n"));
        assert_eq!(log.find("took up", PATIENCE), Ok("took up 2".to_owned()));
        writing.join().unwrap();
        assert_eq!(log.text(), "took up 1\nother\ntook up 2\n");
    }

    #[test]
    fn a_line_that_does_not_come_is_not_waited_for_after_the_end() {
        let log = Arc::new(Log::default());
        log.open();
        assert_eq!(log.find("never", Duration::ZERO), Err(NotFound::OutOfPatience(Duration::ZERO)));

        let writer = Arc::clone(&log);
        let ending = std::thread::spawn(move || writer.close());
        assert_eq!(log.find("never", PATIENCE), Err(NotFound::Ended));
        ending.join().unwrap();
    }
}
