//! The keys that are trusted for one product in one environment: the anchors, and whom they vouch for.

use chancery_time::Timestamp;

use crate::anchors::{Environment, TrustAnchors};
use crate::crypto::{KeyId, Method, PublicKey};
use crate::document::{self, Body, Document, DocumentError, Kind};
use crate::envelope::Envelope;
use crate::manifest::{KeyManifest, Use};

/// What verifies documents. It holds the anchors of every environment, so that it can say of a document
/// that it is for another one, and accepts documents of its own alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keyring {
    product: String,
    environment: Environment,
    keys: Vec<TrustedKey>,
    /// The sequence number of the newest manifest admitted; 0 before the first.
    sequence: u64,
}

/// There is no anchor for the product in the environment, so nothing could verify there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "this build has no trust anchor for `{product}` in the environment {environment}: use a build that is made for it"
)]
pub struct NoAnchor {
    /// The product that was asked for.
    pub product: String,
    /// The environment that was asked for.
    pub environment: Environment,
}

/// A key with what it is trusted for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TrustedKey {
    key: PublicKey,
    product: String,
    environment: Environment,
    standing: Standing,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Standing {
    /// An anchor, or the root that one handed over to: signs everything.
    Root,
    /// A root that has handed over: what it signed until then still counts, but for manifests.
    Retired { until: Timestamp },
    /// A key that the newest manifest lists.
    Issuing { uses: Vec<Use>, not_before: Timestamp, not_after: Timestamp },
}

impl Keyring {
    /// The keys that those anchors make trusted for that product in that environment.
    pub fn new(anchors: &TrustAnchors, product: &str, environment: Environment) -> Result<Self, NoAnchor> {
        let is_ours = |own: &str, of: Environment| own == product && of == environment;
        if !anchors.iter().any(|anchor| is_ours(&anchor.product, anchor.environment)) {
            return Err(NoAnchor { product: product.to_owned(), environment });
        }
        let trusted = anchors.iter().map(|anchor| TrustedKey {
            key: anchor.key.clone(),
            product: anchor.product.clone(),
            environment: anchor.environment,
            standing: Standing::Root,
        });
        Ok(Self { product: product.to_owned(), environment, keys: trusted.collect(), sequence: 0 })
    }

    /// The keyring that follows from this one when a key manifest is added.
    ///
    /// The keys it lists take the place of those that the manifest before it listed. Manifests build on
    /// each other: a caller keeps them all and adds them in order at every start.
    ///
    /// # Errors
    /// As [`document::open`], and where its number is not higher than that of the manifest before it, where
    /// a listed key is trusted besides, or where the root it hands over to did not sign it too.
    pub fn admit(&self, manifest: &str) -> Result<Self, DocumentError> {
        let envelope = document::read_envelope(manifest, Kind::Keys)?;
        let verified = document::open_envelope::<KeyManifest>(&envelope, self)?;
        let document = verified.into_document();
        let manifest = document.body;
        if manifest.sequence <= self.sequence {
            return Err(DocumentError::StaleSequence { found: manifest.sequence, held: self.sequence });
        }
        let mut next = self.clone();
        next.sequence = manifest.sequence;
        next.keys.retain(|trusted| !matches!(trusted.standing, Standing::Issuing { .. }));
        if let Some(root) = manifest.next_root {
            if !is_signed_by(&envelope, &root) {
                return Err(DocumentError::NextRootDidNotSign(root.id()));
            }
            next.retire_roots(document.issued);
            next.add(root, Standing::Root)?;
        }
        for listed in manifest.keys {
            let standing = Standing::Issuing {
                uses: listed.uses,
                not_before: listed.not_before,
                not_after: listed.not_after,
            };
            next.add(listed.key, standing)?;
        }
        Ok(next)
    }

    /// The product whose documents are accepted.
    pub fn product(&self) -> &str {
        &self.product
    }

    /// The environment whose documents are accepted.
    pub fn environment(&self) -> Environment {
        self.environment
    }

    /// The sequence number of the newest manifest admitted; 0 where there is none.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// The keys that may have signed a licence JWT, for [`jwt::verify`](crate::jwt::verify).
    ///
    /// A JWT names no product or environment: the key that verifies it decides both, so these are the keys
    /// of this product and environment alone. Ask [`Keyring::judge_jwt`] afterwards.
    pub fn jwt_keys(&self) -> Vec<PublicKey> {
        let may_sign = |trusted: &&TrustedKey| match &trusted.standing {
            Standing::Root | Standing::Retired { .. } => true,
            Standing::Issuing { uses, .. } => uses.contains(&Use::LicenseJwt),
        };
        self.own().filter(may_sign).map(|trusted| trusted.key.clone()).collect()
    }

    /// Whether that key might sign a licence JWT when this one says it was issued (`iat`).
    pub fn judge_jwt(&self, signer: KeyId, issued: Timestamp) -> Result<(), DocumentError> {
        self.judge_signer(signer, Use::LicenseJwt, issued)
    }

    /// The keys that may have signed a machine file, each under the name that files give it, for
    /// [`machine_file::open`](crate::machine_file::open).
    ///
    /// A machine file names no environment: the key decides it, so these are the keys of this product and
    /// environment alone. Ask [`Keyring::judge_machine_file`] afterwards.
    pub fn machine_file_keys(&self) -> Vec<(String, PublicKey)> {
        let may_sign = |trusted: &&TrustedKey| trusted.key.method() == Method::Ed25519;
        let named = |trusted: &TrustedKey| (trusted.key.id().to_string(), trusted.key.clone());
        self.own().filter(may_sign).map(named).collect()
    }

