//! One transaction API over SQLite and PostgreSQL.
//!
//! This crate knows no table. A caller brings [`Migration`]s and closures; a closure is one
//! transaction: everything it did is kept, or nothing of it.
//!
//! # What a caller is promised
//!
//! - **Durability.** [`Db::write`] answers only after the commit is on stable storage (SQLite: WAL with
//!   `synchronous=FULL`; PostgreSQL: what the server's `synchronous_commit` says, `on` by default).
//! - **Isolation.** Writes are serialisable on both engines. A read sees one snapshot from its first
//!   query to its last.
//! - **Errors roll back.** A closure that returns `Err`, or panics, leaves no trace. A panic becomes
//!   [`Error::Panicked`] for that caller alone.
//! - **Lost commits are named.** When the connection breaks while a commit is under way nobody can know
//!   whether it happened. That is [`Error::CommitUnknown`], it is never retried here, and the caller has
//!   to look before trying again. With every other error nothing was persisted.
//! - **Bounds.** Waiting transactions queue up to [`Options::queue`]; a caller that finds the queue full
//!   for ten seconds receives [`Error::Overloaded`].
//!
//! # What a closure may do
//!
//! - It may run **more than once** (PostgreSQL aborts one of two transactions that collide, and it is
//!   run again), so it has no effect outside its transaction and starts from the same captured data.
//! - It is not async and does not block on anything but the database: on SQLite all writers wait behind
//!   it, and a read runs on the caller's own thread. Page long scans.
//! - **After a failed statement it returns `Err`.** PostgreSQL refuses every further statement of such
//!   a transaction, so here both engines do: each later statement repeats the first error, and `Ok` from
//!   the closure becomes that error. Where a conflict is expected, say `ON CONFLICT DO NOTHING`.
//! - A caller that drops the future before its transaction began may cancel it; later it no longer can.
//!
//! # The SQL both engines accept
//!
//! - Columns are `BIGINT`, `TEXT` or `BYTEA`; a boolean is a `BIGINT` of 0 or 1.
//! - Placeholders are `$1, $2, …`, first used in ascending order; a value is bound to its number.
//! - `INSERT … RETURNING`, `ON CONFLICT` and partial indexes are in both. `sum()` is `NUMERIC` on
//!   PostgreSQL: write `CAST(sum(n) AS BIGINT)`. Name columns instead of `SELECT *`, and sort where the
//!   order matters.
//! - Constraints are checked by statement: no `DEFERRABLE`, since on SQLite one commit carries the
//!   transactions of several callers.
//!
//! # How each engine does it
//!
//! SQLite has one writer thread that **group-commits**: it runs all waiting closures in one transaction,
//! a savepoint each, and answers them after one sync. Reads run on the caller's thread with a pooled
//! connection. A second process may open the same file; writers then take turns (five seconds at most).
//!
//! PostgreSQL has a few worker threads with one connection each. Writes are `SERIALIZABLE`, reads
//! `REPEATABLE READ READ ONLY`; collisions are retried, broken connections replaced.

mod config;
mod db;
mod error;
mod faults;
mod job;
mod migration;
mod postgres;
mod queue;
mod row;
mod sqlite;
mod tx;
mod value;

pub use config::{Config, Engine, Options};
pub use db::Db;
pub use error::{Error, OpenError};
pub use faults::Faults;
pub use migration::Migration;
pub use row::{FromColumn, Row};
pub use tx::{ReadTx, WriteTx};
pub use value::Value;
