//! What a profile says about the certificates issued under it.

use std::time::Duration;

use chancery_time::Timestamp;

use crate::certificate::{EndEntityUsage, Purpose, Validity, ValidityError};

/// The longest validity of an end-entity certificate, whatever a profile says: 825 days, the most that
/// Apple's platforms accept also from private roots.
pub const MAX_VALIDITY: Duration = Duration::from_hours(825 * 24);

/// The most that notBefore may lie in the past.
pub const MAX_BACKDATE: Duration = Duration::from_hours(24);

/// The wishes that a [`Profile`] is made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfileSpec {
    /// The validity of a certificate whose order asks for none, backdating included. Whole seconds.
    pub validity: Duration,
    /// The longest validity that an order may ask for. At most [`MAX_VALIDITY`].
    pub max_validity: Duration,
    /// How far notBefore lies in the past, for clients whose clocks are slow. At most [`MAX_BACKDATE`].
    pub not_before_backdate: Duration,
    /// What the key may be used for. `digitalSignature` is always among them, listed or not; of the others a
    /// certificate gets those that its key can do ([`EndEntityUsage::suits`]).
    pub key_usages: Vec<EndEntityUsage>,
    /// What the certificate is for, in the order in which it is written; at least one and at most 16.
    pub extended_key_usages: Vec<Purpose>,
    /// What the subject says.
    pub subject: SubjectRule,
    /// Who gets the TLS feature `status_request` ("must staple", RFC 7633).
    pub must_staple: MustStaple,
    /// Where the issuing certificate can be fetched, DER (RFC 5280 §4.2.2.1).
    pub ca_issuers_url: Option<String>,
    /// Where the OCSP responder answers (RFC 5280 §4.2.2.1).
    pub ocsp_url: Option<String>,
    /// Where the revocation list can be fetched (RFC 5280 §4.2.1.13).
    pub crl_url: Option<String>,
}

/// What the subject of a certificate says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubjectRule {
    /// Nothing; the subject alternative names are critical then (RFC 5280 §4.2.1.6).
    Empty,
    /// The first DNS name of at most 64 characters (RFC 5280 §A.1) as its common name, for old programs. A
    /// certificate without such a name is as with [`SubjectRule::Empty`].
    CommonName,
}

/// Who gets the TLS feature `status_request`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MustStaple {
    /// Those who ask; whether asking is allowed, the rules for requests say.
    IfAsked,
    /// Everybody.
    Always,
}

/// The most extended key usages that a profile can have.
const MAX_PURPOSES: usize = 16;

impl Default for ProfileSpec {
    /// 90 days, an hour of them in the past, servers only, RSA keys for key exchange too, an empty subject, no
    /// URLs.
    fn default() -> Self {
        let validity = Duration::from_hours(90 * 24);
        Self {
            validity,
            max_validity: validity,
            not_before_backdate: Duration::from_hours(1),
            key_usages: vec![EndEntityUsage::DigitalSignature, EndEntityUsage::KeyEncipherment],
            extended_key_usages: vec![Purpose::SERVER_AUTH],
            subject: SubjectRule::Empty,
            must_staple: MustStaple::IfAsked,
            ca_issuers_url: None,
            ocsp_url: None,
            crl_url: None,
        }
    }
}

/// A specification that has been found to make sense.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile(ProfileSpec);

/// Why a specification makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProfileError {
    /// The longest validity is beyond the hard cap.
    #[error("the longest validity is {} days; no profile can exceed {} days", days(.max), days(&MAX_VALIDITY))]
    BeyondCap {
        /// What the specification says.
        max: Duration,
    },
    /// The default validity is beyond the longest.
    #[error("the default validity is longer than the longest validity of the profile")]
    DefaultBeyondMax,
    /// The certificate would be expired when it is issued, or nearly.
    #[error("the default validity has to be at least one minute longer than notBefore lies in the past")]
    TooShort,
    /// notBefore would lie too far back.
    #[error("notBefore cannot lie more than {} hours in the past", MAX_BACKDATE.as_secs() / 3600)]
    Backdate,
    /// X.509 knows whole seconds only.
    #[error("the profile's times have to be whole seconds")]
    Fraction,
    /// A certificate that is good for nothing, or for too much.
    #[error("a profile needs from one to {MAX_PURPOSES} extended key usages, not {count}")]
    Purposes {
        /// How many the specification has.
        count: usize,
    },
    /// The same purpose again.
    #[error("the extended key usage {purpose} stands in the profile twice")]
    RepeatedPurpose {
        /// Which one.
        purpose: Purpose,
    },
    /// A URL that no client could use.
    #[error("`{url}` is not an http URL of at most 2048 ASCII characters")]
    Url {
        /// What the specification says, cut to 64 characters.
        url: String,
    },
}

