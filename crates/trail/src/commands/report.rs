//! What `verify` says.

use std::fmt::Write as _;

use chancery_audit::Report;
use serde_json::{Value, json};

use super::show::count;

/// What verification came to, and what it went by.
#[derive(Debug)]
pub(super) struct Verdict {
    pub(super) report: Report,
    /// Whose log it is.
    pub(super) subject: String,
    /// How many lines the checkpoint is about that was kept elsewhere.
    pub(super) extends: Option<u64>,
    pub(super) basis: Basis,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Basis {
    /// The secret and the pinned end.
    Store {
        /// How many events wait to be written.
        waiting: usize,
    },
    /// Signatures alone.
    Signatures,
}

impl Verdict {
    /// Whether nothing is wrong, and something was proven.
    pub(super) fn is_sound(&self) -> bool {
        self.report.is_sound() && !self.proves_nothing()
    }

    /// For people: each finding on a line of its own, and then a summary.
    pub(super) fn text(&self) -> String {
        let mut text: String = self.report.findings.iter().map(|finding| format!("{finding}\n")).collect();
        let found = self.report.findings.len() as u64 + self.report.more_findings;
        let verdict = match found {
            _ if self.is_sound() => "sound".to_owned(),
            0 => "NOT PROVEN".to_owned(),
            found => format!("BROKEN in {}", count(found, "place")),
        };
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{verdict}: {}, {}", self.subject, self.extent());
        for note in self.notes() {
            let _ = writeln!(text, "  {note}");
        }
        text
    }

    /// For programs.
    pub(super) fn json(&self) -> Value {
        let report = &self.report;
        let finding = |finding: &chancery_audit::Finding| {
            let chancery_audit::Finding { file, line, lines, kind } = finding;
            json!({
                "file": file,
                "line": line,
                "lines": lines,
                "kind": kind.name(),
                "what": kind.to_string(),
            })
        };
        let waiting = match self.basis {
            Basis::Store { waiting } => Some(waiting),
            Basis::Signatures => None,
        };
        json!({
            "sound": self.is_sound(),
            "subject": self.subject,
            "findings": report.findings.iter().map(finding).collect::<Vec<_>>(),
            "more_findings": report.more_findings,
            "segments": report.segments,
            "lines": report.lines,
            "bytes": report.bytes,
            "first_seq": report.first_seq,
            "last_seq": report.last_seq,
            "earlier_segment": report.earlier_segment,
            "torn_bytes": report.torn_bytes,
            "in_flight": report.in_flight.len(),
            "checkpoints": report.checkpoints,
            "signed_to": self.signed_to(),
            "extends": self.extends.filter(|_| self.is_sound()),
            "waiting": waiting,
        })
    }

    fn extent(&self) -> String {
        let Report { lines, bytes, segments, first_seq, last_seq, checkpoints, .. } = &self.report;
        let (Some(first), Some(last)) = (first_seq, last_seq) else { return "no lines".to_owned() };
        let mut extent = format!(
            "{} ({bytes} bytes) in {}, seq {first} to {last}",
            count(*lines, "line"),
            count(*segments, "segment")
        );
        if *checkpoints > 0 {
            extent += &format!(", {}", count(*checkpoints, "checkpoint"));
        }
        extent
    }

    /// What else is worth knowing.
    fn notes(&self) -> Vec<String> {
        let report = &self.report;
        let mut notes = Vec::new();
        if report.more_findings > 0 {
            notes.push(format!("{} more are not listed.", report.more_findings));
        }
        if let (Some(earlier), Some(first)) = (&report.earlier_segment, report.first_seq) {
            notes.push(format!(
                "It begins with seq {first}: the lines before were in {}, which is not here, and in segments before it.",
                earlier.escape_debug()
            ));
        }
        if !report.in_flight.is_empty() {
            let events = count(report.in_flight.len() as u64, "event");
            notes.push(format!("Written right now, or when the server was killed: {events} at its end."));
        }
        if report.torn_bytes > 0 {
            let bytes = count(report.torn_bytes, "byte");
            notes
                .push(format!("Written right now, or when the server was killed: {bytes} of its last line."));
        }
        if let Basis::Store { waiting: waiting @ 1.. } = self.basis {
            let events = count(waiting as u64, "event");
            notes.push(format!("Waiting in the store: {events}, which a running server writes."));
        }
        if let Some(size) = self.extends
            && report.is_sound()
        {
            notes.push(format!("It extends the checkpoint over {}.", count(size, "line")));
        }
        if self.basis == Basis::Signatures && report.is_sound() {
            notes.push(self.vouched());
        }
        notes
    }

