//! How commands print.

use std::io::{self, Write};
use std::process::ExitCode;

use serde_json::Value;

/// Prints text on standard output, with a newline behind it. That nobody reads it is no error.
///
/// # Errors
/// When standard output cannot be written to for another reason than a closed pipe.
pub fn print(text: &str) -> io::Result<()> {
    write(&mut io::stdout().lock(), text)
}

/// Prints text on standard error, with a newline behind it.
///
/// # Errors
/// As [`print`].
pub fn print_error(text: &str) -> io::Result<()> {
    write(&mut io::stderr().lock(), text)
}

/// Prints what a command did: the object with `--json`, else the text.
///
/// # Errors
/// As [`print`].
pub fn tell(json: bool, object: &Value, text: &str) -> io::Result<()> {
    if json { print(&object.to_string()) } else { print(text) }
}

/// The exit code of a program: that of its command, or 1 behind the error on standard error.
pub fn finish(outcome: anyhow::Result<ExitCode>) -> ExitCode {
    outcome.unwrap_or_else(|error| {
        // Nothing is left to be done where even standard error cannot be written to.
        let _ = print_error(&format!("error: {}", with_causes(&error)));
        ExitCode::FAILURE
    })
}

/// An error with its causes, each told once: many errors tell their cause themselves.
fn with_causes(error: &anyhow::Error) -> String {
    let mut told = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if told.contains(&cause) {
            continue;
        }
        if !told.is_empty() {
            told.push_str(": ");
        }
        told.push_str(&cause);
    }
    told
}

fn write(stream: &mut impl Write, text: &str) -> io::Result<()> {
    let text = text.strip_suffix('\n').unwrap_or(text);
    match writeln!(stream, "{text}").and_then(|()| stream.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    #[test]
    fn each_cause_is_told_once() {
        let error = anyhow!("no such file").context("cannot open a: no such file").context("keys");
        assert_eq!(with_causes(&error), "keys: cannot open a: no such file");
        assert_eq!(with_causes(&anyhow!("b").context("a")), "a: b");
    }

    #[test]
    fn one_newline_is_behind_the_text() {
        for text in ["a", "a\n"] {
            let mut written = Vec::new();
            write(&mut written, text).unwrap();
            assert_eq!(written, b"a\n", "{text:?}");
        }
    }

    #[test]
    fn a_closed_pipe_is_no_error_and_another_fault_is() {
        struct Broken(io::ErrorKind);
        impl Write for Broken {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(self.0.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        assert!(write(&mut Broken(io::ErrorKind::BrokenPipe), "a").is_ok());
        assert!(write(&mut Broken(io::ErrorKind::StorageFull), "a").is_err());
    }
}
