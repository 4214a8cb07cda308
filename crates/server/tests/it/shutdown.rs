//! SIGTERM: no new connections, the requests in hand are answered, exit code 0.

use std::time::Duration;

use chancery_testkit::{Engine, Installation, rounds};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::acme::block_on;
use crate::{CHANCERY, on_both_engines};

on_both_engines!(a_request_in_hand_is_answered, stops_as_soon_as_it_is_ready);

fn a_request_in_hand_is_answered(engine: Engine) {
    block_on(async {
        let installation = Installation::new(CHANCERY, engine);
        let mut server = installation.serve();
        let https = installation.https_client();
        let (status, _) = https.get(&format!("{}/readyz", installation.url())).await;
        assert_eq!(status, 200);

        // With this field the server says when it has the head and waits for the body
        // (RFC 9110 §10.1.1).
        let (_, directory) = https.get(&installation.directory_url()).await;
        let directory: serde_json::Value = serde_json::from_str(&directory).expect("the directory is JSON");
        let new_account = directory["newAccount"].as_str().expect("the directory has newAccount");
        let path = new_account.strip_prefix(&installation.url()).expect("a URL of the server's own");
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/jose+json\r\n\
             Content-Length: 2\r\nExpect: 100-continue\r\n\r\n"
        );
        let mut connection = https.connect(&installation.url()).await;
        connection.write_all(head.as_bytes()).await.unwrap();
        let mut interim = [0; 25];
        connection.read_exact(&mut interim).await.unwrap();
        assert_eq!(std::str::from_utf8(&interim), Ok("HTTP/1.1 100 Continue\r\n\r\n"));

        server.ask_to_stop();
        let address = installation.url().replace("https://localhost", "127.0.0.1");
        let closed = async { while TcpStream::connect(&address).await.is_ok() {} };
        let in_time = tokio::time::timeout(Duration::from_secs(30), closed).await;
        in_time.expect("after SIGTERM no connection is accepted any more");

        connection.write_all(b"{}").await.unwrap();
        let mut response = String::new();
        // How the server ends its side of TLS after the answer is its own business.
        let _ = connection.read_to_string(&mut response).await;
        assert!(response.starts_with("HTTP/1.1 400 "), "{response}");
        assert!(response.contains("urn:ietf:params:acme:error:malformed"), "{response}");
        server.wait_for_stop();
    });
}

/// Who is told `ready` may say SIGTERM at once: the server already listens for it.
fn stops_as_soon_as_it_is_ready(engine: Engine) {
    let installation = Installation::new(CHANCERY, engine);
    let mut server = installation.serve();
    for _ in 0..rounds(3) {
        server.terminate();
        server.restart();
    }
    server.terminate();
}
