//! The limits on what clients may ask for: each is reached, says when there is room again, and then has room.
//!
//! A clock that a test moves goes on by itself, so that "a moment too early" is ten seconds here; the tests beside
//! the rules have it to the millisecond.

mod addresses;
mod orders;

use std::time::Duration;

use chancery_license::Plan;
use chancery_testkit::{Answer, Engine, Installation, MovableClock, RawClient, Responder, Vendor, Workdir};
use serde_json::{Value, json};

use crate::acme::block_on;
use crate::obtained::{obtain, revocation};
use crate::{CHANCERY, on_both_engines};

on_both_engines!(
    orders_of_an_account,
    accounts_of_an_address,
    failed_validations_of_a_name,
    pending_authorizations_of_an_account,
    certificates_for_the_same_names,
    of_many_at_once_so_many_are_admitted_as_may_be,
);

const HOUR: u64 = 3_600;
/// How much earlier than told a client comes that is to be refused once more, in seconds.
const EARLY: u64 = 10;

/// An installation with these limits, all others off.
fn limited(engine: Engine, limits: &Value) -> Installation {
    let installation = Installation::new(CHANCERY, engine);
    installation.configure(|config| {
        for (name, value) in limits.as_object().unwrap() {
            config["limits"][name] = value.clone();
        }
    });
    installation
}

/// With a licence that lasts longer than the window of a new installation.
fn licensed(engine: Engine, limits: &Value) -> Installation {
    let installation = limited(engine, limits);
    let files = Workdir::new();
    let license = files.write("license.lic", &Vendor::new().license().plan(Plan::Enterprise).mint());
    installation.run(&["license", "install", &license.display().to_string()]).succeeded();
    installation
}

/// How long the client has to wait, in seconds, which a refusal by that limit tells.
#[track_caller]
fn wait(answer: &Answer, limit: &str) -> u64 {
    let detail = answer.problem(429, "rateLimited");
    assert!(detail.contains(&format!("({limit})")), "{detail}");
    assert!(answer.header("replay-nonce").is_some(), "{answer:?}");
    let wait = answer.header("retry-after").unwrap_or_else(|| panic!("no Retry-After: {answer:?}"));
    wait.parse().unwrap()
}

#[track_caller]
fn assert_near(seconds: u64, expected: u64) {
    assert!(seconds <= expected && expected - seconds < 120, "{seconds} is not about {expected}");
}

/// Lets all but a moment of the wait pass, then that moment; `again` is refused, and then made.
async fn sit_out(
    clock: &MovableClock,
    refused: &Answer,
    limit: &str,
    mut again: impl AsyncFnMut() -> Answer,
) {
    let told = wait(refused, limit);
    clock.advance(Duration::from_secs(told - EARLY));
    let left = wait(&again().await, limit);
    assert!(left <= EARLY, "{left} seconds are left of {told}");
    clock.advance(Duration::from_secs(EARLY));
    let made = again().await;
    assert!(made.status.is_success(), "{made:?}");
}

async fn registered(clock: &MovableClock, installation: &Installation) -> RawClient {
    let mut client = RawClient::under(clock, installation).await;
    let answer = client.register(&json!({})).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    client
}

async fn ordered(client: &mut RawClient, name: &str) -> Answer {
    let answer = client.new_order(name, json!({})).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    answer
}

