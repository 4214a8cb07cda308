//! A strict YAML file, checked as a whole before anything is done with it.
//!
//! Each program has a type of its own for the file as written, in which serde refuses unknown keys
//! (`deny_unknown_fields`) and values carry their place ([`serde_saphyr::Spanned`]). [`read`] and [`parse`] make one
//! of it; what a value must be is settled with the functions here, which note every [`Problems`].

mod base_url;
mod database;
mod duration;
mod error;
mod file;
mod secret;
mod tls;
mod values;

pub use base_url::BaseUrl;
pub use database::{RawDatabase, database};
pub use duration::{duration, within};
pub use error::{ConfigError, Problems};
pub use file::{parse, read};
pub use secret::{VariableError, secret};
pub use tls::{RawTls, TlsFiles, tls};
pub use values::{address_and_port, each, network, number, path_in, unique_names, workdir};
