//! http-01 against web servers that behave and misbehave.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use chancery_testkit::DnsServer;
use chancery_validation::egress::EgressPolicy;
use chancery_validation::http01::{Http01, Http01Settings};
use chancery_validation::resolver::Resolver;
use chancery_validation::{Failure, FailureKind};
use proptest::strategy::{Strategy as _, ValueTree as _};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;

use crate::dns;
use crate::web::{Reply, Web, redirect, response};

pub(crate) const TOKEN: &str = "DGyRejmCefe7v4NfDGDKfA";
pub(crate) const PROOF: &str = "DGyRejmCefe7v4NfDGDKfA.9jg46WB3rR_AHD-EBXdN7cBkH1WOu0tA3M9fm21mqTI";

/// Allows 127.0.0.0/8 and nothing else that the defaults refuse.
pub(crate) fn loopback() -> EgressPolicy {
    EgressPolicy::new(vec!["127.0.0.0/8".parse().unwrap()], vec![], vec![])
}

pub(crate) fn settings(port: u16) -> Http01Settings {
    Http01Settings { port, ..Http01Settings::default() }
}

fn observer(port: u16) -> Http01 {
    Http01::new(Resolver::system().unwrap(), loopback(), settings(port))
}

pub(crate) async fn observe(web: &Web) -> Result<(), Failure> {
    observer(web.port()).observe("host.localhost", TOKEN, PROOF).await
}

pub(crate) async fn observe_reply(reply: impl Fn() -> Reply + Send + Sync + 'static) -> Result<(), Failure> {
    observe(&Web::start(move |_| reply()).await).await
}

/// An observer that asks `dns`, and what it makes of `host.example`.
async fn observe_by_dns(dns: &DnsServer, egress: EgressPolicy, port: u16) -> Result<(), Failure> {
    let resolver = Resolver::with_servers(&[dns.address()], Duration::from_secs(5)).unwrap();
    Http01::new(resolver, egress, settings(port)).observe("host.example", TOKEN, PROOF).await
}

pub(crate) fn kind(outcome: &Result<(), Failure>) -> Option<(FailureKind, bool)> {
    outcome.as_ref().err().map(|failure| (failure.kind, failure.transient))
}

pub(crate) const PASSING: bool = true;
pub(crate) const LASTING: bool = false;

#[tokio::test]
async fn the_key_authorization_proves_control() {
    let web = Web::start(|_| response("200 OK", PROOF)).await;
    assert_eq!(observe(&web).await, Ok(()));
    let port = web.port();
    assert_eq!(
        web.requests(),
        [format!(
            "GET /.well-known/acme-challenge/{TOKEN} HTTP/1.1\r\nhost: host.localhost:{port}\r\n\
             user-agent: chancery/{}\r\naccept: */*\r\nconnection: close\r\n\r\n",
            env!("CARGO_PKG_VERSION")
        )]
    );
}

#[tokio::test]
async fn an_address_can_be_validated_too() {
    let web = Web::start(|_| response("200 OK", PROOF)).await;
    assert_eq!(observer(web.port()).observe("127.0.0.1", TOKEN, PROOF).await, Ok(()));
}

#[tokio::test]
async fn every_framing_of_a_body_is_read() {
    let bodies = [
        format!("HTTP/1.1 200 OK\r\n\r\n{PROOF}"),
        format!("HTTP/1.0 200 OK\r\n\r\n{PROOF}\r\n"),
        format!(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{}\r\n{:x}\r\n{}\r\n0\r\n\r\n",
            &PROOF[..5],
            PROOF.len() - 5,
            &PROOF[5..]
        ),
        format!("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n{PROOF}"),
        format!("HTTP/1.1 200 OK\r\n\r\n{PROOF} \t\r\n\n"),
    ];
    for body in bodies {
        let bytes = body.clone().into_bytes();
        assert_eq!(observe_reply(move || Reply::Bytes(bytes.clone())).await, Ok(()), "{body}");
    }
}

#[tokio::test]
async fn a_complete_body_counts_before_the_connection_closes() {
    let body = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{PROOF}", PROOF.len());
    assert_eq!(observe_reply(move || Reply::ThenSilence(body.clone().into_bytes())).await, Ok(()));
}

