//! A case of the catalogue: a request to the byte, and the refusal that it earns.

use std::sync::Arc;

use chancery_testkit::{JwsKey, base64url};
use http::{HeaderValue, Method, Request, header};
use http_body_util::Full;
use hyper::body::Bytes;
use serde_json::{Value, json};

use super::world::World;

/// What makes a request, given a nonce that was not spent yet.
type Make = Box<dyn Fn(&World, &str) -> Draft>;
/// What signs in place of the key.
type Sign = Box<dyn Fn(&[u8]) -> Vec<u8>>;

/// What writes base64url otherwise.
type Encode = fn(String) -> String;
/// What some cases differ in, and what to call each.
pub(super) type Named<T, const N: usize> = [(&'static str, T); N];

/// One request and what has to come of it.
pub(super) struct Case {
    pub(super) name: String,
    pub(super) status: u16,
    /// The error type, without its namespace; empty where the request is let pass.
    pub(super) kind: &'static str,
    /// A part of the detail.
    pub(super) says: String,
    /// The methods that the answer lists (RFC 9110 §15.5.6), sorted.
    pub(super) allows: &'static [&'static str],
    pub(super) make: Make,
}

/// A case; `make` gets the fixtures and a fresh nonce.
pub(super) fn case(
    name: impl Into<String>,
    status: u16,
    kind: &'static str,
    make: impl Fn(&World, &str) -> Draft + 'static,
) -> Case {
    Case { name: name.into(), status, kind, says: String::new(), allows: &[], make: Box::new(make) }
}

/// A case of a request that is `malformed`.
pub(super) fn malformed(name: impl Into<String>, make: impl Fn(&World, &str) -> Draft + 'static) -> Case {
    case(name, 400, "malformed", make)
}

/// A request that is odd, and does no harm.
pub(super) fn harmless(
    name: impl Into<String>,
    status: u16,
    make: impl Fn(&World, &str) -> Draft + 'static,
) -> Case {
    case(name, status, "", make)
}

impl Case {
    /// Whether the request is refused.
    pub(super) fn is_refusal(&self) -> bool {
        !self.kind.is_empty()
    }

    /// Wants these methods listed, sorted.
    pub(super) fn allows(mut self, methods: &'static [&'static str]) -> Self {
        self.allows = methods;
        self
    }

    /// Wants that text in the detail.
    pub(super) fn says(mut self, part: impl Into<String>) -> Self {
        self.says = part.into();
        self
    }
}

/// A signed request in the making. As it begins it is good; each method makes one thing wrong with it.
pub(super) struct Draft {
    method: Method,
    to: String,
    fields: Vec<(String, Vec<u8>)>,
    key: Arc<JwsKey>,
    /// The protected header.
    header: Value,
    /// In place of the header.
    protected: Option<Vec<u8>>,
    /// What makes another text of the protected header's and the payload's base64url.
    encode: (Encode, Encode),
    payload: Vec<u8>,
    sign: Option<Sign>,
    /// In place of the JWS.
    body: Option<Vec<u8>>,
}

impl Draft {
    /// A request by a key, which names itself by `kid` or, without one, as `jwk`.
    pub(super) fn new(key: &Arc<JwsKey>, kid: Option<&str>, url: &str, nonce: &str, payload: &str) -> Self {
        let mut header = json!({ "alg": key.alg(), "nonce": nonce, "url": url });
        match kid {
            Some(kid) => header["kid"] = json!(kid),
            None => header["jwk"] = key.jwk(),
        }
        Self {
            method: Method::POST,
            to: url.to_owned(),
            fields: vec![("content-type".to_owned(), b"application/jose+json".to_vec())],
            key: Arc::clone(key),
            header,
            protected: None,
            encode: (std::convert::identity, std::convert::identity),
            payload: payload.as_bytes().to_vec(),
            sign: None,
            body: None,
        }
    }

    /// Goes to that URL, whatever the protected header says.
    pub(super) fn to(mut self, url: impl Into<String>) -> Self {
        self.to = url.into();
        self
    }

    pub(super) fn method(mut self, method: Method) -> Self {
        self.method = method;
        self
    }

    /// Has that media type; none where it is empty.
    pub(super) fn media(mut self, media: &str) -> Self {
        self.fields.retain(|(name, _)| name != "content-type");
        if media.is_empty() { self } else { self.field("content-type", media) }
    }

