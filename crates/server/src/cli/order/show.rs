//! `chancery order show`.

use anyhow::Context;
use chancery_acme::Identifier;
use chancery_acme::state::AuthorizationStatus;
use chancery_cli::Lines;
use chancery_time::Timestamp;
use serde_json::{Value, json};

use super::{Names, Told, Visit, list};
use crate::store::authorizations::Authorization;
use crate::store::orders::Order;
use crate::store::{authorizations, orders};

pub(super) async fn run(on: &Visit, order: &str) -> anyhow::Result<Told> {
    let names = Names::new(on).await?;
    let (id, now) = (names.order(order)?, on.now);
    let found = on
        .office
        .db
        .read(move |tx| {
            let order = orders::by_id(tx, id)?;
            let mut proofs = Vec::new();
            for authorization in orders::authorization_ids(tx, id)? {
                proofs.extend(authorizations::by_id(tx, authorization)?);
            }
            Ok::<_, anyhow::Error>(order.map(|order| (order, proofs)))
        })
        .await?;
    let (order, proofs) = found.with_context(|| format!("there is no order with the number {id}"))?;
    Ok(Told { text: text(&order, &proofs, &names, now), json: json(&order, &proofs, &names, now) })
}

fn text(order: &Order, proofs: &[Authorization], names: &Names, now: Timestamp) -> String {
    let or_none = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    let mut lines = Lines::default();
    lines.add("Number", order.id);
    lines.add("URL", names.order_url(order.id));
    lines.add("Status", order.status_at(now).name());
    if let Some(approval) = order.approval {
        lines.add("Approval", approval.name());
    }
    if let Some(error) = list::error(order) {
        lines.add("Error", error);
    }
    lines.add("Account", order.account_id);
    lines.add("Profile", or_none(order.profile.clone()));
    for identifier in order.identifiers.as_slice() {
        lines.add("Name", identifier);
    }
    for authorization in proofs {
        let (name, status) = (shown(authorization), standing(authorization, now).name());
        lines.add("Proof", format!("{name} is {status} until {}", authorization.expires_at.to_minutes()));
    }
    lines.add("Made", order.created_at.to_minutes());
    lines.add("Expires", order.expires_at.to_minutes());
    lines.add("Certificate", or_none(order.certificate_id.map(|id| id.to_string())));
    lines.to_string()
}

fn json(order: &Order, proofs: &[Authorization], names: &Names, now: Timestamp) -> Value {
    let proofs: Vec<Value> = proofs
        .iter()
        .map(|authorization| {
            json!({
                "identifier": authorization.identifier,
                "with_subdomains": authorization.with_subdomains,
                "status": standing(authorization, now).name(),
                "expires": authorization.expires_at,
            })
        })
        .collect();
    let mut entry = list::entry(order, names, now);
    if let Value::Object(members) = &mut entry {
        members.insert("authorizations".to_owned(), proofs.into());
    }
    entry
}

fn standing(authorization: &Authorization, now: Timestamp) -> AuthorizationStatus {
    authorization.status.at(now, authorization.expires_at)
}

/// The names that an authorization speaks for.
fn shown(authorization: &Authorization) -> String {
    match &authorization.identifier {
        Identifier::Dns(name) if authorization.with_subdomains => {
            format!("{} with all below it", name.as_str())
        }
        identifier => identifier.to_string(),
    }
}
