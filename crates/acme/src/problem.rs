//! Problem documents: every refusal that a client can be told (RFC 8555 §6.7, RFC 7807).

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use crate::Identifier;
use crate::jws::Algorithm;

/// An error type of the `urn:ietf:params:acme:error:` namespace: those of RFC 8555 §6.7, and of the
/// extensions that the server knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ProblemType {
    /// The request named an account that does not exist.
    AccountDoesNotExist,
    /// The certificate that the new order replaces was replaced before (RFC 9773 §5).
    AlreadyReplaced,
    /// The certificate is revoked already.
    AlreadyRevoked,
    /// The CSR cannot be accepted.
    BadCsr,
    /// The nonce was used before, or is not one of ours.
    BadNonce,
    /// The JWS was signed by a public key that the server does not support.
    BadPublicKey,
    /// The reason for the revocation is not one that a client may give.
    BadRevocationReason,
    /// The JWS was signed with an algorithm that the server does not support.
    BadSignatureAlgorithm,
    /// A CAA record forbids the CA to issue (RFC 8659).
    Caa,
    /// Several errors; see the subproblems.
    Compound,
    /// The server could not connect to the validation target.
    Connection,
    /// A DNS query failed during validation.
    Dns,
    /// A new account needs an external account binding.
    ExternalAccountRequired,
    /// What was received did not match the challenge.
    IncorrectResponse,
    /// A contact URL is invalid.
    InvalidContact,
    /// The server does not offer the profile, or not for this order (draft-ietf-acme-profiles §6).
    InvalidProfile,
    /// The request message is malformed.
    Malformed,
    /// The order is not ready to be finalized.
    OrderNotReady,
    /// The request exceeds a rate limit.
    RateLimited,
    /// The server will not issue for the identifier.
    RejectedIdentifier,
    /// The server failed.
    ServerInternal,
    /// A TLS error occurred during validation.
    Tls,
    /// The client lacks the authorization for the request.
    Unauthorized,
    /// A contact URL uses a scheme that is not supported.
    UnsupportedContact,
    /// The type of the identifier is not supported.
    UnsupportedIdentifier,
    /// A person must act: see the detail.
    UserActionRequired,
}

impl ProblemType {
    /// The URN that stands in the document's `type`.
    pub const fn urn(self) -> &'static str {
        match self {
            Self::AccountDoesNotExist => "urn:ietf:params:acme:error:accountDoesNotExist",
            Self::AlreadyReplaced => "urn:ietf:params:acme:error:alreadyReplaced",
            Self::AlreadyRevoked => "urn:ietf:params:acme:error:alreadyRevoked",
            Self::BadCsr => "urn:ietf:params:acme:error:badCSR",
            Self::BadNonce => "urn:ietf:params:acme:error:badNonce",
            Self::BadPublicKey => "urn:ietf:params:acme:error:badPublicKey",
            Self::BadRevocationReason => "urn:ietf:params:acme:error:badRevocationReason",
            Self::BadSignatureAlgorithm => "urn:ietf:params:acme:error:badSignatureAlgorithm",
            Self::Caa => "urn:ietf:params:acme:error:caa",
            Self::Compound => "urn:ietf:params:acme:error:compound",
            Self::Connection => "urn:ietf:params:acme:error:connection",
            Self::Dns => "urn:ietf:params:acme:error:dns",
            Self::ExternalAccountRequired => "urn:ietf:params:acme:error:externalAccountRequired",
            Self::IncorrectResponse => "urn:ietf:params:acme:error:incorrectResponse",
            Self::InvalidContact => "urn:ietf:params:acme:error:invalidContact",
            Self::InvalidProfile => "urn:ietf:params:acme:error:invalidProfile",
            Self::Malformed => "urn:ietf:params:acme:error:malformed",
            Self::OrderNotReady => "urn:ietf:params:acme:error:orderNotReady",
            Self::RateLimited => "urn:ietf:params:acme:error:rateLimited",
            Self::RejectedIdentifier => "urn:ietf:params:acme:error:rejectedIdentifier",
            Self::ServerInternal => "urn:ietf:params:acme:error:serverInternal",
            Self::Tls => "urn:ietf:params:acme:error:tls",
            Self::Unauthorized => "urn:ietf:params:acme:error:unauthorized",
            Self::UnsupportedContact => "urn:ietf:params:acme:error:unsupportedContact",
            Self::UnsupportedIdentifier => "urn:ietf:params:acme:error:unsupportedIdentifier",
            Self::UserActionRequired => "urn:ietf:params:acme:error:userActionRequired",
        }
    }

    /// The HTTP status that goes with the type unless the problem says otherwise.
    pub const fn status(self) -> u16 {
        match self {
            Self::Caa
            | Self::ExternalAccountRequired
            | Self::OrderNotReady
            | Self::RejectedIdentifier
            | Self::Unauthorized
            | Self::UserActionRequired => 403,
            Self::AlreadyReplaced => 409,
            Self::RateLimited => 429,
            Self::ServerInternal => 500,
            _ => 400,
        }
    }
}

/// A problem document, ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    kind: ProblemType,
    status: u16,
    detail: String,
    identifier: Option<Identifier>,
    subproblems: Vec<Problem>,
    lists_algorithms: bool,
    instance: Option<String>,
}

impl Problem {
    /// The media type of a problem document (RFC 7807 §3).
    pub const MEDIA_TYPE: &'static str = "application/problem+json";

