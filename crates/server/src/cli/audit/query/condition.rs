//! Which lines of the log are wanted.

use chancery_audit::{Decision, Filter, Record};
use chancery_time::{ParseError, Timestamp};
use clap::{Args, ValueEnum};
use serde_json::Value;

/// The conditions of the command line; a line has to meet each that is given.
#[derive(Debug, Args)]
pub(super) struct ConditionArgs {
    /// The event's name, or a prefix of names: `certificate.issue`, `license.*`.
    #[arg(long, value_name = "NAME|PREFIX.*")]
    event: Option<String>,
    /// The account's number.
    #[arg(long, value_name = "ID")]
    account: Option<String>,
    /// A name (or address) among those that the order or certificate is for.
    #[arg(long, value_name = "DNSNAME")]
    name: Option<String>,
    /// The certificate's serial number.
    #[arg(long, value_name = "HEX")]
    serial: Option<String>,
    /// Whether it was allowed or refused.
    #[arg(long, value_enum)]
    decision: Option<DecisionArg>,
    #[command(flatten)]
    time: TimeArgs,
}

/// A stretch of time.
#[derive(Debug, Args)]
pub(in super::super) struct TimeArgs {
    /// Not before this: `2026-06-14T13:23:00Z`, or `2026-06-14` for the beginning of that day in UTC.
    #[arg(long, value_name = "TIME", value_parser = instant)]
    pub(in super::super) since: Option<Timestamp>,
    /// Before this.
    #[arg(long, value_name = "TIME", value_parser = instant)]
    pub(in super::super) until: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum DecisionArg {
    Allow,
    Deny,
}

impl ConditionArgs {
    /// Those that the log itself sees to.
    pub(super) fn filter(&self) -> Filter {
        Filter {
            event: self.event.clone(),
            account_id: self.account.clone(),
            decision: self.decision.map(|decision| match decision {
                DecisionArg::Allow => Decision::Allow,
                DecisionArg::Deny => Decision::Deny,
            }),
            since: self.time.since,
            until: self.time.until,
            details: Vec::new(),
        }
    }

    /// The others, which know what the details mean.
    pub(super) fn admit(&self, record: &Record) -> bool {
        self.name.as_ref().is_none_or(|name| is_for(record, name))
            && self.serial.as_ref().is_none_or(|serial| has_serial(record, serial))
    }

    /// The name that was asked for.
    pub(super) fn event(&self) -> Option<&str> {
        self.event.as_deref()
    }
}

/// Whether a name is among the `identifiers` (`dns:a.test,dns:b.test`), or the one `identifier`.
fn is_for(record: &Record, name: &str) -> bool {
    let wanted = name.strip_suffix('.').unwrap_or(name);
    let texts = ["identifiers", "identifier"].into_iter().filter_map(|member| text(record, member));
    let mut names = texts.flat_map(|text| text.split(',')).map(|identifier| {
        let bare = identifier.strip_prefix("dns:").or_else(|| identifier.strip_prefix("ip:"));
        bare.unwrap_or(identifier)
    });
    names.any(|name| name.eq_ignore_ascii_case(wanted))
}

/// Whether the serial number is that one, however it is written: `0A:1b`, `0a1b`.
fn has_serial(record: &Record, serial: &str) -> bool {
    let wanted = serial.replace([':', ' '], "");
    let number = |digits: &str| digits.trim_start_matches('0').to_ascii_lowercase();
    text(record, "serial").is_some_and(|serial| number(serial) == number(&wanted))
}

fn text<'a>(record: &'a Record, member: &str) -> Option<&'a str> {
    record.details.get(member).and_then(Value::as_str)
}

/// An instant, or the beginning of a day.
fn instant(text: &str) -> Result<Timestamp, ParseError> {
    text.parse().or_else(|error| format!("{text}T00:00:00Z").parse().map_err(|_| error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(details: &str) -> Record {
        let mac = "0".repeat(64);
        let line = format!(
            r#"{{"ts":"2026-06-14T13:23:00.125Z","schema":1,"node":"ca1","seq":1,"prev_mac":"{mac}","event":"x","details":{details},"mac":"{mac}"}}"#
        );
        Record::parse(line.as_bytes()).unwrap()
    }

    #[test]
    fn names_are_found_wherever_they_stand() {
        let order = record(r#"{"identifiers":"dns:a.test,dns:*.b.test,ip:2001:db8::1"}"#);
        for name in ["a.test", "A.TEST.", "*.b.test", "2001:DB8::1"] {
            assert!(is_for(&order, name), "{name}");
        }
        for name in ["b.test", "test", "", "dns", "a.test,dns:*.b.test"] {
            assert!(!is_for(&order, name), "{name}");
        }
        assert!(is_for(&record(r#"{"identifier":"a.test"}"#), "a.test"));
        assert!(!is_for(&record(r#"{"order":1}"#), "a.test"));
    }

    #[test]
    fn a_serial_number_may_be_written_in_several_ways() {
        let issued = record(r#"{"serial":"0a1b2c"}"#);
        for serial in ["0a1b2c", "0A:1B:2C", "A1B2C", "000a1b2c"] {
            assert!(has_serial(&issued, serial), "{serial}");
        }
        for serial in ["0a1b", "", "0"] {
            assert!(!has_serial(&issued, serial), "{serial}");
        }
    }

    #[test]
    fn an_instant_may_be_a_day() {
        let noon = instant("2026-06-14T12:00:00Z").unwrap();
        assert_eq!(noon.since(instant("2026-06-14").unwrap()).as_secs(), 12 * 3_600);
        for text in ["yesterday", "2026-06", "2026-06-14 12:00", ""] {
            let refused = instant(text).unwrap_err().to_string();
            assert!(refused.contains(&format!("`{text}`")), "{refused}");
        }
    }
}
