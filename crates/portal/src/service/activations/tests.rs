use chancery_license::{Environment, InstallationKey, LicenseKey, Plan};
use serde_json::json;

use super::*;
use crate::domain::StoredStatus;
use crate::service::installations;
use crate::service::testing::{Bench, Told, chancery_terms, refused, terms};
use crate::store::licenses::License;
use crate::store::products::Kind;

const DEVICE: &str = "device-0001";

fn claim(key: &LicenseKey, fingerprint: &str) -> Claim {
    Claim::new("app".to_owned(), key.reveal(), fingerprint.to_owned()).unwrap()
}

/// Whoever ships a publishable live key.
fn program() -> Actor {
    Actor { permissions: [Permission::Use].into_iter().collect(), live: Some(true), ..Actor::operator("x") }
}

fn named(name: &str) -> Device {
    Device { name: Some(name.to_owned()), ..Device::default() }
}

/// A portal with a licence of two seats for the product `app`.
async fn bench(change: impl FnOnce(&mut License)) -> (Bench, LicenseKey) {
    let bench = Bench::new().await;
    let product = bench.product("app").await;
    let (_, key) = bench.license(&product, terms("pro"), change).await;
    (bench, key)
}

async fn activate_as_json(bench: &Bench, key: &LicenseKey, device: Device) -> (Value, bool) {
    let (activation, is_new) = activate(&bench.office, &program(), claim(key, DEVICE), device).await.unwrap();
    (serde_json::to_value(activation).unwrap(), is_new)
}

async fn last_seen(bench: &Bench) -> Timestamp {
    let query = "SELECT last_seen_at FROM activations";
    let millis = bench.write(move |tx| tx.query_one(query, &[], |row| row.get(0))).await;
    Timestamp::from_unix_millis(millis)
}

fn events(told: &[Told]) -> Vec<&str> {
    told.iter().map(|told| told.event.as_str()).collect()
}

#[tokio::test]
async fn a_device_holds_one_seat_however_often_it_asks() {
    let (bench, key) = bench(|_| ()).await;
    let metadata = json!({ "site": "Hall 7" }).as_object().unwrap().clone();
    let device = Device {
        metadata: Some(metadata),
        ip_address: Some("::ffff:192.0.2.7".parse().unwrap()),
        ..named("Factory PLC 07")
    };
    let (first, is_new) = activate_as_json(&bench, &key, device).await;
    assert!(is_new);
    let license = json!({
        "object": "license",
        "key": key.reveal(),
        "status": "active",
        "starts_at": null,
        "expires_at": null,
        "mode": "hardware_locked",
        "plan_key": "pro",
        "seat_limit": 2,
        "active_seats": 1,
        "active_entitlements": [],
        "metadata": null,
        "product": { "slug": "app", "name": "app" },
    });
    let expected = json!({
        "object": "activation",
        "id": first["id"],
        "fingerprint": DEVICE,
        "device_name": "Factory PLC 07",
        "license_key": key.reveal(),
        "activated_at": "2026-06-14T12:00:00Z",
        "deactivated_at": null,
        "ip_address": "192.0.2.7",
        "metadata": { "site": "Hall 7" },
        "license": license,
    });
    assert_eq!(first, expected);

    bench.advance(Duration::from_secs(5));
    let (again, is_new) = activate_as_json(&bench, &key, Device::default()).await;
    assert!(!is_new);
    assert_eq!(again, first);
    let (renamed, _) = activate_as_json(&bench, &key, named("PLC 8")).await;
    assert_eq!((&renamed["id"], &renamed["device_name"]), (&first["id"], &json!("PLC 8")));
    assert_eq!((&renamed["metadata"], &renamed["license"]["active_seats"]), (&first["metadata"], &json!(1)));

    let told = bench.told().await;
    assert_eq!(events(&told), ["activation.create"]);
    assert_eq!(told[0].details["fingerprint"], DEVICE);
    assert!(!told[0].details.to_string().contains(key.reveal()));
}

