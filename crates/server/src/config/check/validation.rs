//! `validation`: how names are checked.

use std::net::SocketAddr;
use std::time::Duration;

use chancery_acme::identifier::DnsName;
use chancery_cli::config::{Problems, each, network, unique_names, within};
use serde_saphyr::Spanned;

use super::super::policy::{DnsOver, Validation, Zone};
use super::super::raw::{RawValidation, RawZone};

/// How long a question to a name server may take unless the file says otherwise.
const DEFAULT_DNS_TIMEOUT: Duration = Duration::from_secs(3);
const MIN_DNS_TIMEOUT: Duration = Duration::from_secs(1);
const MAX_DNS_TIMEOUT: Duration = Duration::from_secs(30);

pub(super) fn validations(raw: &Spanned<Vec<RawValidation>>, problems: &mut Problems) -> Vec<Validation> {
    if raw.value.is_empty() {
        problems.add(raw.referenced, "validation", "is empty: profiles need one to check names with");
    }
    unique_names("validation", raw.value.iter().map(|validation| &validation.name), problems);
    raw.value.iter().enumerate().map(|(index, raw)| validation(index, raw, problems)).collect()
}

fn validation(index: usize, raw: &RawValidation, problems: &mut Problems) -> Validation {
    let field = |name: &str| format!("validation[{index}].{name}");
    let zones = raw.zones.iter().enumerate();
    Validation {
        name: raw.name.value.clone(),
        http_port: port(&field("http01.port"), raw.http01.port.as_ref(), 80, problems),
        https_port: port(&field("http01.https_port"), raw.http01.https_port.as_ref(), 443, problems),
        tls_alpn_port: port(&field("tls_alpn01.port"), raw.tls_alpn01.port.as_ref(), 443, problems),
        resolvers: each(&field("resolvers"), &raw.resolvers, name_server, problems),
        zones: zones
            .filter_map(|(place, raw)| zone(&field(&format!("zones[{place}]")), raw, problems))
            .collect(),
        authoritative: raw.authoritative,
        dnssec: raw.dnssec,
        dns_over: dns_over(&field("dns_over"), raw.dns_over.as_ref(), problems),
        dns_timeout: dns_timeout(&field("dns_timeout"), raw.dns_timeout.as_ref(), problems),
        egress_allow: each(&field("egress.allow"), &raw.egress.allow, network, problems),
        egress_deny: each(&field("egress.deny"), &raw.egress.deny, network, problems),
    }
}

fn zone(field: &str, raw: &RawZone, problems: &mut Problems) -> Option<Zone> {
    let name = problems.accept(raw.zone.referenced, &format!("{field}.zone"), DnsName::new(&raw.zone.value));
    let field = format!("{field}.resolvers");
    if raw.resolvers.value.is_empty() {
        problems.add(raw.resolvers.referenced, &field, "is empty: name the servers of this zone");
    }
    let resolvers = each(&field, &raw.resolvers.value, name_server, problems);
    Some(Zone { name: name?.as_str().to_owned(), resolvers })
}

fn dns_over(field: &str, raw: Option<&Spanned<String>>, problems: &mut Problems) -> DnsOver {
    match raw.map(|raw| (raw, raw.value.as_str())) {
        None | Some((_, "udp")) => DnsOver::Udp,
        Some((_, "tcp")) => DnsOver::Tcp,
        Some((raw, other)) => {
            let unknown = format!("`{other}` carries no questions to name servers: use udp or tcp");
            problems.add(raw.referenced, field, unknown);
            DnsOver::Udp
        }
    }
}

fn dns_timeout(field: &str, raw: Option<&Spanned<String>>, problems: &mut Problems) -> Duration {
    let timeout = raw.and_then(|text| {
        let bounds = MIN_DNS_TIMEOUT..=MAX_DNS_TIMEOUT;
        let timeout = within(&text.value, "a question to a name server", bounds, "1s to 30s");
        problems.accept(text.referenced, field, timeout)
    });
    timeout.unwrap_or(DEFAULT_DNS_TIMEOUT)
}

fn port(field: &str, port: Option<&Spanned<i64>>, default: u16, problems: &mut Problems) -> u16 {
    let Some(port) = port else { return default };
    match u16::try_from(port.value) {
        Ok(number) if number != 0 => return number,
        _ => {}
    }
    let wrong = format!("{} is not a port: write 1 to 65535, or leave the key out for {default}", port.value);
    problems.add(port.referenced, field, wrong);
    default
}

fn name_server(text: &str) -> Result<SocketAddr, String> {
    let with_port = text.parse().or_else(|_| text.parse().map(|address| SocketAddr::new(address, 53)));
    with_port.map_err(|_| format!("`{text}` is not an address such as 192.0.2.53 or 192.0.2.53:5353"))
}
