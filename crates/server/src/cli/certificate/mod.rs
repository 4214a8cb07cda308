//! `chancery certificate`.
//!
//! Each command is a file of its own.

mod describe;
mod list;
mod named;
mod revoke;
mod show;

use std::process::ExitCode;

use clap::Subcommand;

use self::named::Named;
use super::visit::{CommonArgs, Told, Visit};
use crate::service::revocation::Reason;

#[derive(Debug, Subcommand)]
pub(super) enum CertificateCommand {
    /// List issued certificates, newest first; without conditions, all of them.
    List {
        #[command(flatten)]
        wanted: list::WantedArgs,
        #[command(flatten)]
        common: CommonArgs,
    },
    /// Show what is known of a certificate, and the certificate itself.
    Show {
        /// Its serial number in hexadecimal, or a PEM file whose first certificate it is.
        #[arg(value_name = "SERIAL|FILE")]
        certificate: Named,
        #[command(flatten)]
        common: CommonArgs,
    },
    /// Revoke a certificate, at once and for good.
    Revoke {
        /// Its serial number in hexadecimal, or a PEM file whose first certificate it is.
        #[arg(value_name = "SERIAL|FILE")]
        certificate: Named,
        /// Why: unspecified, keyCompromise, affiliationChanged, superseded, cessationOfOperation,
        /// privilegeWithdrawn or aACompromise, or the number that RFC 5280 gives it.
        #[arg(long)]
        reason: Option<Reason>,
        #[command(flatten)]
        common: CommonArgs,
    },
}

/// Runs a command.
///
/// # Errors
/// What was wrong and what to do about it; nothing was changed then.
pub(super) fn run(command: CertificateCommand) -> anyhow::Result<ExitCode> {
    use CertificateCommand as Command;
    match command {
        Command::List { wanted, common } => common.visit(async |on| list::run(on, wanted).await)?,
        Command::Show { certificate, common } => common.visit(async |on| show::run(on, certificate).await)?,
        Command::Revoke { certificate, reason, common } => {
            common.visit(async |on| revoke::run(on, certificate, reason).await)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
