//! The commands, as they are written on the command line.

mod account;
mod assembly;
mod audit;
mod boot;
mod ca;
mod certificate;
mod cold_start;
mod eab;
mod init;
mod license;
mod names;
mod office;
mod order;
mod outbound;
mod serve;
mod validate;
mod visit;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use chancery_license::Plan;
use clap::{Args, Parser, Subcommand, ValueEnum};

use license::LicenseCommand;

/// An ACME certificate authority for private and air-gapped networks.
#[derive(Debug, Parser)]
#[command(name = "chancery", version, max_term_width = 100, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write a commented configuration file and create the certificate authority.
    Init(InitArgs),
    /// Check a configuration file; says everything that is wrong with it, with line and column.
    Validate(ConfigArgs),
    /// Serve ACME until SIGTERM or SIGINT.
    Serve(ServeArgs),
    /// Install and look at licences.
    #[command(subcommand)]
    License(LicenseCommand),
    /// Run without a licence for a while.
    #[command(subcommand)]
    ColdStart(cold_start::ColdStartCommand),
    /// Make and hand out keys for external account bindings (RFC 8555 §7.3.4).
    #[command(subcommand)]
    Eab(eab::EabCommand),
    /// Look at ACME accounts, and revoke them.
    #[command(subcommand)]
    Account(account::AccountCommand),
    /// Look at orders, and approve or reject those that wait for it.
    #[command(subcommand)]
    Order(order::OrderCommand),
    /// Verify the audit log, search it, and hand it to an auditor.
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// Look through the issued certificates, and revoke them.
    #[command(subcommand)]
    Certificate(certificate::CertificateCommand),
    /// List every destination that the configuration may lead to, and why. Contacts none of them.
    Outbound(OutboundArgs),
    /// Look at the certificate authority.
    #[command(subcommand)]
    Ca(CaCommand),
}

#[derive(Debug, Args)]
struct ConfigArgs {
    /// The configuration file.
    #[arg(short = 'f', long = "config", value_name = "CONFIG", default_value = "chancery.yml")]
    config: PathBuf,
}

#[derive(Debug, Args)]
struct OutboundArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct InitArgs {
    /// Ask nothing: take the defaults for all that is not given.
    #[arg(long)]
    defaults: bool,
    /// The directory in which the server keeps its files [default: ./chancery].
    #[arg(long, value_name = "DIR")]
    workdir: Option<PathBuf>,
    /// The origin that clients use [default: https://localhost:14000].
    #[arg(long)]
    url: Option<String>,
    /// Where the server listens [default: the port of the URL, on loopback for localhost, else on
    /// every address].
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    /// Set up for names under .localhost, which are this machine: http-01 on port 5002, loopback allowed.
    #[arg(long)]
    demo: bool,
    /// The configuration file to write; an existing one is left alone.
    #[arg(short = 'o', long = "output", value_name = "CONFIG", default_value = "chancery.yml")]
    output: PathBuf,
}

#[derive(Debug, Args)]
struct ServeArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// The least urgent events to log, on standard error.
    #[arg(long, value_enum, default_value_t = LogLevel::Info)]
    log: LogLevel,
    /// Log JSON objects instead of lines of text.
    #[arg(long)]
    log_json: bool,
    /// Replaced by `chancery cold-start init`; refused with that command.
    #[arg(long, hide = true)]
    grace: bool,
    /// Went with `--grace`, and is refused with it.
    #[arg(long, value_name = "PLAN", hide = true)]
    cold_start_plan: Option<Plan>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum LogLevel {
    Error,
    Warn,
    Info,
    Debug,
}

#[derive(Debug, Subcommand)]
enum CaCommand {
    /// Print the root certificate, which clients have to trust, in PEM.
    Root(ConfigArgs),
}

/// The exit code of a start that the licensing rules refuse.
const EXIT_REFUSED: u8 = 3;

/// Runs the command of the command line.
///
/// # Errors
/// What kept the command from doing its work; exit code 1.
pub(crate) fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    match cli.command {
        Command::Init(args) => init::run(args),
        Command::Validate(args) => validate::run(&args.config),
        Command::Serve(args) => {
            cold_start::refuse_replaced_flags(&args)?;
            serve::run(&args)
        }
        Command::ColdStart(command) => cold_start::run(&command),
        Command::License(command) => license::run(command),
        Command::Eab(command) => eab::run(command),
        Command::Order(command) => order::run(command),
        Command::Account(command) => account::run(command),
        Command::Audit(command) => command.run(),
        Command::Outbound(args) => outbound::run(&args.config.config, args.json),
        Command::Certificate(command) => certificate::run(command),
        Command::Ca(CaCommand::Root(args)) => ca::root(&args.config),
    }
}
