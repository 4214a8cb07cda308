//! PostgreSQL: a few worker threads with a connection each.

mod dsn;
mod failure;
mod migrate;
mod session;
mod tls;
mod types;
mod worker;

use std::sync::{Arc, Mutex};

use secrecy::SecretString;
use tokio::sync::mpsc;

pub(crate) use self::session::Session;
pub(crate) use self::types::column;
use self::worker::Worker;
use crate::config::Options;
use crate::error::OpenError;
use crate::migration::Migration;
use crate::queue::{self, Queue};

/// The places that a connection string names.
pub(crate) fn places(dsn: &SecretString) -> Vec<String> {
    dsn::places(dsn)
}

/// Connects, applies migrations and starts the workers.
pub(crate) fn open(
    dsn: &SecretString,
    migrations: &'static [Migration],
    options: Options,
) -> Result<Queue, OpenError> {
    let server = Arc::new(dsn::parse(dsn)?);
    migrate::run(&server, migrations)?;

    let (tasks, waiting) = mpsc::channel(options.queue.max(1));
    let waiting = Arc::new(Mutex::new(waiting));
    let mut threads = Vec::with_capacity(options.connections);
    for number in 0..options.connections.max(1) {
        let worker = Worker::new(Arc::clone(&server), options.faults.clone());
        let waiting = Arc::clone(&waiting);
        threads.push(queue::spawn(&format!("db-worker-{number}"), move || worker.run(&waiting))?);
    }
    Ok(Queue::new(tasks, threads))
}
