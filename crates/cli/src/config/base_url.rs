//! The origin that a program is reached under.

use std::net::IpAddr;

use http::Uri;
use idna::AsciiDenyList;
use idna::uts46::{DnsLength, Hyphens, Uts46};

const WANTED: &str = "write https://HOST or https://HOST:PORT, as clients will use it";

/// How many characters a host name may have (RFC 1035 §3.1, less the root's octet and a length).
const MAX_NAME: usize = 253;

/// The `https` origin that every URL of a program starts with; it has no path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUrl {
    origin: String,
    host: String,
}

impl BaseUrl {
    /// Reads `https://host[:port]`, with or without a slash behind it. `because` ends the sentence that refuses
    /// another scheme, such as `which RFC 8555 §6.1 demands`.
    ///
    /// # Errors
    /// A sentence for the operator.
    pub fn read(text: &str, because: &str) -> Result<Self, String> {
        let uri: Uri = text.parse().map_err(|_| format!("`{text}` is not a URL: {WANTED}"))?;
        if uri.scheme_str() != Some("https") {
            return Err(format!("`{text}` does not begin with https://, {because}: {WANTED}"));
        }
        if !matches!(uri.path(), "" | "/") || uri.query().is_some() || text.contains('#') {
            return Err(format!("`{text}` has a path, a query or a fragment: {WANTED}"));
        }
        let authority = uri.authority().ok_or_else(|| format!("`{text}` has no host: {WANTED}"))?;
        if authority.as_str().contains('@') {
            return Err(format!("the URL names a user: {WANTED}"));
        }
        let host = host(authority.host())?;
        let port = authority.as_str().strip_prefix(authority.host()).unwrap_or_default();
        if !port.is_empty() && authority.port_u16().is_none_or(|port| port == 0) {
            return Err(format!("`{text}` has no port from 1 to 65535 behind its colon: {WANTED}"));
        }
        // RFC 3986 §6.2.3: the default port is left out, so that URLs compare equal to those that clients write.
        let authority = authority.as_str().to_ascii_lowercase();
        let authority = authority.strip_suffix(":443").unwrap_or(&authority);
        Ok(Self { origin: format!("https://{authority}"), host })
    }

    /// `https://host[:port]`.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The host alone: an address without brackets, or a name in lower case without a dot at its end.
    pub fn host(&self) -> &str {
        &self.host
    }
}

fn host(text: &str) -> Result<String, String> {
    let bare = text.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(text);
    if let Ok(address) = bare.parse::<IpAddr>() {
        return Ok(address.to_string());
    }
    let name = bare.strip_suffix('.').unwrap_or(bare).to_ascii_lowercase();
    if is_host_name(&name) { Ok(name) } else { Err(format!("`{bare}` is not the name of a host: {WANTED}")) }
}

/// Whether a text is a host name in lower case: letters, digits and hyphens (RFC 5890 §2.3.1), international labels
/// as A-labels. Each label is looked at by itself.
fn is_host_name(text: &str) -> bool {
    let is_label = |label: &str| {
        let rules = Uts46::new();
        let canonical =
            rules.to_ascii(label.as_bytes(), AsciiDenyList::STD3, Hyphens::Check, DnsLength::Verify);
        canonical.is_ok_and(|canonical| canonical == label)
    };
    // RFC 1123 §2.1: the last label of a name is alphabetic; what ends in digits is a mistyped address.
    let last = text.rsplit('.').next().unwrap_or_default();
    text.len() <= MAX_NAME && text.split('.').all(is_label) && !last.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Result<BaseUrl, String> {
        BaseUrl::read(text, "which keeps keys secret")
    }

    #[test]
    fn an_origin_is_a_scheme_a_host_and_maybe_a_port() {
        for (text, origin, host) in [
            ("https://ca.example.org", "https://ca.example.org", "ca.example.org"),
            ("https://CA.Example.org/", "https://ca.example.org", "ca.example.org"),
            ("https://ca.example.org:443", "https://ca.example.org", "ca.example.org"),
            ("https://ca.example.org:14000", "https://ca.example.org:14000", "ca.example.org"),
            ("https://localhost:14000/", "https://localhost:14000", "localhost"),
            ("https://ca.example.org.", "https://ca.example.org.", "ca.example.org"),
            ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example", "xn--bcher-kva.example"),
            ("https://192.0.2.1", "https://192.0.2.1", "192.0.2.1"),
            ("https://[2001:DB8:0::1]:8443", "https://[2001:db8:0::1]:8443", "2001:db8::1"),
        ] {
            let url = read(text).unwrap();
            assert_eq!((url.origin(), url.host()), (origin, host), "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused_with_its_reason() {
        for (text, why) in [
            ("", "is not a URL"),
            ("https://", "is not a URL"),
            ("https://bücher.example", "is not a URL"),
            ("ca.example.org", "does not begin with https://, which keeps keys secret"),
            ("http://ca.example.org", "does not begin with https://, which keeps keys secret"),
            ("https://ca.example.org/acme", "has a path, a query or a fragment"),
            ("https://ca.example.org/?a", "has a path, a query or a fragment"),
            ("https://ca.example.org/#a", "has a path, a query or a fragment"),
            ("https://me:secret@ca.example.org", "names a user"),
            ("https://ca.example.org:", "has no port"),
            ("https://ca.example.org:0", "has no port"),
            ("https://ca_1.example.org", "`ca_1.example.org` is not the name of a host"),
            ("https://192.0.2", "`192.0.2` is not the name of a host"),
        ] {
            let told = read(text).unwrap_err();
            assert!(
                told.contains(why) && told.contains(WANTED) && !told.contains("secret@"),
                "{text}: {told}"
            );
        }
    }

    #[test]
    fn host_names_are_labels_of_letters_digits_and_hyphens() {
        let labels = |length: usize| ["a".repeat(length).as_str(); 4].join(".");
        // Digits beside a label that is written from right to left.
        assert!(is_host_name("0.xn--bjb"));
        assert!(is_host_name(&"a".repeat(63)) && is_host_name(&format!("{}.a", labels(62))));
        for name in [
            "",
            ".",
            "a..b",
            ".a",
            "a_b.test",
            "a b",
            "a.*.test",
            "*.a.test",
            "-a.test",
            "a-.test",
            "ab--c.test",
            "xn--a.test",
            "xn--99999999.test",
            "xn--abc-.test",
            "bücher.test",
            "A.test",
            "192.0.2.1",
            "a.1",
            &"a".repeat(64),
            &labels(64),
            &format!("{}.aaa", labels(62)),
        ] {
            assert!(!is_host_name(name), "{name}");
        }
    }

    proptest! {
        #[test]
        fn what_is_read_reads_back(text in "https://[a-zA-Z0-9.:\\[\\]-]{0,30}/?") {
            if let Ok(url) = read(&text) {
                prop_assert_eq!(read(url.origin()), Ok(url));
            }
        }

        #[test]
        fn no_text_makes_it_panic(text in "(https://)?(xn--)?\\PC*") {
            let _ = read(&text);
        }
    }
}
