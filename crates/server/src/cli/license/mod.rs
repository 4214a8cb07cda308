//! `chancery license`.
//!
//! Each command is a file of its own.

mod acknowledge;
mod describe;
mod explain;
mod force_grace;
mod history;
mod inspect;
mod install;
mod outlook;
mod status;
mod uninstall;

use std::path::PathBuf;
use std::process::ExitCode;

use chancery_license::{Plan, Usage};
use chancery_time::Timestamp;
use clap::Subcommand;

use super::lines;
use super::visit::{CommonArgs, Told, Visit};

#[derive(Debug, Subcommand)]
pub(super) enum LicenseCommand {
    /// Take in a licence (.lic or .jwt), a revocation list or a key manifest.
    Install {
        /// The document, recognised by its content.
        file: PathBuf,
        /// Take in a licence that does not fit the configuration or what is in use, too.
        #[arg(long)]
        force: bool,
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
        common: CommonArgs,
    },
    /// Verify a document and show what it says. Needs no configuration.
    Inspect {
        /// The document, recognised by its content.
        file: PathBuf,
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
        Command::Inspect { file, json } => inspect::run(&file)?.print(json)?,
        Command::Install { file, force, common } => {
            common.visit(async |on| install::run(on, &file, force).await)?;
        }
        Command::Status { common } => common.visit(status::run)?,
        Command::Explain { file, plan, common } => {
            let question = explain::Question::new(file, plan);
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
