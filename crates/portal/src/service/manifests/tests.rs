use std::time::Duration;

use chancery_license::Environment::{Dev, Prod};
use chancery_license::manifest::IssuingKey;
use chancery_license::{RevocationList, SigningKey};

use super::*;
use crate::issue::Issuer;
use crate::service::testing::{Bench, refused};
use crate::service::{revocations, signing};
use crate::store::signing_keys::KnownKey;

const DAY: Duration = Duration::from_secs(86_400);
const BOTH: [Use; 2] = [Use::License, Use::Revocations];

/// What lies offline.
fn offline(seed: u8) -> SigningKey {
    SigningKey::from_ed25519_seed(&[seed; 32]).unwrap()
}

fn desk() -> Actor {
    Actor::operator("operator")
}

/// A manifest by that root, as `keys manifest` signs it: it lists the keys for 30 days.
fn signed(
    bench: &Bench,
    root: SigningKey,
    next_root: Option<&SigningKey>,
    sequence: u64,
    keys: &[(&KnownKey, &[Use])],
) -> String {
    let now = bench.now();
    let listed = keys.iter().map(|(key, uses)| IssuingKey {
        key: key.public_key.clone(),
        not_before: now,
        not_after: now + 30 * DAY,
        uses: uses.to_vec(),
    });
    let manifest = KeyManifest {
        sequence,
        next_root: next_root.map(|next| next.public().clone()),
        keys: listed.collect(),
    };
    Issuer::new("chancery", Prod, root).unwrap().manifest(manifest, next_root, now).unwrap()
}

/// A portal with a product whose root is offline, and a key that waits.
async fn ceremony() -> (Bench, KnownKey) {
    let bench = Bench::new().await;
    bench.product_of_kind("chancery", Kind::Chancery).await;
    set_root(&bench.office, &desk(), "chancery", None, offline(1).public(), false).await.unwrap();
    let key = signing::create(&bench.office, &desk(), "chancery", None).await.unwrap();
    (bench, key)
}

async fn taken(bench: &Bench, text: &str) -> Result<u64, Failure> {
    Ok(take(&bench.office, &desk(), "chancery", None, text).await?.1.sequence)
}

/// What a program is sent that has the manifests up to that number.
async fn sent(bench: &Bench, held: u64) -> Vec<String> {
    let manifests = bench.office.read(move |_, tx| {
        let product = scope::product(tx, &desk(), "chancery")?;
        newer_than(tx, &product, Prod, held)
    });
    manifests.await.unwrap()
}

/// What a program that was built with the first root makes of the newest list.
async fn believed(bench: &Bench) -> Result<u64, DocumentError> {
    let (_, list) = revocations::newest(&bench.office, &desk(), "chancery", None).await.unwrap();
    let anchor =
        Anchor { key: offline(1).public().clone(), product: "chancery".to_owned(), environment: Prod };
    let mut keyring = Keyring::new(&TrustAnchors::new(vec![anchor]).unwrap(), "chancery", Prod).unwrap();
    for manifest in sent(bench, 0).await {
        keyring = keyring.admit(&manifest)?;
    }
    Ok(open::<RevocationList>(&list.body, &keyring)?.body().sequence)
}

