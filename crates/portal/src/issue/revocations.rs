//! How a revocation list follows from the one before it.

use std::fmt::Display;

use chancery_license::RevocationList;
use chancery_license::revocations::{Reason, Revoked};
use chancery_time::Timestamp;

use super::IssueError;

/// What is to be revoked, all of it since one instant and for one reason.
#[derive(Debug, Clone)]
pub(crate) struct Revocation {
    /// The ids of licences, of which every issue is revoked.
    pub(crate) licenses: Vec<String>,
    /// The serials of single issues.
    pub(crate) serials: Vec<u64>,
    /// Since when.
    pub(crate) at: Timestamp,
    /// Why.
    pub(crate) reason: Reason,
}

/// The list that follows on `held`, or the first one: its entries and these, with the next sequence number.
///
/// Nothing to revoke is nothing wrong: the next list then tells that the vendor still stands by the one before.
///
/// # Errors
/// What is revoked already, and a serial of 0.
pub(crate) fn next_list(
    held: Option<RevocationList>,
    revocation: Revocation,
    next_update: Timestamp,
) -> Result<RevocationList, IssueError> {
    let next_update = next_update.whole_seconds();
    let none = RevocationList { sequence: 0, next_update, licenses: Vec::new(), serials: Vec::new() };
    let mut list = held.unwrap_or(none);
    list.sequence = list.sequence.saturating_add(1);
    list.next_update = next_update;
    let Revocation { licenses, serials, at, reason } = revocation;
    let at = at.whole_seconds();
    for what in licenses {
        insert(&mut list.licenses, Revoked { what, at, reason }, "the licence")?;
    }
    for what in serials {
        if what == 0 {
            return Err(IssueError::SerialZero);
        }
        insert(&mut list.serials, Revoked { what, at, reason }, "the serial")?;
    }
    Ok(list)
}

/// Puts an entry into its place among the others, which are in ascending order.
fn insert<T: Ord + Display>(
    entries: &mut Vec<Revoked<T>>,
    entry: Revoked<T>,
    kind: &str,
) -> Result<(), IssueError> {
    match entries.binary_search_by(|known| known.what.cmp(&entry.what)) {
        Err(place) => {
            entries.insert(place, entry);
            Ok(())
        }
        Ok(place) => {
            let since = entries.get(place).map_or(entry.at, |known| known.at);
            Err(IssueError::AlreadyRevoked { what: format!("{kind} {}", entry.what), since })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn revocation(licenses: &[&str], serials: &[u64], reason: Reason) -> Revocation {
        Revocation {
            licenses: licenses.iter().map(|id| (*id).to_owned()).collect(),
            serials: serials.into(),
            at: at("2026-03-01T00:00:00.500Z"),
            reason,
        }
    }

    #[test]
    fn a_list_keeps_what_is_there_and_stays_in_order() {
        let next_update = at("2026-04-01T00:00:00Z");
        let first = next_list(None, revocation(&["b", "d"], &[7], Reason::Unpaid), next_update).unwrap();
        assert_eq!((first.sequence, first.next_update), (1, next_update));

        let later = Revocation {
            at: at("2026-03-08T00:00:00Z"),
            ..revocation(&["c", "a"], &[9, 3], Reason::Misused)
        };
        let second = next_list(Some(first.clone()), later, at("2026-05-01T00:00:00Z")).unwrap();
        assert_eq!((second.sequence, second.next_update), (2, at("2026-05-01T00:00:00Z")));
        let ids: Vec<&str> = second.licenses.iter().map(|entry| entry.what.as_str()).collect();
        let serials: Vec<u64> = second.serials.iter().map(|entry| entry.what).collect();
        assert_eq!(
            (ids.as_slice(), serials.as_slice()),
            (["a", "b", "c", "d"].as_slice(), [3, 7, 9].as_slice())
        );
        assert_eq!(second.find("b", 0), Some((at("2026-03-01T00:00:00Z"), Reason::Unpaid)));
        assert_eq!(second.find("c", 0), Some((at("2026-03-08T00:00:00Z"), Reason::Misused)));
        assert!(second.replace(&first).is_ok());

        let nothing =
            next_list(Some(second.clone()), revocation(&[], &[], Reason::Unspecified), next_update).unwrap();
        assert_eq!(
            (nothing.sequence, nothing.licenses, nothing.serials),
            (3, second.licenses, second.serials)
        );
    }

    #[test]
    fn nothing_is_revoked_twice_and_no_serial_is_zero() {
        let next_update = at("2026-04-01T00:00:00Z");
        let first = next_list(None, revocation(&["b"], &[7], Reason::Unpaid), next_update).unwrap();
        for (again, named) in [
            (
                revocation(&["b"], &[], Reason::Misused),
                "the licence b is revoked already, since 2026-03-01T00:00:00Z",
            ),
            (revocation(&["x", "x"], &[], Reason::Misused), "the licence x is revoked already"),
            (revocation(&[], &[7], Reason::Misused), "the serial 7 is revoked already"),
            (revocation(&[], &[0], Reason::Misused), "--serial 0"),
        ] {
            let refused = next_list(Some(first.clone()), again, next_update).unwrap_err().to_string();
            assert!(refused.contains(named), "{refused}");
        }
    }
}
