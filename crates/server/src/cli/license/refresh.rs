//! `chancery license refresh`, and what it has in common with `register`.

use std::fmt::Write as _;
use std::sync::Arc;

use anyhow::Context as _;
use chancery_time::SystemClock;
use serde_json::json;

use super::{Told, Visit, install};
use crate::config::license::CallHome;
use crate::licensing::portal::{Answer, Desk, Purpose, Unasked};

pub(super) async fn run(on: &Visit) -> anyhow::Result<Told> {
    let desk = desk(on, &Purpose::Refresh).await?;
    let answer = desk.ask(Purpose::Refresh).await.context("nothing new came")?;
    let mut text = format!("The portal answered: this installation is {}.\n", answer.verdict);
    for taken in &answer.taken {
        text.push_str(install::text(taken, on.now).trim_end());
        text.push('\n');
    }
    if answer.taken.is_empty() && answer.rejected.is_empty() {
        text.push_str("Nothing is new.\n");
    }
    add_warnings(&mut text, &answer);
    if !answer.rejected.is_empty() {
        for rejected in &answer.rejected {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "Not taken ({}): {}", rejected.form, rejected.reason);
        }
        anyhow::bail!("{}", text.trim_end());
    }
    let json = json!({
        "verdict": answer.verdict,
        "installed": answer.taken.iter().map(install::json).collect::<Vec<_>>(),
        "warnings": answer.warnings,
    });
    Ok(Told { text, json })
}

/// What else the portal says.
pub(super) fn add_warnings(text: &mut String, answer: &Answer) {
    for warning in &answer.warnings {
        let _ = writeln!(text, "  The portal says: {warning}");
    }
}

/// Where the portal is asked.
///
/// # Errors
/// Where the configuration says that nobody is asked, which the audit log is told.
pub(super) async fn desk(on: &Visit, purpose: &Purpose) -> anyhow::Result<Desk> {
    let license = &on.config.license;
    if let Some(desk) = Desk::of(license, on.office.clone(), Arc::new(SystemClock))? {
        return Ok(desk);
    }
    let unasked = match license.call_home {
        CallHome::Offline { .. } => Unasked::Offline,
        CallHome::NoPortal | CallHome::Portal(_) => Unasked::NoPortal,
    };
    purpose.refused(&on.office, unasked.name(), on.now).await;
    Err(unasked.into())
}
