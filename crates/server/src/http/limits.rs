//! What an address may ask for, whatever it is: looked at before anything else is done with a request, in the
//! memory of this node.

use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use chancery_rate::{Rate, Tat};
use chancery_time::Timestamp;
use http::header::USER_AGENT;
use lru::LruCache;
use serde_json::json;

use crate::app::App;
use crate::audit::{Entry, Origin, events};
use crate::config::policy::Limits;
use crate::service::Failure;
use crate::service::failure::Abuse;
use crate::service::limits::{Reached, name, take};
use chancery_trail::MAX_USER_AGENT;
use chancery_web::network_of;

/// How many addresses are kept, those that came last: some 100 bytes each. Whoever has more than that can be
/// told from nobody.
const ADDRESSES: NonZeroUsize = NonZeroUsize::new(100_000).unwrap();
/// For how many limits and subjects it is kept that the audit log knows of them.
const TOLD: NonZeroUsize = NonZeroUsize::new(10_000).unwrap();

/// What each address did of late.
pub(crate) struct Addresses {
    requests: Option<Meter>,
    abuse: Option<Meter>,
    /// Until when the audit log need not hear of a limit and its subject again.
    told: Mutex<LruCache<(&'static str, String), Timestamp>>,
}

/// A rate, and how far each address has used it up.
struct Meter {
    rate: Rate,
    kept: Mutex<LruCache<String, Tat>>,
}

impl Addresses {
    pub(crate) fn new(limits: &Limits) -> Self {
        let meter = |rate| Meter { rate, kept: Mutex::new(LruCache::new(ADDRESSES)) };
        Self {
            requests: limits.requests_per_ip.map(meter),
            abuse: limits.abuse_per_ip.map(meter),
            told: Mutex::new(LruCache::new(TOLD)),
        }
    }

    /// Takes one request of an address.
    fn admit(&self, address: IpAddr, now: Timestamp) -> Result<(), Box<Reached>> {
        if self.requests.is_none() && self.abuse.is_none() {
            return Ok(());
        }
        let subject = network_of(address);
        if let Some(reached) = self.blocked(&subject, now) {
            return Err(Box::new(reached));
        }
        let Some(meter) = &self.requests else { return Ok(()) };
        let mut kept = lock(&meter.kept);
        match take(meter.rate, kept.get(&subject).copied(), 1, now) {
            Ok(tat) => {
                kept.put(subject, tat);
                Ok(())
            }
            Err(refusal) => {
                let what = "requests from this address";
                Err(Box::new(Reached::new(name::REQUESTS_PER_IP, meter.rate, what, subject, refusal)))
            }
        }
    }

    /// Notes that an address did what honest clients do not; says where that is once too often.
    fn mark(&self, address: IpAddr, now: Timestamp) -> Option<Reached> {
        let meter = self.abuse.as_ref()?;
        let subject = network_of(address);
        {
            let mut kept = lock(&meter.kept);
            if let Ok(tat) = take(meter.rate, kept.get(&subject).copied(), 1, now) {
                kept.put(subject.clone(), tat);
            }
        }
        self.blocked(&subject, now)
    }

    /// Why nothing of an address is heard.
    fn blocked(&self, subject: &str, now: Timestamp) -> Option<Reached> {
        let meter = self.abuse.as_ref()?;
        // Those that did nothing wrong are not noted: to look is enough.
        let stored = lock(&meter.kept).get(subject).copied()?;
        let refusal = take(meter.rate, Some(stored), 1, now).err()?;
        let what = "bad signatures and requests for objects of others from this address";
        Some(Reached::new(name::ABUSE_PER_IP, meter.rate, what, subject.to_owned(), refusal))
    }

