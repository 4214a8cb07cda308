use serde_json::json;

use super::*;
use crate::config::Webhooks;
use crate::domain::webhook::Destinations;
use crate::service::testing::{Bench, refused};

const URL: &str = "https://hooks.example.com/in?token=x";

fn new(url: &str, events: &[&str]) -> NewWebhook {
    let events = events.iter().map(|event| (*event).to_owned()).collect();
    NewWebhook { url: url.to_owned(), live: true, events, description: None }
}

fn with(live: Option<bool>) -> Actor {
    Actor { live, ..Actor::operator("x") }
}

#[tokio::test]
async fn a_webhook_is_made_changed_and_taken_out_of_service() {
    let bench = Bench::new().await;
    let (office, actor) = (&bench.office, with(Some(true)));
    let made = create(office, &actor, new(URL, &["license.create"])).await.unwrap();
    let id = made.webhook.id.clone();
    assert_eq!(show(office, &actor, &id).await.unwrap(), made.webhook);
    let changes = WebhookChanges {
        url: Change::Set("https://HOOKS.example.com".to_owned()),
        events: Change::Set(vec![]),
        description: Change::Set("for the shop".to_owned()),
    };
    let changed = update(office, &actor, &id, changes.clone()).await.unwrap();
    assert_eq!((changed.url.as_str(), changed.events.len()), ("https://hooks.example.com/", 0));
    assert_eq!(update(office, &actor, &id, changes).await.unwrap(), changed);
    let disabled = set_enabled(office, &actor, &id, false).await.unwrap();
    assert_eq!(disabled.disabled_at, Some(bench.now()));
    let refusal = refused(test(office, &actor, &id).await);
    assert_eq!((refusal.code, refusal.message.contains("enable it")), (Code::NotActive, true));
    assert_eq!(set_enabled(office, &actor, &id, true).await.unwrap(), changed);
    let told: Vec<_> = bench.told().await.into_iter().map(|told| (told.event, told.details)).collect();
    let update =
        |members: &[&str]| ("webhook.update".to_owned(), json!({ "webhook": id, "changed": members }));
    let create = json!({ "webhook": id, "host": "hooks.example.com", "events": ["license.create"] });
    let expected = [
        ("webhook.create".to_owned(), create),
        update(&["url", "events", "description"]),
        update(&["disabled_at"]),
        update(&["disabled_at"]),
    ];
    assert_eq!(told, expected);
}

#[tokio::test]
async fn what_breaks_a_rule_is_refused_and_names_the_member() {
    let bench = Bench::new().await;
    let (office, actor) = (&bench.office, with(None));
    let made = create(office, &actor, new(URL, &[])).await.unwrap();
    let id = made.webhook.id;
    for (url, events, description, field) in [
        ("https://127.0.0.1/", vec![], None, "url"),
        ("http://hooks.example.com/", vec![], None, "url"),
        ("https://a:b@hooks.example.com/", vec![], None, "url"),
        (URL, vec!["license.made"], None, "events"),
        (URL, vec![], Some("two\nlines"), "description"),
    ] {
        let new = NewWebhook { description: description.map(str::to_owned), ..new(url, &events) };
        let changes = WebhookChanges {
            url: Change::Set(new.url.clone()),
            events: Change::Set(new.events.clone()),
            description: Change::of(new.description.clone(), true),
        };
        assert_eq!(refused(create(office, &actor, new).await).details["field"], field, "{url}");
        assert_eq!(refused(update(office, &actor, &id, changes).await).details["field"], field, "{url}");
    }
    let cleared = WebhookChanges { url: Change::Clear, ..WebhookChanges::default() };
    assert_eq!(refused(update(office, &actor, &id, cleared).await).details["field"], "url");
    assert_eq!(bench.told().await.len(), 1);
}

#[tokio::test]
async fn the_configuration_opens_networks_to_webhooks() {
    let mut bench = Bench::new().await;
    let allow = vec!["10.0.0.0/8".parse().unwrap()];
    bench.office.destinations =
        Destinations::new(&Webhooks { allow, deny: vec!["10.9.0.0/16".parse().unwrap()], ca_file: None })
            .into();
    let (office, actor) = (&bench.office, with(None));
    create(office, &actor, new("http://10.1.2.3:8080/", &[])).await.unwrap();
    refused(create(office, &actor, new("http://10.9.2.3:8080/", &[])).await);
    refused(create(office, &actor, new("https://192.168.0.1/", &[])).await);
}

