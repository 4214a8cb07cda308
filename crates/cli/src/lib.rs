//! What the commands of both programs share: the strictly read configuration file, tables, printing.

pub mod config;
mod lines;
mod output;
mod table;

pub use lines::Lines;
pub use output::{finish, print, print_error, tell};
pub use table::table;

/// The runtime that commands with I/O run in.
///
/// # Errors
/// When the system has no threads left.
pub fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()
}