#[tokio::test]
async fn a_key_signs_once_the_offline_root_vouches_for_it() {
    let (bench, key) = ceremony().await;
    let office = &bench.office;
    let refusal = refused(signing::activate(office, &desk(), "chancery", &key.kid).await);
    assert!(refusal.message.contains("does not list the signing key"), "{}", refusal.message);
    assert_eq!(refusal.details["key_id"], key.kid);

    let for_licences_alone = signed(&bench, offline(1), None, 1, &[(&key, &[Use::License])]);
    assert_eq!(taken(&bench, &for_licences_alone).await.unwrap(), 1);
    let refusal = refused(signing::activate(office, &desk(), "chancery", &key.kid).await);
    assert!(refusal.message.contains("may not sign a revocation list"), "{}", refusal.message);

    let for_both = signed(&bench, offline(1), None, 2, &[(&key, &BOTH)]);
    assert_eq!(taken(&bench, &for_both).await.unwrap(), 2);
    signing::activate(office, &desk(), "chancery", &key.kid).await.unwrap();
    revocations::issue(office, &desk(), "chancery", None).await.unwrap();
    assert_eq!(believed(&bench).await, Ok(1));
    let (environment, newest) = newest(office, &desk(), "chancery", None).await.unwrap();
    assert_eq!((environment, newest.sequence, newest.body), (Prod, 2, for_both));

    // What the manifest allows ends, and with it what the portal signs.
    bench.advance(31 * DAY);
    let refusal = refused(revocations::issue(office, &desk(), "chancery", None).await);
    assert!(refusal.message.contains("was not valid on"), "{}", refusal.message);
    let renewed = signed(&bench, offline(1), None, 3, &[(&key, &BOTH)]);
    taken(&bench, &renewed).await.unwrap();
    revocations::issue(office, &desk(), "chancery", None).await.unwrap();
    assert_eq!(believed(&bench).await, Ok(2));
}

#[tokio::test]
async fn manifests_that_programs_would_refuse_are_refused() {
    let (bench, key) = ceremony().await;
    let good = signed(&bench, offline(1), None, 2, &[(&key, &BOTH)]);
    taken(&bench, &good).await.unwrap();
    for (text, why) in [
        (good.clone(), "is not newer than number 2"),
        (signed(&bench, offline(1), None, 1, &[]), "is not newer than number 2"),
        (signed(&bench, offline(2), None, 3, &[]), "by no key that is known here"),
        ("no manifest".to_owned(), "armour"),
    ] {
        let refusal = refused(taken(&bench, &text).await);
        assert_eq!(refusal.details["field"], "manifest");
        assert!(refusal.message.contains(why), "{}", refusal.message);
    }
    let refusal = refused(take(&bench.office, &desk(), "chancery", Some(Dev), &good).await);
    assert!(refusal.message.contains("signing-root set"), "{}", refusal.message);
    let events: Vec<String> = bench.told().await.into_iter().map(|told| told.event).collect();
    assert_eq!(events, ["signing_root.set", "signing_key.create", "key_manifest.take"]);
}

#[tokio::test]
async fn a_root_hands_over_by_a_manifest() {
    let (bench, key) = ceremony().await;
    taken(&bench, &signed(&bench, offline(1), Some(&offline(2)), 1, &[(&key, &BOTH)])).await.unwrap();
    let by_the_old = signed(&bench, offline(1), None, 2, &[(&key, &BOTH)]);
    assert!(refused(taken(&bench, &by_the_old).await).message.contains("may not sign a key manifest"));
    taken(&bench, &signed(&bench, offline(2), None, 2, &[(&key, &BOTH)])).await.unwrap();
    signing::activate(&bench.office, &desk(), "chancery", &key.kid).await.unwrap();
    revocations::issue(&bench.office, &desk(), "chancery", None).await.unwrap();
    assert_eq!(believed(&bench).await, Ok(1));
    // The root that is shown stays the one that programs are built with.
    let shown = root(&bench.office, &desk(), "chancery", None).await.unwrap();
    assert_eq!(&shown.root.public_key, offline(1).public());
}

#[tokio::test]
async fn only_the_manifests_that_are_needed_are_sent() {
    let (bench, key) = ceremony().await;
    let mut texts = Vec::new();
    for sequence in 1..=40 {
        // Number 20 hands over.
        let (root, next) = if sequence <= 20 { (1, 2) } else { (2, 2) };
        let next = (sequence == 20).then(|| offline(next));
        texts.push(signed(&bench, offline(root), next.as_ref(), sequence, &[(&key, &BOTH)]));
        taken(&bench, texts.last().unwrap()).await.unwrap();
    }
    assert_eq!(sent(&bench, 0).await, [texts[19].clone(), texts[39].clone()]);
    assert_eq!(sent(&bench, 20).await, [texts[39].clone()]);
    assert!(sent(&bench, 40).await.is_empty());
    signing::activate(&bench.office, &desk(), "chancery", &key.kid).await.unwrap();
    revocations::issue(&bench.office, &desk(), "chancery", None).await.unwrap();
    assert_eq!(believed(&bench).await, Ok(1));
}

