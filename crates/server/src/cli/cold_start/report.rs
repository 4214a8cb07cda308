//! What the commands of the window print.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use chancery_license::{InstallationKey, Plan, State};
use chancery_time::Timestamp;
use serde_json::{Value, json};

use crate::licensing::cold_start::{Extension, is_open, remaining};
use crate::licensing::facts::Facts;
use crate::licensing::snapshot::{Judged, Snapshot};
use crate::store::cold_start::Window;

/// What the cap counts from.
const ANCHOR: &str = "first_acme_account";
/// Where there is no such account.
const NO_ANCHOR: &str = "none (setup phase — no ACME account yet)";

/// The window as it stands, and what else bears on it.
#[derive(Clone, Copy)]
pub(super) struct Report<'a> {
    snapshot: &'a Snapshot,
    judged: &'a Judged<'a>,
    installation: &'a InstallationKey,
}

impl<'a> Report<'a> {
    pub(super) const fn new(
        snapshot: &'a Snapshot,
        judged: &'a Judged<'a>,
        installation: &'a InstallationKey,
    ) -> Self {
        Self { snapshot, judged, installation }
    }

    /// The time at which the window is judged.
    pub(super) const fn windows_judged_at(self) -> Timestamp {
        self.judged.windows_judged_at
    }

    /// The lines of `cold-start status`.
    pub(super) fn text(self, file: &Path) -> String {
        let mut text = format!("License        : {}\n", self.license_line());
        let window = self.window();
        if window.is_none() && self.judged.state != State::NoLicense {
            return text;
        }
        // Writing to a String cannot fail.
        let _ = match window {
            None => writeln!(
                text,
                "Cold-start plan: none (open a window: chancery cold-start init --plan=PLAN -f {})",
                file.display()
            ),
            Some(Window { plan, ends_at }) => writeln!(
                text,
                "Cold-start plan: {plan}\nWindow ends    : {}\nRemaining      : {}",
                ends_at.to_minutes(),
                self.remaining_text()
            ),
        };
        let _ = writeln!(text, "Cap            : {}", self.cap_text());
        if self.snapshot.record.is_none() {
            text.push_str(
                "Record         : missing or damaged, so no window counts: restore the database from a backup, \
                 or ask the vendor\n",
            );
        }
        text
    }

    /// The same for programs. Times are RFC 3339; what does not apply is null.
    pub(super) fn json(self) -> Value {
        let (window, anchor) = (self.window(), self.snapshot.first_account_at);
        json!({
            "license": self.license_json(),
            "plan": window.map(|window| window.plan.name()),
            "window_ends": window.map(|window| window.ends_at),
            "remaining_seconds": window.map(|_| self.remaining().as_secs()),
            "cap_at": self.snapshot.cold_start_cap(),
            "anchor": anchor.map(|_| ANCHOR),
            "anchor_at": anchor,
            "record_damaged": self.snapshot.record.is_none(),
            "installation_key": self.installation.as_str(),
        })
    }

    /// That, and further members.
    pub(super) fn json_with(self, further: Value) -> Value {
        match (self.json(), further) {
            (Value::Object(mut members), Value::Object(further)) => {
                members.extend(further);
                Value::Object(members)
            }
            (json, _) => json,
        }
    }

    fn license_line(self) -> String {
        let (license, state) = (self.judged.license, self.judged.state);
        if state == State::NoLicense {
            return "not installed.".to_owned();
        }
        let mut line = "installed —".to_owned();
        // Writing to a String cannot fail.
        if let Some(Facts { plan, terms, .. }) = license {
            let _ = write!(line, " plan={plan} expires={}", terms.expires);
        }
        let _ = match state {
            State::Valid { .. } | State::NoLicense => Ok(()),
            State::Invalid(reason) => write!(line, " (invalid: {})", reason.name()),
            _ => write!(line, " ({})", state.name()),
        };
        let _ = match (state, self.window()) {
            (State::NotYetValid { from }, Some(_)) => {
                write!(line, "; cold-start applies until it begins at {}.", from.to_minutes())
            }
            _ => write!(line, "; cold-start no longer applies."),
        };
        line
    }

