//! From the file as written to a configuration that the portal can run with.

use std::path::Path;
use std::time::Duration;

use chancery_cli::config::{
    BaseUrl, ConfigError, Problems, RawDatabase, RawTls, address_and_port, database, each, network, parse,
    path_in, tls, within, workdir,
};
use chancery_rate::Rate;
use secrecy::SecretString;
use serde::Deserialize;
use serde_saphyr::Spanned;

use super::{Config, DATABASE_DSN, Limits, Revocations, Server, Tls, Webhooks};

const DAY: Duration = Duration::from_secs(86_400);
/// What switches a limit off; YAML 1.1 takes `off` for a truth value, and so do programs that write it.
const OFF: [&str; 2] = ["off", "false"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawConfig {
    server: RawServer,
    database: RawDatabase,
    #[serde(default)]
    limits: RawLimits,
    #[serde(default)]
    webhooks: RawWebhooks,
    #[serde(default)]
    revocations: RawRevocations,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawServer {
    url: Spanned<String>,
    listen: Spanned<String>,
    workdir: Spanned<String>,
    tls: Option<RawTls>,
    behind_proxy: Option<Spanned<bool>>,
    #[serde(default)]
    trusted_proxies: Vec<Spanned<String>>,
}

/// Each is a number and a length of time, such as `600/1m`, or `off`.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLimits {
    requests_per_key: Option<Spanned<String>>,
    requests_per_ip: Option<Spanned<String>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawWebhooks {
    #[serde(default)]
    allow: Vec<Spanned<String>>,
    #[serde(default)]
    deny: Vec<Spanned<String>>,
    ca_file: Option<Spanned<String>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRevocations {
    next_update: Option<Spanned<String>>,
}

/// Reads a configuration from its text. `dsn` goes before the connection string of the file.
///
/// # Errors
/// The first fault of form, or else every fault of content.
pub(crate) fn check(file: &Path, text: &str, dsn: Option<&SecretString>) -> Result<Config, ConfigError> {
    let raw: RawConfig = parse(file, text)?;
    let mut problems = Problems::default();
    let problems_ref = &mut problems;
    let workdir = workdir(file, "server.workdir", &raw.server.workdir, problems_ref);
    let server = server(&workdir, &raw.server, problems_ref);
    let database = database(&workdir, raw.database, DATABASE_DSN, dsn, problems_ref);
    let mut rate =
        |field, raw: &Option<Spanned<String>>, default| rate(field, raw.as_ref(), default, problems_ref);
    let limits = Limits {
        requests_per_key: rate("limits.requests_per_key", &raw.limits.requests_per_key, "1200/1m"),
        requests_per_ip: rate("limits.requests_per_ip", &raw.limits.requests_per_ip, "240/1m"),
    };
    let webhooks = Webhooks {
        allow: each("webhooks.allow", &raw.webhooks.allow, network, &mut problems),
        deny: each("webhooks.deny", &raw.webhooks.deny, network, &mut problems),
        ca_file: raw.webhooks.ca_file.map(|path| path_in(&workdir, "webhooks.ca_file", &path, &mut problems)),
    };
    let revocations = revocations(&raw.revocations, &mut problems);
    match (server, database) {
        (Some(server), Some(database)) if problems.is_empty() => {
            Ok(Config { server, database, limits, webhooks, revocations })
        }
        _ => Err(problems.into_error(file)),
    }
}

fn server(workdir: &Path, raw: &RawServer, problems: &mut Problems) -> Option<Server> {
    let url = BaseUrl::read(&raw.url.value, "which licence keys deserve");
    let url = problems.accept(raw.url.referenced, "server.url", url);
    let listen = problems.accept(raw.listen.referenced, "server.listen", address_and_port(&raw.listen.value));
    let proxy = raw.behind_proxy.as_ref().filter(|behind| behind.value);
    let tls = match (&raw.tls, proxy) {
        (None, None) => Tls::SelfSigned,
        (Some(files), None) => Tls::Files(tls(workdir, "server.tls", files, problems)),
        (None, Some(behind)) => {
            if listen.is_some_and(|listen| !listen.ip().is_loopback()) {
                let open = "without TLS the portal listens on loopback alone: give server.listen such as 127.0.0.1:15000";
                problems.add(behind.referenced, "server.behind_proxy", open);
            }
            Tls::Proxy
        }
        (Some(_), Some(behind)) => {
            let both = "the proxy speaks TLS: remove server.tls, or this key";
            problems.add(behind.referenced, "server.behind_proxy", both);
            Tls::Proxy
        }
    };
    let trusted_proxies = each("server.trusted_proxies", &raw.trusted_proxies, network, problems);
    Some(Server { url: url?, listen: listen?, workdir: workdir.to_owned(), tls, trusted_proxies })
}

fn rate(field: &str, raw: Option<&Spanned<String>>, default: &str, problems: &mut Problems) -> Option<Rate> {
    let Some(raw) = raw else { return default.parse().ok() };
    if OFF.contains(&raw.value.as_str()) {
        return None;
    }
    let rate = raw.value.parse::<Rate>().map_err(|error| format!("{error}; `off` switches the limit off"));
    problems.accept(raw.referenced, field, rate)
}

fn revocations(raw: &RawRevocations, problems: &mut Problems) -> Revocations {
    let usual = Revocations { next_update: 30 * DAY };
    let Some(given) = &raw.next_update else { return usual };
    let within = within(&given.value, "a revocation list", DAY..=366 * DAY, "1d to 366d");
    let next_update = problems.accept(given.referenced, "revocations.next_update", within);
    next_update.map_or(usual, |next_update| Revocations { next_update })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::template::{Answers, render};

    const MINIMAL: &str = "server: {url: https://portal.example, listen: 127.0.0.1:15000, workdir: /srv/portal}\n\
                           database: {driver: sqlite, path: portal.db}\n";

    fn checked(text: &str) -> Result<Config, String> {
        check(Path::new("/etc/portal.yaml"), text, None).map_err(|error| error.to_string())
    }

    #[test]
    fn the_template_is_a_configuration() {
        let answers = Answers {
            url: "https://localhost:15000",
            listen: "127.0.0.1:15000".parse().unwrap(),
            workdir: Path::new("/srv/portal"),
        };
        let config = checked(&render(&answers)).unwrap();
        assert_eq!(config.server.tls, Tls::SelfSigned);
        assert_eq!(config.server.url.origin(), "https://localhost:15000");
    }

    #[test]
    fn what_is_left_out_has_a_default() {
        let config = checked(MINIMAL).unwrap();
        assert_eq!(config.limits.requests_per_key, "1200/1m".parse().ok());
        assert_eq!(config.limits.requests_per_ip, "240/1m".parse().ok());
        assert_eq!(config.revocations.next_update, 30 * DAY);
        let off = checked(&format!("{MINIMAL}limits: {{requests_per_key: off}}\n")).unwrap();
        assert_eq!(off.limits.requests_per_key, None);
    }

    #[test]
    fn faults_are_told_with_their_place() {
        for (text, told) in [
            (MINIMAL.replace("https://", "http://"), "/etc/portal.yaml:1:15: server.url"),
            (MINIMAL.replace("127.0.0.1:15000", "localhost"), "server.listen: `localhost`"),
            (MINIMAL.replace("127.0.0.1:15000,", "192.0.2.1:80, behind_proxy: true,"), "loopback alone"),
            (
                MINIMAL.replace("workdir:", "tls: {certificate: a, key: b}, behind_proxy: true, workdir:"),
                "remove server.tls",
            ),
            (format!("{MINIMAL}limits: {{requests_per_ip: 0/1m}}\n"), "limits.requests_per_ip"),
            (format!("{MINIMAL}webhooks: {{allow: [everywhere]}}\n"), "webhooks.allow[0]"),
            (format!("{MINIMAL}revocations: {{next_update: 1h}}\n"), "revocations.next_update"),
            (format!("{MINIMAL}more: 1\n"), "unknown field `more`"),
        ] {
            let error = checked(&text).unwrap_err();
            assert!(error.contains(told), "{text}: {error}");
        }
    }
}
