//! SQLite: one writer thread that group-commits, and readers on the callers' threads.

mod checkpoint;
mod connection;
mod dialect;
mod migrate;
mod readers;
mod statement;
mod writer;

use std::path::Path;

use tokio::sync::mpsc;

use self::checkpoint::Checkpointer;
use self::readers::Readers;
pub(crate) use self::statement::{column, execute, query};
use self::writer::Writer;
use crate::config::Options;
use crate::error::OpenError;
use crate::migration::Migration;
use crate::queue::{self, Queue};

/// An open SQLite database.
pub(crate) struct Store {
    pub(crate) queue: Queue,
    pub(crate) readers: Readers,
}

/// Opens the file, applies migrations and starts the threads.
pub(crate) fn open(
    path: &Path,
    migrations: &'static [Migration],
    options: Options,
) -> Result<Store, OpenError> {
    connection::create(path)?;
    let refused = |error: rusqlite::Error| connection::refused(path, &error);
    let mut own = connection::open_writer(path).map_err(refused)?;
    migrate::run(&mut own, migrations)?;

    let checkpointer = Checkpointer::start(connection::open_writer(path).map_err(refused)?)?;
    let (tasks, waiting) = mpsc::channel(options.queue.max(1));
    let writer = Writer::new(own, checkpointer, options.faults);
    let thread = queue::spawn("db-writer", move || writer.run(waiting))?;
    Ok(Store {
        queue: Queue::new(tasks, vec![thread]),
        readers: Readers::new(path.to_owned(), options.connections),
    })
}
