use std::time::Duration;

use chancery_time::Timestamp;

use super::IssueError;

const DAY: Duration = Duration::from_secs(86_400);

/// How long a licence shall be valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Term {
    /// For that many days from its beginning.
    Days(u32),
    /// Until that instant.
    Until(Timestamp),
}

impl Term {
    /// When a licence ends that begins then.
    ///
    /// # Errors
    /// [`IssueError::EndsBeforeItBegins`], also where it would end at once.
    pub(crate) fn end(self, begins: Timestamp) -> Result<Timestamp, IssueError> {
        let begins = begins.whole_seconds();
        let ends = match self {
            Self::Days(days) => begins + DAY.saturating_mul(days),
            Self::Until(ends) => ends.whole_seconds(),
        };
        if ends > begins { Ok(ends) } else { Err(IssueError::EndsBeforeItBegins { begins, ends }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_term_ends_after_it_begins() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let begins = at("2026-02-28T12:00:00.900Z");
        assert_eq!(Term::Days(1).end(begins).unwrap(), at("2026-03-01T12:00:00Z"));
        assert_eq!(Term::Until(at("2026-02-28T12:00:01Z")).end(begins).unwrap(), at("2026-02-28T12:00:01Z"));
        // Both are the same whole second, which is all that a document says.
        for term in [Term::Days(0), Term::Until(begins), Term::Until(at("2026-02-28T12:00:00.950Z"))] {
            let refused = term.end(begins).unwrap_err().to_string();
            assert!(refused.contains("--expires"), "{term:?}: {refused}");
        }
        assert!(Term::Days(1).end(Timestamp::MAX).is_err());
    }
}
