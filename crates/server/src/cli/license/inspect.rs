//! `chancery license inspect`.

use std::path::Path;

use anyhow::Context;
use chancery_cli::Lines;
use chancery_license::machine_file::block::BlockError;
use chancery_license::machine_file::{self, MachineFileError, Unjudged};
use chancery_license::state::InvalidReason;
use chancery_license::{
    Document, Environment, InstallationKey, KeyId, KeyManifest, Keyring, License, LicenseKey, RevocationList,
    Verified, jwt, open,
};
use serde_json::{Value, json};

use super::license_key::LicenseKeyArgs;
use super::{Told, describe};
use crate::licensing::facts::Facts;
use crate::licensing::held::{Unbelieved, open_machine_file};
use crate::licensing::intake::{self, Brought};
use crate::licensing::{anchors, build, environments};
use crate::store::licenses::DocumentKind;

/// What a document says. It was verified.
struct Inspected {
    environment: Environment,
    product: String,
    signer: KeyId,
    content: Content,
}

enum Content {
    License(Facts),
    /// With the issuer that it names.
    LicenseJwt(Facts, String),
    /// A machine file that was not opened.
    Sealed,
    /// With what it licenses an installation for, or why it does not.
    MachineFile(Box<Unjudged>, Result<Facts, BlockError>),
    Revocations(Document<RevocationList>),
    Keys(Document<KeyManifest>),
}

/// What a machine file is opened with.
type Opener = (InstallationKey, LicenseKey);

pub(super) fn run(
    file: &Path,
    fingerprint: Option<InstallationKey>,
    license_key: &LicenseKeyArgs,
) -> anyhow::Result<Told> {
    let brought = intake::read(file)?;
    let is_machine_file = brought.kind == DocumentKind::MachineFile;
    anyhow::ensure!(
        !is_machine_file || fingerprint.is_some() || !license_key.is_given(),
        "a machine file opens with the licence key and the fingerprint of its machine: give --fingerprint INST-… too"
    );
    let opener = match fingerprint.filter(|_| is_machine_file) {
        Some(fingerprint) => Some((fingerprint, license_key.key()?)),
        None => None,
    };
    let keyrings: Vec<Keyring> = environments()?
        .into_iter()
        .map(|environment| anchors(Some(environment)))
        .collect::<Result<_, _>>()?;
    let inspected = inspect(&brought, opener.as_ref(), &keyrings).map_err(|refusal| {
        let is_unknown_key = refusal.reason() == InvalidReason::UnknownKey;
        let refused = anyhow::Error::new(refusal);
        if is_unknown_key {
            return refused.context(
                "if a key manifest vouches for its key, `license explain FILE -f CONFIG` verifies it under the \
                 manifests of an installation",
            );
        }
        refused
    });
    let inspected = inspected.with_context(|| format!("{} is not to be believed", file.display()))?;
    Ok(Told { text: inspected.text(), json: inspected.json() })
}

/// Verifies a document under the anchors of each environment; the first that it counts in tells.
fn inspect(
    brought: &Brought,
    opener: Option<&Opener>,
    keyrings: &[Keyring],
) -> Result<Inspected, Unbelieved> {
    let mut refusal = None;
    for keyring in keyrings {
        match verify(brought, opener, keyring) {
            Ok(inspected) => return Ok(inspected),
            // That it is for another environment says nothing where the other one is tried as well. A machine file names
            // none: its key is unknown in all others.
            Err(error) if refusal.is_none() || !is_of_another_environment(brought, &error) => {
                refusal = Some(error);
            }
            Err(_) => {}
        }
    }
    Err(refusal.unwrap_or(Unbelieved::Document(chancery_license::DocumentError::UnknownKey(Vec::new()))))
}

fn is_of_another_environment(brought: &Brought, error: &Unbelieved) -> bool {
    match error.reason() {
        InvalidReason::WrongEnvironment => true,
        InvalidReason::UnknownKey => brought.kind == DocumentKind::MachineFile,
        _ => false,
    }
}

