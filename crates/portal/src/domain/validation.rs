//! What validation finds: whether a device may use a licence now, and what somebody should see to.

use std::time::Duration;

use chancery_time::Timestamp;

use super::{Code, Refusal, Status};

/// For so long before its end a licence warns of it.
const ENDS_SOON: Duration = Duration::from_secs(14 * 86_400);

/// What a licence is for a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Facts {
    pub(crate) status: Status,
    pub(crate) starts_at: Option<Timestamp>,
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) seat_limit: Option<i64>,
    pub(crate) active_seats: i64,
    /// Whether the device holds a seat.
    pub(crate) is_activated: bool,
}

/// What was found.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Verdict {
    /// Why the device may not use the licence, where it may not.
    pub(crate) refusal: Option<Refusal>,
    pub(crate) warnings: Vec<Warning>,
}

/// Something that somebody should see to, although the licence can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Warning {
    pub(crate) code: &'static str,
    pub(crate) message: String,
}

/// The refusal of a device that holds no seat.
pub(crate) fn not_activated() -> Refusal {
    Refusal::new(Code::DeviceNotActivated, "the device holds no seat of the licence: activate it first")
}

/// Judges a licence for a device: what is wrong with the licence counts before what is wrong with the device.
pub(crate) fn judge(facts: &Facts, now: Timestamp) -> Verdict {
    let usable = facts.status.usable(facts.starts_at, now);
    let activated = if facts.is_activated { Ok(()) } else { Err(not_activated()) };
    match usable.and(activated) {
        Ok(()) => Verdict { refusal: None, warnings: warnings(facts, now) },
        Err(refusal) => Verdict { refusal: Some(refusal), warnings: Vec::new() },
    }
}

fn warnings(facts: &Facts, now: Timestamp) -> Vec<Warning> {
    let mut warnings = Vec::new();
    if let Some(end) = facts.expires_at.filter(|end| end.since(now) <= ENDS_SOON) {
        warnings.push(Warning {
            code: "expires_soon",
            message: format!("the licence ends on {}: renew it", end.whole_seconds()),
        });
    }
    // A licence may move to a plan with fewer seats than are taken.
    if let Some(limit) = facts.seat_limit.filter(|limit| facts.active_seats > *limit) {
        warnings.push(Warning {
            code: "seat_limit_exceeded",
            message: format!(
                "{} seats are taken, and the licence has {limit}: deactivate devices, or buy seats",
                facts.active_seats
            ),
        });
    }
    warnings
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400;

    const fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_seconds(seconds)
    }

    fn facts(status: Status) -> Facts {
        Facts {
            status,
            starts_at: Some(at(DAY)),
            expires_at: Some(at(100 * DAY)),
            seat_limit: Some(2),
            active_seats: 1,
            is_activated: true,
        }
    }

    #[test]
    fn the_licence_counts_before_the_device() {
        let code = |facts: Facts, now| judge(&facts, now).refusal.map(|refusal| refusal.code);
        for (status, now, licensed, unactivated) in [
            (Status::Active, 2, None, Code::DeviceNotActivated),
            (Status::Pending, 2, None, Code::DeviceNotActivated),
            (Status::Active, 0, Some(Code::NotActive), Code::NotActive),
            (Status::Suspended, 2, Some(Code::Suspended), Code::Suspended),
            (Status::Revoked, 2, Some(Code::Revoked), Code::Revoked),
            (Status::Expired, 100, Some(Code::Expired), Code::Expired),
        ] {
            let now = at(now * DAY);
            assert_eq!(code(facts(status), now), licensed, "{status:?}");
            assert_eq!(
                code(Facts { is_activated: false, ..facts(status) }, now),
                Some(unactivated),
                "{status:?}"
            );
        }
    }

    #[test]
    fn messages_are_one_line_that_clients_take() {
        let verdicts = [Status::Suspended, Status::Revoked, Status::Expired, Status::Pending, Status::Active]
            .map(|status| judge(&Facts { is_activated: false, ..facts(status) }, at(2 * DAY)));
        for message in verdicts.map(|verdict| verdict.refusal.unwrap().message) {
            assert!(
                (1..=1_024).contains(&message.len()) && !message.chars().any(char::is_control),
                "{message}"
            );
        }
    }

    #[test]
    fn what_ends_soon_or_has_too_many_devices_warns() {
        let codes = |facts: Facts, now| {
            judge(&facts, now).warnings.into_iter().map(|warning| warning.code).collect::<Vec<_>>()
        };
        let active = facts(Status::Active);
        assert_eq!(codes(active, at(86 * DAY - 1)), [""; 0]);
        assert_eq!(codes(active, at(86 * DAY)), ["expires_soon"]);
        assert_eq!(codes(Facts { expires_at: None, ..active }, at(86 * DAY)), [""; 0]);
        let over = Facts { active_seats: 3, ..active };
        assert_eq!(codes(over, at(2 * DAY)), ["seat_limit_exceeded"]);
        assert_eq!(codes(Facts { seat_limit: None, ..over }, at(2 * DAY)), [""; 0]);
        assert_eq!(codes(Facts { status: Status::Suspended, ..over }, at(99 * DAY)), [""; 0]);
    }
}
