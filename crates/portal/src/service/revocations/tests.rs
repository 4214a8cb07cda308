use std::time::Duration;

use chancery_license::Environment::{Dev, Prod};
use chancery_license::revocations::Reason;
use chancery_license::{Anchor, Keyring, TrustAnchors, open};

use super::*;
use crate::domain::Code;
use crate::service::testing::{Bench, refused, terms};
use crate::store::revocations::NewRevocation;

const DAY: Duration = Duration::from_secs(86_400);

fn desk() -> Actor {
    Actor::operator("operator")
}

async fn signing_key(bench: &Bench, slug: &str) -> String {
    let key = signing::create(&bench.office, &desk(), slug, None).await.unwrap();
    signing::activate(&bench.office, &desk(), slug, &key.kid).await.unwrap().kid
}

/// Revokes a licence of the product, or one issue of it, as services do; the licence's id.
async fn revoke(bench: &Bench, product: &Product, serial: Option<u64>, reason: Reason) -> String {
    let (license, _) = bench.license(product, terms("pro"), |_| {}).await;
    let (product, id, now) = (product.clone(), license.id.clone(), bench.now());
    bench
        .office
        .write(move |office, tx| {
            let new = NewRevocation {
                product_id: &product.id,
                environment: Prod,
                license_id: &id,
                serial,
                reason,
                revoked_at: now,
            };
            // Again is as good as once.
            revocations::insert(tx, &new)?;
            revocations::insert(tx, &new)?;
            issue_in(office, tx, &product, Prod, now)?;
            Ok(())
        })
        .await
        .unwrap();
    license.id
}

async fn newest_list(bench: &Bench) -> SignedList {
    newest(&bench.office, &desk(), "my-app", None).await.unwrap().1
}

/// What the list says, by the key that signs.
async fn read(bench: &Bench, list: &SignedList) -> RevocationList {
    let keys = signing::list(&bench.office, &desk(), "my-app", None).await.unwrap();
    let anchors = keys.into_iter().filter(|key| key.status.verifies()).map(|key| Anchor {
        key: key.public_key,
        product: "my-app".to_owned(),
        environment: Prod,
    });
    let anchors = TrustAnchors::new(anchors.collect()).unwrap();
    let keyring = Keyring::new(&anchors, "my-app", Prod).unwrap();
    open::<RevocationList>(&list.body, &keyring).unwrap().into_document().body
}

#[tokio::test]
async fn each_revocation_is_told_by_a_list_with_a_higher_number() {
    let bench = Bench::new().await;
    let product = bench.product("my-app").await;
    signing_key(&bench, "my-app").await;
    let first = revoke(&bench, &product, None, Reason::Unpaid).await;
    let list = newest_list(&bench).await;
    assert_eq!((list.sequence, list.entries, list.next_update), (1, 1, bench.now() + 30 * DAY));

    bench.advance(DAY);
    revoke(&bench, &product, Some(9), Reason::Superseded).await;
    revoke(&bench, &product, Some(4), Reason::Superseded).await;
    let second = revoke(&bench, &product, None, Reason::Misused).await;
    let list = newest_list(&bench).await;
    assert_eq!((list.sequence, list.entries), (4, 4));
    let body = read(&bench, &list).await;
    assert_eq!(body.sequence, 4);
    assert_eq!(body.find(&first, 0), Some((bench.now() - DAY, Reason::Unpaid)));
    assert_eq!(body.find(&second, 0), Some((bench.now(), Reason::Misused)));
    assert_eq!(body.serials.iter().map(|entry| entry.what).collect::<Vec<_>>(), [4, 9]);

    let told = bench.told().await;
    let issued: Vec<_> = told.iter().filter(|told| told.event == "document.revocations").collect();
    assert_eq!(issued.len(), 4);
    assert_eq!(issued[3].details["digest"], sha256_hex(list.body.as_bytes()));

    let newer = async |than| {
        let product = product.clone();
        bench.office.read(move |_, tx| newer_than(tx, &product, Prod, than)).await.unwrap()
    };
    assert_eq!((newer(3).await, newer(4).await), (Some(list.body), None));
}

