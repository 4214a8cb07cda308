use fearless_simd::{Level, dispatch};
use proptest::prelude::*;

use super::*;
use crate::crypto::{Secret, sha256};

/// With whatever this processor has.
fn hash_all(framing: &Framing, messages: &[Vec<u8>]) -> Vec<Hash> {
    let messages: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
    dispatch!(Level::new(), simd => framing.hash_all(simd, &messages))
}

fn hmac(key: &[u8; 32]) -> Framing {
    dispatch!(Level::new(), simd => Framing::hmac(simd, key, b"}"))
}

#[track_caller]
fn assert_agree(key: &[u8; 32], messages: &[Vec<u8>]) {
    let secret = Secret::new(key);
    let macs: Vec<_> = messages.iter().map(|message| secret.mac(&[message, b"}"])).collect();
    assert_eq!(hash_all(&hmac(key), messages), macs);
    let hashes: Vec<_> = messages.iter().map(|message| sha256(&[&[0x00], message])).collect();
    assert_eq!(hash_all(&Framing::sha256(&[0x00]), messages), hashes);
}

#[test]
fn every_length_around_the_blocks_agrees_with_the_library() {
    let messages: Vec<Vec<u8>> = (0..300usize).map(|length| vec![length as u8; length]).collect();
    assert_agree(&[7; 32], &messages);
}

#[test]
fn there_may_be_fewer_messages_than_lanes() {
    for count in 0..=LANES {
        assert_agree(&[1; 32], &vec![b"ab".to_vec(); count]);
    }
}

/// Mostly short, as lines are; up to 70,000 bytes, which is more than any line has.
fn messages() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let length = prop_oneof![8 => 0..1_000usize, 1 => 0..70_000usize];
    let message = (length, any::<u64>()).prop_map(|(length, seed)| {
        let byte = |at: u64| (seed ^ at).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes()[0];
        (0..length as u64).map(byte).collect()
    });
    prop::collection::vec(message, 0..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn messages_of_all_lengths_in_one_batch_agree_with_the_library(
        key in any::<[u8; 32]>(), messages in messages(),
    ) {
        assert_agree(&key, &messages);
    }
}
