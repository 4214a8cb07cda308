//! The configuration file as written. Unknown keys are refused here, by serde; what a value must be
//! is settled in `check`.

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
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTls {
    pub(super) certificate: Spanned<String>,
    pub(super) key: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawDatabase {
    pub(super) driver: Spanned<String>,
    pub(super) path: Option<Spanned<String>>,
    pub(super) dsn: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawAuthority {
    pub(super) name: Spanned<String>,
    #[serde(rename = "type")]
    pub(super) kind: Spanned<String>,
    pub(super) directory: Spanned<String>,
    pub(super) passphrase_file: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawValidation {
    pub(super) name: Spanned<String>,
    #[serde(default)]
    pub(super) http01: RawHttp01,
    #[serde(default)]
    pub(super) resolvers: Vec<Spanned<String>>,
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
    pub(super) authority: Spanned<String>,
    pub(super) validation: Spanned<String>,
    pub(super) validity: Option<Spanned<String>>,
}
