//! `chancery license history`.

use serde_json::{Value, json};

use super::{Told, Visit, bracketed, to_seconds};
use crate::store::licenses::{self, Happened};

/// The details that stand first on a line, where there are any: they say what it is about.
const LEADING: [&str; 2] = ["form", "plan"];

pub(super) async fn run(on: &Visit, limit: u32) -> anyhow::Result<Told> {
    let history = on.office.db.read(move |tx| licenses::history(tx, i64::from(limit))).await?;
    let text = match history.as_slice() {
        [] => "Nothing was done about licences yet.".to_owned(),
        history => history.iter().map(line).collect::<Vec<_>>().join("\n"),
    };
    let json = history
        .iter()
        .map(|entry| json!({ "at": entry.at, "event": entry.event, "details": details(entry) }))
        .collect();
    Ok(Told { text, json })
}

fn line(entry: &Happened) -> String {
    let mut words = vec![format!("{}  {}", to_seconds(entry.at), entry.event)];
    if let Value::Object(details) = details(entry) {
        let mut details: Vec<_> = details.into_iter().collect();
        let place = |name: &str| LEADING.iter().position(|leading| *leading == name).unwrap_or(LEADING.len());
        details.sort_by_key(|(name, _)| place(name));
        let shown = details.iter().map(|(name, value)| format!("{name}={}", shown(value)));
        words.push(shown.collect::<Vec<_>>().join(" "));
    }
    words.join("  ")
}

/// What the entry says; a text where it is no JSON, which nobody but another hand writes.
fn details(entry: &Happened) -> Value {
    serde_json::from_str(&entry.details).unwrap_or_else(|_| Value::from(entry.details.as_str()))
}

/// A value without the marks of JSON where they are not needed to tell where it ends.
fn shown(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) if !text.is_empty() && !text.contains(['"', ' ', '=']) => text.clone(),
        Value::Array(values) => {
            bracketed(values.iter().map(shown).collect::<Vec<_>>().iter().map(String::as_str))
        }
        value => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use chancery_time::Timestamp;

    use super::*;

    #[test]
    fn an_entry_is_one_line() {
        let entry = |details: Value| Happened {
            at: Timestamp::from_unix_seconds(1_778_421_922),
            event: "license.install".to_owned(),
            details: details.to_string(),
        };
        assert_eq!(
            line(&entry(json!({ "expires": "x", "plan": "pro", "form": "lic", "overruled": ["a", "b"] }))),
            "2026-05-10 14:05:22 UTC  license.install  form=lic plan=pro expires=x overruled=[a b]"
        );
        assert_eq!(
            line(&entry(json!({ "a": null, "b": "two words", "c": "", "d": 3 }))),
            r#"2026-05-10 14:05:22 UTC  license.install  a=- b="two words" c="" d=3"#
        );
        assert_eq!(line(&entry(Value::Null)), "2026-05-10 14:05:22 UTC  license.install");
    }
}
