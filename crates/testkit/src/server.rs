//! A program that serves, as a process that a test starts, kills, stops and starts again.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::MovableClock;
use crate::log::Log;
use crate::process::{Finished, Mark, command_line};

/// How long a start or a stop may take, on a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(60);

/// A directory with a program that serves from it: `chancery`, or the portal.
pub(crate) trait Serving: std::fmt::Debug + Sync {
    /// The command that serves in the foreground, not yet started.
    fn serving(&self) -> Command;

    /// The line on standard output with which it says that it accepts requests.
    fn ready(&self) -> String;
}

/// A running server. It must be ended by [`kill_9`](Self::kill_9) or
/// [`terminate`](Self::terminate); to drop it while it runs, or to leave a child of it behind,
/// fails the test.
#[derive(Debug)]
pub struct TestServer<'a> {
    program: &'a dyn Serving,
    clock: Option<&'a MovableClock>,
    running: Option<Running>,
    /// The standard error of every run so far, to be shown when the test fails.
    log: Arc<Log>,
}

#[derive(Debug)]
struct Running {
    /// The command line, for messages.
    command: String,
    child: Child,
    mark: Mark,
    /// The lines of standard output; closed when the process has ended.
    stdout: Receiver<String>,
    readers: Vec<JoinHandle<()>>,
}

impl<'a> TestServer<'a> {
    /// Starts the program and waits for the line that says that it accepts requests.
    pub(crate) fn start(program: &'a dyn Serving, clock: Option<&'a MovableClock>) -> Self {
        let mut server = Self { program, clock, running: None, log: Arc::default() };
        server.spawn();
        server.wait_until_ready();
        server
    }

    /// Runs the program to the end that it comes to by itself, and fails the test if it begins to
    /// serve.
    pub(crate) fn refused(program: &'a dyn Serving, clock: Option<&'a MovableClock>) -> Finished {
        let mut server = Self { program, clock, running: None, log: Arc::default() };
        server.spawn();
        server.wait_for_refusal()
    }

    /// Ends the server as a power cut would, so that it can finish nothing, and waits until it is
    /// gone.
    pub fn kill_9(&mut self) {
        let mut running = self.take_running();
        running.child.kill().expect("SIGKILL can always be sent to a child");
        running.wait_for_end();
    }

    /// Stops the server with SIGTERM and fails the test unless it exits with 0.
    pub fn terminate(&mut self) {
        self.ask_to_stop();
        self.wait_for_stop();
    }

    /// Sends SIGTERM and does not wait, so that a test can look at how the server drains.
    pub fn ask_to_stop(&self) {
        let running = self.running.as_ref().expect("the server was started and not yet ended");
        let id = i32::try_from(running.child.id()).ok().and_then(Pid::from_raw).expect("a process id");
        // The child is not yet reaped, so the id is still its own.
        kill_process(id, Signal::TERM).expect("SIGTERM can always be sent to a child");
    }

    /// Waits for the end that [`ask_to_stop`](Self::ask_to_stop) asked for, and fails the test
    /// unless the server exits with 0.
    pub fn wait_for_stop(&mut self) {
        let status = self.take_running().wait_for_end();
        assert!(status.success(), "after SIGTERM the server ended with {status}");
    }

    /// Starts the server again after its end, on the same ports, database and files.
    pub fn restart(&mut self) {
        assert!(self.running.is_none(), "restart comes after kill_9 or terminate");
        self.spawn();
        self.wait_until_ready();
    }

    /// Waits until the server has written a line to standard error that holds `needle`, and gives the line.
    /// It looks at lines after the one that the call before found, so that each is found once. Fails the
    /// test when the server ends without writing it, or takes too long.
    #[track_caller]
    pub fn log_until(&self, needle: &str) -> String {
        self.log.find(needle, PATIENCE).unwrap_or_else(|why| panic!("no line with `{needle}`: {why}"))
    }

    /// All that the server has written to standard error, over all of its runs. Complete for a run
    /// that has ended.
    pub fn log(&self) -> String {
        self.log.text()
    }

