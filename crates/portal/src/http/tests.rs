//! What programs in the field send and receive, through the whole router.

use axum::body::{Body, to_bytes};
use chancery_db::params;
use chancery_license::LicenseKey;
use chancery_web::Proxies;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{Method, Request, StatusCode};
use serde_json::{Value, json};
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

use super::*;
use crate::domain::Actor;
use crate::service::signing;
use crate::service::testing::{Bench, terms};

const DEVICE: &str = "device-0001";
const PUBLISHABLE: &str = "pk_live_test";

/// A portal with a product, a licence of it, a signing key, and a publishable API key.
struct Portal {
    _bench: Bench,
    router: Router,
    key: LicenseKey,
}

impl Portal {
    async fn new() -> Self {
        let bench = Bench::new().await;
        let product = bench.product("app").await;
        let (_, key) = bench.license(&product, terms("pro"), |_| ()).await;
        let desk = Actor::operator("x");
        let signer = signing::create(&bench.office, &desk, "app", None).await.unwrap();
        signing::activate(&bench.office, &desk, "app", &signer.kid).await.unwrap();
        let now = bench.now().unix_millis();
        let hash = crate::store::api_keys::hash(PUBLISHABLE);
        bench
            .write(move |tx| {
                tx.execute(
                    "INSERT INTO api_keys (id, key_hash, hint, name, class, live, scopes, created_at)
                     VALUES ('key_1', $1, 'pk', 'app', 'publishable', 1, '[]', $2)",
                    params![&hash, now],
                )
            })
            .await;
        let app = App {
            office: bench.office.clone(),
            keys: KeyCache::default(),
            meters: Meters::new(None, None),
            proxies: Proxies::new(&[], "server.trusted_proxies"),
            tasks: TaskTracker::new(),
        };
        Self { router: router(Arc::new(app)), key, _bench: bench }
    }

    async fn ask(&self, method: Method, path: &str, body: &str) -> (StatusCode, Value) {
        let request = Request::builder()
            .method(method)
            .uri(format!("{BASE}{path}"))
            .header(AUTHORIZATION, format!("Bearer {PUBLISHABLE}"))
            .header(CONTENT_TYPE, "application/json")
            .body(Body::from(body.to_owned()))
            .unwrap();
        let answer = self.router.clone().oneshot(request).await.unwrap();
        let (status, body) = (answer.status(), to_bytes(answer.into_body(), usize::MAX).await.unwrap());
        (status, serde_json::from_slice(&body).unwrap())
    }

    /// An action in either style, with the members that clients send besides.
    async fn act(&self, in_path: bool, action: &str, mut members: Value) -> (StatusCode, Value) {
        members["device_id"] = members["fingerprint"].clone();
        members["device_fingerprint"] = members["fingerprint"].clone();
        members["telemetry"] = json!({ "sdk_name": "x", "os": { "name": "linux" }, "cores": 8 });
        let key = self.key.reveal();
        let path = if in_path {
            format!("/products/app/licenses/{key}/{action}")
        } else {
            members["license_key"] = key.into();
            format!("/products/app/licenses/{action}")
        };
        self.ask(Method::POST, &path, &members.to_string()).await
    }
}

#[tokio::test]
async fn both_styles_of_every_action_do_the_same() {
    let portal = Portal::new().await;
    for in_path in [false, true] {
        let act = async |action: &str| portal.act(in_path, action, json!({ "fingerprint": DEVICE })).await;
        let code = |answer: &Value| answer["error"]["code"].as_str().map(str::to_owned);

        let (status, answer) = act("validate").await;
        assert_eq!((status, &answer["code"]), (StatusCode::OK, &json!("device_not_activated")));
        for action in ["heartbeat", "machine-file"] {
            let (status, answer) = act(action).await;
            assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
            assert_eq!(code(&answer).as_deref(), Some("device_not_activated"));
        }

        for expected in [StatusCode::CREATED, StatusCode::OK] {
            let (status, answer) = act("activate").await;
            assert_eq!((status, &answer["object"]), (expected, &json!("activation")));
            assert_eq!(answer["ip_address"], "0.0.0.0");
        }
        let (status, answer) = act("validate").await;
        assert_eq!((status, &answer["valid"]), (StatusCode::OK, &json!(true)));
        let (status, answer) = act("heartbeat").await;
        assert_eq!((status, &answer["license"]["status"]), (StatusCode::OK, &json!("active")));
        let order = json!({
            "fingerprint": DEVICE,
            "ttl": 7,
            "grace_period": 1,
            "fingerprint_components": { "platform": "linux" },
            "include": ["license"],
        });
        let (status, answer) = portal.act(in_path, "machine-file", order).await;
        assert_eq!((status, &answer["data"]["attributes"]["ttl"]), (StatusCode::CREATED, &json!(7 * 86_400)));

        let (status, answer) = act("deactivate").await;
        assert_eq!((status, &answer["object"]), (StatusCode::OK, &json!("deactivation")));
        let (status, answer) = act("deactivate").await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(code(&answer).as_deref(), Some("already_deactivated"));
    }
}

