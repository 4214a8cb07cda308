//! What the server may do, and on whose word.
//!
//! A [`Snapshot`](snapshot::Snapshot) is what the store holds; judging it tells the state of the
//! licence. [`boot::decide`] settles at start whether the server may run at all. While it runs,
//! [`Keeper`] has a [`Basis`](basis::Basis) for each new order, and [`Basis::admit`](basis::Basis::admit)
//! hands out the [`Licensed`] that making an order takes.
//!
//! | room | what it holds |
//! |---|---|
//! | [`installation`], [`record`] | who this is, and what it has seen, under a MAC |
//! | [`held`], [`facts`] | the documents, verified; what a licence says in either form |
//! | [`snapshot`] | all of it at one instant, and what it is worth |
//! | [`boot`], [`banner`], [`acknowledgement`] | may the server run |
//! | [`basis`], [`admission`] | may an order be made |
//! | [`cold_start`] | the rules of the window |
//! | [`change`], [`intake`] | what operators and documents change in the store |
//! | [`keeper`] | all of it in the running server |
//! | [`portal`] | asking the vendor for newer documents |

pub(crate) mod acknowledgement;
pub(crate) mod admission;
mod banner;
pub(crate) mod basis;
pub(crate) mod boot;
pub(crate) mod change;
pub(crate) mod cold_start;
pub(crate) mod facts;
pub(crate) mod held;
pub(crate) mod installation;
pub(crate) mod intake;
pub(crate) mod keeper;
pub(crate) mod portal;
pub(crate) mod record;
pub(crate) mod snapshot;
#[cfg(test)]
mod testing;

pub(crate) use admission::{Licensed, StoredApplicant};
pub(crate) use banner::{banner, misfit_warning, tell};
pub(crate) use boot::Boot;
pub(crate) use keeper::Keeper;

use anyhow::Context;
use chancery_license::{Build, Configuration, Database, Environment, Feature, Keyring, anchors};
use chancery_time::Timestamp;

use crate::config::Config;

/// The product that documents have to be for.
const PRODUCT: &str = "chancery";

/// The parts of a configuration that a licence speaks of.
pub(crate) fn licensed_parts(config: &Config) -> Configuration {
    Configuration {
        database: match config.database {
            chancery_db::Config::Sqlite { .. } => Database::Sqlite,
            chancery_db::Config::Postgres { .. } => Database::Postgres,
        },
        authorities: u64::try_from(config.authorities.len()).unwrap_or(u64::MAX),
        features: [Feature::Acme].into(),
    }
}

/// This program: its version, and the day on which it was built.
pub(crate) fn build() -> Build {
    // Both are written by the build; neither can be anything else.
    let version = env!("CARGO_PKG_VERSION").parse().unwrap_or(chancery_license::Version {
        major: 0,
        minor: 0,
        patch: 0,
    });
    let seconds = env!("CHANCERY_BUILD_DAY").parse().unwrap_or(0);
    Build { version, date: Timestamp::from_unix_seconds(seconds) }
}

/// Whether this build trusts the public development key, by which anybody can license it.
///
/// # Errors
/// None as long as the build took in the anchors that it was given.
pub(crate) fn is_dev_build() -> anyhow::Result<bool> {
    Ok(anchors::compiled(PRODUCT)?.has_dev())
}

/// The environments that this build has anchors for.
///
/// # Errors
/// As [`is_dev_build`].
pub(crate) fn environments() -> anyhow::Result<Vec<Environment>> {
    Ok(anchors::compiled(PRODUCT)?.environments(PRODUCT).collect())
}

/// The keys that this build trusts in an environment; in its own where none is named: `prod` if it has
/// anchors for it, or else the only one that it has anchors for.
///
/// # Errors
/// Where the build has no anchor for the environment, or none is named and it has several.
pub(crate) fn anchors(environment: Option<Environment>) -> anyhow::Result<Keyring> {
    let (anchors, known) = (anchors::compiled(PRODUCT)?, environments()?);
    let environment = match (environment, known.as_slice()) {
        (Some(environment), _) => environment,
        (None, [only]) => *only,
        (None, several) if several.contains(&Environment::Prod) => Environment::Prod,
        (None, _) => {
            let known: Vec<&str> = known.iter().map(|environment| environment.name()).collect();
            return Err(anyhow::anyhow!("this build has anchors for {}", known.join(", ")))
                .context("name one of them as license.environment in the configuration");
        }
    };
    Ok(Keyring::new(&anchors, PRODUCT, environment)?)
}
