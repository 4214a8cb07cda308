//! Whether a new order may be made.

use chancery_acme::Problem;
use chancery_time::Timestamp;

use super::Grant;

/// The permission to make one order. Only [`Grant::admit`] hands it out.
#[derive(Debug)]
pub(crate) struct Licensed(());

/// Why a new order may not be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Denial {
    /// The cold-start window closed while the server ran.
    WindowElapsed,
}

impl Grant {
    /// Whether an order may be made at `now`; a renewal always may.
    ///
    /// `is_renewal` is asked only where the answer depends on it.
    pub(crate) fn admit<E>(
        &self,
        now: Timestamp,
        is_renewal: impl FnOnce() -> Result<bool, E>,
    ) -> Result<Result<Licensed, Denial>, E> {
        if now < self.ends_at() || is_renewal()? {
            return Ok(Ok(Licensed(())));
        }
        Ok(Err(Denial::WindowElapsed))
    }
}

impl From<Denial> for Problem {
    fn from(denial: Denial) -> Self {
        match denial {
            // HTTP 403 (spec/licensing, "Runtime"); the client learns which limit fired and whom to ask.
            Denial::WindowElapsed => Problem::unauthorized(
                "this server's cold-start window is over, so it renews certificates but issues no new ones: \
                 its operator must install a licence",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use chancery_license::{Configuration, Database, Plan, Set};

    use super::*;
    use crate::licensing::boot::{Boot, decide};
    use crate::store::cold_start::Window;

    #[test]
    fn renewals_outlive_the_window() {
        let window = Window { plan: Plan::Free, ends_at: Timestamp::from_unix_seconds(100) };
        let configuration =
            Configuration { database: Database::Sqlite, authorities: 1, features: Set::EMPTY };
        let Boot::ColdStart(grant) = decide(Some(window), configuration, Timestamp::MIN) else {
            panic!("the window is open");
        };
        let admit = |seconds, renewal| {
            let asked = grant.admit::<Infallible>(Timestamp::from_unix_seconds(seconds), || Ok(renewal));
            asked.unwrap().map(|Licensed(())| ())
        };
        assert_eq!(admit(99, false), Ok(()));
        assert_eq!(admit(100, true), Ok(()));
        assert_eq!(admit(100, false), Err(Denial::WindowElapsed));
        assert_eq!(Problem::from(Denial::WindowElapsed).status(), 403);
    }
}
