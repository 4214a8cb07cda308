//! `chancery ca`.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use chancery_authority::local::Paths;
use chancery_cli::print;
use chancery_files::read_text;
use chancery_pki::certificate::CaCertificate;

use crate::config;

const MAX_BYTES: u64 = 64 * 1024;

pub(super) fn root(file: &Path) -> anyhow::Result<ExitCode> {
    let config = config::load(file)?;
    let first = config.profiles.first().and_then(|profile| profile.authorities.first());
    let authority = first.and_then(|index| config.authorities.get(*index));
    let authority = authority.context("the first profile has no authority")?;
    let path = Paths::in_directory(&authority.directory).root_certificate;
    let pem = read_text(&path, MAX_BYTES)?;
    let root = CaCertificate::from_pem(&pem).with_context(|| path.display().to_string())?;
    print(&root.to_pem())?;
    Ok(ExitCode::SUCCESS)
}
