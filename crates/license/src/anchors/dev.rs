//! The development anchors, whatever folder the build took its own from.

use super::{Anchor, Environment, TrustAnchors};
use crate::crypto::{KeyRejected, PublicKey};

/// Both development anchors, for that product.
pub(crate) fn anchors(product: &str) -> Result<TrustAnchors, KeyRejected> {
    let anchor = |pem| -> Result<Anchor, KeyRejected> {
        let key = PublicKey::from_pem(pem)?;
        Ok(Anchor { key, product: product.to_owned(), environment: Environment::Dev })
    };
    let ed25519 = anchor(include_str!("../../trust/dev/anchor.pem"))?;
    let rsa = anchor(include_str!("../../trust/dev/jwt-anchor.pem"))?;
    Ok(TrustAnchors(vec![ed25519, rsa]))
}
