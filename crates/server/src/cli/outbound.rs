//! `chancery outbound`: every destination that a configuration may lead to, and why.

use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;

use chancery_acme::challenge::ChallengeType;
use chancery_cli::print;
use serde_json::{Value, json};

use crate::config::license::CallHome;
use crate::config::policy::{DnsOver, Profile, Validation};
use crate::config::{self, Config};

/// Somebody to whom connections are made.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Destination {
    /// `licence_portal`, `proxy`, `database`, `name_server` or `client`.
    kind: &'static str,
    /// Who, and on which port.
    to: String,
    protocol: &'static str,
    why: String,
}

pub(super) fn run(file: &Path, as_json: bool) -> anyhow::Result<ExitCode> {
    let config = config::load(file)?;
    let (licensing, destinations) = (licensing(&config), destinations(&config));
    if as_json {
        print(&json(&licensing, &destinations).to_string())?;
    } else {
        print(&text(&licensing, &destinations))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What there is to say of licences: nobody is contacted for them unless a portal is named.
fn licensing(config: &Config) -> String {
    match &config.license.call_home {
        CallHome::Offline { unused: None } => "nobody is contacted: license.offline is set".to_owned(),
        CallHome::Offline { unused: Some(portal) } => {
            format!("nobody is contacted: license.offline is set, and the portal {} is not used", portal.url)
        }
        CallHome::NoPortal => "nobody is contacted: no portal is configured".to_owned(),
        CallHome::Portal(portal) => format!("{} is asked, and nobody else", portal.url),
    }
}

/// Every destination, derived from the configuration alone.
fn destinations(config: &Config) -> Vec<Destination> {
    let mut all = portal(config);
    all.extend(config.database.places().into_iter().map(|to| Destination {
        kind: "database",
        to,
        protocol: "PostgreSQL",
        why: "the server keeps everything there (database.dsn)".to_owned(),
    }));
    for (index, validation) in config.validations.iter().enumerate() {
        let profiles: Vec<&Profile> =
            config.profiles.iter().filter(|profile| profile.validation == index).collect();
        if !profiles.is_empty() {
            all.extend(clients(validation, &profiles));
            all.extend(name_servers(validation, &profiles));
        }
    }
    all
}

fn portal(config: &Config) -> Vec<Destination> {
    let Some(portal) = config.license.portal() else { return Vec::new() };
    let mut all = Vec::new();
    let mut way = "directly".to_owned();
    let mut resolved_here = vec![portal.host.as_str()];
    if let Some(proxy) = &portal.proxy {
        way = format!("through {}", proxy.url);
        all.push(Destination {
            kind: "proxy",
            to: format!("{}:{}", bracketed(&proxy.host), proxy.port),
            protocol: if proxy.url.starts_with("socks5") { "SOCKS5" } else { "HTTP CONNECT" },
            why: "the way to the licence portal (license.portal.proxy)".to_owned(),
        });
        // Only socks5:// looks names up on this side.
        let by_proxy = !proxy.url.starts_with("socks5://");
        resolved_here.retain(|_| !by_proxy);
        resolved_here.push(&proxy.host);
    }
    all.push(Destination {
        kind: "licence_portal",
        to: format!("{}:{}", bracketed(&portal.host), portal.port),
        protocol: "HTTPS",
        why: format!(
            "newer licences, revocations and keys, {way}, every {} h; what is sent is listed in docs/licensing.md",
            portal.interval.as_secs() / 3_600
        ),
    });
    resolved_here.retain(|host| host.parse::<std::net::IpAddr>().is_err());
    if !resolved_here.is_empty() {
        all.push(Destination {
            kind: "name_server",
            to: SYSTEM_RESOLVERS.to_owned(),
            protocol: "DNS",
            why: format!("the address of {}", resolved_here.join(" and ")),
        });
    }
    all
}

const SYSTEM_RESOLVERS: &str = "the name servers of the system (/etc/resolv.conf)";

/// The machines whose names are validated.
fn clients(validation: &Validation, profiles: &[&Profile]) -> Vec<Destination> {
    let mut all = Vec::new();
    let egress = egress(validation);
    let mut add = |challenge: ChallengeType, ports: String, protocol| {
        let of = offering(profiles, challenge);
        if !of.is_empty() {
            all.push(Destination {
                kind: "client",
                to: format!("the addresses of requested names, {ports}"),
                protocol,
                why: format!("{} for {}; {egress}", challenge.name(), named(&of)),
            });
        }
    };
    let mut redirects = vec![80, 443, validation.http_port, validation.https_port];
    redirects.sort_unstable();
    redirects.dedup();
    let redirects = redirects.iter().map(u16::to_string).collect::<Vec<_>>().join(", ");
    let ports = format!("port {}, and where they redirect to on ports {redirects}", validation.http_port);
    add(ChallengeType::Http01, ports, "HTTP, HTTPS where redirected");
    add(ChallengeType::TlsAlpn01, format!("port {}", validation.tls_alpn_port), "TLS");
    all
}

/// Whoever is asked in the DNS: for the addresses of names, for challenges, and for CAA records.
fn name_servers(validation: &Validation, profiles: &[&Profile]) -> Vec<Destination> {
    let protocol = match validation.dns_over {
        DnsOver::Udp => "DNS over UDP and TCP",
        DnsOver::Tcp => "DNS over TCP",
    };
    let mut what = vec!["the addresses of requested names", "TXT records of challenges"];
    if profiles.iter().any(|profile| profile.caa) {
        what.push("CAA records");
    }
    let what = what.join(", ");
    let mut all = Vec::new();
    let mut add = |to: String, why: String| all.push(Destination { kind: "name_server", to, protocol, why });
    let of = format!("(validation `{}`)", validation.name);
    if validation.resolvers.is_empty() {
        add(SYSTEM_RESOLVERS.to_owned(), format!("{what} {of}"));
    }
    for server in &validation.resolvers {
        add(server.to_string(), format!("{what} {of}"));
    }
    for zone in &validation.zones {
        for server in &zone.resolvers {
            add(server.to_string(), format!("{what} in the zone {} {of}", zone.name));
        }
    }
    if validation.authoritative {
        let why = format!("challenges and CAA records are asked of them itself {of}; {}", egress(validation));
        add("the name servers of the zones of requested names, port 53".to_owned(), why);
    }
    all
}

/// The policy that every address is held against before it is dialled.
fn egress(validation: &Validation) -> String {
    let list =
        |networks: &[ipnet::IpNet]| networks.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let mut told =
        String::from("never loopback, link-local, multicast, reserved and cloud-metadata addresses");
    // Writing to a String cannot fail.
    if !validation.egress_allow.is_empty() {
        let _ = write!(told, " but for {}", list(&validation.egress_allow));
    }
    if !validation.egress_deny.is_empty() {
        let _ = write!(told, ", nor {}", list(&validation.egress_deny));
    }
    told
}

fn offering<'a>(profiles: &[&'a Profile], challenge: ChallengeType) -> Vec<&'a str> {
    let offering = profiles.iter().filter(|profile| profile.challenges.contains(&challenge));
    offering.map(|profile| profile.name.as_str()).collect()
}

fn named(profiles: &[&str]) -> String {
    let what = if profiles.len() == 1 { "the profile" } else { "the profiles" };
    format!("{what} {}", profiles.join(", "))
}

fn bracketed(host: &str) -> String {
    if host.contains(':') { format!("[{host}]") } else { host.to_owned() }
}

fn text(licensing: &str, destinations: &[Destination]) -> String {
    let mut text = format!("Licensing: {licensing}.\n");
    if destinations.is_empty() {
        text.push_str("Nothing else is contacted either.\n");
    }
    for Destination { to, protocol, why, .. } in destinations {
        let _ = write!(text, "\n{to} ({protocol})\n  {why}\n");
    }
    text
}

fn json(licensing: &str, destinations: &[Destination]) -> Value {
    let listed = destinations.iter().map(|destination| {
        json!({
            "kind": destination.kind,
            "to": destination.to,
            "protocol": destination.protocol,
            "why": destination.why,
        })
    });
    json!({ "licensing": licensing, "destinations": listed.collect::<Vec<_>>() })
}

#[cfg(test)]
mod tests;
