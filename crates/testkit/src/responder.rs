//! An http-01 responder (RFC 8555 §8.3) whose answers a test can hold back.

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Longer than any request of a validator.
const MAX_REQUEST: usize = 8 * 1024;

/// Listens on 127.0.0.1 and answers challenges until it is dropped.
#[derive(Debug)]
pub struct Responder {
    state: Arc<State>,
    listener: JoinHandle<()>,
}

/// While it lives, requests are read and not answered. Each is answered when it is dropped.
#[derive(Debug)]
pub struct Hold {
    state: Arc<State>,
}

#[derive(Debug)]
struct State {
    /// Key authorizations by token.
    answers: Mutex<HashMap<String, String>>,
    held: watch::Sender<bool>,
    /// How many requests have come.
    requests: watch::Sender<usize>,
}

impl Responder {
    /// Listens on that port of 127.0.0.1. Must be called within a tokio runtime.
    pub async fn start(port: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
            .await
            .unwrap_or_else(|error| panic!("listen on 127.0.0.1:{port} for http-01: {error}"));
        let state = Arc::new(State {
            answers: Mutex::default(),
            held: watch::Sender::new(false),
            requests: watch::Sender::new(0),
        });
        let shared = Arc::clone(&state);
        let listener = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let state = Arc::clone(&shared);
                // A validator that hangs up, or is killed, ends only its own connection.
                tokio::spawn(async move { state.answer(stream).await });
            }
        });
        Self { state, listener }
    }

    /// From now on answers `token` with `key_authorization`.
    pub fn serve(&self, token: &str, key_authorization: &str) {
        self.state.answers.lock().unwrap().insert(token.to_owned(), key_authorization.to_owned());
    }

    /// From now on holds every answer back, until the returned value is dropped.
    pub fn hold(&self) -> Hold {
        self.state.held.send_replace(true);
        Hold { state: Arc::clone(&self.state) }
    }

    /// How many requests have come so far.
    pub fn requests(&self) -> usize {
        *self.state.requests.borrow()
    }

    /// Waits until that many requests have come in all.
    pub async fn wait_for_requests(&self, count: usize) {
        let mut requests = self.state.requests.subscribe();
        requests.wait_for(|seen| *seen >= count).await.expect("the responder lives");
    }
}

impl Drop for Responder {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.state.held.send_replace(false);
    }
}

impl State {
    /// One request, one answer, and the connection is closed.
    async fn answer(&self, mut stream: TcpStream) -> Option<()> {
        let head = read_head(&mut stream).await?;
        self.requests.send_modify(|count| *count += 1);
        self.held.subscribe().wait_for(|held| !held).await.ok()?;

        let target = head.strip_prefix("GET ")?.split(' ').next()?;
        let token = target.strip_prefix("/.well-known/acme-challenge/");
        let answer = token.and_then(|token| self.answers.lock().unwrap().get(token).cloned());
        let (status, body) = match &answer {
            Some(key_authorization) => ("200 OK", key_authorization.as_str()),
            None => ("404 Not Found", "no such token"),
        };
        let response = format!(
            "HTTP/1.1 {status}\r\nContent-Type: application/octet-stream\r\nContent-Length: {}\r\n\
             Connection: close\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(response.as_bytes()).await.ok()?;
        stream.shutdown().await.ok()
    }
}

/// The request up to the empty line; none when the peer sends anything else or hangs up.
async fn read_head(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() >= MAX_REQUEST || stream.read_buf(&mut head).await.ok()? == 0 {
            return None;
        }
    }
    String::from_utf8(head).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::free_port;

    async fn get(port: u16, token: &str) -> String {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.unwrap();
        let request =
            format!("GET /.well-known/acme-challenge/{token} HTTP/1.1\r\nHost: a.localhost\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut response = String::new();
        stream.read_to_string(&mut response).await.unwrap();
        response
    }

    #[tokio::test]
    async fn answers_the_tokens_it_was_given() {
        let port = free_port();
        let responder = Responder::start(port).await;
        responder.serve("token", "token.thumbprint");
        assert!(get(port, "token").await.ends_with("\r\n\r\ntoken.thumbprint"));
        assert!(get(port, "other").await.starts_with("HTTP/1.1 404"));
        assert_eq!(responder.requests(), 2);
    }

    #[tokio::test]
    async fn holds_an_answer_until_told() {
        let port = free_port();
        let responder = Responder::start(port).await;
        responder.serve("token", "token.thumbprint");
        let hold = responder.hold();
        let asked = tokio::spawn(get(port, "token"));
        responder.wait_for_requests(1).await;
        assert!(!asked.is_finished());
        drop(hold);
        assert!(asked.await.unwrap().ends_with("token.thumbprint"));
    }
}
