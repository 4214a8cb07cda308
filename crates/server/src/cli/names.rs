//! How the command line names accounts and orders: by their URLs, or by their numbers in the audit log.

use anyhow::Context;
use chancery_acme::Sealer;

use super::assembly;
use super::visit::Visit;
use crate::http::urls::Urls;

/// The URLs of an installation.
pub(super) struct Names {
    urls: Urls,
    sealer: Sealer,
}

impl Names {
    /// # Errors
    /// When the store fails.
    pub(super) async fn new(on: &Visit) -> anyhow::Result<Self> {
        let sealer = assembly::sealer(&on.office.db).await?;
        Ok(Self { urls: Urls::new(&on.config.server.url), sealer })
    }

    pub(super) fn account_url(&self, id: i64) -> String {
        self.urls.account(&self.sealer, id)
    }

    pub(super) fn order_url(&self, id: i64) -> String {
        self.urls.order(&self.sealer, id)
    }

    /// The number of the account that a URL or a number names.
    ///
    /// # Errors
    /// When it names none.
    pub(super) fn account(&self, text: &str) -> anyhow::Result<i64> {
        let number = number(text, || self.urls.open_account(&self.sealer, text));
        number.with_context(|| self.names_none("account", text))
    }

    /// The number of the order that a URL or a number names.
    ///
    /// # Errors
    /// When it names none.
    pub(super) fn order(&self, text: &str) -> anyhow::Result<i64> {
        let number = number(text, || self.urls.open_order(&self.sealer, text));
        number.with_context(|| self.names_none("order", text))
    }

    fn names_none(&self, what: &str, text: &str) -> String {
        let origin = self.urls.of_path("");
        format!(
            "`{text}` is neither the URL of an {what} under {origin} nor a number: `chancery {what} list --json` shows \
             both"
        )
    }
}

fn number(text: &str, open: impl FnOnce() -> Option<i64>) -> Option<i64> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { open() }
}
