//! `chancery order list`.

use std::fmt::Write as _;

use chancery_acme::{Identifier, Problem};
use chancery_cli::table;
use chancery_time::Timestamp;
use serde_json::{Value, json};

use super::{Names, Told, Visit, WantedArgs};
use crate::store::orders::{self, Order, Wanted};

/// How many names of an order stand on its line.
const SHOWN_NAMES: usize = 3;

pub(super) async fn run(on: &Visit, args: WantedArgs) -> anyhow::Result<Told> {
    let names = Names::new(on).await?;
    let before = args.before.as_deref().map_or(Ok(i64::MAX), |order| names.order(order))?;
    let wanted = Wanted {
        status: args.status,
        approval: args.approval,
        account_id: args.account.as_deref().map(|account| names.account(account)).transpose()?,
        name: args.name.as_ref().map(Identifier::canonical),
        profile: args.profile,
    };
    // One more tells whether there are more.
    let (more, now) = (i64::from(args.limit) + 1, on.now);
    let mut listed = on.office.db.read(move |tx| orders::listed(tx, &wanted, before, more, now)).await?;
    let limit = usize::try_from(args.limit)?;
    let has_more = listed.len() > limit;
    listed.truncate(limit);
    let last = listed.last().filter(|_| has_more).map(|order| order.id);
    let rows: Vec<[String; 7]> = listed.iter().map(|order| row(order, now)).collect();
    let mut text = match rows.as_slice() {
        [] => "There are no such orders.\n".to_owned(),
        rows => table(["NUMBER", "STATUS", "APPROVAL", "ACCOUNT", "PROFILE", "MADE", "NAMES"], rows),
    };
    if let Some(last) = last {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "There are more: give --before {last}");
    }
    let listed: Vec<Value> = listed.iter().map(|order| entry(order, &names, now)).collect();
    Ok(Told { text, json: json!({ "orders": listed, "before": last }) })
}

fn row(order: &Order, now: Timestamp) -> [String; 7] {
    [
        order.id.to_string(),
        order.status_at(now).name().to_owned(),
        order.approval.map_or("-", |approval| approval.name()).to_owned(),
        order.account_id.to_string(),
        order.profile.clone().unwrap_or_else(|| "-".to_owned()),
        order.created_at.to_minutes(),
        shown_names(order),
    ]
}

fn shown_names(order: &Order) -> String {
    let names = order.identifiers.as_slice();
    let mut shown = names.iter().take(SHOWN_NAMES).map(ToString::to_string).collect::<Vec<_>>().join(" ");
    let left = names.len().saturating_sub(SHOWN_NAMES);
    if left > 0 {
        // Writing to a String cannot fail.
        let _ = write!(shown, " and {left} more");
    }
    shown
}

/// An order as JSON.
pub(super) fn entry(order: &Order, names: &Names, now: Timestamp) -> Value {
    json!({
        "number": order.id,
        "url": names.order_url(order.id),
        "status": order.status_at(now).name(),
        "approval": order.approval.map(|approval| approval.name()),
        "account": order.account_id,
        "profile": order.profile,
        "identifiers": order.identifiers.as_slice(),
        "created": order.created_at,
        "expires": order.expires_at,
        "not_before": order.not_before,
        "not_after": order.not_after,
        "replaces": order.replaces,
        "certificate": order.certificate_id,
        "error": order.error.as_deref().and_then(|error| serde_json::from_str::<Value>(error).ok()),
    })
}

/// What went wrong with an order, in words.
pub(super) fn error(order: &Order) -> Option<String> {
    let problem: Value = serde_json::from_str(order.error.as_deref()?).ok()?;
    let detail = problem.get("detail").and_then(Value::as_str).map(str::to_owned);
    detail.or_else(|| Some(Problem::internal().detail().to_owned()))
}
