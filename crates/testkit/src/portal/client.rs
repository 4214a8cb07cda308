//! A program that calls the portal.

use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{Method, Request};
use http_body_util::Full;
use hyper::body::Bytes;
use serde_json::Value;

use crate::{Answer, HttpsClient};

/// Speaks JSON over HTTPS with a portal, under one API key or none.
#[derive(Clone)]
pub struct PortalClient {
    https: HttpsClient,
    origin: String,
    key: Option<String>,
}

impl PortalClient {
    /// Where the API begins.
    const BASE: &str = "/api/v1";

    pub(super) fn new(https: HttpsClient, origin: String, key: Option<&str>) -> Self {
        Self { https, origin, key: key.map(str::to_owned) }
    }

    /// The same client with another key.
    #[must_use]
    pub fn with_key(&self, key: &str) -> Self {
        Self { key: Some(key.to_owned()), ..self.clone() }
    }

    /// `GET`, of a path below the base of the API.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, &Self::below(path), &[], "").await
    }

    /// `POST` of a JSON body, to a path below the base of the API.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.post_with(path, &[], body).await
    }

    /// `POST` with further header fields.
    pub async fn post_with(&self, path: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
        self.send(Method::POST, &Self::below(path), headers, body.to_string()).await
    }

    /// `PATCH` of a JSON body, to a path below the base of the API.
    pub async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::PATCH, &Self::below(path), &[], body.to_string()).await
    }

    /// Any request, to a path from the root. A body is said to be JSON, and the key is sent where there is one.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Answer {
        let what = format!("{method} {path}");
        let body = body.into();
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.origin));
        if let Some(key) = &self.key {
            request = request.header(AUTHORIZATION, format!("Bearer {key}"));
        }
        if !body.is_empty() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::from(body)).expect("a request");
        let answer = self.https.exchange(request).await;
        Answer::read(answer.unwrap_or_else(|error| panic!("{what}: {error}")))
    }

    /// As [`post`](Self::post), for a portal that may be killed meanwhile: `None` when no answer came.
    pub async fn try_post(&self, path: &str, body: &Value) -> Option<Answer> {
        let request = Request::post(format!("{}{}", self.origin, Self::below(path)))
            .header(AUTHORIZATION, format!("Bearer {}", self.key.as_deref().expect("a client with a key")))
            .header(CONTENT_TYPE, "application/json")
            .body(Full::from(body.to_string()));
        self.https.exchange(request.expect("a request")).await.ok().map(Answer::read)
    }

    fn below(path: &str) -> String {
        format!("{}{path}", Self::BASE)
    }
}

impl Answer {
    /// The JSON body of the answer, which must be a success: 200 or 201.
    #[track_caller]
    pub fn done(&self) -> Value {
        assert!(matches!(self.status.as_u16(), 200 | 201), "{self:?}");
        assert_eq!(self.header("content-type"), Some("application/json"), "{self:?}");
        self.json()
    }

    /// The `error` of the answer, which must be a refusal by the portal: with that status and code, in the
    /// envelope of its API and nothing beside it.
    #[track_caller]
    pub fn refused(&self, status: u16, code: &str) -> Value {
        assert_eq!(self.status.as_u16(), status, "{self:?}");
        assert_eq!(self.header("content-type"), Some("application/json"), "{self:?}");
        let envelope = self.json();
        let members = |value: &Value| -> Vec<String> {
            value.as_object().map(|object| object.keys().cloned().collect()).unwrap_or_default()
        };
        assert_eq!(members(&envelope), ["error"], "{self:?}");
        let error = &envelope["error"];
        assert_eq!(members(error), ["code", "details", "message"], "{self:?}");
        assert_eq!(error["code"], code, "{self:?}");
        assert!(error["details"].is_object(), "{self:?}");
        let message = error["message"].as_str().unwrap_or_else(|| panic!("no message: {self:?}"));
        assert!((1..=1_024).contains(&message.len()), "{self:?}");
        assert!(!message.chars().any(char::is_control), "{self:?}");
        error.clone()
    }
}
