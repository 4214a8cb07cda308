//! Answers http-01 for all clients (RFC 8555 §8.3).

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// The tokens that are being validated, each with the thumbprint of its account's key.
#[derive(Clone, Default)]
pub(crate) struct Tokens(Arc<Mutex<HashMap<String, Arc<str>>>>);

/// How much of a request is read for its first line and headers.
const MAX_HEAD_BYTES: usize = 4 * 1024;

impl Tokens {
    pub(crate) fn publish(&self, token: &str, thumbprint: Arc<str>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(token.to_owned(), thumbprint);
    }

    pub(crate) fn withdraw(&self, token: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(token);
    }

    fn thumbprint(&self, token: &str) -> Option<Arc<str>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(token).cloned()
    }
}

/// Starts to answer at `address`, for as long as the runtime lives.
pub(crate) async fn start(address: SocketAddr, tokens: Tokens) -> anyhow::Result<()> {
    let listener = TcpListener::bind(address)
        .await
        .with_context(|| format!("cannot answer http-01 at {address}; choose another --http-port"))?;
    tokio::spawn(async move {
        loop {
            // An error here is one connection's (out of descriptors, reset); the next may do better.
            let Ok((stream, _)) = listener.accept().await else {
                tokio::task::yield_now().await;
                continue;
            };
            let tokens = tokens.clone();
            tokio::spawn(async move { answer(stream, &tokens).await });
        }
    });
    Ok(())
}

async fn answer(mut stream: TcpStream, tokens: &Tokens) -> std::io::Result<()> {
    let mut head = Vec::with_capacity(MAX_HEAD_BYTES);
    while !head.ends_with(b"\r\n\r\n") {
        let free = MAX_HEAD_BYTES.saturating_sub(head.len());
        if free == 0 || (&mut stream).take(free as u64).read_buf(&mut head).await? == 0 {
            return Ok(());
        }
    }
    let response = match requested_token(&head).and_then(|token| Some((token, tokens.thumbprint(token)?))) {
        Some((token, thumbprint)) => format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: {}\r\n\
             Connection: close\r\n\r\n{token}.{thumbprint}",
            token.len() + 1 + thumbprint.len()
        ),
        None => "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_owned(),
    };
    stream.write_all(response.as_bytes()).await
}

fn requested_token(head: &[u8]) -> Option<&str> {
    let line = std::str::from_utf8(head).ok()?.lines().next()?;
    line.strip_prefix("GET /.well-known/acme-challenge/")?.strip_suffix(" HTTP/1.1")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_is_the_end_of_the_path() {
        for (head, token) in [
            ("GET /.well-known/acme-challenge/a-b_c HTTP/1.1\r\nHost: x\r\n\r\n", Some("a-b_c")),
            ("GET /.well-known/acme-challenge/ HTTP/1.1\r\n\r\n", Some("")),
            ("POST /.well-known/acme-challenge/a HTTP/1.1\r\n\r\n", None),
            ("GET / HTTP/1.1\r\n\r\n", None),
            ("", None),
        ] {
            assert_eq!(requested_token(head.as_bytes()), token, "{head}");
        }
        assert_eq!(requested_token(b"\xff"), None);
    }
}
