//! What the vendor signs. Pure: keys, documents and the time come in as arguments, texts go out.

mod error;
mod revocations;
mod term;

use std::sync::Arc;

use chancery_license::jwt::{self, Claims};
use chancery_license::{
    Anchor, Document, DocumentError, Environment, KeyManifest, Keyring, License, Method, PublicKey,
    RevocationList, SigningKey, TrustAnchors, open, seal,
};
use chancery_time::Timestamp;

pub(crate) use error::IssueError;
pub(crate) use revocations::{Revocation, next_list};
pub(crate) use term::Term;

/// Who signs documents, and for which product and environment.
#[derive(Debug)]
pub(crate) struct Issuer {
    product: String,
    environment: Environment,
    key: Arc<SigningKey>,
}

impl Issuer {
    /// The issuer with that Ed25519 key.
    ///
    /// # Errors
    /// [`IssueError::RsaKey`]: such a key signs licence JWTs alone.
    pub(crate) fn new(
        product: &str,
        environment: Environment,
        key: impl Into<Arc<SigningKey>>,
    ) -> Result<Self, IssueError> {
        let key = key.into();
        if key.public().method() != Method::Ed25519 {
            return Err(IssueError::RsaKey(key.public().id()));
        }
        Ok(Self { product: product.to_owned(), environment, key })
    }

    /// The public half of the key that it signs with.
    pub(crate) fn public_key(&self) -> &PublicKey {
        self.key.public()
    }

    /// A licence in armour.
    ///
    /// # Errors
    /// A licence that no program would accept.
    pub(crate) fn license(&self, license: License, now: Timestamp) -> Result<String, IssueError> {
        if license.serial == 0 {
            return Err(IssueError::SerialZero);
        }
        Ok(seal(&self.document(license, now), &[self.key.as_ref()])?)
    }

    /// A revocation list in armour.
    ///
    /// # Errors
    /// A list that no program would accept.
    pub(crate) fn revocations(&self, list: RevocationList, now: Timestamp) -> Result<String, IssueError> {
        Ok(seal(&self.document(list, now), &[self.key.as_ref()])?)
    }

    /// Reads a revocation list of this product and environment that this key signed, or else `signer`.
    ///
    /// # Errors
    /// A list of somebody else's, or none at all.
    pub(crate) fn open_revocations(
        &self,
        text: &str,
        signer: &PublicKey,
    ) -> Result<RevocationList, IssueError> {
        match open::<RevocationList>(text, &self.keyring(signer)?) {
            Ok(list) => Ok(list.into_document().body),
            Err(why @ DocumentError::UnknownKey(_)) => Err(IssueError::ListByAnotherKey(why)),
            Err(why) => Err(IssueError::List(why)),
        }
    }

    /// A key manifest in armour, signed by the next root too where there is one.
    ///
    /// # Errors
    /// A manifest that no program would accept.
    pub(crate) fn manifest(
        &self,
        manifest: KeyManifest,
        next_root: Option<&SigningKey>,
        now: Timestamp,
    ) -> Result<String, IssueError> {
        if manifest.sequence == 0 {
            return Err(IssueError::SequenceZero);
        }
        let keys: Vec<&SigningKey> = [self.key.as_ref()].into_iter().chain(next_root).collect();
        let text = seal(&self.document(manifest, now), &keys)?;
        // Programs refuse a key that is listed twice, or that is a root besides.
        self.keyring(self.public_key())?.admit(&text).map_err(IssueError::Manifest)?;
        Ok(text)
    }

    /// What opens documents of this product and environment that have this signer.
    fn keyring(&self, signer: &PublicKey) -> Result<Keyring, IssueError> {
        let (product, environment) = (self.product.clone(), self.environment);
        let anchors = TrustAnchors::new(vec![Anchor { key: signer.clone(), product, environment }])?;
        Ok(Keyring::new(&anchors, &self.product, environment)?)
    }

    fn document<T>(&self, body: T, now: Timestamp) -> Document<T> {
        let product = self.product.clone();
        Document { product, environment: self.environment, issued: now.whole_seconds(), body }
    }
}

/// A licence JWT, signed by the method of the key.
///
/// # Errors
/// Claims that no program would accept.
pub(crate) fn license_jwt(claims: &Claims, key: &SigningKey) -> Result<String, IssueError> {
    Ok(jwt::mint(claims, key)?)
}