#[tokio::test]
async fn requests_that_are_none_are_refused_in_the_words_of_the_api() {
    let portal = Portal::new().await;
    let key = portal.key.reveal();
    let unknown = LicenseKey::from_random(&[3; 29]);
    let base = "/products/app/licenses";
    let with = |member: &str, value: Value| {
        let mut body = json!({ "license_key": key, "fingerprint": DEVICE });
        body[member] = value;
        body.to_string()
    };
    for (path, body, status, code) in [
        ("/activate", "{}".to_owned(), 400, "parameter_missing"),
        ("/activate", json!({ "license_key": key }).to_string(), 400, "parameter_missing"),
        ("/activate", json!({ "fingerprint": DEVICE }).to_string(), 400, "parameter_missing"),
        ("/activate", "[]".to_owned(), 400, "invalid_arguments"),
        ("/activate", with("finger", json!(1)), 400, "invalid_arguments"),
        ("/activate", with("device_id", json!("device-0002")), 400, "invalid_arguments"),
        ("/activate", with("device_name", json!("a\nb")), 400, "invalid_arguments"),
        ("/activate", with("metadata", json!([])), 400, "invalid_arguments"),
        ("/validate", with("device_name", json!("x")), 400, "invalid_arguments"),
        ("/validate", with("license_key", json!("LS-1")), 404, "license_not_found"),
        ("/validate", with("license_key", json!(unknown.reveal())), 404, "license_not_found"),
        ("/deactivate", with("telemetry", json!({})), 404, "activation_not_found"),
        ("/machine-file", with("include", json!(["licence"])), 400, "invalid_arguments"),
        ("/machine-file", with("ttl", json!(1.5)), 400, "invalid_arguments"),
        ("/machine-file", with("fingerprint_components", json!({ "a": 1 })), 400, "invalid_arguments"),
    ] {
        let (answered, answer) = portal.ask(Method::POST, &format!("{base}{path}"), &body).await;
        assert_eq!((answered.as_u16(), &answer["error"]["code"]), (status, &json!(code)), "{path} {body}");
        assert!(answer["error"]["details"].is_object() && !answer.to_string().contains(key), "{answer}");
    }
}

#[tokio::test]
async fn what_there_is_not_yet_is_not_found() {
    let portal = Portal::new().await;
    let key = portal.key.reveal();
    for (method, path) in [
        (Method::POST, "/products/app/licenses/offline-token".to_owned()),
        (Method::POST, format!("/products/app/licenses/{key}/offline-token")),
        (Method::GET, "/products/app/releases".to_owned()),
        (Method::GET, "/products/app/releases/latest".to_owned()),
        (Method::POST, "/products/app/releases/1.0.0/download-token".to_owned()),
        (Method::POST, "/products/a%00b/licenses/offline-token".to_owned()),
    ] {
        let (status, answer) = portal.ask(method, &path, "{}").await;
        assert_eq!(
            (status, &answer["error"]["code"]),
            (StatusCode::NOT_FOUND, &json!("not_found")),
            "{path}"
        );
        assert!(!answer.to_string().contains(key));
    }
}

#[test]
fn the_document_describes_every_client_action() {
    let document = serde_json::to_value(openapi()).unwrap();
    for action in ["activate", "validate", "deactivate", "heartbeat", "machine-file"] {
        for path in ["", "/{license}"] {
            let path = format!("{BASE}/products/{{slug}}/licenses{path}/{action}");
            let operation = &document["paths"][&path]["post"];
            assert_eq!(operation["security"], json!([{ "api_key": [] }]), "{path}");
            assert!(
                operation["requestBody"].is_object() && operation["responses"]["422"].is_object(),
                "{path}"
            );
        }
    }
    let license = &document["components"]["schemas"]["ValidationObject"]["properties"]["license"];
    assert_eq!(license["$ref"], "#/components/schemas/LicenseObject");
}
