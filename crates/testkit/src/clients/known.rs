//! The clients there are pages of.

use super::page::Page;

/// A client, and for some of them which edition of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KnownClient {
    /// The EFF's client, as PyPI has it.
    Certbot,
    /// The EFF's client, as Debian has it.
    CertbotDebian,
    /// A client written in Go.
    Lego,
    /// A client written in C.
    Uacme,
    /// A client written in bash.
    Dehydrated,
    /// A client of two hundred lines of Python.
    AcmeTiny,
    /// A web server that gets its certificates itself, as PyPI has it.
    Caddy,
    /// A web server that gets its certificates itself, as Debian has it.
    CaddyDebian,
    /// The Apache web server's own module.
    ModMd,
    /// A module for Node.
    NpmAcmeClient,
}

impl KnownClient {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Certbot,
        Self::CertbotDebian,
        Self::Lego,
        Self::Uacme,
        Self::Dehydrated,
        Self::AcmeTiny,
        Self::Caddy,
        Self::CaddyDebian,
        Self::ModMd,
        Self::NpmAcmeClient,
    ];

    /// The name of its page, without `.md`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Certbot | Self::CertbotDebian => "certbot",
            Self::Lego => "lego",
            Self::Uacme => "uacme",
            Self::Dehydrated => "dehydrated",
            Self::AcmeTiny => "acme-tiny",
            Self::Caddy | Self::CaddyDebian => "caddy",
            Self::ModMd => "mod_md",
            Self::NpmAcmeClient => "acme-client",
        }
    }

    pub(super) fn page(self) -> Page {
        macro_rules! page {
            ($file:literal) => {
                Page::read($file, include_str!(concat!("../../../../docs/clients/", $file)))
            };
        }
        match self {
            Self::Certbot | Self::CertbotDebian => page!("certbot.md"),
            Self::Lego => page!("lego.md"),
            Self::Uacme => page!("uacme.md"),
            Self::Dehydrated => page!("dehydrated.md"),
            Self::AcmeTiny => page!("acme-tiny.md"),
            Self::Caddy | Self::CaddyDebian => page!("caddy.md"),
            Self::ModMd => page!("mod_md.md"),
            Self::NpmAcmeClient => page!("acme-client.md"),
        }
    }

    /// What the page calls its programs, and the variables in which `make test` says where they are.
    pub(super) fn programs(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Certbot => &[("certbot", "CHANCERY_TEST_CERTBOT")],
            Self::CertbotDebian => &[("certbot", "CHANCERY_TEST_CERTBOT_DEBIAN")],
            Self::Lego => &[("lego", "CHANCERY_TEST_LEGO")],
            Self::Uacme => &[("uacme", "CHANCERY_TEST_UACME")],
            Self::Dehydrated => &[("dehydrated", "CHANCERY_TEST_DEHYDRATED")],
            Self::AcmeTiny => &[("acme-tiny", "CHANCERY_TEST_ACME_TINY")],
            Self::Caddy => &[("caddy", "CHANCERY_TEST_CADDY")],
            Self::CaddyDebian => &[("caddy", "CHANCERY_TEST_CADDY_DEBIAN")],
            Self::ModMd => &[("apache2", "CHANCERY_TEST_APACHE")],
            Self::NpmAcmeClient => &[],
        }
    }

    /// The directories that are there once the client is installed, or on any Debian.
    pub(super) fn directories(self) -> &'static [&'static str] {
        match self {
            Self::Certbot | Self::CertbotDebian | Self::Lego | Self::AcmeTiny | Self::NpmAcmeClient => &[],
            Self::Uacme => &["/etc/ssl"],
            Self::Dehydrated => &["/etc/dehydrated", "/var/lib/dehydrated"],
            Self::Caddy | Self::CaddyDebian => &["/etc/caddy", "/var/lib/caddy"],
            Self::ModMd => &["/etc/apache2", "/var/lib/apache2", "/var/log/apache2", "/run/apache2"],
        }
    }

    /// Where the page says that the certificate, the chain and the key are. `NAME` stands for the name in
    /// the certificate.
    pub(super) fn files(self) -> [&'static str; 3] {
        match self {
            Self::Certbot | Self::CertbotDebian => [
                "/etc/letsencrypt/live/NAME/cert.pem",
                "/etc/letsencrypt/live/NAME/chain.pem",
                "/etc/letsencrypt/live/NAME/privkey.pem",
            ],
            Self::Lego => [
                "/var/lib/lego/certificates/NAME.crt",
                "/var/lib/lego/certificates/NAME.issuer.crt",
                "/var/lib/lego/certificates/NAME.key",
            ],
            Self::Uacme => [
                "/etc/ssl/uacme/NAME/cert.pem",
                "/etc/ssl/uacme/NAME/cert.pem",
                "/etc/ssl/uacme/private/NAME/key.pem",
            ],
            Self::Dehydrated => [
                "/var/lib/dehydrated/certs/NAME/cert.pem",
                "/var/lib/dehydrated/certs/NAME/chain.pem",
                "/var/lib/dehydrated/certs/NAME/privkey.pem",
            ],
            Self::AcmeTiny => {
                ["/etc/acme-tiny/NAME.pem", "/etc/acme-tiny/NAME.pem", "/etc/acme-tiny/NAME.key"]
            }
            // The directory between has its name from the URL of the ACME directory.
            Self::Caddy | Self::CaddyDebian => [
                "/var/lib/caddy/certificates/*/NAME/NAME.crt",
                "/var/lib/caddy/certificates/*/NAME/NAME.crt",
                "/var/lib/caddy/certificates/*/NAME/NAME.key",
            ],
            Self::ModMd => [
                "/var/lib/apache2/md/domains/NAME/pubcert.pem",
                "/var/lib/apache2/md/domains/NAME/pubcert.pem",
                "/var/lib/apache2/md/domains/NAME/privkey.pem",
            ],
            Self::NpmAcmeClient => {
                ["/etc/acme-client/NAME.pem", "/etc/acme-client/NAME.pem", "/etc/acme-client/NAME.key"]
            }
        }
    }

    /// Whether it is a server that gets its certificate in the background.
    pub(super) fn is_server(self) -> bool {
        matches!(self, Self::Caddy | Self::CaddyDebian | Self::ModMd)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{SET_UP, Step};
    use super::*;

    /// A heading that was misspelt would be a step that no test runs.
    #[test]
    fn every_page_has_the_headings_that_are_run_and_no_others() {
        for known in KnownClient::ALL {
            let page = known.page();
            for needed in [Step::Issue, Step::Renew] {
                page.commands(needed.heading());
            }
            for heading in page.headings() {
                let is_step = Step::ALL.iter().any(|step| step.heading() == heading);
                assert!(is_step || heading == SET_UP, "{}.md: commands under `{heading}`", known.name());
            }
        }
    }

    #[test]
    fn every_page_is_listed() {
        let list = include_str!("../../../../docs/clients/README.md");
        for known in KnownClient::ALL {
            assert!(list.contains(&format!("({}.md)", known.name())), "{known:?} is not in README.md");
        }
    }
}
