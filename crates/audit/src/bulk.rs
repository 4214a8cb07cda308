//! The same kind of hash of many messages, in the way that is fastest on this processor.

#[cfg(target_arch = "x86_64")]
use fearless_simd::{Avx2, Level};

use crate::crypto::{Hash, Secret, sha256};
#[cfg(target_arch = "x86_64")]
use crate::lanes::Framing;

/// Makes hashes.
pub(crate) struct Bulk(Way);

enum Way {
    Hmac(Box<Secret>, &'static [u8]),
    Sha256(&'static [u8]),
    #[cfg(target_arch = "x86_64")]
    Lanes(Avx2, Box<Framing>),
}

impl Bulk {
    /// HMAC-SHA-256 over each message and a suffix.
    pub(crate) fn hmac(secret: &Secret, suffix: &'static [u8]) -> Self {
        #[cfg(target_arch = "x86_64")]
        if let Some(simd) = lanes() {
            return Self(Way::Lanes(simd, Box::new(Framing::hmac(simd, secret.bytes(), suffix))));
        }
        Self(Way::Hmac(Box::new(secret.clone()), suffix))
    }

    /// SHA-256 over a prefix and each message.
    pub(crate) fn sha256(prefix: &'static [u8]) -> Self {
        #[cfg(target_arch = "x86_64")]
        if let Some(simd) = lanes() {
            return Self(Way::Lanes(simd, Box::new(Framing::sha256(prefix))));
        }
        Self(Way::Sha256(prefix))
    }

    /// The hashes of messages, in their order.
    pub(crate) fn hash_all(&self, messages: &[&[u8]]) -> Vec<Hash> {
        match &self.0 {
            Way::Hmac(secret, suffix) => {
                messages.iter().map(|message| secret.mac(&[message, suffix])).collect()
            }
            Way::Sha256(prefix) => messages.iter().map(|message| sha256(&[prefix, message])).collect(),
            #[cfg(target_arch = "x86_64")]
            Way::Lanes(simd, framing) => framing.hash_all(*simd, messages),
        }
    }
}

/// Wide vectors, where they are faster than what the cryptographic library uses: instructions for SHA-256
/// make it as fast with one message after the other.
#[cfg(target_arch = "x86_64")]
fn lanes() -> Option<Avx2> {
    if std::arch::is_x86_feature_detected!("sha") { None } else { Level::new().as_avx2() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_makes_no_difference() {
        let secret = Secret::new(&[7; 32]);
        let messages: Vec<Vec<u8>> = (0..40).map(|number| vec![number; usize::from(number) * 31]).collect();
        let messages: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
        let one_by_one = Bulk(Way::Hmac(Box::new(secret.clone()), b"}"));
        assert_eq!(Bulk::hmac(&secret, b"}").hash_all(&messages), one_by_one.hash_all(&messages));
        let one_by_one = Bulk(Way::Sha256(&[0]));
        assert_eq!(Bulk::sha256(&[0]).hash_all(&messages), one_by_one.hash_all(&messages));
    }
}
