//! What a vendor makes before anything can be sold, by the commands that vendors type.

use serde_json::Value;

use super::PortalSite;

/// A licence as `license create` tells of it.
#[derive(Debug, Clone)]
pub struct SoldLicense {
    /// Its id, by which the vendor names it.
    pub id: String,
    /// Its key, which the customer has.
    pub key: String,
}

impl PortalSite {
    /// Makes a product.
    pub fn product(&self, slug: &str) {
        self.json(&["product", "create", "--slug", slug, "--name", &format!("Product {slug}")]);
    }

    /// Makes a plan of a product.
    pub fn plan(&self, product: &str, key: &str, options: &[&str]) {
        let name = format!("Plan {key}");
        let words = ["plan", "create", key, "--product", product, "--name", &name];
        self.json(&[&words, options].concat());
    }

    /// Makes a licence of a plan.
    pub fn license(&self, product: &str, plan: &str, options: &[&str]) -> SoldLicense {
        let words = ["license", "create", "--product", product, "--plan", plan];
        let made = self.json(&[&words, options].concat());
        SoldLicense { id: text(&made, "id"), key: text(&made, "key") }
    }

    /// Makes an API key, with the options of `api-key create`, and gives it.
    pub fn api_key(&self, options: &[&str]) -> String {
        text(&self.json(&[&["api-key", "create", "--name", "test"], options].concat()), "key")
    }

    /// A publishable key for live data, of all products.
    pub fn publishable_key(&self) -> String {
        self.api_key(&["--class", "publishable", "--live"])
    }

    /// Makes a signing key that signs from now on, and gives its id.
    pub fn signing_key(&self, product: &str, environment: &str) -> String {
        let words = ["signing-key", "create", "--product", product, "--env", environment, "--activate"];
        text(&self.json(&words), "key_id")
    }
}

#[track_caller]
fn text(made: &Value, member: &str) -> String {
    made[member].as_str().unwrap_or_else(|| panic!("no {member}: {made}")).to_owned()
}
