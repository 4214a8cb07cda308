//! A network of a test's own: nothing beyond it can be reached from within, and nobody from outside reaches in.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::MovableClock;
use crate::process::{Finished, clean_command, run};

/// A network namespace with its own loopback interface and no other, as long as the value lives.
#[derive(Debug)]
pub struct Network {
    /// Keeps the namespace.
    holder: Child,
    /// The holder ends when this closes, and so also when the test is killed.
    _stdin: ChildStdin,
}

impl Network {
    /// A new one. `None` where this user may not make one: then the test says so and ends.
    pub fn new() -> Option<Self> {
        let script = "ip link set lo up && echo up && exec cat";
        let mut holder = clean_command("unshare")
            .args(["--net", "sh", "-c", script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("unshare is there");
        let (stdin, stdout) = pipes(&mut holder);
        let mut line = String::new();
        let told = BufReader::new(stdout).read_line(&mut line);
        if told.is_ok() && line == "up\n" {
            return Some(Self { holder, _stdin: stdin });
        }
        let ended = holder.wait();
        eprintln!("NOT TESTED: no network namespace can be made here; run this as root ({ended:?})");
        None
    }

    /// A command that runs within.
    pub(crate) fn within(&self, command: &Command) -> Command {
        let namespace = format!("--net=/proc/{}/ns/net", self.holder.id());
        wrapped("nsenter", &[&namespace], command)
    }

    /// Runs a program within to its end, with these additions to its environment.
    pub fn run(&self, program: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Finished {
        let mut command = clean_command(program);
        command.args(arguments).envs(environment.iter().copied());
        run(&mut self.within(&command))
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

/// Runs a program to its end in a network namespace that has no interface that is up, not even loopback, and no
/// route. Where [`Network::new`] works, so does this.
pub fn run_without_network(program: &str, arguments: &[&str], clock: &MovableClock) -> Finished {
    let mut command = clean_command(program);
    clock.put_on(command.args(arguments));
    run(&mut wrapped("unshare", &["--net"], &command))
}

fn pipes(child: &mut Child) -> (ChildStdin, ChildStdout) {
    (child.stdin.take().expect("piped"), child.stdout.take().expect("piped"))
}

/// The same command behind a program that runs it, in the same environment.
pub(crate) fn wrapped(wrapper: &str, options: &[&str], command: &Command) -> Command {
    let mut outer = clean_command(wrapper);
    outer.args(options).arg("--").arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            outer.env(name, value);
        }
    }
    outer
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn neither_reaches_out() {
        let Some(network) = Network::new() else { return };
        let outside = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let connect = format!("exec 3<>/dev/tcp/127.0.0.1/{}", outside.local_addr().unwrap().port());
        assert_eq!(crate::run_program("bash", &["-c", &connect]).code, Some(0));
        assert_eq!(network.run("bash", &["-c", &connect], &[]).code, Some(1));
        let within = run_without_network("bash", &["-c", &connect], &MovableClock::new());
        assert!(within.stderr.contains("unreachable"), "{within}");
        // Loopback is there in the one and not in the other.
        let ping = ["-c", "exec 3<>/dev/tcp/127.0.0.1/1"];
        assert!(network.run("bash", &ping, &[]).stderr.contains("refused"));
    }
}
