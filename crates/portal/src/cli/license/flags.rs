//! The flags that licences are made and changed with alike.

use chancery_license::{Entitlements, Plan};
use clap::Args;

use super::super::entitlements::Changes;
use crate::store::licenses::Entitlement;

/// What a licence entitles to.
#[derive(Debug, Args)]
pub(super) struct EntitlementArgs {
    /// What it entitles to, as a JSON list of {"key", "expires_at", "metadata"}, in place of what the plan says.
    #[arg(long, value_name = "JSON", value_parser = entitlements)]
    entitlements: Option<Listed>,
    /// What it entitles to where a key says it all; give it once for each, in place of what the plan says.
    #[arg(long, value_name = "KEY", conflicts_with = "entitlements")]
    entitlement: Vec<String>,
}

/// Entitlements in one flag.
#[derive(Debug, Clone)]
struct Listed(Vec<Entitlement>);

fn entitlements(text: &str) -> Result<Listed, String> {
    serde_json::from_str(text).map(Listed).map_err(|error| error.to_string())
}

impl EntitlementArgs {
    /// What was given, if anything was.
    pub(super) fn given(self) -> Option<Vec<Entitlement>> {
        let keys =
            self.entitlement.into_iter().map(|key| Entitlement { key, expires_at: None, metadata: None });
        let keys: Vec<Entitlement> = keys.collect();
        self.entitlements.map(|listed| listed.0).or((!keys.is_empty()).then_some(keys))
    }
}

/// What comes of the entitlements of a chancery licence, if anything was given. Where it has none something comes of
/// it too, so that the refusal says why they cannot be changed.
pub(super) fn altered(changes: &Changes, before: Option<Entitlements>) -> Option<Entitlements> {
    let bases = before.map_or_else(|| Plan::ALL.map(Plan::entitlements).to_vec(), |before| vec![before]);
    bases
        .into_iter()
        .map(|base| (base, changes.apply(base)))
        .find(|(base, new)| base != new)
        .map(|(_, new)| new)
}