    /// Whether the audit log has yet to hear of it: it does once in the time that the limit is about.
    fn is_news(&self, reached: &Reached, now: Timestamp) -> bool {
        let mut told = lock(&self.told);
        let key = (reached.limit, reached.subject.clone());
        if told.get(&key).is_some_and(|quiet| *quiet > now && *quiet <= now + reached.quiet) {
            return false;
        }
        told.put(key, now + reached.quiet);
        true
    }
}

fn lock<T>(kept: &Mutex<T>) -> MutexGuard<'_, T> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Holds every request to what its address may ask for, and notes where it came from.
pub(super) async fn hold(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    let origin = Arc::new(origin(&app, &request));
    let now = app.now();
    if let Err(reached) = app.addresses.admit(origin.ip, now) {
        tell(&app, &origin, &reached, now).await;
        return Failure::Limited(reached).into_response();
    }
    request.extensions_mut().insert(Arc::clone(&origin));
    let mut response = next.run(request).await;
    if let Some(reached) = response.extensions_mut().remove::<Box<Reached>>() {
        tell(&app, &origin, &reached, now).await;
    }
    if response.extensions_mut().remove::<Abuse>().is_some()
        && let Some(reached) = app.addresses.mark(origin.ip, now)
    {
        tell(&app, &origin, &reached, now).await;
    }
    response
}

/// Where a request came from.
fn origin(app: &App, request: &Request) -> Origin {
    let user_agent = request.headers().get(USER_AGENT).and_then(|value| value.to_str().ok());
    Origin {
        ip: app.proxies.client(request.extensions(), request.headers()),
        user_agent: user_agent.map(|text| text.chars().take(MAX_USER_AGENT).collect()),
    }
}

/// Tells the audit log of a limit that was reached.
async fn tell(app: &App, origin: &Arc<Origin>, reached: &Reached, now: Timestamp) {
    if !app.addresses.is_news(reached, now) {
        return;
    }
    let Reached { limit, subject, allowed, account_id, .. } = reached;
    tracing::warn!(event = "limit.reached", limit, subject, allowed, source_ip = %origin.ip, "a limit was reached");
    let details = json!({ "limit": limit, "subject": subject, "allowed": allowed });
    let kind = if *limit == name::ABUSE_PER_IP { events::ABUSE_BLOCKED } else { events::LIMIT_REACHED };
    let entry = Entry::new(kind, details).from(origin).denied(*limit);
    let entry = match account_id {
        Some(account_id) => entry.account(*account_id),
        None => entry,
    };
    if let Err(error) = app.trail.tell_alone(&app.db, entry, now).await {
        tracing::error!(%error, "a limit that was reached could not be told to the audit log");
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn addresses(requests: Option<&str>, abuse: Option<&str>) -> Addresses {
        let meter = |rate: &str| Meter {
            rate: rate.parse().unwrap(),
            kept: Mutex::new(LruCache::new(NonZeroUsize::new(3).unwrap())),
        };
        Addresses {
            requests: requests.map(meter),
            abuse: abuse.map(meter),
            told: Mutex::new(LruCache::new(NonZeroUsize::new(3).unwrap())),
        }
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_unix_millis(1_800_000_000_000 + millis)
    }

    #[test]
    fn an_address_has_so_many_requests() {
        let addresses = addresses(Some("3/1m"), None);
        for _ in 0..3 {
            addresses.admit(ip("2001:db8::1"), at(0)).unwrap();
        }
        for address in ["2001:db8::1", "2001:db8::2:1"] {
            let refused = addresses.admit(ip(address), at(1)).unwrap_err();
            assert_eq!((refused.limit, &*refused.subject), (name::REQUESTS_PER_IP, "2001:db8::/64"));
            assert_eq!(refused.after, Some(Duration::from_millis(19_999)));
        }
        assert!(addresses.admit(ip("2001:db8::1"), at(19_999)).is_err());
        addresses.admit(ip("2001:db8::1"), at(20_000)).unwrap();
        addresses.admit(ip("2001:db8:0:1::1"), at(1)).unwrap();
        // A clock that was a year ahead when it took them.
        addresses.admit(ip("192.0.2.1"), at(0) + Duration::from_hours(365 * 24)).unwrap();
        addresses.admit(ip("192.0.2.1"), at(0)).unwrap();
    }

    #[test]
    fn an_address_that_abuses_is_not_heard_for_a_while() {
        let addresses = addresses(Some("1000/1s"), Some("2/1m"));
        let (bad, good) = (ip("192.0.2.1"), ip("192.0.2.2"));
        assert_eq!(addresses.mark(bad, at(0)), None);
        addresses.admit(bad, at(0)).unwrap();
        let reached = addresses.mark(bad, at(0)).unwrap();
        assert_eq!((reached.limit, reached.after), (name::ABUSE_PER_IP, Some(Duration::from_secs(30))));
        // What comes meanwhile makes it no longer.
        assert!(addresses.mark(bad, at(10_000)).is_some());
        assert_eq!(addresses.admit(bad, at(0)), Err(Box::new(reached)));
        assert!(addresses.admit(bad, at(29_999)).is_err());
        addresses.admit(bad, at(30_000)).unwrap();
        addresses.admit(good, at(0)).unwrap();
    }

    #[test]
    fn limits_that_are_off_are_off() {
        let addresses = addresses(None, None);
        for _ in 0..10_000 {
            addresses.admit(ip("192.0.2.1"), at(0)).unwrap();
            assert_eq!(addresses.mark(ip("192.0.2.1"), at(0)), None);
        }
    }

    #[test]
    fn no_number_of_addresses_takes_more_room() {
        let addresses = addresses(Some("1/1h"), Some("1/1h"));
        for host in 0..200_u8 {
            let address = IpAddr::from([192, 0, 2, host]);
            addresses.admit(address, at(0)).unwrap();
            addresses.mark(address, at(0)).unwrap();
        }
        for meter in [&addresses.requests, &addresses.abuse] {
            assert_eq!(lock(&meter.as_ref().unwrap().kept).len(), 3);
        }
    }

    #[test]
    fn the_audit_log_hears_of_it_once_in_its_time() {
        let addresses = addresses(Some("1/1h"), None);
        let refused = |address: &str| {
            addresses.admit(ip(address), at(0)).ok();
            addresses.admit(ip(address), at(0)).unwrap_err()
        };
        let (one, other) = (refused("192.0.2.1"), refused("192.0.2.2"));
        assert!(addresses.is_news(&one, at(0)));
        assert!(!addresses.is_news(&one, at(3_599_999)));
        assert!(addresses.is_news(&other, at(1)));
        assert!(addresses.is_news(&one, at(3_600_000)));
        // A clock that was set back does not silence it for good.
        assert!(addresses.is_news(&one, at(-1)));
    }
}
