//! From a target to a connection, under the egress policy.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpStream;

use super::target::Target;
use crate::egress::{EgressPolicy, EgressRefusal};
use crate::failure::{Failure, FailureKind};
use crate::resolver::Resolver;

/// How many addresses of one name are tried.
const MAX_ADDRESSES: usize = 4;

/// Connects to the first address of the target that is allowed and answers.
///
/// The name is looked up once, and what is checked is what is dialled: an answer that changes between
/// the two (DNS rebinding) has no place to enter.
pub(super) async fn connect(
    resolver: &Resolver,
    egress: &EgressPolicy,
    timeout: Duration,
    target: &Target,
) -> Result<TcpStream, Failure> {
    let addresses = resolver.addresses(target.host()).await?;
    let mut refusal = None;
    let mut failure = None;
    let mut tried = 0;
    for ip in addresses {
        let to = SocketAddr::new(ip, target.port());
        if let Err(refused) = egress.check(to) {
            refusal = Some(refused);
            continue;
        }
        if tried == MAX_ADDRESSES {
            break;
        }
        tried += 1;
        match dial(to, timeout, target).await {
            Ok(stream) => match check_ends(&stream, egress) {
                Ok(()) => return Ok(stream),
                Err(refused) => refusal = Some(refused),
            },
            Err(failed) => failure = Some(telling(failure, failed)),
        }
    }
    Err(failure.unwrap_or_else(|| refused(target, refusal)))
}

/// Which of two failures says more of the host: the later one, unless it says nothing of it. A machine
/// without IPv6 has no address to dial such a one from, which must not hide that the host refuses IPv4.
fn telling(earlier: Option<Failure>, later: Failure) -> Failure {
    match earlier {
        Some(earlier) if later.kind == FailureKind::Local => earlier,
        _ => later,
    }
}

async fn dial(to: SocketAddr, timeout: Duration, target: &Target) -> Result<TcpStream, Failure> {
    match tokio::time::timeout(timeout, TcpStream::connect(to)).await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(error)) => {
            let kind = FailureKind::of_connect(&error);
            let advice = match kind {
                FailureKind::Local => "raise the limits of the CA's process or machine",
                _ => "check that something listens there and that the CA can reach it",
            };
            Err(Failure::passing(kind, format!("cannot connect to {to} for {target}: {error}; {advice}")))
        }
        Err(_) => {
            let detail = format!(
                "no connection to {to} for {target} within {timeout:?}; check that the CA can reach it and \
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

fn refused(target: &Target, refusal: Option<EgressRefusal>) -> Failure {
    let why = match refusal {
        Some(refusal) => refusal.to_string(),
        None => "its name has no address".to_owned(),
    };
    let detail =
        format!("{target} is out of bounds: {why}; the CA's operator can allow it in the egress policy");
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
}
