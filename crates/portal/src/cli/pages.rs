//! Lists, a part at a time.

use chancery_cli::table;
use clap::Args;
use serde::Serialize;

use super::desk::Told;
use crate::api::List;
use crate::store::{MAX_PAGE, Page};

/// Which part of a list.
#[derive(Debug, Args)]
pub(super) struct PageArgs {
    /// How many to list.
    #[arg(long, value_name = "N", default_value_t = MAX_PAGE, value_parser = clap::value_parser!(i64).range(1..=MAX_PAGE))]
    limit: i64,
    /// Those behind that one, as the part before says.
    #[arg(long, value_name = "ENTRY")]
    after: Option<String>,
}

impl PageArgs {
    pub(super) fn page(self) -> Page {
        Page { limit: self.limit, after: self.after }
    }
}

/// A part of a list, as a table and as the API writes it.
pub(super) fn listed<R, O: Serialize, const N: usize>(
    (rows, next): (Vec<R>, Option<String>),
    none: &str,
    headings: [&str; N],
    row: impl Fn(&R) -> [String; N],
    object: impl Fn(&R) -> O,
) -> anyhow::Result<Told> {
    let lines: Vec<[String; N]> = rows.iter().map(row).collect();
    let mut text = if lines.is_empty() { format!("{none}\n") } else { table(headings, &lines) };
    if let Some(next) = &next {
        text.push_str(&format!("There are more: give --after {next}\n"));
    }
    let json = serde_json::to_value(List::new(rows.iter().map(object).collect(), next))?;
    Ok(Told { text, json })
}

/// What a list shows of something that may be missing.
pub(super) fn or_dash(text: Option<impl ToString>) -> String {
    text.map_or_else(|| "-".to_owned(), |text| text.to_string())
}
