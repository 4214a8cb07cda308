//! `license.offline`: nobody is contacted for licences. Shown by the calls that the real binary makes, as strace
//! writes them down, and in a network in which nobody could be reached.
//!
//! No challenge is answered here: to validate one, the server does dial, and a validation is not licensing.

mod sockets;

use std::time::Duration;

use chancery_license::exchange::Verdict;
use chancery_license::{LicenseKey, Plan};
use chancery_testkit::{
    Engine, Installation, MovableClock, Network, RawClient, SocketTrace, TestServer, Vendor, Workdir,
    run_without_network,
};
use chancery_time::Timestamp;
use serde_json::{Value, json};
use sockets::{Expected, database};
use tokio::runtime::Handle;
use tokio::task::block_in_place;

use crate::acme::block_on;
use crate::portal_site::PortalSite;
use crate::{CHANCERY, on_both_engines};

on_both_engines!(
    a_day_under_a_licence_opens_no_socket,
    a_day_in_a_cold_start_window_opens_no_socket,
    no_command_opens_a_socket,
);

const HOUR: Duration = Duration::from_secs(3_600);

/// Has the portal configured, and is offline.
fn go_offline(installation: &Installation, portal: &PortalSite) {
    let mut license = portal.license();
    license["offline"] = json!(true);
    installation.configure(|config| config["license"] = license);
}

/// A licence that is valid for an hour more, and then in grace: when a portal would be asked most often.
fn install(installation: &Installation, clock: &MovableClock) {
    let files = Workdir::new();
    let license = Vendor::new().license().plan(Plan::Pro).expires(clock.now() + HOUR).mint();
    let file = files.write("new.lic", &license);
    installation.run_at(clock, &["license", "install", file.to_str().unwrap()]).succeeded();
}

/// Moves the clock by so many hours, and has the server asked for something in each of them: a request wakes it up, and
/// it sees that its clocks were moved and which of its timers are due.
fn pass(hours: u32, clock: &MovableClock, mut ask: impl FnMut()) {
    for _ in 0..hours {
        clock.advance(HOUR);
        ask();
    }
}

/// Lives through a day in which the licence that [`install`] left comes to its end, and its end is said again when that
/// is a day ago.
fn pass_a_day_into_grace(server: &TestServer<'_>, clock: &MovableClock, mut ask: impl FnMut()) {
    pass(2, clock, &mut ask);
    server.log_until("the state of the licence changed");
    server.log_until("is in grace");
    pass(25, clock, &mut ask);
    server.log_until("is in grace");
}

/// A client of a running server, with an account.
async fn registered(clock: &MovableClock, installation: &Installation) -> RawClient {
    let mut client = RawClient::under(clock, installation).await;
    client.register(&json!({})).await;
    client
}

/// Orders a certificate, which the licence is asked for, and leaves it at that.
fn order(client: &mut RawClient) {
    let ordered = block_in_place(|| Handle::current().block_on(client.new_order("a.localhost", json!({}))));
    assert_eq!(ordered.status, 201, "{ordered:?}");
}

/// Holds a server that has ended to having lived through the day: it kept how far the time came. An hour that passed
/// in the midst of keeping it may be missing there.
#[track_caller]
fn assert_a_day_passed(installation: &Installation, clock: &MovableClock) {
    let status = installation.run_at(clock, &["license", "status", "--json"]).succeeded();
    let status: Value = serde_json::from_str(&status.stdout).unwrap();
    let watermark: Timestamp = status["watermark"].as_str().unwrap().parse().unwrap();
    assert!(clock.now().since(watermark) < 6 * HOUR, "{status}");
}

/// Holds what the server said to be free of any attempt to reach a portal.
#[track_caller]
fn assert_no_contact(server: &TestServer<'_>) {
    let log = server.log();
    for word in ["portal", "call_home", "proxy"] {
        assert!(!log.contains(word), "{log}");
    }
}

fn a_day_under_a_licence_opens_no_socket(engine: Engine) {
    let installation = Installation::without_window(CHANCERY, engine);
    let portal = PortalSite::start();
    go_offline(&installation, &portal);
    let clock = MovableClock::with_monotonic();
    install(&installation, &clock);

    let trace = SocketTrace::new();
    let traced = installation.traced(&trace);
    let mut server = traced.serve_under(&clock);
    block_on(async {
        let mut client = registered(&clock, &installation).await;
        pass_a_day_into_grace(&server, &clock, || order(&mut client));
    });
    server.terminate();

    Expected { listener: Some(&installation), database: database(engine) }.hold(&trace.calls());
    assert_no_contact(&server);
    assert_a_day_passed(&installation, &clock);
    assert!(portal.asked().is_empty());
}

