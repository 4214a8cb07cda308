//! The web server that a client without one of its own relies on.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where http-01 looks (RFC 8555 §8.3).
const CHALLENGES: &str = "/.well-known/acme-challenge/";

/// Serves the challenges in a directory on 127.0.0.1, for as long as the test's process lives.
pub(crate) fn serve(port: u16, root: &Path) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .unwrap_or_else(|error| panic!("listen on 127.0.0.1:{port} for http-01: {error}"));
    let directory = root.join(CHALLENGES.trim_matches('/'));
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // A validator that hangs up ends only its own connection.
            let _ = answer(stream, &directory);
        }
    });
}

fn answer(stream: TcpStream, directory: &Path) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let mut lines = BufReader::new(&stream).lines();
    let request = lines.next().transpose()?.unwrap_or_default();
    while lines.next().transpose()?.is_some_and(|header| !header.is_empty()) {}
    let (status, body) = match token_file(&request, directory).map(std::fs::read) {
        Some(Ok(content)) => ("200 OK", content),
        Some(Err(_)) | None => ("404 Not Found", Vec::new()),
    };
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    (&stream).write_all(head.as_bytes())?;
    (&stream).write_all(&body)
}

/// The file that a request is for; none unless it names a token.
fn token_file(request: &str, directory: &Path) -> Option<PathBuf> {
    let token = request.strip_prefix("GET ")?.split(' ').next()?.strip_prefix(CHALLENGES)?;
    let is_token = |character: char| character.is_ascii_alphanumeric() || "-_".contains(character);
    (!token.is_empty() && token.chars().all(is_token)).then(|| directory.join(token))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_token_names_a_file() {
        let directory = Path::new("/srv");
        for (request, file) in [
            ("GET /.well-known/acme-challenge/a-B_9 HTTP/1.1", Some("/srv/a-B_9")),
            ("GET /.well-known/acme-challenge/../secret HTTP/1.1", None),
            ("GET /.well-known/acme-challenge/ HTTP/1.1", None),
            ("GET /index.html HTTP/1.1", None),
            ("POST /.well-known/acme-challenge/a HTTP/1.1", None),
        ] {
            assert_eq!(token_file(request, directory).as_deref(), file.map(Path::new), "{request}");
        }
    }
}
