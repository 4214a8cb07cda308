//! `chancery-portal installation`: installations of products of kind chancery.

use chancery_cli::{Lines, table};
use chancery_license::InstallationKey;
use clap::Subcommand;
use serde_json::json;

use super::desk::{CommonArgs, Desk, Told, actor};
use crate::api::installation::InstallationObject;
use crate::service::installations;
use crate::store::installations::Installation;
use crate::store::{MAX_PAGE, Page};

#[derive(Debug, Subcommand)]
pub(super) enum InstallationCommand {
    /// List the installations of a product, newest first.
    List {
        /// The product's slug.
        #[arg(long, default_value = "chancery")]
        product: String,
        /// Those that are linked to this licence.
        #[arg(long, value_name = "ID")]
        license: Option<String>,
        /// The id of the last entry that is known already.
        #[arg(long, value_name = "ID")]
        after: Option<String>,
        #[command(flatten)]
        common: CommonArgs,
    },
    /// Show an installation.
    Show {
        /// INST-…
        key: InstallationKey,
        #[command(flatten)]
        common: CommonArgs,
    },
    /// Link an installation to a licence: its next call delivers the licence.
    Link {
        /// INST-…, as `chancery license status` shows it.
        key: InstallationKey,
        /// The id of the licence.
        #[arg(long, value_name = "ID")]
        license: String,
        /// What to call the machine.
        #[arg(long)]
        name: Option<String>,
        #[command(flatten)]
        common: CommonArgs,
    },
    /// Unlink an installation: its seat is free, and the documents that it was sent are revoked.
    Unlink {
        /// INST-…
        key: InstallationKey,
        #[command(flatten)]
        common: CommonArgs,
    },
    /// Retire an installation: as `unlink`, and it cannot register again by itself.
    Retire {
        /// INST-…
        key: InstallationKey,
        #[command(flatten)]
        common: CommonArgs,
    },
    /// Forget the key pair of an installation that was set up anew: its next call pins another.
    Unpin {
        /// INST-…
        key: InstallationKey,
        #[command(flatten)]
        common: CommonArgs,
    },
}

/// Runs a command.
///
/// # Errors
/// What was wrong and what to do about it; nothing was changed then.
pub(super) fn run(command: InstallationCommand) -> anyhow::Result<()> {
    use InstallationCommand as Command;
    match command {
        Command::List { product, license, after, common } => common.visit(async |desk| {
            let page = Page { limit: MAX_PAGE, after };
            list(desk, &product, license, page).await
        }),
        Command::Show { key, common } => {
            common.visit(async |desk| told("", &installations::show(&desk.office, &actor(), &key).await?))
        }
        Command::Link { key, license, name, common } => common.visit(async |desk| {
            let linked = installations::link(&desk.office, &actor(), &key, &license, name).await?;
            told("Linked; the next call of the installation delivers the licence.\n", &linked)
        }),
        Command::Unlink { key, common } => common.visit(async |desk| {
            told("Unlinked.\n", &installations::unlink(&desk.office, &actor(), &key).await?)
        }),
        Command::Retire { key, common } => common.visit(async |desk| {
            told("Retired.\n", &installations::retire(&desk.office, &actor(), &key).await?)
        }),
        Command::Unpin { key, common } => common.visit(async |desk| {
            told(
                "Its next call pins another key pair.\n",
                &installations::unpin(&desk.office, &actor(), &key).await?,
            )
        }),
    }
}

async fn list(desk: &Desk, product: &str, license: Option<String>, page: Page) -> anyhow::Result<Told> {
    let (found, next) = installations::list(&desk.office, &actor(), product, license, page).await?;
    let or_dash = |text: Option<&String>| text.map_or("-", String::as_str).to_owned();
    let rows: Vec<[String; 6]> = found
        .iter()
        .map(|row| {
            [
                row.installation_key.clone(),
                row.status().to_owned(),
                row.environment.to_string(),
                or_dash(row.license_id.as_ref()),
                row.last_seen_at.map_or_else(|| "never".to_owned(), |seen| seen.to_minutes()),
                or_dash(row.name.as_ref()),
            ]
        })
        .collect();
    let mut text = match rows.as_slice() {
        [] => "There are no installations: one is listed once it was linked or has registered.\n".to_owned(),
        rows => table(["INSTALLATION", "STATE", "ENVIRONMENT", "LICENCE", "LAST SEEN", "NAME"], rows),
    };
    if let Some(next) = &next {
        text.push_str(&format!("There are more: give --after {next}\n"));
    }
    let listed: Vec<InstallationObject> = found.iter().map(Into::into).collect();
    Ok(Told { text, json: json!({ "installations": listed, "next": next }) })
}

fn told(what: &str, row: &Installation) -> anyhow::Result<Told> {
    let mut lines = Lines::default();
    lines.add("Installation", &row.installation_key);
    lines.add("State", row.status());
    lines.add("Environment", row.environment);
    if let Some(name) = &row.name {
        lines.add("Name", name);
    }
    if let Some(license) = &row.license_id {
        lines.add("Licence", license);
    }
    lines.add("Last seen", row.last_seen_at.map_or_else(|| "never".to_owned(), |seen| seen.to_string()));
    if let Some(metrics) = row.metrics {
        lines.add(
            "Counts",
            format_args!(
                "{} authorities, {} managed servers, {} active certificates on {}; version {}",
                metrics.authorities,
                metrics.managed_servers,
                metrics.active_certificates,
                metrics.database,
                metrics.version
            ),
        );
    }
    if let Some(seen) = row.clone_seen_at {
        lines.add("Copied", format_args!("a second copy called at {seen}"));
    }
    Ok(Told { text: format!("{what}{lines}"), json: serde_json::to_value(InstallationObject::from(row))? })
}