#[tokio::test]
async fn a_device_that_says_nothing_new_costs_no_write_for_a_minute() {
    let (bench, key) = bench(|_| ()).await;
    let start = bench.now();
    let program = program();
    let beat = || heartbeat(&bench.office, &program, claim(&key, DEVICE));
    activate_as_json(&bench, &key, named("x")).await;
    for (after, seen) in [(30, 0), (59, 0), (60, 60), (90, 60), (121, 121)] {
        bench.set(start + Duration::from_secs(after));
        activate_as_json(&bench, &key, named("x")).await;
        beat().await.unwrap();
        assert_eq!(last_seen(&bench).await, start + Duration::from_secs(seen), "activate after {after} s");
    }
    for (after, seen) in [(150, 121), (181, 181)] {
        bench.set(start + Duration::from_secs(after));
        let answer = serde_json::to_value(beat().await.unwrap()).unwrap();
        assert_eq!(answer["received_at"], json!(bench.now()));
        assert_eq!(
            (&answer["object"], &answer["license"]["status"]),
            (&json!("heartbeat"), &json!("active"))
        );
        assert_eq!(last_seen(&bench).await, start + Duration::from_secs(seen), "heartbeat after {after} s");
    }
}

#[tokio::test]
async fn of_a_hundred_racing_devices_as_many_win_as_there_are_seats() {
    let (bench, key) = bench(|license| license.terms.seat_limit = Some(10)).await;
    let mut racing = tokio::task::JoinSet::new();
    for device in 0..100 {
        let (office, claim) = (bench.office.clone(), claim(&key, &format!("device-{device:04}")));
        racing.spawn(async move { activate(&office, &program(), claim, Device::default()).await });
    }
    let (won, lost): (Vec<_>, Vec<_>) = racing.join_all().await.into_iter().partition(Result::is_ok);
    assert_eq!((won.len(), lost.len()), (10, 90));
    for answer in lost {
        let refusal = refused(answer);
        assert_eq!(refusal.code, Code::SeatLimitExceeded);
        assert_eq!(Value::from(refusal.details), json!({ "seat_limit": 10, "active_seats": 10 }));
    }
    assert_eq!(events(&bench.told().await), ["activation.create"; 10]);
}

#[tokio::test]
async fn of_many_requests_for_one_device_each_gets_the_same_seat() {
    let (bench, key) = bench(|license| license.terms.seat_limit = Some(1)).await;
    let mut racing = tokio::task::JoinSet::new();
    for _ in 0..30 {
        let (office, claim) = (bench.office.clone(), claim(&key, DEVICE));
        racing.spawn(async move { activate(&office, &program(), claim, Device::default()).await.unwrap() });
    }
    let answers = racing.join_all().await;
    let ids =
        answers.iter().map(|(activation, _)| serde_json::to_value(activation).unwrap()["id"].to_string());
    assert_eq!(ids.collect::<std::collections::HashSet<_>>().len(), 1);
    assert_eq!(answers.iter().filter(|(_, is_new)| *is_new).count(), 1);
}

#[tokio::test]
async fn the_licence_decides_before_the_device_does() {
    type Change = fn(&mut License, Timestamp, Duration);
    let now: Timestamp = "2026-06-14T12:00:00Z".parse().unwrap();
    let day = Duration::from_secs(86_400);
    let cases: [(&str, Change, Option<Code>); 7] = [
        ("pending", |_, _, _| (), None),
        ("active", |license, _, _| license.status = StoredStatus::Active, None),
        ("suspended", |license, _, _| license.status = StoredStatus::Suspended, Some(Code::Suspended)),
        ("revoked", |license, _, _| license.status = StoredStatus::Revoked, Some(Code::Revoked)),
        ("expired", |license, now, _| license.expires_at = Some(now), Some(Code::Expired)),
        ("not begun", |license, now, day| license.starts_at = Some(now + day), Some(Code::NotActive)),
        ("full", |license, _, _| license.terms.seat_limit = Some(0), Some(Code::SeatLimitExceeded)),
    ];
    for (case, change, expected) in cases {
        let (bench, key) = bench(|license| change(license, now, day)).await;
        let activated = activate(&bench.office, &program(), claim(&key, DEVICE), Device::default()).await;
        let beaten = heartbeat(&bench.office, &program(), claim(&key, DEVICE)).await;
        match expected {
            None => assert!(activated.is_ok() && beaten.is_ok(), "{case}"),
            Some(code) => {
                assert_eq!(refused(activated).code, code, "{case}");
                let unseated = if code == Code::SeatLimitExceeded { Code::DeviceNotActivated } else { code };
                assert_eq!(refused(beaten).code, unseated, "{case}");
                assert_eq!(bench.told().await, [], "{case}");
            }
        }
    }
}

