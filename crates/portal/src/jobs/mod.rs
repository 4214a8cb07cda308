//! What is done in the background.

mod idempotency;
mod revocations;
mod webhooks;

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::config::Config;
use webhooks::Courier;

/// Begins what runs until `stop`.
///
/// # Errors
/// What of the configuration cannot be put to work.
pub(crate) fn start(app: &Arc<App>, config: &Config, stop: &CancellationToken) -> anyhow::Result<()> {
    app.tasks.spawn(idempotency::run(app.office.clone(), stop.clone()));
    app.tasks.spawn(revocations::run(Arc::clone(app), stop.clone()));
    let destinations = Arc::clone(&app.office.destinations);
    let courier = Arc::new(Courier::new(destinations, config.webhooks.ca_file.as_deref())?);
    app.tasks.spawn(webhooks::run(app.office.clone(), courier, stop.clone()));
    app.tasks.spawn(webhooks::sweep(app.office.clone(), stop.clone()));
    Ok(())
}
