//! What the server may do, and on whose word.
//!
//! [`boot::decide`] settles at start whether the server may run at all and hands out a [`Grant`];
//! [`Grant::admit`] settles for each new order whether it may be made and hands out a [`Licensed`],
//! which is what making an order takes. Neither can be made anywhere else.

mod admission;
mod banner;
pub(crate) mod boot;
pub(crate) mod cold_start;
pub(crate) mod installation;

pub(crate) use admission::Licensed;
pub(crate) use banner::banner;
pub(crate) use boot::{Boot, Grant};

use chancery_license::{Configuration, Database, Feature};

use crate::config::Config;

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
