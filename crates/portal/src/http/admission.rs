//! Who may ask at all, and how often: looked at before anything else is done with a request.
//!
//! A request with a secret key counts against the key. A publishable one is in the hands of everybody who has the
//! program, so that it counts by the network that it is used from: nobody uses it up for all others. A request
//! without a key, or with a wrong one, counts against its network, so that keys cannot be guessed at leisure.

use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use chancery_rate::{Rate, Tat};
use chancery_time::Timestamp;
use chancery_web::network_of;
use http::header::{AUTHORIZATION, RETRY_AFTER};
use http::{HeaderName, HeaderValue};
use lru::LruCache;

use super::extract::Caller;
use crate::app::App;
use crate::domain::{Actor, Code, Permission, Permissions, Refusal};
use crate::service::Failure;
use crate::store::api_keys::{self, Class, KnownKey};

pub(super) const NO_KEY: &str = "this needs an API key: send `Authorization: Bearer KEY`";
const BAD_KEY: &str = "this API key is unknown, revoked or expired";

const RATE_LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const RATE_REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const RATE_RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");

/// How many callers are kept, those that came last.
const CALLERS: NonZeroUsize = NonZeroUsize::new(100_000).unwrap();
/// How many keys are kept, those that were used last.
const KEYS: NonZeroUsize = NonZeroUsize::new(10_000).unwrap();
/// For how long a key is believed without another look: a revoked one works no longer than that.
const BELIEVED: Duration = Duration::from_secs(1);

/// The API keys that were looked up of late, by their hash.
pub(crate) struct KeyCache(Mutex<LruCache<Vec<u8>, Seen>>);

/// A key, and when it was looked up.
#[derive(Clone)]
struct Seen {
    key: Arc<KnownKey>,
    at: Instant,
}

impl Default for KeyCache {
    fn default() -> Self {
        Self(Mutex::new(LruCache::new(KEYS)))
    }
}

impl KeyCache {
    /// Whether a key with that hash was there when it was last looked for.
    fn knows(&self, hash: &[u8]) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(hash)
    }

    async fn find(&self, app: &App, hash: Vec<u8>) -> Result<Option<Arc<KnownKey>>, Failure> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&hash).cloned();
        if let Some(seen) = kept.filter(|seen| seen.at.elapsed() < BELIEVED) {
            return Ok(Some(seen.key));
        }
        let wanted = hash.clone();
        let Some(key) = app.office.db.read(move |tx| api_keys::by_hash(tx, &wanted)).await? else {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).pop(&hash);
            return Ok(None);
        };
        let key = Arc::new(key);
        let seen = Seen { key: Arc::clone(&key), at: Instant::now() };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).put(hash, seen);
        Ok(Some(key))
    }
}

/// How far callers have used up their rates, in the memory of this node.
pub(crate) struct Meters {
    per_key: Option<Rate>,
    per_network: Option<Rate>,
    kept: Mutex<LruCache<Subject, Tat>>,
}

/// What a rate is counted by.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Subject {
    /// A secret key.
    Key(String),
    /// A publishable key, and the network that it is used from.
    KeyFrom(String, String),
    /// Nobody that is known.
    Network(String),
}

impl Subject {
    fn of_key(key: &KnownKey, address: IpAddr) -> Self {
        match key.class {
            Class::Publishable => Self::KeyFrom(key.id.clone(), network_of(address)),
            Class::Secret => Self::Key(key.id.clone()),
        }
    }

    fn of_address(address: IpAddr) -> Self {
        Self::Network(network_of(address))
    }
}

/// What is left of a rate that was used up, and how long to wait for more.
type Exhausted = (Left, Duration);

/// What is left of a rate, as the headers tell it.
#[derive(Debug, Clone, Copy)]
struct Left {
    limit: u32,
    remaining: u32,
    /// When all is there again, in Unix seconds.
    reset: i64,
}

impl Meters {
    /// Meters of those rates; `None` where there is no limit.
    pub(crate) fn new(per_key: Option<Rate>, per_network: Option<Rate>) -> Self {
        Self { per_key, per_network, kept: Mutex::new(LruCache::new(CALLERS)) }
    }

