//! The signed request (RFC 8555 §6.2): a JWS in flattened JSON form (RFC 7515 §7.2.2).
//!
//! Reading goes in two steps. [`SignedRequest::parse`] checks everything that can be checked without
//! a key, strictly; then the caller redeems the nonce, compares the URL, finds the key, and
//! [`SignedRequest::verify`] checks the signature over the bytes as they came. The payload is only
//! handed out by `verify`.

use serde::Deserialize;

use crate::flattened::Flattened;
use crate::jwk::{AccountKey, KeyRefusal, RawJwk};
use crate::object::{Object, Presence, not_null};
use crate::problem::{Problem, ProblemType};

/// The media type of every signed request (RFC 8555 §6.2).
pub const MEDIA_TYPE: &str = "application/jose+json";

/// A signature algorithm for account keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// ECDSA with P-256 and SHA-256.
    Es256,
    /// ECDSA with P-384 and SHA-384.
    Es384,
    /// ECDSA with P-521 and SHA-512.
    Es512,
    /// Ed25519 (RFC 8037).
    EdDsa,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
}

impl Algorithm {
    /// All of them, in the order in which clients are told of them.
    pub const ALL: [Self; 5] = [Self::Es256, Self::Es384, Self::Es512, Self::EdDsa, Self::Rs256];

    /// The name in the `alg` header (RFC 7518 §3.1).
    pub const fn name(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::Es512 => "ES512",
            Self::EdDsa => "EdDSA",
            Self::Rs256 => "RS256",
        }
    }

    fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }
}

