//! Documents in armour, held to their vectors: licences, revocation lists, key manifests, requests and
//! responses.

mod exchange;
mod keys;
mod license;
mod writer;

use chancery_license::exchange::{ExchangeError, open_request, open_response};
use chancery_license::state::{CallHome, Documents, LicenseTerms, Revocations, State, state};
use chancery_license::{
    Anchor, Build, DocumentError, Environment, Keyring, License, PublicKey, RevocationList, TrustAnchors,
    Verified, Watermark, armour, open,
};

use crate::vector::{Vector, hold};

const FORMAT: &str = "document";

#[test]
fn the_vectors_hold() {
    let vectors = Vector::all(FORMAT);
    assert!(!vectors.is_empty());
    for vector in vectors {
        let outcome = outcome(&vector);
        let found = outcome.clone().unwrap_or_else(|error| error.class());
        assert_eq!(found, vector.value("expect"), "{}: {outcome:?}", vector.name);
    }
}

#[test]
fn the_vectors_are_what_the_code_makes() {
    let mut made = license::accepted();
    made.extend(license::armours());
    made.extend(license::signatures());
    made.extend(license::contents());
    made.extend(keys::revocations());
    made.extend(keys::manifests());
    made.extend(exchange::requests());
    made.extend(exchange::responses());
    hold(FORMAT, made);
}

/// What comes of a vector. Of its armoured documents, the last one is judged; key manifests before it are
/// admitted, the revocation list before it is the one that counts, and the request before it is what a response
/// has to answer.
fn outcome(vector: &Vector) -> Result<&'static str, ExchangeError> {
    let mut documents = armoured(&vector.artefact);
    let judged = documents.pop().unwrap();
    let mut keyring = keyring(vector);
    let mut revocations = None;
    let mut asked = None;
    for text in documents {
        if armour::label(text) == Some("CHANCERY KEYS") {
            keyring = keyring.admit(text)?;
        } else if armour::label(text) == Some(writer::REQUEST) {
            asked = Some(open_request(text, vector.value("product"))?.into_document());
        } else {
            let list = open::<RevocationList>(text, &keyring)?;
            revocations = Some(Revocations::from(&list));
        }
    }
    match vector.value("kind") {
        "keys" => Ok(keyring.admit(judged).map(|_| "ok")?),
        "revocations" => Ok(open::<RevocationList>(judged, &keyring).map(|_| "ok")?),
        "request" => Ok(open_request(judged, vector.value("product")).map(|_| "ok")?),
        "response" => open_response(judged, &keyring, &asked.unwrap()).map(|_| "ok"),
        "license" => Ok(license_state(vector, &open(judged, &keyring)?, revocations)?),
        other => panic!("{other} is no kind of document"),
    }
}

fn license_state(
    vector: &Vector,
    license: &Verified<License>,
    revocations: Option<Revocations>,
) -> Result<&'static str, DocumentError> {
    license.body().fit_installation(&vector.value("installation").parse().unwrap())?;
    let build = Build {
        version: vector.value("build").parse().unwrap(),
        date: vector.value("built").parse().unwrap(),
    };
    let documents = Documents {
        licenses: vec![Ok(LicenseTerms::from(license))],
        revocations,
        call_home: CallHome::Disabled,
    };
    let now = vector.value("now").parse().unwrap();
    Ok(match state(&documents, now, Some(Watermark::starting(&build)), &build).state {
        State::Invalid(reason) => reason.name(),
        state => state.name(),
    })
}

fn keyring(vector: &Vector) -> Keyring {
    let anchor = |text: &str| {
        let [environment, product, spki] = text.split(':').collect::<Vec<_>>().try_into().unwrap();
        let pem = writer::armour("PUBLIC KEY", spki);
        Anchor {
            key: PublicKey::from_pem(&pem).unwrap(),
            product: str::to_owned(product),
            environment: environment.parse().unwrap(),
        }
    };
    let anchors = TrustAnchors::new(vector.value("trusted").split(' ').map(anchor).collect()).unwrap();
    let environment: Environment = vector.value("environment").parse().unwrap();
    Keyring::new(&anchors, vector.value("product"), environment).unwrap()
}

/// Each document of a text that holds several, with all that stands before the next.
fn armoured(text: &str) -> Vec<&str> {
    let starts: Vec<usize> = text.match_indices("-----BEGIN ").map(|(start, _)| start).skip(1).collect();
    let ends = starts.iter().copied().chain([text.len()]);
    [0].into_iter().chain(starts.iter().copied()).zip(ends).map(|(start, end)| &text[start..end]).collect()
}
