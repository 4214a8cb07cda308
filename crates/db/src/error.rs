//! What can go wrong, in words that hold for both engines.

use std::path::PathBuf;

/// Why a statement or a transaction failed.
///
/// Nothing was persisted, except possibly with [`Error::CommitUnknown`]. No variant carries the value of
/// a parameter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A row with this key exists.
    #[error("a row with the same {constraint} exists already")]
    Unique {
        /// The columns of the key as `table.column, table.column`, the same on both engines.
        constraint: String,
    },
    /// A row refers to one that does not exist, or one that is still referred to was to go.
    #[error("a reference between rows would be broken by: {sql}")]
    ForeignKey {
        /// The statement.
        sql: &'static str,
    },
    /// A `CHECK` refused the row.
    #[error("the check {constraint} refused the row")]
    Check {
        /// The constraint's name; name it in the migration, so that it is the same on both engines.
        constraint: String,
    },
    /// A column that must have a value received none.
    #[error("{column} must not be NULL")]
    NotNull {
        /// The column as `table.column`.
        column: String,
    },
    /// A query that has to find a row found none.
    #[error("the row that was looked for does not exist")]
    NoRow,
    /// A query that finds one row at most found more.
    #[error("more than one row was found where one at most can be")]
    TooManyRows,
    /// A column is missing or of another type than the reader wants.
    #[error("column {index} ({column}) holds {found}, and {wanted} was asked for")]
    Column {
        /// Its place in the row, from 0.
        index: usize,
        /// Its name, or `?` when the row has no such column.
        column: String,
        /// The type that was asked for.
        wanted: &'static str,
        /// What it holds.
        found: String,
    },
    /// The engine refused the statement.
    #[error("the database refused a statement ({message}): {sql}")]
    Statement {
        /// The statement.
        sql: &'static str,
        /// The engine's words.
        message: String,
    },
    /// The queue stayed full for ten seconds.
    #[error("the database is overloaded: too many transactions wait; try again later")]
    Overloaded,
    /// The transaction collided with others again and again.
    #[error("the transaction collided with others {attempts} times; try again later")]
    Contention {
        /// How often it was run.
        attempts: u32,
    },
    /// The database has been closed.
    #[error("the database is closed")]
    Closed,
    /// The commit may or may not have happened; look before trying again.
    #[error("the database failed during a commit ({message}); whether it was persisted is unknown")]
    CommitUnknown {
        /// What happened.
        message: String,
    },
    /// The database cannot be used now; nothing was persisted.
    #[error("the database is unavailable: {message}")]
    Unavailable {
        /// What happened, and what can be done.
        message: String,
    },
    /// The closure panicked. The panic's own message goes to the process's panic hook.
    #[error("a transaction panicked and was rolled back; this is a bug in the program")]
    Panicked,
}

/// Why a database could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The SQLite file cannot be opened or created.
    #[error("cannot open the database file {path}: {message}")]
    File {
        /// The file.
        path: PathBuf,
        /// What happened.
        message: String,
    },
    /// The connection string cannot be read. It is not repeated, since it may hold a password.
    #[error("the PostgreSQL connection string is not usable: {message}")]
    Dsn {
        /// What is wrong and how it is written instead.
        message: String,
    },
    /// PostgreSQL cannot be reached, or refused the connection.
    #[error("cannot connect to PostgreSQL: {message}")]
    Connect {
        /// What happened.
        message: String,
    },
    /// The program's own list of migrations is out of order.
    #[error("migration {version} does not come after the one before it; this is a bug in the program")]
    Order {
        /// The version that is out of place.
        version: i64,
    },
    /// A migration failed; it was rolled back, those before it are kept.
    #[error("migration {version} ({name}) failed: {message}")]
    Migration {
        /// Its version.
        version: i64,
        /// Its name.
        name: String,
        /// The engine's words.
        message: String,
    },
    /// The database has a migration with this version, but of other content.
    #[error(
        "migration {version} was applied as `{applied}` with other content than this program's `{name}`; \
         run the release that made this database, or restore a backup"
    )]
    Changed {
        /// Its version.
        version: i64,
        /// The name it was applied under.
        applied: String,
        /// The name this program knows.
        name: String,
    },
    /// The database has been used by a newer program.
    #[error(
        "the database is at migration {found} ({name}) and this program knows only up to {known}; \
         run a release at least as new as the one that last opened it"
    )]
    Newer {
        /// The first migration this program does not know.
        found: i64,
        /// The name it was applied under.
        name: String,
        /// The last migration this program knows.
        known: i64,
    },
    /// The record of applied migrations cannot be read or written.
    #[error("cannot read the record of applied migrations: {message}")]
    Record {
        /// The engine's words.
        message: String,
    },
    /// A thread could not be started.
    #[error("cannot start a database thread: {message}")]
    Thread {
        /// What happened.
        message: String,
    },
}