/// Why a signed request is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JwsError {
    /// The text is not a flattened JWS.
    #[error("this is not a JWS in flattened JSON form (RFC 8555 §6.2): {0}")]
    Serialization(String),
    /// A part is not unpadded base64url.
    #[error("the member `{0}` is not unpadded base64url")]
    Base64(&'static str),
    /// The protected header is not the JSON object it should be.
    #[error("the protected header is not as RFC 8555 wants it: {0}")]
    Header(String),
    /// `none`, a MAC, or an algorithm that is not known.
    #[error("the algorithm `{0}` is not supported for account keys: see `algorithms`")]
    Algorithm(String),
    /// The algorithm is not the one that the key is used with.
    #[error("the protected header says `{said}` but the key is used with `{used}`")]
    KeyMismatch {
        /// The `alg` of the header.
        said: &'static str,
        /// The algorithm of the key.
        used: &'static str,
    },
    /// Not exactly one of `jwk` and `kid`.
    #[error("the protected header has {0}: it must have exactly one of `jwk` and `kid`")]
    KeyReference(&'static str),
    /// The key is refused.
    #[error(transparent)]
    Key(#[from] KeyRefusal),
    /// The signature does not verify.
    #[error("the signature does not verify under the key of the request")]
    Signature,
}

impl JwsError {
    /// The problem of this error's type with a detail of the caller's, who knows which JWS it was.
    pub(crate) fn problem(&self, detail: String) -> Problem {
        match self {
            Self::Algorithm(_) => {
                Problem::new(ProblemType::BadSignatureAlgorithm, detail).listing_algorithms()
            }
            Self::Key(_) => Problem::new(ProblemType::BadPublicKey, detail),
            // RFC 8555 names no type for a signature that fails; the request as such is what is wrong.
            _ => Problem::malformed(detail),
        }
    }
}

impl From<JwsError> for Problem {
    fn from(error: JwsError) -> Self {
        error.problem(error.to_string())
    }
}

/// Whose key signs the request.
#[derive(Debug, Clone)]
pub enum KeyReference {
    /// The key itself, where there is no account yet.
    Jwk(Box<AccountKey>),
    /// The account's URL.
    Kid(String),
}

/// A signed request that was read but not believed yet.
#[derive(Debug)]
pub struct SignedRequest {
    algorithm: Algorithm,
    key: KeyReference,
    nonce: Option<String>,
    url: String,
    jws: Flattened,
}

#[derive(Deserialize)]
struct ProtectedHeader {
    alg: String,
    #[serde(default, deserialize_with = "not_null")]
    nonce: Option<String>,
    url: String,
    #[serde(default, deserialize_with = "not_null")]
    jwk: Option<Object<RawJwk>>,
    #[serde(default, deserialize_with = "not_null")]
    kid: Option<String>,
    #[serde(default)]
    crit: Presence,
    #[serde(default)]
    b64: Presence,
}

impl SignedRequest {
    /// Reads a request body: form, header, exactly one key reference, an algorithm that is allowed.
    ///
    /// # Errors
    /// A [`JwsError`] that says which part is wrong.
    pub fn parse(body: &[u8]) -> Result<Self, JwsError> {
        let jws = Flattened::parse(body)?;
        let header = parse_header(&jws)?;
        let algorithm = Algorithm::named(&header.alg)
            .ok_or_else(|| JwsError::Algorithm(header.alg.chars().take(32).collect()))?;
        let key = match (header.jwk, header.kid) {
            (Some(Object(jwk)), None) => KeyReference::Jwk(Box::new(jwk.check()?)),
            (None, Some(kid)) => KeyReference::Kid(kid),
            (None, None) => return Err(JwsError::KeyReference("neither")),
            (Some(_), Some(_)) => return Err(JwsError::KeyReference("both")),
        };
        Ok(Self { algorithm, key, nonce: header.nonce, url: header.url, jws })
    }

    /// Whose key is said to sign.
    pub fn key(&self) -> &KeyReference {
        &self.key
    }

    /// The nonce, if there is one.
    pub fn nonce(&self) -> Option<&str> {
        self.nonce.as_deref()
    }

    /// The URL that the client meant.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Checks the signature under `key` and hands out the payload; empty for POST-as-GET.
    ///
    /// # Errors
    /// [`JwsError::KeyMismatch`] where the header's algorithm is not the key's,
    /// [`JwsError::Signature`] where the signature fails, [`JwsError::Base64`] for the payload.
    pub fn verify(&self, key: &AccountKey) -> Result<Payload, JwsError> {
        // The key decides the algorithm; what the header says can only agree or be refused.
        if key.algorithm() != self.algorithm {
            return Err(JwsError::KeyMismatch { said: self.algorithm.name(), used: key.algorithm().name() });
        }
        if !key.verifies(self.jws.signing_input(), self.jws.signature()) {
            return Err(JwsError::Signature);
        }
        self.jws.payload().map(Payload)
    }
}

/// The payload of a request whose signature was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payload(Vec<u8>);

impl Payload {
    /// The bytes, for a payload that is no JSON object of its own kind: the inner JWS of a key change.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether the request is a POST-as-GET (RFC 8555 §6.3): its payload is the empty string.
    pub fn is_post_as_get(&self) -> bool {
        self.0.is_empty()
    }

    /// The payload as a JSON object of the given type.
    ///
    /// # Errors
    /// `malformed`, with the place in the payload where the JSON went wrong.
    pub fn parse<'de, T: Deserialize<'de>>(&'de self) -> Result<T, Problem> {
        if self.is_post_as_get() {
            return Err(Problem::malformed(
                "the payload is empty (POST-as-GET), but this resource takes a JSON object",
            ));
        }
        serde_json::from_slice(&self.0).map(|Object(payload)| payload).map_err(|error| {
            Problem::malformed(format!("the payload is not what this resource takes: {error}"))
        })
    }

    /// Accepts a POST-as-GET only.
    ///
    /// # Errors
    /// `malformed` where there is a payload.
    pub fn expect_post_as_get(&self) -> Result<(), Problem> {
        if self.is_post_as_get() {
            return Ok(());
        }
        Err(Problem::malformed(
            "this resource can only be read: send the empty payload of a POST-as-GET (RFC 8555 §6.3)",
        ))
    }
}

fn parse_header(jws: &Flattened) -> Result<ProtectedHeader, JwsError> {
    let header: ProtectedHeader = jws.header()?;
    if header.crit.is_there() {
        // RFC 7515 §4.1.11: extensions we do not understand must be refused, and we have none.
        return Err(JwsError::Header("`crit` names extensions, and none is supported".into()));
    }
    if header.b64.is_there() {
        return Err(JwsError::Header("`b64` (RFC 7797) is not supported".into()));
    }
    Ok(header)
}

#[cfg(test)]
mod tests {
    use base64ct::{Base64UrlUnpadded, Encoding};
    use proptest::prelude::*;

    use super::*;
    use crate::payload::ChallengeAnswer;
    use crate::test_client::Client;

    #[test]
    fn a_good_request_yields_its_payload() {
        let client = Client::new();
        let request = SignedRequest::parse(client.sign(&client.header(), "{}").as_bytes()).unwrap();
        assert_eq!(request.url(), "https://ca/x");
        assert_eq!(request.nonce(), Some("n"));
        assert_eq!(request.verify(&client.key()), Ok(Payload(b"{}".to_vec())));
        assert_eq!(request.verify(&Client::new().key()), Err(JwsError::Signature));
    }

    #[test]
    fn post_as_get_is_the_empty_payload() {
        let client = Client::new();
        let request = SignedRequest::parse(client.sign(&client.header(), "").as_bytes()).unwrap();
        let payload = request.verify(&client.key()).unwrap();
        assert!(payload.is_post_as_get());
        assert!(payload.expect_post_as_get().is_ok());
        assert!(payload.parse::<serde_json::Value>().is_err());
    }

    #[test]
    fn bad_headers_are_refused_one_by_one() {
        let client = Client::new();
        let jwk = client.jwk();
        let refused = |header: &str| SignedRequest::parse(client.sign(header, "{}").as_bytes()).unwrap_err();
        let with = |rest: &str| format!(r#"{{"alg":"ES256","nonce":"n","url":"u"{rest}}}"#);
        assert_eq!(refused(&with("")), JwsError::KeyReference("neither"));
        assert_eq!(refused(&with(&format!(r#","kid":"k","jwk":{jwk}"#))), JwsError::KeyReference("both"));
        assert!(matches!(refused(&with(r#","kid":"k","crit":["b64"]"#)), JwsError::Header(_)));
        assert!(matches!(refused(&with(r#","kid":"k","b64":false"#)), JwsError::Header(_)));
        assert!(matches!(refused(&with(r#","kid":"k","crit":null"#)), JwsError::Header(_)));
        assert!(matches!(refused(&with(r#","kid":"k","b64":null"#)), JwsError::Header(_)));
        assert!(matches!(refused(&with(r#","kid":"k","kid":"k""#)), JwsError::Header(_)));
        assert!(matches!(refused(&with(r#","kid":"k","jwk":null"#)), JwsError::Header(_)));
        assert!(matches!(refused(&with(&format!(r#","kid":null,"jwk":{jwk}"#))), JwsError::Header(_)));
        assert!(matches!(
            refused(r#"{"alg":"ES256","nonce":null,"url":"u","kid":"k"}"#),
            JwsError::Header(_)
        ));
        for alg in ["none", "HS256", "ES256K", "", "es256"] {
            let header = format!(r#"{{"alg":"{alg}","nonce":"n","url":"u","kid":"k"}}"#);
            assert_eq!(refused(&header), JwsError::Algorithm(alg.into()));
        }
    }

    #[test]
    fn the_key_decides_the_algorithm() {
        let client = Client::new();
        let header = client.header().replace("ES256", "RS256");
        let request = SignedRequest::parse(client.sign(&header, "{}").as_bytes()).unwrap();
        assert_eq!(
            request.verify(&client.key()),
            Err(JwsError::KeyMismatch { said: "RS256", used: "ES256" })
        );
    }

    #[test]
    fn other_forms_of_jws_are_refused() {
        let client = Client::new();
        let good = client.sign(&client.header(), "{}");
        let with_member = |member: &str| good.replacen('{', &format!("{{{member},"), 1);
        for body in [
            with_member(r#""header":{}"#),
            with_member(r#""signatures":[]"#),
            with_member(r#""header":null"#),
            with_member(r#""signatures":null"#),
            with_member(r#""payload":"""#),
            format!("{good}x"),
            "[]".into(),
            "a.b.c".into(),
            String::new(),
        ] {
            assert!(
                matches!(SignedRequest::parse(body.as_bytes()), Err(JwsError::Serialization(_))),
                "{body}"
            );
        }
        let padded = good.replace(r#"","signature""#, r#"=","signature""#);
        let request = SignedRequest::parse(padded.as_bytes()).unwrap();
        assert_eq!(request.verify(&client.key()), Err(JwsError::Signature));
    }

    /// RFC 7515 §7.2.2 and §4, RFC 7517 §4: each of these is a JSON object.
    #[test]
    fn arrays_are_refused_where_objects_belong() {
        let says_so = |error: &str| error.contains("invalid type: sequence, expected a JSON object");
        let client = Client::new();

        let good: serde_json::Value = serde_json::from_str(&client.sign(&client.header(), "{}")).unwrap();
        let body = serde_json::json!([good["protected"], good["payload"], good["signature"], null, null]);
        let error = SignedRequest::parse(body.to_string().as_bytes()).unwrap_err();
        assert!(matches!(&error, JwsError::Serialization(text) if says_so(text)), "{error}");

        let point = serde_json::from_str::<serde_json::Value>(&client.jwk()).unwrap();
        let jwk = serde_json::json!(["EC", "P-256", point["x"], point["y"], null, null, null, null]);
        for header in [
            r#"["ES256","n","u",null,"k",null,null]"#.to_owned(),
            format!(r#"{{"alg":"ES256","nonce":"n","url":"u","jwk":{jwk}}}"#),
        ] {
            let error = SignedRequest::parse(client.sign(&header, "{}").as_bytes()).unwrap_err();
            assert!(matches!(&error, JwsError::Header(text) if says_so(text)), "{header}: {error}");
        }

        let request = SignedRequest::parse(client.sign(&client.header(), "[]").as_bytes()).unwrap();
        let payload = request.verify(&client.key()).unwrap();
        let problem = payload.parse::<ChallengeAnswer>().unwrap_err();
        assert!(says_so(problem.detail()), "{problem:?}");
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(body in proptest::collection::vec(any::<u8>(), 0..512)) {
            let _ = SignedRequest::parse(&body);
        }

        #[test]
        fn no_header_makes_it_panic(header in "\\PC{0,200}") {
            let body = format!(
                r#"{{"protected":"{}","payload":"","signature":""}}"#,
                Base64UrlUnpadded::encode_string(header.as_bytes())
            );
            prop_assert!(SignedRequest::parse(body.as_bytes()).is_err());
        }
    }
}
