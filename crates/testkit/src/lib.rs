//! What the tests share: the real binaries under test, the real clients, a database of one's own, an
//! http-01 responder whose answers can be held back, a tls-alpn-01 responder, a clock that moves, a
//! network of one's own, and a vendor who signs licences.
//!
//! Everything here panics when it fails, with a message that says what to look at: the caller is a
//! test. Nothing here is skipped: what is missing (`CHANCERY_TEST_POSTGRES`, a client) fails
//! the test and names `make test`, which provides it. The exceptions are [`Tmpfs`] and [`Network`], which
//! take root.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a failure here is a failed test, and shall say so at once"
)]

mod alpn_responder;
mod clients;
mod clock;
mod csr;
mod dns;
mod engine;
mod https;
mod installation;
mod log;
mod namespace;
mod openssl;
mod orders;
mod port;
mod portal;
mod process;
mod raw_client;
mod responder;
mod server;
mod sibling;
mod sql;
mod tmpfs;
mod trace;
mod vendor;
mod workdir;

pub use alpn_responder::{AlpnManner, AlpnResponder, AlpnVisit};
pub use clients::{Client, Issued, KnownClient, Step};
pub use clock::MovableClock;
pub use csr::{certificate_request, certificate_request_by};
pub use dns::{DnsManner, DnsQuery, DnsRecord, DnsServer};
pub use engine::{Database, Engine};
pub use https::{Cut, HttpsClient};
pub use installation::{Elsewhere, Installation};
pub use namespace::{Network, run_without_network};
pub use openssl::{certificate_serial, verify};
pub use port::free_port;
pub use portal::{PortalClient, PortalSite, SoldLicense, licenseseat, schemathesis};
pub use process::{Finished, run_program};
pub use raw_client::{Answer, JwsKey, RawClient, base64url};
pub use responder::{Hold, Responder};
pub use server::TestServer;
pub use sibling::sibling;
pub use tmpfs::Tmpfs;
pub use trace::{SocketCall, SocketTrace};
pub use vendor::{JwtBuilder, LicenseBuilder, MachineFileBuilder, RevocationsBuilder, Vendor};
pub use workdir::Workdir;

/// How many rounds a test shall make that is worth repeating: `CHANCERY_TEST_ROUNDS`, which
/// `make soak` sets, or else `usual`.
pub fn rounds(usual: usize) -> usize {
    match std::env::var("CHANCERY_TEST_ROUNDS") {
        Ok(text) => text.parse().expect("CHANCERY_TEST_ROUNDS is a number"),
        Err(_) => usual,
    }
}
