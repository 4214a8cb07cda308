//! `chancery-portal keys generate`.

use chancery_cli::tell;
use chancery_license::{Environment, Method, SigningKey};
use clap::{Args, ValueEnum};
use serde_json::json;

use super::{OutputArgs, PRODUCT, files};

#[derive(Debug, Args)]
pub(super) struct GenerateArgs {
    /// The environment that the key shall sign for: prod, dev, staging or uat. Use it for no other.
    #[arg(long)]
    env: Environment,
    /// The product that the key shall sign for.
    #[arg(long, default_value = PRODUCT)]
    product: String,
    /// What kind of key.
    #[arg(long = "type", value_enum, default_value_t = KeyType::Ed25519)]
    kind: KeyType,
    #[command(flatten)]
    output: OutputArgs,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum KeyType {
    /// Signs everything, licence JWTs with EdDSA.
    Ed25519,
    /// Signs licence JWTs alone, with RS256; 3072 bits.
    Rsa,
}

impl KeyType {
    pub(super) const fn of(method: Method) -> Option<Self> {
        match method {
            Method::Ed25519 => Some(Self::Ed25519),
            Method::RsaPkcs1Sha256 => Some(Self::Rsa),
            _ => None,
        }
    }

    const fn method(self) -> Method {
        match self {
            Self::Ed25519 => Method::Ed25519,
            Self::Rsa => Method::RsaPkcs1Sha256,
        }
    }

    /// As the flag and file names write it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Ed25519 => "ed25519",
            Self::Rsa => "rsa",
        }
    }
}

pub(super) fn run(args: &GenerateArgs) -> anyhow::Result<()> {
    let GenerateArgs { env, product, kind, output } = args;
    let key = SigningKey::generate(kind.method())?;
    files::create_private(&output.output, &key.to_pem()?)?;
    let (id, path) = (key.public().id(), output.output.display());
    let object = json!({
        "path": path.to_string(),
        "key_id": id.to_string(),
        "type": kind.name(),
        "product": product,
        "environment": env,
    });
    let text = format!(
        "Wrote {path}, which only you can read. Whoever has it signs for {product} in {env}: keep it safe.\n  \
         Key id: {id}\n  \
         Type  : {kind}\n\
         Next:\n  \
         chancery-portal keys export --key {path} --trust-dir TRUST --env {env}",
        kind = kind.name(),
    );
    Ok(tell(output.json, &object, &text)?)
}