/// Why an order's wish for a validity is not granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ValidityRefusal {
    /// The end lies before the beginning.
    #[error(transparent)]
    Reversed(#[from] ValidityError),
    /// It lasts too long.
    #[error("the requested validity is longer than {} hours, the profile's longest", .max.as_secs() / 3600)]
    TooLong {
        /// The profile's longest.
        max: Duration,
    },
    /// It begins too early.
    #[error("the requested notBefore lies too far in the past; the earliest is {earliest}")]
    TooEarly {
        /// The earliest that would be granted.
        earliest: Timestamp,
    },
    /// It begins too late.
    #[error("the requested notBefore lies too far in the future; the latest is {latest}")]
    TooLate {
        /// The latest that would be granted.
        latest: Timestamp,
    },
    /// It is over already.
    #[error("the requested notAfter is in the past")]
    Over,
}

impl Profile {
    /// Takes a specification that makes sense.
    ///
    /// # Errors
    /// What makes no sense in it.
    pub fn new(spec: ProfileSpec) -> Result<Self, ProfileError> {
        let times = [spec.validity, spec.max_validity, spec.not_before_backdate];
        if times.iter().any(|time| time.subsec_nanos() != 0) {
            return Err(ProfileError::Fraction);
        }
        if spec.max_validity > MAX_VALIDITY {
            return Err(ProfileError::BeyondCap { max: spec.max_validity });
        }
        if spec.validity > spec.max_validity {
            return Err(ProfileError::DefaultBeyondMax);
        }
        if spec.not_before_backdate > MAX_BACKDATE {
            return Err(ProfileError::Backdate);
        }
        if spec.validity < spec.not_before_backdate + Duration::from_mins(1) {
            return Err(ProfileError::TooShort);
        }
        purposes(&spec.extended_key_usages)?;
        for url in [&spec.ca_issuers_url, &spec.ocsp_url, &spec.crl_url].into_iter().flatten() {
            if !is_usable(url) {
                return Err(ProfileError::Url { url: url.chars().take(64).collect() });
            }
        }
        Ok(Self(spec))
    }

    /// The same profile with a shorter longest validity, as an external account's policy may ask for. A longer
    /// one changes nothing.
    ///
    /// The default validity is cut to it, and notBefore then lies at most a twelfth of it in the past, such
    /// that most of a short life is still to come when it begins.
    ///
    /// # Errors
    /// When nothing useful is left.
    pub fn restricted(&self, max_validity: Duration) -> Result<Self, ProfileError> {
        if max_validity >= self.0.max_validity {
            return Ok(self.clone());
        }
        let validity = self.0.validity.min(max_validity);
        let not_before_backdate =
            self.0.not_before_backdate.min(Duration::from_secs(validity.as_secs() / 12));
        Self::new(ProfileSpec { validity, max_validity, not_before_backdate, ..self.0.clone() })
    }

    /// What it was made from.
    pub const fn spec(&self) -> &ProfileSpec {
        &self.0
    }

    /// The validity of a certificate ordered `now`, perhaps with wishes (RFC 8555 §7.1.3, `notBefore` and
    /// `notAfter`).
    ///
    /// # Errors
    /// Why the wish is not granted.
    pub fn validity(
        &self,
        now: Timestamp,
        not_before: Option<Timestamp>,
        not_after: Option<Timestamp>,
    ) -> Result<Validity, ValidityRefusal> {
        let earliest = (now - self.0.not_before_backdate).whole_seconds();
        let latest = (now + self.0.max_validity).whole_seconds();
        let begin = not_before.unwrap_or(earliest).whole_seconds();
        if begin < earliest {
            return Err(ValidityRefusal::TooEarly { earliest });
        }
        if begin > latest {
            return Err(ValidityRefusal::TooLate { latest });
        }
        let validity = match not_after {
            None => Validity::lasting(begin, self.0.validity),
            Some(end) => Validity::new(begin, end)?,
        };
        if validity.not_after() <= now {
            return Err(ValidityRefusal::Over);
        }
        if validity.period() > self.0.max_validity {
            return Err(ValidityRefusal::TooLong { max: self.0.max_validity });
        }
        Ok(validity)
    }
}

