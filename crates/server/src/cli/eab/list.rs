//! `chancery eab list`.

use chancery_cli::table;
use serde_json::json;

use super::{Told, Visit, find, shown};
use crate::store::external_accounts::{self, Listed};

pub(super) async fn run(on: &Visit, limit: u32, before: Option<String>) -> anyhow::Result<Told> {
    let (mut keys, limit) = (
        on.office
            .db
            .read(move |tx| {
                let before = match &before {
                    Some(kid) => find(tx, kid)?.key.id,
                    None => i64::MAX,
                };
                // One more tells whether there are more.
                Ok::<_, anyhow::Error>(external_accounts::page(tx, before, i64::from(limit) + 1)?)
            })
            .await?,
        usize::try_from(limit)?,
    );
    let has_more = keys.len() > limit;
    keys.truncate(limit);
    let last = keys.last().filter(|_| has_more).map(|last| last.key.kid.as_str());
    let rows: Vec<[String; 6]> = keys
        .iter()
        .map(|Listed { key, accounts }| {
            [
                key.kid.clone(),
                key.standing(on.now).name().to_owned(),
                shown::uses_left(key),
                accounts.to_string(),
                shown::expires(key),
                key.label.clone(),
            ]
        })
        .collect();
    let mut text = match rows.as_slice() {
        [] => "There are no keys: `chancery eab create` makes one.\n".to_owned(),
        rows => table(["KEY", "STATE", "USES LEFT", "ACCOUNTS", "EXPIRES", "LABEL"], rows),
    };
    if let Some(kid) = last {
        text.push_str(&format!("There are more: give --before {kid}\n"));
    }
    let listed: Vec<_> = keys.iter().map(|key| shown::json(key, on.now)).collect();
    Ok(Told { text, json: json!({ "keys": listed, "before": last }) })
}
