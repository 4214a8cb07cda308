//! `chancery certificate show`.

use anyhow::Context;
use chancery_cli::Lines;
use serde_json::{Value, json};

use super::describe;
use super::{Named, Told, Visit};
use crate::cli::license::to_seconds;
use crate::store::inventory::{self, Listed, Wanted};

pub(super) async fn run(on: &Visit, certificate: Named) -> anyhow::Result<Told> {
    let sought = certificate.read()?;
    let read = on.office.db.read(move |tx| {
        let known = sought.find(tx)?;
        let wanted = Wanted { serial: Some(known.serial), ..Wanted::default() };
        let listed = inventory::page(tx, &wanted, i64::MAX, 1)?.pop().context("it went away meanwhile")?;
        Ok::<_, anyhow::Error>((listed, chancery_pki::certificate::pem(&known.der)))
    });
    let (listed, pem) = read.await?;
    let mut json = describe::entry(&listed, on.now);
    if let Value::Object(members) = &mut json {
        members.insert("pem".to_owned(), json!(pem));
    }
    Ok(Told { text: lines(&listed, on).to_string() + &pem, json })
}

/// What is known of a certificate.
pub(super) fn lines(certificate: &Listed, on: &Visit) -> Lines {
    let number =
        |id: Option<i64>| id.map_or_else(|| "none: it is the server's own".to_owned(), |id| id.to_string());
    let mut lines = Lines::default();
    lines.add("Serial", certificate.serial);
    lines.add("Status", describe::status(certificate, on.now));
    if let Some(at) = certificate.revoked_at {
        let reason = describe::reason(certificate).unwrap_or("none given");
        lines.add("Revoked", format!("{}, reason: {reason}", to_seconds(at.whole_seconds())));
    }
    lines.add("Names", describe::names(certificate).join(", "));
    lines.add("Not before", to_seconds(certificate.not_before));
    lines.add("Not after", to_seconds(certificate.not_after));
    lines.add("Issued", to_seconds(certificate.issued_at.whole_seconds()));
    lines.add("Authority", &certificate.authority);
    lines.add("Profile", certificate.profile.as_deref().unwrap_or("-"));
    lines.add("Account", number(certificate.account_id));
    lines.add("Order", number(certificate.order_id));
    lines
}
