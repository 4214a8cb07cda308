//! How commands print.

use std::io::{self, Write};

use serde_json::Value;

/// Prints what a command did: the object with `--json`, else the text. That nobody reads it is no error.
///
/// # Errors
/// When standard output cannot be written to for another reason than a closed pipe.
pub(super) fn tell(json: bool, object: &Value, text: &str) -> io::Result<()> {
    let object = object.to_string();
    let text = if json { &object } else { text.trim_end() };
    let mut stdout = io::stdout().lock();
    match writeln!(stdout, "{text}").and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}
