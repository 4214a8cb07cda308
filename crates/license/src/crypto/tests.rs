use proptest::prelude::*;

use super::*;

const DEV_KEY: &str = include_str!("../../trust/dev/signing-key.pem");
const DEV_ANCHOR: &str = include_str!("../../trust/dev/anchor.pem");
const DEV_RSA_KEY: &str = include_str!("../../trust/dev/jwt-signing-key.pem");
const DEV_RSA_ANCHOR: &str = include_str!("../../trust/dev/jwt-anchor.pem");

const RSA_1024: &str = "\
-----BEGIN PUBLIC KEY-----\n\
MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDLfJ037KBxdXVNX3UUtrx/XFIk\n\
8Dd6CqraqVywAV76EdZCtLItMKqHDp9VB6YCht1HzRn/Ot5cRPEpvjbCQ2f6TcIK\n\
2KA9ZYsmo71Ls7+kG7YlYzry8OeX3VDY28fyj1gHr08GpMO7yu4cKIHf9rewFhSM\n\
ipoIHGpnAAISSjEBZQIDAQAB\n\
-----END PUBLIC KEY-----\n";

fn dev_keys() -> [(SigningKey, PublicKey); 2] {
    [(DEV_KEY, DEV_ANCHOR), (DEV_RSA_KEY, DEV_RSA_ANCHOR)]
        .map(|(key, anchor)| (SigningKey::from_pem(key).unwrap(), PublicKey::from_pem(anchor).unwrap()))
}

#[test]
fn keys_are_named_as_openssl_names_them() {
    // openssl pkey -pubin -in anchor.pem -outform DER | sha256sum | cut -c1-32
    let ids = dev_keys().map(|(key, anchor)| {
        assert_eq!(key.public(), &anchor);
        let raw = anchor.to_ed25519().map(|raw| PublicKey::from_ed25519(&raw));
        assert_eq!(raw, (anchor.method() == Method::Ed25519).then(|| Ok(anchor.clone())));
        anchor.id().to_string()
    });
    assert_eq!(ids, ["87b992716870a34c9d55f39ed5bf566f", "ff47a52dfe75f5b6b63b7a0148fbe7ae"]);
}

#[test]
fn key_ids_have_one_spelling() {
    let id = "87b992716870a34c9d55f39ed5bf566f";
    assert_eq!(id.parse::<KeyId>().unwrap().to_string(), id);
    let upper = id.to_uppercase();
    for text in ["", "87", &upper, &format!("{id}00"), &format!("{}+f", &id[..30]), &id.replace('8', "ä")] {
        assert_eq!(text.parse::<KeyId>(), Err(KeyIdError), "{text}");
    }
}

#[test]
fn each_key_verifies_what_it_signed_and_nothing_else() {
    let [(ed25519, ed25519_anchor), (rsa, rsa_anchor)] = dev_keys();
    assert_eq!((ed25519_anchor.method(), rsa_anchor.method()), (Method::Ed25519, Method::RsaPkcs1Sha256));
    for (key, anchor, other) in
        [(&ed25519, &ed25519_anchor, &rsa_anchor), (&rsa, &rsa_anchor, &ed25519_anchor)]
    {
        let signature = key.sign(b"message").unwrap();
        assert!(anchor.verifies(b"message", &signature));
        assert!(!anchor.verifies(b"massage", &signature));
        assert!(!other.verifies(b"message", &signature));
        assert!(!anchor.verifies(b"message", &signature[1..]));
        assert!(!anchor.verifies(b"message", &[signature.as_slice(), b"\0"].concat()));
        assert!(!anchor.verifies(b"message", b""));
    }
}

#[test]
fn new_keys_differ_and_read_back() {
    for method in [Method::Ed25519, Method::RsaPkcs1Sha256] {
        let key = SigningKey::generate(method).unwrap();
        let again = SigningKey::from_pem(&key.to_pem().unwrap()).unwrap();
        assert_eq!((again.public(), again.public().method()), (key.public(), method));
        assert!(key.public().verifies(b"message", &again.sign(b"message").unwrap()));
        assert_ne!(SigningKey::generate(method).unwrap().public(), key.public());
        if method == Method::RsaPkcs1Sha256 {
            assert_eq!(key.sign(b"message").unwrap().len() * 8, 3_072);
        }
    }
}

#[test]
fn keys_are_written_as_openssl_writes_them() {
    for pem in [DEV_KEY, DEV_RSA_KEY] {
        assert_eq!(*SigningKey::from_pem(pem).unwrap().to_pem().unwrap(), pem);
    }
}