#[tokio::test]
async fn a_seat_is_given_back_once_whatever_became_of_the_licence() {
    for change in [
        "UPDATE licenses SET status = 'active'",
        "UPDATE licenses SET status = 'suspended'",
        "UPDATE licenses SET status = 'revoked'",
        "UPDATE licenses SET expires_at = 1",
    ] {
        let (bench, key) = bench(|license| license.terms.seat_limit = Some(1)).await;
        let program = program();
        let give_back = |fingerprint| deactivate(&bench.office, &program, claim(&key, fingerprint));
        let (activation, _) = activate_as_json(&bench, &key, Device::default()).await;
        bench.write(move |tx| tx.execute(change, &[])).await;

        bench.advance(Duration::from_millis(1_500));
        let answer = serde_json::to_value(give_back(DEVICE).await.unwrap()).unwrap();
        let expected = json!({
            "object": "deactivation",
            "activation_id": activation["id"],
            "deactivated_at": "2026-06-14T12:00:01Z",
        });
        assert_eq!(answer, expected, "{change}");
        assert_eq!(refused(give_back(DEVICE).await).code, Code::AlreadyDeactivated);
        assert_eq!(refused(give_back("device-0002").await).code, Code::ActivationNotFound);
        assert_eq!(events(&bench.told().await), ["activation.create", "activation.deactivate"]);
    }
}

#[tokio::test]
async fn a_device_that_comes_back_takes_another_seat() {
    let (bench, key) = bench(|license| license.terms.seat_limit = Some(1)).await;
    let (first, _) = activate_as_json(&bench, &key, Device::default()).await;
    let second = activate(&bench.office, &program(), claim(&key, "device-0002"), Device::default()).await;
    assert_eq!(refused(second).code, Code::SeatLimitExceeded);
    deactivate(&bench.office, &program(), claim(&key, DEVICE)).await.unwrap();
    let beaten = heartbeat(&bench.office, &program(), claim(&key, DEVICE)).await;
    assert_eq!(refused(beaten).code, Code::DeviceNotActivated);
    let (back, is_new) = activate_as_json(&bench, &key, Device::default()).await;
    assert!(is_new);
    assert_ne!(back["id"], first["id"]);
    assert_eq!(back["license"]["active_seats"], 1);
    deactivate(&bench.office, &program(), claim(&key, DEVICE)).await.unwrap();
    let again = deactivate(&bench.office, &program(), claim(&key, DEVICE)).await;
    assert_eq!(refused(again).code, Code::AlreadyDeactivated);
}

