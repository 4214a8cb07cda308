//! How commands print.

use std::io::{self, Write};

/// Prints text on standard output, with a newline behind it. That nobody reads it is no error.
///
/// # Errors
/// When standard output cannot be written to for another reason than a closed pipe.
pub(super) fn print(text: &str) -> io::Result<()> {
    write(&mut io::stdout().lock(), text)
}

/// Prints text on standard error, with a newline behind it.
///
/// # Errors
/// As [`print`].
pub(super) fn print_error(text: &str) -> io::Result<()> {
    write(&mut io::stderr().lock(), text)
}

fn write(stream: &mut impl Write, text: &str) -> io::Result<()> {
    let text = text.strip_suffix('\n').unwrap_or(text);
    match writeln!(stream, "{text}").and_then(|()| stream.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}