    /// Up to where signatures vouch for the log.
    fn vouched(&self) -> String {
        let (signed, first, last) = (self.signed_to(), self.report.first_seq, self.report.last_seq);
        let (Some(first), Some(last)) = (first, last) else { return "It has no lines.".to_owned() };
        if self.proves_nothing() {
            return "No checkpoint in it is signed: nothing vouches for any line.".to_owned();
        }
        let vouched = format!("Signatures vouch for seq {first} to {signed}");
        match last.saturating_sub(signed) {
            0 => format!("{vouched}: all of it."),
            1 => format!(
                "{vouched}, not yet for seq {last} after it (a checkpoint does not cover its own line)."
            ),
            _ => format!("{vouched}, not yet for seq {} to {last} after it.", signed + 1),
        }
    }

    fn signed_to(&self) -> u64 {
        // Once the log has been found to extend a kept checkpoint, that vouches for its lines as well.
        let kept = self.extends.filter(|_| self.report.is_sound()).unwrap_or_default();
        self.report.signed_to.max(kept)
    }

    /// Anybody can write lines that nobody has signed.
    fn proves_nothing(&self) -> bool {
        let first = self.report.first_seq.unwrap_or(u64::MAX);
        self.basis == Basis::Signatures && self.signed_to() < first
    }
}

#[cfg(test)]
mod tests {
    use chancery_audit::{Finding, FindingKind};

    use super::*;

    fn verdict(basis: Basis) -> Verdict {
        let report = Report {
            segments: 1,
            lines: 10,
            bytes: 5_000,
            first_seq: Some(1),
            last_seq: Some(10),
            ..Report::default()
        };
        Verdict { report, subject: "node ca1".to_owned(), extends: None, basis }
    }

    #[test]
    fn a_sound_log_is_summed_up_in_a_line() {
        let mut verdict = verdict(Basis::Store { waiting: 0 });
        assert!(verdict.is_sound());
        assert_eq!(verdict.text(), "sound: node ca1, 10 lines (5000 bytes) in 1 segment, seq 1 to 10\n");
        verdict.basis = Basis::Store { waiting: 2 };
        verdict.extends = Some(4);
        assert_eq!(
            verdict.text().lines().skip(1).collect::<Vec<_>>(),
            [
                "  Waiting in the store: 2 events, which a running server writes.",
                "  It extends the checkpoint over 4 lines."
            ]
        );
        assert_eq!((&verdict.json()["waiting"], &verdict.json()["extends"]), (&json!(2), &json!(4)));
    }

    #[test]
    fn findings_come_first() {
        let mut verdict = verdict(Basis::Store { waiting: 0 });
        let file = "audit.20260614T132300125Z.jsonl".to_owned();
        verdict.report.findings.push(Finding { file, line: 3, lines: 1, kind: FindingKind::Changed });
        verdict.extends = Some(4);
        assert!(!verdict.is_sound());
        assert_eq!(
            verdict.text(),
            "audit.20260614T132300125Z.jsonl:3: changed after it was written\n\
             BROKEN in 1 place: node ca1, 10 lines (5000 bytes) in 1 segment, seq 1 to 10\n"
        );
        let json = verdict.json();
        assert_eq!((&json["sound"], &json["extends"]), (&json!(false), &Value::Null));
        let expected = json!({
            "file": "audit.20260614T132300125Z.jsonl",
            "line": 3,
            "lines": 1,
            "kind": "changed",
            "what": "changed after it was written",
        });
        assert_eq!(json["findings"], json!([expected]));
    }

    #[test]
    fn signatures_vouch_as_far_as_they_go() {
        let mut verdict = verdict(Basis::Signatures);
        assert!(!verdict.is_sound() && verdict.text().starts_with("NOT PROVEN: "), "{}", verdict.text());
        for (signed_to, words) in [
            (7, "for seq 1 to 7, not yet for seq 8 to 10 after it."),
            (9, "for seq 1 to 9, not yet for seq 10 after it (a checkpoint"),
        ] {
            verdict.report.signed_to = signed_to;
            assert!(verdict.is_sound() && verdict.text().contains(words), "{}", verdict.text());
        }
        verdict.extends = Some(10);
        assert!(verdict.text().contains("for seq 1 to 10: all of it."), "{}", verdict.text());
        assert_eq!(verdict.json()["signed_to"], 10);
    }
}
