//! Bytes written on a connection, and the statuses of what comes back.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

/// How long a server that waits for more bytes is waited for.
const PATIENCE: Duration = Duration::from_millis(150);
/// The most that is read of an answer.
const MAX_ANSWER: usize = 1 << 20;

/// Writes the bytes, and gives the statuses of all answers that come before the server closes the connection or
/// wants more.
pub(super) async fn statuses(mut stream: TlsStream<TcpStream>, bytes: &[u8]) -> Vec<u16> {
    // A server that has seen enough may close the connection while it is still written to.
    let written = tokio::time::timeout(PATIENCE, stream.write_all(bytes)).await;
    if matches!(written, Ok(Ok(()))) {
        let _ = stream.flush().await;
    }
    let mut answer = Vec::new();
    while let Ok(Ok(1..)) = tokio::time::timeout(PATIENCE, stream.read_buf(&mut answer)).await {
        if answer.len() > MAX_ANSWER {
            break;
        }
    }
    in_answers(&answer)
}

/// The numbers behind each `HTTP/1.1 ` that begins an answer.
fn in_answers(bytes: &[u8]) -> Vec<u16> {
    let text = String::from_utf8_lossy(bytes);
    let starts = text.match_indices("HTTP/1.1 ").map(|(at, version)| &text[at + version.len()..]);
    starts.filter_map(|rest| rest.get(..3)?.parse().ok()).collect()
}

#[test]
fn every_answer_on_a_connection_is_seen() {
    let answers = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}HTTP/1.1 503 Service Unavailable\r\n\r\n";
    assert_eq!(in_answers(answers), [200, 503]);
    assert_eq!(in_answers(b""), [0_u16; 0]);
}
