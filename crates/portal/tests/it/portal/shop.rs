//! A vendor with something to sell, and the calls of programs in the field.

use std::ops::Deref;

use chancery_testkit::{Answer, Engine, PortalClient, PortalSite, SoldLicense};
use serde_json::{Map, Value, json};

use super::PORTAL;

/// The product that is sold.
pub(super) const PRODUCT: &str = "my-app";
/// Another product of the vendor.
pub(super) const OTHER_PRODUCT: &str = "other-app";
/// The plan that is sold: two entitlements, machine files of 20 days with 2 of grace.
pub(super) const PLAN: &str = "pro";
/// How many seats a licence of the plan has.
pub(super) const SEATS: u64 = 3;
/// A device.
pub(super) const DEVICE: &str = "fingerprint-of-plc-07";

/// The two ways in which every client action can name its licence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Body,
    Path,
}

impl Style {
    pub(super) const BOTH: [Self; 2] = [Self::Body, Self::Path];
}

/// A portal with two products, a plan of each, signing keys for live and test data.
pub(super) struct Shop {
    site: PortalSite,
}

impl Deref for Shop {
    type Target = PortalSite;

    fn deref(&self) -> &PortalSite {
        &self.site
    }
}

impl Shop {
    pub(super) fn open(engine: Engine) -> Self {
        Self::stocked(PortalSite::new(PORTAL, engine))
    }

    pub(super) fn stocked(site: PortalSite) -> Self {
        for product in [PRODUCT, OTHER_PRODUCT] {
            site.product(product);
            let seats = SEATS.to_string();
            site.plan(
                product,
                PLAN,
                &[
                    "--seat-limit",
                    &seats,
                    "--file-days",
                    "20",
                    "--file-grace-days",
                    "2",
                    "--entitlement",
                    "export",
                    "--entitlement",
                    "reports",
                ],
            );
        }
        for environment in ["prod", "dev"] {
            site.signing_key(PRODUCT, environment);
        }
        Self { site }
    }

    /// A licence of [`PLAN`] for [`PRODUCT`].
    pub(super) fn sell(&self, options: &[&str]) -> SoldLicense {
        self.license(PRODUCT, PLAN, options)
    }

    /// A secret key with every scope.
    pub(super) fn secret_key(&self, environment: &str) -> String {
        self.api_key(&["--class", "secret", environment, "--scopes", "all"])
    }

    /// Activations that count, by the database.
    pub(super) fn active_activations(&self) -> i64 {
        self.query_i64("SELECT COUNT(*) FROM activations WHERE deactivated_at IS NULL")
    }
}

/// Does a client action of [`PRODUCT`] for a device, with further members of the body.
pub(super) async fn act(
    client: &PortalClient,
    style: Style,
    action: &str,
    key: &str,
    fingerprint: &str,
    more: Value,
) -> Answer {
    act_on(client, PRODUCT, style, action, key, fingerprint, more).await
}

/// As [`act`], for any product.
pub(super) async fn act_on(
    client: &PortalClient,
    product: &str,
    style: Style,
    action: &str,
    key: &str,
    fingerprint: &str,
    more: Value,
) -> Answer {
    let mut body: Map<String, Value> = more.as_object().cloned().unwrap_or_default();
    body.insert("fingerprint".to_owned(), json!(fingerprint));
    let path = match style {
        Style::Body => {
            body.insert("license_key".to_owned(), json!(key));
            format!("/products/{product}/licenses/{action}")
        }
        Style::Path => format!("/products/{product}/licenses/{key}/{action}"),
    };
    client.post(&path, &body.into()).await
}

/// Activates a device, which has to work.
pub(super) async fn activate(client: &PortalClient, key: &str, fingerprint: &str) -> Value {
    act(client, Style::Body, "activate", key, fingerprint, json!({})).await.done()
}
