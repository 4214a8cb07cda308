//! What an Ed25519 public key must be beyond 32 bytes on the curve.
//!
//! The library refuses a signature whose scalar is not reduced (RFC 8032 §5.1.7), but takes any point
//! for a key. A point of small order verifies signatures that nobody made, so none may become an anchor.

/// The DER of a SubjectPublicKeyInfo for Ed25519 up to the key itself (RFC 8410 §4).
const SPKI_PREFIX: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// 2^255 - 19, little-endian: the modulus of the field.
const P: [u8; 32] = {
    let mut p = [0xff; 32];
    p[0] = 0xed;
    p[31] = 0x7f;
    p
};

/// The y coordinates, little-endian, of the eight points whose order divides 8.
const SMALL_ORDER_Y: [[u8; 32]; 5] = [
    // 0: the two points of order 4.
    [0; 32],
    // 1: the neutral point.
    {
        let mut one = [0; 32];
        one[0] = 1;
        one
    },
    // p - 1: the point of order 2.
    {
        let mut minus_one = P;
        minus_one[0] -= 1;
        minus_one
    },
    // The four points of order 8, which have two y coordinates.
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5,
        0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a,
        0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
    ],
];

/// Whether the encoding is the only one of its point, and the point is not one of the eight of small order.
pub(super) fn is_sound(raw: &[u8; 32]) -> bool {
    let mut y = *raw;
    // The top bit is the sign of x (RFC 8032 §5.1.2).
    y[31] &= 0x7f;
    y.iter().rev().lt(P.iter().rev()) && !SMALL_ORDER_Y.contains(&y)
}

pub(super) fn spki_of_raw(raw: &[u8; 32]) -> Vec<u8> {
    [SPKI_PREFIX.as_slice(), raw].concat()
}

/// The 32 bytes of the key, where this is the SubjectPublicKeyInfo of an Ed25519 key.
pub(super) fn raw_of_spki(spki: &[u8]) -> Option<[u8; 32]> {
    spki.strip_prefix(SPKI_PREFIX.as_slice())?.try_into().ok()
}