    fn license_json(self) -> Option<Value> {
        if self.judged.state == State::NoLicense {
            return None;
        }
        let license = self.judged.license;
        Some(json!({
            "state": self.judged.state.name(),
            "plan": license.map(|license| license.plan),
            "expires": license.map(|license| license.terms.expires),
        }))
    }

    /// The window, unless a licence has taken its place.
    fn window(self) -> Option<Window> {
        match self.judged.state {
            State::NoLicense | State::NotYetValid { .. } => {
                self.snapshot.usable_window().or(self.snapshot.window)
            }
            _ => None,
        }
    }

    /// How long the window still counts.
    fn remaining(self) -> Duration {
        let usable = self.snapshot.usable_window();
        let usable = usable.filter(|window| is_open(*window, self.windows_judged_at()));
        usable.map_or(Duration::ZERO, |window| window.ends_at.since(self.windows_judged_at()))
    }

    fn remaining_text(self) -> String {
        if self.snapshot.record.is_none() {
            return "none (the window does not count)".to_owned();
        }
        let left = self.remaining();
        if left.is_zero() { "none (the window is over)".to_owned() } else { remaining(left) }
    }

    fn cap_text(self) -> String {
        let Some(cap) = self.snapshot.cold_start_cap() else {
            let is_known = self.snapshot.record.is_some();
            return if is_known { NO_ANCHOR } else { "unknown (the record would tell)" }.to_owned();
        };
        let left = cap.since(self.windows_judged_at());
        let left = if left.is_zero() { "reached".to_owned() } else { format!("{} left", remaining(left)) };
        format!("{} ({left})", cap.to_minutes())
    }
}

/// What `cold-start init` says when it has opened the window.
pub(super) fn initialised(window: Window, now: Timestamp, file: &Path) -> String {
    format!(
        "Cold-start initialised.\n  \
         Plan       : {}\n  \
         Window ends: {} ({} remaining)\n\
         You may now start the server normally: chancery serve -f {}\n",
        window.plan,
        window.ends_at.to_minutes(),
        to_the_second(window.ends_at.since(now)),
        file.display(),
    )
}

/// What `cold-start switch` says.
pub(super) fn switched(before: Plan, window: Window) -> String {
    format!(
        "Cold-start plan switched.\n  \
         Plan       : {before} → {}\n  \
         Window ends: {} (unchanged)\n",
        window.plan,
        window.ends_at.to_minutes(),
    )
}

/// What `cold-start extend` says of an extension, made or only looked at.
pub(super) fn extension(extension: &Extension, confirmed: bool, file: &Path) -> String {
    let (anchor, anchor_at, cap) = match extension.anchor {
        Some((at, cap)) => (ANCHOR, at.to_minutes(), cap.to_minutes()),
        None => (NO_ANCHOR, "-".to_owned(), "none".to_owned()),
    };
    let new_end = extension.new_end.to_minutes();
    let outcome = if confirmed {
        format!("Cold-start window extended until {new_end}.")
    } else {
        format!(
            "Nothing was changed. To open the new window: chancery cold-start extend --confirm -f {}",
            file.display()
        )
    };
    format!(
        "Cold-start extend evaluation\n  \
         Current plan  : {plan}\n  \
         Current window: ends {ends}\n  \
         Anchor        : {anchor}\n  \
         Anchor at     : {anchor_at}\n  \
         Global cap    : {cap}\n  \
         New window    : until {new_end}\n\
         \n\
         {outcome}\n",
        plan = extension.current.plan,
        ends = extension.current.ends_at.to_minutes(),
    )
}

/// `168h0m0s`.
fn to_the_second(duration: Duration) -> String {
    let seconds = duration.as_secs();
    format!("{}h{}m{}s", seconds / 3_600, seconds / 60 % 60, seconds % 60)
}
