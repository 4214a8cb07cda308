//! Where the commands of a page run: a directory in the place of the system's own, and an environment
//! that holds nothing of the test's.

use std::cell::Cell;
use std::fs::File;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::page::Placeholders;
use crate::process::{Finished, Mark, clean_command};

/// No step of a page takes that long, on a machine that is busy with other tests; and the runner of the
/// tests, which would leave a step's servers behind, has more patience.
const PATIENCE_SECONDS: &str = "120";

/// What the pages call by its system-wide path, and what is a directory of each client's own here.
const DIRECTORIES: [&str; 4] = ["/etc/", "/var/", "/run/", "/usr/local/"];

/// The bundle that programs built with GnuTLS trust, and that no option or variable replaces.
const SYSTEM_BUNDLE: &str = "/etc/ssl/certs/ca-certificates.crt";

/// A client's own `/etc`, `/var`, `/run`, `/usr/local` and home directory. Whatever was started here and
/// still runs is killed when the value is dropped.
#[derive(Debug)]
pub(super) struct Sandbox {
    home: PathBuf,
    placeholders: Placeholders,
    environment: Vec<(&'static str, String)>,
    /// Whether commands see the root certificate as the only one that the system trusts.
    trusts_root: bool,
    mark: Mark,
    runs: Cell<u32>,
}

impl Sandbox {
    /// Makes the directories. `root` is the PEM file of the root certificate.
    pub(super) fn new(home: PathBuf, root: &Path, placeholders: Placeholders) -> Self {
        let mut placeholders = placeholders;
        for directory in DIRECTORIES {
            let own = home.join(directory.trim_start_matches('/'));
            std::fs::create_dir_all(&own).expect("a directory of the client's own");
            placeholders =
                placeholders.directory(directory, format!("{}/", own.display()).replace("//", "/"));
        }
        std::fs::create_dir_all(home.join("usr/local/bin")).expect("a directory for programs");
        std::fs::create_dir_all(home.join("etc/chancery")).expect("a directory for the root certificate");
        std::fs::copy(root, home.join("etc/chancery/root.pem")).expect("a copy of the root certificate");
        let (environment, runs) = (Vec::new(), Cell::new(0));
        Self { home, placeholders, environment, trusts_root: false, mark: Mark::new(), runs }
    }

    /// Lets the commands see the root certificate where the system's trust store is, and an empty `/run`.
    /// Takes root, or a system on which users may have namespaces.
    pub(super) fn trust_root(&mut self) {
        self.trusts_root = true;
    }

    /// Sets a variable for all commands.
    pub(super) fn set(&mut self, variable: &'static str, value: &str) {
        self.environment.push((variable, value.to_owned()));
    }

    /// Puts a program in front of all others of that name.
    pub(super) fn link_program(&self, name: &str, program: &Path) {
        symlink(program, self.home.join("usr/local/bin").join(name)).expect("a link to the program");
    }

    /// Writes a file; its path is as a page would have it.
    pub(super) fn write(&self, path: &str, content: &str) {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().expect("a file's path")).expect("a directory for the file");
        std::fs::write(&path, content).unwrap_or_else(|error| panic!("write {}: {error}", path.display()));
    }

    /// Where a file of a page is.
    pub(super) fn path(&self, written: &str) -> PathBuf {
        PathBuf::from(self.placeholders.replace(written))
    }

    pub(super) fn home(&self) -> &Path {
        &self.home
    }

    /// Runs commands with bash, up to the first that fails.
    ///
    /// What they say goes to files: a server that they leave running would keep a pipe open.
    pub(super) fn run(&self, commands: &str) -> Finished {
        let script = self.placeholders.replace(commands);
        let run = self.runs.get() + 1;
        self.runs.set(run);
        let said = |stream: &str| self.home.join(format!("run-{run}.{stream}"));
        let create = |stream: &str| File::create(said(stream)).expect("a file for what the client says");

        let mut command = self.shell();
        command
            .args(["-eu", "-o", "pipefail", "-c", &script])
            .current_dir(&self.home)
            .stdin(Stdio::null())
            .stdout(create("stdout"))
            .stderr(create("stderr"));
        let status = command.status().unwrap_or_else(|error| panic!("start {command:?}: {error}"));
        let read = |stream: &str| {
            let bytes = std::fs::read(said(stream)).expect("just written");
            String::from_utf8_lossy(&bytes).into_owned()
        };
        Finished { command: script, code: status.code(), stdout: read("stdout"), stderr: read("stderr") }
    }

    fn shell(&self) -> Command {
        let mut command = clean_command("timeout");
        command.arg(PATIENCE_SECONDS);
        if self.trusts_root {
            command.arg("unshare");
            if !rustix::process::getuid().is_root() {
                command.args(["--user", "--map-root-user"]);
            }
            command
                .args(["--mount", "sh", "-c"])
                .arg(format!(
                    r#"mount --bind "$0" {SYSTEM_BUNDLE} && mount --bind "$1" /run && shift && exec "$@""#
                ))
                .arg(self.home.join("etc/chancery/root.pem"))
                .arg(self.home.join("run"));
        }
        command.arg("bash");
        let path = std::env::var("PATH").unwrap_or_default();
        let own_programs = self.home.join("usr/local/bin");
        command
            .env("HOME", &self.home)
            .env("PATH", format!("{}:{path}:/usr/sbin:/sbin", own_programs.display()))
            .envs(self.environment.iter().map(|(variable, value)| (variable, value)));
        self.mark.put_on(&mut command);
        command
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.mark.kill_bearers();
    }
}
