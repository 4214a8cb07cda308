//! Whether the server lives, and whether it can work.

use std::sync::Arc;

use axum::extract::State;
use http::StatusCode;

use crate::app::App;
use crate::store::settings;

/// The process answers.
pub(super) async fn alive() -> &'static str {
    "ok\n"
}

/// The store answers too, and the audit log has not ended for good.
pub(super) async fn ready(State(app): State<Arc<App>>) -> (StatusCode, &'static str) {
    if app.audit.has_ended() {
        return (
            StatusCode::SERVICE_UNAVAILABLE,
            "the audit log is not written any more; see the server's log\n",
        );
    }
    match app.db.read(|tx| settings::find(tx, settings::INSTALLATION_KEY)).await {
        Ok(_) => (StatusCode::OK, "ready\n"),
        Err(error) => {
            tracing::warn!(%error, "not ready: the database does not answer");
            (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer; see the server's log\n")
        }
    }
}
