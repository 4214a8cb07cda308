//! Validation against real sockets: servers that behave and misbehave, and a scripted DNS server.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a helper that fails fails its test")]

mod caa;
mod dns;
mod dns01;
mod dns_addresses;
mod dns_authoritative;
mod exhausted;
mod http01;
mod http01_hostile;
mod tls_alpn01;
mod web;
