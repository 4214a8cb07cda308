//! `chancery license install`.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Context;
use chancery_time::Timestamp;
use serde_json::{Value, json};

use super::describe::{document, holder, license_json};
use super::{Told, Visit, bracketed};
use crate::licensing::boot::Reason;
use crate::licensing::facts::Facts;
use crate::licensing::intake::{Brought, Taken};

pub(super) async fn run(on: &Visit, file: &Path, brought: Brought, force: bool) -> anyhow::Result<Told> {
    let taken = on.office.install(brought, force, on.now).await;
    let taken = taken.with_context(|| format!("{} is not installed", file.display()))?;
    Ok(Told { text: text(&taken, on.now), json: json(&taken) })
}

pub(super) fn text(taken: &Taken, now: Timestamp) -> String {
    match taken {
        Taken::License { facts, in_effect, overruled } => license_text(facts, *in_effect, overruled, now),
        Taken::Revocations { sequence, revokes_installed } => {
            let mut text = format!("Revocation list installed — sequence={sequence}\n");
            if *revokes_installed {
                text.push_str(
                    "  IT REVOKES THE INSTALLED LICENCE: orders are refused from now on, and the server does not \
                     start again until another licence is installed.\n",
                );
            }
            text
        }
        Taken::Keys { sequence, withdraws_installed } => {
            let warning = if *withdraws_installed {
                "\nTHE INSTALLED LICENCE NO LONGER COUNTS: the manifest withdraws the key that signed it. Install one that is signed anew."
            } else {
                ""
            };
            format!("Key manifest installed — sequence={sequence}{warning}")
        }
        Taken::Unchanged => "Already installed: nothing changed.".to_owned(),
    }
}

fn license_text(facts: &Facts, in_effect: bool, overruled: &[Reason], now: Timestamp) -> String {
    let terms = &facts.terms;
    let mut text = format!("License installed — plan={} expires={}\n", facts.plan, terms.expires);
    // Writing to a String cannot fail.
    let _ = writeln!(text, "  Holder: {}", holder(facts));
    let _ = writeln!(text, "  Document: {}", document(facts));
    if terms.not_before > now {
        let begins = terms.not_before;
        let until_then = if in_effect {
            "it does not count until then"
        } else {
            "the licence before it counts until then"
        };
        let _ = writeln!(text, "  Takes effect: {begins} ({until_then})");
    } else if !in_effect {
        let _ =
            writeln!(text, "  Takes effect: not as long as the other document of the same issue is there");
    }
    if !overruled.is_empty() {
        let _ = writeln!(text, "  Reasons: {}", bracketed(overruled.iter().map(|reason| reason.name())));
        let _ = writeln!(
            text,
            "  It does not fit this installation, which --force overruled: under it the server refuses to start until \
             `chancery license acknowledge-degraded` is run, and refuses new orders that go beyond the licence."
        );
    }
    text
}

pub(super) fn json(taken: &Taken) -> Value {
    match taken {
        Taken::License { facts, in_effect, overruled } => json!({
            "installed": "license",
            "license": license_json(facts),
            "in_effect": in_effect,
            "overruled": overruled.iter().map(|reason| reason.name()).collect::<Vec<_>>(),
        }),
        Taken::Revocations { sequence, revokes_installed } => json!({
            "installed": "revocations",
            "sequence": sequence,
            "revokes_installed": revokes_installed,
        }),
        Taken::Keys { sequence, withdraws_installed } => {
            json!({ "installed": "keys", "sequence": sequence, "withdraws_installed": withdraws_installed })
        }
        Taken::Unchanged => json!({ "installed": null }),
    }
}