#[tokio::test]
async fn another_body_is_a_mismatch_and_is_not_echoed() {
    let almost = PROOF.replace('9', "8");
    let bodies = ["", "the-secret-of-another-host", &PROOF[..PROOF.len() - 1], &almost];
    for body in bodies.map(str::to_owned).into_iter().chain([format!(" {PROOF}"), format!("{PROOF}x")]) {
        let sent = body.clone();
        let outcome = observe_reply(move || response("200 OK", &sent)).await;
        assert_eq!(kind(&outcome), Some((FailureKind::Mismatch, LASTING)), "{body}");
        let text = outcome.unwrap_err().to_string();
        assert!(body.is_empty() || !text.contains(body.trim()), "{text}");
    }
}

#[tokio::test]
async fn a_long_body_is_not_read_to_its_end() {
    let long = format!("{PROOF}{}", " ".repeat(5_000));
    let outcome = observe_reply(move || response("200 OK", &long)).await;
    assert_eq!(kind(&outcome), Some((FailureKind::Mismatch, LASTING)));

    let web = Web::start(|_| Reply::Endless("HTTP/1.1 200 OK\r\n\r\n", "aaaaaaaaaaaaaaaa")).await;
    assert_eq!(kind(&observe(&web).await), Some((FailureKind::Mismatch, LASTING)));
}

#[tokio::test]
async fn the_whole_attempt_is_bounded_in_time() {
    for sent in ["", "HTTP/1.1 200 OK\r\nContent-Length: 87\r\n\r\nDGyRejm"] {
        let web = Web::start(|_| Reply::ThenSilence(sent.as_bytes().to_vec())).await;
        let settings = Http01Settings { total_timeout: Duration::from_millis(200), ..settings(web.port()) };
        let http01 = Http01::new(Resolver::system().unwrap(), loopback(), settings);
        let outcome = http01.observe("host.localhost", TOKEN, PROOF).await;
        assert_eq!(kind(&outcome), Some((FailureKind::Timeout, PASSING)), "{sent}");
    }
}

#[tokio::test]
async fn other_statuses_are_failures() {
    for (status, transient) in [
        ("204 No Content", LASTING),
        ("206 Partial Content", LASTING),
        ("304 Not Modified", LASTING),
        ("401 Unauthorized", LASTING),
        ("404 Not Found", LASTING),
        ("408 Request Timeout", PASSING),
        ("429 Too Many Requests", PASSING),
        ("500 Internal Server Error", PASSING),
        ("503 Service Unavailable", PASSING),
    ] {
        let body = if status.starts_with("204") || status.starts_with("304") { "" } else { PROOF };
        let outcome = observe_reply(move || response(status, body)).await;
        let code = status[..3].parse().unwrap();
        assert_eq!(kind(&outcome), Some((FailureKind::Response(code), transient)), "{status}");
    }
}

#[tokio::test]
async fn what_is_not_http_is_refused() {
    let many_headers = format!("HTTP/1.1 200 OK\r\n{}\r\n{PROOF}", "X-A: b\r\n".repeat(100));
    let long_header = format!("HTTP/1.1 200 OK\r\nX-A: {}\r\n\r\n{PROOF}", "b".repeat(40_000));
    for answer in ["SSH-2.0-OpenSSH_9.9\r\n", "\0\u{1}\u{2}\u{3}\r\n\r\n", &many_headers, &long_header] {
        let bytes = answer.as_bytes().to_vec();
        let outcome = observe_reply(move || Reply::Bytes(bytes.clone())).await;
        assert_eq!(kind(&outcome), Some((FailureKind::Protocol, LASTING)), "{:.40} {outcome:?}", answer);
    }
}

#[tokio::test]
async fn a_connection_that_breaks_is_a_passing_failure() {
    for sent in ["", "HTTP/1.1 200 OK\r\nContent-Length: 87\r\n\r\nDGyRejm"] {
        let outcome = observe_reply(|| Reply::Bytes(sent.as_bytes().to_vec())).await;
        assert_eq!(kind(&outcome), Some((FailureKind::Connection, PASSING)), "{sent} {outcome:?}");
    }
}

