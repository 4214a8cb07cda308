//! `chancery eab create` and `chancery eab import`.

use std::io::Read as _;
use std::path::Path;

use anyhow::Context;
use chancery_acme::eab::EabSecret;
use chancery_cli::Lines;
use chancery_files::read_text;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::terms::TermsArgs;
use super::{Told, Visit, find, shown};
use crate::audit::Entry;
use crate::audit::operator;
use crate::audit::{Kind, events};
use crate::http::urls::{Urls, path};
use crate::random;
use crate::store::external_accounts::{self, ExternalAccountKey, Listed, NewKey};

/// Longer than any HMAC key in base64url.
const MAX_SECRET_BYTES: u64 = 1_024;

pub(super) async fn create(on: &Visit, terms: &TermsArgs) -> anyhow::Result<Told> {
    let kid = format!("{:032x}", u128::from_be_bytes(random::bytes()?));
    let secret = new_secret()?;
    let made = keep(on, events::EAB_CREATE, kid, secret.clone(), terms).await?;
    let key = &made.key;
    let hmac_key = secret.to_base64url();
    let directory = directory(on, key);
    let mut text = format!(
        "External account key made — kid={}\n{}",
        key.kid,
        shown::lines(&made, on.now).indented("  ")
    );
    text.push_str(&format!("\nThe HMAC key is shown this once:\n\n  {}\n\n", *hmac_key));
    let mut flags = Lines::default();
    let (kid, hmac_key) = (&key.kid, hmac_key.as_str());
    flags.add("certbot", format!("--server {directory} --eab-kid {kid} --eab-hmac-key {hmac_key}"));
    flags.add("lego", format!("--server {directory} --eab --kid {kid} --hmac {hmac_key}"));
    flags.add("acme.sh", format!("--server {directory} --eab-kid {kid} --eab-hmac-key {hmac_key}"));
    text.push_str(&flags.to_string());
    let mut json = shown::json(&made, on.now);
    if let Value::Object(members) = &mut json {
        members.insert("hmac_key".to_owned(), json!(hmac_key));
        members.insert("directory".to_owned(), json!(directory));
    }
    Ok(Told { text, json })
}

pub(super) async fn import(
    on: &Visit,
    kid: String,
    secret: EabSecret,
    terms: &TermsArgs,
) -> anyhow::Result<Told> {
    let made = keep(on, events::EAB_IMPORT, kid, secret, terms).await?;
    let text = format!(
        "External account key imported — kid={}\n{}",
        made.key.kid,
        shown::lines(&made, on.now).indented("  ")
    );
    Ok(Told { text, json: shown::json(&made, on.now) })
}

/// The HMAC key in a file, or on standard input.
pub(super) fn secret(file: Option<&Path>) -> anyhow::Result<EabSecret> {
    let (text, from) = match file {
        Some(file) => (read_text(file, MAX_SECRET_BYTES)?, file.display().to_string()),
        None => {
            let mut text = String::new();
            let from = "standard input";
            std::io::stdin().lock().take(MAX_SECRET_BYTES).read_to_string(&mut text).context(from)?;
            (text, from.to_owned())
        }
    };
    let text = Zeroizing::new(text);
    EabSecret::from_base64url(text.trim_end_matches(['\r', '\n'])).context(from)
}

/// A new secret whose text no client takes for a flag.
fn new_secret() -> anyhow::Result<EabSecret> {
    loop {
        let secret = EabSecret::generate()?;
        if !secret.to_base64url().starts_with('-') {
            return Ok(secret);
        }
    }
}

/// Keeps a key on the terms of the command line.
async fn keep(
    on: &Visit,
    kind: Kind,
    kid: String,
    secret: EabSecret,
    terms: &TermsArgs,
) -> anyhow::Result<Listed> {
    let terms = terms.check(&on.config.profiles, on.now)?;
    let (label, uses, expires_at, policy) = (terms.label, terms.uses, terms.expires_at, terms.policy);
    let new = NewKey { kid, secret, label, policy, uses, expires_at };
    let (trail, now) = (on.office.trail.clone(), on.now);
    on.office
        .db
        .write(move |tx| {
            anyhow::ensure!(
                external_accounts::insert(tx, &new, now)?,
                "there is a key `{}` already: choose another identifier",
                new.kid
            );
            let details = json!({
                "kid": new.kid,
                "label": new.label,
                "uses": new.uses,
                "expires": new.expires_at,
                "policy": new.policy,
            });
            trail.tell(tx, &Entry::new(kind, details).by(operator()), now)?;
            find(tx, &new.kid)
        })
        .await
}

/// The directory that the key's accounts are to use: that of its profile, if it has only one.
fn directory(on: &Visit, key: &ExternalAccountKey) -> String {
    let profile = match key.policy.profiles.as_slice() {
        [only] => Some(only.as_str()),
        _ => None,
    };
    Urls::new(&on.config.server.url).of_profile(profile, path::DIRECTORY)
}