#[tokio::test]
async fn a_program_that_many_roots_passed_by_catches_up_in_steps() {
    let (bench, key) = ceremony().await;
    let mut texts = Vec::new();
    for sequence in 1..=20 {
        let (root, next) = (u8::try_from(sequence).unwrap(), u8::try_from(sequence + 1).unwrap());
        texts.push(signed(&bench, offline(root), Some(&offline(next)), sequence, &[(&key, &BOTH)]));
        taken(&bench, texts.last().unwrap()).await.unwrap();
    }
    assert_eq!(sent(&bench, 0).await, texts[..MAX_SENT]);
    assert_eq!(sent(&bench, 16).await, texts[MAX_SENT..]);
}

#[tokio::test]
async fn another_root_takes_force() {
    let (bench, key) = ceremony().await;
    let office = &bench.office;
    taken(&bench, &signed(&bench, offline(1), None, 1, &[(&key, &BOTH)])).await.unwrap();
    signing::activate(office, &desk(), "chancery", &key.kid).await.unwrap();
    let set =
        |key: PublicKey, force| async move { set_root(office, &desk(), "chancery", None, &key, force).await };
    assert_eq!(set(offline(1).public().clone(), true).await.unwrap().forgotten, 0);
    let refusal = refused(set(offline(2).public().clone(), false).await);
    assert!(refusal.message.contains("--force"), "{}", refusal.message);
    assert_eq!(&root(office, &desk(), "chancery", None).await.unwrap().root.public_key, offline(1).public());

    assert_eq!(set(offline(2).public().clone(), true).await.unwrap().forgotten, 1);
    assert_eq!(bench.told().await.pop().unwrap().details["forgotten"], 1);
    let refusal = refused(revocations::issue(office, &desk(), "chancery", None).await);
    assert!(refusal.message.contains("does not list the signing key"), "{}", refusal.message);
    taken(&bench, &signed(&bench, offline(2), None, 1, &[(&key, &BOTH)])).await.unwrap();
    revocations::issue(office, &desk(), "chancery", None).await.unwrap();
}

#[tokio::test]
async fn a_root_is_offline_and_of_a_product_with_installations() {
    let (bench, key) = ceremony().await;
    let office = &bench.office;
    let refusal = refused(set_root(office, &desk(), "chancery", None, &key.public_key, true).await);
    assert!(refusal.message.contains("is a signing key of this portal"), "{}", refusal.message);
    let refusal = refused(signing::import(office, &desk(), "chancery", None, &offline(1)).await);
    assert!(refusal.message.contains("known already"), "{}", refusal.message);
    let rsa = SigningKey::generate(Method::RsaPkcs1Sha256).unwrap();
    let refusal = refused(set_root(office, &desk(), "chancery", Some(Dev), rsa.public(), false).await);
    assert!(refusal.message.contains("Ed25519"), "{}", refusal.message);
    bench.product("my-app").await;
    let refusal = refused(set_root(office, &desk(), "my-app", None, offline(3).public(), false).await);
    assert_eq!(refusal.code, Code::ProductMismatch);
    let refusal = refused(root(office, &desk(), "chancery", Some(Dev)).await);
    assert!(refusal.message.contains("signing-root set --product chancery --env dev"), "{}", refusal.message);
    let test = bench.secret_key(false).await;
    assert_eq!(refused(root(office, &test, "chancery", Some(Prod)).await).code, Code::Forbidden);
}
