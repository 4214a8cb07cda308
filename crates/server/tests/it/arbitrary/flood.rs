//! Bodies that do not end: a server that has read enough says so, and stops to read.

use chancery_testkit::{Engine, Installation};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use crate::CHANCERY;
use crate::acme::block_on;

/// More than what lies in the buffers between two processes.
const FLOOD: usize = 64 << 20;

#[test]
fn a_body_is_not_read_beyond_what_any_request_needs() {
    block_on(async {
        let installation = Installation::new(CHANCERY, Engine::Sqlite);
        let mut server = installation.serve();
        let https = installation.https_client();
        for framing in ["Content-Length: 1000000000", "Transfer-Encoding: chunked"] {
            let stream = https.connect(&installation.url()).await;
            let (answer, written) = flood(stream, framing).await;
            assert!(answer.starts_with("HTTP/1.1 413 "), "{framing}: {answer}");
            assert!(answer.contains("urn:ietf:params:acme:error:malformed"), "{framing}: {answer}");
            assert!(written < FLOOD, "{framing}: all was taken");
        }
        server.terminate();
    });
}

/// Writes a body until the server has answered, and gives what it said and how much it took.
async fn flood(stream: TlsStream<TcpStream>, framing: &str) -> (String, usize) {
    let head = format!(
        "POST /acme/new-order HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/jose+json\r\n{framing}\r\n\r\n"
    );
    let octets = [b' '; 0x4000];
    let chunk = match framing.contains("chunked") {
        true => [format!("{:x}\r\n", octets.len()).as_bytes(), &octets, b"\r\n"].concat(),
        false => octets.to_vec(),
    };
    let (mut reader, mut writer) = tokio::io::split(stream);
    let mut written = 0;
    let mut answer = Vec::new();
    let writing = async {
        writer.write_all(head.as_bytes()).await?;
        while written < FLOOD {
            writer.write_all(&chunk).await?;
            written += chunk.len();
        }
        Ok::<_, std::io::Error>(())
    };
    let reading = async {
        while !answer.ends_with(b"}") {
            if reader.read_buf(&mut answer).await.is_ok_and(|read| read > 0) {
                continue;
            }
            break;
        }
    };
    tokio::join!(
        async {
            // It ends in an error once the server has closed the connection, which is what it shall do.
            let _ = writing.await;
        },
        reading
    );
    (String::from_utf8_lossy(&answer).into_owned(), written)
}
