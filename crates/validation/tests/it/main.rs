//! http-01 against real sockets: web servers that behave and misbehave, and a scripted DNS server.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a helper that fails fails its test")]

mod dns;
mod exhausted;
mod http01;
mod names;
mod web;
