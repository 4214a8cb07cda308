//! The plaintext of a machine file: a JSON:API document, in the member order in which it is written.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::time::Duration;

use chancery_time::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use super::contents::{Contents, Entitlement, IncludedLicense, Machine, Metadata, Mode};
use super::envelope::MAX_CIPHERTEXT_LENGTH;
use super::error::MachineFileError;
use crate::crypto::same_secret;
use crate::entitlements::Named;
use crate::json::{self, Bounds};
use crate::limits;

const SCHEMA_VERSION: u64 = 2;
/// The document, `included`, the licence, its attributes, and the metadata in them.
const DEPTH: usize = 4 + limits::MAX_METADATA_DEPTH;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Payload {
    #[serde(deserialize_with = "json::object")]
    meta: Meta,
    #[serde(deserialize_with = "json::object")]
    data: Data,
    #[serde(default, deserialize_with = "json::objects")]
    included: Vec<Included>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Meta {
    schema_version: u64,
    #[serde(deserialize_with = "json::instant")]
    issued: Timestamp,
    iat: i64,
    #[serde(deserialize_with = "json::instant")]
    expiry: Timestamp,
    exp: i64,
    nbf: i64,
    ttl: i64,
    grace_period: u64,
    lic: Secret,
    #[serde(deserialize_with = "json::nullable")]
    license_exp: Option<i64>,
    kid: String,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "json::not_null")]
    sdk_version: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Data {
    #[serde(rename = "type")]
    kind: Cow<'static, str>,
    id: String,
    #[serde(deserialize_with = "json::object")]
    attributes: MachineAttributes,
    #[serde(deserialize_with = "json::object")]
    relationships: Relationships,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct MachineAttributes {
    fingerprint: String,
    fingerprint_components: BTreeMap<String, String>,
    #[serde(deserialize_with = "json::nullable")]
    name: Option<String>,
    #[serde(deserialize_with = "json::nullable")]
    platform: Option<String>,
    #[serde(deserialize_with = "json::instant")]
    created: Timestamp,
    metadata: Box<RawValue>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Relationships {
    #[serde(deserialize_with = "json::object")]
    license: Related,
    #[serde(deserialize_with = "json::object")]
    product: Related,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Related {
    #[serde(deserialize_with = "json::object")]
    data: Reference,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Reference {
    #[serde(rename = "type")]
    kind: Cow<'static, str>,
    id: Secret,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Included {
    #[serde(rename = "type")]
    kind: Cow<'static, str>,
    id: Secret,
    #[serde(deserialize_with = "json::object")]
    attributes: LicenseAttributes,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LicenseAttributes {
    key: Secret,
    status: Cow<'static, str>,
    mode: Cow<'static, str>,
    #[serde(deserialize_with = "json::nullable")]
    seat_limit: Option<NonZeroU32>,
    plan_key: String,
    product_slug: String,
    #[serde(deserialize_with = "json::nullable_instant")]
    starts_at: Option<Timestamp>,
    #[serde(deserialize_with = "json::nullable_instant")]
    ends_at: Option<Timestamp>,
    #[serde(deserialize_with = "json::objects")]
    entitlements: Vec<WireEntitlement>,
    metadata: Box<RawValue>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireEntitlement {
    key: String,
    #[serde(deserialize_with = "json::nullable_instant")]
    expires_at: Option<Timestamp>,
}

/// A text that may be a licence key: wiped when dropped.
struct Secret(Zeroizing<String>);

impl Payload {
    pub(super) fn read(plaintext: &[u8]) -> Result<Self, MachineFileError> {
        let bounds = Bounds { bytes: MAX_CIPHERTEXT_LENGTH, depth: DEPTH };
        json::read(plaintext, bounds).map_err(MachineFileError::Payload)
    }

    /// The plaintext that says those contents, whether or not they keep to the rules.
    pub(super) fn write(
        contents: &Contents,
        license_key: &str,
    ) -> Result<Zeroizing<Vec<u8>>, MachineFileError> {
        let payload = Self::of(contents, license_key);
        json::write(&payload).map(Zeroizing::new).map_err(MachineFileError::Payload)
    }

    /// The name of the key that it says it is signed by.
    pub(super) fn key_id(&self) -> &str {
        &self.meta.kid
    }

    /// Holds everything but the included licence to the rules, and says what it says.
    pub(super) fn claims(&self, kid: &str, license_key: &str) -> Result<Contents, MachineFileError> {
        self.meta.check(kid, license_key)?;
        let Data { kind, id, attributes, relationships } = &self.data;
        hold(kind == "machines", "data.type", "is machines")?;
        limits::activation_id(id)?;
        limits::fingerprint(&attributes.fingerprint)?;
        limits::components(pairs(&attributes.fingerprint_components))?;
        attributes.name.as_deref().map_or(Ok(()), limits::device_name)?;
        attributes.platform.as_deref().map_or(Ok(()), limits::platform)?;
        let license = &relationships.license.data;
        hold(license.kind == "licenses", "license.data.type", "is licenses")?;
        hold(license.id.is(license_key), "license.data.id", "is the licence key")?;
        let product = &relationships.product.data;
        hold(product.kind == "products", "product.data.type", "is products")?;
        limits::slug(&product.id.0, "product.data.id")?;
        hold(self.included.len() <= 1, "included", "has at most one entry")?;
        Ok(Contents {
            kid: self.meta.kid.clone(),
            issued: self.meta.issued,
            not_before: Timestamp::from_unix_seconds(self.meta.nbf),
            expires: self.meta.expiry,
            grace: Duration::from_secs(self.meta.grace_period),
            license_expires: self.meta.license_exp.map(Timestamp::from_unix_seconds),
            product_slug: product.id.0.to_string(),
            machine: Machine {
                activation_id: id.clone(),
                fingerprint: attributes.fingerprint.clone(),
                fingerprint_components: attributes.fingerprint_components.clone(),
                name: attributes.name.clone(),
                platform: attributes.platform.clone(),
                created: attributes.created,
                metadata: Metadata::parse(attributes.metadata.get())?,
            },
            license: None,
        })
    }

    /// The included licence, held to the rules and to what the rest says.
    pub(super) fn included(
        &self,
        contents: &Contents,
        license_key: &str,
    ) -> Result<Option<IncludedLicense>, MachineFileError> {
        let Some(Included { kind, id, attributes }) = self.included.first() else { return Ok(None) };
        let license = attributes.check(kind, id, contents, license_key);
        license.map(Some).map_err(|error| match error {
            MachineFileError::Claim { claim, rule } => MachineFileError::IncludedLicense { claim, rule },
            other => other,
        })
    }

    fn of(contents: &Contents, license_key: &str) -> Self {
        let Contents { machine, .. } = contents;
        let secret = |text: &str| Secret(Zeroizing::new(text.to_owned()));
        let reference = |kind, id| Related { data: Reference { kind: Cow::Borrowed(kind), id: secret(id) } };
        let (iat, exp) = (contents.issued.unix_seconds(), contents.expires.unix_seconds());
        let included = contents.license.iter().map(|license| Included {
            kind: Cow::Borrowed("licenses"),
            id: secret(license_key),
            attributes: LicenseAttributes::of(license, contents, secret(license_key)),
        });
        Self {
            meta: Meta {
                schema_version: SCHEMA_VERSION,
                issued: contents.issued,
                iat,
                expiry: contents.expires,
                exp,
                nbf: contents.not_before.unix_seconds(),
                ttl: exp.saturating_sub(iat),
                grace_period: contents.grace.as_secs(),
                lic: secret(license_key),
                license_exp: contents.license_expires.map(Timestamp::unix_seconds),
                kid: contents.kid.clone(),
                sdk_version: None,
            },
            data: Data {
                kind: Cow::Borrowed("machines"),
                id: machine.activation_id.clone(),
                attributes: MachineAttributes {
                    fingerprint: machine.fingerprint.clone(),
                    fingerprint_components: machine.fingerprint_components.clone(),
                    name: machine.name.clone(),
                    platform: machine.platform.clone(),
                    created: machine.created,
                    metadata: machine.metadata.raw().to_owned(),
                },
                relationships: Relationships {
                    license: reference("licenses", license_key),
                    product: reference("products", &contents.product_slug),
                },
            },
            included: included.collect(),
        }
    }
}

impl Meta {
    fn check(&self, kid: &str, license_key: &str) -> Result<(), MachineFileError> {
        hold(self.schema_version == SCHEMA_VERSION, "schema_version", "is 2")?;
        hold(self.iat == self.issued.unix_seconds(), "iat", "is the same instant as issued")?;
        hold(self.exp == self.expiry.unix_seconds(), "exp", "is the same instant as expiry")?;
        hold(self.iat > 0, "iat", "is after 1970-01-01T00:00:00Z")?;
        hold(self.iat <= self.nbf, "nbf", "is not before iat")?;
        hold(self.nbf < self.exp, "exp", "is after nbf")?;
        hold(self.exp.checked_sub(self.iat) == Some(self.ttl), "ttl", "is exp less iat")?;
        hold(self.grace_period <= limits::MAX_GRACE_SECONDS, "grace_period", "is 0 to 2,592,000 seconds")?;
        limits::license_key(license_key)?;
        hold(self.lic.is(license_key), "lic", "is the licence key")?;
        let in_range = |end: i64| end > self.iat && Timestamp::from_unix_seconds(end).unix_seconds() == end;
        hold(self.license_exp.is_none_or(in_range), "license_exp", "is null, or an instant after iat")?;
        hold(self.kid == kid, "kid", "is that of the envelope")?;
        limits::key_id(&self.kid)?;
        let is_version = |text: &str| (1..=100).contains(&text.len()) && !text.chars().any(char::is_control);
        let rule = "is 1 to 100 bytes without control characters";
        hold(self.sdk_version.as_deref().is_none_or(is_version), "sdk_version", rule)
    }
}

impl LicenseAttributes {
    fn check(
        &self,
        kind: &str,
        id: &Secret,
        contents: &Contents,
        license_key: &str,
    ) -> Result<IncludedLicense, MachineFileError> {
        hold(kind == "licenses", "type", "is licenses")?;
        hold(id.is(license_key), "id", "is the licence key")?;
        hold(self.key.is(license_key), "key", "is the licence key")?;
        hold(self.status == "active", "status", "is active")?;
        let rule = "is hardware_locked, floating or named_user";
        let mode = Mode::named(&self.mode).ok_or(MachineFileError::Claim { claim: "mode", rule })?;
        limits::plan_key(&self.plan_key)?;
        hold(self.product_slug == contents.product_slug, "product_slug", "is the product of the file")?;
        let has_begun = self.starts_at.is_none_or(|start| start <= contents.issued);
        hold(has_begun, "starts_at", "is not after the file was issued")?;
        hold(self.ends_at == contents.license_expires, "ends_at", "is the same instant as license_exp")?;
        limits::entitlement_keys(self.entitlements.iter().map(|entitlement| entitlement.key.as_str()))?;
        let entitlement = |WireEntitlement { key, expires_at }: &WireEntitlement| Entitlement {
            key: key.clone(),
            expires_at: *expires_at,
        };
        Ok(IncludedLicense {
            mode,
            seat_limit: self.seat_limit,
            plan_key: self.plan_key.clone(),
            starts_at: self.starts_at,
            entitlements: self.entitlements.iter().map(entitlement).collect(),
            metadata: Metadata::parse(self.metadata.get())?,
        })
    }

    fn of(license: &IncludedLicense, contents: &Contents, key: Secret) -> Self {
        let entitlement = |Entitlement { key, expires_at }: &Entitlement| WireEntitlement {
            key: key.clone(),
            expires_at: *expires_at,
        };
        Self {
            key,
            status: Cow::Borrowed("active"),
            mode: Cow::Borrowed(license.mode.name()),
            seat_limit: license.seat_limit,
            plan_key: license.plan_key.clone(),
            product_slug: contents.product_slug.clone(),
            starts_at: license.starts_at,
            ends_at: contents.license_expires,
            entitlements: license.entitlements.iter().map(entitlement).collect(),
            metadata: license.metadata.raw().to_owned(),
        }
    }
}

impl Secret {
    fn is(&self, other: &str) -> bool {
        same_secret(self.0.as_bytes(), other.as_bytes())
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Zeroizing::new(text)))
    }
}

fn pairs(members: &BTreeMap<String, String>) -> impl Iterator<Item = (&str, &str)> {
    members.iter().map(|(name, value)| (name.as_str(), value.as_str()))
}

fn hold(holds: bool, claim: &'static str, rule: &'static str) -> Result<(), MachineFileError> {
    if holds { Ok(()) } else { Err(MachineFileError::Claim { claim, rule }) }
}
