//! The URL of one hop.

use std::fmt;
use std::net::Ipv6Addr;

use http::HeaderValue;
use http::uri::PathAndQuery;
use url::{Host, Url};

use crate::failure::{Failure, FailureKind};

/// Where one request goes: `http://www.example.com/.well-known/acme-challenge/…`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    scheme: Scheme,
    /// A name or an address, the latter without brackets.
    host: String,
    port: u16,
    path_and_query: PathAndQuery,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scheme {
    Http,
    Https,
}

/// How much of a URL or a header from outside goes into a failure's text.
const MAX_SHOWN_CHARS: usize = 200;

impl Target {
    /// The first hop of a validation (RFC 8555 §8.3).
    pub(super) fn challenge(host: &str, port: u16, token: &str) -> Result<Self, Failure> {
        let path = format!("/.well-known/acme-challenge/{token}");
        let path_and_query = PathAndQuery::try_from(path).map_err(|_| {
            let detail = format!("the token of the challenge for `{host}` does not fit into a URL");
            Failure::lasting(FailureKind::Protocol, detail)
        })?;
        Ok(Self { scheme: Scheme::Http, host: host.to_owned(), port, path_and_query })
    }

    /// The next hop, given the `Location` of a redirect; it may lead to `ports` alone.
    pub(super) fn redirected(&self, location: Option<&HeaderValue>, ports: &[u16]) -> Result<Self, Failure> {
        let refused = |why: String| {
            let detail = format!("{self} redirects to a place that is not followed: {why}");
            Failure::lasting(FailureKind::Redirect, detail)
        };
        let location = location.ok_or_else(|| refused("its `Location` is missing".to_owned()))?;
        let location =
            location.to_str().map_err(|_| refused("its `Location` is not plain ASCII".to_owned()))?;
        let shown = shorten(location);
        let not_a_url = || refused(format!("`{shown}` is not a URL"));
        let url = Url::parse(&self.url()).and_then(|base| base.join(location)).map_err(|_| not_a_url())?;
        let scheme = match url.scheme() {
            "http" => Scheme::Http,
            "https" => Scheme::Https,
            _ => return Err(refused(format!("`{shown}` is neither http nor https"))),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(refused("its URL carries a user name or password".to_owned()));
        }
        let port = url.port_or_known_default().ok_or_else(not_a_url)?;
        if !ports.contains(&port) {
            return Err(refused(format!("`{shown}` leads to port {port} instead of 80 or 443")));
        }
        let host = match url.host().ok_or_else(not_a_url)? {
            Host::Domain(name) => name.to_owned(),
            Host::Ipv4(ip) => ip.to_string(),
            Host::Ipv6(ip) => ip.to_string(),
        };
        let path = match url.query() {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_owned(),
        };
        let path_and_query = PathAndQuery::try_from(path).map_err(|_| not_a_url())?;
        Ok(Self { scheme, host, port, path_and_query })
    }

    pub(super) fn is_https(&self) -> bool {
        self.scheme == Scheme::Https
    }

    /// A name or an address, the latter without brackets.
    pub(super) fn host(&self) -> &str {
        &self.host
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    pub(super) fn path_and_query(&self) -> &PathAndQuery {
        &self.path_and_query
    }

    /// The value of the `Host` header (RFC 9110 §7.2).
    pub(super) fn host_header(&self) -> Result<HeaderValue, Failure> {
        HeaderValue::try_from(self.authority()).map_err(|_| {
            let detail = format!("the host of {self} does not fit into a request");
            Failure::lasting(FailureKind::Protocol, detail)
        })
    }

    fn url(&self) -> String {
        let scheme = if self.is_https() { "https" } else { "http" };
        format!("{scheme}://{}{}", self.authority(), self.path_and_query)
    }

    fn authority(&self) -> String {
        let host = match self.host.parse::<Ipv6Addr>() {
            Ok(ip) => format!("[{ip}]"),
            Err(_) => self.host.clone(),
        };
        if self.port == self.scheme.default_port() { host } else { format!("{host}:{}", self.port) }
    }
}

impl Scheme {
    fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&shorten(&self.url()))
    }
}

