//! `chancery validate`.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use chancery_authority::local::Paths;
use chancery_cli::print;
use chancery_files::read_text;
use chancery_pki::certificate::CaCertificate;
use chancery_time::{Clock, SystemClock, Timestamp};

use crate::config::license::CallHome;
use crate::config::policy::Profile;
use crate::config::{self, Authority, Config};
use crate::licensing::portal::client::Client;

/// Longer than any certificate, in bytes.
const MAX_BYTES: u64 = 64 * 1024;

pub(super) fn run(file: &Path) -> anyhow::Result<ExitCode> {
    let config = config::load(file)?;
    config::compromised_keys(config.server.compromised_keys.as_deref())?;
    Client::of(&config.license)?;
    let now = SystemClock.now();
    for profile in &config.profiles {
        can_be_served(profile, &config, now)
            .with_context(|| format!("no authority can serve the profile `{}`", profile.name))?;
    }
    print(&format!("{}: the configuration is valid", file.display()))?;
    if let CallHome::Offline { unused: Some(_) } = &config.license.call_home {
        print(
            "license.portal is not used: license.offline is set, so that nobody is contacted for licences",
        )?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Makes sure that an authority of a profile can sign at `now`. Authorities without a certificate here, be it
/// that they are made later or elsewhere, are not looked at.
fn can_be_served(profile: &Profile, config: &Config, now: Timestamp) -> anyhow::Result<()> {
    let authorities = profile.authorities.iter().filter_map(|index| config.authorities.get(*index));
    let mut faults = authorities.map(|authority| can_sign(authority, now)).collect::<Vec<_>>();
    if faults.iter().any(Result::is_ok) {
        return Ok(());
    }
    faults.pop().unwrap_or(Ok(()))
}

fn can_sign(authority: &Authority, now: Timestamp) -> anyhow::Result<()> {
    let path = Paths::in_directory(&authority.directory).issuing_certificate;
    if !path.exists() {
        return Ok(());
    }
    let pem = read_text(&path, MAX_BYTES)?;
    let certificate = CaCertificate::from_pem(&pem).with_context(|| path.display().to_string())?;
    let (begin, end) = (certificate.validity().not_before(), certificate.validity().not_after());
    anyhow::ensure!(
        begin <= now && now <= end,
        "{} is valid from {begin} to {end}: make or install another one, or check the clock",
        path.display()
    );
    Ok(())
}
