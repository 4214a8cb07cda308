//! What clients send inside a signed request.
//!
//! Members that are not known are ignored, as RFC 8555 §7.3 wants; known ones must have their type
//! and may stand once only.

use chancery_time::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::identifier::{Identifier, RawIdentifier};
use crate::object;
use crate::problem::{Problem, ProblemType};

/// A request for a new account (RFC 8555 §7.3).
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NewAccount {
    /// Where the holder can be reached.
    pub contact: Option<Vec<String>>,
    /// Whether the holder agrees to the terms of service.
    #[serde(default)]
    pub terms_of_service_agreed: bool,
    /// Whether only an existing account is wanted.
    #[serde(default)]
    pub only_return_existing: bool,
    /// The binding to an account elsewhere, a JWS as JSON (RFC 8555 §7.3.4); [`crate::eab`] reads it.
    pub external_account_binding: Option<Box<RawValue>>,
}

/// A change of an account (RFC 8555 §7.3.2, §7.3.6).
#[derive(Debug, Deserialize)]
pub struct AccountUpdate {
    /// New contacts, in place of the old ones.
    pub contact: Option<Vec<String>>,
    /// `deactivated`, to close the account; any other value is to be ignored.
    pub status: Option<String>,
}

/// A request for a new order (RFC 8555 §7.4).
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NewOrder {
    /// The identifiers to be certified.
    #[serde(deserialize_with = "object::list")]
    pub identifiers: Vec<RawIdentifier>,
    /// The wish for the certificate's notBefore.
    pub not_before: Option<Timestamp>,
    /// The wish for the certificate's notAfter.
    pub not_after: Option<Timestamp>,
    /// The certificate that is to be replaced, by its ARI identifier (RFC 9773 §5).
    pub replaces: Option<String>,
    /// The profile that is wished for (draft-ietf-acme-profiles §4).
    pub profile: Option<String>,
}

/// A request for an authorization ahead of any order (RFC 8555 §7.4.1).
#[derive(Debug, Deserialize)]
pub struct NewAuthz {
    /// The identifier to be authorized.
    #[serde(deserialize_with = "object::object")]
    pub identifier: RawIdentifier,
}

impl NewAuthz {
    /// The identifier, and whether the authorization shall hold for the names below it, too.
    ///
    /// # Errors
    /// `malformed` for a wildcard, which cannot be authorized ahead (RFC 8555 §7.4.1), and for the names
    /// below an address; else as [`RawIdentifier::read`].
    pub fn read(self) -> Result<(Identifier, bool), Problem> {
        let with_subdomains = self.identifier.subdomain_auth_allowed;
        let identifier = Identifier::try_from(self.identifier)?;
        match identifier {
            Identifier::Wildcard(_) => Err(Problem::malformed(format!(
                "`{identifier}` is a wildcard, which cannot be authorized ahead of its order: authorize `{}`, \
                 or make the order",
                identifier.base()
            ))),
            Identifier::Ip(_) if with_subdomains => Err(Problem::malformed(
                "`subdomainAuthAllowed` has no place there: no names lie below an IP address",
            )),
            identifier => Ok((identifier, with_subdomains)),
        }
    }
}

/// A request to revoke a certificate (RFC 8555 §7.6).
#[derive(Debug, Deserialize)]
pub struct RevokeCert {
    /// The certificate in DER, base64url.
    pub certificate: String,
    /// Why, as a number of RFC 5280 §5.3.1.
    pub reason: Option<i64>,
}

/// A change of an authorization (RFC 8555 §7.5.2).
#[derive(Debug, Deserialize)]
pub struct AuthorizationUpdate {
    /// `deactivated`, to give it up.
    pub status: String,
}

/// An answer to a challenge: an object without members of its own (RFC 8555 §7.5.1).
#[derive(Debug, Deserialize)]
pub struct ChallengeAnswer {}

/// A request to finalize an order (RFC 8555 §7.4).
#[derive(Debug, Deserialize)]
pub struct Finalize {
    /// The PKCS#10 request in DER, base64url.
    pub csr: String,
}

/// How many contacts an account may have.
const MAX_CONTACTS: usize = 10;

