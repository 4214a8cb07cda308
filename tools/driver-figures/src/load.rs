//! Callers that run transactions one after another, and what that took.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;
use tokio::task::JoinSet;

/// The tables that every subject uses.
pub(crate) const SCHEMA: &str = "
    CREATE TABLE account (id BIGINT PRIMARY KEY, name TEXT NOT NULL, n BIGINT NOT NULL);
    CREATE TABLE entry (id BIGINT PRIMARY KEY, account BIGINT NOT NULL, body BYTEA NOT NULL);
";
pub(crate) const INSERT_ACCOUNT: &str = "INSERT INTO account (id, name, n) VALUES ($1, $2, $3)";
pub(crate) const SELECT_ACCOUNT: &str = "SELECT name, n FROM account WHERE id = $1";
pub(crate) const UPDATE_ACCOUNT: &str = "UPDATE account SET n = n + $1 WHERE id = $2";
pub(crate) const INSERT_ENTRY: &str = "INSERT INTO entry (id, account, body) VALUES ($1, $2, $3)";
pub(crate) const SELECT_ENTRY: &str = "SELECT body FROM entry WHERE id = $1";
/// What goes into `entry.body`, about the size of a small JSON document.
pub(crate) const BODY: [u8; 200] = [0x5a; 200];

/// How often the closure of a transaction ran, retries included; whoever runs one adds to it.
pub(crate) static RUNS: AtomicU64 = AtomicU64::new(0);

/// What a measurement found.
pub(crate) struct Figures {
    pub(crate) per_second: f64,
    /// Runs for each operation that was completed: more than 1 where collisions were retried.
    pub(crate) runs: f64,
    /// CPU of this whole process for each operation.
    pub(crate) cpu_micros: f64,
}

/// Lets `callers` run `operation` again and again for `time`; each call gets a number of its own.
pub(crate) async fn measure<F, O>(callers: usize, time: Duration, operation: F) -> anyhow::Result<Figures>
where
    F: Fn(i64) -> O + Clone + Send + Sync + 'static,
    O: Future<Output = anyhow::Result<()>> + Send + 'static,
{
    let next = Arc::new(AtomicU64::new(1));
    // Connections, statements and caches get warm first.
    run(callers, time / 8, &next, operation.clone()).await?;
    RUNS.store(0, Ordering::Relaxed);
    let (cpu, begin) = (cpu_time()?, Instant::now());
    let done = run(callers, time, &next, operation).await?;
    let (cpu, took) = (cpu_time()? - cpu, begin.elapsed());
    let runs = RUNS.load(Ordering::Relaxed) as f64;
    let done = done as f64;
    Ok(Figures {
        per_second: done / took.as_secs_f64(),
        runs: runs / done,
        cpu_micros: cpu.as_secs_f64() * 1e6 / done,
    })
}

/// The same numbers in no order, as random identifiers are. Neighbouring keys share a page of the index,
/// and PostgreSQL's serialisable transactions collide on pages.
pub(crate) fn scatter(number: i64) -> i64 {
    number.wrapping_mul(0x1E37_79B9_7F4A_7C15)
}

async fn run<F, O>(callers: usize, time: Duration, next: &Arc<AtomicU64>, operation: F) -> anyhow::Result<u64>
where
    F: Fn(i64) -> O + Clone + Send + Sync + 'static,
    O: Future<Output = anyhow::Result<()>> + Send + 'static,
{
    let end = Instant::now() + time;
    let mut tasks = JoinSet::new();
    for _ in 0..callers {
        let (next, operation) = (Arc::clone(next), operation.clone());
        tasks.spawn(async move {
            let mut done = 0;
            while Instant::now() < end {
                let number = i64::try_from(next.fetch_add(1, Ordering::Relaxed))?;
                operation(number).await?;
                done += 1;
            }
            anyhow::Ok(done)
        });
    }
    let mut done = 0;
    while let Some(task) = tasks.join_next().await {
        done += task??;
    }
    Ok(done)
}

/// User and system time of this process, in hundredths of a second (proc(5), `/proc/pid/stat`).
fn cpu_time() -> anyhow::Result<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let (_, fields) = stat.rsplit_once(')').context("/proc/self/stat")?;
    let ticks: u64 = fields.split_whitespace().skip(11).take(2).map(|n| n.parse().unwrap_or(0_u64)).sum();
    Ok(Duration::from_millis(ticks * 10))
}
