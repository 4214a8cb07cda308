//! The clients that people use, run as they run them.

mod certbot;
mod lego;

use std::path::PathBuf;

pub use certbot::Certbot;
pub use lego::Lego;

/// Where a client put what it was issued.
#[derive(Debug, Clone)]
pub struct Issued {
    /// The end-entity certificate, PEM. Some clients append the chain.
    pub certificate: PathBuf,
    /// The intermediates, PEM.
    pub chain: PathBuf,
    /// The private key, PEM.
    pub key: PathBuf,
}
