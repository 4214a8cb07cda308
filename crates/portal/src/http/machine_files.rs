//! Machine files.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json as Answer;
use axum::extract::State;
use http::StatusCode;

use super::claims::client_request;
use super::error::Refusals;
use super::extract::{Caller, InPath, Json};
use crate::api::machine_file::MachineFileObject;
use crate::app::App;
use crate::domain::machine_file::Asked;
use crate::domain::{Actor, Refusal};
use crate::service::Failure;
use crate::service::claims::Claim;
use crate::service::machine_files::{self, Order};

/// What can go along with a machine file.
const LICENSE: &str = "license";

client_request! {
    /// The device that a machine file is for, and what shall be in it.
    MachineFileRequest {
        /// For how many days it is valid: at least 1, the plan's where it is missing. More than 3,650, or than the
        /// licence has left, is cut to that.
        #[schema(minimum = 1)]
        ttl: Option<i64>,
        /// For how many days it counts after that: the plan's where it is missing.
        #[schema(minimum = 0, maximum = 30)]
        grace_period: Option<i64>,
        /// What the fingerprint was made of: at most 64 members, values of 1 to 1,024 bytes.
        fingerprint_components: Option<BTreeMap<String, String>>,
        /// What goes along: `license`, or nothing.
        include: Option<Vec<String>>,
    }
}

impl MachineFileRequest {
    fn parts(mut self, slug: String, in_path: Option<String>) -> Result<(Claim, Order), Refusal> {
        let claim = self.identity().claim(slug, in_path)?;
        let include = self.include.unwrap_or_default();
        if include.iter().any(|wanted| wanted != LICENSE) {
            return Err(Refusal::field("include", format_args!("knows `{LICENSE}` alone")));
        }
        let order = Order {
            asked: Asked { ttl_days: self.ttl, grace_days: self.grace_period },
            components: self.fingerprint_components.unwrap_or_default(),
            includes_license: !include.is_empty(),
        };
        Ok((claim, order))
    }
}

type Handed = (StatusCode, Answer<MachineFileObject>);

async fn answer(app: &App, actor: &Actor, (claim, order): (Claim, Order)) -> Result<Handed, Failure> {
    let file = machine_files::issue(&app.office, actor, claim, order).await?;
    Ok((StatusCode::CREATED, Answer(file)))
}

#[utoipa::path(
    post,
    path = "/products/{slug}/licenses/machine-file",
    operation_id = "machineFile",
    tag = "machine-files",
    params(("slug" = String, Path, description = "The product.")),
    request_body = MachineFileRequest,
    security(("api_key" = [])),
    responses((status = 201, description = "The machine file.", body = MachineFileObject), Refusals)
)]
pub(super) async fn machine_file(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    InPath(slug): InPath<String>,
    Json(body): Json<MachineFileRequest>,
) -> Result<Handed, Failure> {
    answer(&app, &actor, body.parts(slug, None)?).await
}

#[utoipa::path(
    post,
    path = "/products/{slug}/licenses/{license}/machine-file",
    operation_id = "machineFileByPath",
    tag = "machine-files",
    params(
        ("slug" = String, Path, description = "The product."),
        ("license" = String, Path, description = "The licence key. Prefer it in the body, which no proxy logs.")
    ),
    request_body = MachineFileRequest,
    security(("api_key" = [])),
    responses((status = 201, description = "The machine file.", body = MachineFileObject), Refusals)
)]
pub(super) async fn machine_file_by_path(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    InPath((slug, license)): InPath<(String, String)>,
    Json(body): Json<MachineFileRequest>,
) -> Result<Handed, Failure> {
    answer(&app, &actor, body.parts(slug, Some(license))?).await
}