/// Checks contact URLs (RFC 8555 §7.3): `mailto:` with one address and no header fields.
///
/// # Errors
/// `invalidContact` or `unsupportedContact`, naming the contact.
pub fn check_contacts(contacts: &[String]) -> Result<(), Problem> {
    let invalid = |detail: String| Problem::new(ProblemType::InvalidContact, detail);
    if contacts.len() > MAX_CONTACTS {
        return Err(invalid(format!(
            "`contact` has {} entries: at most {MAX_CONTACTS} are kept",
            contacts.len()
        )));
    }
    for contact in contacts {
        let shown: String = contact.chars().take(80).filter(|c| !c.is_control()).collect();
        let Some(address) = contact.strip_prefix("mailto:") else {
            return Err(Problem::new(
                ProblemType::UnsupportedContact,
                format!("the contact `{shown}` is not a `mailto:` URL, the only kind that is supported"),
            ));
        };
        let plain = contact.is_ascii()
            && contact.len() <= 254
            && !contact.contains(|c: char| c.is_control() || c == ' ');
        let (local, domain) = address.split_once('@').unwrap_or_default();
        if !plain
            || address.contains(['?', ','])
            || local.is_empty()
            || domain.is_empty()
            || domain.contains('@')
        {
            return Err(invalid(format!("the contact `{shown}` must be `mailto:` and one e-mail address")));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_contacts_are_none() {
        for json in [r#"{"contact":null}"#, "{}"] {
            assert_eq!(serde_json::from_str::<NewAccount>(json).unwrap().contact, None, "{json}");
            assert_eq!(serde_json::from_str::<AccountUpdate>(json).unwrap().contact, None, "{json}");
        }
    }

    #[test]
    fn identifiers_are_objects() {
        let order = |json| serde_json::from_str::<NewOrder>(json);
        let good = order(r#"{"identifiers":[{"type":"dns","value":"a.test"}]}"#).unwrap();
        assert_eq!(good.identifiers[0].value, "a.test");
        let error = order(r#"{"identifiers":[["dns","a.test"]]}"#).unwrap_err().to_string();
        assert!(error.starts_with("invalid type: sequence, expected a JSON object"), "{error}");
    }

    #[test]
    fn optional_members_may_be_null_or_absent() {
        for json in
            [r#"{"identifiers":[]}"#, r#"{"identifiers":[],"replaces":null,"profile":null,"notBefore":null}"#]
        {
            let order: NewOrder = serde_json::from_str(json).unwrap();
            assert_eq!((order.replaces, order.profile, order.not_before), (None, None, None), "{json}");
        }
        let order: NewOrder =
            serde_json::from_str(r#"{"identifiers":[],"replaces":"a.b","profile":"web"}"#).unwrap();
        assert_eq!((order.replaces.as_deref(), order.profile.as_deref()), (Some("a.b"), Some("web")));
        for json in [r#"{"identifiers":[],"profile":1}"#, r#"{"identifiers":[],"replaces":["a.b"]}"#] {
            assert!(serde_json::from_str::<NewOrder>(json).is_err(), "{json}");
        }
        let null: NewAccount = serde_json::from_str(r#"{"externalAccountBinding":null}"#).unwrap();
        assert!(null.external_account_binding.is_none());
    }

    #[test]
    fn a_binding_is_kept_as_it_was_written() {
        let json =
            r#"{"externalAccountBinding":{"protected":"e30", "payload":""},"termsOfServiceAgreed":true}"#;
        // The server reads payloads as objects and nothing else.
        let object::Object(account): object::Object<NewAccount> = serde_json::from_str(json).unwrap();
        let binding = account.external_account_binding.unwrap();
        assert_eq!(binding.get(), r#"{"protected":"e30", "payload":""}"#);
        assert!(account.terms_of_service_agreed);
    }

    #[test]
    fn an_authorization_ahead_is_for_one_name_or_address() {
        let read = |identifier: &str| {
            serde_json::from_str::<NewAuthz>(&format!(r#"{{"identifier":{identifier}}}"#))
                .map_err(|error| error.to_string())
                .and_then(|request| request.read().map_err(|problem| problem.detail().to_owned()))
                .map(|(identifier, below)| (identifier.canonical(), below))
        };
        assert_eq!(read(r#"{"type":"dns","value":"A.test"}"#), Ok(("dns:a.test".to_owned(), false)));
        assert_eq!(
            read(r#"{"type":"dns","value":"a.test","subdomainAuthAllowed":true}"#),
            Ok(("dns:a.test".to_owned(), true))
        );
        assert_eq!(read(r#"{"type":"ip","value":"192.0.2.1"}"#), Ok(("ip:192.0.2.1".to_owned(), false)));
        for (identifier, why) in [
            (r#"{"type":"dns","value":"*.a.test"}"#, "authorize `a.test`"),
            (r#"{"type":"ip","value":"192.0.2.1","subdomainAuthAllowed":true}"#, "no names lie below"),
            (r#"{"type":"dns","value":"a_b"}"#, "a character other than"),
            (r#"["dns","a.test"]"#, "expected a JSON object"),
            (r#"{"type":"dns","value":"a.test","subdomainAuthAllowed":"yes"}"#, "expected a boolean"),
        ] {
            let error = read(identifier).unwrap_err();
            assert!(error.contains(why), "{identifier}: {error}");
        }
    }

    #[test]
    fn the_reason_of_a_revocation_is_a_number() {
        let read = |json: &str| serde_json::from_str::<RevokeCert>(json).map(|request| request.reason);
        assert_eq!(read(r#"{"certificate":"AA"}"#).unwrap(), None);
        assert_eq!(read(r#"{"certificate":"AA","reason":4}"#).unwrap(), Some(4));
        // Whether the reason is one that may be given is judged later, as badRevocationReason.
        assert_eq!(read(r#"{"certificate":"AA","reason":-1}"#).unwrap(), Some(-1));
        for json in [
            r#"{"reason":4}"#,
            r#"{"certificate":"AA","reason":"4"}"#,
            r#"{"certificate":"AA","reason":4.5}"#,
        ] {
            assert!(read(json).is_err(), "{json}");
        }
    }

    #[test]
    fn contacts_are_checked() {
        let check = |contact: &str| check_contacts(&[contact.to_owned()]).map_err(|problem| problem.kind());
        assert_eq!(check("mailto:a@b.test"), Ok(()));
        for contact in [
            "mailto:",
            "mailto:a",
            "mailto:@b",
            "mailto:a@",
            "mailto:a@b?subject=x",
            "mailto:a@b,c@d",
            "mailto:a @b",
            "mailto:ä@b",
        ] {
            assert_eq!(check(contact), Err(ProblemType::InvalidContact), "{contact}");
        }
        for contact in ["tel:+1", "", "a@b.test"] {
            assert_eq!(check(contact), Err(ProblemType::UnsupportedContact), "{contact}");
        }
        assert!(check_contacts(&vec!["mailto:a@b.test".to_owned(); 11]).is_err());
    }
}
