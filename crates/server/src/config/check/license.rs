//! `license`: which licences count, and who is asked for newer ones.

use std::path::Path;
use std::time::Duration;

use chancery_acme::identifier::DnsName;
use chancery_cli::config::{Problems, path_in, within};
use serde_saphyr::Spanned;

use super::super::license::{CallHome, Credentials, License, Portal, Proxy};
use super::super::raw::{RawLicense, RawPortal, RawProxy};
use super::super::{PassphraseSource, Secrets};

/// How often the portal is asked unless the file says otherwise, and what it may say.
const DEFAULT_INTERVAL: Duration = Duration::from_secs(24 * 3_600);
const MIN_INTERVAL: Duration = Duration::from_secs(3_600);
const MAX_INTERVAL: Duration = Duration::from_secs(30 * 86_400);

/// RFC 1929 §2.
const MAX_CREDENTIAL: usize = 255;

pub(super) fn license(
    workdir: &Path,
    raw: &RawLicense,
    secrets: &Secrets,
    problems: &mut Problems,
) -> License {
    let environment = raw.environment.as_ref().and_then(|name| {
        let known = name.value.parse().map_err(|error| format!("`{}` is none: {error}", name.value));
        problems.accept(name.referenced, "license.environment", known)
    });
    let portal = raw.portal.as_ref().and_then(|raw| portal(workdir, raw, secrets, problems));
    let call_home = match portal {
        unused if raw.offline => CallHome::Offline { unused },
        Some(portal) => CallHome::Portal(portal),
        None => CallHome::NoPortal,
    };
    License { environment, call_home }
}

fn portal(workdir: &Path, raw: &RawPortal, secrets: &Secrets, problems: &mut Problems) -> Option<Portal> {
    let url = problems.accept(raw.url.referenced, "license.portal.url", portal_url(&raw.url.value));
    let ca_file = raw.ca_file.as_ref().map(|file| path_in(workdir, "license.portal.ca_file", file, problems));
    let proxy = raw.proxy.as_ref().map(|raw| proxy(workdir, raw, secrets, problems));
    let interval = raw.interval.as_ref().and_then(|text| {
        let bounds = MIN_INTERVAL..=MAX_INTERVAL;
        let interval =
            within(&text.value, "the time between two questions to the portal", bounds, "1h to 30d");
        problems.accept(text.referenced, "license.portal.interval", interval)
    });
    let (url, host, port) = url?;
    // A proxy that cannot be used must not mean that there is none.
    let proxy = match proxy {
        None => None,
        Some(proxy) => Some(proxy?),
    };
    Some(Portal { url, host, port, ca_file, proxy, interval: interval.unwrap_or(DEFAULT_INTERVAL) })
}

/// Reads `https://host[:port][/path]`.
fn portal_url(text: &str) -> Result<(String, String, u16), String> {
    let wanted = "write https://HOST or https://HOST:PORT, and a path where the portal has one";
    let uri = url(text, wanted)?;
    if uri.scheme_str() != Some("https") {
        return Err(format!("`{text}` does not begin with https://: {wanted}"));
    }
    if uri.query().is_some() {
        return Err(format!("`{text}` has a query: {wanted}"));
    }
    let (authority, host, port) = place(&uri, text, wanted)?;
    let path = uri.path().trim_end_matches('/');
    Ok((format!("https://{authority}{path}"), host, port.unwrap_or(443)))
}

fn proxy(workdir: &Path, raw: &RawProxy, secrets: &Secrets, problems: &mut Problems) -> Option<Proxy> {
    let url = problems.accept(raw.url.referenced, "license.portal.proxy.url", proxy_url(&raw.url.value));
    let credentials = credentials(workdir, raw, secrets, problems);
    let (url, host, port) = url?;
    Some(Proxy { url, host, port, credentials })
}

/// Reads `scheme://host:port`.
fn proxy_url(text: &str) -> Result<(String, String, u16), String> {
    let wanted = "write http://HOST:PORT, https://HOST:PORT or socks5://HOST:PORT";
    let uri = url(text, wanted)?;
    let scheme = match uri.scheme_str() {
        Some(scheme @ ("http" | "https" | "socks5" | "socks5h")) => scheme,
        _ => return Err(format!("`{text}` names no kind of proxy that is known here: {wanted}")),
    };
    if !matches!(uri.path(), "" | "/") || uri.query().is_some() {
        return Err(format!("`{text}` has a path or a query: {wanted}"));
    }
    let (authority, host, port) = place(&uri, text, wanted)?;
    let port = port.ok_or_else(|| format!("`{text}` has no port: {wanted}"))?;
    Ok((format!("{scheme}://{authority}"), host, port))
}