fn a_day_in_a_cold_start_window_opens_no_socket(engine: Engine) {
    let installation = Installation::new(CHANCERY, engine);
    let portal = PortalSite::start();
    go_offline(&installation, &portal);
    let clock = MovableClock::with_monotonic();

    let trace = SocketTrace::new();
    let traced = installation.traced(&trace);
    let mut server = traced.serve_under(&clock);
    block_on(async {
        let mut client = registered(&clock, &installation).await;
        pass(25, &clock, || order(&mut client));
    });
    server.terminate();

    Expected { listener: Some(&installation), database: database(engine) }.hold(&trace.calls());
    assert_no_contact(&server);
    assert_a_day_passed(&installation, &clock);
    assert!(portal.asked().is_empty());
}

fn no_command_opens_a_socket(engine: Engine) {
    let installation = Installation::without_window(CHANCERY, engine);
    let portal = PortalSite::start();
    go_offline(&installation, &portal);
    let files = Workdir::new();
    let license = files.write("new.lic", &Vendor::new().license().plan(Plan::Pro).mint());
    let license = license.to_str().unwrap();
    let key = LicenseKey::from_random(&[3; 29]);
    let instead = "license.offline is set, so that nobody is contacted: bring the licence, or a machine file \
                   (`chancery license install FILE`)";
    // What asks the portal, where there is one that may be asked, is refused and says what to do instead.
    let commands: [(&[&str], i32, &str); 9] = [
        (&["license", "register", "--env", "dev", key.reveal()], 1, instead),
        (&["license", "refresh"], 1, instead),
        (&["license", "explain", "--plan", "pro"], 0, ""),
        (&["license", "install", license], 0, ""),
        (&["license", "status"], 0, ""),
        (&["license", "explain"], 0, ""),
        (&["license", "history"], 0, ""),
        (&["validate"], 0, ""),
        (&["outbound"], 0, ""),
    ];
    for (command, code, says) in commands {
        let trace = SocketTrace::new();
        let ended = installation.traced(&trace).run(command).exited_with(code);
        assert!(ended.stderr.contains(says), "{ended}");
        let stores = command[0] == "license";
        let database = database(engine).filter(|_| stores);
        Expected { listener: None, database }.hold(&trace.calls());
    }
    assert!(portal.asked().is_empty());
}

/// The same server online does call, and so the tests above could fail.
#[test]
fn online_the_same_day_is_seen_to_call() {
    let installation = Installation::without_window(CHANCERY, Engine::Sqlite);
    let portal = PortalSite::start();
    portal.introduce(&installation);
    portal.answer(Verdict::Licensed, &[]);
    let clock = MovableClock::with_monotonic();
    install(&installation, &clock);

    let trace = SocketTrace::new();
    let traced = installation.traced(&trace);
    let mut server = traced.serve_under(&clock);
    server.log_until("the licence portal answered");
    server.terminate();

    let beyond = Expected { listener: Some(&installation), database: None }.beyond(&trace.calls());
    let connects = format!("sin_port=htons({})", portal.address().port());
    assert!(
        beyond.iter().any(|call| call.starts_with("connect(") && call.contains(&connects)),
        "{beyond:#?}"
    );
}

/// Only loopback is there, which the listener needs.
#[test]
fn a_day_in_a_network_without_any_route() {
    let Some(network) = Network::new() else { return };
    let installation = Installation::without_window(CHANCERY, Engine::Sqlite);
    // Nobody has that name, and nobody could be asked for it.
    let portal = json!({ "url": "https://portal.invalid" });
    installation.configure(|config| config["license"] = json!({ "offline": true, "portal": portal }));
    let clock = MovableClock::with_monotonic();
    install(&installation, &clock);
    let cut_off = installation.within(&network);
    let knock = format!("exec 3<>/dev/tcp/127.0.0.1/{}", installation.port());

    let mut server = cut_off.serve_under(&clock);
    pass_a_day_into_grace(&server, &clock, || {
        network.run("bash", &["-c", &knock], &[]).succeeded();
    });
    server.terminate();
    assert_no_contact(&server);
    assert_a_day_passed(&installation, &clock);

    // Online it says that it reaches nobody, and so the test could fail.
    installation.configure(|config| config["license"] = json!({ "portal": portal }));
    let mut server = cut_off.serve_under(&clock);
    server.log_until("the licence portal gave no answer");
    server.terminate();
}

/// Commands need not even loopback.
#[test]
fn commands_in_no_network_at_all() {
    if Network::new().is_none() {
        return;
    }
    let installation = Installation::without_window(CHANCERY, Engine::Sqlite);
    installation.configure(|config| config["license"] = json!({ "offline": true }));
    let files = Workdir::new();
    let license = files.write("new.lic", &Vendor::new().license().plan(Plan::Pro).mint());
    let (license, config) = (license.to_str().unwrap(), installation.config().to_str().unwrap());
    let clock = MovableClock::new();
    let run = |arguments: &[&str]| run_without_network(CHANCERY, arguments, &clock);
    run(&["license", "inspect", license]).succeeded();
    run(&["license", "install", license, "-f", config]).succeeded();
    let status = run(&["license", "status", "-f", config]).succeeded();
    assert!(status.stdout.contains("offline: nobody is contacted"), "{status}");
    let refused = run(&["license", "refresh", "-f", config]).exited_with(1);
    assert!(refused.stderr.contains("chancery license install FILE"), "{refused}");
}
