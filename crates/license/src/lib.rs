//! Licences, verified offline: plans, entitlements and keys.
//!
//! Nothing here does I/O, reads a clock or spawns anything: documents, times and random bytes come
//! in as arguments, and decisions go out as values.
//!
//! | room | what it holds |
//! |---|---|
//! | [`plan`] | the plans that a cold start can be opened under, and what each allows |
//! | [`entitlements`] | what a plan or a licence allows, and whether a configuration fits it |
//! | [`installation_key`] | the `INST-` key that names an installation |

pub mod entitlements;
pub mod installation_key;
pub mod plan;

pub use entitlements::{Configuration, Database, Entitlements, Feature, Limit, Misfit};
pub use installation_key::InstallationKey;
pub use plan::Plan;
