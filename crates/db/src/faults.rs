//! Failures around a commit, made on purpose.

/// Decides, commit by commit, whether to break it; for tests of what a caller does then.
///
/// On SQLite one commit carries every transaction of a group, and all of them fail together.
pub trait Faults: Send + Sync {
    /// Asked before each commit of a write. `true` rolls it back: nothing is persisted and the callers
    /// receive [`Error::Unavailable`](crate::Error::Unavailable).
    fn before_commit(&self) -> bool {
        false
    }

    /// Asked after each successful commit of a write. `true` tells the callers
    /// [`Error::CommitUnknown`](crate::Error::CommitUnknown) although everything is persisted.
    fn after_commit(&self) -> bool {
        false
    }
}
