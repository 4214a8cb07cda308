//! The commands, as they are written on the command line.

mod api_key;
mod certificate;
mod desk;
mod entitlements;
mod export;
mod files;
mod generate;
mod init;
mod installation;
mod license;
mod log;
mod manifest;
mod mint;
mod mint_jwt;
mod org;
mod pages;
mod plan;
mod product;
mod revocations;
mod revoke;
mod seat;
mod serve;
mod signing_key;
mod signing_root;
mod user;
mod values;
mod webhook;

use std::path::PathBuf;
use std::process::ExitCode;

use chancery_license::Environment;
use clap::{Args, Parser, Subcommand};

/// The vendor's side of Chancery's licensing.
#[derive(Debug, Parser)]
#[command(name = "chancery-portal", version, max_term_width = 100, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write a configuration file, and make the master key and the database that it names.
    Init(init::InitArgs),
    /// Run the portal.
    Serve(serve::ServeArgs),
    /// Print the OpenAPI document of the API.
    Openapi,
    /// The keys that callers of the API show.
    #[command(subcommand)]
    ApiKey(api_key::ApiKeyCommand),
    /// Installations of products of kind chancery.
    #[command(subcommand)]
    Installation(installation::InstallationCommand),
    /// Key files, for signing without a portal.
    #[command(subcommand)]
    Keys(KeysCommand),
    /// The licences of the portal, and licence files signed without one.
    #[command(subcommand)]
    License(license::LicenseCommand),
    /// Verify the issuance log, search it, and hand it to an auditor.
    #[command(subcommand)]
    Log(log::LogCommand),
    /// The key manifests of the offline root.
    #[command(subcommand)]
    Manifest(signing_root::ManifestCommand),
    /// The vendor's customers.
    #[command(subcommand)]
    Org(org::OrgCommand),
    /// What licences of a product are made with.
    #[command(subcommand)]
    Plan(Box<plan::PlanCommand>),
    /// What the vendor licenses.
    #[command(subcommand)]
    Product(product::ProductCommand),
    /// The revocation lists that the portal signs.
    #[command(subcommand)]
    Revocations(revocations::RevocationsCommand),
    /// Sign a revocation list that follows on an existing one, or the first.
    Revoke(revoke::RevokeArgs),
    /// The seats of licences.
    #[command(subcommand)]
    Seat(seat::SeatCommand),
    /// The keys that the portal signs with.
    #[command(subcommand)]
    SigningKey(signing_key::SigningKeyCommand),
    /// The offline roots that vouch for the portal's keys.
    #[command(subcommand)]
    SigningRoot(signing_root::SigningRootCommand),
    /// The vendor's people.
    #[command(subcommand)]
    User(user::UserCommand),
    /// Who is told of what happens.
    #[command(subcommand)]
    Webhook(webhook::WebhookCommand),
}

#[derive(Debug, Subcommand)]
enum KeysCommand {
    /// Make a new private key.
    Generate(generate::GenerateArgs),
    /// Give the public key of a private key, for those who shall trust it.
    Export(export::ExportArgs),
    /// Sign a key manifest, in which a root vouches for the keys that sign from day to day.
    Manifest(manifest::ManifestArgs),
}

#[derive(Debug, Subcommand)]
enum MintCommand {
    /// Sign a licence in armour (.lic).
    Lic(Box<mint::MintArgs>),
    /// Sign a licence JWT (license.jwt), for installations that want that form.
    Jwt(Box<mint_jwt::MintJwtArgs>),
}

/// Who signs, and what the document is for.
#[derive(Debug, Args)]
struct IssuerArgs {
    /// The private key to sign with, Ed25519 in PEM.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// The environment that it is for: prod, dev, staging or uat.
    #[arg(long)]
    env: Environment,
    /// The product that it is for.
    #[arg(long, default_value = PRODUCT)]
    product: String,
}

/// Where the result goes and how it is told.
#[derive(Debug, Args)]
struct OutputArgs {
    /// The file to write; an existing one is left alone.
    #[arg(short = 'o', long = "output", value_name = "FILE")]
    output: PathBuf,
    /// Print a JSON object.
    #[arg(long)]
    json: bool,
}

/// The product of the commands that are not told another.
const PRODUCT: &str = "chancery";

/// Runs the command of the command line.
///
/// # Errors
/// What kept the command from doing its work; exit code 1.
pub(crate) fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    match cli.command {
        Command::Serve(args) => return serve::run(&args),
        Command::Init(args) => chancery_cli::runtime()?.block_on(init::run(&args)),
        Command::ApiKey(command) => api_key::run(command),
        Command::Installation(command) => installation::run(command),
        Command::Openapi => Ok(chancery_cli::print(&crate::http::openapi().to_pretty_json()?)?),
        Command::Keys(KeysCommand::Generate(args)) => generate::run(&args),
        Command::Keys(KeysCommand::Export(args)) => export::run(&args),
        Command::Keys(KeysCommand::Manifest(args)) => manifest::run(args),
        Command::License(command) => license::run(command),
        Command::Log(command) => return command.run(),
        Command::Manifest(command) => signing_root::run_manifest(command),
        Command::Org(command) => org::run(command),
        Command::Plan(command) => plan::run(*command),
        Command::Product(command) => product::run(command),
        Command::Revocations(command) => revocations::run(command),
        Command::Revoke(args) => revoke::run(args),
        Command::Seat(command) => seat::run(command),
        Command::SigningKey(command) => signing_key::run(command),
        Command::SigningRoot(command) => signing_root::run_root(command),
        Command::User(command) => user::run(command),
        Command::Webhook(command) => webhook::run(command),
    }
    .map(|()| ExitCode::SUCCESS)
}
