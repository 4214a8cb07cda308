//! Which authorizations answer for which names.

use chancery_db::{Config, Db, params};
use chancery_testkit::Workdir;

use super::*;
use crate::store::MIGRATIONS;

const NOW: Timestamp = Timestamp::from_unix_seconds(1_000);

/// An authorization of account 1 under the profile `web` that is valid for a while, unless it says otherwise.
struct Held {
    identifier: &'static str,
    with_subdomains: bool,
    account_id: i64,
    status: &'static str,
    profile: &'static str,
    lasts: i64,
    /// Whether a challenge was passed for it.
    proven: bool,
}

const fn held(identifier: &'static str) -> Held {
    Held {
        identifier,
        with_subdomains: false,
        account_id: 1,
        status: "valid",
        profile: "web",
        lasts: 1,
        proven: true,
    }
}

const fn with_all_below(identifier: &'static str) -> Held {
    Held { with_subdomains: true, ..held(identifier) }
}

async fn answers(held: Held, name: &str) -> bool {
    let files = Workdir::new();
    let db = Db::open(&Config::Sqlite { path: files.join("chancery.db") }, MIGRATIONS).await.unwrap();
    let identifier = Identifier::from_canonical(name).unwrap();
    let answer = db.write(move |tx| {
        for account in [1_i64, 2] {
            tx.execute(
                "INSERT INTO accounts (id, thumbprint, jwk, spki, status, contact, created_at)
                 VALUES ($1, $2, '{}', $3, 'valid', '[]', 0)",
                params![account, &account.to_string(), account.to_be_bytes().as_slice()],
            )?;
        }
        tx.execute(
            "INSERT INTO authorizations
             (id, account_id, identifier, status, expires_at, created_at, profile, with_subdomains)
             VALUES (1, $1, $2, $3, $4, 0, $5, $6)",
            params![
                held.account_id,
                held.identifier,
                held.status,
                NOW.unix_millis() + held.lasts,
                held.profile,
                i64::from(held.with_subdomains)
            ],
        )?;
        for status in ["invalid", if held.proven { "valid" } else { "pending" }] {
            tx.execute(
                "INSERT INTO challenges (authorization_id, type, token, status) VALUES (1, 'dns-01', '', $1)",
                params![status],
            )?;
        }
        answers_for(tx, 1, &identifier, "web", NOW)
    });
    answer.await.unwrap()
}

#[tokio::test]
async fn a_name_is_answered_for_by_its_own_authorization_and_those_above_that_say_so() {
    for (authorization, name, expected) in [
        (held("dns:a.test"), "dns:a.test", true),
        (with_all_below("dns:a.test"), "dns:a.test", true),
        (held("ip:2001:db8::1"), "ip:2001:db8::1", true),
        (held("ip:2001:db8::1"), "ip:2001:db8::2", false),
        (held("dns:a.test"), "dns:b.test", false),
        (held("dns:a.test"), "dns:x.a.test", false),
        (with_all_below("dns:a.test"), "dns:x.a.test", true),
        (with_all_below("dns:a.test"), "dns:y.x.a.test", true),
        (with_all_below("dns:a.test"), "dns:xa.test", false),
        (with_all_below("dns:x.a.test"), "dns:a.test", false),
        // A wildcard is a name of its own, and lies below its base.
        (held("dns:*.a.test"), "dns:*.a.test", true),
        (held("dns:a.test"), "dns:*.a.test", false),
        (with_all_below("dns:a.test"), "dns:*.a.test", true),
        (with_all_below("dns:test"), "dns:*.a.test", true),
        (held("dns:*.a.test"), "dns:x.a.test", false),
        (held("dns:*.a.test"), "dns:a.test", false),
        // What is another's, another profile's, over or not yet there does not count.
        (Held { account_id: 2, ..held("dns:a.test") }, "dns:a.test", false),
        (Held { profile: "other", ..held("dns:a.test") }, "dns:a.test", false),
        (Held { lasts: 0, ..held("dns:a.test") }, "dns:a.test", false),
        (Held { status: "pending", ..held("dns:a.test") }, "dns:a.test", false),
        (Held { status: "deactivated", ..held("dns:a.test") }, "dns:a.test", false),
        // Nor does what was given without a proof.
        (Held { proven: false, ..held("dns:a.test") }, "dns:a.test", false),
        (Held { proven: false, ..with_all_below("dns:a.test") }, "dns:x.a.test", false),
    ] {
        let what = format!("{} ({}) for {name}", authorization.identifier, authorization.with_subdomains);
        assert_eq!(answers(authorization, name).await, expected, "{what}");
    }
}
