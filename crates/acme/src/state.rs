//! The states of the objects (RFC 8555 §7.1.6), and how one follows from another.

use chancery_time::Timestamp;
use serde::{Serialize, Serializer};

/// Declares a set of states with the names that RFC 8555 gives them.
macro_rules! states {
    ($(#[$doc:meta])* $name:ident { $($(#[$state_doc:meta])* $state:ident = $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$state_doc])* $state,)+
        }

        impl $name {
            /// The name in the object.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$state => $text,)+
                }
            }

            /// The state with that name.
            pub fn named(name: &str) -> Option<Self> {
                match name {
                    $($text => Some(Self::$state),)+
                    _ => None,
                }
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.name())
            }
        }
    };
}

states! {
    /// The states of an account.
    AccountStatus {
        /// It may be used.
        Valid = "valid",
        /// Its holder closed it.
        Deactivated = "deactivated",
        /// The server closed it.
        Revoked = "revoked",
    }
}

states! {
    /// The states of an order.
    OrderStatus {
        /// Some authorization is still to be had.
        Pending = "pending",
        /// Every authorization is valid: it can be finalized.
        Ready = "ready",
        /// The certificate is being issued.
        Processing = "processing",
        /// The certificate was issued.
        Valid = "valid",
        /// It failed, or time ran out.
        Invalid = "invalid",
    }
}

states! {
    /// The states of an authorization.
    AuthorizationStatus {
        /// No challenge was passed yet.
        Pending = "pending",
        /// A challenge was passed.
        Valid = "valid",
        /// A challenge failed.
        Invalid = "invalid",
        /// The client gave it up.
        Deactivated = "deactivated",
        /// Time ran out after it was valid.
        Expired = "expired",
        /// The server took it back.
        Revoked = "revoked",
    }
}

states! {
    /// The states of a challenge.
    ChallengeStatus {
        /// The client has not answered.
        Pending = "pending",
        /// The server is looking.
        Processing = "processing",
        /// It was passed.
        Valid = "valid",
        /// It was not.
        Invalid = "invalid",
    }
}

impl OrderStatus {
    /// What an order is at `now`: one that still waits for its client is invalid once it expired.
    ///
    /// A `processing` order is not touched: the server owes its outcome.
    pub fn at(self, now: Timestamp, expires: Timestamp) -> Self {
        match self {
            Self::Pending | Self::Ready if now >= expires => Self::Invalid,
            other => other,
        }
    }

    /// What an order is, given its authorizations: every one must be valid, and one that can no
    /// longer become so ends the order.
    pub fn from_authorizations(authorizations: impl IntoIterator<Item = AuthorizationStatus>) -> Self {
        let mut status = Self::Ready;
        for authorization in authorizations {
            match authorization {
                AuthorizationStatus::Valid => {}
                AuthorizationStatus::Pending => status = Self::Pending,
                AuthorizationStatus::Invalid
                | AuthorizationStatus::Deactivated
                | AuthorizationStatus::Expired
                | AuthorizationStatus::Revoked => return Self::Invalid,
            }
        }
        status
    }
}

impl AuthorizationStatus {
    /// What an authorization is at `now`: a pending one becomes invalid, a valid one expired.
    pub fn at(self, now: Timestamp, expires: Timestamp) -> Self {
        match self {
            Self::Pending if now >= expires => Self::Invalid,
            Self::Valid if now >= expires => Self::Expired,
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_follows_from_its_authorizations() {
        use AuthorizationStatus as A;
        let cases: &[(&[A], OrderStatus)] = &[
            (&[A::Valid], OrderStatus::Ready),
            (&[A::Valid, A::Valid], OrderStatus::Ready),
            (&[A::Pending], OrderStatus::Pending),
            (&[A::Pending, A::Valid], OrderStatus::Pending),
            (&[A::Valid, A::Pending], OrderStatus::Pending),
            (&[A::Pending, A::Invalid], OrderStatus::Invalid),
            (&[A::Valid, A::Deactivated], OrderStatus::Invalid),
            (&[A::Valid, A::Expired], OrderStatus::Invalid),
            (&[A::Revoked, A::Pending], OrderStatus::Invalid),
        ];
        for (authorizations, order) in cases {
            assert_eq!(
                OrderStatus::from_authorizations(authorizations.iter().copied()),
                *order,
                "{authorizations:?}"
            );
        }
    }

    #[test]
    fn time_ends_what_waits_for_the_client_and_nothing_else() {
        let (before, end) = (Timestamp::from_unix_seconds(9), Timestamp::from_unix_seconds(10));
        for status in [OrderStatus::Pending, OrderStatus::Ready] {
            assert_eq!(status.at(before, end), status);
            assert_eq!(status.at(end, end), OrderStatus::Invalid);
        }
        for status in [OrderStatus::Processing, OrderStatus::Valid, OrderStatus::Invalid] {
            assert_eq!(status.at(end, end), status);
        }
        assert_eq!(AuthorizationStatus::Pending.at(end, end), AuthorizationStatus::Invalid);
        assert_eq!(AuthorizationStatus::Valid.at(end, end), AuthorizationStatus::Expired);
        assert_eq!(AuthorizationStatus::Deactivated.at(end, end), AuthorizationStatus::Deactivated);
    }

    #[test]
    fn names_read_back() {
        for status in [
            OrderStatus::Pending,
            OrderStatus::Ready,
            OrderStatus::Processing,
            OrderStatus::Valid,
            OrderStatus::Invalid,
        ] {
            assert_eq!(OrderStatus::named(status.name()), Some(status));
        }
        assert_eq!(OrderStatus::named("done"), None);
    }
}