    /// A problem with the status that its type usually has.
    ///
    /// `detail` is read by a person: it says what was wrong, where, and what to do.
    pub fn new(kind: ProblemType, detail: impl Into<String>) -> Self {
        Self {
            kind,
            status: kind.status(),
            detail: detail.into(),
            identifier: None,
            subproblems: Vec::new(),
            lists_algorithms: false,
            instance: None,
        }
    }

    /// A `malformed` problem.
    pub fn malformed(detail: impl Into<String>) -> Self {
        Self::new(ProblemType::Malformed, detail)
    }

    /// An `unauthorized` problem.
    pub fn unauthorized(detail: impl Into<String>) -> Self {
        Self::new(ProblemType::Unauthorized, detail)
    }

    /// A `rateLimited` problem. When to come back is told by `Retry-After` (RFC 8555 §6.6).
    pub fn rate_limited(detail: impl Into<String>) -> Self {
        Self::new(ProblemType::RateLimited, detail)
    }

    /// The problem of a request of whose identifiers some were refused: `alone` has its own problem,
    /// one among several has a subproblem (RFC 8555 §6.7.1).
    pub fn of_identifiers(mut problems: Vec<Self>, alone: bool) -> Self {
        let kinds = problems.iter().map(|problem| (problem.kind, problem.status)).collect::<Vec<_>>();
        let [(kind, status), others @ ..] = kinds.as_slice() else { return Self::internal() };
        if alone && others.is_empty() {
            return problems.pop().unwrap_or_else(Self::internal);
        }
        let kind = if others.iter().all(|(other, _)| other == kind) { *kind } else { ProblemType::Compound };
        let detail = "some identifiers were refused: see the subproblems, and order without them";
        Self::new(kind, detail).with_status(*status).with_subproblems(problems)
    }

    /// A `malformed` problem for an object that does not exist, with status 404.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::malformed(detail).with_status(404)
    }

    /// What a client may know of a failure of ours: nothing but that it happened.
    pub fn internal() -> Self {
        Self::new(ProblemType::ServerInternal, "the server failed; its log says why. Please try again later")
    }

    /// The same problem with another HTTP status (400–599).
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// The same problem, about one identifier (RFC 8555 §6.7.1).
    #[must_use]
    pub fn about(mut self, identifier: Identifier) -> Self {
        self.identifier = Some(identifier);
        self
    }

    /// The same problem with the parts it is made of (RFC 8555 §6.7.1).
    #[must_use]
    pub fn with_subproblems(mut self, subproblems: Vec<Problem>) -> Self {
        self.subproblems = subproblems;
        self
    }

    /// The same problem with the page that a person must visit (RFC 8555 §7.3.3).
    #[must_use]
    pub fn at_instance(mut self, url: impl Into<String>) -> Self {
        self.instance = Some(url.into());
        self
    }

    /// The same problem with the list of algorithms that would do (RFC 8555 §6.2).
    #[must_use]
    pub(crate) fn listing_algorithms(mut self) -> Self {
        self.lists_algorithms = true;
        self
    }

    /// The type.
    pub fn kind(&self) -> ProblemType {
        self.kind
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The text for a person.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// The document as JSON text.
    pub fn to_json(&self) -> String {
        // Strings and integers alone: nothing that could fail to serialise.
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl Serialize for Problem {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("type", self.kind.urn())?;
        map.serialize_entry("detail", &self.detail)?;
        map.serialize_entry("status", &self.status)?;
        if let Some(identifier) = &self.identifier {
            map.serialize_entry("identifier", identifier)?;
        }
        if let Some(instance) = &self.instance {
            map.serialize_entry("instance", instance)?;
        }
        if self.lists_algorithms {
            map.serialize_entry("algorithms", &Algorithm::ALL.map(Algorithm::name))?;
        }
        if !self.subproblems.is_empty() {
            map.serialize_entry("subproblems", &self.subproblems)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_the_members_of_rfc_7807() {
        let problem =
            Problem::new(ProblemType::RejectedIdentifier, "no").about(Identifier::dns("a.test").unwrap());
        assert_eq!(
            problem.to_json(),
            r#"{"type":"urn:ietf:params:acme:error:rejectedIdentifier","detail":"no","status":403,"identifier":{"type":"dns","value":"a.test"}}"#
        );
    }

    #[test]
    fn a_type_has_its_status_unless_the_problem_says_otherwise() {
        for (kind, status) in [
            (ProblemType::AlreadyReplaced, 409),
            (ProblemType::AlreadyRevoked, 400),
            (ProblemType::BadRevocationReason, 400),
            (ProblemType::Caa, 403),
            (ProblemType::ExternalAccountRequired, 403),
            (ProblemType::InvalidProfile, 400),
            (ProblemType::Malformed, 400),
            (ProblemType::RateLimited, 429),
            (ProblemType::ServerInternal, 500),
            (ProblemType::UserActionRequired, 403),
        ] {
            assert_eq!(Problem::new(kind, "no").status(), status, "{kind:?}");
        }
        assert_eq!(Problem::not_found("no").status(), 404);
        assert_eq!(Problem::rate_limited("no").kind(), ProblemType::RateLimited);
    }

    #[test]
    fn a_page_to_visit_is_the_instance() {
        let problem =
            Problem::new(ProblemType::UserActionRequired, "no").at_instance("https://ca.test/terms");
        assert!(problem.to_json().ends_with(r#","instance":"https://ca.test/terms"}"#));
    }

    #[test]
    fn lists_algorithms_where_the_rfc_wants_them() {
        let problem = Problem::new(ProblemType::BadSignatureAlgorithm, "no").listing_algorithms();
        assert!(problem.to_json().contains(r#""algorithms":["ES256","ES384","ES512","EdDSA","RS256"]"#));
    }
}
