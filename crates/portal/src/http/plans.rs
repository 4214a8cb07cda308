//! Plans: what licences of a product are made with.

use std::sync::Arc;

use axum::Json as Answer;
use axum::extract::State;
use http::StatusCode;

use super::error::Refusals;
use super::extract::{Caller, InPath, InQuery, Json, JsonOnce, PageQuery};
use crate::api::List;
use crate::api::plan::PlanObject;
use crate::app::App;
use crate::service::Failure;
use crate::service::plans::{self, PlanMembers};

#[utoipa::path(
    post,
    path = "/products/{slug}/plans",
    operation_id = "createPlan",
    tag = "plans",
    params(("slug" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "A request that is sent again with it is not done again.")),
    request_body = PlanMembers,
    security(("api_key" = [])),
    responses((status = 201, description = "The plan was added.", body = PlanObject), Refusals)
)]
pub(super) async fn create(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    InPath(slug): InPath<String>,
    JsonOnce(body, once): JsonOnce<PlanMembers>,
) -> Result<(StatusCode, Answer<PlanObject>), Failure> {
    let (plan, product) = plans::create(&app.office, &actor, &slug, body, once).await?;
    Ok((StatusCode::CREATED, Answer(PlanObject::new(&plan, &product))))
}

#[utoipa::path(
    get,
    path = "/products/{slug}/plans",
    operation_id = "listPlans",
    tag = "plans",
    params(("slug" = String, Path), PageQuery),
    security(("api_key" = [])),
    responses((status = 200, description = "Plans in the order of their keys.", body = List<PlanObject>), Refusals)
)]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    InPath(slug): InPath<String>,
    InQuery(query): InQuery<PageQuery>,
) -> Result<Answer<List<PlanObject>>, Failure> {
    let (found, product, next) = plans::list(&app.office, &actor, &slug, query.page()?).await?;
    Ok(Answer(List::new(found.iter().map(|plan| PlanObject::new(plan, &product)).collect(), next)))
}

#[utoipa::path(
    get,
    path = "/products/{slug}/plans/{plan_key}",
    operation_id = "showPlan",
    tag = "plans",
    params(("slug" = String, Path), ("plan_key" = String, Path)),
    security(("api_key" = [])),
    responses((status = 200, description = "The plan.", body = PlanObject), Refusals)
)]
pub(super) async fn show(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    InPath((slug, plan_key)): InPath<(String, String)>,
) -> Result<Answer<PlanObject>, Failure> {
    let (plan, product) = plans::show(&app.office, &actor, &slug, &plan_key).await?;
    Ok(Answer(PlanObject::new(&plan, &product)))
}

#[utoipa::path(
    patch,
    path = "/products/{slug}/plans/{plan_key}",
    operation_id = "updatePlan",
    tag = "plans",
    params(("slug" = String, Path), ("plan_key" = String, Path)),
    request_body = PlanMembers,
    security(("api_key" = [])),
    responses((status = 200, description = "The plan as it is now. Licences that were made of it keep what they have.", body = PlanObject), Refusals)
)]
pub(super) async fn update(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    InPath((slug, plan_key)): InPath<(String, String)>,
    Json(body): Json<PlanMembers>,
) -> Result<Answer<PlanObject>, Failure> {
    let (plan, product) = plans::update(&app.office, &actor, &slug, &plan_key, body).await?;
    Ok(Answer(PlanObject::new(&plan, &product)))
}

#[utoipa::path(
    post,
    path = "/products/{slug}/plans/{plan_key}/archive",
    operation_id = "archivePlan",
    tag = "plans",
    params(("slug" = String, Path), ("plan_key" = String, Path)),
    security(("api_key" = [])),
    responses((status = 200, description = "No new licences are made of it; those that there are go on.", body = PlanObject), Refusals)
)]
pub(super) async fn archive(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    InPath((slug, plan_key)): InPath<(String, String)>,
) -> Result<Answer<PlanObject>, Failure> {
    let (plan, product) = plans::archive(&app.office, &actor, &slug, &plan_key, true).await?;
    Ok(Answer(PlanObject::new(&plan, &product)))
}

#[utoipa::path(
    post,
    path = "/products/{slug}/plans/{plan_key}/unarchive",
    operation_id = "unarchivePlan",
    tag = "plans",
    params(("slug" = String, Path), ("plan_key" = String, Path)),
    security(("api_key" = [])),
    responses((status = 200, description = "Licences are made of it again.", body = PlanObject), Refusals)
)]
pub(super) async fn unarchive(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    InPath((slug, plan_key)): InPath<(String, String)>,
) -> Result<Answer<PlanObject>, Failure> {
    let (plan, product) = plans::archive(&app.office, &actor, &slug, &plan_key, false).await?;
    Ok(Answer(PlanObject::new(&plan, &product)))
}
