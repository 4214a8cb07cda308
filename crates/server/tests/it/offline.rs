//! `license.offline`: nobody is contacted for licences. Shown by the calls that the real binary makes, as strace
//! writes them down, and in a network in which nobody could be reached.
//!
//! No challenge is answered here: to validate one, the server does dial, and a validation is not licensing.

mod sockets;

use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc::{RecvTimeoutError, channel};
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

/// Lets the hours of a day pass, each of them with a knock at the server's door, which wakes it up: it sees then that
/// its clocks were moved and which of its timers are due. Somebody else knocks all the while, since a server that reads
/// a clock in the very moment in which it is moved may go to sleep for an hour.
fn pass_a_day(clock: &MovableClock, knock: &(impl Fn() + Sync), and_then: impl FnOnce()) {
    const PAUSE: Duration = Duration::from_millis(200);
    let (leave, left) = channel::<()>();
    std::thread::scope(|scope| {
        let _leave = leave;
        scope.spawn(move || {
            while left.recv_timeout(PAUSE) == Err(RecvTimeoutError::Timeout) {
                knock();
            }
        });
        pass(25, clock, knock);
        and_then();
    });
}

fn pass(hours: u32, clock: &MovableClock, knock: &impl Fn()) {
    for _ in 0..hours {
        clock.advance(HOUR);
        knock();
    }
}

/// Lives through the day in which the licence that [`install`] left comes to its end, and through another, after which
/// the server says so again.
fn pass_into_grace(server: &TestServer<'_>, clock: &MovableClock, knock: &(impl Fn() + Sync)) {
    pass_a_day(clock, knock, || {
        server.log_until("the state of the licence changed");
        server.log_until("is in grace");
        pass(25, clock, knock);
        server.log_until("is in grace");
    });
}

/// Knocks at the door of a server.
fn knock_at(installation: &Installation) -> impl Fn() + Sync {
    let address = SocketAddr::from(([127, 0, 0, 1], installation.listening()));
    move || drop(TcpStream::connect(address).unwrap())
}

/// Orders a certificate, which the licence is asked for, and leaves it at that.
fn order(clock: &MovableClock, installation: &Installation) {
    block_on(async {
        let mut client = RawClient::under(clock, installation).await;
        client.register(&json!({})).await;
        let ordered = client.new_order("a.localhost", json!({})).await;
        assert_eq!(ordered.status, 201, "{ordered:?}");
    });
}

/// Holds a server that has ended to having lived through the day, as its audit log tells it.
#[track_caller]
fn assert_a_day_passed(installation: &Installation) {
    let told = |event| -> Timestamp {
        let query = installation.run(&["audit", "query", "--json", "--event", event]).succeeded();
        let event: Value = serde_json::from_str(&query.stdout).unwrap();
        event["ts"].as_str().unwrap().parse().unwrap()
    };
    let lived = told("server.stop").since(told("server.start"));
    assert!(lived > 24 * HOUR, "{lived:?}");
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
    order(&clock, &installation);
    pass_into_grace(&server, &clock, &knock_at(&installation));
    order(&clock, &installation);
    server.terminate();

    Expected { listener: Some(&installation), database: database(engine) }.hold(&trace.calls());
    assert_no_contact(&server);
    assert_a_day_passed(&installation);
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
    order(&clock, &installation);
    pass_a_day(&clock, &knock_at(&installation), || ());
    server.terminate();

    Expected { listener: Some(&installation), database: database(engine) }.hold(&trace.calls());
    assert_no_contact(&server);
    assert_a_day_passed(&installation);
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
    let trace = SocketTrace::new();
    trace.run(CHANCERY, &["license", "inspect", license]).succeeded();
    Expected { listener: None, database: None }.hold(&trace.calls());
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
    let knock = format!("exec 3<>/dev/tcp/127.0.0.1/{}", installation.listening());

    let mut server = cut_off.serve_under(&clock);
    pass_into_grace(&server, &clock, &|| {
        network.run("bash", &["-c", &knock], &[]).succeeded();
    });
    server.terminate();
    assert_no_contact(&server);
    assert_a_day_passed(&installation);

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
