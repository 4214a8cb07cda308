use serde_json::json;

use super::*;
use crate::domain::Code;
use crate::service::testing::{Bench, refused};

fn named(name: &str, reference: Option<&str>) -> NewOrganisation {
    NewOrganisation {
        name: name.to_owned(),
        email: "it@example.com".to_owned(),
        reference: reference.map(str::to_owned),
        metadata: None,
    }
}

fn page(limit: i64, after: Option<String>) -> Page {
    Page { limit, after }
}

#[tokio::test]
async fn an_organisation_is_found_by_its_reference_which_nobody_else_has() {
    let bench = Bench::new().await;
    let (office, actor) = (&bench.office, Actor::operator("x"));
    let made = create(office, &actor, named("Example Ltd", Some("C-1")), None).await.unwrap();
    let other = create(office, &actor, named("Other Ltd", None), None).await.unwrap();
    let wanted = Wanted { reference: Some("C-1".to_owned()), email: None };
    let (found, next) = list(office, &actor, wanted, page(20, None)).await.unwrap();
    assert_eq!((found, next), (vec![made.clone()], None));
    let refusal = refused(create(office, &actor, named("Third Ltd", Some("C-1")), None).await);
    assert_eq!((refusal.code, &refusal.details["field"]), (Code::InvalidArguments, &json!("reference")));
    let take = OrganisationChanges { reference: Change::Set("C-1".to_owned()), ..Default::default() };
    let refusal = refused(update(office, &actor, &other.id, take.clone()).await);
    assert_eq!(refusal.details["organisation"], json!(made.id));
    // To keep one's own is no conflict, and no change that would be noted.
    assert_eq!(update(office, &actor, &made.id, take).await.unwrap(), made);
    let told: Vec<String> = bench.told().await.into_iter().map(|told| told.event).collect();
    assert_eq!(told, ["organisation.create", "organisation.create"]);
}

#[tokio::test]
async fn what_is_missing_stays_and_null_clears() {
    let bench = Bench::new().await;
    let (office, actor) = (&bench.office, Actor::operator("x"));
    let made = create(office, &actor, named("Example Ltd", Some("C-1")), None).await.unwrap();
    let changes: OrganisationChanges =
        serde_json::from_value(json!({ "reference": null, "metadata": { "tier": "gold" } })).unwrap();
    let changed = update(office, &actor, &made.id, changes).await.unwrap();
    assert_eq!((changed.name.as_str(), changed.reference.as_deref()), ("Example Ltd", None));
    assert_eq!(show(office, &actor, &made.id).await.unwrap(), changed);
    assert_eq!(
        bench.told().await.last().unwrap().details,
        json!({ "organisation": made.id, "changed": ["reference", "metadata"] })
    );
    for body in [json!({ "name": null }), json!({ "name": " x" }), json!({ "email": "nobody" })] {
        let changes = serde_json::from_value(body).unwrap();
        let refusal = refused(update(office, &actor, &made.id, changes).await);
        assert_eq!(refusal.code, Code::InvalidArguments);
    }
    let refusal = refused(update(office, &actor, "org_none", Default::default()).await);
    assert_eq!(refusal.code, Code::NotFound);
}

#[tokio::test]
async fn lists_go_on_where_they_ended_and_nothing_is_left_out() {
    let bench = Bench::new().await;
    let (office, actor) = (&bench.office, Actor::operator("x"));
    let mut made = Vec::new();
    for number in 0..5 {
        // Two of each instant, so that the order does not hang on the time alone.
        if number % 2 == 0 {
            bench.advance(std::time::Duration::from_secs(1));
        }
        made.push(create(office, &actor, named(&format!("{number}"), None), None).await.unwrap().id);
    }
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let (found, next) = list(office, &actor, Wanted::default(), page(2, after)).await.unwrap();
        assert!((1..=2).contains(&found.len()));
        assert!(found.is_sorted_by_key(|row| std::cmp::Reverse(row.created_at)));
        seen.extend(found.into_iter().map(|row| row.id));
        after = next;
        if after.is_none() {
            break;
        }
    }
    seen.sort();
    made.sort();
    assert_eq!(seen, made);
}

#[tokio::test]
async fn test_keys_read_what_live_keys_write() {
    let bench = Bench::new().await;
    let (live, test) = (bench.secret_key(true).await, bench.secret_key(false).await);
    let made = create(&bench.office, &live, named("Example Ltd", None), None).await.unwrap();
    assert_eq!(show(&bench.office, &test, &made.id).await.unwrap(), made);
    let refusal = refused(create(&bench.office, &test, named("Other Ltd", None), None).await);
    assert_eq!(refusal.code, Code::Forbidden);
    let refusal = refused(update(&bench.office, &test, &made.id, Default::default()).await);
    assert_eq!(refusal.code, Code::Forbidden);
    let nobody = Actor { permissions: [Permission::Use].into_iter().collect(), ..live };
    assert_eq!(refused(show(&bench.office, &nobody, &made.id).await).code, Code::Forbidden);
}

#[tokio::test]
async fn a_request_that_comes_twice_under_its_key_is_done_once() {
    let bench = Bench::new().await;
    let live = bench.secret_key(true).await;
    let once = || Some(Once::new(b"k-1", "POST", "/organisations", b"{}").unwrap());
    let first = create(&bench.office, &live, named("Example Ltd", Some("C-1")), once()).await.unwrap();
    assert_eq!(create(&bench.office, &live, named("Example Ltd", Some("C-1")), once()).await.unwrap(), first);
    assert_eq!(bench.told().await.len(), 1);
}
