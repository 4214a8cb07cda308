//! Which requests get as far as a handler (RFC 8555 §6.2–§6.5).
//!
//! In this order: media type, size, form and algorithm, nonce, URL, key, signature. A nonce is spent
//! even where a later step refuses the request.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use base64ct::{Base64UrlUnpadded, Encoding};
use chancery_acme::jws::{KeyReference, MEDIA_TYPE, Payload, SignedRequest};
use chancery_acme::{AccountKey, Problem, ProblemType};
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http_body_util::{BodyExt, Limited};

use crate::app::App;
use crate::audit::Origin;
use crate::service::{Failure, Signer};

/// The largest body that is read: an order of 100 names and an RSA-8192 request stay far below.
const MAX_BODY: usize = 64 * 1024;
/// How long a client may take to send a body.
const BODY_TIME: Duration = Duration::from_secs(15);

/// A request whose signature verified under the key of an account.
pub(super) struct SignedByAccount {
    pub(super) signer: Signer,
    pub(super) key: Arc<AccountKey>,
    pub(super) payload: Payload,
}

/// A request whose signature verified under the key that it carries.
pub(super) struct SignedByKey {
    pub(super) key: AccountKey,
    pub(super) payload: Payload,
    pub(super) origin: Arc<Origin>,
}

/// A request that either can sign: the resource decides by what the signature shows.
pub(super) enum SignedByEither {
    Account(SignedByAccount),
    Key(SignedByKey),
}

impl FromRequest<Arc<App>> for SignedByAccount {
    type Rejection = Failure;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Failure> {
        let origin = origin(&request)?;
        let signed = read(app, request).await?;
        let KeyReference::Kid(kid) = signed.key() else {
            return Err(
                Problem::malformed("name the account by `kid` here: only newAccount takes a `jwk`").into()
            );
        };
        Self::verified(app, &signed, kid, origin).await
    }
}

impl SignedByAccount {
    async fn verified(
        app: &App,
        signed: &SignedRequest,
        kid: &str,
        origin: Arc<Origin>,
    ) -> Result<Self, Failure> {
        let (account_id, key, payload) = verified(app, kid, signed).await?;
        let signer = Signer { account_id, thumbprint: key.thumbprint().clone(), origin };
        Ok(Self { signer, key, payload })
    }
}

impl FromRequest<Arc<App>> for SignedByKey {
    type Rejection = Failure;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Failure> {
        let origin = origin(&request)?;
        let signed = read(app, request).await?;
        let KeyReference::Jwk(key) = signed.key() else {
            return Err(Problem::malformed("send the key itself as `jwk` here, not a `kid`").into());
        };
        Self::verified(&signed, key, origin)
    }
}

impl SignedByKey {
    fn verified(signed: &SignedRequest, key: &AccountKey, origin: Arc<Origin>) -> Result<Self, Failure> {
        Ok(Self { payload: signed.verify(key)?, key: key.clone(), origin })
    }
}

impl FromRequest<Arc<App>> for SignedByEither {
    type Rejection = Failure;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Failure> {
        let origin = origin(&request)?;
        let signed = read(app, request).await?;
        match signed.key() {
            KeyReference::Kid(kid) => {
                Ok(Self::Account(SignedByAccount::verified(app, &signed, kid, origin).await?))
            }
            KeyReference::Jwk(key) => Ok(Self::Key(SignedByKey::verified(&signed, key, origin)?)),
        }
    }
}

/// Where a request came from, as the layer of [`limits`](super::limits) noted it on every request.
fn origin(request: &Request) -> Result<Arc<Origin>, Failure> {
    let noted = request.extensions().get::<Arc<Origin>>().cloned();
    noted.ok_or_else(|| Failure::Internal(anyhow::anyhow!("a request came around the limits")))
}

/// The steps that need no key.
async fn read(app: &App, request: Request) -> Result<SignedRequest, Failure> {
    let (parts, body) = request.into_parts();
    require_media_type(&parts)?;
    let body = read_body(body).await?;
    let signed = SignedRequest::parse(&body)?;
    redeem_nonce(app, &signed).await?;
    require_url(app, &parts, &signed)?;
    Ok(signed)
}

fn require_media_type(parts: &Parts) -> Result<(), Problem> {
    let given = parts.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = given.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case(MEDIA_TYPE) {
        return Ok(());
    }
    // RFC 8555 §6.2: status 415.
    Err(Problem::malformed(format!("the Content-Type must be {MEDIA_TYPE}")).with_status(415))
}

async fn read_body(body: Body) -> Result<bytes::Bytes, Problem> {
    let reading = Limited::new(body, MAX_BODY).collect();
    match tokio::time::timeout(BODY_TIME, reading).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => {
            Err(Problem::malformed(format!("the body has over {MAX_BODY} bytes")).with_status(413))
        }
        Ok(Err(_)) => Err(Problem::malformed("the body broke off")),
        Err(_) => Err(Problem::malformed("the body did not arrive in time").with_status(408)),
    }
}

async fn redeem_nonce(app: &App, signed: &SignedRequest) -> Result<(), Failure> {
    let nonce = signed.nonce().ok_or_else(|| {
        Problem::new(ProblemType::BadNonce, "the protected header has no `nonce`: use the one of this answer")
    })?;
    // RFC 8555 §6.5.2.
    if Base64UrlUnpadded::decode_vec(nonce).is_err() {
        return Err(Problem::malformed("the `nonce` is not unpadded base64url").into());
    }
    if app.nonces.redeem(&app.db, nonce, app.now()).await? {
        return Ok(());
    }
    let detail = "the nonce was used, has aged, or is not ours: use the one of this answer";
    Err(Problem::new(ProblemType::BadNonce, detail).into())
}

fn require_url(app: &App, parts: &Parts, signed: &SignedRequest) -> Result<(), Problem> {
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    if app.urls.is_of_path(signed.url(), path) {
        return Ok(());
    }
    // RFC 8555 §6.4: status 401 and type unauthorized.
    let detail =
        format!("the protected header's `url` is not the URL of this resource, {}", app.urls.of_path(path));
    Err(Problem::unauthorized(detail).with_status(401))
}

/// Verifies a request under the key of the account that `kid` names.
async fn verified(
    app: &App,
    kid: &str,
    signed: &SignedRequest,
) -> Result<(i64, Arc<AccountKey>, Payload), Failure> {
    let unknown = || {
        Problem::new(
            ProblemType::AccountDoesNotExist,
            "`kid` names no account of this server: register first",
        )
    };
    let account_id = app.urls.open_account(&app.sealer, kid).ok_or_else(unknown)?;
    let (key, payload) = app.account_keys.verify(&app.db, account_id, signed).await?.ok_or_else(unknown)?;
    Ok((account_id, key, payload))
}
