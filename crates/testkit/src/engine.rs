//! A database of a test's own, on either engine.

use std::sync::atomic::{AtomicU32, Ordering};

use postgres::{Client, NoTls};

/// The engines that every scenario runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// A file in the installation's directory.
    Sqlite,
    /// A new database in the cluster that `CHANCERY_TEST_POSTGRES` names.
    Postgres,
}

/// One empty database, removed with the value.
#[derive(Debug)]
pub enum Database {
    /// A file that the server creates in the installation's directory, and that goes away with it.
    Sqlite,
    /// Dropped from the cluster with the value.
    Postgres {
        /// The new database, in libpq's keyword form, the password within.
        dsn: String,
        /// Its name in the cluster.
        name: String,
    },
}

impl Database {
    /// An empty database.
    pub fn create(engine: Engine) -> Self {
        match engine {
            Engine::Sqlite => Self::Sqlite,
            Engine::Postgres => Self::create_in_cluster(),
        }
    }

    fn create_in_cluster() -> Self {
        static CREATED: AtomicU32 = AtomicU32::new(0);
        let nth = CREATED.fetch_add(1, Ordering::Relaxed);
        let name = format!("test_{}_{nth}", std::process::id());
        // A process id comes back after a while, and a failed test leaves its database.
        administer(format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
        administer(format!("CREATE DATABASE {name}"));
        let dsn = cluster()
            .split_whitespace()
            .filter(|pair| !pair.starts_with("dbname="))
            .chain([format!("dbname={name}").as_str()])
            .collect::<Vec<_>>()
            .join(" ");
        Self::Postgres { dsn, name }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Self::Postgres { name, .. } = self
            && !std::thread::panicking()
        {
            administer(format!("DROP DATABASE {name} WITH (FORCE)"));
        }
    }
}

fn cluster() -> String {
    std::env::var("CHANCERY_TEST_POSTGRES").unwrap_or_else(|_| {
        panic!("CHANCERY_TEST_POSTGRES names no cluster; run the tests with `make test`, which starts one")
    })
}

fn administer(sql: String) {
    with_postgres(cluster(), move |client| client.batch_execute(&sql));
}

/// Does one thing over a connection of its own, and fails the test if the server refuses. The blocking
/// client may not be used on a thread that drives an async runtime, hence a thread of its own.
pub(crate) fn with_postgres<T: Send + 'static>(
    dsn: String,
    act: impl FnOnce(&mut Client) -> Result<T, postgres::Error> + Send + 'static,
) -> T {
    let connection = std::thread::spawn(move || {
        let mut client =
            Client::connect(&dsn, NoTls).expect("the cluster of CHANCERY_TEST_POSTGRES takes connections");
        act(&mut client).unwrap_or_else(|error| panic!("PostgreSQL refuses: {error:?}"))
    });
    connection.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}