fn credentials(
    workdir: &Path,
    raw: &RawProxy,
    secrets: &Secrets,
    problems: &mut Problems,
) -> Option<Credentials> {
    let field = "license.portal.proxy.username";
    let file = raw.password_file.as_ref();
    let file_field = "license.portal.proxy.password_file";
    let path = file.map(|file| path_in(workdir, file_field, file, problems));
    let Some(username) = &raw.username else {
        if let Some(file) = file {
            problems.add(
                file.referenced,
                file_field,
                "is of no use without username: add it, or remove this",
            );
        }
        return None;
    };
    problems.accept(username.referenced, field, is_username(username));
    let of_environment = secrets.proxy_password.clone().map(PassphraseSource::Environment);
    let Some(password) = of_environment.or(path.map(PassphraseSource::File)) else {
        let missing = "needs a password: name a password_file, or set CHANCERY_PROXY_PASSWORD";
        problems.add(username.referenced, field, missing);
        return None;
    };
    Some(Credentials { username: username.value.clone(), password })
}

fn is_username(name: &Spanned<String>) -> Result<(), &'static str> {
    let name = name.value.as_str();
    if name.is_empty() || name.len() > MAX_CREDENTIAL || name.chars().any(char::is_control) {
        return Err("must have 1 to 255 bytes and no control characters");
    }
    // RFC 7617 §2: the first colon ends the name.
    if name.contains(':') { Err("must not have a colon") } else { Ok(()) }
}

fn url(text: &str, wanted: &str) -> Result<http::Uri, String> {
    if text.contains('#') {
        return Err(format!("`{text}` has a fragment: {wanted}"));
    }
    // A URL with a user may have a password beside it, which is not repeated.
    if text.contains('@') {
        return Err(format!("the URL names a user: {wanted}"));
    }
    text.parse().map_err(|_| format!("`{text}` is not a URL: {wanted}"))
}

