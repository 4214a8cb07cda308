//! DNS servers that say the same of every name.

use std::net::IpAddr;

use chancery_testkit::{DnsManner, DnsServer};

/// A server that gives every name these addresses.
pub(crate) fn everywhere(addresses: &[IpAddr]) -> DnsServer {
    let dns = DnsServer::start();
    dns.set_addresses("*", addresses);
    dns
}

/// A server that gives every name the `first` address, and `then` another to whoever asks again.
pub(crate) fn rebinding(first: IpAddr, then: IpAddr) -> DnsServer {
    let dns = DnsServer::start();
    dns.misbehave("*", DnsManner::InTurn(vec![vec![first.into()], vec![then.into()]]));
    dns
}