    /// Takes one request of a caller.
    fn take(&self, subject: Subject, now: Timestamp) -> Result<Option<Left>, Exhausted> {
        let Some(rate) = self.rate(&subject) else { return Ok(None) };
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let tat = taken(rate, kept.get(&subject).copied(), now)?;
        kept.put(subject, tat);
        Ok(Some(Left::of(rate, tat, rate.left(tat, now))))
    }

    /// Whether a caller could take one; takes none.
    fn ask(&self, subject: &Subject, now: Timestamp) -> Result<(), Exhausted> {
        let Some(rate) = self.rate(subject) else { return Ok(()) };
        let before = self.kept.lock().unwrap_or_else(PoisonError::into_inner).get(subject).copied();
        taken(rate, before, now).map(drop)
    }

    fn rate(&self, subject: &Subject) -> Option<Rate> {
        match subject {
            Subject::Key(_) | Subject::KeyFrom(..) => self.per_key,
            Subject::Network(_) => self.per_network,
        }
    }
}

impl Left {
    fn of(rate: Rate, tat: Tat, remaining: u32) -> Self {
        let reset = tat.unix_micros().saturating_add(999_999).div_euclid(1_000_000);
        Self { limit: rate.count().get(), remaining, reset }
    }
}

/// What is to be kept once one more is taken.
fn taken(rate: Rate, before: Option<Tat>, now: Timestamp) -> Result<Tat, Exhausted> {
    rate.take(before, 1, now).map_err(|refusal| match refusal {
        chancery_rate::Refusal::Wait { after, .. } => {
            (Left::of(rate, before.unwrap_or(now.into()), 0), after)
        }
        _ => (Left::of(rate, now.into(), 0), rate.per()),
    })
}

/// Lets requests without a key in, as many as their network may send.
pub(super) async fn by_address(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let address = app.proxies.client(request.extensions(), request.headers());
    match app.meters.take(Subject::of_address(address), app.office.now()) {
        Ok(left) => with_left(with_address(request, address, next).await, left),
        Err((left, after)) => limited(left, after),
    }
}

/// Lets requests with a key in, as many as the key may send.
///
/// From a network that has used up its rate no key is looked up that nobody knows: each guess would cost a read.
pub(super) async fn by_key(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    let now = app.office.now();
    let address = app.proxies.client(request.extensions(), request.headers());
    let refused = |refusal: Refusal| match app.meters.take(Subject::of_address(address), now) {
        Ok(left) => with_left(refusal.into_response(), left),
        Err((left, after)) => limited(left, after),
    };
    let hash = match token(request.headers().get(AUTHORIZATION)) {
        Ok(token) => api_keys::hash(token),
        Err(refusal) => return refused(refusal),
    };
    if !app.keys.knows(&hash)
        && let Err((left, after)) = app.meters.ask(&Subject::of_address(address), now)
    {
        return limited(left, after);
    }
    let key = match app.keys.find(&app, hash).await {
        Ok(key) => key.filter(|key| key.counts_at(now)),
        Err(failure) => return failure.into_response(),
    };
    let Some(key) = key else { return refused(Refusal::new(Code::InvalidApiKey, BAD_KEY)) };
    match app.meters.take(Subject::of_key(&key, address), now) {
        Ok(left) => {
            request.extensions_mut().insert(Caller(actor(&key)));
            with_left(with_address(request, address, next).await, left)
        }
        Err((left, after)) => limited(left, after),
    }
}

/// Where a request came from; an extension of every request to the API.
#[derive(Debug, Clone, Copy)]
pub(super) struct ClientAddress(pub(super) IpAddr);

async fn with_address(mut request: Request, address: IpAddr, next: Next) -> Response {
    request.extensions_mut().insert(ClientAddress(address));
    next.run(request).await
}

/// The token that a request carries.
fn token(header: Option<&HeaderValue>) -> Result<&str, Refusal> {
    let header = header.ok_or_else(|| Refusal::new(Code::AuthenticationRequired, NO_KEY))?;
    let token = header.to_str().ok().and_then(bearer);
    token.ok_or_else(|| Refusal::new(Code::InvalidApiKey, BAD_KEY))
}

/// The token behind `Bearer`, in any case (RFC 9110 §11.1).
fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn actor(key: &KnownKey) -> Actor {
    let scopes = match key.class {
        Class::Publishable => [Permission::Use].into_iter().collect(),
        Class::Secret => key.scopes,
    };
    let permissions = scopes.and(key.role.map_or(Permissions::all(), |role| role.permissions()));
    Actor {
        name: format!("key:{}", key.id),
        permissions,
        api_key_id: Some(key.id.clone()),
        live: Some(key.live),
        product_id: key.product_id.clone(),
    }
}

