//! What handlers take from requests, refused in the words of the API.

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use chancery_license::Environment;
use http::HeaderValue;
use http::request::Parts;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::domain::integers::beyond_64_bits;
use crate::domain::{Actor, Code, Refusal};
use crate::service::idempotency::Once;
use crate::store::{MAX_PAGE, Page};

/// Who sent an authenticated request.
#[derive(Debug, Clone)]
pub(super) struct Caller(pub(super) Actor);

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        // Only a resource outside of `admission::by_key` is without.
        let caller = parts.extensions.get::<Self>().cloned();
        caller.ok_or_else(|| Refusal::new(Code::AuthenticationRequired, super::admission::NO_KEY))
    }
}

/// The parameters in the path.
#[derive(Debug)]
pub(super) struct InPath<T>(pub(super) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for InPath<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        match Path::from_request_parts(parts, state).await {
            // No name holds U+0000, which PostgreSQL cannot even look for.
            Ok(Path(parameters)) if !parts.uri.path().contains("%00") => Ok(Self(parameters)),
            Ok(_) => Err(Refusal::new(Code::NotFound, "nothing is named by a path with %00")),
            Err(_) => Err(Refusal::new(Code::NotFound, "the path is not UTF-8 once it is decoded")),
        }
    }
}

/// The parameters of the query.
#[derive(Debug)]
pub(super) struct InQuery<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for InQuery<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        match Query::from_request_parts(parts, state).await {
            Ok(Query(parameters)) if !parts.uri.query().unwrap_or_default().contains("%00") => {
                Ok(Self(parameters))
            }
            Ok(_) => {
                Err(Refusal::new(Code::InvalidArguments, "the query holds %00, which no text here does"))
            }
            Err(rejection) => Err(Refusal::new(Code::InvalidArguments, one_line(&rejection.body_text()))),
        }
    }
}

/// A JSON object of exactly the members that are known, none of them twice.
#[derive(Debug)]
pub(super) struct Json<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let body = bytes(request, state).await?;
        read(&body).map(Self)
    }
}

/// The same of a request that is done once, however often it is sent, where it carries an `Idempotency-Key`.
#[derive(Debug)]
pub(super) struct JsonOnce<T>(pub(super) T, pub(super) Option<Once>);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for JsonOnce<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let key = request.headers().get("idempotency-key").cloned();
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let body = bytes(request, state).await?;
        let once = |key: HeaderValue| Once::new(key.as_bytes(), method.as_str(), &path, &body);
        let once = key.map(once).transpose()?;
        Ok(Self(read(&body)?, once))
    }
}

async fn bytes<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Refusal> {
    Bytes::from_request(request, state).await.map_err(|rejection| {
        let message = format!("the body cannot be read: {}", one_line(&rejection.body_text()));
        Refusal::new(Code::InvalidArguments, message)
    })
}

/// Reads a body; an empty one is an object without members.
fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    let body = if body.trim_ascii().is_empty() { b"{}" } else { body };
    // Serde reads structs from arrays too, which nobody means.
    if body.trim_ascii_start().first() != Some(&b'{') {
        return Err(Refusal::new(Code::InvalidArguments, "the body is not a JSON object"));
    }
    if holds_nul(body) {
        return Err(Refusal::new(Code::InvalidArguments, "the body holds U+0000, which no text here does"));
    }
    if beyond_64_bits(body) {
        let message = "the body holds a whole number beyond 64 bits: send it as a text";
        return Err(Refusal::new(Code::InvalidArguments, message));
    }
    serde_json::from_slice(body).map_err(|error| {
        let text = without_values(&error.to_string());
        let quoted = |prefix: &str| Some(text.strip_prefix(prefix)?.split('`').next()?.to_owned());
        if let Some(field) = quoted("missing field `") {
            return Refusal::missing(&field);
        }
        let refusal = Refusal::new(Code::InvalidArguments, format!("the body: {}", one_line(&text)))
            .with("line", json!(error.line()))
            .with("column", json!(error.column()));
        match quoted("unknown field `").or_else(|| quoted("duplicate field `")) {
            Some(field) => refusal.with("field", json!(field)),
            None => refusal,
        }
    })
}

