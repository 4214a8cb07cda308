//! The rules of webhooks: which URLs they may have, which addresses they may reach, which events they may want.

use std::net::{IpAddr, SocketAddr};

use chancery_validation::egress::{EgressPolicy, RefusalReason};
use ipnet::IpNet;
use url::{Host, Url};

use super::Refusal;
use crate::config::Webhooks;
use crate::events;

/// No receiver needs a longer one.
const MAX_URL_BYTES: usize = 2_000;
/// The events that are told to the issuance log alone: no webhook ever hears of them.
const LOG_ALONE: [&str; 3] = [events::PORTAL_START.name, events::PORTAL_STOP.name, events::WEBHOOK_TEST.name];

/// Where a webhook's deliveries go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target(Url);

/// How a receiver is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scheme {
    /// Without TLS: for receivers that the configuration allows by name.
    Http,
    Https,
}

impl Target {
    /// Reads a URL.
    ///
    /// # Errors
    /// The first rule that it breaks.
    pub(crate) fn read(text: &str) -> Result<Self, Refusal> {
        let refused = |rule: &str| Refusal::field("url", rule);
        if text.len() > MAX_URL_BYTES {
            return Err(refused("is longer than 2,000 bytes"));
        }
        // The parser would leave some of them out without a word.
        if text.chars().any(|character| character.is_control() || character.is_whitespace()) {
            return Err(refused("holds a space or a control character"));
        }
        let url = Url::parse(text).map_err(|_| refused("is no URL such as https://example.com/hooks"))?;
        if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
            return Err(refused("is no https URL such as https://example.com/hooks"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(refused("holds credentials: receivers know deliveries by their signature"));
        }
        if url.fragment().is_some() {
            return Err(refused("has a fragment (#…), which is never sent: leave it out"));
        }
        if url.port() == Some(0) {
            return Err(refused("has the port 0, at which nobody listens"));
        }
        Ok(Self(url))
    }

    pub(crate) fn as_str(&self) -> &str {
        self.0.as_str()
    }

    pub(crate) fn url(&self) -> &Url {
        &self.0
    }

    /// The host, for the issuance log: paths and queries of receivers hold secrets.
    pub(crate) fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }

    pub(crate) fn scheme(&self) -> Scheme {
        if self.0.scheme() == "http" { Scheme::Http } else { Scheme::Https }
    }

    /// The address that stands in the URL where a name could stand, in whichever form it was written.
    fn literal(&self) -> Option<IpAddr> {
        match self.0.host()? {
            Host::Ipv4(v4) => Some(v4.into()),
            Host::Ipv6(v6) => Some(v6.into()),
            Host::Domain(_) => None,
        }
    }
}

/// Which addresses deliveries may be sent to. What a client may name as a receiver, the portal connects to: without
/// a rule it would speak to its neighbours and to itself for anybody with an API key (server-side request forgery).
#[derive(Debug, Clone)]
pub(crate) struct Destinations {
    policy: EgressPolicy,
    allow: Vec<IpNet>,
}

/// An address that deliveries are not sent to, and what its operator can do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotAllowed {
    #[error("{0} is in {1}, which `webhooks.deny` of the portal's configuration names")]
    Denied(IpAddr, IpNet),
    #[error("{0} is {1}: `webhooks.allow` of the portal's configuration has to name its network")]
    Special(IpAddr, chancery_validation::egress::SpecialUse),
    #[error(
        "{0} is not in `webhooks.allow` of the portal's configuration: without that, receivers are spoken to by https alone"
    )]
    Plain(IpAddr),
}

impl Destinations {
    pub(crate) fn new(config: &Webhooks) -> Self {
        let (allow, deny) = (config.allow.clone(), config.deny.clone());
        let policy = EgressPolicy::new(allow.clone(), deny, Vec::new()).refusing_private();
        Self { policy, allow }
    }

    /// Whether deliveries may be sent to that very address.
    ///
    /// # Errors
    /// The rule that refuses it.
    pub(crate) fn check(&self, scheme: Scheme, ip: IpAddr) -> Result<(), NotAllowed> {
        // The rules are the same for every port.
        self.policy.check(SocketAddr::new(ip, 443)).map_err(|refusal| match refusal.reason {
            RefusalReason::Denied(network) => NotAllowed::Denied(ip, network),
            RefusalReason::Special(special) => NotAllowed::Special(ip, special),
            // There are none.
            RefusalReason::OwnListener => NotAllowed::Plain(ip),
        })?;
        let own = ip.to_canonical();
        if scheme == Scheme::Http && !self.allow.iter().any(|network| network.contains(&own)) {
            return Err(NotAllowed::Plain(ip));
        }
        Ok(())
    }

    /// What can be said of a target before its name is looked up. An address in place of a name is never looked up,
    /// so that this is all that is asked of it.
    ///
    /// # Errors
    /// The rule that refuses it.
    pub(crate) fn check_target(&self, target: &Target) -> Result<(), Refusal> {
        match target.literal() {
            Some(ip) => self.check(target.scheme(), ip).map_err(|refusal| Refusal::field("url", refusal)),
            None if target.scheme() == Scheme::Http && self.allow.is_empty() => Err(Refusal::field(
                "url",
                "has to begin with https://: others are for receivers in `webhooks.allow` of the portal's configuration",
            )),
            None => Ok(()),
        }
    }
}

/// Checks the names of the events that a webhook wants; none for all.
///
/// # Errors
/// A name that there is not, and one that stands twice.
pub(crate) fn wanted(events: &[String]) -> Result<(), Refusal> {
    for (index, name) in events.iter().enumerate() {
        if !events::ALL.iter().any(|kind| kind.name == name) || LOG_ALONE.contains(&name.as_str()) {
            let shown: String = name.chars().filter(|character| !character.is_control()).take(64).collect();
            let message =
                format!("`{shown}` is no event that webhooks are told of: docs/portal-events.md lists them");
            return Err(Refusal::field("events", message));
        }
        if events.iter().take(index).any(|before| before == name) {
            return Err(Refusal::field("events", format_args!("{name} stands twice")));
        }
    }
    Ok(())
}

/// Whether a webhook is told of an event: it wants it, and reaches the data that it is about. What belongs to no
/// environment, such as users, is told to live webhooks.
pub(crate) fn hears(live: bool, events: &[String], name: &str, is_live: Option<bool>) -> bool {
    live == is_live.unwrap_or(true) && (events.is_empty() || events.iter().any(|event| event == name))
}

#[cfg(test)]
mod tests;
