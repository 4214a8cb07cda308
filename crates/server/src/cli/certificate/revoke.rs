//! `chancery certificate revoke`.

use anyhow::Context;

use super::describe;
use super::show::lines;
use super::{Named, Told, Visit};
use crate::audit::operator;
use crate::cli::license::to_seconds;
use crate::service::revocation::{self, Reason, Right};
use crate::store::inventory::{self, Wanted};

pub(super) async fn run(on: &Visit, certificate: Named, reason: Option<Reason>) -> anyhow::Result<Told> {
    let sought = certificate.read()?;
    let (trail, now) = (on.office.trail.clone(), on.now);
    let revoked = on.office.db.write(move |tx| {
        let known = sought.find(tx)?;
        if let Some(at) = known.revoked_at {
            let at = to_seconds(at.whole_seconds());
            anyhow::bail!("the certificate {} was revoked at {at} already, and stays so", known.serial);
        }
        revocation::apply(tx, &known, reason, Right::Operator, now)?;
        trail.tell(tx, &revocation::entry(&known, reason, Right::Operator).by(operator()), now)?;
        let wanted = Wanted { serial: Some(known.serial), ..Wanted::default() };
        inventory::page(tx, &wanted, i64::MAX, 1)?.pop().context("it went away meanwhile")
    });
    let revoked = revoked.await?;
    let mut text = format!("Certificate revoked\n{}", lines(&revoked, on).indented("  "));
    if revoked.account_id.is_none() {
        text += "  The server goes on showing it to clients until it renews it: remove tls/server.pem in its \
                 working directory and start it again to have another at once.\n";
    }
    Ok(Told { text, json: describe::entry(&revoked, on.now) })
}