/// Whether a JSON text holds U+0000, which PostgreSQL cannot store. It can stand there as an escape alone.
fn holds_nul(body: &[u8]) -> bool {
    const ESCAPE: &[u8] = b"\\u0000";
    let mut found = body.windows(ESCAPE.len()).enumerate().filter(|(_, window)| *window == ESCAPE);
    // Behind an odd number of backslashes it is one of them that is escaped.
    found.any(|(place, _)| body.iter().take(place).rev().take_while(|byte| **byte == b'\\').count() % 2 == 0)
}

/// A message of the parser without the value that it quotes, which may be a secret in the wrong place.
///
/// Names of members stay, and those of the variants that there are.
fn without_values(text: &str) -> String {
    if ["missing field `", "unknown field `", "duplicate field `"].iter().any(|known| text.starts_with(known))
    {
        return text.to_owned();
    }
    if text.starts_with("unknown variant `") {
        let expected = text.rfind("`, expected ").and_then(|place| text.get(place + 1..));
        return format!("unknown variant{}", expected.unwrap_or_default());
    }
    // A value may hold the other mark, so that the first one decides; what it may hold itself is why the last
    // one ends it.
    let Some(first) = text.find(['"', '`']) else { return text.to_owned() };
    let mark = if text.get(first..).is_some_and(|behind| behind.starts_with('"')) { '"' } else { '`' };
    let last = text.rfind(mark).unwrap_or(first);
    let (before, behind) = (text.get(..first).unwrap_or_default(), text.get(last + 1..).unwrap_or_default());
    match before.trim_end() {
        "" => format!("the value{behind}"),
        before => format!("{before}{behind}"),
    }
}

/// A message that may repeat what was sent, as one line without control characters.
fn one_line(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { ' ' } else { character }).take(300).collect()
}

/// The members of a query that ask for a part of a list.
#[derive(Debug, serde::Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct PageQuery {
    /// At most so many entries, 1 to 100; 20 where it is not given.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<i64>,
    /// The `next` of the part before.
    after: Option<String>,
}

impl PageQuery {
    pub(super) fn page(self) -> Result<Page, Refusal> {
        page(self.limit, self.after)
    }
}

/// The part of a list that a query asks for.
///
/// # Errors
/// A limit that is none.
pub(super) fn page(limit: Option<i64>, after: Option<String>) -> Result<Page, Refusal> {
    let limit = limit.unwrap_or(20);
    if !(1..=MAX_PAGE).contains(&limit) {
        return Err(Refusal::field("limit", format_args!("is a number from 1 to {MAX_PAGE}")));
    }
    Ok(Page { limit, after })
}

/// The member of a query that names an environment.
#[derive(Debug, serde::Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct EnvironmentQuery {
    /// `prod`, `dev`, `staging` or `uat`; where it is missing `prod`, with a test key `dev`.
    environment: Option<String>,
}

impl EnvironmentQuery {
    pub(super) fn environment(&self) -> Result<Option<Environment>, Refusal> {
        environment(self.environment.as_deref())
    }
}

