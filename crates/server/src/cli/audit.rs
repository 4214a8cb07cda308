//! `chancery audit`: the commands are `chancery-trail`'s; what is the server's own of them is here.

use std::path::PathBuf;

use chancery_audit::{Filter, Record};
use chancery_trail::Kind;
use chancery_trail::commands::{Conditions, EventArgs, LogCommand, Program, Site};
use clap::Args;
use serde_json::Value;

use super::ConfigArgs;
use crate::audit::{directory, events, keys};
use crate::config;

/// A command about the log of this server.
pub(super) type AuditCommand = LogCommand<ConfigArgs>;

impl Program for ConfigArgs {
    const COMMAND: &'static str = "chancery audit";
    const EVENTS: &'static [Kind] = events::ALL;
    const EVENTS_PAGE: &'static str = "docs/audit-events.md";

    type Conditions = ConditionArgs;

    fn visit<T>(&self, act: impl AsyncFnOnce(&Site) -> anyhow::Result<T>) -> anyhow::Result<T> {
        self.visit(async |on| {
            let keys = keys(&on.office.db, &on.office.installation.key).await?;
            let node = on.office.trail.node();
            act(&Site::new(on.office.db.clone(), keys, node, &on.config.server.workdir)?).await
        })
    }

    fn directory(&self) -> anyhow::Result<PathBuf> {
        Ok(directory(&config::load(&self.config)?.server.workdir))
    }
}

/// The conditions of the command line; a line has to meet each that is given.
#[derive(Debug, Args)]
pub(super) struct ConditionArgs {
    #[command(flatten)]
    common: EventArgs,
    /// The account's number.
    #[arg(long, value_name = "ID")]
    account: Option<String>,
    /// A name (or address) among those that the order or certificate is for.
    #[arg(long, value_name = "DNSNAME")]
    name: Option<String>,
    /// The certificate's serial number.
    #[arg(long, value_name = "HEX")]
    serial: Option<String>,
}

impl Conditions for ConditionArgs {
    fn common(&self) -> &EventArgs {
        &self.common
    }

    fn filter(&self) -> Filter {
        Filter { account_id: self.account.clone(), ..self.common.filter() }
    }

    fn admit(&self, record: &Record) -> bool {
        self.name.as_ref().is_none_or(|name| is_for(record, name))
            && self.serial.as_ref().is_none_or(|serial| has_serial(record, serial))
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
}
