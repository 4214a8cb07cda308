//! What a program asks of the kernel's network, as strace writes it down.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::PathBuf;
use std::process::Command;

use crate::Workdir;
use crate::namespace::wrapped;
use crate::process::{Finished, clean_command, run};

/// Runs a program, all of its threads and all of its children under strace, which writes down every call that has to
/// do with sockets. `io_uring_setup` is among them, since a ring could make sockets without a call.
///
/// The tracer is no parent of the program (`-D`), so that signals and exit codes are the program's own; and it has
/// neither the clock nor the mark of the test. The lock is held until both have ended.
const SCRIPT: &str = r#"file=$1; shift
exec 9>"$file.lock"; flock 9
exec env -u LD_PRELOAD -u CHANCERY_TEST_MARK strace -D -f --seccomp-bpf -yy -s 0 \
    -e trace=%network,io_uring_setup -e signal=none -o "$file" \
    -E "LD_PRELOAD=$LD_PRELOAD" -E "CHANCERY_TEST_MARK=$CHANCERY_TEST_MARK" "$@""#;

/// The record of one program's calls; see [`Installation::traced`](crate::Installation::traced).
#[derive(Debug)]
pub struct SocketTrace {
    file: PathBuf,
    _workdir: Workdir,
}

/// One call, as strace shows it: `connect(9<TCP:[4903624]>, {sa_family=AF_INET, …}, 16) = 0`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SocketCall {
    /// `connect`
    pub name: String,
    /// What stands behind the opening parenthesis: the arguments, and what the kernel answered.
    pub rest: String,
}

impl SocketTrace {
    /// An empty record, for one run of one program.
    #[expect(clippy::new_without_default, reason = "it makes a directory; it is no default value")]
    pub fn new() -> Self {
        let workdir = Workdir::new();
        Self { file: workdir.join("calls"), _workdir: workdir }
    }

    /// The same command under the trace.
    pub(crate) fn of(&self, command: &Command) -> Command {
        let file = self.file.to_str().expect("the path of a test is UTF-8");
        wrapped("sh", &["-c", SCRIPT, "sh", file], command)
    }

    /// Runs a program under the trace to its end.
    pub fn run(&self, program: &str, arguments: &[&str]) -> Finished {
        run(&mut self.of(clean_command(program).args(arguments)))
    }

    /// Every call of the program, in their order. Waits for its end.
    pub fn calls(&self) -> Vec<SocketCall> {
        let lock = File::open(self.file.with_extension("lock")).expect("the program was started");
        lock.lock().expect("a lock");
        let text = std::fs::read_to_string(&self.file).expect("strace is there and may trace");
        assert!(text.contains("+++ "), "strace did not see the end of the program: {text}");
        read(&text)
    }
}

impl SocketCall {
    /// The descriptor that the call is about, such as `9<TCP:[127.0.0.1:4000->127.0.0.1:5432]>`.
    pub fn descriptor(&self) -> Option<&str> {
        let (first, _) = self.rest.split_once("]>")?;
        let is_first = first.starts_with(|digit: char| digit.is_ascii_digit()) && !first.contains(", ");
        is_first.then(|| self.rest.get(..first.len() + 2)).flatten()
    }

    fn parse(text: &str) -> Self {
        let (name, rest) = text.split_once('(').unwrap_or_else(|| panic!("no call: {text}"));
        Self { name: name.to_owned(), rest: rest.to_owned() }
    }
}

impl std::fmt::Display for SocketCall {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}({}", self.name, self.rest)
    }
}

/// The calls of a record. One that another thread interrupted stands in two lines, and counts where it ends.
fn read(text: &str) -> Vec<SocketCall> {
    const UNFINISHED: &str = "<unfinished ...>";
    let (mut calls, mut begun) = (Vec::new(), BTreeMap::new());
    for line in text.lines() {
        let (thread, what) = line.split_once(' ').unwrap_or_else(|| panic!("no line of strace: {line}"));
        let what = what.trim_start();
        if what.starts_with("+++ ") {
            // What a thread was in the middle of when its process ended.
            calls.extend(begun.remove(thread).map(SocketCall::parse));
        } else if let Some(beginning) = what.strip_suffix(UNFINISHED) {
            begun.insert(thread, beginning.trim_end());
        } else if let Some((_, end)) = what.strip_prefix("<... ").and_then(|rest| rest.split_once("resumed>"))
        {
            let beginning = begun.remove(thread).unwrap_or_else(|| panic!("what is resumed? {line}"));
            calls.push(SocketCall::parse(&format!("{beginning}{end}")));
        } else {
            calls.push(SocketCall::parse(what));
        }
    }
    calls
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(calls: &[SocketCall]) -> Vec<&str> {
        calls.iter().map(|call| call.name.as_str()).collect()
    }

    #[test]
    fn a_program_and_its_children_are_written_down() {
        let trace = SocketTrace::new();
        let program = "import os, socket\n\
            a = socket.socket()\n\
            if os.fork() == 0: a.connect_ex(('127.0.0.1', 1)); os._exit(0)\n\
            os.wait(); print(os.environ['WORD']); exit(7)";
        let mut command = clean_command("/usr/bin/python3");
        command.args(["-c", program]).env("WORD", "kept");
        let ended = run(&mut trace.of(&command)).exited_with(7);
        assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), ("kept\n", ""));
        let calls = trace.calls();
        // What Python asks when it takes up or closes one is left out.
        let calls: Vec<_> = calls.into_iter().filter(|call| !call.name.starts_with("get")).collect();
        assert_eq!(names(&calls), ["socket", "connect"]);
        assert!(
            calls[1].rest.contains("sin_port=htons(1), sin_addr=inet_addr(\"127.0.0.1\")"),
            "{}",
            calls[1]
        );
        assert!(calls[1].descriptor().unwrap().contains("<TCP:["), "{}", calls[1]);
        assert_eq!(calls[0].descriptor(), None, "{}", calls[0]);
    }

    #[test]
    fn a_program_without_sockets_has_no_calls() {
        let trace = SocketTrace::new();
        trace.run("true", &[]).succeeded();
        assert_eq!(trace.calls(), []);
    }

    #[test]
    fn an_interrupted_call_is_one() {
        let text = "1  accept4(3<TCP:[127.0.0.1:1]>, <unfinished ...>\n\
                    2  socket(AF_INET, SOCK_DGRAM, IPPROTO_IP <unfinished ...>\n\
                    1  <... accept4 resumed>0x1, [128], 0) = -1 EAGAIN (x)\n";
        let calls = read(&format!("{text}1  +++ exited with 0 +++\n2  +++ killed by SIGKILL +++\n"));
        assert_eq!(names(&calls), ["accept4", "socket"]);
        assert_eq!(calls[0].descriptor(), Some("3<TCP:[127.0.0.1:1]>"));
        assert!(calls[0].rest.ends_with("EAGAIN (x)"), "{}", calls[0]);
    }
}
