//! `chancery license acknowledge-degraded`.

use serde_json::json;

use super::{Told, Visit, bracketed, to_seconds};
use crate::licensing::acknowledgement::short;

pub(super) async fn run(on: &Visit) -> anyhow::Result<Told> {
    let noted = on.office.acknowledge(on.now).await?;
    let text = format!(
        "License degradation acknowledged.\n  Reasons: {}\n  Hash:    {}\n  At:      {}\n\
         The ack will expire automatically if constraints or configuration change.",
        bracketed(noted.reasons.iter().map(String::as_str)),
        short(&noted.hash),
        to_seconds(noted.at),
    );
    Ok(Told { text, json: json!({ "reasons": noted.reasons, "hash": noted.hash, "at": noted.at }) })
}
