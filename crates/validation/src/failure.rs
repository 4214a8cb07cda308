//! Why an observation did not come about.

use std::io;

use rustix::io::Errno;

/// Why an identifier could not be validated.
///
/// `Display` is one sentence for the person who runs the client: which URL or address, what happened,
/// what to do. It never holds anything of a response's body.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct Failure {
    /// What sort of failure this is.
    pub kind: FailureKind,
    /// Whether the same attempt may succeed a little later with nothing changed but the network.
    pub transient: bool,
    detail: String,
}

/// The sort of a [`Failure`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FailureKind {
    /// The name has no address, or the DNS did not say.
    Dns,
    /// No address could be connected to, or the connection broke.
    Connection,
    /// The time allowed ran out.
    Timeout,
    /// The TLS handshake failed, or did not settle on the protocol asked for.
    Tls,
    /// The egress policy refuses every address of the name.
    Egress,
    /// A redirect that may not be followed.
    Redirect,
    /// The answer has this status instead of 200.
    Response(u16),
    /// The answer is not HTTP/1.1.
    Protocol,
    /// The answer is not the one that the challenge asks for.
    Mismatch,
    /// This machine has no descriptor, port, address or memory left to look with. It says nothing of
    /// the identifier.
    Local,
}

impl FailureKind {
    /// [`Local`](Self::Local) or [`Connection`](Self::Connection): whose failure it is that no
    /// connection came about.
    pub(crate) fn of_connect(error: &io::Error) -> Self {
        match Errno::from_io_error(error) {
            Some(Errno::MFILE | Errno::NFILE | Errno::NOBUFS | Errno::NOMEM | Errno::ADDRNOTAVAIL) => {
                Self::Local
            }
            _ => Self::Connection,
        }
    }
}

impl Failure {
    /// A failure that stays until somebody changes something.
    pub(crate) fn lasting(kind: FailureKind, detail: String) -> Self {
        Self { kind, transient: false, detail }
    }

    /// A failure that may go away by itself.
    pub(crate) fn passing(kind: FailureKind, detail: String) -> Self {
        Self { kind, transient: true, detail }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_this_machine_lacks_is_no_failure_of_the_other_side() {
        for (errno, kind) in [
            (Errno::MFILE, FailureKind::Local),
            (Errno::NFILE, FailureKind::Local),
            (Errno::NOBUFS, FailureKind::Local),
            (Errno::NOMEM, FailureKind::Local),
            (Errno::ADDRNOTAVAIL, FailureKind::Local),
            (Errno::CONNREFUSED, FailureKind::Connection),
            (Errno::CONNRESET, FailureKind::Connection),
            (Errno::HOSTUNREACH, FailureKind::Connection),
            (Errno::NETUNREACH, FailureKind::Connection),
            (Errno::TIMEDOUT, FailureKind::Connection),
        ] {
            assert_eq!(FailureKind::of_connect(&errno.into()), kind, "{errno:?}");
        }
        assert_eq!(FailureKind::of_connect(&io::Error::other("?")), FailureKind::Connection);
    }
}
