//! `chancery-portal keys manifest`.

use std::path::PathBuf;

use anyhow::{Context, bail};
use chancery_cli::tell;
use chancery_license::manifest::{IssuingKey, KeyManifest, Use};
use chancery_time::{Clock, SystemClock, Timestamp};
use clap::Args;
use serde_json::json;

use super::{IssuerArgs, OutputArgs, files};

const USES: [(&str, Use); 3] =
    [("license", Use::License), ("license_jwt", Use::LicenseJwt), ("revocations", Use::Revocations)];

#[derive(Debug, Args)]
pub(super) struct ManifestArgs {
    #[command(flatten)]
    issuer: IssuerArgs,
    /// Its number: higher than that of every manifest before it.
    #[arg(long, value_name = "N")]
    sequence: u64,
    /// A key that it vouches for: FILE,use=WHAT,from=TIME,until=TIME, where FILE is a public key in PEM and WHAT is
    /// license, license_jwt or revocations; `use=` may stand several times. Repeatable; without it, no key but the
    /// root signs.
    #[arg(long = "add", value_name = "KEY", value_parser = added)]
    added: Vec<Added>,
    /// The private key of the root that takes over, which signs the manifest too.
    #[arg(long, value_name = "FILE")]
    next_root: Option<PathBuf>,
    #[command(flatten)]
    output: OutputArgs,
}

/// What an `--add` says.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Added {
    file: PathBuf,
    uses: Vec<Use>,
    from: Timestamp,
    until: Timestamp,
}

pub(super) fn run(args: ManifestArgs) -> anyhow::Result<()> {
    let issuer = args.issuer.issuer()?;
    let next_root = match &args.next_root {
        Some(path) => Some(files::signing_key(path, "--next-root")?),
        None => None,
    };
    let keys = args.added.iter().map(Added::issuing_key).collect::<Result<Vec<_>, _>>()?;
    let manifest = KeyManifest {
        sequence: args.sequence,
        next_root: next_root.as_ref().map(|key| key.public().clone()),
        keys,
    };
    let output = &args.output;
    let text = issuer.manifest(manifest.clone(), next_root.as_ref(), SystemClock.now())?;
    files::create_public(&output.output, &text)?;

    let path = output.output.display();
    let signed_by = issuer.public_key().id();
    let next_root = next_root.map(|key| key.public().id().to_string());
    let keys: Vec<String> = manifest.keys.iter().map(|listed| listed.key.id().to_string()).collect();
    let object = json!({
        "path": path.to_string(),
        "sequence": manifest.sequence,
        "keys": keys,
        "next_root": next_root,
        "signed_by": signed_by.to_string(),
    });
    let text = format!(
        "Wrote {path} — key manifest {sequence}\n  \
         Keys     : {keys}\n  \
         Next root: {next_root}\n  \
         Signed by: {signed_by}",
        sequence = manifest.sequence,
        keys = if keys.is_empty() { "none".to_owned() } else { keys.join(", ") },
        next_root = next_root.as_deref().unwrap_or("none"),
    );
    Ok(tell(output.json, &object, &text)?)
}

impl Added {
    fn issuing_key(&self) -> anyhow::Result<IssuingKey> {
        Ok(IssuingKey {
            key: files::public_key(&self.file, "--add")?,
            not_before: self.from.whole_seconds(),
            not_after: self.until.whole_seconds(),
            uses: self.uses.clone(),
        })
    }
}

/// Reads `FILE,use=WHAT,from=TIME,until=TIME`.
fn added(text: &str) -> anyhow::Result<Added> {
    let mut parts = text.split(',');
    let file = parts.next().filter(|file| !file.is_empty()).context("begin with the file of a public key")?;
    let (mut uses, mut from, mut until) = (Vec::new(), None, None);
    for part in parts {
        match part.split_once('=') {
            Some(("use", name)) => {
                let found = USES.iter().find(|(known, _)| *known == name);
                let (_, found) = found.with_context(|| {
                    format!("`{name}` is no use: take license, license_jwt or revocations")
                })?;
                uses.push(*found);
            }
            Some(("from", time)) if from.is_none() => from = Some(time.parse()?),
            Some(("until", time)) if until.is_none() => until = Some(time.parse()?),
            _ => bail!("`{part}` is none of use=, from= and until=, or stands twice"),
        }
    }
    if uses.is_empty() {
        bail!("say what the key may sign: use=license, use=license_jwt or use=revocations");
    }
    // The order of the format; a use that stands twice is one use.
    uses.sort();
    uses.dedup();
    Ok(Added {
        file: PathBuf::from(file),
        uses,
        from: from.context("say from=TIME, such as from=2026-01-01T00:00:00Z")?,
        until: until.context("say until=TIME, such as until=2026-12-31T23:59:59Z")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_added_key_says_what_it_is_for_and_when() {
        let read =
            added("day.pem,until=2026-12-31T00:00:00Z,use=revocations,use=license,from=2026-01-01T00:00:00Z");
        let expected = Added {
            file: PathBuf::from("day.pem"),
            uses: vec![Use::License, Use::Revocations],
            from: "2026-01-01T00:00:00Z".parse().unwrap(),
            until: "2026-12-31T00:00:00Z".parse().unwrap(),
        };
        assert_eq!(read.unwrap(), expected);
        let times = "from=2026-01-01T00:00:00Z,until=2026-12-31T00:00:00Z";
        for (text, why) in [
            (format!("{times},use=license"), "say from=TIME"),
            (format!(",{times},use=license"), "file of a public key"),
            (format!("day.pem,{times}"), "use=license"),
            (format!("day.pem,{times},use=keys"), "`keys` is no use"),
            (format!("day.pem,{times},{times},use=license"), "stands twice"),
            ("day.pem,use=license,from=2026-01-01T00:00:00Z".to_owned(), "until=TIME"),
            ("day.pem,use=license,from=today".to_owned(), "RFC 3339"),
        ] {
            let refused = added(&text).unwrap_err().to_string();
            assert!(refused.contains(why), "{text}: {refused}");
        }
    }
}