fn verify(brought: &Brought, opener: Option<&Opener>, keyring: &Keyring) -> Result<Inspected, Unbelieved> {
    let text = &brought.text;
    let (signer, content) = match brought.kind {
        DocumentKind::License => {
            let license: Verified<License> = open(text, keyring)?;
            (license.signer(), Content::License(Facts::from(&license)))
        }
        DocumentKind::LicenseJwt => {
            let license = jwt::verify(text.as_bytes(), &keyring.jwt_keys())?;
            let facts = Facts::from(&license);
            keyring.judge_jwt(license.signer(), facts.terms.edition.issued)?;
            (license.signer(), Content::LicenseJwt(facts, license.claims().iss.clone()))
        }
        DocumentKind::MachineFile => match opener {
            None => (machine_file::signer(text, &keyring.machine_file_keys())?, Content::Sealed),
            Some((fingerprint, key)) => {
                let opened = open_machine_file(text, Some(key), keyring, fingerprint);
                let file = opened.map_err(|error| match error {
                    // It is not this installation that was asked about.
                    Unbelieved::ForeignMachine(_) => MachineFileError::DecryptionFailed.into(),
                    error => error,
                })?;
                let facts = Facts::of_machine_file(&file, fingerprint);
                (file.signer, Content::MachineFile(Box::new(file), facts))
            }
        },
        DocumentKind::Revocations => {
            let list: Verified<RevocationList> = open(text, keyring)?;
            (list.signer(), Content::Revocations(list.into_document()))
        }
        DocumentKind::Keys => {
            // Admitting it holds it to more rules than opening it does.
            keyring.admit(text)?;
            let manifest: Verified<KeyManifest> = open(text, keyring)?;
            (manifest.signer(), Content::Keys(manifest.into_document()))
        }
    };
    Ok(Inspected {
        environment: keyring.environment(),
        product: keyring.product().to_owned(),
        signer,
        content,
    })
}

impl Inspected {
    fn text(&self) -> String {
        let mut lines = Lines::default();
        lines.add("Type", self.kind());
        lines.add("Signature", format!("valid (key {}, environment {})", self.signer, self.environment));
        if let Content::Sealed = self.content {
            lines.add("Contents", "encrypted: --fingerprint INST-… and the licence key show them");
            return lines.to_string();
        }
        lines.add("Product", &self.product);
        match &self.content {
            Content::Sealed => {}
            Content::MachineFile(file, facts) => machine_file(&mut lines, file, facts),
            Content::License(facts) => license(&mut lines, facts),
            Content::LicenseJwt(facts, issuer) => {
                lines.add("Issuer", issuer);
                license(&mut lines, facts);
            }
            Content::Revocations(list) => revocations(&mut lines, list),
            Content::Keys(manifest) => keys(&mut lines, manifest),
        }
        lines.to_string()
    }

    const fn kind(&self) -> &'static str {
        match self.content {
            Content::License(_) => "licence",
            Content::LicenseJwt(..) => "licence JWT",
            Content::Sealed | Content::MachineFile(..) => "machine file",
            Content::Revocations(_) => "revocation list",
            Content::Keys(_) => "key manifest",
        }
    }

    fn json(&self) -> Value {
        let (kind, content) = match &self.content {
            Content::License(facts) => (DocumentKind::License, describe::license_json(facts)),
            Content::LicenseJwt(facts, issuer) => {
                let mut license = describe::license_json(facts);
                if let Value::Object(members) = &mut license {
                    members.insert("issuer".to_owned(), json!(issuer));
                }
                (DocumentKind::LicenseJwt, license)
            }
            Content::Sealed => (DocumentKind::MachineFile, Value::Null),
            Content::MachineFile(file, facts) => (DocumentKind::MachineFile, machine_file_json(file, facts)),
            Content::Revocations(list) => (DocumentKind::Revocations, json!(list)),
            Content::Keys(manifest) => (DocumentKind::Keys, json!(manifest)),
        };
        json!({
            "type": kind.name(),
            "signature": { "key": self.signer.to_string(), "environment": self.environment },
            "product": (!matches!(self.content, Content::Sealed)).then_some(&self.product),
            "content": content,
        })
    }
}

