//! `chancery cold-start`: the window during which the server runs without a licence.

mod report;

use std::process::ExitCode;

use chancery_license::Plan;
use clap::Subcommand;
use serde_json::json;

use super::ServeArgs;
use super::visit::{CommonArgs, Told, Visit};
use report::Report;

#[derive(Debug, Subcommand)]
pub(super) enum ColdStartCommand {
    /// Open a window of one week under the limits of a plan.
    Init {
        /// The plan: free, starter, pro or enterprise.
        #[arg(long)]
        plan: Plan,
        #[command(flatten)]
        common: CommonArgs,
    },
    /// Show the window; changes nothing.
    Status {
        #[command(flatten)]
        common: CommonArgs,
    },
    /// Change the plan of the window; its end stays.
    Switch {
        /// The plan: free, starter, pro or enterprise.
        #[arg(long)]
        plan: Plan,
        #[command(flatten)]
        common: CommonArgs,
    },
    /// Show what another week would come to; open it with --confirm.
    Extend {
        /// Open the new window.
        #[arg(long)]
        confirm: bool,
        #[command(flatten)]
        common: CommonArgs,
    },
}

/// Runs the command.
///
/// # Errors
/// When the rules of the window refuse, the configuration cannot be used, or the store fails. The store
/// is then as it was.
pub(super) fn run(command: &ColdStartCommand) -> anyhow::Result<ExitCode> {
    match command {
        ColdStartCommand::Init { plan, common } => common.visit(async |on| init(on, *plan).await)?,
        ColdStartCommand::Status { common } => common.visit(status)?,
        ColdStartCommand::Switch { plan, common } => common.visit(async |on| switch(on, *plan).await)?,
        ColdStartCommand::Extend { confirm, common } => {
            common.visit(async |on| extend(on, *confirm).await)?;
        }
    }
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

async fn init(on: &Visit, plan: Plan) -> anyhow::Result<Told> {
    let window = on.office.cold_start_init(plan, on.now).await?;
    report(on, |report| Told {
        text: report::initialised(window, report.windows_judged_at(), &on.config.file),
        json: report.json(),
    })
    .await
}

async fn status(on: &Visit) -> anyhow::Result<Told> {
    report(on, |report| Told { text: report.text(&on.config.file), json: report.json() }).await
}

async fn switch(on: &Visit, plan: Plan) -> anyhow::Result<Told> {
    let (before, window) = on.office.cold_start_switch(plan, on.now).await?;
    report(on, |report| Told {
        text: report::switched(before, window),
        json: report.json_with(json!({ "previous_plan": before.name() })),
    })
    .await
}

async fn extend(on: &Visit, confirm: bool) -> anyhow::Result<Told> {
    let extension = on.office.cold_start_extend(confirm, on.now).await?;
    report(on, |report| Told {
        text: report::extension(&extension, confirm, &on.config.file),
        json: report.json_with(json!({
            "previous_window_ends": extension.current.ends_at,
            "new_window_ends": extension.new_end,
            "extended": confirm,
        })),
    })
    .await
}

/// Tells of the store as the command leaves it.
async fn report(on: &Visit, tell: impl FnOnce(Report<'_>) -> Told) -> anyhow::Result<Told> {
    let snapshot = on.office.snapshot().await?;
    let judged = snapshot.judge(on.now, &on.office.build);
    Ok(tell(Report::new(&snapshot, &judged, &on.office.installation.key)))
}
