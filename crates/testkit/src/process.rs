//! Programs that a test runs to their end, and what they leave behind.

use std::fmt;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::process::{Pid, Signal, kill_process};

/// What a program said and how it ended.
#[derive(Debug, Clone)]
pub struct Finished {
    /// The command line, for messages.
    pub command: String,
    /// The exit code; none when a signal ended it.
    pub code: Option<i32>,
    /// All of its standard output.
    pub stdout: String,
    /// All of its standard error.
    pub stderr: String,
}

impl Finished {
    /// Itself, when the program exited with 0; otherwise fails the test with all that it said.
    #[track_caller]
    pub fn succeeded(self) -> Self {
        assert!(self.code == Some(0), "{self}");
        self
    }

    /// Itself, when the program exited with that code; otherwise fails the test.
    #[track_caller]
    pub fn exited_with(self, code: i32) -> Self {
        assert!(self.code == Some(code), "expected exit code {code}: {self}");
        self
    }
}

impl fmt::Display for Finished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { command, code, stdout, stderr } = self;
        write!(f, "`{command}` ended with {code:?}\n--- stdout\n{stdout}\n--- stderr\n{stderr}")
    }
}

/// Runs a program to its end in an environment that holds nothing of the test's own.
pub fn run_program(program: &str, arguments: &[&str]) -> Finished {
    run(clean_command(program).args(arguments))
}

/// Runs a command to its end, with nothing on its standard input.
pub(crate) fn run(command: &mut Command) -> Finished {
    let line = command_line(command);
    let output = command
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("`{line}` could not be started: {error}"));
    Finished {
        command: line,
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// A command that sees nothing of the test's environment but where programs are: no proxy, no
/// certificate store, no secret that was set for another test.
pub(crate) fn clean_command(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    command.env_clear();
    for name in ["PATH", "HOME", "TMPDIR", "LLVM_PROFILE_FILE"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    command
}

/// The path of a program that `make test` names in an environment variable.
pub(crate) fn program_from_env(variable: &str) -> std::path::PathBuf {
    let path = std::env::var_os(variable)
        .unwrap_or_else(|| panic!("{variable} is not set; run the tests with `make test`, which sets it"));
    std::path::PathBuf::from(path)
}

pub(crate) fn command_line(command: &Command) -> String {
    std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}

/// A mark in the environment of a process that all of its descendants inherit, whatever group or
/// session they move to.
#[derive(Debug, Clone)]
pub(crate) struct Mark {
    value: String,
}

impl Mark {
    const VARIABLE: &str = "CHANCERY_TEST_MARK";

    pub(crate) fn new() -> Self {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let nth = MADE.fetch_add(1, Ordering::Relaxed);
        Self { value: format!("{}-{nth}", std::process::id()) }
    }

    pub(crate) fn put_on(&self, command: &mut Command) {
        command.env(Self::VARIABLE, &self.value);
    }

    /// Kills every process that bears the mark and gives the command lines of those it found.
    pub(crate) fn kill_bearers(&self) -> Vec<String> {
        let wanted = format!("{}={}", Self::VARIABLE, self.value);
        let bears_mark = |process: &Path| {
            std::fs::read(process.join("environ"))
                .is_ok_and(|environ| environ.split(|byte| *byte == 0).any(|entry| entry == wanted.as_bytes()))
        };
        let mut found = Vec::new();
        for process in std::fs::read_dir("/proc").expect("/proc").flatten() {
            let id = process.file_name().to_str().and_then(|name| name.parse().ok()).and_then(Pid::from_raw);
            let Some(id) = id else { continue };
            if !bears_mark(&process.path()) {
                continue;
            }
            let command = std::fs::read(process.path().join("cmdline")).unwrap_or_default();
            found.push(String::from_utf8_lossy(&command).replace('\0', " ").trim().to_owned());
            // It may have ended by itself in the meantime.
            let _ = kill_process(id, Signal::KILL);
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grandchild_in_another_session_is_found_and_killed() {
        let mark = Mark::new();
        let mut command = clean_command("sh");
        command.args(["-c", "setsid sleep 600 >/dev/null 2>&1 & echo started"]);
        mark.put_on(&mut command);
        let started = run(&mut command).succeeded();
        assert_eq!(started.stdout, "started\n");
        assert_eq!(mark.kill_bearers().len(), 1);
    }

    #[test]
    fn a_failure_tells_what_the_program_said() {
        let finished = run(clean_command("sh").args(["-c", "echo why >&2; exit 7"])).exited_with(7);
        assert_eq!(finished.stderr, "why\n");
        assert!(finished.to_string().contains("--- stderr\nwhy"));
    }
}