#[tokio::test]
async fn a_revocation_waits_for_a_key_that_can_tell_of_it() {
    let bench = Bench::new().await;
    let product = bench.product("my-app").await;
    let id = revoke(&bench, &product, None, Reason::Unpaid).await;
    let told = bench.told().await.pop().unwrap();
    assert_eq!(told.event, "document.revocations_failed");
    assert!(told.details["reason"].as_str().unwrap().contains("signing-key create"));
    assert_eq!(refused(newest(&bench.office, &desk(), "my-app", None).await).code, Code::NotFound);
    assert_eq!(issue_due(&bench.office).await.unwrap(), 0);
    assert!(
        refused(issue(&bench.office, &desk(), "my-app", None).await).message.contains("signing-key create")
    );

    let old = signing_key(&bench, "my-app").await;
    let list = newest_list(&bench).await;
    assert!(read(&bench, &list).await.find(&id, 0).is_some());

    // Withdrawn, and one more: it is told of as soon as there is a key again, and all by that key.
    signing::withdraw(&bench.office, &desk(), "my-app", &old, None).await.unwrap();
    let id = revoke(&bench, &product, None, Reason::Unpaid).await;
    assert_eq!(newest_list(&bench).await, list);
    let new = signing_key(&bench, "my-app").await;
    let list = newest_list(&bench).await;
    assert_eq!(list.entries, 2);
    assert!(read(&bench, &list).await.find(&id, 0).is_some());
    let last = bench.told().await.pop().unwrap();
    assert_eq!(last.details["kid"], new);
    assert_eq!(issue_due(&bench.office).await.unwrap(), 0);
}

#[tokio::test]
async fn a_list_is_signed_anew_when_half_of_its_time_has_passed() {
    let bench = Bench::new().await;
    let product = bench.product("my-app").await;
    bench.product("silent").await;
    signing_key(&bench, "my-app").await;
    signing_key(&bench, "silent").await;
    // Nothing was revoked: there is nothing to tell.
    assert_eq!(issue_due(&bench.office).await.unwrap(), 0);
    revoke(&bench, &product, None, Reason::Unpaid).await;
    bench.advance(15 * DAY - Duration::from_secs(1));
    assert_eq!(issue_due(&bench.office).await.unwrap(), 0);
    bench.advance(Duration::from_secs(1));
    assert_eq!(issue_due(&bench.office).await.unwrap(), 1);
    assert_eq!(issue_due(&bench.office).await.unwrap(), 0);
    let list = newest_list(&bench).await;
    assert_eq!((list.sequence, list.issued_at), (2, bench.now()));
    assert_eq!(list.next_update, bench.now() + 30 * DAY);
}

#[tokio::test]
async fn an_entry_that_no_list_tells_of_is_found() {
    let bench = Bench::new().await;
    let product = bench.product("my-app").await;
    signing_key(&bench, "my-app").await;
    revoke(&bench, &product, None, Reason::Unpaid).await;
    let (license, _) = bench.license(&product, terms("pro"), |_| {}).await;
    let now = bench.now();
    bench
        .write(move |tx| {
            let new = NewRevocation {
                product_id: &product.id,
                environment: Prod,
                license_id: &license.id,
                serial: None,
                reason: Reason::Cancelled,
                revoked_at: now,
            };
            revocations::insert(tx, &new)
        })
        .await;
    assert_eq!(issue_due(&bench.office).await.unwrap(), 1);
    assert_eq!(newest_list(&bench).await.entries, 2);
}

#[tokio::test]
async fn lists_are_for_whom_they_are_for() {
    let bench = Bench::new().await;
    bench.product("my-app").await;
    signing_key(&bench, "my-app").await;
    issue(&bench.office, &desk(), "my-app", None).await.unwrap();
    let (live, test) = (bench.secret_key(true).await, bench.secret_key(false).await);
    assert!(newest(&bench.office, &live, "my-app", None).await.is_ok());
    assert_eq!(refused(newest(&bench.office, &test, "my-app", Some(Prod)).await).code, Code::Forbidden);
    assert_eq!(refused(newest(&bench.office, &test, "my-app", Some(Dev)).await).code, Code::NotFound);
    let field = Actor { permissions: [Permission::Use].into_iter().collect(), ..live };
    assert!(newest(&bench.office, &field, "my-app", None).await.is_ok());
    assert_eq!(refused(issue(&bench.office, &field, "my-app", None).await).code, Code::Forbidden);
}
