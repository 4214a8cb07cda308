//! Renewal information (RFC 9773): how a certificate is named, and when it should be renewed.

mod cert_id;
#[cfg(test)]
mod tests;

pub use cert_id::{CertId, CertIdError};

use std::time::Duration;

use chancery_time::Timestamp;
use serde::Serialize;

/// The time in which a certificate should be renewed (`suggestedWindow`, RFC 9773 §4.2). A client
/// picks a random moment within it, which spreads the load. `start` is always before `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Window {
    /// The first moment.
    pub start: Timestamp,
    /// The last moment.
    pub end: Timestamp,
}

/// How often a client should ask, for certificates of the usual lifetimes.
pub const RETRY_AFTER: Duration = Duration::from_hours(6);

const LONGEST_WINDOW: Duration = Duration::from_hours(48);
const WINDOW_OF_A_REVOKED_CERTIFICATE: Duration = Duration::from_hours(1);
const SHORTEST_RETRY_AFTER: Duration = Duration::from_mins(1);

/// When a certificate should be renewed.
///
/// The window begins when two thirds of the lifetime are over and lasts 48 hours or a sixth of the
/// lifetime, whichever is less. So the last sixth of every lifetime, however short, is left for
/// renewals that fail at first. From a lifetime of 12 days on the window has its 48 hours.
///
/// For a revoked certificate the window is the hour before the revocation, so that all of it is past
/// and a client renews at once (RFC 9773 §4.2). It may not be empty: a window whose end is not after
/// its start is invalid there.
pub fn suggested_window(
    not_before: Timestamp,
    not_after: Timestamp,
    revoked_at: Option<Timestamp>,
    now: Timestamp,
) -> Window {
    if let Some(revoked_at) = revoked_at {
        // A revocation recorded by a node whose clock is ahead still means "now".
        let end = revoked_at.min(now).whole_seconds();
        let end = end.max(Timestamp::MIN + WINDOW_OF_A_REVOKED_CERTIFICATE);
        return Window { start: end - WINDOW_OF_A_REVOKED_CERTIFICATE, end };
    }
    let lifetime = not_after.since(not_before);
    // Whole seconds, which is what is written in the answer, so that its end is after its start.
    let start = (not_before + lifetime / 3 * 2).whole_seconds();
    let length = LONGEST_WINDOW.min(lifetime / 6).max(Duration::from_secs(1));
    Window { start, end: (start + length).whole_seconds() }
}

/// How long a client should wait before it asks again (`Retry-After`, RFC 9773 §4.3): six hours, or a
/// twenty-fourth of the lifetime where that is less, so that at least four answers fall into each
/// window; never under a minute.
pub fn retry_after(not_before: Timestamp, not_after: Timestamp) -> Duration {
    let share = Duration::from_secs((not_after.since(not_before) / 24).as_secs());
    share.clamp(SHORTEST_RETRY_AFTER, RETRY_AFTER)
}
