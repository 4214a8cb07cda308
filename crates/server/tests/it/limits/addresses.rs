//! What addresses may do: how many requests, how much abuse, and whose request it is behind a proxy.

use std::time::Duration;

use chancery_testkit::{Answer, Engine, Installation, MovableClock, RawClient};
use http::{Method, Request};
use http_body_util::Full;
use serde_json::json;

use super::{EARLY, events, limited, ordered, registered, wait};
use crate::CHANCERY;
use crate::acme::block_on;

#[test]
fn requests_of_an_address() {
    block_on(async {
        let installation = limited(Engine::Sqlite, &json!({ "requests_per_ip": "10/10m" }));
        let clock = MovableClock::new();
        let mut server = installation.serve_under(&clock);
        let client = RawClient::under(&clock, &installation).await;
        let (directory, nonce) = (installation.directory_url(), client.url("newNonce"));
        // The client has read the directory once; whatever is asked for counts, also what is not there.
        let nowhere = format!("{}/acme/nowhere", installation.url());
        for url in [&directory, &nonce, &nowhere].into_iter().cycle().take(9) {
            let answer = client.unsigned(Method::GET, url).await;
            assert_ne!(answer.status, 429, "{answer:?}");
        }
        let refused = client.unsigned(Method::GET, &nonce).await;
        let told = wait(&refused, "requests_per_ip");
        assert!(told > 20 && told <= 60, "{told}");
        for url in [&directory, &nowhere] {
            client.unsigned(Method::GET, url).await.problem(429, "rateLimited");
        }
        // What is not ACME is not counted.
        let health = format!("{}/healthz", installation.url());
        assert_eq!(client.unsigned(Method::GET, &health).await.status, 200);
        clock.advance(Duration::from_secs(told - EARLY));
        wait(&client.unsigned(Method::GET, &nonce).await, "requests_per_ip");
        clock.advance(Duration::from_secs(EARLY));
        assert_eq!(client.unsigned(Method::GET, &nonce).await.status, 204);
        server.terminate();

        let told = events(&installation, "limit.reached");
        assert_eq!(told.len(), 1, "{told:?}");
        assert_eq!(told[0]["source_ip"], "127.0.0.1");
        assert_eq!(told[0]["details"]["subject"], "127.0.0.1");
    });
}

#[test]
fn abuse_is_not_heard_and_honest_mistakes_are() {
    block_on(async {
        let installation = limited(Engine::Sqlite, &json!({ "abuse_per_ip": "4/1h" }));
        let clock = MovableClock::new();
        let mut server = installation.serve_under(&clock);
        let mut client = registered(&clock, &installation).await;
        let mut other = registered(&clock, &installation).await;
        let (account, order) = (client.account(), ordered(&mut client, "a.localhost").await);
        let order_url = order.header("location").unwrap().to_owned();
        let (new_order, finalize) =
            (client.url("newOrder"), order.json()["finalize"].as_str().unwrap().to_owned());

        // Mistakes of programs and people: an old nonce, JSON that is none, names that cannot be, an order that is
        // not ready, an object that never was.
        for _ in 0..3 {
            let mut header = client.header(&new_order).await;
            header["nonce"] = json!("b2xk");
            let body = client.sign(&header, "{}");
            client.send(&new_order, &body).await.problem(400, "badNonce");
            client.post(&new_order, "{").await.problem(400, "malformed");
            client.new_order("a b", json!({})).await.problem(400, "malformed");
            client.finalize(&finalize, "a.localhost").await.problem(403, "orderNotReady");
            client.post(&format!("{order_url}x"), "").await.problem(404, "malformed");
            client.unsigned(Method::GET, &order_url).await.problem(405, "malformed");
        }
        assert_eq!(client.post(&order_url, "").await.status, 200);

        // A signature of another key, and objects of another account.
        let mut header = client.header(&account).await;
        let body = other.sign(&header, "");
        client.send(&account, &body).await.problem(400, "malformed");
        other.post(&order_url, "").await.problem(404, "malformed");
        other.post(order.json()["authorizations"][0].as_str().unwrap(), "").await.problem(404, "malformed");
        assert_eq!(client.post(&order_url, "").await.status, 200);
        other.post(&format!("{account}/orders"), "").await.problem(403, "unauthorized");

        // Now the address is refused, whoever speaks, and whatever is asked for.
        let refused = client.post(&order_url, "").await;
        let told = wait(&refused, "abuse_per_ip");
        assert!((840..=900).contains(&told), "{told}");
        wait(&other.unsigned(Method::GET, &client.url("newNonce")).await, "abuse_per_ip");
        clock.advance(Duration::from_secs(told - EARLY));
        wait(&client.unsigned(Method::GET, &client.url("newNonce")).await, "abuse_per_ip");
        clock.advance(Duration::from_secs(EARLY));
        assert_eq!(client.post(&order_url, "").await.status, 200);
        // One more is one too many again, which the log knows of already.
        header["nonce"] = json!(client.nonce().await);
        let body = other.sign(&header, "");
        client.send(&account, &body).await.problem(400, "malformed");
        wait(&client.unsigned(Method::GET, &client.url("newNonce")).await, "abuse_per_ip");
        server.terminate();

        let told = events(&installation, "abuse.blocked");
        assert_eq!(told.len(), 1, "{told:?}");
        assert_eq!((&told[0]["source_ip"], &told[0]["decision"]), (&json!("127.0.0.1"), &json!("deny")));
        assert!(events(&installation, "limit.reached").is_empty());
    });
}

