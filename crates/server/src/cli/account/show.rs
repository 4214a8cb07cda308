//! `chancery account show`.

use chancery_acme::AccountKey;
use chancery_cli::Lines;
use serde_json::{Value, json};

use super::{Names, Told, Visit, find, list};
use crate::store::accounts::{self, Holdings, Listed};
use crate::store::external_accounts::{self, ExternalAccountKey};

pub(super) async fn run(on: &Visit, account: &str) -> anyhow::Result<Told> {
    let names = Names::new(on).await?;
    let (id, now) = (names.account(account)?, on.now);
    let (listed, holdings, binding) = on
        .office
        .db
        .read(move |tx| {
            let listed = find(tx, id)?;
            let binding = match &listed.kid {
                Some(kid) => external_accounts::by_kid(tx, kid)?,
                None => None,
            };
            Ok::<_, anyhow::Error>((listed, accounts::holdings(tx, id, now)?, binding))
        })
        .await?;
    let key = AccountKey::from_json(&listed.account.jwk)?;
    Ok(Told {
        text: text(&listed, &key, holdings, binding.as_ref(), &names),
        json: json(&listed, &key, holdings, &names),
    })
}

fn text(
    listed: &Listed,
    key: &AccountKey,
    holdings: Holdings,
    binding: Option<&ExternalAccountKey>,
    names: &Names,
) -> String {
    let Holdings { orders, certificates, in_force } = holdings;
    let contacts = listed.account.contact.join(" ");
    let mut lines = Lines::default();
    lines.add("Number", listed.account.id);
    lines.add("URL", names.account_url(listed.account.id));
    lines.add("Status", listed.account.status.name());
    lines.add("Contacts", if contacts.is_empty() { "-" } else { &contacts });
    lines.add("Made", listed.created_at.to_minutes());
    lines.add("Key", format!("{} {}", key.algorithm().name(), key.thumbprint()));
    lines.add(
        "Bound to",
        match binding {
            Some(binding) if binding.label.is_empty() => binding.kid.clone(),
            Some(binding) => format!("{} ({})", binding.kid, binding.label),
            None => "-".to_owned(),
        },
    );
    lines.add("Orders", orders);
    lines.add("Certificates", format!("{certificates} issued, {in_force} of them in force"));
    lines.to_string()
}

fn json(listed: &Listed, key: &AccountKey, holdings: Holdings, names: &Names) -> Value {
    let mut json = list::entry(listed, names);
    if let Value::Object(members) = &mut json {
        members.insert("algorithm".to_owned(), json!(key.algorithm().name()));
        members.insert("thumbprint".to_owned(), json!(key.thumbprint().as_str()));
        members.insert("orders".to_owned(), json!(holdings.orders));
        members.insert("certificates".to_owned(), json!(holdings.certificates));
        members.insert("certificates_in_force".to_owned(), json!(holdings.in_force));
    }
    json
}
