use chancery_db::params;
use chancery_license::Environment::{Dev, Prod, Staging};
use chancery_license::PublicKey;

use super::*;
use crate::domain::Permissions;
use crate::service::testing::{Bench, refused};

/// A key that signs for the product.
async fn active(bench: &Bench, slug: &str) -> KnownKey {
    let office = &bench.office;
    let key = create(office, &desk(), slug, None).await.unwrap();
    assert_eq!((key.status, key.environment), (KeyStatus::Pending, Prod));
    activate(office, &desk(), slug, &key.kid).await.unwrap()
}

fn desk() -> Actor {
    Actor::operator("operator")
}

async fn signing(bench: &Bench, product: &Product) -> Result<PublicKey, Failure> {
    let product = product.clone();
    let found =
        bench.office.read(move |office, tx| Ok(current_key(office, tx, &product, Prod)?.public().clone()));
    found.await
}

#[tokio::test]
async fn the_new_key_signs_and_the_old_one_verifies() {
    let bench = Bench::new().await;
    let product = bench.product("my-app").await;
    let office = &bench.office;
    let old = active(&bench, "my-app").await;
    assert_eq!(signing(&bench, &product).await.unwrap(), old.public_key);

    let new = create(office, &desk(), "my-app", None).await.unwrap();
    assert_eq!(refused(published(office, &new.kid).await).code, Code::NotFound);
    assert_eq!(signing(&bench, &product).await.unwrap(), old.public_key);
    activate(office, &desk(), "my-app", &new.kid).await.unwrap();

    assert_eq!(signing(&bench, &product).await.unwrap(), new.public_key);
    let before = published(office, &old.kid).await.unwrap();
    assert_eq!((before.status, before.public_key), (KeyStatus::Retired, old.public_key.clone()));
    let told = bench.told().await;
    let last = told.last().unwrap();
    assert_eq!((last.event.as_str(), &last.details["from"]), ("signing_key.activate", &json!(old.kid)));

    // Back again, and again: the first is a change, the second none.
    for _ in 0..2 {
        activate(office, &desk(), "my-app", &old.kid).await.unwrap();
    }
    assert_eq!(signing(&bench, &product).await.unwrap(), old.public_key);
    assert_eq!(bench.told().await.len(), told.len() + 1);
}

#[tokio::test]
async fn a_withdrawn_key_is_gone() {
    let bench = Bench::new().await;
    let product = bench.product("my-app").await;
    let office = &bench.office;
    let key = active(&bench, "my-app").await;
    signing(&bench, &product).await.unwrap();

    for reason in ["a\nb".to_owned(), "x".repeat(201)] {
        let refusal = refused(withdraw(office, &desk(), "my-app", &key.kid, Some(reason)).await);
        assert_eq!(refusal.details["field"], "reason");
    }
    let reason = Some("a backup was stolen".to_owned());
    let gone = withdraw(office, &desk(), "my-app", &key.kid, reason.clone()).await.unwrap();
    assert_eq!((gone.status, gone.withdrawn_at), (KeyStatus::Withdrawn, Some(bench.now())));
    withdraw(office, &desk(), "my-app", &key.kid, reason).await.unwrap();

    assert_eq!(refused(published(office, &key.kid).await).code, Code::NotFound);
    let refusal = refused(signing(&bench, &product).await);
    assert!(
        refusal.message.contains("signing-key create --product my-app --env prod"),
        "{}",
        refusal.message
    );
    let refusal = refused(activate(office, &desk(), "my-app", &key.kid).await);
    assert!(refusal.message.contains("withdrawn"), "{}", refusal.message);
    let kid = key.kid.clone();
    assert_eq!(bench.write(move |tx| signing_keys::sealed(tx, &kid)).await, None);
    let told: Vec<String> = bench.told().await.into_iter().map(|told| told.event).collect();
    assert_eq!(told, ["signing_key.create", "signing_key.activate", "signing_key.withdraw"]);
}

#[tokio::test]
async fn private_halves_are_sealed() {
    let bench = Bench::new().await;
    bench.product("my-app").await;
    let brought = SigningKey::from_ed25519_seed(&[3; 32]).unwrap();
    let key = import(&bench.office, &desk(), "my-app", None, &brought).await.unwrap();
    let kid = key.kid.clone();
    let sealed = bench.write(move |tx| signing_keys::sealed(tx, &kid)).await.unwrap();
    assert!(!sealed.windows(8).any(|window| window == [3; 8] || window == b"-----BEG"));
    let opened = bench.office.vault.open_text(Purpose::SigningKey, &key.kid, &sealed).unwrap();
    assert_eq!(opened.as_str(), brought.to_pem().unwrap().as_str());
    assert!(!format!("{:?}", bench.told().await).contains("PRIVATE"));
}