fn events(installation: &Installation, kind: &str) -> Vec<Value> {
    let found = installation.run(&["audit", "query", "--json", "--event", kind]).succeeded();
    found.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn orders_of_an_account(engine: Engine) {
    block_on(async {
        let limits = json!({ "orders_per_account": "2/1h", "names_per_account": "3/1d" });
        let installation = limited(engine, &limits);
        let clock = MovableClock::new();
        let mut server = installation.serve_under(&clock);
        let mut client = registered(&clock, &installation).await;
        // What is refused for another reason uses nothing up.
        for _ in 0..5 {
            let wishes = json!({ "notAfter": "2001-01-01T00:00:00Z" });
            client.new_order("a.localhost", wishes).await.problem(400, "malformed");
        }
        ordered(&mut client, "a.localhost").await;
        ordered(&mut client, "b.localhost").await;
        let refused = client.new_order("c.localhost", json!({})).await;
        assert_near(wait(&refused, "orders_per_account"), HOUR / 2);
        for _ in 0..5 {
            wait(&client.new_order("c.localhost", json!({})).await, "orders_per_account");
        }
        let mut other = registered(&clock, &installation).await;
        ordered(&mut other, "c.localhost").await;
        let again = async || client.new_order("c.localhost", json!({})).await;
        sit_out(&clock, &refused, "orders_per_account", again).await;

        // The three names of the day are used up, however many orders there may be.
        clock.advance(Duration::from_secs(HOUR));
        let refused = client.new_order("d.localhost", json!({})).await;
        assert_near(wait(&refused, "names_per_account"), 8 * HOUR - 3 * HOUR / 2);
        let many =
            ["a", "b", "c", "d"].map(|name| json!({ "type": "dns", "value": format!("{name}.localhost") }));
        let url = client.url("newOrder");
        let never = client.post(&url, &json!({ "identifiers": many }).to_string()).await;
        let detail = never.problem(429, "rateLimited");
        assert!(detail.contains("4 at once can never be allowed"), "{detail}");
        assert_eq!(never.header("retry-after"), None);
        let again = async || client.new_order("d.localhost", json!({})).await;
        sit_out(&clock, &refused, "names_per_account", again).await;
        server.terminate();

        // Once for each limit and account, however often it was refused. The clock moved on by hours between some.
        let told = events(&installation, "limit.reached");
        let limits: Vec<&str> =
            told.iter().map(|event| event["details"]["limit"].as_str().unwrap()).collect();
        assert_eq!(limits, ["orders_per_account", "names_per_account"], "{told:?}");
        let first = &told[0];
        assert_eq!((&first["account_id"], &first["decision"]), (&json!("1"), &json!("deny")), "{first}");
        assert_eq!(
            (&first["details"]["subject"], &first["details"]["allowed"]),
            (&json!("1"), &json!("2/1h"))
        );
    });
}

fn accounts_of_an_address(engine: Engine) {
    block_on(async {
        let installation = limited(engine, &json!({ "accounts_per_ip": "2/3h" }));
        let clock = MovableClock::new();
        let mut server = installation.serve_under(&clock);
        let mut first = registered(&clock, &installation).await;
        let mut third = first.another();
        third.register(&json!({ "contact": ["tel:+1"] })).await.problem(400, "unsupportedContact");
        registered(&clock, &installation).await;
        let refused = third.register(&json!({})).await;
        assert_near(wait(&refused, "accounts_per_ip"), 3 * HOUR / 2);
        // To find the account that one has is not to make another.
        for _ in 0..3 {
            assert_eq!(first.register(&json!({})).await.status, 200);
        }
        sit_out(&clock, &refused, "accounts_per_ip", async || third.register(&json!({})).await).await;
        server.terminate();
        assert_eq!(events(&installation, "account.create").len(), 3);
    });
}

fn failed_validations_of_a_name(engine: Engine) {
    block_on(async {
        let installation = limited(engine, &json!({ "failed_validations": "2/1h" }));
        let clock = MovableClock::new();
        let mut server = installation.serve_under(&clock);
        let responder = Responder::start(installation.http01_port()).await;
        let mut client = registered(&clock, &installation).await;
        let before = ordered(&mut client, "a.localhost").await;
        for _ in 0..2 {
            let order = ordered(&mut client, "a.localhost").await;
            fail(&mut client, &order).await;
        }
        let refused = client.new_order("a.localhost", json!({})).await;
        let told = wait(&refused, "failed_validations");
        assert_near(told, HOUR / 2);
        let detail = refused.json()["detail"].to_string();
        assert!(detail.contains("failed validations of a.localhost by this account"), "{detail}");
        // The order that is there already cannot go on either.
        let challenge = challenge(&mut client, &before).await;
        wait(&client.post(&challenge, "{}").await, "failed_validations");
        // Other names, and other accounts, are not held up.
        ordered(&mut client, "b.localhost").await;
        ordered(&mut registered(&clock, &installation).await, "a.localhost").await;

        let again = async || client.new_order("a.localhost", json!({})).await;
        sit_out(&clock, &refused, "failed_validations", again).await;
        // A success makes up for all that failed.
        client.make_ready(&responder, &before).await;
        assert_eq!(installation.query_i64("SELECT count(*) FROM rates"), 0);
        server.terminate();
    });
}

/// Answers the challenge of an order that nobody has put in place, and waits until it has failed.
async fn fail(client: &mut RawClient, order: &Answer) {
    let challenge = challenge(client, order).await;
    let mut answer = client.post(&challenge, "{}").await;
    while answer.json()["status"] == "processing" {
        tokio::time::sleep(Duration::from_millis(20)).await;
        answer = client.post(&challenge, "").await;
    }
    assert_eq!(answer.json()["status"], "invalid", "{answer:?}");
}

/// The http-01 challenge of an order's first name.
async fn challenge(client: &mut RawClient, order: &Answer) -> String {
    let authorization = client.post(order.json()["authorizations"][0].as_str().unwrap(), "").await.json();
    let challenges = authorization["challenges"].as_array().unwrap();
    let challenge = challenges.iter().find(|challenge| challenge["type"] == "http-01").unwrap();
    challenge["url"].as_str().unwrap().to_owned()
}

fn pending_authorizations_of_an_account(engine: Engine) {
    block_on(async {
        let installation = licensed(engine, &json!({ "pending_authorizations": "2" }));
        let clock = MovableClock::new();
        let mut server = installation.serve_under(&clock);
        let mut client = registered(&clock, &installation).await;
        let first = ordered(&mut client, "a.localhost").await;
        clock.advance(Duration::from_secs(HOUR));
        ordered(&mut client, "b.localhost").await;
        let refused = client.new_order("c.localhost", json!({})).await;
        assert_near(wait(&refused, "pending_authorizations"), 7 * 24 * HOUR - HOUR);
        // Whoever gives one up has room again.
        let authorization = first.json()["authorizations"][0].as_str().unwrap().to_owned();
        assert_eq!(client.post(&authorization, r#"{"status":"deactivated"}"#).await.status, 200);
        ordered(&mut client, "c.localhost").await;

        let refused = client.new_order("d.localhost", json!({})).await;
        assert_eq!(
            installation.query_i64("SELECT count(*) FROM orders"),
            3,
            "a refused order leaves nothing"
        );
        let again = async || client.new_order("d.localhost", json!({})).await;
        sit_out(&clock, &refused, "pending_authorizations", again).await;
        server.terminate();
    });
}

fn certificates_for_the_same_names(engine: Engine) {
    block_on(async {
        let limits = json!({ "certificates_per_names": "2/7d", "orders_per_account": "100/1d" });
        let installation = licensed(engine, &limits);
        let clock = MovableClock::new();
        let mut server = installation.serve_under(&clock);
        let responder = Responder::start(installation.http01_port()).await;
        let mut client = registered(&clock, &installation).await;
        let day = json!({ "notAfter": (clock.now() + Duration::from_secs(24 * HOUR)).whole_seconds() });
        let first = obtain(&mut client, &responder, "a.localhost", day).await;
        let open = client.ready_order(&responder, "a.localhost", json!({})).await;
        obtain(&mut client, &responder, "a.localhost", json!({})).await;

        // Asked when the order is made, and again when it is finalized.
        let refused = client.new_order("a.localhost", json!({})).await;
        assert_near(wait(&refused, "certificates_per_names"), 7 * 24 * HOUR);
        wait(&client.finalize(&open, "a.localhost").await, "certificates_per_names");
        // A renewal that says so is not held up once it is time for it, and counts nevertheless.
        let renewal = json!({ "replaces": first.cert_id() });
        wait(&client.new_order("a.localhost", renewal.clone()).await, "certificates_per_names");
        clock.advance(Duration::from_secs(17 * HOUR));
        obtain(&mut client, &responder, "a.localhost", renewal).await;
        wait(&client.finalize(&open, "a.localhost").await, "certificates_per_names");
        // Another set of names is another matter.
        obtain(&mut client, &responder, "b.localhost", json!({})).await;

        // Revoked ones are left out.
        installation.sql(
            "UPDATE certificates SET revoked_at = 1
             WHERE id IN (SELECT id FROM certificates WHERE identifiers = 'dns:a.localhost' ORDER BY id LIMIT 1)",
        );
        wait(&client.finalize(&open, "a.localhost").await, "certificates_per_names");
        let url = client.url("revokeCert");
        let second = installation.column::<Vec<u8>>(
            "SELECT der FROM certificates WHERE identifiers = 'dns:a.localhost' AND der IS NOT NULL ORDER BY id",
        );
        let revoked = client.post(&url, &revocation(&second[1], 4)).await;
        assert_eq!(revoked.status, 200, "{revoked:?}");
        let issued = client.finalize(&open, "a.localhost").await;
        assert_eq!(issued.json()["status"], "valid", "{issued:?}");

        let refused = client.new_order("a.localhost", json!({})).await;
        let again = async || client.new_order("a.localhost", json!({})).await;
        sit_out(&clock, &refused, "certificates_per_names", again).await;
        server.terminate();
    });
}

fn of_many_at_once_so_many_are_admitted_as_may_be(engine: Engine) {
    block_on(async {
        let installation = limited(engine, &json!({ "orders_per_account": "5/1d" }));
        let mut server = installation.serve();
        let mut client = RawClient::new(&installation).await;
        assert_eq!(client.register(&json!({})).await.status, 201);
        // Signed before any is sent, by one account, and sent by clients that do not wait for each other.
        let url = client.url("newOrder");
        let mut bodies = Vec::new();
        for number in 0..24 {
            let name = json!({ "type": "dns", "value": format!("n{number}.localhost") });
            let header = client.header(&url).await;
            bodies.push(client.sign(&header, &json!({ "identifiers": [name] }).to_string()));
        }
        let mut racing = Vec::new();
        for body in bodies {
            let (mut racer, url) = (client.another(), url.clone());
            racing.push(tokio::spawn(async move { racer.send(&url, &body).await.status.as_u16() }));
        }
        let mut statuses = Vec::new();
        for racer in racing {
            statuses.push(racer.await.unwrap());
        }
        statuses.sort_unstable();
        assert_eq!(statuses, [vec![201; 5], vec![429; 19]].concat());
        server.terminate();
    });
}
