//! What a run measured.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::IssueArgs;
use crate::load::Tally;

/// The result of a run; its JSON form is what `table` reads.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Report {
    pub(crate) directory: String,
    pub(crate) clients: u16,
    pub(crate) one_account: bool,
    /// Orders that got their certificate.
    pub(crate) orders: u64,
    /// Orders that did not, by the kind of error.
    pub(crate) errors: BTreeMap<String, Failures>,
    pub(crate) seconds: f64,
    pub(crate) orders_per_second: f64,
    /// From newOrder to the downloaded certificate.
    pub(crate) latency_ms: Latency,
    pub(crate) requests_per_order: f64,
    /// User and system time; none when no process was named.
    pub(crate) server_cpu_ms_per_order: Option<f64>,
    pub(crate) client_cpu_ms_per_order: f64,
    /// How much of its threads' time the generator worked, from 0 to 1.
    pub(crate) client_load: f64,
}

/// Errors of one kind.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Failures {
    pub(crate) count: u64,
    /// The text of the first.
    pub(crate) example: String,
}

/// Quantiles in milliseconds, by the nearest rank.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Latency {
    pub(crate) p50: f64,
    pub(crate) p90: f64,
    pub(crate) p99: f64,
    pub(crate) max: f64,
}

/// Above this load the generator may be what limits the rate.
pub(crate) const BUSY: f64 = 0.8;

impl Failures {
    /// None yet of the kind of `error`.
    pub(crate) fn like(error: &impl fmt::Display) -> Self {
        Self { count: 0, example: error.to_string() }
    }
}

impl Report {
    /// Puts a measurement of `elapsed` together; `own` and `server` are the CPU time used in it.
    pub(crate) fn new(
        args: &IssueArgs,
        mut tally: Tally,
        elapsed: Duration,
        own: Duration,
        server: Option<Duration>,
    ) -> Self {
        tally.latencies.sort_unstable();
        let orders = tally.latencies.len() as f64;
        let per_order = |total: f64| if orders > 0.0 { total / orders } else { 0.0 };
        let seconds = elapsed.as_secs_f64();
        Self {
            directory: args.directory.clone(),
            clients: args.clients,
            one_account: args.one_account,
            orders: tally.latencies.len() as u64,
            errors: tally.failures,
            seconds,
            orders_per_second: orders / seconds,
            latency_ms: Latency::of(&tally.latencies),
            requests_per_order: per_order(tally.requests as f64),
            server_cpu_ms_per_order: server.map(|cpu| per_order(millis(cpu))),
            client_cpu_ms_per_order: per_order(millis(own)),
            client_load: own.as_secs_f64() / seconds / f64::from(args.threads),
        }
    }

    /// How many orders failed.
    pub(crate) fn failed(&self) -> u64 {
        self.errors.values().map(|failures| failures.count).sum()
    }
}

impl Latency {
    /// Of durations that rise.
    pub(crate) fn of(sorted: &[Duration]) -> Self {
        let at = |percent: usize| {
            let rank = (sorted.len() * percent).div_ceil(100).max(1);
            sorted.get(rank - 1).copied().map_or(0.0, millis)
        };
        Self { p50: at(50), p90: at(90), p99: at(99), max: at(100) }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Latency { p50, p90, p99, max } = self.latency_ms;
        let accounts = if self.one_account { "one account" } else { "an account each" };
        writeln!(f, "{}, {} clients, {accounts}", self.directory, self.clients)?;
        writeln!(
            f,
            "  orders     {} in {:.1} s: {:.1}/s",
            self.orders, self.seconds, self.orders_per_second
        )?;
        writeln!(f, "  latency    p50 {p50:.1} ms, p90 {p90:.1} ms, p99 {p99:.1} ms, longest {max:.1} ms")?;
        writeln!(f, "  requests   {:.1} per order", self.requests_per_order)?;
        if let Some(cpu) = self.server_cpu_ms_per_order {
            writeln!(f, "  server     {cpu:.2} ms of CPU per order")?;
        }
        writeln!(
            f,
            "  generator  {:.2} ms of CPU per order, {:.0} % of its threads",
            self.client_cpu_ms_per_order,
            self.client_load * 100.0
        )?;
        if self.client_load > BUSY {
            writeln!(
                f,
                "  warning    the generator was nearly out of CPU; the server may be faster than this"
            )?;
        }
        for (kind, failures) in &self.errors {
            writeln!(f, "  errors     {} × {kind}, for example: {}", failures.count, failures.example)?;
        }
        Ok(())
    }
}

pub(crate) fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_of_the_nearest_rank() {
        let latencies: Vec<Duration> = (1..=200).map(Duration::from_millis).collect();
        assert_eq!(Latency::of(&latencies), Latency { p50: 100.0, p90: 180.0, p99: 198.0, max: 200.0 });
        assert_eq!(Latency::of(&latencies[..1]), Latency { p50: 1.0, p90: 1.0, p99: 1.0, max: 1.0 });
        assert_eq!(Latency::of(&[]), Latency { p50: 0.0, p90: 0.0, p99: 0.0, max: 0.0 });
    }
}
