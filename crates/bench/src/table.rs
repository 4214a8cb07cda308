//! Several reports side by side.

use anyhow::Context as _;

use crate::report::Report;

/// A server's name and what was measured of it.
pub(crate) type Row = (String, Report);

/// Reads the reports given as `NAME=FILE`.
pub(crate) fn read(arguments: &[String]) -> anyhow::Result<Vec<Row>> {
    let row = |argument: &String| {
        let (name, path) =
            argument.split_once('=').with_context(|| format!("`{argument}` is not NAME=FILE"))?;
        let json = std::fs::read(path).with_context(|| format!("cannot read {path}"))?;
        let report = serde_json::from_slice(&json).with_context(|| format!("{path} is no report"))?;
        Ok((name.to_owned(), report))
    };
    arguments.iter().map(row).collect()
}

/// One line for each report, with how the first server compares with the others at as many clients.
pub(crate) fn render(rows: &[Row]) -> String {
    let Some((first, _)) = rows.first() else { return String::new() };
    let mut table = vec![HEADINGS.map(str::to_owned)];
    table.extend(rows.iter().map(|(name, report)| {
        let same_load = |(other, base): &&Row| other == first && base.load() == report.load();
        let base = rows.iter().find(same_load).map(|(_, base)| base).filter(|_| name != first);
        cells(name, report, base)
    }));
    let mut text = aligned(&table);
    text.push_str(&format!("Ratios say how many times {first} does better than the server of the line.\n"));
    text
}

/// The lines of a table, the first column to the left and the others to the right.
pub(crate) fn aligned<const COLUMNS: usize>(table: &[[String; COLUMNS]]) -> String {
    let mut widths = [0; COLUMNS];
    for row in table {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    let line = |row: &[String; COLUMNS]| {
        let padded = row.iter().zip(widths).enumerate().map(|(column, (cell, width))| {
            if column == 0 { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
        });
        padded.collect::<Vec<_>>().join("  ") + "\n"
    };
    table.iter().map(line).collect()
}

const COLUMNS: usize = 11;
const HEADINGS: [&str; COLUMNS] = [
    "server",
    "clients",
    "orders/s",
    "ratio",
    "p50 ms",
    "p90 ms",
    "p99 ms",
    "CPU ms/order",
    "ratio",
    "requests",
    "errors",
];

fn cells(name: &str, report: &Report, base: Option<&Report>) -> [String; COLUMNS] {
    let ratio = |better: Option<f64>, worse: Option<f64>| match (better, worse) {
        (Some(better), Some(worse)) if worse > 0.0 => format!("{:.1}×", better / worse),
        _ => String::new(),
    };
    let rate = report.orders_per_second;
    let cpu = report.server_cpu_ms_per_order;
    let shared = if report.one_account { " (1 account)" } else { "" };
    [
        name.to_owned(),
        format!("{}{shared}", report.clients),
        format!("{rate:.0}"),
        ratio(base.map(|base| base.orders_per_second), Some(rate)),
        format!("{:.1}", report.latency_ms.p50),
        format!("{:.1}", report.latency_ms.p90),
        format!("{:.1}", report.latency_ms.p99),
        cpu.map_or(String::new(), |cpu| format!("{cpu:.2}")),
        ratio(cpu, base.and_then(|base| base.server_cpu_ms_per_order)),
        format!("{:.1}", report.requests_per_order),
        report.failed().to_string(),
    ]
}

impl Report {
    fn load(&self) -> (u16, bool) {
        (self.clients, self.one_account)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::report::Latency;

    fn report(clients: u16, rate: f64, cpu: f64) -> Report {
        Report {
            directory: String::new(),
            clients,
            one_account: false,
            orders: 1,
            errors: BTreeMap::new(),
            seconds: 1.0,
            orders_per_second: rate,
            latency_ms: Latency { p50: 1.0, p90: 2.0, p99: 3.0, max: 4.0 },
            requests_per_order: 8.0,
            server_cpu_ms_per_order: Some(cpu),
            client_cpu_ms_per_order: 0.1,
            client_load: 0.1,
        }
    }

    #[test]
    fn ratios_compare_with_the_first_server_at_the_same_load() {
        let rows = [
            ("ours".to_owned(), report(1, 100.0, 0.5)),
            ("ours".to_owned(), report(16, 1200.0, 0.5)),
            ("other".to_owned(), report(16, 300.0, 4.0)),
            ("other".to_owned(), report(64, 300.0, 4.0)),
        ];
        assert_eq!(
            render(&rows),
            "\
server  clients  orders/s  ratio  p50 ms  p90 ms  p99 ms  CPU ms/order  ratio  requests  errors
ours          1       100            1.0     2.0     3.0          0.50              8.0       0
ours         16      1200            1.0     2.0     3.0          0.50              8.0       0
other        16       300   4.0×     1.0     2.0     3.0          4.00   8.0×       8.0       0
other        64       300            1.0     2.0     3.0          4.00              8.0       0
Ratios say how many times ours does better than the server of the line.
"
        );
    }

    #[test]
    fn a_report_that_cannot_be_read_is_named() {
        assert!(read(&["nonsense".to_owned()]).unwrap_err().to_string().contains("NAME=FILE"));
        assert!(read(&["a=/nonexistent".to_owned()]).unwrap_err().to_string().contains("/nonexistent"));
    }
}
