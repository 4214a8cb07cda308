//! `chancery cold-start`.

use std::path::Path;
use std::process::ExitCode;

use chancery_db::Db;
use chancery_license::Plan;
use chancery_time::{Clock, SystemClock};

use super::output::print;
use crate::config::{self, Config};
use crate::licensing::cold_start::{self, WINDOW, remaining};
use crate::licensing::{installation, licensed_parts};
use crate::store;

pub(super) fn init(file: &Path, plan: Plan, json: bool) -> anyhow::Result<ExitCode> {
    let config = config::load(file)?;
    crate::runtime()?.block_on(async {
        let db = open(&config).await?;
        let now = SystemClock.now();
        let installation_key = installation::installation_key(&db).await?;
        let window = cold_start::init(&db, plan, licensed_parts(&config), now).await?;
        db.close().await;
        if json {
            let object = serde_json::json!({
                "plan": plan.name(),
                "window_ends": window.ends_at,
                "remaining_seconds": WINDOW.as_secs(),
                "installation_key": installation_key.as_str(),
            });
            print(&object.to_string())?;
        } else {
            print(&format!(
                "Cold-start initialised.\n  \
                 Plan       : {plan}\n  \
                 Window ends: {ends} ({hours}h0m0s remaining)\n\
                 You may now start the server normally: chancery serve -f {file}",
                ends = window.ends_at.to_minutes(),
                hours = WINDOW.as_secs() / 3_600,
                file = file.display(),
            ))?;
        }
        Ok(ExitCode::SUCCESS)
    })
}

pub(super) fn status(file: &Path, json: bool) -> anyhow::Result<ExitCode> {
    let config = config::load(file)?;
    crate::runtime()?.block_on(async {
        let db = open(&config).await?;
        let now = SystemClock.now();
        let installation_key = installation::installation_key(&db).await?;
        let window = db.read(store::cold_start::find).await?;
        db.close().await;
        if json {
            let object = serde_json::json!({
                "license": null,
                "plan": window.map(|window| window.plan.name()),
                "window_ends": window.map(|window| window.ends_at),
                "remaining_seconds": window.map(|window| window.ends_at.since(now).as_secs()),
                "installation_key": installation_key.as_str(),
            });
            print(&object.to_string())?;
            return Ok(ExitCode::SUCCESS);
        }
        print("License        : not installed.")?;
        match window {
            None => print(&format!(
                "Cold-start plan: none (open a window: chancery cold-start init --plan=PLAN -f {})",
                file.display()
            ))?,
            Some(window) => {
                let left = window.ends_at.since(now);
                let left =
                    if left.is_zero() { "none (the window is over)".to_owned() } else { remaining(left) };
                print(&format!(
                    "Cold-start plan: {}\nWindow ends    : {}\nRemaining      : {left}",
                    window.plan,
                    window.ends_at.to_minutes()
                ))?;
            }
        }
        Ok(ExitCode::SUCCESS)
    })
}

async fn open(config: &Config) -> anyhow::Result<Db> {
    Ok(Db::open(&config.database, store::MIGRATIONS).await?)
}
