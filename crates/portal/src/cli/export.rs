//! `chancery-portal keys export`.

use std::path::PathBuf;

use chancery_cli::tell;
use chancery_license::Environment;
use clap::Args;
use serde_json::json;

use super::files;
use super::generate::KeyType;

#[derive(Debug, Args)]
pub(super) struct ExportArgs {
    /// The private key, in PEM.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// The file to write the public key to; an existing one is left alone [default: print it].
    #[arg(short = 'o', long = "output", value_name = "FILE", conflicts_with = "trust_dir")]
    output: Option<PathBuf>,
    /// The folder that a build takes its trust anchors from (CHANCERY_TRUST_DIR): put it there.
    #[arg(long, value_name = "DIR", requires = "env")]
    trust_dir: Option<PathBuf>,
    /// The environment that a build shall trust it for: prod, dev, staging or uat.
    #[arg(long, requires = "trust_dir")]
    env: Option<Environment>,
    /// Print a JSON object.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &ExportArgs) -> anyhow::Result<()> {
    let key = files::signing_key(&args.key, "--key")?;
    let (id, pem) = (key.public().id(), key.public().to_pem());
    let kind = KeyType::of(key.public().method()).map_or("other", KeyType::name);
    let path = match (&args.output, &args.trust_dir, args.env) {
        (Some(path), _, _) => {
            files::create_public(path, &pem)?;
            Some(path.clone())
        }
        // Named by its id, a key gets a file of its own and is there once.
        (None, Some(folder), Some(env)) => {
            let folder = folder.join(env.name());
            Some(files::create_anchor(&folder, &format!("{kind}-{id}.pem"), &pem)?)
        }
        _ => None,
    };
    let object = json!({
        "path": path.as_ref().map(|path| path.display().to_string()),
        "key_id": id.to_string(),
        "type": kind,
        "environment": args.env,
        "public_key": pem,
    });
    let text = match &path {
        None => pem,
        Some(path) => format!("Wrote the public key {id} to {}.", path.display()),
    };
    Ok(tell(args.json, &object, &text)?)
}
