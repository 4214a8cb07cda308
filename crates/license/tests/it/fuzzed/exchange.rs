//! Requests and responses.

use chancery_license::exchange::{
    ExchangeError, Held, Metrics, Nonce, Request, Response, open_request, open_response, seal_request,
};
use chancery_license::{Database, Document, DocumentError, Kind, SigningKey, Version};

use super::document::Bounded;
use super::payload::{DEPTH, hold_line, hold_number, signed};
use super::signer::{self, DEV, KEYRING, PRODUCT};
use super::{flipped, hold_reason, json};

/// The bytes are signed as a request, by the key of the vectors.
pub fn request(data: &[u8]) {
    let text = signer::document(Kind::Request, data, &[&installation()]);
    if text.len() > Kind::Request.max_length() {
        return;
    }
    let Some(document) = hold_request(&text) else {
        let refusal = open_request(&text, PRODUCT).expect_err("it was refused before");
        // The key in it may be another's, who did not sign.
        let is_of_payload = matches!(
            refusal,
            DocumentError::Payload(_)
                | DocumentError::Rule(_)
                | DocumentError::UnknownKey(_)
                | DocumentError::WrongProduct { .. }
        );
        return assert!(is_of_payload, "{refusal:?}");
    };
    json::hold_one_reading(data, DEPTH);
    let found: serde_json::Value = serde_json::from_slice(data).expect("JSON");
    assert_eq!(found, serde_json::to_value(&document).expect("JSON"), "something was passed over");
}

/// The bytes are signed as a response, which is held against the request that it answers and against another.
pub fn response(data: &[u8]) {
    let Some(body) = signed::<Response>(data) else { return };
    let text = signer::document(Kind::Response, data, &[&DEV]);
    let mut request = Document {
        product: PRODUCT.to_owned(),
        environment: KEYRING.environment(),
        issued: "2026-06-14T13:23:00Z".parse().expect("an instant"),
        body: Request {
            installation_key: body.installation_key.clone(),
            public_key: installation().public().clone(),
            nonce: body.nonce,
            counter: body.counter,
            license_key: None,
            machine_name: None,
            held: Held::default(),
            metrics: Metrics {
                database: Database::Sqlite,
                authorities: 1,
                managed_servers: 0,
                active_certificates: 0,
                version: Version { major: 0, minor: 1, patch: 0 },
            },
        },
    };
    let opened = open_response(&text, &KEYRING, &request).expect("it answers this request");
    assert_eq!(opened.body(), &body);
    request.body.nonce = Nonce::from_random(request.body.nonce.as_bytes().map(|byte| !byte));
    assert_eq!(open_response(&text, &KEYRING, &request), Err(ExchangeError::OtherRequest));
}

fn installation() -> SigningKey {
    SigningKey::from_ed25519_seed(&[20; 32]).expect("a key")
}

/// Opens a text as a request, and holds what comes of it to the crate's word.
pub(super) fn hold_request(text: &str) -> Option<Document<Request>> {
    let verified = match open_request(text, PRODUCT) {
        Ok(verified) => verified,
        Err(error) => {
            hold_reason(&error);
            return None;
        }
    };
    assert!(text.len() <= Kind::Request.max_length());
    assert_eq!(verified.signer(), verified.body().public_key.id());
    let document = verified.into_document();
    assert_eq!(document.product, PRODUCT);
    let Request { counter, machine_name, held, metrics, .. } = &document.body;
    hold_number(*counter);
    assert!(machine_name.as_ref().is_none_or(|name| (1..=255).contains(&name.len())));
    let counts = [held.serial, held.revocations, held.keys, metrics.managed_servers];
    counts.into_iter().chain([metrics.active_certificates]).for_each(|count| hold_number(count.max(1)));
    if let Ok(again) = open_request(&flipped(text), PRODUCT) {
        assert_eq!(again.document(), &document, "with one bit flipped, it opens as something else");
    }
    // Nobody but the installation can seal it; where it is the one of the vectors, it is written in one way.
    if document.body.public_key == *installation().public() {
        match seal_request(&document, &installation()) {
            Ok(sealed) => {
                let again = open_request(&sealed, PRODUCT).expect("what is sealed opens");
                assert_eq!(again.into_document(), document);
            }
            Err(error) => assert!(text.len() > Kind::Request.max_length() / 2, "{error}"),
        }
    }
    assert!(seal_request(&document, &DEV).is_err(), "another key signs for it");
    Some(document)
}

impl Bounded for Response {
    fn hold_bounds(&self) {
        hold_number(self.counter);
        assert!(self.documents.len() <= 8 && self.warnings.len() <= 8);
        assert!(self.documents.iter().map(String::len).sum::<usize>() <= 5 * 1_024 * 1_024);
        assert!(self.documents.iter().all(|text| text.contains("-----BEGIN ")));
        self.warnings.iter().for_each(|warning| hold_line(warning, 300));
    }
}
