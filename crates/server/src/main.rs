//! An ACME (RFC 8555) certificate authority for private, hardened and air-gapped networks.
//!
//! | room | what it holds |
//! |---|---|
//! | [`cli`] | the commands |
//! | [`config`] | the configuration file, strictly read |
//! | [`audit`] | what is told to the audit log, and how it gets there |
//! | [`licensing`] | whether the server may run, and whether an order may be made |
//! | [`policy`] | which profile serves an order |
//! | [`http`] | the resources of RFC 8555, one file each |
//! | [`service`] | what the server does for its clients, without HTTP |
//! | [`jobs`] | what it owes them and does in the background |
//! | [`store`] | its tables |
//! | [`tls`] | its listener |

mod app;
mod audit;
mod cli;
mod config;
mod hex;
mod http;
mod jobs;
mod licensing;
mod node;
mod policy;
mod random;
mod service;
mod store;
mod tls;

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    match cli::run(cli::Cli::parse()) {
        Ok(code) => code,
        Err(error) => {
            // Nothing is left to be done where even standard error cannot be written to.
            let _ = writeln!(std::io::stderr(), "error: {}", told(&error));
            ExitCode::FAILURE
        }
    }
}

/// An error with its causes, each told once: many errors tell their cause themselves.
fn told(error: &anyhow::Error) -> String {
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

/// The runtime that commands with I/O run in.
///
/// # Errors
/// When the system has no threads left.
fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()
}