fn license(lines: &mut Lines, facts: &Facts) {
    describe::license(lines, facts);
    let terms = &facts.terms;
    lines.add("Clock tolerance", format!("{} hours", terms.clock_tolerance.as_secs() / 3_600));
    match terms.minimum_version {
        Some(needed) => lines.add("Versions", format!("{needed} and newer")),
        None => lines.add("Versions", "any"),
    }
    match terms.newest_build {
        Some(newest) => lines.add("Builds", format!("up to {}", newest.to_minutes())),
        None => lines.add("Builds", "any"),
    }
    match terms.fit_build(&build()) {
        Ok(()) => lines.add("This build", "may use it"),
        Err(reason) => lines.add("This build", format!("may not use it: {reason}")),
    }
    describe::entitlements(lines, &facts.entitlements);
}

fn machine_file(lines: &mut Lines, file: &Unjudged, facts: &Result<Facts, BlockError>) {
    let contents = &file.contents;
    let machine = &contents.machine;
    lines.add("Fingerprint", &machine.fingerprint);
    lines.add("Machine", machine.name.as_deref().unwrap_or("without a name"));
    lines.add("Activated", format!("{}, id {}", machine.created.to_minutes(), machine.activation_id));
    let end = contents.license_expires.map_or("never".to_owned(), |end| end.to_minutes());
    lines.add("Licence ends", end);
    match facts {
        Ok(facts) => license(lines, facts),
        Err(error) => {
            lines.add("Issued", contents.issued.to_minutes());
            lines.add("Begins", contents.not_before.to_minutes());
            lines.add("Expires", contents.expires.to_minutes());
            lines.add("Licenses", format!("nothing: {error}"));
        }
    }
}

fn machine_file_json(file: &Unjudged, facts: &Result<Facts, BlockError>) -> Value {
    let contents = &file.contents;
    let machine = &contents.machine;
    json!({
        "machine": {
            "fingerprint": machine.fingerprint,
            "name": machine.name,
            "activation": machine.activation_id,
            "activated": machine.created,
        },
        "issued": contents.issued,
        "not_before": contents.not_before,
        "expires": contents.expires,
        "grace_seconds": contents.grace.as_secs(),
        "license_expires": contents.license_expires,
        "license": facts.as_ref().ok().map(describe::license_json),
        "unlicensed_because": facts.as_ref().err().map(ToString::to_string),
    })
}

fn revocations(lines: &mut Lines, list: &Document<RevocationList>) {
    let (issued, list) = (list.issued, &list.body);
    lines.add("Issued", issued.to_minutes());
    lines.add("Sequence", list.sequence);
    lines.add("Next update", list.next_update.to_minutes());
    for entry in &list.licenses {
        lines.add(
            "Revoked",
            format!("licence {}, at {}: {}", entry.what, entry.at.to_minutes(), entry.reason),
        );
    }
    for entry in &list.serials {
        lines
            .add("Revoked", format!("serial {}, at {}: {}", entry.what, entry.at.to_minutes(), entry.reason));
    }
}

fn keys(lines: &mut Lines, manifest: &Document<KeyManifest>) {
    let (issued, manifest) = (manifest.issued, &manifest.body);
    lines.add("Issued", issued.to_minutes());
    lines.add("Sequence", manifest.sequence);
    if let Some(root) = &manifest.next_root {
        lines.add("Next root", format!("key {}", root.id()));
    }
    for listed in &manifest.keys {
        let uses: Vec<String> =
            listed.uses.iter().map(|one| json!(one).to_string().replace('"', "")).collect();
        let (from, until) = (listed.not_before.to_minutes(), listed.not_after.to_minutes());
        lines.add(
            "Vouches for",
            format!("key {}, from {from} to {until}, for {}", listed.key.id(), uses.join(", ")),
        );
    }
}