#[tokio::test]
async fn a_refused_connection_is_a_passing_failure() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let outcome = observer(address.port()).observe("host.localhost", TOKEN, PROOF).await;
    assert_eq!(kind(&outcome), Some((FailureKind::Connection, PASSING)));
    let text = outcome.unwrap_err().to_string();
    assert!(text.contains(&address.to_string()) && text.contains("http://host.localhost"), "{text}");
}

#[tokio::test]
async fn random_answers_are_refused_without_harm() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let bytes = proptest::collection::vec(proptest::num::u8::ANY, 0..600);
    for _ in 0..100 {
        let answer = bytes.new_tree(&mut runner).unwrap().current();
        let garbled = [b"HTTP/1.1 200 OK\r\n".as_slice(), &answer].concat();
        for bytes in [answer, garbled] {
            assert!(observe_reply(move || Reply::Bytes(bytes.clone())).await.is_err());
        }
    }
}

/// A server whose path `/n` redirects to `/n-1`, and whose `/0` answers with the proof.
async fn countdown(from: usize) -> Web {
    Web::start(move |path| match path.strip_prefix("/hop/").map(|n| n.parse::<usize>().unwrap()) {
        None => redirect(302, &format!("/hop/{}", from - 1)),
        Some(0) => response("200 OK", PROOF),
        Some(n) => redirect([301, 302, 303, 307, 308][n % 5], &format!("/hop/{}", n - 1)),
    })
    .await
}

#[tokio::test]
async fn ten_redirects_are_followed_and_eleven_are_not() {
    let ten = countdown(10).await;
    assert_eq!(observe(&ten).await, Ok(()));
    assert_eq!(ten.requests().len(), 11);

    let eleven = countdown(11).await;
    assert_eq!(kind(&observe(&eleven).await), Some((FailureKind::Redirect, LASTING)));
    assert_eq!(eleven.requests().len(), 11);
}

#[tokio::test]
async fn a_redirect_loop_ends() {
    let web = Web::start(|path| redirect(302, path)).await;
    assert_eq!(kind(&observe(&web).await), Some((FailureKind::Redirect, LASTING)));
    assert_eq!(web.requests().len(), 11);
}

#[tokio::test]
async fn a_redirect_does_not_leave_the_allowed_ports_and_schemes() {
    let elsewhere = Web::start(|_| response("200 OK", PROOF)).await;
    for location in [
        format!("http://{}/", elsewhere.address),
        "ftp://host.localhost/".to_owned(),
        "http://user:password@host.localhost/".to_owned(),
    ] {
        let outcome = observe_reply(move || redirect(302, &location)).await;
        assert_eq!(kind(&outcome), Some((FailureKind::Redirect, LASTING)));
    }
    assert_eq!(
        kind(&observe_reply(|| response("302 Found", "")).await),
        Some((FailureKind::Redirect, LASTING))
    );
    assert!(elsewhere.requests().is_empty());
}

#[tokio::test]
async fn a_redirect_to_a_forbidden_address_is_not_dialled() {
    for location in [
        "http://169.254.169.254/latest/meta-data/",
        "http://[::1]/",
        "http://0.0.0.0/",
        "http://[::ffff:169.254.169.254]/",
        "https://0xa9fea9fe/",
    ] {
        let outcome = observe_reply(move || redirect(302, location)).await;
        assert_eq!(kind(&outcome), Some((FailureKind::Egress, LASTING)), "{location}");
    }
}

#[tokio::test]
async fn a_redirect_to_https_takes_any_certificate() {
    let secure = Web::start_tls(|_| response("200 OK", PROOF)).await;
    let location = format!("https://host.localhost:{}/there", secure.port());
    let web = Web::start(move |_| redirect(301, &location)).await;
    let settings = Http01Settings { https_port: secure.port(), ..settings(web.port()) };
    let http01 = Http01::new(Resolver::system().unwrap(), loopback(), settings);
    assert_eq!(http01.observe("host.localhost", TOKEN, PROOF).await, Ok(()));
    assert!(secure.requests()[0].starts_with("GET /there HTTP/1.1\r\n"));
}

