//! The development anchors, for tests and demonstrations.
//!
//! Their private keys lie beside them in `crates/license/trust/dev/` and are public on purpose: anybody
//! can sign for the `dev` environment, and nothing signed for it counts in another.

use super::{Anchor, Environment, TrustAnchors};
use crate::crypto::{KeyRejected, PublicKey};

/// The Ed25519 anchor in PEM; it signs every kind of document.
pub const ANCHOR_PEM: &str = include_str!("../../trust/dev/anchor.pem");

/// The RSA anchor in PEM; it signs licence JWTs alone.
pub const JWT_ANCHOR_PEM: &str = include_str!("../../trust/dev/jwt-anchor.pem");

/// Both development anchors, for that product.
///
/// # Errors
/// None as long as the two files are the ones that belong here.
pub fn anchors(product: &str) -> Result<TrustAnchors, KeyRejected> {
    let anchor = |pem| -> Result<Anchor, KeyRejected> {
        let key = PublicKey::from_pem(pem)?;
        Ok(Anchor { key, product: product.to_owned(), environment: Environment::Dev })
    };
    Ok(TrustAnchors(vec![anchor(ANCHOR_PEM)?, anchor(JWT_ANCHOR_PEM)?]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::SigningKey;

    #[test]
    fn the_public_private_keys_belong_to_the_anchors() {
        let anchors = anchors("chancery").unwrap();
        let pems = [
            include_str!("../../trust/dev/signing-key.pem"),
            include_str!("../../trust/dev/jwt-signing-key.pem"),
        ];
        for (anchor, pem) in anchors.iter().zip(pems) {
            assert_eq!(SigningKey::from_pem(pem).unwrap().public(), &anchor.key);
            assert_eq!((anchor.product.as_str(), anchor.environment), ("chancery", Environment::Dev));
        }
        assert!(anchors.has_dev());
        assert_eq!(TrustAnchors::new(anchors.iter().cloned().collect()), Ok(anchors));
    }
}