    fn spawn(&mut self) {
        let mark = Mark::new();
        let mut command = self.program.serving();
        mark.put_on(&mut command);
        if let Some(clock) = self.clock {
            clock.put_on(&mut command);
        }
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("start {command:?}: {error}"));
        self.log.open();
        let (stdout_reader, stdout) = read_lines(child.stdout.take().expect("piped"));
        let stderr_reader = read_log(child.stderr.take().expect("piped"), Arc::clone(&self.log));
        let (command, readers) = (command_line(&command), vec![stdout_reader, stderr_reader]);
        self.running = Some(Running { command, child, mark, stdout, readers });
    }

    fn wait_until_ready(&mut self) {
        let expected = self.program.ready();
        let running = self.running.as_mut().expect("just spawned");
        match running.stdout.recv_timeout(PATIENCE) {
            Ok(line) => assert_eq!(line, expected, "the first line on standard output"),
            Err(RecvTimeoutError::Timeout) => panic!("the server said nothing for {PATIENCE:?}"),
            Err(RecvTimeoutError::Disconnected) => {
                let status = self.take_running().wait_for_end();
                panic!("the server ended with {status} before it was ready");
            }
        }
    }

    fn wait_for_refusal(mut self) -> Finished {
        let ready = self.program.ready();
        let running = self.running.as_mut().expect("just spawned");
        let mut stdout = String::new();
        loop {
            match running.stdout.recv_timeout(PATIENCE) {
                Ok(line) => {
                    assert_ne!(line, ready, "the server was to be refused, and serves");
                    stdout.push_str(&line);
                    stdout.push('\n');
                }
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    panic!("the server neither serves nor ends for {PATIENCE:?}")
                }
            }
        }
        let mut running = self.take_running();
        let status = running.wait_for_end();
        Finished { command: running.command, code: status.code(), stdout, stderr: self.log() }
    }

    fn take_running(&mut self) -> Running {
        self.running.take().expect("the server was started and not yet ended")
    }
}

impl Running {
    /// Waits until the process is gone, and holds it to having left nothing behind.
    fn wait_for_end(&mut self) -> ExitStatus {
        let closed = loop {
            match self.stdout.recv_timeout(PATIENCE) {
                Ok(_line) => {}
                Err(RecvTimeoutError::Disconnected) => break true,
                Err(RecvTimeoutError::Timeout) => break false,
            }
        };
        if !closed {
            let _ = self.child.kill();
        }
        let status = self.child.wait().expect("a child can be waited for");
        let left_behind = self.mark.kill_bearers();
        for reader in self.readers.drain(..) {
            reader.join().expect("the reader of an output does not panic");
        }
        assert!(left_behind.is_empty(), "the server left processes behind: {left_behind:?}");
        assert!(closed, "the server was still there {PATIENCE:?} after it should have ended");
        status
    }
}

impl Drop for TestServer<'_> {
    fn drop(&mut self) {
        let failing = std::thread::panicking();
        let was_running = self.running.is_some();
        if let Some(mut running) = self.running.take() {
            let _ = running.child.kill();
            let _ = running.child.wait();
            running.mark.kill_bearers();
        }
        if failing {
            eprintln!("--- standard error of the server\n{}", self.log());
        } else if was_running {
            panic!("the test ended without stopping its server: call terminate() or kill_9()");
        }
    }
}

fn read_lines(stdout: ChildStdout) -> (JoinHandle<()>, Receiver<String>) {
    let (sender, lines) = channel();
    let reader = std::thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            // Nobody may listen any more; the pipe is read to its end all the same.
            let _ = sender.send(line);
        }
    });
    (reader, lines)
}

fn read_log(stderr: ChildStderr, log: Arc<Log>) -> JoinHandle<()> {
    std::thread::spawn(move || {
        let mut stderr = BufReader::new(stderr);
        let mut line = Vec::new();
        while stderr.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
            log.append(&String::from_utf8_lossy(&line));
            line.clear();
        }
        log.close();
    })
}
