//! Which lines of the log are wanted, as far as every program's log has the same.

use chancery_audit::{Decision, Filter, Record};
use chancery_time::{ParseError, Timestamp};
use clap::{Args, ValueEnum};

/// What a program lets its operator ask for; a line has to meet each condition that is given.
pub trait Conditions: Args + std::fmt::Debug {
    /// Those that every log has.
    fn common(&self) -> &EventArgs;

    /// Those that the log itself sees to.
    fn filter(&self) -> Filter {
        self.common().filter()
    }

    /// The others, which know what the details mean.
    fn admit(&self, record: &Record) -> bool;
}

/// The event, how it was decided, and when it happened.
#[derive(Debug, Args)]
pub struct EventArgs {
    /// The event's name, or a prefix of names such as `license.*`.
    #[arg(long, value_name = "NAME|PREFIX.*")]
    pub(super) event: Option<String>,
    /// Whether it was allowed or refused.
    #[arg(long, value_enum)]
    decision: Option<DecisionArg>,
    #[command(flatten)]
    time: TimeArgs,
}

/// A stretch of time.
#[derive(Debug, Args)]
pub(super) struct TimeArgs {
    /// Not before this: `2026-06-14T13:23:00Z`, or `2026-06-14` for the beginning of that day in UTC.
    #[arg(long, value_name = "TIME", value_parser = instant)]
    pub(super) since: Option<Timestamp>,
    /// Before this.
    #[arg(long, value_name = "TIME", value_parser = instant)]
    pub(super) until: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum DecisionArg {
    Allow,
    Deny,
}

impl EventArgs {
    /// As the log understands them.
    pub fn filter(&self) -> Filter {
        Filter {
            event: self.event.clone(),
            decision: self.decision.map(|decision| match decision {
                DecisionArg::Allow => Decision::Allow,
                DecisionArg::Deny => Decision::Deny,
            }),
            since: self.time.since,
            until: self.time.until,
            ..Filter::default()
        }
    }
}

/// An instant, or the beginning of a day.
fn instant(text: &str) -> Result<Timestamp, ParseError> {
    text.parse().or_else(|error| format!("{text}T00:00:00Z").parse().map_err(|_| error))
}

#[cfg(test)]
mod tests {
    use super::*;

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
