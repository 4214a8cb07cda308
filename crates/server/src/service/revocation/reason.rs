//! Why a certificate is revoked.

use std::fmt;
use std::str::FromStr;

/// A reason that can be given for an end-entity certificate, for good (RFC 5280 §5.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    Unspecified,
    KeyCompromise,
    AffiliationChanged,
    Superseded,
    CessationOfOperation,
    PrivilegeWithdrawn,
    AaCompromise,
}

/// A reason that cannot be given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ReasonError {
    /// It is none of RFC 5280, or none for an end-entity certificate.
    #[error("the reason {0} {why}: give one of {all}", why = why_not(*.0), all = Listed)]
    Code(i64),
    /// There is none of that name.
    #[error("there is no reason `{0}`: give one of {all}", all = Listed)]
    Name(String),
}

impl Reason {
    const ALL: [Self; 7] = [
        Self::Unspecified,
        Self::KeyCompromise,
        Self::AffiliationChanged,
        Self::Superseded,
        Self::CessationOfOperation,
        Self::PrivilegeWithdrawn,
        Self::AaCompromise,
    ];

    /// The number in CRLs and requests.
    pub(crate) const fn code(self) -> i64 {
        match self {
            Self::Unspecified => 0,
            Self::KeyCompromise => 1,
            Self::AffiliationChanged => 3,
            Self::Superseded => 4,
            Self::CessationOfOperation => 5,
            Self::PrivilegeWithdrawn => 9,
            Self::AaCompromise => 10,
        }
    }

    /// The name in RFC 5280.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Unspecified => "unspecified",
            Self::KeyCompromise => "keyCompromise",
            Self::AffiliationChanged => "affiliationChanged",
            Self::Superseded => "superseded",
            Self::CessationOfOperation => "cessationOfOperation",
            Self::PrivilegeWithdrawn => "privilegeWithdrawn",
            Self::AaCompromise => "aACompromise",
        }
    }

    /// The reason with that number.
    ///
    /// # Errors
    /// Why it cannot be given.
    pub(crate) fn from_code(code: i64) -> Result<Self, ReasonError> {
        Self::ALL.into_iter().find(|reason| reason.code() == code).ok_or(ReasonError::Code(code))
    }
}

impl FromStr for Reason {
    type Err = ReasonError;

    /// The reason with that name or number.
    fn from_str(text: &str) -> Result<Self, ReasonError> {
        if let Ok(code) = text.parse() {
            return Self::from_code(code);
        }
        let found = Self::ALL.into_iter().find(|reason| reason.name().eq_ignore_ascii_case(text));
        found.ok_or_else(|| ReasonError::Name(text.to_owned()))
    }
}

/// `0 (unspecified), 1 (keyCompromise), …`
struct Listed;

impl fmt::Display for Listed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, reason) in Reason::ALL.into_iter().enumerate() {
            let between = if index == 0 { "" } else { ", " };
            write!(f, "{between}{} ({})", reason.code(), reason.name())?;
        }
        Ok(())
    }
}

const fn why_not(code: i64) -> &'static str {
    match code {
        2 => "(cACompromise) is for the certificate of an authority",
        6 => "(certificateHold) could be taken back, and a revocation is for good here",
        8 => "(removeFromCRL) ends a hold, and there are none here",
        _ => "is none of RFC 5280 §5.3.1",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reasons_of_the_rfc_for_end_entities_are_taken() {
        for (code, name) in [
            (0, "unspecified"),
            (1, "keyCompromise"),
            (3, "affiliationChanged"),
            (4, "superseded"),
            (5, "cessationOfOperation"),
            (9, "privilegeWithdrawn"),
            (10, "aACompromise"),
        ] {
            let reason = Reason::from_code(code).unwrap();
            assert_eq!((reason.code(), reason.name()), (code, name));
            assert_eq!(name.parse(), Ok(reason));
            assert_eq!(name.to_ascii_uppercase().parse(), Ok(reason));
            assert_eq!(code.to_string().parse(), Ok(reason));
        }
    }

    #[test]
    fn others_are_refused_with_what_can_be_given() {
        let all = "give one of 0 (unspecified), 1 (keyCompromise), 3 (affiliationChanged), 4 (superseded), \
                   5 (cessationOfOperation), 9 (privilegeWithdrawn), 10 (aACompromise)";
        for (code, why) in [
            (2, "(cACompromise) is for the certificate of an authority"),
            (6, "(certificateHold) could be taken back, and a revocation is for good here"),
            (7, "is none of RFC 5280 §5.3.1"),
            (8, "(removeFromCRL) ends a hold, and there are none here"),
            (11, "is none of RFC 5280 §5.3.1"),
            (-1, "is none of RFC 5280 §5.3.1"),
            (i64::MAX, "is none of RFC 5280 §5.3.1"),
        ] {
            let refused = Reason::from_code(code).unwrap_err();
            assert_eq!(refused.to_string(), format!("the reason {code} {why}: {all}"));
            assert_eq!(code.to_string().parse::<Reason>(), Err(refused));
        }
        let refused = "compromised".parse::<Reason>().unwrap_err();
        assert_eq!(refused.to_string(), format!("there is no reason `compromised`: {all}"));
    }
}
