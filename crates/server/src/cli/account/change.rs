//! `chancery account contacts` and `chancery account revoke`.

use chancery_acme::Problem;
use chancery_acme::payload::check_contacts;
use chancery_acme::state::AccountStatus;
use serde_json::json;

use super::{Names, Told, Visit, find, list};
use crate::audit::operator;
use crate::audit::{Entry, events};
use crate::store::accounts;

pub(super) async fn contacts(on: &Visit, account: &str, contacts: Vec<String>) -> anyhow::Result<Told> {
    check_contacts(&contacts).map_err(|problem| anyhow::anyhow!("{}", problem.detail()))?;
    let names = Names::new(on).await?;
    let (id, now, trail) = (names.account(account)?, on.now, on.office.trail.clone());
    let listed = on
        .office
        .db
        .write(move |tx| {
            find(tx, id)?;
            accounts::set_contact(tx, id, &contacts)?;
            let entry = Entry::new(events::ACCOUNT_UPDATE, json!({ "contacts": contacts }));
            trail.tell(tx, &entry.account(id).by(operator()), now)?;
            find(tx, id)
        })
        .await?;
    let contacts = match listed.account.contact.as_slice() {
        [] => "none".to_owned(),
        contacts => contacts.join(" "),
    };
    Ok(Told {
        text: format!("Contacts changed — account={id} contacts={contacts}"),
        json: list::entry(&listed, &names),
    })
}

pub(super) async fn revoke(on: &Visit, account: &str) -> anyhow::Result<Told> {
    let names = Names::new(on).await?;
    let (id, now, trail) = (names.account(account)?, on.now, on.office.trail.clone());
    let (listed, holdings) = on
        .office
        .db
        .write(move |tx| {
            let status = find(tx, id)?.account.status;
            anyhow::ensure!(
                status == AccountStatus::Valid,
                "the account is {} already, which cannot be undone",
                status.name()
            );
            let why = Problem::unauthorized("the account was revoked");
            accounts::end(tx, id, AccountStatus::Revoked, &why)?;
            let entry = Entry::new(events::ACCOUNT_REVOKE, json!({})).account(id);
            trail.tell(tx, &entry.by(operator()), now)?;
            Ok::<_, anyhow::Error>((find(tx, id)?, accounts::holdings(tx, id, now)?))
        })
        .await?;
    let text = format!(
        "Account revoked — account={id}\n  {} of its certificates are in force and stay so.\n  Whoever holds its key \
         can register again with another one: where accounts need an external account binding, revoke that key, \
         too (`chancery eab revoke`).\n",
        holdings.in_force
    );
    Ok(Told { text, json: list::entry(&listed, &names) })
}
