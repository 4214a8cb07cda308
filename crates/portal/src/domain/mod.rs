//! The vendor's trade as pure rules: what a licence is worth, who may do what, how a refusal is told.

pub(crate) mod backoff;
pub(crate) mod change;
pub(crate) mod delivery;
pub(crate) mod fields;
pub(crate) mod integers;
pub(crate) mod license;
pub(crate) mod machine_file;
pub(crate) mod period;
pub(crate) mod permission;
pub(crate) mod reach;
pub(crate) mod refusal;
pub(crate) mod terms;
pub(crate) mod validation;
pub(crate) mod webhook;

pub(crate) use change::{Change, differing};
pub(crate) use license::{Mode, Status, StoredStatus};
pub(crate) use permission::{Actor, Permission, Permissions, Role};
pub(crate) use refusal::{Code, Refusal};
