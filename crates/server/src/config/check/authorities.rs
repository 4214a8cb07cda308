//! `authorities`: whose keys sign.

use std::path::Path;

use chancery_cli::config::{Problems, path_in, unique_names};
use serde_saphyr::Spanned;

use super::super::raw::RawAuthority;
use super::super::{Authority, PassphraseSource, Secrets};

pub(super) fn authorities(
    workdir: &Path,
    raw: &Spanned<Vec<RawAuthority>>,
    secrets: &Secrets,
    problems: &mut Problems,
) -> Vec<Authority> {
    if raw.value.is_empty() {
        problems.add(raw.referenced, "authorities", "is empty: at least one authority must sign");
    }
    unique_names("authorities", raw.value.iter().map(|authority| &authority.name), problems);
    raw.value
        .iter()
        .enumerate()
        .filter_map(|(index, raw)| authority(workdir, index, raw, secrets, problems))
        .collect()
}

fn authority(
    workdir: &Path,
    index: usize,
    raw: &RawAuthority,
    secrets: &Secrets,
    problems: &mut Problems,
) -> Option<Authority> {
    let field = |name: &str| format!("authorities[{index}].{name}");
    if raw.kind.value != "local" {
        let unknown = format!("`{}` is not a type of authority: use local", raw.kind.value);
        problems.add(raw.kind.referenced, &field("type"), unknown);
    }
    let directory = path_in(workdir, &field("directory"), &raw.directory, problems);
    let passphrase = match (&secrets.key_passphrase, &raw.passphrase_file) {
        (Some(passphrase), _) => PassphraseSource::Environment(passphrase.clone()),
        (None, Some(file)) => {
            PassphraseSource::File(path_in(workdir, &field("passphrase_file"), file, problems))
        }
        (None, None) => {
            let missing = "is missing: name a file, or set CHANCERY_KEY_PASSPHRASE";
            problems.add(raw.name.referenced, &field("passphrase_file"), missing);
            return None;
        }
    };
    let chains = raw.alternate_chains.iter().enumerate();
    let alternate_chains = chains
        .map(|(place, path)| path_in(workdir, &field(&format!("alternate_chains[{place}]")), path, problems))
        .collect();
    Some(Authority { name: raw.name.value.clone(), directory, passphrase, alternate_chains })
}
