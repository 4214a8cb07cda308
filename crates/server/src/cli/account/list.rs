//! `chancery account list`.

use chancery_cli::table;
use serde_json::{Value, json};

use super::{Names, Told, Visit, WantedArgs};
use crate::store::accounts::{self, Listed, Wanted};

pub(super) async fn run(on: &Visit, args: WantedArgs) -> anyhow::Result<Told> {
    let names = Names::new(on).await?;
    let before = match &args.before {
        Some(account) => names.account(account)?,
        None => i64::MAX,
    };
    let wanted = Wanted { status: args.status, contact: args.contact, kid: args.eab };
    // One more tells whether there are more.
    let more = i64::from(args.limit) + 1;
    let mut listed = on.office.db.read(move |tx| accounts::page(tx, &wanted, before, more)).await?;
    let limit = usize::try_from(args.limit)?;
    let has_more = listed.len() > limit;
    listed.truncate(limit);
    let last = listed.last().filter(|_| has_more).map(|listed| listed.account.id);
    let rows: Vec<[String; 5]> = listed.iter().map(row).collect();
    let mut text = match rows.as_slice() {
        [] => "There are no such accounts.\n".to_owned(),
        rows => table(["NUMBER", "STATUS", "MADE", "BOUND TO", "CONTACTS"], rows),
    };
    if let Some(last) = last {
        text.push_str(&format!("There are more: give --before {last}\n"));
    }
    let listed: Vec<_> = listed.iter().map(|listed| entry(listed, &names)).collect();
    Ok(Told { text, json: json!({ "accounts": listed, "before": last }) })
}

fn row(listed: &Listed) -> [String; 5] {
    [
        listed.account.id.to_string(),
        listed.account.status.name().to_owned(),
        listed.created_at.to_minutes(),
        listed.kid.clone().unwrap_or_else(|| "-".to_owned()),
        listed.account.contact.join(" "),
    ]
}

/// An account as JSON.
pub(super) fn entry(listed: &Listed, names: &Names) -> Value {
    json!({
        "number": listed.account.id,
        "url": names.account_url(listed.account.id),
        "status": listed.account.status.name(),
        "created": listed.created_at,
        "contacts": listed.account.contact,
        "eab": listed.kid,
    })
}
