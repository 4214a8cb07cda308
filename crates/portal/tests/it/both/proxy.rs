//! Proxies of the three kinds, which want a name and a password and remember where they were asked to lead.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64ct::{Base64, Encoding as _};
use chancery_testkit::PortalSite;

use super::wire::{Ends, Message, listen};

pub(super) const USERNAME: &str = "box";
pub(super) const PASSWORD: &str = "hunter2-of-the-proxy";
/// How long one side is listened to before the other.
const TURN: Duration = Duration::from_millis(2);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Http,
    Https,
    Socks,
}

impl Kind {
    pub(super) const ALL: [Self; 3] = [Self::Http, Self::Https, Self::Socks];

    pub(super) const fn scheme(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
            Self::Socks => "socks5h",
        }
    }
}

/// A proxy that leads everybody to the portal.
pub(super) struct Proxy {
    kind: Kind,
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    pub(super) fn before(portal: &PortalSite, kind: Kind) -> Self {
        let ends = Ends::of(portal);
        let port: u16 = portal.url().rsplit(':').next().unwrap().parse().unwrap();
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let shared = Arc::clone(&asked);
        let address = listen(move |mut stream| {
            let note = |target: String| shared.lock().unwrap().push(target);
            let onward = || TcpStream::connect(("127.0.0.1", port)).ok();
            let raw = stream.try_clone().ok()?;
            match kind {
                Kind::Http => {
                    note(connect(&mut stream)?);
                    shuttle(&mut stream, &raw, onward()?)
                }
                Kind::Https => {
                    let mut stream = ends.accept(stream)?;
                    note(connect(&mut stream)?);
                    shuttle(&mut stream, &raw, onward()?)
                }
                Kind::Socks => {
                    note(socks(&mut stream)?);
                    shuttle(&mut stream, &raw, onward()?)
                }
            }
        });
        Self { kind, address, asked }
    }

    pub(super) fn url(&self) -> String {
        let host = if self.kind == Kind::Https { "localhost" } else { "127.0.0.1" };
        format!("{}://{host}:{}", self.kind.scheme(), self.address.port())
    }

    /// Where those were led who knew the password.
    pub(super) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

/// HTTP `CONNECT` (RFC 9110 §9.3.6).
fn connect(stream: &mut (impl Read + Write)) -> Option<String> {
    let request = Message::read(stream)?;
    let expected = format!("Basic {}", Base64::encode_string(format!("{USERNAME}:{PASSWORD}").as_bytes()));
    if request.field("proxy-authorization") != Some(&expected) {
        let refusal =
            "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        stream.write_all(refusal.as_bytes()).ok()?;
        stream.flush().ok()?;
        return None;
    }
    stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").ok()?;
    stream.flush().ok()?;
    let target = request.line.strip_prefix("CONNECT ")?.strip_suffix(" HTTP/1.1")?;
    Some(target.to_owned())
}

/// SOCKS5 with name and password (RFC 1928, RFC 1929), and a name to lead to.
fn socks(stream: &mut TcpStream) -> Option<String> {
    let methods = counted(stream, 1)?;
    if !methods.contains(&2) {
        stream.write_all(&[5, 0xff]).ok()?;
        return None;
    }
    stream.write_all(&[5, 2]).ok()?;
    let (username, password) = (counted(stream, 1)?, counted(stream, 0)?);
    if username != USERNAME.as_bytes() || password != PASSWORD.as_bytes() {
        stream.write_all(&[1, 1]).ok()?;
        return None;
    }
    stream.write_all(&[1, 0]).ok()?;
    // Version, command, reserved, kind of address: a name.
    let name = counted(stream, 4)?;
    let port: [u8; 2] = exactly(stream, 2)?.try_into().ok()?;
    stream.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).ok()?;
    Some(format!("{}:{}", String::from_utf8(name).ok()?, u16::from_be_bytes(port)))
}

/// So many bytes that are passed over, then a number, then as many bytes.
fn counted(stream: &mut TcpStream, before: usize) -> Option<Vec<u8>> {
    exactly(stream, before)?;
    let length = exactly(stream, 1)?[0];
    exactly(stream, length.into())
}

fn exactly(stream: &mut TcpStream, length: usize) -> Option<Vec<u8>> {
    let mut bytes = vec![0; length];
    stream.read_exact(&mut bytes).ok().map(|()| bytes)
}

/// Hands on what either side says until one of them ends; `raw` is what lies below `near`.
fn shuttle(near: &mut (impl Read + Write), raw: &TcpStream, mut far: TcpStream) -> Option<()> {
    raw.set_read_timeout(Some(TURN)).ok()?;
    far.set_read_timeout(Some(TURN)).ok()?;
    while hand_on(near, &mut far)? && hand_on(&mut far, near)? {}
    Some(())
}

/// Whether there may be more.
fn hand_on(from: &mut impl Read, to: &mut impl Write) -> Option<bool> {
    let mut bytes = [0; 16 * 1024];
    match from.read(&mut bytes) {
        Ok(0) => Some(false),
        Ok(read) => {
            to.write_all(&bytes[..read]).ok()?;
            to.flush().ok()?;
            Some(true)
        }
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => Some(true),
        Err(_) => None,
    }
}
