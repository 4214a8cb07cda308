//! The OpenAPI document, read as a program reads it that calls every operation.

use chancery_license::{InstallationKey, LicenseKey, SigningKey};
use serde_json::{Map, Value, json};

use super::PORTAL;

/// What a path or a body is filled in with: whatever is long enough for every rule, and names nothing.
const FILLING: &str = "abcdefgh";

/// One operation of the API.
#[derive(Debug)]
pub(super) struct Operation {
    pub(super) id: String,
    pub(super) method: http::Method,
    /// With parameters in braces.
    pub(super) path: String,
    pub(super) tag: String,
    pub(super) needs_key: bool,
    /// A good body with every member that has to be there; none where the operation takes no body.
    pub(super) body: Option<Value>,
}

impl Operation {
    /// The path with something in place of each parameter.
    pub(super) fn filled_path(&self) -> String {
        let mut path = String::new();
        for part in self.path.split('/').skip(1) {
            path.push('/');
            match part {
                "{installation_key}" => path.push_str(&InstallationKey::from_random(&[7; 29]).to_string()),
                "{license}" => path.push_str(&license_key()),
                _ if part.starts_with('{') => path.push_str(FILLING),
                _ => path.push_str(part),
            }
        }
        path
    }
}

/// A key of no licence.
fn license_key() -> String {
    LicenseKey::from_random(&[7; 29]).reveal().to_owned()
}

/// A key, in PEM.
fn public_key() -> String {
    SigningKey::from_ed25519_seed(&[7; 32]).unwrap().public().to_pem()
}

/// The document as the program prints it.
pub(super) fn text() -> String {
    chancery_testkit::run_program(PORTAL, &["openapi"]).succeeded().stdout
}

/// Every operation of the document.
pub(super) fn operations() -> Vec<Operation> {
    let document: Value = serde_json::from_str(&text()).unwrap();
    let schemas = &document["components"]["schemas"];
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let body = &operation["requestBody"]["content"]["application/json"]["schema"];
            found.push(Operation {
                id: operation["operationId"].as_str().unwrap_or_default().to_owned(),
                method: method.to_uppercase().parse().unwrap(),
                path: path.clone(),
                tag: operation["tags"][0].as_str().unwrap_or_default().to_owned(),
                needs_key: operation["security"].as_array().is_some_and(|keys| !keys.is_empty()),
                body: (!body.is_null()).then(|| sample(body, schemas)),
            });
        }
    }
    assert!(found.len() > 40, "the document tells of {} operations", found.len());
    found
}

/// A value that a schema takes.
fn sample(schema: &Value, schemas: &Value) -> Value {
    if let Some(reference) = schema["$ref"].as_str() {
        return sample(&schemas[reference.rsplit('/').next().unwrap()], schemas);
    }
    if let Some(values) = schema["enum"].as_array() {
        return values[0].clone();
    }
    if let Some(all) = schema["allOf"].as_array() {
        let parts = all.iter().filter_map(|part| sample(part, schemas).as_object().cloned());
        return parts.flatten().collect::<Map<_, _>>().into();
    }
    if let Some(one) = schema["oneOf"].as_array() {
        return sample(&one[0], schemas);
    }
    let kind = match &schema["type"] {
        Value::Array(kinds) => kinds[0].as_str(),
        kind => kind.as_str(),
    };
    match kind {
        Some("object") => {
            let needed = schema["required"].as_array().cloned().unwrap_or_default();
            let member = |name: &Value| {
                let name = name.as_str().unwrap();
                (name.to_owned(), sample(&schema["properties"][name], schemas))
            };
            let mut members: Map<String, Value> = needed.iter().map(member).collect();
            // What has a form of its own. A path may have the licence key, and the fingerprint has other names, so
            // that neither is told to be required.
            let formed = [
                ("license_key", license_key()),
                ("fingerprint", FILLING.to_owned()),
                ("public_key", public_key()),
            ];
            for (name, value) in formed {
                if schema["properties"][name].is_object() {
                    members.insert(name.to_owned(), json!(value));
                }
            }
            members.into()
        }
        Some("array") => json!([]),
        Some("boolean") => json!(true),
        Some("integer" | "number") => json!(schema["minimum"].as_i64().unwrap_or(1)),
        Some("string") if schema["format"] == "date-time" => json!("2036-01-01T00:00:00Z"),
        Some("string") => json!(FILLING),
        _ => Value::Null,
    }
}
