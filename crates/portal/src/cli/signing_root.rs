//! `chancery-portal signing-root` and `chancery-portal manifest`: what an offline root has to do with the portal.

use std::path::PathBuf;

use chancery_cli::Lines;
use chancery_license::{Environment, Kind};
use clap::Subcommand;

use super::desk::{CommonArgs, Told, actor};
use super::{PRODUCT, files};
use crate::api::published::{KeyManifestObject, SigningRootObject};
use crate::service::manifests::{self, RootSet};
use crate::store::manifests::Manifest;

#[derive(Debug, Subcommand)]
pub(super) enum SigningRootCommand {
    /// Make the offline root of a product known, whose private half lies elsewhere.
    ///
    /// Without one, the key that signs is its own root.
    Set {
        /// The public half of the root: Ed25519, in PEM, as `keys export` writes it.
        #[arg(value_name = "FILE")]
        key: PathBuf,
        /// The environment that it is the root of: prod, dev, staging or uat.
        #[arg(long)]
        env: Environment,
        /// The product's slug.
        #[arg(long, default_value = PRODUCT)]
        product: String,
        /// Put it in the place of another one, and forget the manifests that it does not stand by.
        #[arg(long)]
        force: bool,
        #[command(flatten)]
        common: CommonArgs,
    },
    /// Show the offline root of a product.
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
}

#[derive(Debug, Subcommand)]
pub(super) enum ManifestCommand {
    /// Take a key manifest that the offline root signed (keys manifest).
    Take {
        /// The manifest in its armour.
        #[arg(value_name = "FILE")]
        manifest: PathBuf,
        /// Its environment: prod, dev, staging or uat.
        #[arg(long)]
        env: Environment,
        /// The product's slug.
        #[arg(long, default_value = PRODUCT)]
        product: String,
        #[command(flatten)]
        common: CommonArgs,
    },
    /// Show the newest key manifest.
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
}

/// Runs a command about the root.
///
/// # Errors
/// What was wrong and what to do about it; nothing was changed then.
pub(super) fn run_root(command: SigningRootCommand) -> anyhow::Result<()> {
    match command {
        SigningRootCommand::Set { key, env, product, force, common } => {
            let key = files::public_key(&key, "FILE")?;
            common.visit(async |desk| {
                let set =
                    manifests::set_root(&desk.office, &actor(), &product, Some(env), &key, force).await?;
                root(&set)
            })
        }
        SigningRootCommand::Show { env, product, common } => common
            .visit(async |desk| root(&manifests::root(&desk.office, &actor(), &product, Some(env)).await?)),
    }
}

/// Runs a command about manifests.
///
/// # Errors
/// As [`run_root`].
pub(super) fn run_manifest(command: ManifestCommand) -> anyhow::Result<()> {
    match command {
        ManifestCommand::Take { manifest, env, product, common } => {
            let text = files::document(&manifest, Kind::Keys, "FILE")?;
            common.visit(async |desk| {
                let (env, taken) =
                    manifests::take(&desk.office, &actor(), &product, Some(env), &text).await?;
                Ok(Told { text: format!("Took the key manifest {}.", taken.sequence), ..shown(env, &taken)? })
            })
        }
        ManifestCommand::Show { env, product, common } => common.visit(async |desk| {
            let (env, newest) = manifests::newest(&desk.office, &actor(), &product, Some(env)).await?;
            shown(env, &newest)
        }),
    }
}

fn root(set: &RootSet) -> anyhow::Result<Told> {
    let mut lines = Lines::default();
    lines.add("Root", set.root.public_key.id());
    lines.add("Environment", set.environment);
    lines.add("Set", set.root.set_at);
    if set.forgotten > 0 {
        lines.add("Forgotten", format_args!("{} manifests that it does not stand by", set.forgotten));
    }
    Ok(Told { text: lines.to_string(), json: serde_json::to_value(SigningRootObject::from(set))? })
}

fn shown(environment: Environment, manifest: &Manifest) -> anyhow::Result<Told> {
    let json = serde_json::to_value(KeyManifestObject::new(environment, manifest))?;
    Ok(Told { text: manifest.body.clone(), json })
}
