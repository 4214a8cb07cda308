//! The operator's word that a degraded state is known, and what it is bound to.

use aws_lc_rs::digest::{SHA256, digest};
use chancery_license::Configuration;
use serde_json::json;

use super::facts::Facts;
use crate::hex::hex;

/// The hash of what an acknowledgement is bound to: the plan with its limits, the number of authorities
/// and the database. 64 hexadecimal digits.
pub(crate) fn binding(license: &Facts, configuration: Configuration) -> String {
    let bound = json!({
        "plan": license.plan,
        "entitlements": license.entitlements,
        "authorities": configuration.authorities,
        "database": configuration.database.to_string(),
    });
    let digest = digest(&SHA256, bound.to_string().as_bytes());
    hex(digest.as_ref())
}

/// `7a3f...e1b9`: the hash as people are shown it.
pub(crate) fn short(hash: &str) -> String {
    match (hash.get(..4), hash.len().checked_sub(4).and_then(|start| hash.get(start..))) {
        (Some(start), Some(end)) if hash.len() > 8 => format!("{start}...{end}"),
        _ => hash.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_shown_by_its_ends() {
        assert_eq!(short("7a3f0011aabbe1b9"), "7a3f...e1b9");
        assert_eq!(short("7a3f"), "7a3f");
    }
}
