//! Putting the running server together from its configuration.

use std::sync::Arc;

use anyhow::Context;
use chancery_acme::{Nonces, Sealer, SharedNonces};
use chancery_authority::local::{LocalAuthority, Paths};
use chancery_db::Db;
use chancery_files::read_text;
use chancery_keycheck::CompromisedKeys;
use chancery_time::{Clock, Timestamp};
use chancery_web::Proxies;
use http::HeaderValue;
use tokio_util::task::TaskTracker;

use crate::app::App;
use crate::audit::Trail;
use crate::config::{self, Config, PassphraseSource};
use crate::http::directories::Directories;
use crate::http::limits::Addresses;
use crate::http::urls::{Urls, path};
use crate::jobs::JobQueue;
use crate::licensing::Keeper;
use crate::service::account_keys::AccountKeys;
use crate::service::authorities::{Authority, Signers};
use crate::service::caa::Looks;
use crate::service::nonces::NonceDesk;
use crate::service::observer::{Issuer, Observer};
use crate::service::profiles::{Profile, Profiles};
use crate::store::settings;
use chancery_trail::Health;

/// Longer than any chain, in bytes.
const MAX_CHAIN_BYTES: u64 = 256 * 1024;

/// What watches over every change.
pub(super) struct Watched {
    pub(super) licensing: Arc<Keeper>,
    pub(super) trail: Trail,
    pub(super) audit: Health,
}

/// The server, ready to serve.
///
/// # Errors
/// What of the configuration cannot be put to work: a key file, a chain, the store.
pub(super) async fn app(
    config: &Config,
    db: Db,
    watched: Watched,
    jobs: JobQueue,
    clock: Arc<dyn Clock>,
) -> anyhow::Result<App> {
    let urls = Urls::new(&config.server.url);
    let sealer = sealer(&db).await?;
    let compromised_keys = Arc::new(config::compromised_keys(config.server.compromised_keys.as_deref())?);
    let issuer = Arc::new(Issuer {
        domains: config.server.caa_identities.clone(),
        account_hash_prefix: urls.of_path(path::ACCOUNT_HASH),
    });
    let profiles = profiles(config, &compromised_keys, &issuer, &db, clock.now()).await?;
    Ok(App {
        sealer,
        nonces: nonces(config, &db).await?,
        account_keys: AccountKeys::new(),
        compromised_keys,
        directories: Directories::new(&urls, &config.server, &issuer, &config.profiles)?,
        profiles: Arc::new(profiles),
        limits: Arc::new(config.limits.clone()),
        addresses: Addresses::new(&config.limits),
        proxies: Proxies::new(&config.server.trusted_proxies, "server.trusted_proxies"),
        tasks: TaskTracker::new(),
        directory_link: HeaderValue::try_from(format!("<{}>;rel=\"index\"", urls.directory()))?,
        terms_of_service: config.server.terms_of_service.is_some(),
        issuer,
        clock,
        db,
        urls,
        licensing: watched.licensing,
        trail: watched.trail,
        audit: watched.audit,
        jobs,
        looks: Looks::default(),
    })
}

/// What names the rows of the store in URLs.
pub(super) async fn sealer(db: &Db) -> anyhow::Result<Sealer> {
    Ok(Sealer::new(&secret(db, settings::OBJECT_ID_SECRET).await?)?)
}

/// Nonces of this node alone, or of all that share the store.
async fn nonces(config: &Config, db: &Db) -> anyhow::Result<NonceDesk> {
    if config.server.several_nodes {
        return Ok(NonceDesk::Shared(SharedNonces::new(&secret(db, settings::NONCE_SECRET).await?)?));
    }
    Ok(NonceDesk::Alone(Nonces::new()?))
}

/// A secret of the installation, made by whichever node asks first.
async fn secret(db: &Db, name: &'static str) -> anyhow::Result<[u8; 32]> {
    let fresh = Sealer::random_secret()?;
    let secret = db.write(move |tx| settings::find_or_insert(tx, name, &fresh)).await?;
    secret.as_slice().try_into().with_context(|| format!("the setting {name} in the store has not 32 bytes"))
}

async fn profiles(
    config: &Config,
    compromised: &Arc<CompromisedKeys>,
    issuer: &Arc<Issuer>,
    db: &Db,
    now: Timestamp,
) -> anyhow::Result<Profiles> {
    let mut authorities = Vec::with_capacity(config.authorities.len());
    for authority in &config.authorities {
        let (local, chains) = open(authority, now)?;
        authorities.push(Arc::new(Authority::new(db, local, chains).await?));
    }
    let observers = config.validations.iter().map(|validation| {
        let observer = Observer::new(validation, config.server.listen, Arc::clone(issuer));
        observer.map(Arc::new).with_context(|| format!("the entry `{}` of validation", validation.name))
    });
    let observers: Vec<Arc<Observer>> = observers.collect::<anyhow::Result<_>>()?;
    let at_work = |rules: &config::policy::Profile| {
        let signers = rules.authorities.iter().filter_map(|index| authorities.get(*index).cloned()).collect();
        let observer = observers.get(rules.validation).cloned().context("has no validation")?;
        Profile::new(rules, Signers::new(signers, rules.strategy)?, observer)
    };
    let profiles = config.profiles.iter().map(|rules| {
        let profile = at_work(rules).with_context(|| format!("the profile `{}`", rules.name))?;
        let mut rules = rules.clone();
        rules.requests.compromised_keys = Arc::clone(compromised);
        Ok((rules, profile))
    });
    Profiles::new(profiles.collect::<anyhow::Result<Vec<_>>>()?)
}

fn open(authority: &config::Authority, now: Timestamp) -> anyhow::Result<(LocalAuthority, Vec<String>)> {
    let cannot = || format!("the authority `{}` cannot be opened", authority.name);
    let passphrase = match &authority.passphrase {
        PassphraseSource::Environment(passphrase) => passphrase.clone(),
        PassphraseSource::File(path) => config::passphrase(path)?,
    };
    let paths = Paths::in_directory(&authority.directory);
    let local = LocalAuthority::open(&authority.name, &paths, &passphrase, now).with_context(cannot)?;
    let chains = authority.alternate_chains.iter().map(|path| {
        let chain = read_text(path, MAX_CHAIN_BYTES)?;
        local.alternate_chain(&chain).with_context(|| path.display().to_string())
    });
    let chains = chains.collect::<anyhow::Result<Vec<String>>>().with_context(cannot)?;
    Ok((local, chains))
}
