//! `chancery-portal revocations`: the lists that the portal signs.

use chancery_license::Environment;
use clap::Subcommand;

use super::PRODUCT;
use super::desk::{CommonArgs, Told, actor};
use crate::api::published::RevocationListObject;
use crate::service::revocations;

#[derive(Debug, Subcommand)]
pub(super) enum RevocationsCommand {
    /// Show the newest list.
    Show {
        /// Its environment: prod, dev, staging or uat.
        #[arg(long)]
        env: Environment,
        /// The product's slug.
        #[arg(long, default_value = PRODUCT)]
        product: String,
        #[command(flatten)]
        common: CommonArgs,
    },
    /// Sign the next list now. The portal does so by itself at each revocation, and in time.
    Issue {
        /// Its environment: prod, dev, staging or uat.
        #[arg(long)]
        env: Environment,
        /// The product's slug.
        #[arg(long, default_value = PRODUCT)]
        product: String,
        #[command(flatten)]
        common: CommonArgs,
    },
}

/// Runs a command.
///
/// # Errors
/// What was wrong and what to do about it.
pub(super) fn run(command: RevocationsCommand) -> anyhow::Result<()> {
    match command {
        RevocationsCommand::Show { env, product, common } => common.visit(async |desk| {
            let (env, list) = revocations::newest(&desk.office, &actor(), &product, Some(env)).await?;
            let json = serde_json::to_value(RevocationListObject::new(env, &list))?;
            Ok(Told { text: list.body, json })
        }),
        RevocationsCommand::Issue { env, product, common } => common.visit(async |desk| {
            let (env, list) = revocations::issue(&desk.office, &actor(), &product, Some(env)).await?;
            let text = format!(
                "Signed revocation list {}: {} entries, next update {}.",
                list.sequence, list.entries, list.next_update
            );
            Ok(Told { text, json: serde_json::to_value(RevocationListObject::new(env, &list))? })
        }),
    }
}
