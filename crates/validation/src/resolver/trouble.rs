//! Why the DNS did not say anything.

use std::fmt;
use std::io;

use hickory_resolver::proto::op::ResponseCode;

use crate::egress::EgressRefusal;
use crate::failure::{Failure, FailureKind};

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trouble {
    /// This machine could not ask.
    Local(String),
    /// There is nobody to ask.
    NoServer,
    /// Nobody answered in time.
    Silence,
    /// A server could not be talked to: what it did.
    Broken(String),
    /// A server would not or could not say.
    Code(ResponseCode),
    /// A server that neither knows the name nor asks others for it.
    Lame,
    /// An answer without the AD bit.
    Unauthenticated,
    /// Aliases that lead in a circle, or further than anybody needs.
    Aliases(&'static str),
    /// More records than anybody needs.
    TooMany(usize),
    /// No zone above the name has a name server with an address.
    NoZoneServers(String),
    /// The zone's name servers are out of bounds.
    Egress(EgressRefusal),
}

impl Trouble {
    pub(super) fn of_io(error: &io::Error) -> Self {
        match FailureKind::of_connect(error) {
            FailureKind::Local => Self::Local(error.to_string()),
            _ if error.kind() == io::ErrorKind::TimedOut => Self::Silence,
            _ => Self::Broken(format!("cannot be talked to ({error})")),
        }
    }

    /// Whether the same server may answer when asked once more at once.
    pub(super) fn is_worth_another_try(&self) -> bool {
        matches!(self, Self::Silence | Self::Broken(_))
    }

    /// Which of two troubles with the servers of one name says more: an answer more than none, and all
    /// more than what this machine lacks.
    pub(super) fn telling(earlier: Option<Self>, later: Self) -> Self {
        let weight = |trouble: &Self| match trouble {
            Self::NoServer => 0,
            Self::Local(_) => 1,
            Self::Silence => 2,
            _ => 3,
        };
        match earlier {
            Some(earlier) if weight(&earlier) > weight(&later) => earlier,
            _ => later,
        }
    }

    /// This trouble with a look-up of `what`, such as "the TXT records of `a.test`".
    pub(super) fn failure(&self, what: &str) -> Failure {
        let detail = format!("cannot look up {what}: {self}; {}", self.advice());
        match self {
            Self::Local(_) => Failure::passing(FailureKind::Local, detail),
            Self::Egress(_) => Failure::lasting(FailureKind::Egress, detail),
            Self::Aliases(_) | Self::TooMany(_) | Self::Unauthenticated => {
                Failure::lasting(FailureKind::Dns, detail)
            }
            _ => Failure::passing(FailureKind::Dns, detail),
        }
    }

    fn advice(&self) -> &'static str {
        match self {
            Self::Local(_) => "raise the limits of the CA's process or machine",
            Self::Unauthenticated => "sign the zone, and have the DNS servers of the CA validate it",
            Self::Aliases(_) => "correct the CNAME records of the name",
            Self::TooMany(_) => "delete those that are no longer needed",
            Self::NoZoneServers(_) => "check the NS records of the zone",
            Self::Egress(_) => "the CA's operator can allow it in the egress policy",
            _ => "check the DNS servers of the name and of the CA",
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local(error) => write!(f, "no socket could be opened ({error})"),
            Self::NoServer => f.write_str("no DNS server is configured"),
            Self::Silence => f.write_str("no answer came in time"),
            Self::Broken(what) => write!(f, "the server {what}"),
            Self::Code(code) => write!(f, "the server answered {code}"),
            Self::Lame => f.write_str("the server is not one for that name"),
            Self::Unauthenticated => f.write_str("DNSSEC does not vouch for the answer"),
            Self::Aliases(what) => write!(f, "its aliases lead {what}"),
            Self::TooMany(limit) => write!(f, "there are more than {limit} records"),
            Self::NoZoneServers(what) => write!(f, "{what} has an address"),
            Self::Egress(refusal) => {
                write!(f, "the name servers of its zone are out of bounds: {refusal}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_says_more_than_none() {
        use Trouble::{Lame, NoServer, Silence};
        let local = || Trouble::Local("too many open files".to_owned());
        let code = || Trouble::Code(ResponseCode::ServFail);
        for (earlier, later, told) in [
            (None, Silence, Silence),
            (Some(NoServer), local(), local()),
            (Some(local()), Silence, Silence),
            (Some(Silence), local(), Silence),
            (Some(code()), Silence, code()),
            (Some(Silence), code(), code()),
            (Some(code()), Lame, Lame),
        ] {
            assert_eq!(Trouble::telling(earlier.clone(), later.clone()), told, "{earlier:?} {later:?}");
        }
    }

    #[test]
    fn what_no_time_heals_is_lasting() {
        for (trouble, kind, transient) in [
            (Trouble::Local("x".to_owned()), FailureKind::Local, true),
            (Trouble::Silence, FailureKind::Dns, true),
            (Trouble::Code(ResponseCode::Refused), FailureKind::Dns, true),
            (Trouble::NoZoneServers("x".to_owned()), FailureKind::Dns, true),
            (Trouble::Aliases("in a circle"), FailureKind::Dns, false),
            (Trouble::TooMany(1), FailureKind::Dns, false),
            (Trouble::Unauthenticated, FailureKind::Dns, false),
        ] {
            let failure = trouble.failure("it");
            assert_eq!((failure.kind, failure.transient), (kind, transient), "{trouble:?}");
            assert!(failure.to_string().starts_with("cannot look up it: "), "{failure}");
        }
    }
}
