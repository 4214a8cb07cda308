//! AES-256-GCM (NIST SP 800-38D) with a nonce of 96 bits, a tag of 128 bits and no associated data.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use zeroize::Zeroizing;

/// The length of a nonce, in bytes.
pub(crate) const NONCE_LENGTH: usize = NONCE_LEN;
/// The length of a tag, in bytes.
pub(crate) const TAG_LENGTH: usize = 16;

/// The key, the nonce or the tag is not the one that the text was sealed with; or sealing failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refused;

/// The ciphertext of those bytes, and its tag.
pub(crate) fn seal(
    key: &[u8; 32],
    nonce: [u8; NONCE_LENGTH],
    plaintext: &[u8],
) -> Result<(Vec<u8>, Vec<u8>), Refused> {
    let mut text = plaintext.to_vec();
    let tag = aes(key)?
        .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut text)
        .map_err(|_| Refused)?;
    Ok((text, tag.as_ref().to_vec()))
}

/// What was sealed, once the tag was found right.
pub(crate) fn open(
    key: &[u8; 32],
    nonce: [u8; NONCE_LENGTH],
    ciphertext: &[u8],
    tag: &[u8; TAG_LENGTH],
) -> Result<Zeroizing<Vec<u8>>, Refused> {
    let mut plaintext = Zeroizing::new(vec![0; ciphertext.len()]);
    let nonce = Nonce::assume_unique_for_key(nonce);
    aes(key)?
        .open_separate_gather(nonce, Aad::empty(), ciphertext, tag, &mut plaintext)
        .map_err(|_| Refused)?;
    Ok(plaintext)
}

fn aes(key: &[u8; 32]) -> Result<LessSafeKey, Refused> {
    UnboundKey::new(&AES_256_GCM, key).map(LessSafeKey::new).map_err(|_| Refused)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_test_cases_of_the_gcm_specification_hold() {
        // McGrew and Viega, "The Galois/Counter Mode of Operation", appendix B, test cases 13 and 14.
        let (text, tag) = seal(&[0; 32], [0; 12], b"").unwrap();
        let tag_13 = 0x530f_8afb_c745_36b9_a963_b4f1_c4cb_738b_u128;
        assert_eq!((text.as_slice(), tag), (b"".as_slice(), tag_13.to_be_bytes().to_vec()));
        let (text, tag) = seal(&[0; 32], [0; 12], &[0; 16]).unwrap();
        let text_14 = 0xcea7_403d_4d60_6b6e_074e_c5d3_baf3_9d18_u128;
        let tag_14 = 0xd0d1_c8a7_9999_6bf0_265b_98b5_d48a_b919_u128;
        assert_eq!((text, tag), (text_14.to_be_bytes().to_vec(), tag_14.to_be_bytes().to_vec()));
    }

    proptest! {
        #[test]
        fn what_is_sealed_opens_and_nothing_else_does(
            key: [u8; 32], nonce: [u8; 12], plaintext in proptest::collection::vec(any::<u8>(), 0..100),
            place: prop::sample::Index, bit in 0..8_u32,
        ) {
            let (text, tag) = seal(&key, nonce, &plaintext).unwrap();
            let tag: [u8; 16] = tag.try_into().unwrap();
            let opened = open(&key, nonce, &text, &tag).unwrap();
            prop_assert_eq!(&*opened, &plaintext);
            let mut all = [key.as_slice(), &nonce, &tag, &text].concat();
            let place = place.index(all.len());
            all[place] ^= 1 << bit;
            let (key, rest) = all.split_at(32);
            let (nonce, rest) = rest.split_at(12);
            let (tag, text) = rest.split_at(16);
            let found = open(
                key.try_into().unwrap(), nonce.try_into().unwrap(), text, tag.try_into().unwrap(),
            );
            prop_assert_eq!(found, Err(Refused));
        }
    }
}
