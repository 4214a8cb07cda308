//! `server` and `database`: where the server is, and where it keeps its rows.

use std::path::Path;

use chancery_acme::identifier::DnsName;
use secrecy::SecretString;
use serde_saphyr::Spanned;

use super::super::error::Problems;
use super::super::raw::{RawDatabase, RawServer};
use super::super::{BaseUrl, Secrets, Server, Tls};
use super::{each, network, path_in, workdir};

pub(super) fn server(file: &Path, raw: &RawServer, problems: &mut Problems) -> Option<Server> {
    let url = problems.accept(raw.url.referenced, "server.url", base_url(&raw.url.value));
    let listen = problems.accept(
        raw.listen.referenced,
        "server.listen",
        raw.listen.value.parse().map_err(|_| {
            format!("`{}` is not an address and port such as 127.0.0.1:14000 or [::]:443", raw.listen.value)
        }),
    );
    if raw.workdir.value.is_empty() {
        problems.add(raw.workdir.referenced, "server.workdir", "is empty: name a directory");
    }
    let workdir = workdir(file, raw);
    let tls = match &raw.tls {
        None => Tls::SelfIssued,
        Some(tls) => Tls::Files {
            certificate: path_in(&workdir, "server.tls.certificate", &tls.certificate, problems),
            key: path_in(&workdir, "server.tls.key", &tls.key, problems),
        },
    };
    let mut web_page = |field, page: &Option<Spanned<String>>| {
        let page = page.as_ref()?;
        if !page.value.starts_with("https://") && !page.value.starts_with("http://") {
            problems.add(page.referenced, field, format!("`{}` is not the URL of a web page", page.value));
        }
        Some(page.value.clone())
    };
    let terms_of_service = web_page("server.terms_of_service", &raw.terms_of_service);
    let website = web_page("server.website", &raw.website);
    let issuer = |text: &str| {
        DnsName::new(text).map(|name| name.as_str().to_owned()).map_err(|error| error.to_string())
    };
    let mut caa_identities = each("server.caa_identities", &raw.caa_identities, issuer, problems);
    let trusted_proxies = each("server.trusted_proxies", &raw.trusted_proxies, network, problems);
    let compromised_keys = raw
        .compromised_keys
        .as_ref()
        .map(|list| path_in(&workdir, "server.compromised_keys", list, problems));
    let url: BaseUrl = url?;
    if caa_identities.is_empty() && DnsName::new(url.host()).is_ok() {
        caa_identities.push(url.host().to_owned());
    }
    Some(Server {
        url,
        listen: listen?,
        workdir,
        tls,
        terms_of_service,
        website,
        caa_identities,
        several_nodes: raw.several_nodes.as_ref().is_some_and(|several| several.value),
        trusted_proxies,
        compromised_keys,
    })
}

/// Reads `https://host[:port]`, with or without a slash behind it.
fn base_url(text: &str) -> Result<BaseUrl, String> {
    let wanted = "write https://HOST or https://HOST:PORT, as clients will use it";
    let uri: http::Uri = text.parse().map_err(|_| format!("`{text}` is not a URL: {wanted}"))?;
    if uri.scheme_str() != Some("https") {
        return Err(format!("`{text}` does not begin with https://, which RFC 8555 §6.1 demands: {wanted}"));
    }
    if !matches!(uri.path(), "" | "/") || uri.query().is_some() || text.contains('#') {
        return Err(format!("`{text}` has a path, a query or a fragment: {wanted}"));
    }
    let authority = uri.authority().ok_or_else(|| format!("`{text}` has no host: {wanted}"))?;
    if authority.as_str().contains('@') {
        return Err(format!("the URL names a user: {wanted}"));
    }
    let host = authority.host();
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let host = match bare.parse::<std::net::IpAddr>() {
        Ok(address) => address.to_string(),
        Err(_) => DnsName::new(bare).map_err(|error| error.to_string())?.as_str().to_owned(),
    };
    let port = authority.as_str().strip_prefix(authority.host()).unwrap_or_default();
    if !port.is_empty() && authority.port_u16().is_none_or(|port| port == 0) {
        return Err(format!("`{text}` has no port from 1 to 65535 behind its colon: {wanted}"));
    }
    // RFC 3986 §6.2.3: the default port is left out, so that URLs compare equal to those that clients write.
    let authority = authority.as_str().to_ascii_lowercase();
    let authority = authority.strip_suffix(":443").unwrap_or(&authority);
    Ok(BaseUrl { origin: format!("https://{authority}"), host })
}

pub(super) fn database(
    workdir: &Path,
    raw: RawDatabase,
    secrets: &Secrets,
    problems: &mut Problems,
) -> Option<chancery_db::Config> {
    match raw.driver.value.as_str() {
        "sqlite" => {
            if let Some(dsn) = &raw.dsn {
                problems.add(
                    dsn.referenced,
                    "database.dsn",
                    "belongs to the driver postgres: remove it, or change the driver",
                );
            }
            let Some(path) = &raw.path else {
                problems.add(raw.driver.referenced, "database.path", "is missing: name the SQLite file");
                return None;
            };
            Some(chancery_db::Config::Sqlite { path: path_in(workdir, "database.path", path, problems) })
        }
        "postgres" => {
            if let Some(path) = &raw.path {
                problems.add(
                    path.referenced,
                    "database.path",
                    "belongs to the driver sqlite: remove it, or change the driver",
                );
            }
            let dsn = secrets.database_dsn.clone().or(raw.dsn.map(|dsn| SecretString::from(dsn.value)));
            if dsn.is_none() {
                let missing = "is missing: write it here, or set CHANCERY_DATABASE_DSN";
                problems.add(raw.driver.referenced, "database.dsn", missing);
            }
            Some(chancery_db::Config::Postgres { dsn: dsn? })
        }
        other => {
            let unknown = format!("`{other}` is not a driver: use sqlite or postgres");
            problems.add(raw.driver.referenced, "database.driver", unknown);
            None
        }
    }
}
