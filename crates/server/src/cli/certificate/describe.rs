//! How a certificate is told of.

use chancery_time::Timestamp;
use serde_json::{Value, json};

use crate::service::revocation::Reason;
use crate::store::inventory::Listed;

/// What has become of a certificate at `now`.
pub(super) fn status(certificate: &Listed, now: Timestamp) -> &'static str {
    if certificate.revoked_at.is_some() {
        "revoked"
    } else if certificate.not_after <= now {
        "expired"
    } else {
        "valid"
    }
}

/// The names, without their types.
pub(super) fn names(certificate: &Listed) -> Vec<&str> {
    let bare = |name: &'_ str| name.find(':').map_or(0, |colon| colon + 1);
    certificate.identifiers.split(',').filter_map(|name| name.get(bare(name)..)).collect()
}

/// The name of the reason that was given for the revocation.
pub(super) fn reason(certificate: &Listed) -> Option<&'static str> {
    let code = certificate.revocation_reason?;
    // Nothing but these is ever written.
    Reason::from_code(code).ok().map(Reason::name)
}

/// The certificate as JSON.
pub(super) fn entry(certificate: &Listed, now: Timestamp) -> Value {
    json!({
        "serial": certificate.serial.to_string(),
        "status": status(certificate, now),
        "names": names(certificate),
        "not_before": certificate.not_before,
        "not_after": certificate.not_after,
        "issued_at": certificate.issued_at,
        "revoked_at": certificate.revoked_at,
        "reason": reason(certificate),
        "account": certificate.account_id,
        "order": certificate.order_id,
        "profile": certificate.profile,
        "authority": certificate.authority,
    })
}

#[cfg(test)]
pub(super) mod tests {
    use chancery_pki::certificate::SerialNumber;

    use super::*;

    /// A certificate that ends at second 200.
    pub(in super::super) fn certificate() -> Listed {
        let at = Timestamp::from_unix_seconds;
        Listed {
            serial: SerialNumber::from_bytes(1_u128.to_be_bytes()).unwrap(),
            identifiers: "dns:a.test,dns:*.b.test,ip:2001:db8::1".to_owned(),
            not_before: at(100),
            not_after: at(200),
            issued_at: at(101),
            revoked_at: None,
            revocation_reason: None,
            account_id: Some(3),
            order_id: Some(5),
            profile: Some("web".to_owned()),
            authority: "internal".to_owned(),
        }
    }

    #[test]
    fn names_stand_alone_and_revoked_goes_before_expired() {
        let mut one = certificate();
        assert_eq!(names(&one), ["a.test", "*.b.test", "2001:db8::1"]);
        let at = Timestamp::from_unix_seconds;
        assert_eq!((status(&one, at(199)), status(&one, at(200))), ("valid", "expired"));
        one.revoked_at = Some(at(150));
        assert_eq!(status(&one, at(200)), "revoked");
        assert_eq!(reason(&one), None);
        one.revocation_reason = Some(4);
        assert_eq!(entry(&one, at(200))["reason"], "superseded");
    }
}
