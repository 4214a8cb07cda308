//! `chancery order approve` and `chancery order reject`.

use chancery_db::ReadTx;

use super::{Names, Told, Visit, list};
use crate::audit::operator;
use crate::licensing::basis::Basis;
use crate::service::approval::{self, Decision, Refusal};
use crate::store::orders::{self, Order};

pub(super) async fn approve(on: &Visit, order: &str, reason: Option<String>) -> anyhow::Result<Told> {
    let (names, decision) = prepare(on, order, reason).await?;
    let (office, snapshot) = (on.office.clone(), on.office.snapshot().await?);
    let basis = Basis::new(&snapshot, office.configuration, on.now, None, &office.build);
    let decided = office
        .db
        .clone()
        .write(move |tx| {
            approval::approve(tx, &office.trail, &basis, &decision)?;
            find(tx, decision.order_id)
        })
        .await?;
    let text = "The certificate is issued by the server within seconds, or at its next start.";
    Ok(told(on, &names, &decided, "Order approved", text))
}

pub(super) async fn reject(on: &Visit, order: &str, reason: Option<String>) -> anyhow::Result<Told> {
    let (names, decision) = prepare(on, order, reason).await?;
    let trail = on.office.trail.clone();
    let decided = on
        .office
        .db
        .write(move |tx| {
            approval::reject(tx, &trail, &decision)?;
            find(tx, decision.order_id)
        })
        .await?;
    Ok(told(on, &names, &decided, "Order rejected", "Its client finds it invalid, and why."))
}

async fn prepare(on: &Visit, order: &str, reason: Option<String>) -> anyhow::Result<(Names, Decision)> {
    let names = Names::new(on).await?;
    let order_id = names.order(order)?;
    Ok((names, Decision { order_id, actor: operator(), reason, now: on.now }))
}

/// The order as the decision left it.
fn find(tx: &mut ReadTx<'_>, id: i64) -> Result<Order, Refusal> {
    orders::by_id(tx, id)?.ok_or(Refusal::Unknown(id))
}

fn told(on: &Visit, names: &Names, order: &Order, deed: &str, then: &str) -> Told {
    let identifiers = order.identifiers.as_slice().iter().map(ToString::to_string);
    let identifiers = identifiers.collect::<Vec<_>>().join(" ");
    Told {
        text: format!("{deed} — order={} names=[{identifiers}]\n  {then}", order.id),
        json: list::entry(order, names, on.now),
    }
}