/// At most [`MAX_SHOWN_CHARS`] of a text, without control characters.
fn shorten(text: &str) -> String {
    let mut shown: String = text.chars().filter(|c| !c.is_control()).take(MAX_SHOWN_CHARS).collect();
    if text.chars().count() > MAX_SHOWN_CHARS {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    const PORTS: [u16; 2] = [80, 443];

    fn redirected(location: &'static str) -> Result<String, Failure> {
        let first = Target::challenge("www.example.com", 80, "token")?;
        first.redirected(Some(&HeaderValue::from_static(location)), &PORTS).map(|target| target.url())
    }

    #[test]
    fn the_first_hop_is_the_well_known_path() {
        for (host, port, url, header) in [
            ("a.example", 80, "http://a.example/.well-known/acme-challenge/t", "a.example"),
            ("a.example", 5002, "http://a.example:5002/.well-known/acme-challenge/t", "a.example:5002"),
            ("192.0.2.1", 80, "http://192.0.2.1/.well-known/acme-challenge/t", "192.0.2.1"),
            ("2001:db8::1", 80, "http://[2001:db8::1]/.well-known/acme-challenge/t", "[2001:db8::1]"),
        ] {
            let target = Target::challenge(host, port, "t").unwrap();
            assert_eq!(target.to_string(), url);
            assert_eq!(target.host_header().unwrap(), header);
        }
    }

    #[test]
    fn a_location_is_a_reference_to_the_hop_before() {
        for (location, url) in [
            ("https://b.example/x?y=z", "https://b.example/x?y=z"),
            ("https://b.example", "https://b.example/"),
            ("http://b.example:443/x", "http://b.example:443/x"),
            ("//b.example/x", "http://b.example/x"),
            ("/x", "http://www.example.com/x"),
            ("x", "http://www.example.com/.well-known/acme-challenge/x"),
            ("?x", "http://www.example.com/.well-known/acme-challenge/token?x"),
            ("/x#fragment", "http://www.example.com/x"),
            ("https://[2001:db8::1]/x", "https://[2001:db8::1]/x"),
        ] {
            assert_eq!(redirected(location).as_deref(), Ok(url), "{location}");
        }
    }

    #[test]
    fn other_places_are_refused() {
        for location in [
            "ftp://b.example/x",
            "file:///etc/passwd",
            "javascript:alert(1)",
            "http://user@b.example/x",
            "http://user:secret@b.example/x",
            "http://b.example:22/x",
            "https://b.example:8443/x",
            "http://",
            "http://b example/",
        ] {
            let failure = redirected(location).unwrap_err();
            assert_eq!((failure.kind, failure.transient), (FailureKind::Redirect, false), "{location}");
            assert!(!failure.to_string().contains("secret"), "{failure}");
        }
        let first = Target::challenge("www.example.com", 80, "token").unwrap();
        assert!(first.redirected(None, &PORTS).is_err());
        assert!(first.redirected(Some(&HeaderValue::from_bytes(b"/\xff").unwrap()), &PORTS).is_err());
    }

    #[test]
    fn a_long_url_is_followed_in_full_and_shown_in_part() {
        let long = format!("/{}", "a".repeat(5_000));
        let first = Target::challenge("www.example.com", 80, "token").unwrap();
        let second = first.redirected(Some(&HeaderValue::from_str(&long).unwrap()), &PORTS).unwrap();
        assert_eq!(second.path_and_query().as_str(), long);
        assert!(second.to_string().chars().count() <= MAX_SHOWN_CHARS + 1);
        let third = second.redirected(Some(&HeaderValue::from_static("?b")), &PORTS).unwrap();
        assert_eq!(third.path_and_query().as_str(), format!("{long}?b"));
    }

    #[test]
    fn a_token_cannot_break_out_of_the_request() {
        for token in ["a b", "a\r\nX: y", "\u{e9}\u{0}"] {
            assert!(Target::challenge("www.example.com", 80, token).is_err(), "{token:?}");
        }
    }
}
