//! Products: what the vendor licenses.

use std::sync::Arc;

use axum::Json as Answer;
use axum::extract::State;
use http::StatusCode;

use super::error::Refusals;
use super::extract::{Caller, InPath, InQuery, Json, JsonOnce, PageQuery};
use crate::api::List;
use crate::api::product::ProductObject;
use crate::app::App;
use crate::service::Failure;
use crate::service::products::{self, NewProduct, ProductChanges};

#[utoipa::path(
    post,
    path = "/products",
    operation_id = "createProduct",
    tag = "products",
    params(("Idempotency-Key" = Option<String>, Header, description = "A request that is sent again with it is not done again.")),
    request_body = NewProduct,
    security(("api_key" = [])),
    responses((status = 201, description = "The product was added.", body = ProductObject), Refusals)
)]
pub(super) async fn create(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    JsonOnce(body, once): JsonOnce<NewProduct>,
) -> Result<(StatusCode, Answer<ProductObject>), Failure> {
    let made = products::create(&app.office, &actor, body, once).await?;
    Ok((StatusCode::CREATED, Answer((&made).into())))
}

#[utoipa::path(
    get,
    path = "/products",
    operation_id = "listProducts",
    tag = "products",
    params(PageQuery),
    security(("api_key" = [])),
    responses((status = 200, description = "Products in the order of their slugs.", body = List<ProductObject>), Refusals)
)]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    InQuery(query): InQuery<PageQuery>,
) -> Result<Answer<List<ProductObject>>, Failure> {
    let (found, next) = products::list(&app.office, &actor, query.page()?).await?;
    Ok(Answer(List::new(found.iter().map(Into::into).collect(), next)))
}

#[utoipa::path(
    get,
    path = "/products/{slug}",
    operation_id = "showProduct",
    tag = "products",
    params(("slug" = String, Path)),
    security(("api_key" = [])),
    responses((status = 200, description = "The product.", body = ProductObject), Refusals)
)]
pub(super) async fn show(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    InPath(slug): InPath<String>,
) -> Result<Answer<ProductObject>, Failure> {
    Ok(Answer((&products::show(&app.office, &actor, &slug).await?).into()))
}

#[utoipa::path(
    patch,
    path = "/products/{slug}",
    operation_id = "updateProduct",
    tag = "products",
    params(("slug" = String, Path)),
    request_body = ProductChanges,
    security(("api_key" = [])),
    responses((status = 200, description = "The product as it is now.", body = ProductObject), Refusals)
)]
pub(super) async fn update(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    InPath(slug): InPath<String>,
    Json(body): Json<ProductChanges>,
) -> Result<Answer<ProductObject>, Failure> {
    Ok(Answer((&products::update(&app.office, &actor, &slug, body).await?).into()))
}

#[utoipa::path(
    post,
    path = "/products/{slug}/archive",
    operation_id = "archiveProduct",
    tag = "products",
    params(("slug" = String, Path)),
    security(("api_key" = [])),
    responses((status = 200, description = "No new licences are made of it; those that there are go on.", body = ProductObject), Refusals)
)]
pub(super) async fn archive(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    InPath(slug): InPath<String>,
) -> Result<Answer<ProductObject>, Failure> {
    Ok(Answer((&products::archive(&app.office, &actor, &slug, true).await?).into()))
}

#[utoipa::path(
    post,
    path = "/products/{slug}/unarchive",
    operation_id = "unarchiveProduct",
    tag = "products",
    params(("slug" = String, Path)),
    security(("api_key" = [])),
    responses((status = 200, description = "Licences are made of it again.", body = ProductObject), Refusals)
)]
pub(super) async fn unarchive(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    InPath(slug): InPath<String>,
) -> Result<Answer<ProductObject>, Failure> {
    Ok(Answer((&products::archive(&app.office, &actor, &slug, false).await?).into()))
}