/// The authority in lower case, its host, and its port where it names one.
fn place(uri: &http::Uri, text: &str, wanted: &str) -> Result<(String, String, Option<u16>), String> {
    let authority = uri.authority().ok_or_else(|| format!("`{text}` has no host: {wanted}"))?;
    let bracketed = authority.host();
    let bare = bracketed.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(bracketed);
    let host = match bare.parse::<std::net::IpAddr>() {
        Ok(address) => address.to_string(),
        Err(_) => DnsName::new(bare).map_err(|error| format!("`{text}`: {error}"))?.as_str().to_owned(),
    };
    let port = authority.as_str().strip_prefix(bracketed).unwrap_or_default();
    if !port.is_empty() && authority.port_u16().is_none_or(|port| port == 0) {
        return Err(format!("`{text}` has no port from 1 to 65535 behind its colon: {wanted}"));
    }
    Ok((authority.as_str().to_ascii_lowercase(), host, authority.port_u16()))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::super::super::{Config, check};
    use super::*;

    fn checked(license: &str, secrets: &Secrets) -> Result<Config, String> {
        let text = format!(
            "server: {{url: https://ca.example, listen: \"127.0.0.1:1\", workdir: w}}\n\
             database: {{driver: sqlite, path: a.db}}\n\
             authorities: [{{name: a, type: local, directory: ca, passphrase_file: p}}]\n\
             validation: [{{name: v}}]\n\
             profiles: [{{name: p, authority: a, validation: v}}]\n\
             license:\n{license}"
        );
        check(Path::new("/etc/c.yml"), &text, secrets).map_err(|error| error.to_string())
    }

    fn portal_of(license: &str) -> Portal {
        let config =
            checked(license, &Secrets::default()).unwrap_or_else(|error| panic!("{license}: {error}"));
        config.license.portal().unwrap_or_else(|| panic!("{license}")).clone()
    }

    #[test]
    fn a_portal_is_read_with_its_way_there() {
        let portal = portal_of(
            "  portal: {url: \"https://Licences.Example:8443/base/\", ca_file: ca.pem, interval: 2h, \
             proxy: {url: \"socks5://10.0.0.9:1080\", username: box, password_file: proxy-password}}",
        );
        assert_eq!(portal.url, "https://licences.example:8443/base");
        assert_eq!((portal.host.as_str(), portal.port), ("licences.example", 8_443));
        assert_eq!(portal.ca_file, Some(PathBuf::from("/etc/w/ca.pem")));
        assert_eq!(portal.interval, Duration::from_secs(7_200));
        let proxy = portal.proxy.unwrap();
        assert_eq!((proxy.url.as_str(), proxy.port), ("socks5://10.0.0.9:1080", 1_080));
        let credentials = proxy.credentials.unwrap();
        assert_eq!(credentials.username, "box");
        assert!(
            matches!(credentials.password, PassphraseSource::File(path) if path == Path::new("/etc/w/proxy-password"))
        );

        let plain = portal_of("  portal: {url: \"https://[2001:db8::1]\"}");
        assert_eq!(
            (plain.url.as_str(), plain.host.as_str(), plain.port),
            ("https://[2001:db8::1]", "2001:db8::1", 443)
        );
        assert_eq!((plain.interval, plain.proxy.is_none(), plain.ca_file), (DEFAULT_INTERVAL, true, None));
    }

    #[test]
    fn the_environment_comes_before_the_file() {
        let secrets = Secrets { proxy_password: Some("hunter2".into()), ..Secrets::default() };
        let license = "  portal: {url: \"https://p.example\", proxy: {url: \"http://x.example:1\", username: u, password_file: f}}";
        let config = checked(license, &secrets).unwrap();
        let credentials = config.license.portal().unwrap().proxy.clone().unwrap().credentials.unwrap();
        assert!(matches!(credentials.password, PassphraseSource::Environment(_)));
        assert!(!format!("{config:?}").contains("hunter2"));
    }

    #[test]
    fn nobody_is_asked_without_a_portal_or_offline() {
        let none = |license: &str| checked(license, &Secrets::default()).unwrap().license;
        assert!(matches!(none("  environment: dev").call_home, CallHome::NoPortal));
        assert!(matches!(none("  offline: true").call_home, CallHome::Offline { unused: None }));
        let offline = none("  offline: true\n  portal: {url: \"https://p.example\"}");
        assert!(offline.portal().is_none());
        assert!(matches!(offline.call_home, CallHome::Offline { unused: Some(_) }));
    }

    #[test]
    fn what_cannot_be_used_is_refused_where_it_stands() {
        let proxy = |proxy: &str| format!("  portal: {{url: \"https://p.example\", proxy: {{{proxy}}}}}");
        for (license, expected) in [
            (
                "  portal: {url: \"http://p.example\"}".to_owned(),
                ":7:17: license.portal.url: `http://p.example` does not begin with https://",
            ),
            (
                "  portal: {url: \"https://u:secret@p.example\"}".to_owned(),
                "license.portal.url: the URL names a user",
            ),
            ("  portal: {url: \"https://p.example?a=b\"}".to_owned(), "has a query"),
            ("  portal: {url: \"https://p.example/#a\"}".to_owned(), "has a fragment"),
            ("  portal: {url: \"https://p.example:0\"}".to_owned(), "has no port from 1 to 65535"),
            ("  portal: {url: p.example}".to_owned(), "does not begin with https://"),
            ("  portal: {}".to_owned(), "url"),
            ("  portal: {url: \"https://p.example\", interval: 30m}".to_owned(), "1h to 30d"),
            ("  portal: {url: \"https://p.example\", extra: 1}".to_owned(), "extra"),
            ("  offline: 1".to_owned(), ":7:"),
            (proxy("url: \"ftp://x.example:1\""), "names no kind of proxy"),
            (proxy("url: \"http://x.example\""), "has no port: write"),
            (proxy("url: \"http://u:secret@x.example:1\""), "proxy.url: the URL names a user"),
            (proxy("url: \"http://x.example:1/path\""), "has a path or a query"),
            (proxy("url: \"http://x.example:1\", username: u"), "needs a password"),
            (proxy("url: \"http://x.example:1\", password_file: f"), "is of no use without username"),
            (
                proxy("url: \"http://x.example:1\", username: \"a:b\", password_file: f"),
                "must not have a colon",
            ),
        ] {
            let error = checked(&license, &Secrets::default()).expect_err(&license);
            assert!(error.contains(expected), "{license}: {error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