#[tokio::test]
async fn what_is_out_of_reach_is_answered_like_what_is_not_there() {
    let (bench, key) = bench(|_| ()).await;
    let other = bench.product("other").await;
    let (_, test_key) =
        bench.license(&other, terms("pro"), |license| license.environment = Environment::Dev).await;
    let unknown = LicenseKey::from_random(&[7; 29]);
    let for_other = Actor { product_id: Some(other.id), ..program() };
    let reader = Actor { permissions: [Permission::LicensesRead].into_iter().collect(), ..program() };
    for (case, actor, slug, key, expected) in [
        ("no such licence", program(), "app", &unknown, Code::LicenseNotFound),
        ("no such product", program(), "absent", &key, Code::ProductNotFound),
        ("no slug", program(), "a\0b", &key, Code::ProductNotFound),
        ("another product's licence", program(), "other", &key, Code::ProductMismatch),
        ("a test licence and a live key", program(), "other", &test_key, Code::LicenseNotFound),
        ("a product that the key is not for", for_other, "app", &key, Code::ProductNotFound),
        ("a key that may not", reader, "app", &key, Code::Forbidden),
    ] {
        let claim = Claim::new(slug.to_owned(), key.reveal(), DEVICE.to_owned()).unwrap();
        let answers = [
            refused(activate(&bench.office, &actor, claim.clone(), Device::default()).await),
            refused(deactivate(&bench.office, &actor, claim.clone()).await),
            refused(heartbeat(&bench.office, &actor, claim).await),
        ];
        for refusal in answers {
            assert_eq!(refusal.code, expected, "{case}");
            assert!(!refusal.envelope().to_string().contains("CRT-"), "{case}");
        }
    }
}

#[test]
fn a_claim_needs_a_fingerprint_and_a_key_whose_check_digit_fits() {
    let key = LicenseKey::from_random(&[7; 29]);
    let code = |key: &str, fingerprint: &str| {
        Claim::new("app".to_owned(), key, fingerprint.to_owned()).map(drop).map_err(|refusal| refusal.code)
    };
    let mistyped = format!("{}0", &key.reveal()[..key.reveal().len() - 1]);
    assert!(mistyped.parse::<LicenseKey>().is_err());
    for (typed, expected) in [
        (key.reveal(), Ok(())),
        (&key.reveal().to_lowercase(), Ok(())),
        (&mistyped, Err(Code::LicenseNotFound)),
        ("LS-1234", Err(Code::LicenseNotFound)),
        ("", Err(Code::LicenseNotFound)),
    ] {
        assert_eq!(code(typed, DEVICE), expected);
    }
    for fingerprint in ["", "1234567", "1234567\n8", "1234567\u{85}", &"x".repeat(256)] {
        assert_eq!(code(key.reveal(), fingerprint), Err(Code::InvalidArguments), "{fingerprint:?}");
    }
    for fingerprint in ["12345678", "Gerät-7ü", &"x".repeat(255)] {
        assert_eq!(code(key.reveal(), fingerprint), Ok(()), "{fingerprint}");
    }
}

#[tokio::test]
async fn what_a_device_says_of_itself_is_held_to_its_rules() {
    let (bench, key) = bench(|_| ()).await;
    let with = |metadata: Value| Device {
        metadata: Some(metadata.as_object().unwrap().clone()),
        ..Device::default()
    };
    let deep = (0..20).fold(json!({}), |inner, _| json!({ "in": inner }));
    for (device, field) in [
        (named(""), "device_name"),
        (named("a\tb"), "device_name"),
        (named(&"x".repeat(256)), "device_name"),
        (with(json!({ "long": "x".repeat(128 * 1_024) })), "metadata"),
        (with(deep), "metadata"),
    ] {
        let refusal = refused(activate(&bench.office, &program(), claim(&key, DEVICE), device).await);
        assert_eq!((refusal.code, &refusal.details["field"]), (Code::InvalidArguments, &json!(field)));
    }
    assert_eq!(bench.told().await, []);
    activate_as_json(&bench, &key, named(&"x".repeat(255))).await;
}

#[tokio::test]
async fn the_seat_of_a_linked_installation_is_not_the_programs_to_give_back() {
    let bench = Bench::new().await;
    let product = bench.product_of_kind("app", Kind::Chancery).await;
    let (license, key) = bench.license(&product, chancery_terms("pro", Plan::Pro), |_| ()).await;
    let installation = InstallationKey::from_random(&[7; 29]);
    let desk = Actor::operator("x");
    installations::link(&bench.office, &desk, &installation, &license.id, None).await.unwrap();
    let answer = deactivate(&bench.office, &desk, claim(&key, installation.as_str())).await;
    assert_eq!(refused(answer).code, Code::InvalidArguments);
}