    /// Whether that key might sign a machine file, which takes a key for licences, when this one says it was
    /// issued (`iat`).
    pub fn judge_machine_file(&self, signer: KeyId, issued: Timestamp) -> Result<(), DocumentError> {
        self.judge_signer(signer, Use::License, issued)
    }

    /// The keys of this product and environment that signed the envelope, in its order.
    ///
    /// Signatures by unknown keys are passed over, so that a document can carry one of a scheme that this
    /// version does not know. One by a known key has to be right, even beside others that are.
    pub(crate) fn signers(&self, envelope: &Envelope) -> Result<Vec<&TrustedKey>, DocumentError> {
        let signed = envelope.signed_bytes();
        let mut signers = Vec::new();
        let mut foreign = None;
        for signature in &envelope.signatures {
            let Some(trusted) = self.document_key(&signature.key_id) else { continue };
            if !trusted.key.verifies(&signed, &signature.bytes) {
                return Err(DocumentError::BadSignature(trusted.key.id()));
            }
            match self.expect(&trusted.product, trusted.environment) {
                Ok(()) => signers.push(trusted),
                Err(error) => foreign = foreign.or(Some(error)),
            }
        }
        if signers.is_empty() {
            return Err(foreign.unwrap_or_else(|| DocumentError::unknown_keys(envelope)));
        }
        Ok(signers)
    }

    /// Whether the signature of this key, one of [`Keyring::signers`], makes the document count here.
    pub(crate) fn judge<T: Body>(
        &self,
        signer: &TrustedKey,
        document: &Document<T>,
    ) -> Result<(), DocumentError> {
        self.expect(&document.product, document.environment)?;
        signer.may_sign(T::KIND, T::USE, document.issued)
    }

    /// Whether a document for that use counts here when that key signs it at that instant.
    pub fn judge_signer(&self, signer: KeyId, wanted: Use, issued: Timestamp) -> Result<(), DocumentError> {
        let trusted = self.own().find(|trusted| trusted.key.id() == signer);
        let trusted = trusted.ok_or_else(|| DocumentError::UnknownKey(vec![signer.to_string()]))?;
        let kind = if wanted == Use::Revocations { Kind::Revocations } else { Kind::License };
        trusted.may_sign(kind, Some(wanted), issued)
    }

    fn expect(&self, product: &str, environment: Environment) -> Result<(), DocumentError> {
        if environment != self.environment {
            return Err(DocumentError::WrongEnvironment { found: environment, expected: self.environment });
        }
        if product != self.product {
            let (found, expected) = (product.to_owned(), self.product.clone());
            return Err(DocumentError::WrongProduct { found, expected });
        }
        Ok(())
    }

    fn own(&self) -> impl Iterator<Item = &TrustedKey> {
        let is_own = |key: &&TrustedKey| key.product == self.product && key.environment == self.environment;
        self.keys.iter().filter(is_own)
    }

    /// Documents are signed with Ed25519: a signature that names an RSA key is by nobody we know.
    fn document_key(&self, id: &str) -> Option<&TrustedKey> {
        let id: KeyId = id.parse().ok()?;
        self.keys.iter().find(|trusted| trusted.key.id() == id && trusted.key.method() == Method::Ed25519)
    }

    /// RSA anchors verify licence JWTs alone and are no roots, so a handover leaves them as they are.
    fn retire_roots(&mut self, until: Timestamp) {
        for trusted in &mut self.keys {
            let is_own = trusted.product == self.product && trusted.environment == self.environment;
            if is_own && trusted.standing == Standing::Root && trusted.key.method() == Method::Ed25519 {
                trusted.standing = Standing::Retired { until };
            }
        }
    }

    fn add(&mut self, key: PublicKey, standing: Standing) -> Result<(), DocumentError> {
        if self.keys.iter().any(|trusted| trusted.key == key) {
            return Err(DocumentError::KeyTwice(key.id()));
        }
        let (product, environment) = (self.product.clone(), self.environment);
        self.keys.push(TrustedKey { key, product, environment, standing });
        Ok(())
    }
}

impl TrustedKey {
    pub(crate) fn id(&self) -> KeyId {
        self.key.id()
    }

    fn may_sign(&self, kind: Kind, wanted: Option<Use>, issued: Timestamp) -> Result<(), DocumentError> {
        let key = self.key.id();
        let (is_for_this, is_valid_then) = match &self.standing {
            Standing::Root => (true, true),
            Standing::Retired { until } => (wanted.is_some(), issued <= *until),
            Standing::Issuing { uses, not_before, not_after } => (
                wanted.is_some_and(|wanted| uses.contains(&wanted)),
                (*not_before..=*not_after).contains(&issued),
            ),
        };
        if !is_for_this {
            return Err(DocumentError::KeyNotForThis { key, kind });
        }
        if !is_valid_then {
            return Err(DocumentError::KeyNotValidThen { key, issued });
        }
        Ok(())
    }
}

fn is_signed_by(envelope: &Envelope, key: &PublicKey) -> bool {
    let id = key.id().to_string();
    let signed = envelope.signed_bytes();
    envelope
        .signatures
        .iter()
        .any(|signature| signature.key_id == id && key.verifies(&signed, &signature.bytes))
}

#[cfg(test)]
mod tests;
