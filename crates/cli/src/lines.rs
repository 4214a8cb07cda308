//! Labels and values, one under the other.

use std::fmt;

/// Lines of `label: value`, the values aligned.
#[derive(Debug, Default)]
pub struct Lines(Vec<(&'static str, String)>);

impl Lines {
    /// Adds a line.
    pub fn add(&mut self, label: &'static str, value: impl fmt::Display) {
        self.0.push((label, value.to_string()));
    }

    /// The lines, each behind `indent`.
    pub fn indented(&self, indent: &str) -> String {
        let width = self.0.iter().map(|(label, _)| label.chars().count()).max().unwrap_or_default();
        self.0.iter().map(|(label, value)| format!("{indent}{label:<width$}: {value}\n")).collect()
    }
}

impl fmt::Display for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.indented(""))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stand_under_each_other() {
        let mut lines = Lines::default();
        lines.add("Plan", "pro");
        lines.add("Issued", 7);
        assert_eq!(lines.to_string(), "Plan  : pro\nIssued: 7\n");
        assert_eq!(lines.indented("  "), "  Plan  : pro\n  Issued: 7\n");
        assert_eq!(Lines::default().to_string(), "");
    }
}