#[tokio::test]
async fn webhooks_are_within_reach_of_keys_of_their_own_kind_for_all_products() {
    let bench = Bench::new().await;
    let office = &bench.office;
    let (live, test_key) = (with(Some(true)), with(Some(false)));
    let of_live = create(office, &live, new(URL, &[])).await.unwrap().webhook;
    let new_test = || NewWebhook { live: false, ..new(URL, &[]) };
    let of_test = create(office, &test_key, new_test()).await.unwrap().webhook;
    assert_eq!(refused(create(office, &live, new_test()).await).code, Code::Forbidden);
    assert_eq!(refused(create(office, &test_key, new(URL, &[])).await).code, Code::Forbidden);
    let ids = async |actor: &Actor| {
        let page = Page { limit: 10, after: None };
        let (found, _) = list(office, actor, page).await.unwrap();
        let mut ids: Vec<String> = found.into_iter().map(|webhook| webhook.id).collect();
        ids.sort();
        ids
    };
    assert_eq!(ids(&live).await, std::slice::from_ref(&of_live.id));
    assert_eq!(ids(&test_key).await, std::slice::from_ref(&of_test.id));
    assert_eq!(ids(&with(None)).await.len(), 2);
    let id = of_live.id.as_str();
    let page = Page { limit: 10, after: None };
    for refusal in [
        refused(show(office, &test_key, id).await),
        refused(update(office, &test_key, id, WebhookChanges::default()).await),
        refused(set_enabled(office, &test_key, id, false).await),
        refused(rotate_secret(office, &test_key, id).await.map(|made| made.webhook)),
        refused(test(office, &test_key, id).await),
        refused(deliveries::list(office, &test_key, id, None, page.clone()).await),
        refused(deliveries::redeliver(office, &test_key, id, "dlv_1").await),
        refused(deliveries::redeliver(office, &live, id, "dlv_1").await),
    ] {
        assert_eq!(refusal.code, Code::NotFound);
    }
    let of_one_product = Actor { product_id: Some("prd_1".to_owned()), ..with(Some(true)) };
    assert_eq!(refused(list(office, &of_one_product, page.clone()).await).code, Code::Forbidden);
    let without = Actor { permissions: [Permission::Use].into_iter().collect(), ..with(Some(true)) };
    assert_eq!(refused(list(office, &without, page).await).code, Code::Forbidden);
}

#[tokio::test]
async fn a_secret_is_kept_sealed_and_can_be_exchanged() {
    let bench = Bench::new().await;
    let (office, actor) = (&bench.office, with(None));
    let made = create(office, &actor, new(URL, &[])).await.unwrap();
    let id = made.webhook.id.clone();
    let kept = async || {
        let wanted = id.clone();
        let sealed = bench.write(move |tx| webhooks::secret(tx, &wanted)).await;
        office.vault.open_text(Purpose::WebhookSecret, &id, &sealed).unwrap().to_string()
    };
    assert_eq!(kept().await, made.secret.reveal());
    let rotated = rotate_secret(office, &actor, &id).await.unwrap();
    assert_ne!(rotated.secret.reveal(), made.secret.reveal());
    assert_eq!(kept().await, rotated.secret.reveal());
    assert!(!format!("{rotated:?}").contains("whsec_"));
    let told = format!("{:?}", bench.told().await);
    assert!(told.contains("secret") && !told.contains("whsec_"), "{told}");
}

#[tokio::test]
async fn no_more_than_so_many_are_enabled() {
    let bench = Bench::new().await;
    let (office, actor) = (&bench.office, with(None));
    let first = create(office, &actor, new(URL, &["user.create"])).await.unwrap().webhook;
    for _ in 1..MAX_ENABLED {
        create(office, &actor, new(URL, &["user.create"])).await.unwrap();
    }
    let refusal = refused(create(office, &actor, new(URL, &[])).await);
    assert!(refusal.message.contains("disable another"), "{}", refusal.message);
    set_enabled(office, &actor, &first.id, false).await.unwrap();
    create(office, &actor, new(URL, &["user.create"])).await.unwrap();
    refused(set_enabled(office, &actor, &first.id, true).await);
}
