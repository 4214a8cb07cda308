//! An ACME (RFC 8555) certificate authority for private, hardened and air-gapped networks.
//!
//! | room | what it holds |
//! |---|---|
//! | [`cli`] | the commands |
//! | [`config`] | the configuration file, strictly read |
//! | [`audit`] | what is told to the audit log |
//! | [`licensing`] | whether the server may run, and whether an order may be made |
//! | [`policy`] | which profile serves an order |
//! | [`http`] | the resources of RFC 8555, one file each |
//! | [`service`] | what the server does for its clients, without HTTP |
//! | [`jobs`] | what it owes them and does in the background |
//! | [`store`] | its tables |
//! | [`tls`] | its certificate for itself |

mod app;
mod audit;
mod cli;
mod config;
mod hex;
mod http;
mod jobs;
mod licensing;
mod policy;
mod random;
mod service;
mod store;
mod tls;

use std::process::ExitCode;

use chancery_cli::finish;
use clap::Parser as _;

fn main() -> ExitCode {
    finish(cli::run(cli::Cli::parse()))
}
