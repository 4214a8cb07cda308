//! What every request of a program in the field says: which licence, which device.

use serde::Deserialize;
use utoipa::ToSchema;

use crate::domain::{Code, Refusal};
use crate::service::claims::Claim;

/// Which licence, and which device.
pub(super) struct Identity {
    pub(super) license_key: Option<String>,
    pub(super) fingerprint: Option<String>,
    pub(super) device_id: Option<String>,
    pub(super) device_fingerprint: Option<String>,
}

/// What a client tells of its surroundings. Nothing of it is kept.
#[derive(Deserialize, ToSchema)]
pub(super) struct Telemetry {}

/// Declares the body of a request of a program in the field: the members that each of them has, and its own.
macro_rules! client_request {
    ($(#[$doc:meta])* $name:ident { $($(#[$member_doc:meta])* $member:ident: $kind:ty,)* }) => {
        $(#[$doc])*
        #[derive(serde::Deserialize, utoipa::ToSchema)]
        #[serde(deny_unknown_fields)]
        pub(super) struct $name {
            /// The key of the licence, where the path does not have it.
            license_key: Option<String>,
            /// What the device is known by: 8 to 255 bytes without control characters.
            fingerprint: Option<String>,
            /// Another name of `fingerprint`, with the same value.
            device_id: Option<String>,
            /// Another name of `fingerprint`, with the same value.
            device_fingerprint: Option<String>,
            /// Ignored.
            #[serde(rename = "telemetry")]
            _telemetry: Option<crate::http::claims::Telemetry>,
            $($(#[$member_doc])* $member: $kind,)*
        }

        impl $name {
            fn identity(&mut self) -> crate::http::claims::Identity {
                crate::http::claims::Identity {
                    license_key: self.license_key.take(),
                    fingerprint: self.fingerprint.take(),
                    device_id: self.device_id.take(),
                    device_fingerprint: self.device_fingerprint.take(),
                }
            }
        }
    };
}
pub(super) use client_request;

client_request! {
    /// Which licence, and which device.
    ClientRequest {}
}

impl ClientRequest {
    /// The claim of a request that says nothing else.
    pub(super) fn claim(mut self, slug: String, in_path: Option<String>) -> Result<Claim, Refusal> {
        self.identity().claim(slug, in_path)
    }
}

impl Identity {
    /// The claim about a licence of that product, whose key the path may have.
    ///
    /// Programs hold the key in the answer against the one that they sent, and open machine files with the latter:
    /// under another spelling of it, a seat would be taken that they take for refused.
    ///
    /// # Errors
    /// What is missing, or said twice and not alike, and a key that is not spelt as it was sold.
    pub(super) fn claim(self, slug: String, in_path: Option<String>) -> Result<Claim, Refusal> {
        let Self { license_key, fingerprint, device_id, device_fingerprint } = self;
        let key = same("license_key", [in_path, license_key])?;
        let fingerprint = same("fingerprint", [fingerprint, device_id, device_fingerprint])?;
        let claim = Claim::new(slug, &key, fingerprint)?;
        if claim.key() == key { Ok(claim) } else { Err(misspelt()) }
    }
}

fn misspelt() -> Refusal {
    let message = "there is no licence of that key: check that it has capitals, and 0 and 1 where they look like letters";
    Refusal::new(Code::LicenseNotFound, message)
}

/// The one value under all names that are given.
fn same<const N: usize>(field: &str, given: [Option<String>; N]) -> Result<String, Refusal> {
    let mut given = given.into_iter().flatten();
    let value = given.next().ok_or_else(|| Refusal::missing(field))?;
    if given.any(|other| other != value) {
        return Err(Refusal::new(
            Code::InvalidArguments,
            format!("{field}: its other names have another value"),
        )
        .with("field", field.into()));
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use chancery_license::LicenseKey;

    use super::*;

    fn read(request: ClientRequest) -> Result<(), (Code, String)> {
        let claim =
            request.claim("app".to_owned(), Some("CRT-000000-000000-000000-000000-000000".to_owned()));
        claim
            .map(drop)
            .map_err(|refusal| (refusal.code, refusal.details["field"].as_str().unwrap().to_owned()))
    }

    #[test]
    fn the_device_is_named_once_or_alike() {
        let wrong = |field: &str| Err((Code::InvalidArguments, field.to_owned()));
        for (body, expected) in [
            (r#"{"fingerprint":"12345678"}"#, Ok(())),
            (r#"{"fingerprint":"12345678","device_id":"12345678","device_fingerprint":"12345678"}"#, Ok(())),
            (r#"{"device_id":"12345678"}"#, Ok(())),
            (r#"{"fingerprint":"12345678","device_id":null,"telemetry":{"os":{"name":"x"},"n":1}}"#, Ok(())),
            (r#"{"fingerprint":"12345678","device_id":"12345679"}"#, wrong("fingerprint")),
            (r#"{"device_id":"12345678","device_fingerprint":"1234567"}"#, wrong("fingerprint")),
            (r#"{"fingerprint":"1234567"}"#, wrong("fingerprint")),
            (r#"{"fingerprint":"12345\u00001234"}"#, wrong("fingerprint")),
            (r#"{"telemetry":{}}"#, Err((Code::ParameterMissing, "fingerprint".to_owned()))),
            (
                r#"{"fingerprint":"12345678","license_key":"CRT-000000-000000-000000-000000-000001"}"#,
                wrong("license_key"),
            ),
        ] {
            assert_eq!(read(serde_json::from_str(body).unwrap()), expected, "{body}");
        }
    }

    #[test]
    fn a_key_is_spelt_as_it_was_sold() {
        let key = LicenseKey::from_random(&[0; 29]);
        let code = |key: &str| {
            let request: ClientRequest = serde_json::from_str(r#"{"fingerprint":"12345678"}"#).unwrap();
            request.claim("app".to_owned(), Some(key.to_owned())).map(drop).map_err(|refusal| refusal.code)
        };
        assert_eq!(code(key.reveal()), Ok(()));
        for typed in
            [key.reveal().to_lowercase(), key.reveal().replace('0', "O"), format!(" {}", key.reveal())]
        {
            assert!(typed.parse::<LicenseKey>().is_ok());
            assert_eq!(code(&typed), Err(Code::LicenseNotFound));
        }
    }

    #[test]
    fn other_members_are_refused() {
        for body in [r#"{"fingerprint":"12345678","finger":1}"#, r#"{"telemetry":"x"}"#, r#"{"telemetry":7}"#]
        {
            assert!(serde_json::from_str::<ClientRequest>(body).is_err(), "{body}");
        }
    }
}