#[tokio::test]
async fn a_row_whose_halves_differ_signs_nothing() {
    let bench = Bench::new().await;
    let product = bench.product("my-app").await;
    let key = active(&bench, "my-app").await;
    let other = SigningKey::from_ed25519_seed(&[3; 32]).unwrap().public().to_pem();
    bench
        .write(move |tx| {
            tx.execute("UPDATE signing_keys SET public_key = $1 WHERE kid = $2", params![&other, &key.kid])
        })
        .await;
    assert!(signing(&bench, &product).await.unwrap_err().to_string().contains("do not belong together"));
}

#[tokio::test]
async fn only_new_ed25519_keys_are_taken() {
    let bench = Bench::new().await;
    bench.product("my-app").await;
    bench.product("other-app").await;
    let office = &bench.office;
    let rsa = SigningKey::generate(Method::RsaPkcs1Sha256).unwrap();
    let refusal = refused(import(office, &desk(), "my-app", None, &rsa).await);
    assert!(refusal.message.contains("Ed25519"), "{}", refusal.message);
    let key = SigningKey::from_ed25519_seed(&[3; 32]).unwrap();
    import(office, &desk(), "my-app", None, &key).await.unwrap();
    for (slug, environment) in [("my-app", None), ("my-app", Some(Staging)), ("other-app", None)] {
        let refusal = refused(import(office, &desk(), slug, environment, &key).await);
        assert!(refusal.message.contains("known already"), "{}", refusal.message);
    }
    let missing = refused(create(office, &desk(), "no-app", None).await);
    assert_eq!(missing.code, Code::ProductNotFound);
}

#[tokio::test]
async fn test_keys_reach_test_keys_alone() {
    let bench = Bench::new().await;
    let product = bench.product("my-app").await;
    let office = &bench.office;
    let (live, test) = (bench.secret_key(true).await, bench.secret_key(false).await);
    let real = create(office, &live, "my-app", None).await.unwrap();
    let trial = create(office, &test, "my-app", None).await.unwrap();
    assert_eq!((real.environment, trial.environment), (Prod, Dev));
    assert_eq!(refused(create(office, &test, "my-app", Some(Prod)).await).code, Code::Forbidden);
    assert_eq!(refused(list(office, &live, "my-app", Some(Dev)).await).code, Code::Forbidden);

    assert_eq!(refused(activate(office, &test, "my-app", &real.kid).await).code, Code::NotFound);
    assert_eq!(refused(withdraw(office, &live, "my-app", &trial.kid, None).await).code, Code::NotFound);
    let ids = |keys: Vec<KnownKey>| keys.into_iter().map(|key| key.kid).collect::<Vec<_>>();
    assert_eq!(ids(list(office, &test, "my-app", None).await.unwrap()), std::slice::from_ref(&trial.kid));
    assert_eq!(list(office, &desk(), "my-app", None).await.unwrap().len(), 2);
    assert_eq!(
        ids(list(office, &desk(), "my-app", Some(Prod)).await.unwrap()),
        std::slice::from_ref(&real.kid)
    );

    bench.product("other-app").await;
    assert_eq!(refused(find(office, &desk(), "other-app", &real.kid).await).code, Code::NotFound);
    let elsewhere = Actor { product_id: Some("prd_other".to_owned()), ..live.clone() };
    assert_eq!(refused(find(office, &elsewhere, "my-app", &real.kid).await).code, Code::ProductNotFound);
    let here = Actor { product_id: Some(product.id), ..live.clone() };
    assert_eq!(find(office, &here, "my-app", &real.kid).await.unwrap(), real);
    let nobody = Actor { permissions: Permissions::default(), ..live };
    for refusal in [
        refused(create(office, &nobody, "my-app", None).await),
        refused(list(office, &nobody, "my-app", None).await),
        refused(find(office, &nobody, "my-app", &real.kid).await),
        refused(activate(office, &nobody, "my-app", &real.kid).await),
        refused(withdraw(office, &nobody, "my-app", &real.kid, None).await),
    ] {
        assert_eq!(refusal.details["scope"], "signing:manage");
    }
}
