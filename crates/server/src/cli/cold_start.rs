//! `chancery cold-start`: the window during which the server runs without a licence.

mod report;

use std::path::Path;
use std::process::ExitCode;

use chancery_license::Plan;
use chancery_time::{Clock, SystemClock, Timestamp};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::output::print;
use super::{ConfigArgs, ServeArgs, office};
use crate::config;
use crate::licensing::change::Office;
use report::Report;

#[derive(Debug, Subcommand)]
pub(super) enum ColdStartCommand {
    /// Open a window of one week under the limits of a plan.
    Init {
        /// The plan: free, starter, pro or enterprise.
        #[arg(long)]
        plan: Plan,
        #[command(flatten)]
        given: Given,
    },
    /// Show the window; changes nothing.
    Status {
        #[command(flatten)]
        given: Given,
    },
    /// Change the plan of the window; its end stays.
    Switch {
        /// The plan: free, starter, pro or enterprise.
        #[arg(long)]
        plan: Plan,
        #[command(flatten)]
        given: Given,
    },
    /// Show what another week would come to; open it with --confirm.
    Extend {
        /// Open the new window.
        #[arg(long)]
        confirm: bool,
        #[command(flatten)]
        given: Given,
    },
}

/// What all of them are given.
#[derive(Debug, Args)]
pub(super) struct Given {
    #[command(flatten)]
    config: ConfigArgs,
    /// Print a JSON object.
    #[arg(long)]
    json: bool,
}

/// What a command has to say, in both forms.
struct Said {
    text: String,
    json: Value,
}

/// Runs the command.
///
/// # Errors
/// When the rules of the window refuse, the configuration cannot be used, or the store fails. The store
/// is then as it was.
pub(super) fn run(command: &ColdStartCommand) -> anyhow::Result<ExitCode> {
    let given = command.given();
    let config = config::load(&given.config.config)?;
    let said = crate::runtime()?.block_on(async {
        let office = office::open(&config).await?;
        let said = command.act(&office, &config.file, SystemClock.now()).await;
        office.db.close().await;
        said
    })?;
    print(&if given.json { said.json.to_string() } else { said.text })?;
    Ok(ExitCode::SUCCESS)
}

/// Refuses the flags of `serve` that these commands have replaced.
///
/// # Errors
/// When one of them is given.
pub(super) fn refuse_replaced_flags(args: &ServeArgs) -> anyhow::Result<()> {
    if !args.grace && args.cold_start_plan.is_none() {
        return Ok(());
    }
    // The plan that the flags stood for where none was named.
    let plan = args.cold_start_plan.unwrap_or(Plan::Free);
    let file = args.config.config.display();
    anyhow::bail!(
        "`serve --grace` and `--cold-start-plan` were replaced by a window of 168 hours that is opened on purpose: \
         run `chancery cold-start init --plan={plan} -f {file}`, then `chancery serve -f {file}`"
    )
}

impl ColdStartCommand {
    const fn given(&self) -> &Given {
        match self {
            Self::Init { given, .. }
            | Self::Status { given }
            | Self::Switch { given, .. }
            | Self::Extend { given, .. } => given,
        }
    }

    async fn act(&self, office: &Office, file: &Path, now: Timestamp) -> anyhow::Result<Said> {
        match *self {
            Self::Init { plan, .. } => init(office, plan, file, now).await,
            Self::Status { .. } => status(office, file, now).await,
            Self::Switch { plan, .. } => switch(office, plan, now).await,
            Self::Extend { confirm, .. } => extend(office, confirm, file, now).await,
        }
    }
}

async fn init(office: &Office, plan: Plan, file: &Path, now: Timestamp) -> anyhow::Result<Said> {
    let window = office.cold_start_init(plan, now).await?;
    report(office, now, |report| Said {
        text: report::initialised(window, report.windows_judged_at(), file),
        json: report.json(),
    })
    .await
}

async fn status(office: &Office, file: &Path, now: Timestamp) -> anyhow::Result<Said> {
    report(office, now, |report| Said { text: report.text(file), json: report.json() }).await
}

async fn switch(office: &Office, plan: Plan, now: Timestamp) -> anyhow::Result<Said> {
    let (before, window) = office.cold_start_switch(plan, now).await?;
    report(office, now, |report| Said {
        text: report::switched(before, window),
        json: report.json_with(json!({ "previous_plan": before.name() })),
    })
    .await
}

async fn extend(office: &Office, confirm: bool, file: &Path, now: Timestamp) -> anyhow::Result<Said> {
    let extension = office.cold_start_extend(confirm, now).await?;
    report(office, now, |report| Said {
        text: report::extension(&extension, confirm, file),
        json: report.json_with(json!({
            "previous_window_ends": extension.current.ends_at,
            "new_window_ends": extension.new_end,
            "extended": confirm,
        })),
    })
    .await
}

/// Tells of the store as the command leaves it.
async fn report(
    office: &Office,
    now: Timestamp,
    tell: impl FnOnce(Report<'_>) -> Said,
) -> anyhow::Result<Said> {
    let snapshot = office.snapshot().await?;
    let judged = snapshot.judge(now, &office.build);
    Ok(tell(Report::new(&snapshot, &judged, &office.installation.key)))
}
