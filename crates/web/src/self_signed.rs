//! A certificate of the server's own making, until it gets one that others trust.

use std::net::IpAddr;
use std::time::Duration;

use chancery_pki::certificate::{self, MAX_VALIDITY, Validity, pem};
use chancery_pki::key::{KeyAlgorithm, KeyError, PrivateKey};
use chancery_pki::name::San;
use chancery_time::Timestamp;
use zeroize::Zeroizing;

/// How far it begins in the past, for clients whose clocks are slow.
const BACKDATE: Duration = Duration::from_hours(1);

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SelfSignedError {
    /// The host is neither.
    #[error("`{0}` is neither a host name in ASCII letters nor an address")]
    Host(String),
    /// No key could be made.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The key is there, and no certificate.
    #[error(transparent)]
    Certificate(#[from] certificate::SelfSignedError),
}

/// A new P-256 key, and a certificate under it for one host name or address: for TLS servers, valid from an hour ago
/// for 825 days. Both are PEM, the certificate first, as [`from_pem`](crate::from_pem) takes them.
///
/// # Errors
/// When the host is none, or the system has no randomness to give.
pub fn self_signed(host: &str, now: Timestamp) -> Result<(String, Zeroizing<String>), SelfSignedError> {
    let host = name(host)
        .ok_or_else(|| SelfSignedError::Host(host.chars().filter(|c| !c.is_control()).take(64).collect()))?;
    let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256)?;
    let certificate = certificate::self_signed(&host, &key, Validity::lasting(now - BACKDATE, MAX_VALIDITY))?;
    Ok((pem(&certificate), key.to_pem()?))
}

/// A host name (RFC 1123 §2.1; underscores pass, as people use them), or an address.
fn name(host: &str) -> Option<San> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Some(San::Ip(address));
    }
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    (host.len() <= 253 && host.split('.').all(is_label)).then(|| San::Dns(host.to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use chancery_time::{Clock, SystemClock};
    use rustls::RootCertStore;
    use rustls::client::WebPkiServerVerifier;
    use rustls::client::danger::ServerCertVerifier;
    use rustls::crypto::aws_lc_rs;
    use rustls::pki_types::{CertificateDer, ServerName, UnixTime};

    use super::*;
    use crate::from_pem;

    /// A client that trusts a certificate for `host` and nothing else, the certificate, and when it was made.
    fn client(host: &str) -> (Arc<WebPkiServerVerifier>, CertificateDer<'static>, Timestamp) {
        let now = SystemClock.now();
        let (chain, key) = self_signed(host, now).unwrap();
        let certificate = from_pem(&chain, &key).unwrap().cert[0].clone();
        let mut roots = RootCertStore::empty();
        roots.add(certificate.clone()).unwrap();
        let provider = Arc::new(aws_lc_rs::default_provider());
        let client = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build();
        (client.unwrap(), certificate, now)
    }

    #[test]
    fn a_client_that_trusts_it_takes_it_for_its_host_and_time() {
        const DAY: i64 = 86_400;
        let (no_name, not_yet, expired) = (Some("NotValidForName"), Some("NotValidYet"), Some("Expired"));
        for (host, wanted, seconds_from_now, refusal) in [
            ("portal.example.test", "portal.example.test", 0, None),
            ("Portal", "portal", 0, None),
            ("192.0.2.1", "192.0.2.1", 0, None),
            ("2001:db8::1", "2001:db8::1", 0, None),
            ("portal.test", "portal.test", -3_500, None),
            ("portal.test", "portal.test", 824 * DAY, None),
            ("portal.test", "portal.test", -3_700, not_yet),
            ("portal.test", "portal.test", 825 * DAY, expired),
            ("portal.test", "other.test", 0, no_name),
            ("192.0.2.1", "192.0.2.2", 0, no_name),
        ] {
            let (client, certificate, now) = client(host);
            let at = u64::try_from(now.unix_seconds() + seconds_from_now).unwrap();
            let at = UnixTime::since_unix_epoch(Duration::from_secs(at));
            let name = ServerName::try_from(wanted).unwrap();
            let verdict = client.verify_server_cert(&certificate, &[], &name, &[], at);
            let case = format!("{host} for {wanted} in {seconds_from_now} s: {verdict:?}");
            match refusal {
                None => assert!(verdict.is_ok(), "{case}"),
                Some(refusal) => assert!(format!("{:?}", verdict.unwrap_err()).contains(refusal), "{case}"),
            }
        }
    }

    #[test]
    fn what_is_no_host_is_refused() {
        let long = vec!["x".repeat(63); 4].join(".");
        for host in ["", "a b", "a..b", "-a", "a-", "*.test", "bücher.test", "[::1]", "a:443", "a\n", &long]
        {
            let refused = self_signed(host, SystemClock.now());
            assert!(matches!(refused, Err(SelfSignedError::Host(_))), "{host}");
        }
    }
}
