//! http-01 against web servers that mean harm, and where a look-up or a redirect could lead astray.

use std::net::IpAddr;
use std::process::Command;
use std::time::Duration;

use chancery_validation::egress::EgressPolicy;
use chancery_validation::http01::{Http01, Http01Settings};
use chancery_validation::resolver::Resolver;
use chancery_validation::{Failure, FailureKind};
use tokio::net::TcpListener;

use crate::dns;
use crate::http01::{LASTING, PASSING, PROOF, TOKEN, kind, loopback, observe, observe_reply, settings};
use crate::web::{Reply, Web, redirect, response};

/// What is made of a server that answers every request over TLS, and is redirected to.
async fn observe_https(reply: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Result<(), Failure> {
    let secure = Web::start_tls(reply).await;
    observe_redirect_to_port(secure.port()).await
}

/// What is made of a server that redirects to `https` on that port.
async fn observe_redirect_to_port(port: u16) -> Result<(), Failure> {
    let web = Web::start(move |_| redirect(301, &format!("https://host.localhost:{port}/"))).await;
    let settings = Http01Settings { https_port: port, ..settings(web.port()) };
    let http01 = Http01::new(Resolver::system().unwrap(), loopback(), settings);
    http01.observe("host.localhost", TOKEN, PROOF).await
}

#[tokio::test]
async fn what_has_no_end_is_not_read_to_the_end_of_time() {
    const CHUNKED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (first, again, expected) in [
        ("", "HTTP/1.1 100 Continue\r\n\r\n", FailureKind::Protocol),
        ("", "HTTP/1.1 103 Early Hints\r\nLink: </>\r\n\r\n", FailureKind::Protocol),
        ("HTTP/1.1 200 OK\r\n", "X-A: b\r\n", FailureKind::Protocol),
        ("HTTP/1.1 200 OK\r\nX-A: ", "b", FailureKind::Protocol),
        ("HTTP/1.1 ", "2", FailureKind::Protocol),
        ("", "\r\n", FailureKind::Protocol),
        (CHUNKED, "1\r\na\r\n", FailureKind::Mismatch),
        (CHUNKED, "0", FailureKind::Protocol),
    ] {
        for outcome in [
            observe_reply(move || Reply::Endless(first, again)).await,
            observe_https(move |_| Reply::Endless(first, again)).await,
        ] {
            assert_eq!(kind(&outcome), Some((expected, LASTING)), "{first:?} {again:?} {outcome:?}");
        }
    }
}

#[tokio::test]
async fn chunks_that_hide_something_are_refused() {
    for rest in [
        "5;".to_owned() + &"a".repeat(60_000),
        "0\r\n".to_owned() + &"X-A: b\r\n".repeat(8_000),
        "fffffffffffffffff\r\na".to_owned(),
        "-1\r\na\r\n".to_owned(),
        "zz\r\n".to_owned(),
    ] {
        let bytes = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{rest}").into_bytes();
        let outcome = observe_reply(move || Reply::Bytes(bytes.clone())).await;
        assert_eq!(kind(&outcome), Some((FailureKind::Protocol, LASTING)), "{rest:.20} {outcome:?}");
    }
}

#[tokio::test]
async fn a_body_of_two_lengths_is_refused() {
    let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 87\r\n\r\n{PROOF}");
    let outcome = observe_reply(move || Reply::Bytes(answer.clone().into_bytes())).await;
    assert_eq!(kind(&outcome), Some((FailureKind::Protocol, LASTING)), "{outcome:?}");
}

#[tokio::test]
async fn an_answer_without_a_head_is_refused() {
    // HTTP/0.9 had none; HTTP/2 begins with a SETTINGS frame.
    for answer in [PROOF.as_bytes(), b"\0\0\0\x04\0\0\0\0\0", b"HTTP/2 200 OK\r\n\r\n", b"HTTP/1.1\r\n\r\n"] {
        let bytes = answer.to_vec();
        let outcome = observe_reply(move || Reply::Bytes(bytes.clone())).await;
        assert_eq!(kind(&outcome), Some((FailureKind::Protocol, LASTING)), "{answer:?} {outcome:?}");
    }
}

#[tokio::test]
async fn a_compressed_body_is_not_unpacked() {
    let head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n";
    let bytes = [head.as_slice(), b"\x1f\x8b\x08\0\0\0\0\0\0\x03", PROOF.as_bytes()].concat();
    let outcome = observe_reply(move || Reply::Bytes(bytes.clone())).await;
    assert_eq!(kind(&outcome), Some((FailureKind::Mismatch, LASTING)));
}

#[tokio::test]
async fn a_slow_answer_is_cut_off() {
    for head in ["", "HTTP/1.1 200 OK\r\n\r\n"] {
        let answer = format!("{head}HTTP/1.1 200 OK\r\n\r\n{PROOF}").into_bytes();
        let web = Web::start(move |_| Reply::Slowly(answer.clone(), Duration::from_millis(20))).await;
        let settings = Http01Settings { total_timeout: Duration::from_millis(300), ..settings(web.port()) };
        let http01 = Http01::new(Resolver::system().unwrap(), loopback(), settings);
        let outcome = http01.observe("host.localhost", TOKEN, PROOF).await;
        assert_eq!(kind(&outcome), Some((FailureKind::Timeout, PASSING)), "{head}");
    }
}

#[tokio::test]
async fn a_long_location_is_followed_and_an_endless_one_is_not() {
    let long = format!("/{}", "a".repeat(10_000));
    let there = long.clone();
    let web =
        Web::start(move |path| if path == there { response("200 OK", PROOF) } else { redirect(302, &there) })
            .await;
    assert_eq!(observe(&web).await, Ok(()));
    assert!(web.requests()[1].starts_with(&format!("GET {long} HTTP/1.1\r\n")));

    let outcome = observe_reply(|| redirect(302, &format!("/{}", "a".repeat(40_000)))).await;
    assert_eq!(kind(&outcome), Some((FailureKind::Protocol, LASTING)));
    let outcome = observe_reply(|| Reply::Endless("HTTP/1.1 302 Found\r\nLocation: /", "a")).await;
    assert_eq!(kind(&outcome), Some((FailureKind::Protocol, LASTING)));
}

#[tokio::test]
async fn the_body_of_a_redirect_is_not_read() {
    let web = Web::start(|path| match path {
        "/there" => response("200 OK", PROOF),
        _ => Reply::Endless("HTTP/1.1 302 Found\r\nLocation: /there\r\n\r\n", "never read"),
    })
    .await;
    assert_eq!(observe(&web).await, Ok(()));
}

#[tokio::test]
async fn a_redirect_to_a_name_inside_is_not_followed() {
    let web = Web::start(|_| redirect(302, "http://inside.example/latest/meta-data/")).await;
    let allowed = web.address.ip();
    let inside: IpAddr = [169, 254, 169, 254].into();
    let dns = dns::everywhere(&[allowed]);
    dns.set_addresses("inside.example", &[inside]);
    let resolver = Resolver::with_servers(&[dns.address()], Duration::from_secs(5)).unwrap();
    let http01 = Http01::new(resolver, loopback(), settings(web.port()));
    let outcome = http01.observe("host.example", TOKEN, PROOF).await;
    assert_eq!(kind(&outcome), Some((FailureKind::Egress, LASTING)));
    assert!(outcome.unwrap_err().to_string().contains("the metadata service of a cloud"));
}

#[tokio::test]
async fn an_ipv6_address_stands_in_brackets() {
    let web = Web::start_v6(|path| match path {
        "/there" => response("200 OK", PROOF),
        _ => redirect(302, "/there"),
    })
    .await;
    let port = web.port();
    let egress = EgressPolicy::new(vec!["::1/128".parse().unwrap()], vec![], vec![]);
    let http01 = Http01::new(Resolver::system().unwrap(), egress, settings(port));
    assert_eq!(http01.observe("::1", TOKEN, PROOF).await, Ok(()));
    for request in web.requests() {
        assert!(request.contains(&format!("\r\nhost: [::1]:{port}\r\n")), "{request}");
    }
}

#[tokio::test]
async fn a_redirect_may_lead_to_an_address() {
    let there = Web::start_v6(|_| response("200 OK", PROOF)).await;
    let location = format!("http://[::1]:{}/there", there.port());
    let web = Web::start(move |_| redirect(302, &location)).await;
    let nets = ["127.0.0.0/8", "::1/128"].map(|net| net.parse().unwrap()).to_vec();
    let settings = Http01Settings { https_port: there.port(), ..settings(web.port()) };
    let http01 = Http01::new(Resolver::system().unwrap(), EgressPolicy::new(nets, vec![], vec![]), settings);
    assert_eq!(http01.observe("host.localhost", TOKEN, PROOF).await, Ok(()));
    assert!(there.requests()[0].starts_with("GET /there HTTP/1.1\r\n"));
}

#[tokio::test]
async fn a_connection_that_breaks_in_the_handshake_is_a_passing_failure() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let closing = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            drop(stream);
        }
    });
    let outcome = observe_redirect_to_port(port).await;
    assert_eq!(kind(&outcome), Some((FailureKind::Connection, PASSING)), "{outcome:?}");
    closing.abort();
}

/// The environment is the process's, so the test has one of its own.
#[test]
fn no_proxy_of_the_environment_is_used() {
    let mut child = Command::new(std::env::current_exe().unwrap());
    for name in ["http_proxy", "https_proxy", "all_proxy"] {
        child.env(name, "http://127.0.0.1:1").env(name.to_uppercase(), "http://127.0.0.1:1");
    }
    child.args(["--exact", "http01::the_key_authorization_proves_control"]);
    child.arg("http01::a_redirect_to_https_takes_any_certificate");
    let done = child.output().unwrap();
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success() && said.contains("2 passed"), "{done:?}");
}
