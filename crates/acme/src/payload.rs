//! What clients send inside a signed request.
//!
//! Members that are not known are ignored, as RFC 8555 §7.3 wants; known ones must have their type
//! and may stand once only.

use chancery_time::Timestamp;
use serde::Deserialize;

use crate::identifier::RawIdentifier;
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
