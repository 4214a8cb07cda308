//! What one operation came to, with one number of clients.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use super::call::Operation;
use crate::report::{BUSY, Failures, Latency, millis};
use crate::table::aligned;

/// The figures of one operation.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Measurement {
    operation: Operation,
    clients: usize,
    /// Requests that were answered as they should be.
    pub(crate) answered: usize,
    /// Those that were not, by the kind of error.
    errors: BTreeMap<String, Failures>,
    seconds: f64,
    per_second: f64,
    latency_ms: Latency,
    /// User and system time; none when no process was named.
    portal_cpu_ms_per_request: Option<f64>,
    /// How much of its threads' time the generator worked, from 0 to 1.
    client_load: f64,
}

impl Measurement {
    /// Puts a measurement of `elapsed` together: latencies that rise, and the CPU time that the portal used.
    pub(super) fn new(
        operation: Operation,
        clients: usize,
        latencies: &[Duration],
        errors: BTreeMap<String, Failures>,
        elapsed: Duration,
        portal_cpu: Option<Duration>,
        client_load: f64,
    ) -> Self {
        let answered = latencies.len();
        let per_request = |total: Duration| if answered > 0 { millis(total) / answered as f64 } else { 0.0 };
        Self {
            operation,
            clients,
            answered,
            errors,
            seconds: elapsed.as_secs_f64(),
            per_second: answered as f64 / elapsed.as_secs_f64(),
            latency_ms: Latency::of(latencies),
            portal_cpu_ms_per_request: portal_cpu.map(per_request),
            client_load,
        }
    }

    fn cells(&self) -> [String; COLUMNS] {
        let failed: u64 = self.errors.values().map(|failures| failures.count).sum();
        [
            self.operation.to_string(),
            self.clients.to_string(),
            format!("{:.0}", self.per_second),
            format!("{:.1}", self.latency_ms.p50),
            format!("{:.1}", self.latency_ms.p99),
            self.portal_cpu_ms_per_request.map_or(String::new(), |cpu| format!("{cpu:.2}")),
            failed.to_string(),
        ]
    }
}

const COLUMNS: usize = 7;
const HEADINGS: [&str; COLUMNS] =
    ["portal", "clients", "requests/s", "p50 ms", "p99 ms", "CPU ms/request", "errors"];

/// One line for each, and what is to be said of them.
pub(crate) fn render(measured: &[Measurement]) -> String {
    let mut table = vec![HEADINGS.map(str::to_owned)];
    table.extend(measured.iter().map(Measurement::cells));
    let mut text = aligned(&table);
    for measured in measured {
        let (operation, clients) = (measured.operation, measured.clients);
        for (kind, failures) in &measured.errors {
            text.push_str(&format!(
                "{operation}, {clients} clients: {} × {kind}, for example: {}\n",
                failures.count, failures.example
            ));
        }
        if measured.client_load > BUSY {
            text.push_str(&format!(
                "{operation}, {clients} clients: the generator was nearly out of CPU; the portal may be faster than this\n"
            ));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_a_line_for_each_and_a_word_on_what_went_wrong() {
        let latencies = [Duration::from_millis(2), Duration::from_millis(4)];
        let failures = Failures { count: 3, example: "rate_limited (429): too many".to_owned() };
        let errors = BTreeMap::from([("rate_limited (429)".to_owned(), failures)]);
        let (second, cpu) = (Duration::from_secs(1), Some(Duration::from_millis(5)));
        let measured = [
            Measurement::new(Operation::Activate, 1, &latencies, BTreeMap::new(), second, cpu, 0.1),
            Measurement::new(Operation::Validate, 16, &[], errors, second, None, 0.9),
        ];
        assert_eq!(
            render(&measured),
            "\
portal    clients  requests/s  p50 ms  p99 ms  CPU ms/request  errors
activate        1           2     2.0     4.0            2.50       0
validate       16           0     0.0     0.0                       3
validate, 16 clients: 3 × rate_limited (429), for example: rate_limited (429): too many
validate, 16 clients: the generator was nearly out of CPU; the portal may be faster than this
"
        );
    }
}
