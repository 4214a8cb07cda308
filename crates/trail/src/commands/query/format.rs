//! The forms in which lines of the log are printed.

use std::borrow::Cow;

use chancery_audit::{Decision, Record};
use serde_json::Value;

use super::super::show::{instant, member, members, visible};

/// A form. Each line is made without the others, so that a long log takes no memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// Columns for people.
    Table,
    /// The lines as they stand.
    Json,
    /// RFC 4180.
    Csv,
}

/// The columns of CSV.
const COLUMNS: [&str; 12] = [
    "ts",
    "node",
    "seq",
    "event",
    "account_id",
    "source_ip",
    "user_agent",
    "actor",
    "decision",
    "reason",
    "event_id",
    "details",
];

impl Format {
    /// What stands before all lines.
    pub(super) fn header(self) -> String {
        match self {
            Self::Table => row(["TIME (UTC)", "SEQ", "EVENT", "ACCOUNT", "FROM", "DECISION"], "WHAT"),
            Self::Json => String::new(),
            Self::Csv => COLUMNS.join(",") + "\r\n",
        }
    }

    /// A line, with its end.
    pub(super) fn line(self, record: &Record) -> String {
        match self {
            Self::Table => table(record),
            Self::Json => format!("{}\n", record.line),
            Self::Csv => csv(record),
        }
    }
}

fn table(record: &Record) -> String {
    let (at, seq) = (instant(record.ts), record.seq.to_string());
    let source = record.source_ip.map(|ip| ip.to_string());
    let mut what = Vec::new();
    what.extend(record.actor.as_deref().map(|actor| member("actor", &Value::from(actor))));
    what.extend(record.reason.as_deref().map(|reason| member("reason", &Value::from(reason))));
    what.extend(Some(members(&record.details)).filter(|details| !details.is_empty()));
    let cells = [
        at.as_str(),
        seq.as_str(),
        record.event.as_str(),
        record.account_id.as_deref().unwrap_or("-"),
        source.as_deref().unwrap_or("-"),
        record.decision.map_or("-", word),
    ];
    row(cells.map(visible).each_ref().map(String::as_str), &what.join(" "))
}

fn row([at, seq, event, account, source, decision]: [&str; 6], what: &str) -> String {
    let row = format!("{at:<24}  {seq:>7}  {event:<26}  {account:>7}  {source:<15}  {decision:<8}  {what}");
    row.trim_end().to_owned() + "\n"
}

fn csv(record: &Record) -> String {
    let number = |number: Option<u64>| number.map(|number| number.to_string()).unwrap_or_default();
    let text = |text: &Option<String>| text.as_deref().map(harmless).unwrap_or_default().into_owned();
    let details = Value::Object(record.details.clone()).to_string();
    let cells: [String; COLUMNS.len()] = [
        instant(record.ts),
        record.node.clone(),
        record.seq.to_string(),
        record.event.clone(),
        text(&record.account_id),
        record.source_ip.map(|ip| ip.to_string()).unwrap_or_default(),
        text(&record.user_agent),
        text(&record.actor),
        record.decision.map(word).unwrap_or_default().to_owned(),
        text(&record.reason),
        number(record.event_id),
        if record.details.is_empty() { String::new() } else { details },
    ];
    cells.each_ref().map(|cell| quoted(cell)).join(",") + "\r\n"
}

fn word(decision: Decision) -> &'static str {
    match decision {
        Decision::Allow => "allow",
        Decision::Deny => "deny",
    }
}

/// A text that no spreadsheet takes for a formula: a client chooses its `User-Agent`.
fn harmless(text: &str) -> Cow<'_, str> {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}").into() } else { text.into() }
}

/// RFC 4180 §2: quotation marks around what holds a comma, a quotation mark or a line break.
fn quoted(cell: &str) -> Cow<'_, str> {
    if cell.contains([',', '"', '\r', '\n']) {
        format!("\"{}\"", cell.replace('"', "\"\"")).into()
    } else {
        cell.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Record {
        let mac = "0".repeat(64);
        let line = format!(
            r#"{{"ts":"2026-06-14T13:23:00.125Z","schema":1,"node":"ca1","seq":7,"prev_mac":"{mac}","event":"order.create","account_id":"3","source_ip":"192.0.2.17","user_agent":"=1+1, \"x\"","decision":"deny","reason":"no seat","details":{{"event_id":9,"identifiers":"dns:a.test,dns:b.test","order":5}},"mac":"{mac}"}}"#
        );
        Record::parse(line.as_bytes()).unwrap()
    }

    #[test]
    fn a_table_has_aligned_columns() {
        assert_eq!(
            Format::Table.header() + &Format::Table.line(&record()),
            "TIME (UTC)                    SEQ  EVENT                       ACCOUNT  FROM             DECISION  WHAT\n\
             2026-06-14T13:23:00.125Z        7  order.create                      3  192.0.2.17       deny      \
             reason=\"no seat\" identifiers=dns:a.test,dns:b.test order=5\n"
        );
    }

    #[test]
    fn csv_is_quoted_and_is_no_formula() {
        assert_eq!(
            Format::Csv.line(&record()),
            "2026-06-14T13:23:00.125Z,ca1,7,order.create,3,192.0.2.17,\"'=1+1, \"\"x\"\"\",,deny,no seat,9,\
             \"{\"\"identifiers\"\":\"\"dns:a.test,dns:b.test\"\",\"\"order\"\":5}\"\r\n"
        );
        assert_eq!(quoted("a\nb"), "\"a\nb\"");
        assert_eq!(Format::Csv.header().matches(',').count() + 1, COLUMNS.len());
    }

    #[test]
    fn json_is_the_line_as_it_stands() {
        assert_eq!(Format::Json.line(&record()), format!("{}\n", record().line));
    }
}
