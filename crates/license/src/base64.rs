//! Base64 of what was sent to be read: documents and their signatures.
//!
//! Secrets are decoded by `base64ct` instead, in constant time. That takes some 2.5 ns a character and was a
//! third of what opening a licence cost beyond its signature.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

/// The text is not the one base64 of anything (RFC 4648 §4): with padding, and with unused bits of zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotBase64;

/// What a base64 text stands for.
pub(crate) fn decode(text: &str) -> Result<Vec<u8>, NotBase64> {
    STANDARD.decode(text).map_err(|_| NotBase64)
}

/// What a text in base64url without padding stands for (RFC 4648 §5).
pub(crate) fn decode_url(text: &str) -> Result<Vec<u8>, NotBase64> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| NotBase64)
}

#[cfg(test)]
mod tests {
    use base64ct::{Base64, Base64UrlUnpadded, Encoding};
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn contents_read_back(content in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert_eq!(decode_url(&Base64UrlUnpadded::encode_string(&content)), Ok(content.clone()));
            prop_assert_eq!(decode(&Base64::encode_string(&content)), Ok(content));
        }

        #[test]
        fn it_reads_what_the_constant_time_decoder_reads(text in "[A-Za-z0-9+/_ -]{0,12}={0,3}\\s?") {
            prop_assert_eq!(decode(&text).ok(), Base64::decode_vec(&text).ok());
            prop_assert_eq!(decode_url(&text).ok(), Base64UrlUnpadded::decode_vec(&text).ok());
        }
    }
}
