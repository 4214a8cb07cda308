use std::time::Duration;

use chancery_license::machine_file::block::Block;
use chancery_license::machine_file::{Expected, MachineFileError, Standing, open};
use chancery_license::state::AfterGrace;
use chancery_license::{Holder, LicenseKey, Plan};
use chancery_time::Timestamp;

use super::*;
use crate::domain::{Code, StoredStatus};
use crate::service::activations::{self as seats_of, Device};
use crate::service::testing::{Bench, chancery_terms, refused, terms};
use crate::store::licenses::{self, Terms};
use crate::store::signing_keys::KnownKey;

/// Of a product of kind chancery it has to be the key of an installation.
const DEVICE: &str = "INST-000000-000000-000000-000000-000000";
const DAY: Duration = Duration::from_secs(86_400);

/// A product with a signing key, a licence of it, and a device that holds a seat.
struct Field {
    bench: Bench,
    signer: KnownKey,
    license: License,
    key: LicenseKey,
}

impl Field {
    async fn new(kind: Kind, terms: Terms, change: impl FnOnce(&mut License)) -> Self {
        Self::of(kind, terms, |license, _| change(license)).await
    }

    /// The licence is changed with an organisation at hand.
    async fn of(kind: Kind, terms: Terms, change: impl FnOnce(&mut License, String)) -> Self {
        let bench = Bench::new().await;
        let product = bench.product_of_kind("app", kind).await;
        let organisation = bench.organisation("Example Ltd").await;
        let (license, key) = bench.license(&product, terms, |license| change(license, organisation)).await;
        let signer = signing::create(&bench.office, &desk(), "app", None).await.unwrap();
        signing::activate(&bench.office, &desk(), "app", &signer.kid).await.unwrap();
        let field = Self { bench, signer, license, key };
        let metadata = json!({ "site": "Hall 7" }).as_object().unwrap().clone();
        let device = Device { name: Some("PLC 7".to_owned()), metadata: Some(metadata), ip_address: None };
        seats_of::activate(&field.bench.office, &desk(), field.claim(DEVICE), device).await.unwrap();
        field
    }

    async fn generic() -> Self {
        Self::new(Kind::Generic, terms("pro"), |_| ()).await
    }

    fn claim(&self, fingerprint: &str) -> Claim {
        Claim::new("app".to_owned(), self.key.reveal(), fingerprint.to_owned()).unwrap()
    }

    async fn issue(&self, order: Order) -> Result<MachineFileObject, Failure> {
        issue(&self.bench.office, &desk(), self.claim(DEVICE), order).await
    }

    fn open(
        &self,
        file: &MachineFileObject,
        at: Timestamp,
    ) -> Result<(Contents, Standing), MachineFileError> {
        let opened = open(
            file.certificate(),
            &Expected {
                license_key: self.key.reveal(),
                fingerprint: DEVICE,
                product_slug: "app",
                keys: &[(self.signer.kid.clone(), self.signer.public_key.clone())],
                now: at,
                watermark: None,
            },
        )?;
        Ok((opened.contents().clone(), opened.standing()))
    }

    /// What the file of that order says, which can be read.
    async fn contents(&self, order: Order) -> Contents {
        let file = self.issue(order).await.unwrap();
        self.open(&file, self.bench.now()).unwrap().0
    }
}

fn desk() -> Actor {
    Actor::operator("x")
}

fn with_license() -> Order {
    Order { includes_license: true, ..Order::default() }
}

fn asking(ttl_days: Option<i64>, grace_days: Option<i64>) -> Order {
    Order { asked: Asked { ttl_days, grace_days }, ..Order::default() }
}

