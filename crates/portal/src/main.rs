//! The vendor's side of licensing: signing keys, licences and revocation lists.
//!
//! | room | what it holds |
//! |---|---|
//! | [`cli`] | the commands, those that need no store and those that do |
//! | [`config`] | the strictly read configuration |
//! | [`issue`] | what the vendor signs, as pure rules |
//! | [`domain`] | the vendor's trade, as pure rules |
//! | [`api`] | the objects of the API, as they are written |
//! | [`http`] | the resources, one file each; admission; the OpenAPI document |
//! | [`service`] | what is done for callers, without HTTP |
//! | [`store`] | the tables, one file each; the only place with SQL |
//! | [`jobs`] | what is done in the background |
//! | [`vault`] | secrets at rest |
//! | [`events`] | what the issuance log may hold |

mod api;
mod app;
mod cli;
mod config;
mod digest;
mod domain;
mod events;
mod http;
mod id;
mod issue;
mod jobs;
mod random;
mod service;
mod store;
mod vault;

use std::process::ExitCode;

use chancery_cli::finish;
use clap::Parser as _;

fn main() -> ExitCode {
    finish(cli::run(cli::Cli::parse()))
}
