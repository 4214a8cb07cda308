//! The way through a proxy, which alone knows the portal then.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use chancery_license::exchange::Verdict;
use chancery_testkit::{Engine, Installation};
use serde_json::json;

use crate::portal_site::PortalSite;
use crate::{CHANCERY, on_both_engines};

on_both_engines!(goes_through_proxies);

/// `box:hunter2` (RFC 7617 §2).
const BASIC: &str = "Basic Ym94Omh1bnRlcjI=";

/// A proxy that leads everybody to one place, whatever is asked for, and remembers what that was.
struct Proxy {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    fn start(to: SocketAddr, shake: fn(&mut TcpStream) -> Option<String>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let (address, asked) = (listener.local_addr().unwrap(), Arc::<Mutex<Vec<String>>>::default());
        let shared = Arc::clone(&asked);
        std::thread::spawn(move || {
            for mut stream in listener.incoming().map_while(Result::ok) {
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || {
                    let target = shake(&mut stream)?;
                    shared.lock().unwrap().push(target);
                    let mut onward = TcpStream::connect(to).ok()?;
                    let (mut from, mut back) = (stream.try_clone().ok()?, onward.try_clone().ok()?);
                    std::thread::spawn(move || std::io::copy(&mut back, &mut stream));
                    std::io::copy(&mut from, &mut onward).ok()
                });
            }
        });
        Self { address, asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

/// HTTP `CONNECT` (RFC 9110 §9.3.6).
fn connect(stream: &mut TcpStream) -> Option<String> {
    let mut lines = BufReader::new(stream.try_clone().ok()?).lines();
    let line = lines.next()?.ok()?;
    let fields: Vec<String> = lines.map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
    let is_known = fields.iter().any(|field| {
        field.to_ascii_lowercase().starts_with("proxy-authorization:") && field.ends_with(BASIC)
    });
    if !is_known {
        stream.write_all(b"HTTP/1.1 407 Who\r\nContent-Length: 0\r\n\r\n").ok()?;
        return None;
    }
    stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").ok()?;
    Some(line)
}

/// SOCKS5 with name and password (RFC 1928, RFC 1929).
fn socks(stream: &mut TcpStream) -> Option<String> {
    let mut exactly = |length: usize| {
        let mut bytes = vec![0; length];
        stream.read_exact(&mut bytes).ok().map(|()| bytes)
    };
    let methods = exactly(2)?;
    exactly(methods[1].into())?;
    stream.write_all(&[5, 2]).ok()?;
    let mut exactly = |length: usize| {
        let mut bytes = vec![0; length];
        stream.read_exact(&mut bytes).ok().map(|()| bytes)
    };
    let name = exactly(2)?;
    let name = exactly(name[1].into())?;
    let password = exactly(1)?;
    let password = exactly(password[0].into())?;
    if name != b"box" || password != b"hunter2" {
        stream.write_all(&[1, 1]).ok()?;
        return None;
    }
    stream.write_all(&[1, 0]).ok()?;
    let mut exactly = |length: usize| {
        let mut bytes = vec![0; length];
        stream.read_exact(&mut bytes).ok().map(|()| bytes)
    };
    let head = exactly(4)?;
    let target = match head[3] {
        1 => format!("{:?}", exactly(4)?),
        4 => format!("{:?}", exactly(16)?),
        _ => {
            let length = exactly(1)?;
            String::from_utf8(exactly(length[0].into())?).ok()?
        }
    };
    exactly(2)?;
    stream.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).ok()?;
    Some(target)
}

fn goes_through_proxies(engine: Engine) {
    let installation = Installation::without_window(CHANCERY, engine);
    let portal = PortalSite::start();
    portal.answer(Verdict::Unlinked, &[]);
    let password = installation.server_workdir().join("proxy-password");
    let through = |url: String, named: &str| {
        let mut license = portal.license();
        // Only the proxy leads to this port.
        license["portal"]["url"] = json!("https://localhost:9");
        license["portal"]["proxy"] = json!({ "url": url, "username": "box", "password_file": named });
        installation.configure(|config| config["license"] = license);
        installation.run(&["license", "refresh"])
    };
    for (scheme, shake, expected) in [
        ("http", connect as fn(&mut TcpStream) -> Option<String>, "CONNECT localhost:9 HTTP/1.1"),
        ("socks5h", socks, "localhost"),
        ("socks5", socks, "["),
    ] {
        let proxy = Proxy::start(portal.address(), shake);
        let url = format!("{scheme}://{}", proxy.address);
        std::fs::write(&password, "hunter2\n").unwrap();
        through(url.clone(), "proxy-password").succeeded();
        assert_eq!(proxy.asked().len(), 1, "{scheme}");
        assert!(proxy.asked()[0].starts_with(expected), "{scheme}: {:?}", proxy.asked());
        let outbound = installation.run(&["outbound"]).succeeded();
        assert!(outbound.stdout.contains(&proxy.address.to_string()), "{outbound}");
        assert!(!outbound.stdout.contains("hunter2"), "{outbound}");

        std::fs::write(&password, "wrong\n").unwrap();
        let refused = through(url, "proxy-password").exited_with(1);
        assert!(refused.stderr.contains("the portal could not be reached"), "{scheme}: {refused}");
        assert!(!refused.stderr.contains("wrong"), "{scheme}: {refused}");
    }
    assert_eq!(portal.asked().len(), 3);
    let fields = &portal.asked()[0].fields;
    assert!(fields.iter().all(|(name, _)| !name.starts_with("proxy")), "{fields:?}");
}
