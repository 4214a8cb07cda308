//! The vendor's side of licensing: signing keys, licences and revocation lists.
//!
//! | room | what it holds |
//! |---|---|
//! | [`cli`] | the commands; the one room that reads files and the clock |
//! | [`issue`] | what the vendor signs, as pure rules |

mod cli;
mod issue;
mod random;

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    match cli::run(cli::Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nothing is left to be done where even standard error cannot be written to.
            let _ = writeln!(std::io::stderr(), "error: {}", with_causes(&error));
            ExitCode::FAILURE
        }
    }
}

/// The error and what caused it, in one line. Many an error tells its cause in its own words already.
fn with_causes(error: &anyhow::Error) -> String {
    let mut text = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !text.contains(&cause) {
            text.push_str(": ");
            text.push_str(&cause);
        }
    }
    text
}
