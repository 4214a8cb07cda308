//! A load generator for ACME servers and for the licence portal.
//!
//! `issue` puts a server under load with a number of clients that each order one certificate after
//! the other, the whole way through RFC 8555: order, authorization, http-01, finalization, download.
//! `table` puts the results of several runs side by side. `portal` puts a portal under the load of programs that
//! activate their licence and validate it.

mod client;
mod connection;
mod cpu;
mod csr;
mod jose;
mod load;
mod portal;
mod report;
mod responder;
mod session;
mod table;

use std::io::Write as _;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Parser, Subcommand};

use crate::csr::KeyAlgorithm;

#[derive(Parser)]
#[command(about = "A load generator for ACME servers (RFC 8555) and for the licence portal")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Order certificates with many clients at once and measure.
    Issue(IssueArgs),
    /// Print reports of `issue` as one table.
    Table(TableArgs),
    /// Activate and validate licences with many clients at once and measure.
    Portal(portal::Args),
}

/// What `issue` does.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct IssueArgs {
    /// The directory of the server, `https://…`.
    #[arg(long, value_name = "URL")]
    pub(crate) directory: String,
    /// The root that the server's own certificate chains to, in PEM.
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_file: PathBuf,
    /// How many clients order at the same time, each over one connection.
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=4096))]
    pub(crate) clients: u16,
    /// How many orders are measured.
    #[arg(long, default_value_t = 2_000, conflicts_with = "duration")]
    pub(crate) orders: u64,
    /// For how many seconds orders are begun and measured (`30s` or `30`), instead of a number of orders.
    #[arg(long, value_parser = parse_seconds)]
    pub(crate) duration: Option<Duration>,
    /// How many orders are made before the measurement.
    #[arg(long, default_value_t = 0, value_name = "ORDERS")]
    pub(crate) warm_up: u64,
    /// The key in the certificates.
    #[arg(long, value_enum, default_value_t = KeyAlgorithm::EcdsaP256)]
    pub(crate) key: KeyAlgorithm,
    /// Every order has a name of its own that ends in this: `c3-17.localhost`.
    #[arg(long, default_value = ".localhost", value_name = "SUFFIX", conflicts_with = "name")]
    pub(crate) names_suffix: String,
    /// Every order has this name.
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Where http-01 is answered.
    #[arg(long, default_value = "127.0.0.1", value_name = "ADDRESS")]
    pub(crate) http_listen: IpAddr,
    /// The port at which http-01 is answered.
    #[arg(long, default_value_t = 5002)]
    pub(crate) http_port: u16,
    /// A process of the server; its CPU time and that of its children is reported. May be repeated.
    #[arg(long, value_name = "SERVER_PID")]
    pub(crate) pid: Vec<u32>,
    /// All clients share one account instead of having one each.
    #[arg(long)]
    pub(crate) one_account: bool,
    /// Threads of the generator.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) threads: u16,
    /// Where the report is written as JSON too.
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
}

#[derive(clap::Args)]
struct TableArgs {
    /// A server's name and one of its reports; the first name is what the others are compared with.
    #[arg(required = true, value_name = "NAME=FILE")]
    reports: Vec<String>,
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Issue(args) => issue(&args),
        Command::Table(args) => {
            table::read(&args.reports).and_then(|reports| print(&table::render(&reports)))
        }
        Command::Portal(args) => call_portal(&args),
    };
    let Err(error) = done else { return ExitCode::SUCCESS };
    // Nothing is left to be done where even standard error cannot be written to.
    let _ = writeln!(std::io::stderr(), "error: {error:#}");
    ExitCode::FAILURE
}

fn issue(args: &IssueArgs) -> anyhow::Result<()> {
    let report = runtime(args.threads)?.block_on(load::run(args))?;
    print(&report.to_string())?;
    keep(args.json.as_deref(), &report)?;
    anyhow::ensure!(report.orders > 0, "no order succeeded");
    Ok(())
}

fn call_portal(args: &portal::Args) -> anyhow::Result<()> {
    let measured = runtime(args.threads)?.block_on(portal::run(args))?;
    print(&portal::render(&measured))?;
    keep(args.json.as_deref(), &measured)?;
    anyhow::ensure!(measured.iter().all(|measured| measured.answered > 0), "no request succeeded");
    Ok(())
}

fn runtime(threads: u16) -> anyhow::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads.into())
        .enable_all()
        .build()
        .context("cannot start the threads of the generator")
}

/// Writes what was measured as JSON, where that is wanted.
fn keep(path: Option<&Path>, measured: &impl serde::Serialize) -> anyhow::Result<()> {
    let Some(path) = path else { return Ok(()) };
    let json = serde_json::to_vec_pretty(measured)?;
    std::fs::write(path, json).with_context(|| format!("cannot write {}", path.display()))
}

fn print(text: &str) -> anyhow::Result<()> {
    std::io::stdout().write_all(text.as_bytes()).context("cannot write to the standard output")
}

fn parse_seconds(text: &str) -> Result<Duration, String> {
    let seconds: u64 = text
        .strip_suffix('s')
        .unwrap_or(text)
        .parse()
        .map_err(|_| format!("`{text}` is not a number of seconds such as `30s`"))?;
    if seconds == 0 { Err("give at least one second".to_owned()) } else { Ok(Duration::from_secs(seconds)) }
}
