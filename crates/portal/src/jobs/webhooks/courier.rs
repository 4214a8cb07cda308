//! What calls receivers, and nobody else.
//!
//! The addresses that a name leads to are looked at when they are dialled, not before: the answer to an earlier question
//! may have been another one.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use chancery_time::Timestamp;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use reqwest::{Client, ClientBuilder};

use crate::domain::webhook::{Destinations, NotAllowed, Scheme, Target};
use crate::service::deliveries::{Outcome, Receiver};
use crate::store::deliveries::Taken;

const USER_AGENT: &str = concat!("chancery-portal/", env!("CARGO_PKG_VERSION"));
/// For all of an attempt: names, connection, request and answer.
const TIMEOUT: Duration = Duration::from_secs(10);
/// So much of an answer is read for the connection's sake; what it says is nobody's business here.
const MAX_ANSWER_BYTES: usize = 1_024;
const IDLE_CONNECTIONS: usize = 1;
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

const EVENT: HeaderName = HeaderName::from_static("chancery-event");
const DELIVERY: HeaderName = HeaderName::from_static("chancery-delivery");
const SIGNATURE: HeaderName = HeaderName::from_static("chancery-signature");

/// What delivers.
#[derive(Debug)]
pub(crate) struct Courier {
    destinations: Arc<Destinations>,
    /// Or why there is none: a machine without any root has no use for the client, and may not need it.
    https: Result<Client, String>,
    http: Client,
}

/// Looks names up and hands out no address that is not allowed.
struct Guard {
    destinations: Arc<Destinations>,
    scheme: Scheme,
}

impl Courier {
    /// A courier who trusts the certificates in a file, or else those of the system.
    ///
    /// # Errors
    /// When the file cannot be used.
    pub(crate) fn new(destinations: Arc<Destinations>, ca_file: Option<&Path>) -> anyhow::Result<Self> {
        let client = |scheme| {
            chancery_web::client(USER_AGENT)
                .timeout(TIMEOUT)
                .pool_max_idle_per_host(IDLE_CONNECTIONS)
                .pool_idle_timeout(IDLE_TIMEOUT)
                .dns_resolver(Guard { destinations: Arc::clone(&destinations), scheme })
        };
        let build =
            |builder: ClientBuilder| builder.build().context("the client for webhooks cannot be made");
        let https = client(Scheme::Https).https_only(true);
        let https = match ca_file {
            Some(file) => {
                let roots = chancery_web::roots(file).context("webhooks.ca_file")?;
                Ok(build(https.tls_certs_only(roots))?)
            }
            None => https.build().map_err(chancery_web::why),
        };
        let http = build(client(Scheme::Http).tls_certs_only([]))?;
        Ok(Self { destinations, https, http })
    }

    /// Makes one attempt.
    pub(super) async fn deliver(&self, receiver: &Receiver, taken: &Taken, now: Timestamp) -> Outcome {
        self.attempt(receiver, taken, now).await.map_or_else(Outcome::Failed, Outcome::Answered)
    }

    async fn attempt(&self, receiver: &Receiver, taken: &Taken, now: Timestamp) -> Result<u16, String> {
        let target = Target::read(&receiver.url).map_err(|refusal| refusal.message)?;
        // The client asks its resolver about names alone.
        self.destinations.check_target(&target).map_err(|refusal| refusal.message)?;
        let client = match target.scheme() {
            Scheme::Http => &self.http,
            Scheme::Https => self.https.as_ref().map_err(|error| format!("{error}: set webhooks.ca_file"))?,
        };
        let secret = receiver.secret.as_ref().map_err(ToString::to_string)?;
        let sent = client
            .post(target.url().clone())
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .header(EVENT, &taken.event)
            .header(DELIVERY, &taken.id)
            .header(SIGNATURE, secret.sign(now, &taken.body))
            .body(taken.body.clone())
            .send()
            .await;
        let mut answer = sent.map_err(told)?;
        let mut read = 0;
        while read <= MAX_ANSWER_BYTES
            && let Ok(Some(chunk)) = answer.chunk().await
        {
            read += chunk.len();
        }
        Ok(answer.status().as_u16())
    }
}

fn told(error: reqwest::Error) -> String {
    if error.is_timeout() {
        return format!("there was no answer within {} s", TIMEOUT.as_secs());
    }
    chancery_web::why(error)
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let (destinations, scheme) = (Arc::clone(&self.destinations), self.scheme);
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            permitted(&destinations, scheme, &found)?;
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// Whether all of a name's addresses may be dialled: one that leads inside and outside is not to be trusted.
fn permitted(destinations: &Destinations, scheme: Scheme, found: &[SocketAddr]) -> Result<(), NotAllowed> {
    found.iter().try_for_each(|address| destinations.check(scheme, address.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Webhooks;

    #[test]
    fn one_address_inside_refuses_the_name() {
        let allow = vec!["127.0.0.0/8".parse().unwrap()];
        let destinations = Destinations::new(&Webhooks { allow, deny: Vec::new(), ca_file: None });
        let check = |scheme, found: &[&str]| {
            let found: Vec<SocketAddr> = found.iter().map(|address| address.parse().unwrap()).collect();
            permitted(&destinations, scheme, &found).is_ok()
        };
        assert!(check(Scheme::Https, &["9.9.9.7:0", "127.0.0.1:0", "[2620:fe::7]:0"]));
        assert!(!check(Scheme::Https, &["9.9.9.7:0", "10.0.0.1:0"]));
        assert!(!check(Scheme::Https, &["[2620:fe::7]:0", "[::ffff:10.0.0.1]:0"]));
        assert!(check(Scheme::Http, &["127.0.0.1:0", "127.0.0.2:0"]));
        assert!(!check(Scheme::Http, &["127.0.0.1:0", "9.9.9.7:0"]));
    }

    #[test]
    fn a_file_without_roots_is_named() {
        let destinations =
            Arc::new(Destinations::new(&Webhooks { allow: vec![], deny: vec![], ca_file: None }));
        let error = Courier::new(destinations, Some(Path::new("/nowhere.pem"))).unwrap_err();
        assert!(format!("{error:#}").contains("webhooks.ca_file: cannot open /nowhere.pem"), "{error:#}");
    }
}
