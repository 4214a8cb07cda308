//! Measures database drivers: transactions per second and CPU of this process per transaction.
//!
//! One transaction is six statements: an insert, two look-ups by key, an update, another insert and a
//! last look-up, on rows that no other caller touches.

mod load;
mod ours;
mod reads;
mod sqlx_postgres;
mod sqlx_sqlite;

use std::time::Duration;

use clap::{Parser, ValueEnum};

/// Measures database drivers.
#[derive(Parser)]
struct Arguments {
    /// What to measure.
    subject: Subject,
    /// Callers that wait for their transaction at the same time; may be given several times.
    #[arg(long, default_values_t = [1, 16, 64])]
    callers: Vec<usize>,
    /// How long each measurement takes.
    #[arg(long, default_value_t = 4)]
    seconds: u64,
    /// Where SQLite files are made; the disk there decides what a sync costs.
    #[arg(long, default_value = "/tmp")]
    directory: std::path::PathBuf,
    /// The PostgreSQL server, `host=… port=… user=… password=… dbname=…`.
    #[arg(long, env = "CHANCERY_TEST_POSTGRES", default_value = "", hide_env_values = true)]
    postgres: String,
}

#[derive(Clone, Copy, ValueEnum)]
enum Subject {
    /// chancery-db on SQLite: rusqlite with group commit.
    SqliteOurs,
    /// sqlx on SQLite, one writing connection.
    SqliteSqlx,
    /// chancery-db on PostgreSQL: blocking clients on worker threads.
    PostgresOurs,
    /// sqlx on PostgreSQL, as many connections.
    PostgresSqlx,
    /// SQLite reads on the caller's thread.
    ReadInline,
    /// SQLite reads on reader threads behind a channel.
    ReadThreads,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let directory = tempfile::tempdir_in(&arguments.directory)?;
    let time = Duration::from_secs(arguments.seconds);
    println!("{:>8} {:>12} {:>12} {:>10}", "callers", "per second", "CPU µs each", "runs each");
    for (round, &callers) in arguments.callers.iter().enumerate() {
        let file = directory.path().join(format!("{round}.db"));
        let dsn = &arguments.postgres;
        let figures = match arguments.subject {
            Subject::SqliteOurs => ours::sqlite(&file, callers, time).await?,
            Subject::SqliteSqlx => sqlx_sqlite::run(&file, callers, time).await?,
            Subject::PostgresOurs => ours::postgres(dsn, callers, time).await?,
            Subject::PostgresSqlx => sqlx_postgres::run(dsn, callers, time).await?,
            Subject::ReadInline => reads::inline(&file, callers, time).await?,
            Subject::ReadThreads => reads::threads(&file, callers, time).await?,
        };
        println!(
            "{callers:>8} {:>12.0} {:>12.1} {:>10.3}",
            figures.per_second, figures.cpu_micros, figures.runs
        );
    }
    Ok(())
}
