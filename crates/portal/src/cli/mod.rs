//! The commands, as they are written on the command line.

mod entitlements;
mod export;
mod files;
mod generate;
mod manifest;
mod mint;
mod mint_jwt;
mod output;
mod revoke;
mod values;

use std::path::PathBuf;

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
    /// The keys that the vendor signs with.
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Sign licences.
    #[command(subcommand)]
    License(LicenseCommand),
    /// Sign a revocation list that follows on an existing one, or the first.
    Revoke(revoke::RevokeArgs),
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
enum LicenseCommand {
    /// Sign a licence.
    #[command(subcommand)]
    Mint(MintCommand),
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
pub(crate) fn run(cli: Cli) -> anyhow::Result<()> {
    match cli.command {
        Command::Keys(KeysCommand::Generate(args)) => generate::run(&args),
        Command::Keys(KeysCommand::Export(args)) => export::run(&args),
        Command::Keys(KeysCommand::Manifest(args)) => manifest::run(args),
        Command::License(LicenseCommand::Mint(MintCommand::Lic(args))) => mint::run(*args),
        Command::License(LicenseCommand::Mint(MintCommand::Jwt(args))) => mint_jwt::run(*args),
        Command::Revoke(args) => revoke::run(args),
    }
}
