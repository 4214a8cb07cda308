//! The kinds of events that a product tells of, as a list that its documentation is made from.

use std::collections::HashSet;
use std::fmt::Write as _;

use chancery_audit::EventName;

/// A kind of event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// The name in the log.
    pub name: &'static str,
    /// When it is written.
    pub when: &'static str,
    /// The members of its details, some of which may be missing.
    pub details: &'static [&'static str],
}

/// Defines a constant [`Kind`] for each line of a list, and `ALL` of them in its order:
///
/// ```
/// chancery_trail::events! {
///     SERVER_START = "server.start", "The server accepts requests.", ["version", "listen"];
///     SERVER_STOP = "server.stop", "The server has stopped.", [];
/// }
/// # fn main() {
/// assert_eq!(ALL, [SERVER_START, SERVER_STOP]);
/// # }
/// ```
#[macro_export]
macro_rules! events {
    ($($ident:ident = $name:literal, $when:literal, [$($detail:literal),* $(,)?];)*) => {
        $(pub(crate) const $ident: $crate::Kind =
            $crate::Kind { name: $name, when: $when, details: &[$($detail),*] };)*
        /// Every kind, in the order of the list.
        pub(crate) const ALL: &[$crate::Kind] = &[$($ident),*];
    };
}

/// The page of the documentation that lists events, made from the file `source`. It lies in `docs`.
pub fn page(title: &str, source: &str, kinds: &[Kind]) -> String {
    let mut page = format!(
        "# {title}\n\n\
         Made from `{source}`; a test holds them together (`UPDATE_DOCS=1` writes the page anew).\n\
         The form of a line is in [formats/audit-log.md](formats/audit-log.md). `audit.segment` and \
         `audit.checkpoint` are the log's own.\n\n\
         | event | when | details |\n|---|---|---|\n",
    );
    for kind in kinds {
        let details: Vec<String> = kind.details.iter().map(|name| format!("`{name}`")).collect();
        let _ = writeln!(page, "| `{}` | {} | {} |", kind.name, kind.when, details.join(", "));
    }
    page
}

/// What is wrong with a list: names that cannot stand in a log, and those that stand twice.
pub fn faults(kinds: &[Kind]) -> Vec<String> {
    let mut seen = HashSet::new();
    let fault = |kind: &Kind| match EventName::new(kind.name) {
        Err(error) => Some(format!("{}: {error}", kind.name)),
        Ok(_) if !seen.insert(kind.name) => Some(format!("{} stands twice", kind.name)),
        Ok(_) => None,
    };
    kinds.iter().filter_map(fault).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    crate::events! {
        ORDER_CREATE = "order.create", "An order was made.", ["order", "names"];
        ORDER_LOSE = "order.lose", "It was lost.", [];
    }

    #[test]
    fn a_page_has_a_line_for_each_kind() {
        let page = page("Events", "src/events.rs", ALL);
        assert!(page.starts_with("# Events\n\nMade from `src/events.rs`; "), "{page}");
        let rows = "| `order.create` | An order was made. | `order`, `names` |\n| `order.lose` | It was lost. |  |\n";
        assert!(page.ends_with(rows), "{page}");
    }

    #[test]
    fn names_that_are_none_and_names_that_stand_twice_are_faults() {
        assert_eq!(faults(ALL), [""; 0]);
        let nameless = Kind { name: "Order Create", ..ORDER_CREATE };
        let faults = faults(&[ORDER_CREATE, ORDER_LOSE, nameless, ORDER_CREATE]);
        assert_eq!(faults.len(), 2, "{faults:?}");
        assert!(faults[0].starts_with("Order Create: "), "{faults:?}");
        assert_eq!(faults[1], "order.create stands twice");
    }
}