fn purposes(purposes: &[Purpose]) -> Result<(), ProfileError> {
    if !(1..=MAX_PURPOSES).contains(&purposes.len()) {
        return Err(ProfileError::Purposes { count: purposes.len() });
    }
    let repeated = purposes
        .iter()
        .enumerate()
        .find(|(index, purpose)| purposes.iter().skip(index + 1).any(|other| other == *purpose));
    repeated.map_or(Ok(()), |(_, purpose)| Err(ProfileError::RepeatedPurpose { purpose: *purpose }))
}

fn is_usable(url: &str) -> bool {
    let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
    rest.is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|octet| octet.is_ascii_graphic()))
        && url.len() <= 2048
}

const fn days(duration: &Duration) -> u64 {
    duration.as_secs().div_ceil(86_400)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn specifications_that_make_no_sense_are_refused() {
        let hours = Duration::from_hours;
        let sound = ProfileSpec::default();
        assert!(Profile::new(sound.clone()).is_ok());
        let long = hours(826 * 24);
        let cases = [
            (ProfileSpec { max_validity: long, ..sound.clone() }, ProfileError::BeyondCap { max: long }),
            (ProfileSpec { validity: hours(91 * 24), ..sound.clone() }, ProfileError::DefaultBeyondMax),
            (ProfileSpec { validity: hours(1), ..sound.clone() }, ProfileError::TooShort),
            (ProfileSpec { not_before_backdate: hours(25), ..sound.clone() }, ProfileError::Backdate),
            (ProfileSpec { validity: Duration::from_millis(1), ..sound.clone() }, ProfileError::Fraction),
            (
                ProfileSpec { extended_key_usages: vec![], ..sound.clone() },
                ProfileError::Purposes { count: 0 },
            ),
            (
                ProfileSpec { extended_key_usages: vec![Purpose::SERVER_AUTH; 17], ..sound.clone() },
                ProfileError::Purposes { count: 17 },
            ),
            (
                ProfileSpec { extended_key_usages: vec![Purpose::CLIENT_AUTH; 2], ..sound.clone() },
                ProfileError::RepeatedPurpose { purpose: Purpose::CLIENT_AUTH },
            ),
            (
                ProfileSpec { crl_url: Some("ftp://x".into()), ..sound },
                ProfileError::Url { url: "ftp://x".into() },
            ),
        ];
        for (spec, error) in cases {
            assert_eq!(Profile::new(spec), Err(error));
        }
    }

    #[test]
    fn restricting_only_ever_shortens() {
        let profile =
            Profile::new(ProfileSpec { must_staple: MustStaple::Always, ..Default::default() }).unwrap();
        let hours = Duration::from_hours;
        let times = |profile: &Profile| {
            let spec = profile.spec();
            (spec.validity, spec.max_validity, spec.not_before_backdate)
        };
        for longer in [hours(90 * 24), hours(9000 * 24)] {
            assert_eq!(profile.restricted(longer).unwrap(), profile);
        }
        let day = profile.restricted(hours(24)).unwrap();
        assert_eq!(times(&day), (hours(24), hours(24), hours(1)));
        assert_eq!(day.spec().must_staple, MustStaple::Always);
        let hour = profile.restricted(hours(1)).unwrap();
        assert_eq!(times(&hour), (hours(1), hours(1), Duration::from_mins(5)));
        assert_eq!(profile.restricted(Duration::from_secs(60)), Err(ProfileError::TooShort));
        assert_eq!(profile.restricted(Duration::from_millis(3_600_500)), Err(ProfileError::Fraction));
    }

    #[test]
    fn validities() {
        let now = Timestamp::from_unix_millis(1_781_443_380_500);
        let at = |hours: i64| Timestamp::from_unix_seconds(1_781_443_380 + hours * 3600);
        let profile = Profile::new(ProfileSpec::default()).unwrap();
        let usual = profile.validity(now, None, None).unwrap();
        assert_eq!(usual.not_before(), at(-1));
        assert_eq!(usual.period(), Duration::from_hours(90 * 24));
        let short = profile.validity(now, Some(at(2)), Some(at(4))).unwrap();
        assert_eq!((short.not_before(), short.not_after()), (at(2), at(4)));

        let refusal = |begin, end| profile.validity(now, begin, end).unwrap_err();
        assert_eq!(refusal(Some(at(-2)), None), ValidityRefusal::TooEarly { earliest: at(-1) });
        assert!(matches!(refusal(Some(at(3000)), None), ValidityRefusal::TooLate { .. }));
        assert_eq!(refusal(None, Some(at(0))), ValidityRefusal::Over);
        assert!(matches!(refusal(None, Some(at(90 * 24))), ValidityRefusal::TooLong { .. }));
        assert!(matches!(refusal(Some(at(5)), Some(at(4))), ValidityRefusal::Reversed(_)));
    }
}
