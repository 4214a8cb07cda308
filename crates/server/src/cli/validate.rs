//! `chancery validate`.

use std::path::Path;
use std::process::ExitCode;

use super::output::print;
use crate::config;

pub(super) fn run(file: &Path) -> anyhow::Result<ExitCode> {
    config::load(file)?;
    print(&format!("{}: the configuration is valid", file.display()))?;
    Ok(ExitCode::SUCCESS)
}
