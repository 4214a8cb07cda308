//! The shell that an HTTP server runs in, whatever it serves: a bounded listener with TLS or without, a
//! certificate that can be replaced while it is in use, the client behind trusted proxies, one process in
//! one directory, and an orderly end. And the client with which a server calls others.
//!
//! A server begins with [`room_for_connections`], takes the [`lock`] of its directory, listens for
//! [`Signals`], lets [`serve`] accept connections, and ends with [`drain`].

mod certificate;
mod client;
mod descriptors;
mod ending;
mod files;
mod listener;
mod lock;
mod proxies;
mod self_signed;

pub use certificate::{CertificateError, CurrentCertificate, from_pem, server_config};
pub use client::{RootsError, client, roots, why};
pub use descriptors::room_for_connections;
pub use ending::{Signals, drain};
pub use files::{CertificateFiles, FilesError};
pub use listener::{Limits, Peer, Transport, serve};
pub use lock::{LockError, lock};
pub use proxies::{Proxies, network_of};
pub use self_signed::{SelfSignedError, self_signed};