fn with_left(mut response: Response, left: Option<Left>) -> Response {
    if let Some(left) = left {
        let headers = response.headers_mut();
        headers.insert(RATE_LIMIT, left.limit.into());
        headers.insert(RATE_REMAINING, left.remaining.into());
        headers.insert(RATE_RESET, left.reset.into());
    }
    response
}

fn limited(left: Left, after: Duration) -> Response {
    let seconds = after.as_secs() + u64::from(after.subsec_nanos() > 0);
    let message = format!("too many requests: try again in {seconds} s");
    let mut response = with_left(Refusal::new(Code::RateLimited, message).into_response(), Some(left));
    response.headers_mut().insert(RETRY_AFTER, seconds.into());
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Role;

    const fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_seconds(seconds)
    }

    #[test]
    fn the_headers_tell_what_is_left_and_when_all_is_there_again() {
        let meters = Meters::new(Some("3/1m".parse().unwrap()), None);
        let key = || Subject::Key("key_1".to_owned());
        for remaining in [2, 1, 0] {
            let left = meters.take(key(), at(1_000)).unwrap().unwrap();
            assert_eq!((left.limit, left.remaining), (3, remaining));
            assert_eq!(left.reset, 1_000 + 20 * i64::from(3 - remaining));
        }
        let (left, after) = meters.take(key(), at(1_000)).unwrap_err();
        assert_eq!((left.remaining, left.reset, after), (0, 1_060, Duration::from_secs(20)));
        assert!(meters.take(key(), at(1_020)).is_ok());
        assert!(meters.take(Subject::Key("key_2".to_owned()), at(1_000)).is_ok());
        assert!(meters.take(Subject::of_address([127, 0, 0, 1].into()), at(1_000)).unwrap().is_none());
    }

    fn known(class: Class, role: Option<Role>) -> KnownKey {
        KnownKey {
            id: "key_1".to_owned(),
            class,
            live: true,
            product_id: None,
            scopes: Permissions::all(),
            role,
            expires_at: None,
            is_enabled: true,
        }
    }

    #[test]
    fn nobody_uses_a_publishable_key_up_for_others() {
        let meters = Meters::new(Some("1/1m".parse().unwrap()), Some("1/1m".parse().unwrap()));
        let take = |key: &KnownKey, address: &str| {
            meters.take(Subject::of_key(key, address.parse().unwrap()), at(1_000)).is_ok()
        };
        let publishable = known(Class::Publishable, None);
        assert!(take(&publishable, "2001:db8::1"));
        assert!(!take(&publishable, "2001:db8::ffff"), "the same /64");
        assert!(take(&publishable, "2001:db8:0:1::1"));
        let secret = known(Class::Secret, None);
        assert!(take(&secret, "192.0.2.1"));
        assert!(!take(&secret, "192.0.2.2"));

        let network = || Subject::of_address("2001:db8::1".parse().unwrap());
        assert!(meters.ask(&network(), at(1_000)).is_ok());
        assert!(meters.take(network(), at(1_000)).is_ok(), "to ask takes nothing");
        assert!(meters.ask(&Subject::of_address("2001:db8::2".parse().unwrap()), at(1_000)).is_err());
    }

    #[test]
    fn no_key_may_more_than_its_user() {
        for (class, role, may) in [
            (Class::Publishable, None, true),
            (Class::Publishable, Some(Role::Support), true),
            (Class::Publishable, Some(Role::Viewer), false),
            (Class::Secret, Some(Role::Viewer), false),
        ] {
            let actor = actor(&known(class, role));
            assert_eq!(actor.permissions.contains(Permission::Use), may, "{class:?} {role:?}");
            assert!(!actor.permissions.contains(Permission::UsersManage) || class == Class::Secret);
        }
    }

    #[test]
    fn the_scheme_is_read_in_any_case() {
        assert_eq!(bearer("bearer  sk_live_x "), Some("sk_live_x"));
        assert_eq!(bearer("Basic eDp5"), None);
        assert_eq!(bearer("sk_live_x"), None);
    }
}
