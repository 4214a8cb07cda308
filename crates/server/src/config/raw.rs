//! The configuration file as written. Unknown keys are refused here, by serde; what a value must be
//! is settled in `check`.

use chancery_cli::config::{RawDatabase, RawTls};
use serde::Deserialize;
use serde_saphyr::Spanned;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawConfig {
    pub(super) server: RawServer,
    pub(super) database: RawDatabase,
    pub(super) authorities: Spanned<Vec<RawAuthority>>,
    pub(super) validation: Spanned<Vec<RawValidation>>,
    pub(super) profiles: Spanned<Vec<RawProfile>>,
    #[serde(default)]
    pub(super) limits: RawLimits,
    #[serde(default)]
    pub(super) license: RawLicense,
    #[serde(default)]
    pub(super) audit: RawAudit,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawAudit {
    pub(super) required: Option<bool>,
    pub(super) backlog: Option<Spanned<i64>>,
    pub(super) segment_mib: Option<Spanned<i64>>,
    pub(super) segment_age: Option<Spanned<String>>,
    pub(super) checkpoint_every: Option<Spanned<i64>>,
    pub(super) compress: Option<bool>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawLicense {
    pub(super) environment: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) offline: bool,
    pub(super) portal: Option<RawPortal>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPortal {
    pub(super) url: Spanned<String>,
    pub(super) ca_file: Option<Spanned<String>>,
    pub(super) proxy: Option<RawProxy>,
    pub(super) interval: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawProxy {
    pub(super) url: Spanned<String>,
    pub(super) username: Option<Spanned<String>>,
    pub(super) password_file: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawServer {
    pub(super) url: Spanned<String>,
    pub(super) listen: Spanned<String>,
    pub(super) workdir: Spanned<String>,
    pub(super) tls: Option<RawTls>,
    pub(super) terms_of_service: Option<Spanned<String>>,
    pub(super) website: Option<Spanned<String>>,
    pub(super) several_nodes: Option<Spanned<bool>>,
    #[serde(default)]
    pub(super) caa_identities: Vec<Spanned<String>>,
    #[serde(default)]
    pub(super) trusted_proxies: Vec<Spanned<String>>,
    pub(super) compromised_keys: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawAuthority {
    pub(super) name: Spanned<String>,
    #[serde(rename = "type")]
    pub(super) kind: Spanned<String>,
    pub(super) directory: Spanned<String>,
    pub(super) passphrase_file: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) alternate_chains: Vec<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawValidation {
    pub(super) name: Spanned<String>,
    #[serde(default)]
    pub(super) http01: RawHttp01,
    #[serde(default)]
    pub(super) tls_alpn01: RawTlsAlpn01,
    #[serde(default)]
    pub(super) resolvers: Vec<Spanned<String>>,
    #[serde(default)]
    pub(super) zones: Vec<RawZone>,
    #[serde(default)]
    pub(super) authoritative: bool,
    #[serde(default)]
    pub(super) dnssec: bool,
    pub(super) dns_over: Option<Spanned<String>>,
    pub(super) dns_timeout: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) egress: RawEgress,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawHttp01 {
    pub(super) port: Option<Spanned<i64>>,
    pub(super) https_port: Option<Spanned<i64>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTlsAlpn01 {
    pub(super) port: Option<Spanned<i64>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawZone {
    pub(super) zone: Spanned<String>,
    pub(super) resolvers: Spanned<Vec<Spanned<String>>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawEgress {
    #[serde(default)]
    pub(super) allow: Vec<Spanned<String>>,
    #[serde(default)]
    pub(super) deny: Vec<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawProfile {
    pub(super) name: Spanned<String>,
    pub(super) description: Option<Spanned<String>>,
    pub(super) allow: Option<Spanned<Vec<Spanned<String>>>>,
    #[serde(default)]
    pub(super) deny: Vec<Spanned<String>>,
    pub(super) challenges: Option<Spanned<Vec<Spanned<String>>>>,
    pub(super) validation: Spanned<String>,
    pub(super) authority: Option<Spanned<String>>,
    pub(super) authorities: Option<Spanned<Vec<Spanned<String>>>>,
    pub(super) strategy: Option<Spanned<String>>,
    pub(super) validity: Option<Spanned<String>>,
    pub(super) max_validity: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) keys: RawKeys,
    pub(super) key_usages: Option<Spanned<Vec<Spanned<String>>>>,
    pub(super) extended_key_usages: Option<Spanned<Vec<Spanned<String>>>>,
    pub(super) subject: Option<Spanned<String>>,
    pub(super) must_staple: Option<Spanned<String>>,
    pub(super) ca_issuers_url: Option<Spanned<String>>,
    pub(super) ocsp_url: Option<Spanned<String>>,
    pub(super) crl_url: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) caa: bool,
    pub(super) authorizations_last: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) require_eab: bool,
    #[serde(default)]
    pub(super) require_approval: bool,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawKeys {
    pub(super) algorithms: Option<Spanned<Vec<Spanned<String>>>>,
    pub(super) min_rsa_bits: Option<Spanned<i64>>,
}

/// Each is a number and a length of time, such as `300/3h`, or `off`.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawLimits {
    pub(super) requests_per_ip: Option<Spanned<String>>,
    pub(super) accounts_per_ip: Option<Spanned<String>>,
    pub(super) orders_per_account: Option<Spanned<String>>,
    pub(super) names_per_account: Option<Spanned<String>>,
    pub(super) certificates_per_names: Option<Spanned<String>>,
    pub(super) failed_validations: Option<Spanned<String>>,
    pub(super) pending_authorizations: Option<Spanned<String>>,
    pub(super) abuse_per_ip: Option<Spanned<String>>,
}
