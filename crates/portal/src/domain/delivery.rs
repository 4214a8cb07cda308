//! What a webhook's receiver gets to know a delivery by.

use std::fmt::Write as _;

use aws_lc_rs::hmac;
use chancery_time::Timestamp;
use zeroize::Zeroizing;

use crate::id::digits;

const PREFIX: &str = "whsec_";
/// 260 random bits.
const RANDOM_DIGITS: usize = 52;

/// What a webhook's deliveries are signed with; its receiver has the same.
pub(crate) struct Secret(Zeroizing<String>);

impl Secret {
    /// A new secret.
    ///
    /// # Errors
    /// When the system's random source fails.
    pub(crate) fn fresh() -> anyhow::Result<Self> {
        let digits = digits::<RANDOM_DIGITS>()?;
        Ok(Self(Zeroizing::new(format!("{PREFIX}{}", digits.as_str()))))
    }

    /// The secret as it was kept.
    pub(crate) fn kept(text: Zeroizing<String>) -> Self {
        Self(text)
    }

    /// The secret as its receiver is given it, prefix included.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }

    /// The value of `Chancery-Signature` for a body that is sent now: the time, and the HMAC-SHA-256 over the time, a
    /// dot and the body. The time is signed, so that a receiver can refuse what somebody recorded and sends again.
    pub(crate) fn sign(&self, now: Timestamp, body: &str) -> String {
        let seconds = now.unix_seconds();
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.0.as_bytes());
        let tag = hmac::sign(&key, format!("{seconds}.{body}").as_bytes());
        let mut value = format!("t={seconds},v1=");
        for byte in tag.as_ref() {
            let _ = write!(value, "{byte:02x}");
        }
        value
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_what_others_compute() {
        // printf %s '1781438400.{"object":"event"}' | openssl dgst -sha256 -hmac whsec_0123456789
        let secret = Secret::kept(Zeroizing::new("whsec_0123456789".to_owned()));
        let now = "2026-06-14T12:00:00.999Z".parse().unwrap();
        let expected = "t=1781438400,v1=76e750047309020df157ddf9a042e52b9edb5cbb5b41f74b92c23d279d893ec2";
        assert_eq!(secret.sign(now, r#"{"object":"event"}"#), expected);
        assert_ne!(secret.sign(now, r#"{"object":"events"}"#), expected);
    }

    #[test]
    fn a_secret_is_random_and_shows_only_where_it_is_asked_for() {
        let (one, other) = (Secret::fresh().unwrap(), Secret::fresh().unwrap());
        assert_ne!(one.reveal(), other.reveal());
        assert_eq!((one.reveal().len(), &one.reveal()[..6]), (58, "whsec_"));
        assert_eq!(format!("{one:?}"), "Secret");
    }
}
