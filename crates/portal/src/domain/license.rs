//! What a licence is worth at an instant.

use chancery_time::Timestamp;

use super::{Code, Refusal};

/// What the store says of a licence. That it has ended is a matter of the time, and not stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum StoredStatus {
    /// No device was activated yet.
    Pending,
    Active,
    Suspended,
    Revoked,
}

/// What the API says of a licence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Status {
    Pending,
    Active,
    Suspended,
    Revoked,
    Expired,
}

/// What a seat stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Mode {
    /// A machine.
    HardwareLocked,
    /// A machine, for as long as it is heard of.
    Floating,
    /// A person.
    NamedUser,
}

impl StoredStatus {
    pub(crate) const ALL: [Self; 4] = [Self::Pending, Self::Active, Self::Suspended, Self::Revoked];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Revoked => "revoked",
        }
    }

    pub(crate) fn named(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == text)
    }

    /// The status at `now` of a licence that ends at `expires_at`, which is the first instant after it.
    pub(crate) fn at(self, expires_at: Option<Timestamp>, now: Timestamp) -> Status {
        match self {
            Self::Revoked => Status::Revoked,
            Self::Suspended => Status::Suspended,
            Self::Pending | Self::Active if expires_at.is_some_and(|end| now >= end) => Status::Expired,
            Self::Pending => Status::Pending,
            Self::Active => Status::Active,
        }
    }
}

impl Status {
    pub(crate) const ALL: [Self; 5] =
        [Self::Pending, Self::Active, Self::Suspended, Self::Revoked, Self::Expired];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Revoked => "revoked",
            Self::Expired => "expired",
        }
    }

    /// Whether a device may use a licence of that status which begins at `starts_at`.
    ///
    /// # Errors
    /// The one reason that counts: revoked before suspended before expired before not begun.
    pub(crate) fn usable(self, starts_at: Option<Timestamp>, now: Timestamp) -> Result<(), Refusal> {
        let refused = |code, message: &str| Err(Refusal::new(code, message));
        match self {
            Self::Revoked => refused(Code::Revoked, "the licence was revoked: ask the vendor"),
            Self::Suspended => refused(Code::Suspended, "the licence is suspended: ask the vendor"),
            Self::Expired => refused(Code::Expired, "the licence has expired: renew it"),
            Self::Pending | Self::Active if starts_at.is_some_and(|start| now < start) => {
                refused(Code::NotActive, "the licence has not begun yet")
            }
            Self::Pending | Self::Active => Ok(()),
        }
    }
}

impl Mode {
    pub(crate) const ALL: [Self; 3] = [Self::HardwareLocked, Self::Floating, Self::NamedUser];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::HardwareLocked => "hardware_locked",
            Self::Floating => "floating",
            Self::NamedUser => "named_user",
        }
    }

    pub(crate) fn named(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.name() == text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_seconds(seconds)
    }

    #[test]
    fn a_licence_ends_at_its_end_unless_something_graver_is_true() {
        let end = Some(at(100));
        for (stored, before, after) in [
            (StoredStatus::Pending, Status::Pending, Status::Expired),
            (StoredStatus::Active, Status::Active, Status::Expired),
            (StoredStatus::Suspended, Status::Suspended, Status::Suspended),
            (StoredStatus::Revoked, Status::Revoked, Status::Revoked),
        ] {
            assert_eq!(stored.at(end, at(99)), before);
            assert_eq!(stored.at(end, at(100)), after);
            assert_eq!(stored.at(None, at(100)), before);
            assert_eq!(StoredStatus::named(stored.name()), Some(stored));
        }
    }

    #[test]
    fn a_licence_is_usable_from_its_beginning_to_its_end() {
        let usable =
            |status: Status, now| status.usable(Some(at(10)), at(now)).map_err(|refusal| refusal.code);
        assert_eq!(usable(Status::Pending, 10), Ok(()));
        assert_eq!(usable(Status::Active, 9), Err(Code::NotActive));
        assert_eq!(usable(Status::Suspended, 9), Err(Code::Suspended));
        assert_eq!(usable(Status::Revoked, 10), Err(Code::Revoked));
        assert_eq!(usable(Status::Expired, 10), Err(Code::Expired));
    }
}
