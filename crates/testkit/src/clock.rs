//! A clock that a test sets, for the real binary.

use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chancery_time::{Clock, SystemClock, Timestamp};

use crate::Workdir;

/// Where Debian's package faketime puts the library; the loader fills in `$LIB`.
const LIBRARY: &str = "/usr/$LIB/faketime/libfaketime.so.1";

/// The time of day of the processes that are started under it. It runs on by itself, and the test moves
/// it, also for processes that run already.
#[derive(Debug)]
pub struct MovableClock {
    offset: Offset,
    /// Where the processes read the offset.
    file: PathBuf,
    moves_monotonic: bool,
    _workdir: Workdir,
}

/// How many seconds a time of day lies beyond the real one; fewer than none where it is behind. Clones
/// share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Offset(Arc<Mutex<i64>>);

impl MovableClock {
    /// A clock that shows the real time until it is moved. The processes' monotonic clock and their timers
    /// run on as usual.
    pub fn new() -> Self {
        Self::create(false)
    }

    /// A clock of that kind which the processes' monotonic clock (`std::time::Instant`) follows: what they
    /// measure as elapsed is what the test moved the clock by, and the time that really passed. It cannot be
    /// set back.
    ///
    /// The kernel knows nothing of it. A timer (of tokio, say) sees that the clock was moved when its process
    /// next wakes up, for a request perhaps. And a wait that is told an instant of the monotonic clock as its
    /// end does not end: in Rust, `Condvar::wait_timeout`, `Receiver::recv_timeout`, `thread::park_timeout`.
    pub fn with_monotonic() -> Self {
        Self::create(true)
    }

    /// Moves the time forward by whole seconds.
    pub fn advance(&self, by: Duration) {
        self.change(|seconds| seconds + whole_seconds(by));
    }

    /// Moves the time back by whole seconds, perhaps behind the real one.
    pub fn set_back(&self, by: Duration) {
        self.change(|seconds| seconds - whole_seconds(by));
    }

    /// Sets the time so many seconds beyond the real one, or behind it where there are fewer than none.
    pub fn set_offset(&self, seconds: i64) {
        self.change(|_| seconds);
    }

    /// What it shows.
    pub fn now(&self) -> Timestamp {
        let seconds = self.offset.seconds();
        let distance = Duration::from_secs(seconds.unsigned_abs());
        let real = SystemClock.now();
        if seconds < 0 { real - distance } else { real + distance }
    }

    /// The offset, as it is at every moment.
    pub(crate) fn offset(&self) -> Offset {
        self.offset.clone()
    }

    pub(crate) fn put_on(&self, command: &mut Command) {
        command
            .env("LD_PRELOAD", LIBRARY)
            .env("FAKETIME_TIMESTAMP_FILE", &self.file)
            .env("FAKETIME_NO_CACHE", "1");
        if !self.moves_monotonic {
            command.env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
        }
    }

    fn create(moves_monotonic: bool) -> Self {
        let workdir = Workdir::new();
        let clock = Self {
            offset: Offset::default(),
            file: workdir.join("offset"),
            moves_monotonic,
            _workdir: workdir,
        };
        clock.set_offset(0);
        clock
    }

    fn change(&self, next: impl FnOnce(i64) -> i64) {
        let mut seconds = self.offset.0.lock().unwrap();
        let next = next(*seconds);
        assert!(next >= *seconds || !self.moves_monotonic, "a monotonic clock is never set back");
        *seconds = next;
        // Renamed into place, so that no process reads half a number.
        let new_file = self.file.with_extension("next");
        std::fs::write(&new_file, format!("{next:+}s\n")).expect("write the clock");
        std::fs::rename(&new_file, &self.file).expect("set the clock");
    }
}

impl Default for MovableClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Offset {
    /// An offset that stays as it is.
    pub(crate) fn fixed(ahead: Duration) -> Self {
        Self(Arc::new(Mutex::new(whole_seconds(ahead))))
    }

    pub(crate) fn seconds(&self) -> i64 {
        *self.0.lock().unwrap()
    }
}

