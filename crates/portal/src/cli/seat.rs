//! `chancery-portal seat`: the seats of licences.

use chancery_cli::Lines;
use clap::Subcommand;

use super::desk::{CommonArgs, Told, actor};
use super::license::by_id;
use super::pages::{PageArgs, listed, or_dash};
use crate::api::seat::SeatObject;
use crate::service::seats;
use crate::store::activations::Activation;

#[derive(Debug, Subcommand)]
pub(super) enum SeatCommand {
    /// List the seats of a licence that are taken, newest first.
    List {
        /// The id of the licence, lic_….
        license: String,
        /// Those that were given back, too.
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        page: PageArgs,
        #[command(flatten)]
        common: CommonArgs,
    },
    /// Give a seat back in place of the device that holds it.
    Release {
        /// The id of the licence, lic_….
        license: String,
        /// The id of the seat, act_….
        seat: String,
        #[command(flatten)]
        common: CommonArgs,
    },
}

/// Runs a command.
///
/// # Errors
/// What was wrong and what to do about it; nothing was changed then.
pub(super) fn run(command: SeatCommand) -> anyhow::Result<()> {
    match command {
        SeatCommand::List { license, all, page, common } => common.visit(async |desk| {
            let found = seats::list(&desk.office, &actor(), by_id(license), !all, page.page()).await?;
            let headings = ["SEAT", "FINGERPRINT", "DEVICE", "SINCE", "LAST SEEN", "GIVEN BACK"];
            listed(found, "There are no such seats.", headings, row, |seat| SeatObject::from(seat))
        }),
        SeatCommand::Release { license, seat, common } => common.visit(async |desk| {
            let released = seats::release(&desk.office, &actor(), by_id(license), &seat, None).await?;
            told("The seat is free.\n", &released)
        }),
    }
}

fn row(seat: &Activation) -> [String; 6] {
    [
        seat.id.clone(),
        seat.fingerprint.clone(),
        or_dash(seat.device_name.as_ref()),
        seat.activated_at.to_minutes(),
        seat.last_seen_at.to_minutes(),
        or_dash(seat.deactivated_at.map(|ended| ended.to_minutes())),
    ]
}

fn told(what: &str, seat: &Activation) -> anyhow::Result<Told> {
    let mut lines = Lines::default();
    lines.add("Seat", &seat.id);
    lines.add("Licence", &seat.license_id);
    lines.add("Fingerprint", &seat.fingerprint);
    lines.add("Device", or_dash(seat.device_name.as_ref()));
    lines.add("Since", seat.activated_at);
    lines.add("Given back", or_dash(seat.deactivated_at));
    Ok(Told { text: format!("{what}{lines}"), json: serde_json::to_value(SeatObject::from(seat))? })
}