#[tokio::test]
async fn the_answer_is_a_closed_set_and_the_file_opens() {
    let field = Field::generic().await;
    field.bench.advance(Duration::from_millis(700));
    let file = field.issue(asking(None, None)).await.unwrap();
    let answer = serde_json::to_value(&file).unwrap();
    let expected = json!({
        "data": {
            "type": "machine-files",
            "attributes": {
                "certificate": file.certificate(),
                "algorithm": "aes-256-gcm+ed25519",
                "ttl": 30 * 86_400,
                "issued": "2026-06-14T12:00:00Z",
                "expiry": "2026-07-14T12:00:00Z",
            },
            "relationships": {
                "license": { "data": { "type": "licenses", "id": field.key.reveal() } },
                "machine": { "data": { "type": "machines", "id": DEVICE } },
            },
        },
    });
    assert_eq!(answer, expected);

    let (contents, standing) = field.open(&file, field.bench.now()).unwrap();
    assert_eq!(standing, Standing::Valid);
    assert_eq!((contents.kid.as_str(), contents.license.as_ref()), (field.signer.kid.as_str(), None));
    assert_eq!((contents.grace, contents.license_expires), (3 * DAY, None));
    let machine = &contents.machine;
    assert_eq!((machine.fingerprint.as_str(), machine.name.as_deref()), (DEVICE, Some("PLC 7")));
    assert_eq!((machine.metadata.as_str(), machine.platform.as_deref()), (r#"{"site":"Hall 7"}"#, None));
    assert_eq!(machine.created, "2026-06-14T12:00:00Z".parse().unwrap());
}

#[tokio::test]
async fn the_log_and_the_store_know_every_file_and_no_key() {
    let field = Field::generic().await;
    let file = field.issue(with_license()).await.unwrap();
    field.issue(with_license()).await.unwrap();
    let told = field.bench.told().await;
    let issued: Vec<_> = told.iter().filter(|told| told.event == "document.machine_file").collect();
    assert_eq!(issued.len(), 2);
    let details = &issued[0].details;
    assert_eq!(details["digest"], sha256_hex(file.certificate().as_bytes()));
    assert_eq!((&details["kid"], &details["license"]), (&json!(field.signer.kid), &json!(field.license.id)));
    assert_eq!(details["expires_at"], "2026-07-14T12:00:00Z");
    assert!(!details.to_string().contains("CRT-"));
    let rows = field
        .bench
        .write(|tx| {
            tx.query("SELECT id, kind, digest, body_sealed FROM documents ORDER BY id", &[], |row| {
                Ok((
                    row.get::<String>(0)?,
                    row.get::<String>(1)?,
                    row.get::<Vec<u8>>(2)?,
                    row.get::<Option<Vec<u8>>>(3)?,
                ))
            })
        })
        .await;
    let digest = digest(&SHA256, file.certificate().as_bytes()).as_ref().to_vec();
    let id = details["document"].as_str().unwrap().to_owned();
    assert!(rows.contains(&(id, "machine_file".to_owned(), digest, None)));
    let seats = field.license.id.clone();
    let license = field.bench.write(move |tx| licenses::by_id(tx, &seats)).await.unwrap();
    assert_eq!((rows.len(), license.active_seats), (2, 1));
}

#[tokio::test]
async fn the_licence_goes_along_where_it_is_asked_for() {
    let metadata = json!({ "contract": 7 }).as_object().unwrap().clone();
    let entitlement = |key: &str, end: Option<&str>| licenses::Entitlement {
        key: key.to_owned(),
        expires_at: end.map(|end| end.parse().unwrap()),
        metadata: None,
    };
    let terms = Terms {
        mode: Mode::Floating,
        seat_limit: None,
        entitlements: vec![
            entitlement("export", None),
            entitlement("import", Some("2026-06-14T12:00:00Z")),
            entitlement("sync", Some("2026-06-15T12:00:00.9Z")),
        ],
        ..terms("pro")
    };
    let field = Field::new(Kind::Generic, terms, |license| {
        license.starts_at = Some("2026-06-14T12:00:00Z".parse().unwrap());
        license.expires_at = Some("2026-06-21T12:00:00.5Z".parse().unwrap());
        license.metadata = Some(metadata);
    })
    .await;
    let contents = field.contents(with_license()).await;
    let end: Timestamp = "2026-06-21T12:00:00Z".parse().unwrap();
    assert_eq!((contents.expires, contents.license_expires), (end, Some(end)));
    let license = contents.license.unwrap();
    assert_eq!(
        (license.mode, license.seat_limit, license.plan_key.as_str()),
        (FileMode::Floating, None, "pro")
    );
    assert_eq!(license.starts_at, Some(field.bench.now()));
    let keys: Vec<_> = license.entitlements.iter().map(|entitlement| entitlement.key.as_str()).collect();
    assert_eq!(keys, ["export", "sync"]);
    assert_eq!(license.metadata.as_str(), r#"{"contract":7}"#);
}

/// A licence of our own product, with whatever `change` makes of it, and an organisation that holds it.
async fn ours(plan: Plan, change: impl FnOnce(&mut License)) -> Field {
    Field::of(Kind::Chancery, chancery_terms("business", plan), |license, organisation| {
        license.organisation_id = Some(organisation);
        change(license);
    })
    .await
}

#[tokio::test]
async fn a_file_of_our_own_product_licenses_an_installation_whether_it_was_asked_for_or_not() {
    let end: Timestamp = "2026-07-01T00:00:00Z".parse().unwrap();
    let field = ours(Plan::Pro, |license| {
        license.metadata =
            Some(json!({ "contract": 7, "chancery": "not ours" }).as_object().unwrap().clone());
        license.expires_at = Some(end);
    })
    .await;
    for (serial, order) in [(1, Order::default()), (2, with_license())] {
        let contents = field.contents(order).await;
        let block = Block {
            id: field.license.id.clone(),
            serial,
            plan: Plan::Pro,
            holder: Holder { organisation: "Example Ltd".to_owned(), email: "it@example.com".to_owned() },
            after_grace: AfterGrace::RenewalsOnly,
            clock_tolerance_hours: 24,
            entitlements: Plan::Pro.entitlements(),
            newest_build: None,
            minimum_version: None,
        };
        assert_eq!(Block::of(&contents), Ok(block.clone()));
        let terms = block.terms(&contents);
        assert_eq!((terms.expires, terms.grace), (end, Duration::ZERO), "nothing outlives the licence");
        assert_eq!(contents.license.unwrap().metadata.members()["contract"], 7);
    }
}

#[tokio::test]
async fn a_licence_that_says_too_little_licenses_no_installation() {
    for (lacks, word) in [("organisation", "an organisation"), ("plan", "a plan of the product")] {
        let field = ours(Plan::Pro, |license| match lacks {
            "plan" => license.terms.chancery = None,
            _ => license.organisation_id = None,
        })
        .await;
        let refusal = refused(field.issue(with_license()).await);
        assert_eq!(refusal.code, Code::NotActive);
        assert!(refusal.message.ends_with(&format!("has to give it {word}")), "{}", refusal.message);
    }
}

#[tokio::test]
async fn days_are_those_of_the_request_within_bounds() {
    let field = Field::generic().await;
    for (ttl, grace, expected) in [
        (Some(365), Some(7), Ok((365, 7))),
        (Some(36_500), Some(0), Ok((3_650, 0))),
        (Some(0), None, Err("ttl")),
        (None, Some(31), Err("grace_period")),
    ] {
        let answer = field.issue(asking(ttl, grace)).await;
        match expected {
            Ok((ttl, grace)) => {
                let (contents, _) = field.open(&answer.unwrap(), field.bench.now()).unwrap();
                assert_eq!(
                    (contents.expires.since(contents.issued), contents.grace),
                    (ttl * DAY, grace * DAY)
                );
            }
            Err(member) => {
                let refusal = refused(answer);
                assert_eq!(
                    (refusal.code, &refusal.details["field"]),
                    (Code::InvalidArguments, &json!(member))
                );
            }
        }
    }
}

#[tokio::test]
async fn components_are_taken_along_and_name_the_platform() {
    let field = Field::generic().await;
    let of = |members: &[(&str, &str)]| {
        let members = members.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Order { components: members.collect(), ..Order::default() }
    };
    let order = of(&[("platform", "linux"), ("machine_id", "m-1")]);
    let machine = field.contents(order.clone()).await.machine;
    assert_eq!(
        (machine.platform.as_deref(), &machine.fingerprint_components),
        (Some("linux"), &order.components)
    );
    // Too long for a platform, and not for a component.
    assert_eq!(field.contents(of(&[("platform", &"x".repeat(101))])).await.machine.platform, None);
    for wrong in [of(&[("a", "")]), of(&[("a", &"x".repeat(1_025))]), of(&[("a", "x\ny")]), of(&[("", "x")])]
    {
        let refusal = refused(field.issue(wrong).await);
        let member = &refusal.details["field"];
        assert_eq!((refusal.code, member), (Code::InvalidArguments, &json!("fingerprint_components")));
    }
}

#[tokio::test]
async fn without_a_seat_or_a_licence_that_counts_there_is_no_file() {
    let field = Field::generic().await;
    let code = async |fingerprint: &str| {
        refused(issue(&field.bench.office, &desk(), field.claim(fingerprint), Order::default()).await).code
    };
    assert_eq!(code("device-0002").await, Code::DeviceNotActivated);
    for (status, expected) in
        [(StoredStatus::Suspended, Code::Suspended), (StoredStatus::Revoked, Code::Revoked)]
    {
        let status = status.name();
        let change = move |tx: &mut chancery_db::WriteTx<'_>| {
            tx.execute("UPDATE licenses SET status = $1", chancery_db::params![status])
        };
        field.bench.write(change).await;
        assert_eq!(code(DEVICE).await, expected);
    }
    let reader = Actor { permissions: [Permission::LicensesRead].into_iter().collect(), ..desk() };
    let refusal = refused(issue(&field.bench.office, &reader, field.claim(DEVICE), Order::default()).await);
    assert_eq!(refusal.code, Code::Forbidden);
}

#[tokio::test]
async fn the_largest_values_that_are_taken_in_fit_into_one_file() {
    let wide = |bytes: usize| {
        let half = "\u{7f}\"".repeat(bytes / 6);
        json!({ "x": half, "y": half }).as_object().unwrap().clone()
    };
    let entitlements = (0..500).map(|number| licenses::Entitlement {
        key: format!("{}{number:03}", "e".repeat(97)),
        expires_at: Some("2030-01-01T00:00:00Z".parse().unwrap()),
        metadata: None,
    });
    let terms = Terms { entitlements: entitlements.collect(), ..chancery_terms("pro", Plan::Enterprise) };
    let field = Field::of(Kind::Chancery, terms, |license, organisation| {
        license.organisation_id = Some(organisation);
        license.metadata = Some(wide(127 * 1_024));
    })
    .await;
    let device = Device { metadata: Some(wide(127 * 1_024)), ..Device::default() };
    seats_of::activate(&field.bench.office, &desk(), field.claim(DEVICE), device).await.unwrap();
    let components =
        (0..64).map(|number| (format!("{}{number:02}", "c".repeat(98)), "\"".repeat(1_024))).collect();
    let contents = field.contents(Order { components, ..with_license() }).await;
    assert_eq!(contents.license.unwrap().entitlements.len(), 500);
}

#[tokio::test]
async fn metadata_that_leaves_no_room_for_the_entitlements_is_the_vendors_to_shorten() {
    let half = "y".repeat(64 * 1_024 - 10);
    let full = json!({ "x": half, "z": half }).as_object().unwrap().clone();
    let field = ours(Plan::Pro, |license| license.metadata = Some(full)).await;
    let refusal = refused(field.issue(with_license()).await);
    assert_eq!((refusal.code, &refusal.details["field"]), (Code::InvalidArguments, &json!("metadata")));
}
