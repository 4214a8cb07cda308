//! The handle that the rest of the program holds.

use std::sync::Arc;

use tokio::sync::oneshot;

use crate::config::{Config, Engine, Options};
use crate::error::{Error, OpenError};
use crate::job;
use crate::migration::Migration;
use crate::queue::{Queue, Task};
use crate::tx::{ReadTx, WriteTx};
use crate::{postgres, sqlite};

/// An open database; clones share it.
#[derive(Clone)]
pub struct Db {
    store: Arc<Store>,
}

enum Store {
    Sqlite(sqlite::Store),
    Postgres(Queue),
}

impl Db {
    /// Opens the database, creates the SQLite file (mode 0600) if it is missing, and applies the
    /// migrations that are.
    ///
    /// # Errors
    ///
    /// [`OpenError`]; migrations that were applied before the error are kept.
    pub async fn open(config: &Config, migrations: &'static [Migration]) -> Result<Self, OpenError> {
        Self::open_with(config, migrations, Options::default()).await
    }

    /// [`open`](Self::open) with other than the default options.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub async fn open_with(
        config: &Config,
        migrations: &'static [Migration],
        options: Options,
    ) -> Result<Self, OpenError> {
        let config = config.clone();
        let opening = tokio::task::spawn_blocking(move || match config {
            Config::Sqlite { path } => sqlite::open(&path, migrations, options).map(Store::Sqlite),
            Config::Postgres { dsn } => postgres::open(&dsn, migrations, options).map(Store::Postgres),
        });
        let store = opening.await.map_err(|error| OpenError::Thread { message: error.to_string() })??;
        Ok(Self { store: Arc::new(store) })
    }

    /// The engine, for messages and licence checks.
    pub fn engine(&self) -> Engine {
        match &*self.store {
            Store::Sqlite(_) => Engine::Sqlite,
            Store::Postgres(_) => Engine::Postgres,
        }
    }

    /// Runs a closure that reads, over one snapshot.
    ///
    /// # Errors
    ///
    /// What the closure returned, or an [`Error`] of the database.
    pub async fn read<T, E, F>(&self, mut f: F) -> Result<T, E>
    where
        F: FnMut(&mut ReadTx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        match &*self.store {
            Store::Sqlite(store) => store.readers.read(f).await,
            Store::Postgres(queue) => {
                let (job, answer) = job::new(move |tx: &mut WriteTx<'_>| f(tx));
                queue.push(Task::Read(job)).await?;
                wait(answer).await
            }
        }
    }

    /// Runs a closure that writes, and answers when its changes are durable.
    ///
    /// # Errors
    ///
    /// What the closure returned, or an [`Error`] of the database. Nothing was persisted, except
    /// possibly with [`Error::CommitUnknown`].
    pub async fn write<T, E, F>(&self, f: F) -> Result<T, E>
    where
        F: FnMut(&mut WriteTx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let queue = match &*self.store {
            Store::Sqlite(store) => &store.queue,
            Store::Postgres(queue) => queue,
        };
        let (job, answer) = job::new(f);
        queue.push(Task::Write(job)).await?;
        wait(answer).await
    }

    /// Finishes the transactions that wait, brings SQLite's log into its file, and ends the threads.
    ///
    /// Later transactions receive [`Error::Closed`]. Closing twice is harmless. A database that is
    /// dropped without this loses nothing, but its threads may outlive the drop for a moment.
    pub async fn close(&self) {
        match &*self.store {
            Store::Sqlite(store) => {
                store.readers.close();
                store.queue.close().await;
            }
            Store::Postgres(queue) => queue.close().await,
        }
    }
}

async fn wait<T, E: From<Error>>(answer: oneshot::Receiver<Result<T, E>>) -> Result<T, E> {
    answer.await.unwrap_or_else(|_| Err(Error::Closed.into()))
}