/// A GET through a proxy that says whom it speaks for.
async fn through(client: &RawClient, url: &str, forwarded: &str) -> Answer {
    let request = Request::get(url).header("X-Forwarded-For", forwarded).body(Full::default());
    client.exchange(request.unwrap()).await
}

#[test]
fn a_trusted_proxy_says_whose_request_it_is() {
    block_on(async {
        let installation = limited(Engine::Sqlite, &json!({ "requests_per_ip": "2/1h" }));
        installation
            .configure(|config| config["server"]["trusted_proxies"] = json!(["127.0.0.0/8", "10.0.0.0/8"]));
        let mut server = installation.serve();
        let client = RawClient::new(&installation).await;
        let nonce = client.url("newNonce");
        for from in ["198.51.100.1", "198.51.100.2", "203.0.113.9, 198.51.100.3, 10.0.0.7"] {
            for _ in 0..2 {
                assert_eq!(through(&client, &nonce, from).await.status, 204, "{from}");
            }
            wait(&through(&client, &nonce, from).await, "requests_per_ip");
        }
        // What the client itself wrote in front changes nothing.
        wait(&through(&client, &nonce, "192.0.2.77, 198.51.100.1").await, "requests_per_ip");
        // The proxy itself has room, as long as it names nobody else.
        assert_eq!(through(&client, &nonce, "nonsense").await.status, 204);
        server.terminate();
        let told = events(&installation, "limit.reached");
        let from: Vec<&str> = told.iter().map(|event| event["source_ip"].as_str().unwrap()).collect();
        assert_eq!(from, ["198.51.100.1", "198.51.100.2", "198.51.100.3"]);
    });
}

#[test]
fn nobody_else_says_whose_request_it_is() {
    block_on(async {
        let installation = limited(Engine::Sqlite, &json!({ "requests_per_ip": "3/1h" }));
        let mut server = installation.serve();
        let client = RawClient::new(&installation).await;
        let nonce = client.url("newNonce");
        assert_eq!(through(&client, &nonce, "198.51.100.1").await.status, 204);
        assert_eq!(through(&client, &nonce, "198.51.100.2").await.status, 204);
        wait(&through(&client, &nonce, "198.51.100.3").await, "requests_per_ip");
        server.terminate();
        assert_eq!(events(&installation, "limit.reached")[0]["source_ip"], "127.0.0.1");
        let told = server.log().matches("is not among `server.trusted_proxies`").count();
        assert_eq!(told, 1, "{}", server.log());
    });
}

#[test]
fn limits_that_are_off_are_warned_of_at_every_start() {
    // As `chancery init --demo` leaves it.
    let installation = Installation::new(CHANCERY, Engine::Sqlite);
    let mut server = installation.serve();
    let warning = server.log_until("limits that are switched off");
    assert!(warning.contains("requests_per_ip, accounts_per_ip") && warning.contains("WARN"), "{warning}");
    server.terminate();
    installation.configure(|config| config["limits"] = json!({ "abuse_per_ip": "off" }));
    let mut server = installation.serve();
    let warning = server.log_until("limits that are switched off");
    assert!(warning.trim_end().ends_with(": abuse_per_ip"), "{warning}");
    server.terminate();
    installation.configure(|config| drop(config.as_object_mut().unwrap().remove("limits")));
    let mut server = installation.serve();
    server.terminate();
    assert!(!server.log().contains("switched off"), "{}", server.log());
}
