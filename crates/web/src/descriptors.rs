//! How many connections the process has file descriptors for.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// The most connections that are open at once, however many descriptors there are.
const MAX_CONNECTIONS: usize = 8_192;
/// The descriptors that connections leave to validations, the database and files. Without them one
/// client's idle connections would make the validations of all others fail.
const RESERVED: u64 = 512;

/// Raises the soft limit on descriptors to the hard one, and says how many connections may be open at
/// once: at least one.
pub fn room_for_connections() -> usize {
    let limit = raise_limit();
    let connections = connections_within(limit);
    if connections < MAX_CONNECTIONS {
        tracing::info!(
            connections,
            descriptors = limit,
            "the limit on open files (`ulimit -Hn`) bounds the connections that are open at once"
        );
    } else {
        tracing::debug!(connections, descriptors = limit, "so many connections may be open at once");
    }
    connections
}

/// The limit that is in force afterwards; `None` where there is none.
fn raise_limit() -> Option<u64> {
    let limit = getrlimit(Resource::Nofile);
    let Some(raised) = raised(limit) else { return limit.current };
    match setrlimit(Resource::Nofile, raised) {
        Ok(()) => raised.current,
        Err(error) => {
            tracing::warn!(%error, "the soft limit on open files cannot be raised to the hard one");
            limit.current
        }
    }
}

/// The limit with its soft part as high as its hard one; `None` where it is already.
fn raised(limit: Rlimit) -> Option<Rlimit> {
    let soft = limit.current?;
    let room = limit.maximum.is_none_or(|hard| soft < hard);
    room.then_some(Rlimit { current: limit.maximum, ..limit })
}

fn connections_within(limit: Option<u64>) -> usize {
    let Some(limit) = limit else { return MAX_CONNECTIONS };
    // Under a low limit the two share what there is.
    let left = limit - RESERVED.min(limit / 2);
    usize::try_from(left).unwrap_or(MAX_CONNECTIONS).clamp(1, MAX_CONNECTIONS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_soft_limit_is_raised_and_never_lowered() {
        for (soft, hard, raised_to) in [
            (Some(1_024), Some(524_288), Some(Some(524_288))),
            (Some(1_024), Some(1_025), Some(Some(1_025))),
            (Some(1_024), None, Some(None)),
            (Some(1_024), Some(1_024), None),
            (Some(2_048), Some(1_024), None),
            (None, Some(1_024), None),
            (None, None, None),
        ] {
            let limit = Rlimit { current: soft, maximum: hard };
            let expected = raised_to.map(|soft| Rlimit { current: soft, maximum: hard });
            assert_eq!(raised(limit), expected, "{limit:?}");
        }
    }

    #[test]
    fn connections_leave_descriptors_to_the_rest() {
        for (limit, connections) in [
            (Some(0), 1),
            (Some(1), 1),
            (Some(64), 32),
            (Some(1_023), 512),
            (Some(1_024), 512),
            (Some(1_025), 513),
            (Some(4_096), 3_584),
            (Some(8_703), 8_191),
            (Some(8_704), 8_192),
            (Some(1 << 30), 8_192),
            (Some(u64::MAX), 8_192),
            (None, 8_192),
        ] {
            assert_eq!(connections_within(limit), connections, "{limit:?}");
        }
    }

    #[test]
    fn the_limit_in_force_is_the_hard_one() {
        let hard = getrlimit(Resource::Nofile).maximum;
        assert_eq!(raise_limit(), hard);
        assert_eq!(getrlimit(Resource::Nofile).current, hard);
        assert_eq!(raise_limit(), hard);
    }
}
