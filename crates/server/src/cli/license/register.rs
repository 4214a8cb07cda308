//! `chancery license register`.

use std::convert::Infallible;
use std::fmt::{self, Write as _};
use std::io::Read as _;
use std::path::Path;
use std::str::FromStr;

use anyhow::Context as _;
use chancery_license::exchange::Verdict;
use chancery_license::{Environment, LicenseKey, limits};
use serde_json::json;
use zeroize::Zeroizing;

use super::describe::{document, holder, license_json};
use super::license_key::{self, MAX_KEY_BYTES};
use super::refresh::{self, desk};
use super::{Told, Visit};
use crate::licensing::facts::Facts;
use crate::licensing::portal::{Answer, Purpose, Unasked};

/// A licence key as it was typed, which nothing shows.
#[derive(Clone)]
pub(in crate::cli) struct TypedKey(Zeroizing<String>);

/// What the command was given, once the key was found to be one.
pub(super) struct Asked {
    environment: Environment,
    name: Option<String>,
    key: LicenseKey,
}

impl Asked {
    pub(super) fn new(
        environment: Environment,
        name: Option<String>,
        key: Option<TypedKey>,
        key_file: Option<&Path>,
    ) -> anyhow::Result<Self> {
        let text = match (key_file, key) {
            (Some(file), _) => license_key::in_file(file)?,
            (None, Some(TypedKey(key))) if key.as_str() != "-" => key,
            (None, _) => {
                let mut text = Zeroizing::new(String::new());
                let read = std::io::stdin().take(MAX_KEY_BYTES).read_to_string(&mut text);
                read.context("the licence key cannot be read from standard input")?;
                text
            }
        };
        let key = text.trim().parse::<LicenseKey>().context("this is no licence key; nothing was asked")?;
        let is_name = name.as_deref().is_none_or(|name| limits::device_name(name).is_ok());
        anyhow::ensure!(is_name, "--name has 1 to 255 bytes and no control characters");
        Ok(Self { environment, name, key })
    }
}

pub(super) async fn run(on: &Visit, asked: Asked) -> anyhow::Result<Told> {
    let Asked { environment, name, key } = asked;
    let purpose = Purpose::Register { key, name };
    let ours = on.office.anchors.environment();
    if environment != ours {
        purpose.refused(&on.office, Unasked::OtherEnvironment.name(), on.now).await;
        return Err(Unasked::OtherEnvironment).with_context(|| {
            format!("--env is {environment}, and this installation is for {ours}; nothing was asked")
        });
    }
    let desk = desk(on, &purpose).await?;
    let answer = desk.ask(purpose).await.context("the installation is not registered")?;
    if let Some(rejected) = answer.rejected_license() {
        anyhow::bail!(
            "the portal registered this installation, and the licence that it sent is not taken: {}",
            rejected.reason
        );
    }
    anyhow::ensure!(
        answer.verdict == Verdict::Licensed,
        "the installation is not registered: the portal says that it is {}",
        answer.verdict
    );
    let snapshot = on.office.snapshot().await?;
    let judged = snapshot.judge(on.now, &on.office.build);
    let brought = answer.license();
    let (facts, in_effect) = brought.or(judged.license.map(|license| (license, true))).context(
        "the portal registered this installation, and sent no licence: `chancery license refresh` asks again",
    )?;
    Ok(Told { text: text(&answer, facts, in_effect), json: json(&answer, facts, in_effect) })
}

fn text(answer: &Answer, facts: &Facts, in_effect: bool) -> String {
    let expires = facts.terms.expires;
    let mut text = format!("License registered — plan={} expires={expires}\n", facts.plan);
    // Writing to a String cannot fail.
    let _ = writeln!(text, "  Holder: {}", holder(facts));
    let _ = writeln!(text, "  Document: {}", document(facts));
    if !in_effect {
        let _ = writeln!(text, "  Takes effect: {}", facts.terms.not_before);
    }
    refresh::add_warnings(&mut text, answer);
    text
}

fn json(answer: &Answer, facts: &Facts, in_effect: bool) -> serde_json::Value {
    json!({
        "registered": license_json(facts),
        "in_effect": in_effect,
        "verdict": answer.verdict,
        "warnings": answer.warnings,
    })
}

impl FromStr for TypedKey {
    type Err = Infallible;

    /// Takes any text: what is wrong with it is said without repeating it.
    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(Zeroizing::new(text.to_owned())))
    }
}

impl fmt::Debug for TypedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TypedKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_from_its_source_and_shown_by_none() {
        let key = LicenseKey::from_random(&[9; 29]);
        let typed = |text: &str| Some(text.parse::<TypedKey>().unwrap());
        let asked = Asked::new(Environment::Dev, None, typed(&key.reveal().to_lowercase()), None).unwrap();
        assert_eq!(asked.key, key);

        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), format!("{}\n", key.reveal())).unwrap();
        let asked = Asked::new(Environment::Dev, Some("box".to_owned()), None, Some(file.path())).unwrap();
        assert_eq!((asked.key, asked.name.as_deref()), (key.clone(), Some("box")));

        assert!(!format!("{:?}", typed(key.reveal())).contains("CRT-"));
        let mistyped = key.reveal().replace("CRT-9", "CRT-8");
        assert_ne!(mistyped, key.reveal());
        let error = Asked::new(Environment::Dev, None, typed(&mistyped), None).map(|_| ()).unwrap_err();
        assert!(format!("{error:#}").contains("check digit"), "{error:#}");
        assert!(!format!("{error:#?}").contains(&mistyped[4..]), "{error:#?}");
    }

    #[test]
    fn a_name_fits_on_a_line() {
        let key = || Some(LicenseKey::from_random(&[9; 29]).reveal().parse().unwrap());
        for name in ["", "a\nb", &"a".repeat(256)] {
            assert!(Asked::new(Environment::Dev, Some(name.to_owned()), key(), None).is_err(), "{name}");
        }
    }
}