#[tokio::test]
async fn a_redirect_to_https_without_tls_fails() {
    let plain = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = plain.local_addr().unwrap().port();
    let answer = tokio::spawn(async move {
        let (mut stream, _) = plain.accept().await?;
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await
    });
    let location = format!("https://host.localhost:{port}/");
    let web = Web::start(move |_| redirect(301, &location)).await;
    let settings = Http01Settings { https_port: port, ..settings(web.port()) };
    let http01 = Http01::new(Resolver::system().unwrap(), loopback(), settings);
    let outcome = http01.observe("host.localhost", TOKEN, PROOF).await;
    assert_eq!(kind(&outcome), Some((FailureKind::Tls, LASTING)));
    answer.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_name_with_a_denied_address_is_not_dialled() {
    let web = Web::start(|_| response("200 OK", PROOF)).await;
    let dns = dns::everywhere(&[web.address.ip()]);
    let outcome = observe_by_dns(&dns, EgressPolicy::new(vec![], vec![], vec![]), web.port()).await;
    assert_eq!(kind(&outcome), Some((FailureKind::Egress, LASTING)));
    assert!(outcome.unwrap_err().to_string().contains("a loopback address"));
    assert!(web.requests().is_empty());
}

#[tokio::test]
async fn the_servers_own_listeners_are_not_dialled() {
    let web = Web::start(|_| response("200 OK", PROOF)).await;
    for own in [web.address, SocketAddr::from(([0, 0, 0, 0], web.port()))] {
        let egress = EgressPolicy::new(vec!["127.0.0.0/8".parse().unwrap()], vec![], vec![own]);
        let http01 = Http01::new(Resolver::system().unwrap(), egress, settings(web.port()));
        let outcome = http01.observe("host.localhost", TOKEN, PROOF).await;
        assert_eq!(kind(&outcome), Some((FailureKind::Egress, LASTING)));
    }
    assert!(web.requests().is_empty());
}

#[tokio::test]
async fn the_next_address_is_tried_when_one_does_not_answer() {
    let web = Web::start(|_| response("200 OK", PROOF)).await;
    let addresses: Vec<IpAddr> =
        ["169.254.169.254", "127.0.0.3", "127.0.0.1"].map(|ip| ip.parse().unwrap()).to_vec();
    let dns = dns::everywhere(&addresses);
    assert_eq!(observe_by_dns(&dns, loopback(), web.port()).await, Ok(()));
}

#[tokio::test]
async fn only_a_few_addresses_are_tried() {
    let web = Web::start(|_| response("200 OK", PROOF)).await;
    let dead = (2..=5).map(|n| IpAddr::from([127, 0, 0, n]));
    let dns = dns::everywhere(&dead.chain([web.address.ip()]).collect::<Vec<_>>());
    let outcome = observe_by_dns(&dns, loopback(), web.port()).await;
    assert_eq!(kind(&outcome), Some((FailureKind::Connection, PASSING)));
    assert!(web.requests().is_empty());
}

#[tokio::test]
async fn an_answer_that_changes_is_not_asked_for_twice() {
    let web = Web::start(|_| response("200 OK", PROOF)).await;
    let allowed = web.address.ip();
    let dns = dns::rebinding(allowed, [169, 254, 169, 254].into());
    assert_eq!(observe_by_dns(&dns, loopback(), web.port()).await, Ok(()));
    assert_eq!(dns.queries().len(), 2, "one A and one AAAA query: {:?}", dns.queries());
}

#[tokio::test]
async fn every_hop_is_looked_up_and_checked_anew() {
    let web = Web::start(|_| redirect(302, "/again")).await;
    let allowed = web.address.ip();
    let dns = dns::rebinding(allowed, [169, 254, 169, 254].into());
    let outcome = observe_by_dns(&dns, loopback(), web.port()).await;
    assert_eq!(kind(&outcome), Some((FailureKind::Egress, LASTING)));
    assert_eq!(web.requests().len(), 1);
}
