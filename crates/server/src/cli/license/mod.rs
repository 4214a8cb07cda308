//! `chancery license`.
//!
//! Each command is a file of its own.

mod acknowledge;
mod call_home;
mod describe;
mod explain;
mod force_grace;
mod history;
mod inspect;
mod install;
mod license_key;
mod outlook;
mod refresh;
mod register;
mod status;
mod uninstall;

use std::path::PathBuf;
use std::process::ExitCode;

use chancery_license::{Environment, InstallationKey, Plan, Usage};
use chancery_time::Timestamp;
use clap::Subcommand;

use super::visit::{CommonArgs, Told, Visit};
use license_key::LicenseKeyArgs;

#[derive(Debug, Subcommand)]
pub(super) enum LicenseCommand {
    /// Take in a licence (.lic, .jwt or a machine file), a revocation list or a key manifest.
    Install {
        /// The document, recognised by its content.
        file: PathBuf,
        /// Take in a licence that does not fit the configuration or what is in use, too.
        #[arg(long)]
        force: bool,
        #[command(flatten)]
        license_key: LicenseKeyArgs,
        #[command(flatten)]
        common: CommonArgs,
    },
    /// Register this installation with the vendor's portal, which sends its licence.
    Register {
        /// The environment that the licence is for: prod, dev, staging or uat.
        #[arg(long, value_name = "ENV")]
        env: Environment,
        /// The name by which the portal shows this machine; it is kept for later questions.
        #[arg(long)]
        name: Option<String>,
        /// The licence key, CRT-…; `-` reads it from standard input, so that no list of processes shows it.
        #[arg(required_unless_present = "key_file")]
        key: Option<register::TypedKey>,
        /// Read the licence key from a file.
        #[arg(long, value_name = "FILE", conflicts_with = "key")]
        key_file: Option<PathBuf>,
        #[command(flatten)]
        common: CommonArgs,
    },
    /// Ask the vendor's portal now whether there is anything new.
    Refresh {
        #[command(flatten)]
        common: CommonArgs,
    },
    /// Show the state of the licence, and its limits beside what is in use.
    Status {
        #[command(flatten)]
        common: CommonArgs,
    },
    /// Tell whether the server would start, and which orders it would refuse.
    Explain {
        /// Tell it as if this document were installed; nothing is written.
        file: Option<PathBuf>,
        /// Tell it as if a licence of this plan were installed: free, starter, pro or enterprise.
        #[arg(long, conflicts_with = "file")]
        plan: Option<Plan>,
        #[command(flatten)]
        license_key: LicenseKeyArgs,
        #[command(flatten)]
        common: CommonArgs,
    },
    /// Verify a document and show what it says. Needs no configuration.
    Inspect {
        /// The document, recognised by its content.
        file: PathBuf,
        /// Open a machine file too, which is for the installation of this key; otherwise it is only told who signed it.
        #[arg(long, value_name = "INST-KEY")]
        fingerprint: Option<InstallationKey>,
        #[command(flatten)]
        license_key: LicenseKeyArgs,
        /// Print a JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Acknowledge that the configuration or its use goes beyond the licence, so that the server starts.
    AcknowledgeDegraded {
        #[command(flatten)]
        common: CommonArgs,
    },
    /// Open the emergency grace of a licence whose own grace is over; without --confirm, tell what it would do.
    ForceGrace {
        /// Open it.
        #[arg(long)]
        confirm: bool,
        #[command(flatten)]
        common: CommonArgs,
    },
    /// Remove every licence.
    Uninstall {
        /// Remove them; without it, the command is refused and says what it would do.
        #[arg(long)]
        confirm: bool,
        #[command(flatten)]
        common: CommonArgs,
    },
    /// Show what was done about licences, newest first.
    History {
        /// How many entries to show.
        #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
        limit: u32,
        #[command(flatten)]
        common: CommonArgs,
    },
}

/// Runs a command.
///
/// # Errors
/// What was wrong and what to do about it; nothing was changed then.
pub(super) fn run(command: LicenseCommand) -> anyhow::Result<ExitCode> {
    use LicenseCommand as Command;
    match command {
        Command::Inspect { file, fingerprint, license_key, json } => {
            inspect::run(&file, fingerprint, &license_key)?.print(json)?;
        }
        Command::Install { file, force, license_key, common } => {
            let brought = license_key.read(&file)?;
            common.visit(async |on| install::run(on, &file, brought, force).await)?;
        }
        Command::Register { env, name, key, key_file, common } => {
            let asked = register::Asked::new(env, name, key, key_file.as_deref())?;
            common.visit(async |on| register::run(on, asked).await)?;
        }
        Command::Refresh { common } => common.visit(refresh::run)?,
        Command::Status { common } => common.visit(status::run)?,
        Command::Explain { file, plan, license_key, common } => {
            let question = explain::Question::new(file, plan, &license_key)?;
            common.visit(async |on| explain::run(on, question).await)?;
        }
        Command::AcknowledgeDegraded { common } => common.visit(acknowledge::run)?,
        Command::ForceGrace { confirm, common } => {
            common.visit(async |on| force_grace::run(on, confirm).await)?;
        }
        Command::Uninstall { confirm, common } => {
            common.visit(async |on| uninstall::run(on, confirm).await)?;
        }
        Command::History { limit, common } => common.visit(async |on| history::run(on, limit).await)?,
    }
    Ok(ExitCode::SUCCESS)
}

impl Visit {
    /// What is in use.
    async fn usage(&self) -> Result<Usage, chancery_db::Error> {
        let (office, now) = (self.office.clone(), self.now);
        self.office.db.read(move |tx| office.usage(tx, now)).await
    }

    /// The configuration file, as the operator named it.
    fn config_file(&self) -> String {
        self.config.file.display().to_string()
    }
}

/// `2026-05-10 14:05:22 UTC`: an instant of which the second matters.
pub(super) fn to_seconds(instant: Timestamp) -> String {
    instant.to_string().replace('T', " ").replace('Z', " UTC")
}

/// `[a b]`
fn bracketed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    format!("[{}]", names.into_iter().collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_and_lists_are_shown_as_people_read_them() {
        assert_eq!(to_seconds(Timestamp::from_unix_seconds(1_778_421_922)), "2026-05-10 14:05:22 UTC");
        assert_eq!(bracketed(["a", "b"]), "[a b]");
        assert_eq!(bracketed([]), "[]");
    }
}
