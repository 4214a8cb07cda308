//! `chancery license force-grace`.

use serde_json::json;

use super::{Told, Visit};
use crate::licensing::change::FORCED_GRACE;

pub(super) async fn run(on: &Visit, confirm: bool) -> anyhow::Result<Told> {
    let grace = on.office.force_grace(confirm, on.now).await?;
    let (until, hours) = (grace.until.to_minutes(), FORCED_GRACE.as_secs() / 3_600);
    let text = if confirm {
        format!(
            "Emergency grace opened — until={}\n  \
             Everything works for {hours} hours, until {until}, as in the grace of the licence.\n  \
             It is given once for each issue of a licence: install a renewed one before it ends.",
            grace.until
        )
    } else {
        format!(
            "The emergency grace would let everything work for {hours} hours, until {until}.\n  \
             It is given once for each issue of a licence, and cannot be taken back.\n\
             Nothing was changed. To open it: chancery license force-grace --confirm -f {}",
            on.config_file()
        )
    };
    let json = json!({
        "opened": confirm,
        "until": grace.until,
        "serial": grace.edition.serial,
        "issued": grace.edition.issued,
    });
    Ok(Told { text, json })
}
