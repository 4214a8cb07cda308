//! `chancery-portal signing-key`: the keys that the portal signs with.

use std::path::PathBuf;

use chancery_cli::{Lines, table};
use chancery_license::Environment;
use clap::Subcommand;
use serde_json::json;

use super::desk::{CommonArgs, Desk, Told, actor};
use super::{PRODUCT, files};
use crate::api::signing_key::ManagedKeyObject;
use crate::service::signing;
use crate::store::signing_keys::KnownKey;

#[derive(Debug, Subcommand)]
pub(super) enum SigningKeyCommand {
    /// Make a key. Its private half never leaves the portal.
    Create {
        /// The environment that it shall sign for: prod, dev, staging or uat.
        #[arg(long)]
        env: Environment,
        /// The product's slug.
        #[arg(long, default_value = PRODUCT)]
        product: String,
        /// Let it sign at once.
        #[arg(long)]
        activate: bool,
        #[command(flatten)]
        common: CommonArgs,
    },
    /// Take a private key that was made elsewhere.
    Import {
        /// The key: Ed25519, PKCS#8 in PEM, as `keys generate` makes it.
        #[arg(value_name = "FILE")]
        key: PathBuf,
        /// The environment that it shall sign for: prod, dev, staging or uat.
        #[arg(long)]
        env: Environment,
        /// The product's slug.
        #[arg(long, default_value = PRODUCT)]
        product: String,
        /// Let it sign at once.
        #[arg(long)]
        activate: bool,
        #[command(flatten)]
        common: CommonArgs,
    },
    /// List the keys of a product, newest first.
    List {
        /// Those of one environment.
        #[arg(long)]
        env: Option<Environment>,
        /// The product's slug.
        #[arg(long, default_value = PRODUCT)]
        product: String,
        #[command(flatten)]
        common: CommonArgs,
    },
    /// Let a key sign from now on. The one before goes on verifying what it signed.
    Activate {
        /// The key's id.
        #[arg(value_name = "KEY-ID")]
        kid: String,
        /// The product's slug.
        #[arg(long, default_value = PRODUCT)]
        product: String,
        #[command(flatten)]
        common: CommonArgs,
    },
    /// Withdraw a key that came into the wrong hands: its private half is destroyed, and it verifies nothing.
    Withdraw {
        /// The key's id.
        #[arg(value_name = "KEY-ID")]
        kid: String,
        /// Why, for the issuance log.
        #[arg(long)]
        reason: Option<String>,
        /// The product's slug.
        #[arg(long, default_value = PRODUCT)]
        product: String,
        #[command(flatten)]
        common: CommonArgs,
    },
    /// Give the public half of a key, for those who shall trust it.
    Export {
        /// The key's id.
        #[arg(value_name = "KEY-ID")]
        kid: String,
        /// The file to write it to; an existing one is left alone [default: print it].
        #[arg(short = 'o', long = "output", value_name = "FILE")]
        output: Option<PathBuf>,
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
pub(super) fn run(command: SigningKeyCommand) -> anyhow::Result<()> {
    use SigningKeyCommand as Command;
    match command {
        Command::Create { env, product, activate, common } => common.visit(async |desk| {
            let made = signing::create(&desk.office, &actor(), &product, Some(env)).await?;
            added(desk, &product, made, activate).await
        }),
        Command::Import { key, env, product, activate, common } => {
            let key = files::signing_key(&key, "FILE")?;
            common.visit(async |desk| {
                let taken = signing::import(&desk.office, &actor(), &product, Some(env), &key).await?;
                added(desk, &product, taken, activate).await
            })
        }
        Command::List { env, product, common } => common.visit(async |desk| {
            let keys = signing::list(&desk.office, &actor(), &product, env).await?;
            Ok(listed(&keys))
        }),
        Command::Activate { kid, product, common } => common.visit(async |desk| {
            let key = signing::activate(&desk.office, &actor(), &product, &kid).await?;
            told("It signs from now on.", &key)
        }),
        Command::Withdraw { kid, reason, product, common } => common.visit(async |desk| {
            let key = signing::withdraw(&desk.office, &actor(), &product, &kid, reason).await?;
            told("Withdrawn: its private half is destroyed. Where a root is offline, leave it out of the next manifest.", &key)
        }),
        Command::Export { kid, output, product, common } => common.visit(async |desk| {
            let key = signing::find(&desk.office, &actor(), &product, &kid).await?;
            let pem = key.public_key.to_pem();
            let text = match &output {
                None => pem,
                Some(path) => {
                    files::create_public(path, &pem)?;
                    format!("Wrote the public key {kid} to {}.", path.display())
                }
            };
            let mut json = serde_json::to_value(ManagedKeyObject::from(&key))?;
            if let Some(object) = json.as_object_mut() {
                object.insert("path".to_owned(), json!(output));
            }
            Ok(Told { text, json })
        }),
    }
}

async fn added(desk: &Desk, product: &str, key: KnownKey, activate: bool) -> anyhow::Result<Told> {
    if activate {
        let key = signing::activate(&desk.office, &actor(), product, &key.kid).await?;
        return told("It signs from now on.", &key);
    }
    let next = format!(
        "It signs once it is activated: chancery-portal signing-key activate {} --product {product}",
        key.kid
    );
    told(&next, &key)
}

fn listed(keys: &[KnownKey]) -> Told {
    let rows: Vec<[String; 4]> = keys
        .iter()
        .map(|key| {
            [
                key.kid.clone(),
                key.environment.to_string(),
                key.status.name().to_owned(),
                key.created_at.to_minutes(),
            ]
        })
        .collect();
    let text = match rows.as_slice() {
        [] => "There are no signing keys: `chancery-portal signing-key create` makes one.".to_owned(),
        rows => table(["KEY ID", "ENVIRONMENT", "STATE", "MADE"], rows),
    };
    let objects: Vec<ManagedKeyObject> = keys.iter().map(Into::into).collect();
    Told { text, json: json!({ "signing_keys": objects }) }
}

fn told(what: &str, key: &KnownKey) -> anyhow::Result<Told> {
    let mut lines = Lines::default();
    lines.add("Key id", &key.kid);
    lines.add("Environment", key.environment);
    lines.add("State", key.status.name());
    lines.add("Made", key.created_at);
    Ok(Told { text: format!("{lines}\n{what}"), json: serde_json::to_value(ManagedKeyObject::from(key))? })
}
