//! From the name of a host to a connection, under the egress policy.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpStream;

use crate::capped::Capped;
use crate::egress::{EgressPolicy, EgressRefusal, RefusalReason};
use crate::failure::{Failure, FailureKind};
use crate::resolver::Resolver;

/// How many addresses of one name are tried.
const MAX_ADDRESSES: usize = 4;

/// How much is read of one connection: a TLS handshake, whose messages have at most 64 KiB each, and
/// an answer of ordinary size.
const MAX_READ_BYTES: usize = 128 * 1024;

/// A connection to a host that a client named.
pub(crate) type Connection = Capped<TcpStream>;

/// Dials the hosts that clients name.
#[derive(Debug)]
pub(crate) struct Dialer {
    pub(crate) resolver: Resolver,
    pub(crate) egress: EgressPolicy,
    /// The time allowed for connecting to one address.
    pub(crate) timeout: Duration,
}

impl Dialer {
    /// Connects to the first address of `host` that is allowed and answers. A failure tells what the
    /// connection was `wanted` for.
    ///
    /// The name is looked up once, and what is checked is what is dialled: an answer that changes
    /// between the two (DNS rebinding) has no place to enter.
    pub(crate) async fn connect(
        &self,
        host: &str,
        port: u16,
        wanted: &(impl fmt::Display + Sync),
    ) -> Result<Connection, Failure> {
        let addresses = self.resolver.addresses(host).await?;
        let mut refusal = None;
        let mut failure = None;
        let mut tried = 0;
        for ip in addresses {
            let to = SocketAddr::new(ip, port);
            if let Err(refused) = self.egress.check(to) {
                refusal = Some(refused);
                continue;
            }
            if tried == MAX_ADDRESSES {
                break;
            }
            tried += 1;
            match dial(to, self.timeout, wanted).await {
                Ok(stream) => match check_ends(&stream, &self.egress) {
                    Ok(()) => return Ok(Capped::new(stream, MAX_READ_BYTES)),
                    Err(refused) => refusal = Some(refused),
                },
                Err(failed) => failure = Some(telling(failure, failed)),
            }
        }
        Err(failure.unwrap_or_else(|| refused(wanted, refusal)))
    }
}

/// Which of two failures says more of the host: the later one, unless it says nothing of it. A machine
/// without IPv6 has no address to dial such a one from, which must not hide that the host refuses IPv4.
fn telling(earlier: Option<Failure>, later: Failure) -> Failure {
    match earlier {
        Some(earlier) if later.kind == FailureKind::Local => earlier,
        _ => later,
    }
}

async fn dial(to: SocketAddr, timeout: Duration, wanted: &impl fmt::Display) -> Result<TcpStream, Failure> {
    match tokio::time::timeout(timeout, TcpStream::connect(to)).await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(error)) => {
            let kind = FailureKind::of_connect(&error);
            let advice = match kind {
                FailureKind::Local => "raise the limits of the CA's process or machine",
                _ => "check that something listens there and that the CA can reach it",
            };
            Err(Failure::passing(kind, format!("cannot connect to {to} for {wanted}: {error}; {advice}")))
        }
        Err(_) => {
            let detail = format!(
                "no connection to {to} for {wanted} within {timeout:?}; check that the CA can reach it and \
                 that no firewall drops its packets"
            );
            Err(Failure::passing(FailureKind::Timeout, detail))
        }
    }
}

fn check_ends(stream: &TcpStream, egress: &EgressPolicy) -> Result<(), EgressRefusal> {
    match (stream.local_addr(), stream.peer_addr()) {
        (Ok(from), Ok(to)) => egress.check_connected(from, to),
        // The connection is gone already; the request will say so.
        _ => Ok(()),
    }
}

fn refused(wanted: &impl fmt::Display, refusal: Option<EgressRefusal>) -> Failure {
    let (why, advice) = match refusal {
        Some(refusal) if refusal.reason == RefusalReason::OwnListener => {
            (refusal.to_string(), "let the name lead to the host that it stands for")
        }
        Some(refusal) => (refusal.to_string(), "the CA's operator can allow it in the egress policy"),
        None => ("it has no address".to_owned(), "publish one"),
    };
    let detail = format!("{wanted} is out of bounds: {why}; {advice}");
    Failure::lasting(FailureKind::Egress, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_seen_of_the_host_counts() {
        use FailureKind::{Connection, Local, Timeout};
        for (earlier, later, told) in [
            (None, Local, Local),
            (None, Connection, Connection),
            (Some(Local), Local, Local),
            (Some(Local), Connection, Connection),
            (Some(Connection), Local, Connection),
            (Some(Timeout), Connection, Connection),
        ] {
            let failure = |kind| Failure::passing(kind, String::new());
            assert_eq!(telling(earlier.map(failure), failure(later)).kind, told, "{earlier:?} {later:?}");
        }
    }

    #[test]
    fn a_refusal_says_what_can_be_done() {
        let own = "10.0.0.1:443".parse().unwrap();
        let egress = EgressPolicy::new(vec![], vec![], vec![own]);
        for (to, advice) in [
            ("10.0.0.1:443", "let the name lead to the host that it stands for"),
            ("127.0.0.1:80", "the CA's operator can allow it in the egress policy"),
        ] {
            let refusal = egress.check(to.parse().unwrap()).unwrap_err();
            let failure = refused(&"http://a.example/", Some(refusal));
            assert_eq!((failure.kind, failure.transient), (FailureKind::Egress, false));
            let text = failure.to_string();
            assert!(
                text.starts_with("http://a.example/ is out of bounds: ") && text.ends_with(advice),
                "{text}"
            );
        }
    }
}