    /// Has a further header field.
    pub(super) fn field(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.fields.push((name.to_owned(), value.as_ref().to_vec()));
        self
    }

    /// Has that member in its protected header.
    pub(super) fn set(mut self, member: &str, value: impl Into<Value>) -> Self {
        self.header[member] = value.into();
        self
    }

    /// Lacks that member in its protected header.
    pub(super) fn without(mut self, member: &str) -> Self {
        self.header.as_object_mut().unwrap().remove(member);
        self
    }

    /// Its protected header, for what is made of it.
    pub(super) fn header(&self) -> &Value {
        &self.header
    }

    /// Has these bytes for its protected header.
    pub(super) fn protected(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.protected = Some(bytes.as_ref().to_vec());
        self
    }

    /// Its payload, for another request.
    pub(super) fn payload_text(&self) -> String {
        String::from_utf8(self.payload.clone()).unwrap()
    }

    pub(super) fn payload(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.payload = bytes.as_ref().to_vec();
        self
    }

    /// Writes the protected header's base64url otherwise, before it is signed.
    pub(super) fn encode_header(mut self, encode: Encode) -> Self {
        self.encode.0 = encode;
        self
    }

    /// Writes the payload's base64url otherwise, before it is signed.
    pub(super) fn encode_payload(mut self, encode: Encode) -> Self {
        self.encode.1 = encode;
        self
    }

    /// Is signed by that, given what a JWS signs.
    pub(super) fn sign(mut self, sign: impl Fn(&[u8]) -> Vec<u8> + 'static) -> Self {
        self.sign = Some(Box::new(sign));
        self
    }

    /// Is signed by that key, whatever key it names.
    pub(super) fn signed_by(self, key: &Arc<JwsKey>) -> Self {
        let key = Arc::clone(key);
        self.sign(move |input| key.sign(input))
    }

    /// Has that signature.
    pub(super) fn signature(self, signature: Vec<u8>) -> Self {
        self.sign(move |_| signature.clone())
    }

    /// Changes the JWS once it is signed.
    pub(super) fn edit(mut self, edit: impl FnOnce(&mut Value)) -> Self {
        let mut jws = self.jws();
        edit(&mut jws);
        self.body = Some(jws.to_string().into_bytes());
        self
    }

    /// Changes the text of the JWS once it is signed.
    pub(super) fn rewrite(mut self, rewrite: impl FnOnce(String) -> String) -> Self {
        self.body = Some(rewrite(self.jws().to_string()).into_bytes());
        self
    }

    /// Has these bytes for a body.
    pub(super) fn body(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.body = Some(bytes.as_ref().to_vec());
        self
    }

    /// The JWS as it is so far.
    pub(super) fn jws(&self) -> Value {
        let header = self.protected.clone().unwrap_or_else(|| self.header.to_string().into_bytes());
        let (protected, payload) =
            ((self.encode.0)(base64url(&header)), (self.encode.1)(base64url(&self.payload)));
        let input = format!("{protected}.{payload}");
        let signature = match &self.sign {
            Some(sign) => sign(input.as_bytes()),
            None => self.key.sign(input.as_bytes()),
        };
        json!({ "protected": protected, "payload": payload, "signature": base64url(&signature) })
    }

    /// Whether its answer has to bring a nonce (RFC 8555 §6.5).
    pub(super) fn earns_nonce(&self) -> bool {
        self.method == Method::POST
    }

    /// Whether it goes to the directory, which alone has no link to itself (RFC 8555 §7.1).
    pub(super) fn is_for_directory(&self) -> bool {
        self.to.contains("/directory")
    }

    pub(super) fn request(self) -> Request<Full<Bytes>> {
        let mut request = Request::builder().method(self.method.clone()).uri(&self.to);
        for (name, value) in &self.fields {
            request = request.header(name, HeaderValue::from_bytes(value).unwrap());
        }
        let has_body = self.method != Method::GET && self.method != Method::HEAD;
        let body = match self.body.clone() {
            Some(body) => body,
            None if has_body => self.jws().to_string().into_bytes(),
            None => Vec::new(),
        };
        let mut request =
            request.body(Full::from(body)).unwrap_or_else(|error| panic!("{}: {error}", self.to));
        if !has_body {
            request.headers_mut().remove(header::CONTENT_TYPE);
        }
        request
    }
}
