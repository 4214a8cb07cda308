//! What becomes of keys in the store that are refused.

use super::*;

#[test]
fn a_key_that_has_become_weak_is_for_its_client_to_replace() {
    // 1024 bits.
    let small = format!(r#"{{"e":"AQAB","kty":"RSA","n":"{}"}}"#, "_".repeat(170) + "8");
    let refusal = AccountKey::from_json(&small).unwrap_err();
    let Failure::Refused(problem) = unusable(7, &refusal) else { panic!("{refusal:?}") };
    assert_eq!(problem.kind(), ProblemType::BadPublicKey);
    assert!(problem.detail().contains("make an account with another key"), "{}", problem.detail());
}

#[test]
fn a_damaged_store_is_the_servers_own_fault() {
    for damaged in ["", "{}x", r#"{"kty":"OKP","crv":"Ed25519","x":"AA"}"#] {
        let refusal = AccountKey::from_json(damaged).unwrap_err();
        assert!(matches!(unusable(7, &refusal), Failure::Internal(_)), "{damaged}: {refusal:?}");
    }
}
