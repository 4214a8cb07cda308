//! The hashes of many messages at once, for processors that have wide vectors but no instructions for
//! SHA-256: there eight messages side by side take little longer than one.
//!
//! Nothing that is written depends on it; `crypto` makes the same hashes one by one.

mod compress;
#[cfg(test)]
mod tests;

use fearless_simd::Simd;
use zeroize::Zeroizing;

use self::compress::{BLOCK_LENGTH, Block, INITIAL, LANES, State, States};
use crate::crypto::Hash;

/// What is hashed of each message besides its own bytes.
pub(crate) struct Framing {
    /// The state after the bytes that stand before all messages.
    begin: Zeroizing<State>,
    /// How many those are: whole blocks.
    begun: usize,
    prefix: &'static [u8],
    suffix: &'static [u8],
    /// For an HMAC, the state in which the hash is hashed again.
    outer: Option<Zeroizing<State>>,
}

impl Framing {
    /// Plain hashes.
    pub(crate) fn sha256(prefix: &'static [u8]) -> Self {
        Self { begin: Zeroizing::new(INITIAL), begun: 0, prefix, suffix: b"", outer: None }
    }

    /// Authenticators (RFC 2104 §2), for which the two blocks of the key are hashed once here.
    pub(crate) fn hmac(simd: impl Simd, key: &[u8; 32], suffix: &'static [u8]) -> Self {
        let keyed = |pad: u8| {
            let mut block = Zeroizing::new([pad; BLOCK_LENGTH]);
            block.iter_mut().zip(key).for_each(|(byte, key)| *byte ^= key);
            let mut states = Zeroizing::new(States::default());
            states.set(0, &INITIAL);
            states.compress(simd, [&block; LANES]);
            Zeroizing::new(states.get(0))
        };
        let (begin, outer) = (keyed(0x36), Some(keyed(0x5c)));
        Self { begin, begun: BLOCK_LENGTH, prefix: b"", suffix, outer }
    }

    /// The hashes of messages, in their order.
    pub(crate) fn hash_all(&self, simd: impl Simd, messages: &[&[u8]]) -> Vec<Hash> {
        let mut hashes = vec![Hash::default(); messages.len()];
        let mut waiting = messages.iter().zip(&mut hashes);
        let mut lanes = [const { None::<Lane<'_>> }; LANES];
        let mut states = Zeroizing::new(States::default());
        let mut made = [[0; BLOCK_LENGTH]; LANES];
        loop {
            let mut busy = false;
            let mut blocks = [&[0; BLOCK_LENGTH]; LANES];
            for (number, ((lane, block), made)) in
                lanes.iter_mut().zip(&mut blocks).zip(&mut made).enumerate()
            {
                if lane.is_none()
                    && let Some((message, hash)) = waiting.next()
                {
                    states.set(number, &self.begin);
                    *lane = Some(Lane { message, hash, next: 0, is_outer: false });
                }
                if let Some(lane) = lane {
                    *block = self.next_block(lane, made);
                    busy = true;
                }
            }
            if !busy {
                return hashes;
            }
            states.compress(simd, blocks);
            for (number, place) in lanes.iter_mut().enumerate() {
                let Some(lane) = place else { continue };
                lane.next += 1;
                if lane.is_outer || lane.next == self.blocks_of(lane.message) {
                    *lane.hash = bytes_of(&states.get(number));
                    match &self.outer {
                        Some(outer) if !lane.is_outer => {
                            states.set(number, outer);
                            lane.is_outer = true;
                        }
                        _ => *place = None,
                    }
                }
            }
        }
    }

    /// The block that is next in a lane: a part of the message, or one that is made.
    fn next_block<'a>(&self, lane: &Lane<'a>, made: &'a mut Block) -> &'a Block {
        if lane.is_outer {
            write_block(made, 0, [b"", lane.hash, b""], BLOCK_LENGTH);
            return made;
        }
        let from = (lane.next * BLOCK_LENGTH).checked_sub(self.prefix.len());
        if let Some(whole) = from.and_then(|from| lane.message.get(from..)?.first_chunk()) {
            return whole;
        }
        write_block(made, lane.next, [self.prefix, lane.message, self.suffix], self.begun);
        made
    }

    fn blocks_of(&self, message: &[u8]) -> usize {
        padded(self.prefix.len() + message.len() + self.suffix.len())
    }
}

/// A message being hashed.
struct Lane<'a> {
    message: &'a [u8],
    /// Where the hash goes; the inner one of an HMAC stands there until it is hashed again.
    hash: &'a mut Hash,
    /// The number of the next block.
    next: usize,
    /// Whether the hash itself is being hashed.
    is_outer: bool,
}

/// How many blocks so many bytes take up with their padding (FIPS 180-4 §5.1.1): a one-bit, and the length in
/// eight bytes.
fn padded(length: usize) -> usize {
    (length + 1 + 8).div_ceil(BLOCK_LENGTH)
}

/// Writes one of the blocks of parts that follow one another, with their padding; `begun` bytes were hashed before
/// them.
fn write_block(block: &mut Block, number: usize, parts: [&[u8]; 3], begun: usize) {
    let from = number * BLOCK_LENGTH;
    block.fill(0);
    let mut at = 0;
    for part in parts.into_iter().chain([&[0x80][..]]) {
        let unread = part.get(from.saturating_sub(at)..).unwrap_or_default();
        let room = block.get_mut(at.saturating_sub(from)..).unwrap_or_default();
        let count = unread.len().min(room.len());
        if let (Some(room), Some(unread)) = (room.get_mut(..count), unread.get(..count)) {
            room.copy_from_slice(unread);
        }
        at += part.len();
    }
    let length = at - 1;
    if number + 1 == padded(length)
        && let Some(place) = block.last_chunk_mut()
    {
        *place = ((begun + length) as u64 * 8).to_be_bytes();
    }
}

fn bytes_of(state: &State) -> Hash {
    let mut bytes = Hash::default();
    for (place, word) in bytes.as_chunks_mut::<4>().0.iter_mut().zip(state) {
        *place = word.to_be_bytes();
    }
    bytes
}