#[test]
fn the_second_test_of_rfc_8032_holds() {
    // RFC 8032 §7.1, TEST 2: the message is one byte.
    let bytes = |digits: &str| -> Vec<u8> {
        digits.as_bytes().chunks(2).map(|pair| hex(pair[0]).unwrap() * 16 + hex(pair[1]).unwrap()).collect()
    };
    let seed = bytes("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb");
    let key = SigningKey::from_ed25519_seed(&seed.try_into().unwrap()).unwrap();
    assert_eq!(
        key.public().spki()[12..],
        bytes("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
    );
    assert_eq!(
        key.sign(&[0x72]).unwrap(),
        bytes(
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da\
             085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
        )
    );
}

#[test]
fn a_signature_with_an_unreduced_scalar_is_refused() {
    // The group order, little-endian (RFC 8032 §5.1); S + L verifies in a lax implementation.
    let order = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let [(key, anchor), _] = dev_keys();
    let mut signature = key.sign(b"message").unwrap();
    let mut carry = 0;
    for (byte, addend) in signature[32..].iter_mut().zip(order) {
        let sum = u16::from(*byte) + addend + carry;
        *byte = sum.to_le_bytes()[0];
        carry = sum >> 8;
    }
    assert_eq!(carry, 0);
    assert!(!anchor.verifies(b"message", &signature));
}

#[test]
fn a_point_that_anybody_could_sign_for_is_no_key() {
    let mut neutral = [0; 32];
    neutral[0] = 1;
    // What the check is for: R neutral and S zero verify under the neutral point, whatever the message.
    let mut forged = [0; 64];
    forged[0] = 1;
    let lax = ParsedPublicKey::new(&signature::ED25519, neutral).unwrap();
    assert!(lax.verify_sig(b"any message at all", &forged).is_ok());
    assert_eq!(PublicKey::from_ed25519(&neutral), Err(KeyRejected::WeakPoint));

    let mut sign_set = neutral;
    sign_set[31] |= 0x80;
    let mut above_the_field = [0xff; 32];
    above_the_field[0] = 0xee;
    above_the_field[31] = 0x7f;
    for raw in [[0; 32], sign_set, above_the_field, [0xff; 32]] {
        assert_eq!(PublicKey::from_ed25519(&raw), Err(KeyRejected::WeakPoint), "{raw:?}");
    }
}

#[test]
fn rsa_keys_of_other_sizes_and_other_algorithms_are_refused() {
    let short = rsa::KeyPair::generate(rsa::KeySize::Rsa2048).unwrap();
    let spki: PublicKeyX509Der<'_> = short.public_key().as_der().unwrap();
    assert!(PublicKey::from_spki(spki.as_ref()).is_ok());
    assert_eq!(
        PublicKey::from_spki(short.public_key().as_ref()),
        Err(KeyRejected::Unreadable),
        "PKCS#1 form"
    );
    // openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:1024 | openssl pkey -pubout
    assert_eq!(PublicKey::from_pem(RSA_1024), Err(KeyRejected::RsaSize(1_024)));
    let p256 = signature::EcdsaKeyPair::generate(&signature::ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let spki: PublicKeyX509Der<'_> = p256.public_key().as_der().unwrap();
    assert_eq!(PublicKey::from_spki(spki.as_ref()), Err(KeyRejected::Unreadable));
    assert_eq!(
        SigningKey::from_pem(DEV_ANCHOR).unwrap_err(),
        KeyRejected::Armour(ArmourError::Begin("PRIVATE KEY"))
    );
}

#[test]
fn a_debug_form_shows_no_secret() {
    let [(key, _), _] = dev_keys();
    assert_eq!(format!("{key:?}"), "SigningKey(Ed25519 87b992716870a34c9d55f39ed5bf566f)");
}

proptest! {
    #[test]
    fn every_seed_makes_a_sound_key(seed in any::<[u8; 32]>(), message in proptest::collection::vec(any::<u8>(), 0..64)) {
        let key = SigningKey::from_ed25519_seed(&seed).unwrap();
        let anchor = PublicKey::from_pem(&key.public().to_pem()).unwrap();
        prop_assert_eq!(anchor.id(), key.public().id());
        prop_assert!(anchor.verifies(&message, &key.sign(&message).unwrap()));
    }

    #[test]
    fn no_bytes_make_it_panic(der in proptest::collection::vec(any::<u8>(), 0..120)) {
        let _ = PublicKey::from_spki(&der);
        let _ = SigningKey::from_pkcs8(&der);
    }
}
