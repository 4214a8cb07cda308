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
            Err(failed) => failure = Some(failed),
        }
    }
    Err(failure.unwrap_or_else(|| refused(target, refusal)))
}

async fn dial(to: SocketAddr, timeout: Duration, target: &Target) -> Result<TcpStream, Failure> {
    match tokio::time::timeout(timeout, TcpStream::connect(to)).await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(error)) => {
            let detail = format!(
                "cannot connect to {to} for {target}: {error}; check that something listens there and that \
                 the CA can reach it"
            );
            Err(Failure::passing(FailureKind::Connection, detail))
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