/// The environment that a request names, if it names one.
///
/// # Errors
/// A name that is none.
pub(super) fn environment(name: Option<&str>) -> Result<Option<Environment>, Refusal> {
    name.map(|name| name.parse().map_err(|error| Refusal::field("environment", error))).transpose()
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Body {
        name: String,
        #[serde(default)]
        count: Option<u32>,
    }

    #[test]
    fn a_body_is_an_object_of_known_members() {
        let refused = |body: &str| {
            let refusal = read::<Body>(body.as_bytes()).unwrap_err();
            let field = refusal.details.get("field").and_then(|field| field.as_str()).map(str::to_owned);
            (refusal.code, field)
        };
        assert_eq!(read::<Body>(br#"{"name":"x"}"#).unwrap(), Body { name: "x".to_owned(), count: None });
        let named = |field: &str| Some(field.to_owned());
        assert_eq!(refused("{}"), (Code::ParameterMissing, named("name")));
        assert_eq!(refused(""), (Code::ParameterMissing, named("name")));
        assert_eq!(refused(r#"{"name":"x","more":1}"#), (Code::InvalidArguments, named("more")));
        assert_eq!(refused(r#"{"name":"x","name":"y"}"#), (Code::InvalidArguments, named("name")));
        for body in [r#"["x",1]"#, "\"x\"", "{", r#"{"name":1}"#, r#"{"name":"x"} {}"#, "\u{feff}{}"] {
            assert_eq!(refused(body), (Code::InvalidArguments, None), "{body}");
        }
    }

    #[test]
    fn a_value_in_the_wrong_place_is_not_repeated() {
        let refusal = read::<Body>(br#"{"name":"x","count":"CRT-\"1\""}"#).unwrap_err();
        assert!(!refusal.message.contains("CRT-"), "{}", refusal.message);
        assert!(refusal.message.contains("invalid type: string, expected u32"), "{}", refusal.message);
        for (text, told) in [
            ("`CRT-\"1` is not a time", "the value is not a time"),
            ("invalid value: string \"CRT-`1\", expected a time", "invalid value: string, expected a time"),
            ("invalid value: integer `300`, expected u8", "invalid value: integer, expected u8"),
            (
                "unknown variant `CRT-`, expected `1`, expected `a` or `b`",
                "unknown variant, expected `a` or `b`",
            ),
            ("unknown variant `CRT-1`, there are no variants", "unknown variant"),
            ("unknown field `more`, expected `name`", "unknown field `more`, expected `name`"),
            ("expected value at line 1 column 1", "expected value at line 1 column 1"),
        ] {
            assert_eq!(without_values(text), told);
        }
    }

    #[test]
    fn a_time_that_is_none_is_not_repeated() {
        #[derive(Debug, Deserialize)]
        struct Lasting {
            #[serde(rename = "expires_at")]
            _expires_at: chancery_time::Timestamp,
        }
        let refusal = read::<Lasting>(br#"{"expires_at":"CRT-000000"}"#).unwrap_err();
        assert!(!refusal.message.contains("CRT-"), "{}", refusal.message);
        assert!(refusal.message.contains("the value is not an RFC 3339 time"), "{}", refusal.message);
    }

    #[test]
    fn a_whole_number_that_would_change_is_refused() {
        let refusal =
            read::<serde_json::Value>(br#"{"metadata":{"n":12345678901234567890123}}"#).unwrap_err();
        assert_eq!(refusal.code, Code::InvalidArguments);
        assert!(refusal.message.contains("beyond 64 bits"), "{}", refusal.message);
        assert!(read::<serde_json::Value>(br#"{"metadata":{"n":18446744073709551615,"m":1.5}}"#).is_ok());
    }

    #[test]
    fn no_text_holds_nul() {
        for (text, holds) in [
            (r#"{"name":"\u0000"}"#, true),
            (r#"{"name":"\\u0000"}"#, false),
            (r#"{"name":"\\\u0000"}"#, true),
        ] {
            assert_eq!(holds_nul(text.as_bytes()), holds, "{text}");
            assert_eq!(read::<Body>(text.as_bytes()).is_err(), holds, "{text}");
        }
    }

    #[test]
    fn what_is_repeated_stays_on_one_line() {
        let refusal = read::<Body>(b"{\"a\\u001b\\n\":1}").unwrap_err();
        assert!(!refusal.message.chars().any(char::is_control), "{}", refusal.message);
    }
}
