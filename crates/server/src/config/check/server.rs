//! `server`: where the server is, and what it says of itself.

use std::path::Path;

use chancery_acme::identifier::DnsName;
use chancery_cli::config::{BaseUrl, Problems, TlsFiles, address_and_port, each, network, path_in, tls};
use serde_saphyr::Spanned;

use super::super::raw::RawServer;
use super::super::{Server, Tls};

pub(super) fn server(workdir: &Path, raw: &RawServer, problems: &mut Problems) -> Option<Server> {
    let url = BaseUrl::read(&raw.url.value, "which RFC 8555 §6.1 demands");
    let url = problems.accept(raw.url.referenced, "server.url", url);
    let listen = address_and_port(&raw.listen.value);
    let listen = problems.accept(raw.listen.referenced, "server.listen", listen);
    let tls = match &raw.tls {
        None => Tls::SelfIssued,
        Some(raw) => {
            let TlsFiles { certificate, key } = tls(workdir, "server.tls", raw, problems);
            Tls::Files { certificate, key }
        }
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
    let compromised_keys =
        raw.compromised_keys.as_ref().map(|list| path_in(workdir, "server.compromised_keys", list, problems));
    let url: BaseUrl = url?;
    if caa_identities.is_empty() && DnsName::new(url.host()).is_ok() {
        caa_identities.push(url.host().to_owned());
    }
    Some(Server {
        url,
        listen: listen?,
        workdir: workdir.to_owned(),
        tls,
        terms_of_service,
        website,
        caa_identities,
        several_nodes: raw.several_nodes.as_ref().is_some_and(|several| several.value),
        trusted_proxies,
        compromised_keys,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// The listener's own certificate is for the host.
        #[test]
        fn the_host_of_a_url_is_a_name_or_an_address_of_a_certificate(
            host in "((xn--)?[a-zA-Z0-9_-]{1,6}\\.?){1,4}",
        ) {
            let url = BaseUrl::read(&format!("https://{host}"), "");
            let is_address = host.parse::<std::net::IpAddr>().is_ok();
            prop_assert_eq!(url.is_ok(), is_address || DnsName::new(&host).is_ok());
            if let (Ok(url), Ok(name)) = (url, DnsName::new(&host)) {
                prop_assert_eq!(url.host(), name.as_str());
            }
        }
    }
}