fn whole_seconds(length: Duration) -> i64 {
    i64::try_from(length.as_secs()).expect("a clock is moved by less than the age of the universe")
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Write};
    use std::process::{Child, ChildStdin, ChildStdout, Stdio};
    use std::time::Instant;

    use super::*;
    use crate::process::clean_command;

    const DAY: Duration = Duration::from_secs(86_400);
    /// How far a reading may be off on a busy machine, in seconds.
    const SLACK: f64 = 30.0;

    /// A real process that reads its clocks whenever it is asked.
    struct Reader {
        child: Child,
        ask: ChildStdin,
        answers: BufReader<ChildStdout>,
        started: Instant,
        first: Reading,
    }

    /// In seconds since 1970, and since whenever.
    #[derive(Clone, Copy)]
    struct Reading {
        wall: f64,
        monotonic: f64,
    }

    impl Reader {
        fn start(clock: &MovableClock) -> Self {
            const PROGRAM: &str = "import sys, time\n\
                for _ in sys.stdin: print(time.time(), time.monotonic(), flush=True)\n";
            let mut command = clean_command("/usr/bin/python3");
            clock.put_on(&mut command);
            command.args(["-c", PROGRAM]).stdin(Stdio::piped()).stdout(Stdio::piped());
            let mut child = command.spawn().expect("python3 is there: certbot needs it");
            let ask = child.stdin.take().unwrap();
            let answers = BufReader::new(child.stdout.take().unwrap());
            let first = Reading { wall: 0.0, monotonic: 0.0 };
            let mut reader = Self { child, ask, answers, started: Instant::now(), first };
            reader.first = reader.read();
            reader
        }

        fn read(&mut self) -> Reading {
            writeln!(self.ask).unwrap();
            let mut line = String::new();
            self.answers.read_line(&mut line).unwrap();
            let (wall, monotonic) = line.trim().split_once(' ').unwrap();
            Reading { wall: wall.parse().unwrap(), monotonic: monotonic.parse().unwrap() }
        }

        /// By how much each clock has moved since the start, beyond the time that really passed.
        fn moved(&mut self) -> (f64, f64) {
            let reading = self.read();
            let passed = self.started.elapsed().as_secs_f64();
            (reading.wall - self.first.wall - passed, reading.monotonic - self.first.monotonic - passed)
        }
    }

    impl Drop for Reader {
        fn drop(&mut self) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }

    #[track_caller]
    fn assert_near(seconds: f64, expected: Duration) {
        assert!((seconds - expected.as_secs_f64()).abs() < SLACK, "{seconds} is not about {expected:?}");
    }

    #[test]
    fn the_time_of_day_moves_both_ways_and_the_monotonic_clock_does_not() {
        let clock = MovableClock::new();
        let mut reader = Reader::start(&clock);
        assert_near(reader.first.wall, SystemClock.now().since(Timestamp::MIN));

        clock.advance(10 * DAY);
        let (wall, monotonic) = reader.moved();
        assert_near(wall, 10 * DAY);
        assert_near(monotonic, Duration::ZERO);

        clock.set_back(13 * DAY);
        let (wall, monotonic) = reader.moved();
        assert_near(-wall, 3 * DAY);
        assert_near(monotonic, Duration::ZERO);

        clock.set_offset(3_600);
        assert_near(reader.moved().0, Duration::from_secs(3_600));
    }

    #[test]
    fn a_process_started_behind_the_real_time_sees_it() {
        let clock = MovableClock::new();
        clock.set_back(400 * DAY);
        let reader = Reader::start(&clock);
        assert_near(reader.first.wall, clock.now().since(Timestamp::MIN));
        assert_near(SystemClock.now().since(clock.now()).as_secs_f64(), 400 * DAY);
    }

    #[test]
    fn ten_days_pass_for_a_process_that_measures_them() {
        let clock = MovableClock::with_monotonic();
        let mut reader = Reader::start(&clock);
        let (wall, monotonic) = reader.moved();
        assert_near(wall, Duration::ZERO);
        assert_near(monotonic, Duration::ZERO);

        clock.advance(10 * DAY);
        let (wall, monotonic) = reader.moved();
        assert_near(wall, 10 * DAY);
        assert_near(monotonic, 10 * DAY);
    }

    #[test]
    fn a_monotonic_clock_is_not_set_back() {
        let clock = MovableClock::with_monotonic();
        clock.advance(DAY);
        let set_back = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| clock.set_offset(0)));
        assert!(set_back.is_err());
    }
}
