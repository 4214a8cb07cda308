//! How long and of what form the values are that end in a machine file.
//!
//! Whoever takes such values in holds them to these rules at once, so that a file that is made of them later
//! can be read by every client. See `docs/formats/machine-file.md`.

use serde_json::{Map, Value};

use crate::json::{self, Bounds, JsonError};

/// The longest metadata, in bytes of JSON.
pub const MAX_METADATA_BYTES: usize = 128 * 1_024;
/// Objects and arrays within each other in metadata, the outermost included.
pub const MAX_METADATA_DEPTH: usize = 20;
/// Members of one object in metadata.
pub const MAX_METADATA_MEMBERS: usize = 256;
/// Values in metadata, objects and arrays included.
pub const MAX_METADATA_NODES: usize = 4_096;
/// The longest text in metadata, in bytes.
pub const MAX_METADATA_TEXT_BYTES: usize = 64 * 1_024;
/// Components of a fingerprint.
pub const MAX_COMPONENTS: usize = 64;
/// Entitlements of a licence.
pub const MAX_ENTITLEMENTS: usize = 500;
/// The longest life of a machine file, in days.
pub const MAX_TTL_DAYS: u32 = 3_650;
/// The longest grace of a machine file, in seconds: 30 days.
pub const MAX_GRACE_SECONDS: u64 = 2_592_000;

/// A value that breaks its rule. It repeats nothing of the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{field} {rule}")]
pub struct Broken {
    /// The field, as the API names it.
    pub field: &'static str,
    /// What holds for it.
    pub rule: &'static str,
}

/// The fingerprint of a machine.
pub fn fingerprint(text: &str) -> Result<(), Broken> {
    line(text, 8, 255, "fingerprint", "is 8 to 255 bytes without control characters")
}

/// The key of a licence, which may be another vendor's.
pub fn license_key(text: &str) -> Result<(), Broken> {
    line(text, 1, 512, "license_key", "is 1 to 512 bytes without control characters")
}

/// The name that a device goes by.
pub fn device_name(text: &str) -> Result<(), Broken> {
    line(text, 1, 255, "device_name", "is 1 to 255 bytes without control characters")
}

/// The platform of a device.
pub fn platform(text: &str) -> Result<(), Broken> {
    line(text, 1, 100, "platform", "is 1 to 100 bytes without control characters")
}

/// The id of an activation.
pub fn activation_id(text: &str) -> Result<(), Broken> {
    line(text, 1, 255, "id", "is 1 to 255 bytes without control characters")
}

/// The key of a plan.
pub fn plan_key(text: &str) -> Result<(), Broken> {
    line(text, 1, 100, "plan_key", "is 1 to 100 bytes without control characters")
}

/// The parts that a fingerprint was made of, each with its name.
pub fn components<'a>(components: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<(), Broken> {
    const FIELD: &str = "fingerprint_components";
    let mut count = 0;
    for (name, value) in components {
        count += 1;
        if count > MAX_COMPONENTS {
            return Err(Broken { field: FIELD, rule: "has at most 64 members" });
        }
        line(name, 1, 100, FIELD, "names each member with 1 to 100 bytes without control characters")?;
        line(value, 1, 1_024, FIELD, "has values of 1 to 1,024 bytes without control characters")?;
    }
    Ok(())
}

/// A slug, such as a product's.
pub fn slug(text: &str, field: &'static str) -> Result<(), Broken> {
    let is_part = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    let rule = "is 1 to 100 lower-case letters and digits, with single hyphens between them";
    hold(text.len() <= 100 && text.split('-').all(is_part), field, rule)
}

/// The key of an entitlement.
pub fn entitlement_key(text: &str) -> Result<(), Broken> {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let is_key = text.len() <= 100
        && text.bytes().next().is_some_and(is_plain)
        && text.bytes().all(|byte| is_plain(byte) || matches!(byte, b'-' | b'_'));
    let rule = "is 1 to 100 lower-case letters, digits, hyphens and underscores, a letter or digit first";
    hold(is_key, "entitlements", rule)
}

/// The keys of all entitlements of a licence.
pub fn entitlement_keys<'a>(keys: impl IntoIterator<Item = &'a str>) -> Result<(), Broken> {
    let mut keys: Vec<&str> = keys.into_iter().collect();
    hold(keys.len() <= MAX_ENTITLEMENTS, "entitlements", "has at most 500 entries")?;
    keys.iter().try_for_each(|key| entitlement_key(key))?;
    keys.sort_unstable();
    let is_unique = keys.is_sorted_by(|one, next| one < next);
    hold(is_unique, "entitlements", "names nothing twice")
}

/// The name of a signing key in a machine file.
pub fn key_id(text: &str) -> Result<(), Broken> {
    let is_id = text.len() <= 255
        && text.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b':' | b'-'));
    hold(is_id, "kid", "is 1 to 255 letters, digits and `.`, `_`, `:`, `-`, a letter or digit first")
}

/// Metadata: the text of a JSON object.
pub fn metadata(text: &str) -> Result<(), Broken> {
    let rule = |rule| Broken { field: "metadata", rule };
    let bounds = Bounds { bytes: MAX_METADATA_BYTES, depth: MAX_METADATA_DEPTH };
    let read: Result<Map<String, Value>, JsonError> = json::read(text.as_bytes(), bounds);
    let members = read.map_err(|error| match error {
        JsonError::TooLong { .. } => rule("has at most 128 KiB of JSON"),
        JsonError::TooDeep { .. } => rule("has at most 20 levels of objects and arrays"),
        JsonError::DuplicateMember(_) => rule("has no member twice in one object"),
        JsonError::Unexpected(_) => rule("is a JSON object"),
    })?;
    let mut nodes = 0;
    hold_members(&members, &mut nodes)
}

fn hold_members(members: &Map<String, Value>, nodes: &mut usize) -> Result<(), Broken> {
    hold_node(nodes)?;
    hold(members.len() <= MAX_METADATA_MEMBERS, "metadata", "has at most 256 members in one object")?;
    let names = "names its members with 1 to 255 bytes without control characters";
    members.keys().try_for_each(|name| line(name, 1, 255, "metadata", names))?;
    members.values().try_for_each(|value| hold_value(value, nodes))
}

fn hold_value(value: &Value, nodes: &mut usize) -> Result<(), Broken> {
    match value {
        Value::Object(members) => hold_members(members, nodes),
        Value::Array(entries) => {
            hold_node(nodes)?;
            entries.iter().try_for_each(|entry| hold_value(entry, nodes))
        }
        Value::String(text) => {
            hold_node(nodes)?;
            hold(text.len() <= MAX_METADATA_TEXT_BYTES, "metadata", "has texts of at most 64 KiB")
        }
        _ => hold_node(nodes),
    }
}

fn hold_node(nodes: &mut usize) -> Result<(), Broken> {
    *nodes += 1;
    hold(*nodes <= MAX_METADATA_NODES, "metadata", "has at most 4,096 values")
}

fn line(text: &str, min: usize, max: usize, field: &'static str, rule: &'static str) -> Result<(), Broken> {
    hold((min..=max).contains(&text.len()) && !text.chars().any(char::is_control), field, rule)
}

fn hold(holds: bool, field: &'static str, rule: &'static str) -> Result<(), Broken> {
    if holds { Ok(()) } else { Err(Broken { field, rule }) }
}

#[cfg(test)]
mod tests;
