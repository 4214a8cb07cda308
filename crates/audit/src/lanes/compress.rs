//! SHA-256 (FIPS 180-4) of eight messages side by side: what is one word there is a vector of eight here.

use fearless_simd::{Simd, SimdFrom as _, u32x8};
use zeroize::Zeroize;

/// How many messages stand side by side.
pub(super) const LANES: usize = 8;
/// Length of a block, in bytes.
pub(super) const BLOCK_LENGTH: usize = 64;

/// A block of one message.
pub(super) type Block = [u8; BLOCK_LENGTH];
/// The state of one message (FIPS 180-4 §6.2.1).
pub(super) type State = [u32; 8];
/// One word of each message.
type Row = [u32; LANES];

/// Where every hash begins (FIPS 180-4 §5.3.3).
pub(super) const INITIAL: State =
    [0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19];

/// The constants of the rounds (FIPS 180-4 §4.2.2).
const ROUND_CONSTANTS: [[u32; 16]; 4] = [
    [
        0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
        0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    ],
    [
        0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
        0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    ],
    [
        0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
        0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    ],
    [
        0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
        0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
    ],
];

/// The states of all messages: first the first words of all, then the second ones, and so on.
#[derive(Default, Zeroize)]
pub(super) struct States([Row; 8]);

impl States {
    /// The state of one message.
    pub(super) fn get(&self, lane: usize) -> State {
        self.0.map(|row| row.get(lane).copied().unwrap_or_default())
    }

    pub(super) fn set(&mut self, lane: usize, state: &State) {
        for (row, word) in self.0.iter_mut().zip(state) {
            if let Some(place) = row.get_mut(lane) {
                *place = *word;
            }
        }
    }

    /// Takes in the next block of each message (FIPS 180-4 §6.2.2).
    pub(super) fn compress<S: Simd>(&mut self, simd: S, blocks: [&Block; LANES]) {
        simd.vectorize(
            #[inline(always)]
            || self.compress_with(simd, blocks),
        );
    }

    #[inline(always)]
    fn compress_with<S: Simd>(&mut self, simd: S, blocks: [&Block; LANES]) {
        let mut words = rows(blocks).map(|row| u32x8::simd_from(simd, row));
        let before = self.0.map(|row| u32x8::simd_from(simd, row));
        let mut state = before;
        let [first, others @ ..] = &ROUND_CONSTANTS;
        rounds(&mut state, &words, first);
        for constants in others {
            expand(&mut words);
            rounds(&mut state, &words, constants);
        }
        for ((row, before), after) in self.0.iter_mut().zip(before).zip(state) {
            *row = (before + after).into();
        }
    }
}

/// The words of the blocks, those of one place in all blocks together.
#[inline(always)]
fn rows(blocks: [&Block; LANES]) -> [Row; 16] {
    let mut rows = [Row::default(); 16];
    for (lane, block) in blocks.into_iter().enumerate() {
        let (words, _) = block.as_chunks::<4>();
        for (row, word) in rows.iter_mut().zip(words) {
            if let Some(place) = row.get_mut(lane) {
                *place = u32::from_be_bytes(*word);
            }
        }
    }
    rows
}

/// Sixteen rounds.
#[inline(always)]
fn rounds<S: Simd>(state: &mut [u32x8<S>; 8], words: &[u32x8<S>; 16], constants: &[u32; 16]) {
    let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = *state;
    // The names move on from round to round, so that the values need not.
    macro_rules! round {
        (k $at:literal: $a:ident $b:ident $c:ident $d:ident $e:ident $f:ident $g:ident $h:ident) => {
            let choice = $g ^ ($e & ($f ^ $g));
            let majority = ($a & $b) | ($c & ($a | $b));
            let sum1 = rotate::<6, S>($e) ^ rotate::<11, S>($e) ^ rotate::<25, S>($e);
            let sum0 = rotate::<2, S>($a) ^ rotate::<13, S>($a) ^ rotate::<22, S>($a);
            $h = $h + (words[$at] + constants[$at]) + sum1 + choice;
            $d += $h;
            $h = $h + sum0 + majority;
        };
    }
    round!(k 0: a b c d e f g h);
    round!(k 1: h a b c d e f g);
    round!(k 2: g h a b c d e f);
    round!(k 3: f g h a b c d e);
    round!(k 4: e f g h a b c d);
    round!(k 5: d e f g h a b c);
    round!(k 6: c d e f g h a b);
    round!(k 7: b c d e f g h a);
    round!(k 8: a b c d e f g h);
    round!(k 9: h a b c d e f g);
    round!(k 10: g h a b c d e f);
    round!(k 11: f g h a b c d e);
    round!(k 12: e f g h a b c d);
    round!(k 13: d e f g h a b c);
    round!(k 14: c d e f g h a b);
    round!(k 15: b c d e f g h a);
    *state = [a, b, c, d, e, f, g, h];
}

/// The next sixteen words of the message schedule in place of those before.
#[inline(always)]
fn expand<S: Simd>(words: &mut [u32x8<S>; 16]) {
    macro_rules! next {
        ($at:literal from $one:literal $nine:literal $fourteen:literal) => {
            let (early, late) = (words[$one], words[$fourteen]);
            let sigma0 = rotate::<7, S>(early) ^ rotate::<18, S>(early) ^ (early >> 3);
            let sigma1 = rotate::<17, S>(late) ^ rotate::<19, S>(late) ^ (late >> 10);
            words[$at] = words[$at] + sigma0 + words[$nine] + sigma1;
        };
    }
    next!(0 from 1 9 14);
    next!(1 from 2 10 15);
    next!(2 from 3 11 0);
    next!(3 from 4 12 1);
    next!(4 from 5 13 2);
    next!(5 from 6 14 3);
    next!(6 from 7 15 4);
    next!(7 from 8 0 5);
    next!(8 from 9 1 6);
    next!(9 from 10 2 7);
    next!(10 from 11 3 8);
    next!(11 from 12 4 9);
    next!(12 from 13 5 10);
    next!(13 from 14 6 11);
    next!(14 from 15 7 12);
    next!(15 from 0 8 13);
}

/// To the right.
#[inline(always)]
fn rotate<const BITS: u32, S: Simd>(word: u32x8<S>) -> u32x8<S> {
    (word >> BITS) | (word << (32 - BITS))
}
