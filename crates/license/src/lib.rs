//! Licences, verified offline: plans, entitlements and keys.
//!
//! Nothing here does I/O, reads a clock or spawns anything: documents, times and random bytes come
//! in as arguments, and decisions go out as values. Only new signing keys and RSA signatures take random
//! bytes from the cryptographic library.
//!
//! | room | what it holds |
//! |---|---|
//! | [`plan`] | the plans that a cold start can be opened under, and what each allows |
//! | [`entitlements`] | what a plan or a licence allows, and whether a configuration fits it |
//! | [`jwt`] | the licence JWT: verified, read and made |
//! | [`key`] | the keys people type: `CRT-` names a licence, `INST-` an installation |
//! | [`document`] | signed documents: opening and sealing them |
//! | [`exchange`] | what an installation and the vendor tell each other |
//! | [`lic`], [`revocations`], [`manifest`] | the kinds of signed documents |
//! | [`machine_file`] | what licenses one machine without a network |
//! | [`limits`] | the bounds of the values in machine files |
//! | [`anchors`], [`keyring`] | the keys that are trusted, and what for |
//! | [`armour`] | the text form of documents and keys |
//! | [`mod@state`] | what the documents are worth now, as one pure function |
//! | [`watermark`] | the highest trustworthy time seen |
//! | [`version`] | versions, and the build that a licence is held against |

pub mod anchors;
pub mod armour;
mod base64;
mod crypto;
pub mod document;
pub mod entitlements;
mod envelope;
pub mod exchange;
mod json;
pub mod jwt;
pub mod key;
pub mod keyring;
pub mod lic;
pub mod limits;
pub mod machine_file;
pub mod manifest;
pub mod plan;
pub mod revocations;
pub mod state;
#[cfg(test)]
mod testing;
pub mod version;
pub mod watermark;

pub use anchors::{Anchor, Environment, TrustAnchors};
pub use armour::ArmourError;
pub use crypto::{
    GenerationFailed, KeyId, KeyIdError, KeyRejected, Method, PublicKey, SigningFailed, SigningKey,
};
pub use document::{Document, DocumentError, Kind, Verified, open, seal};
pub use entitlements::{Configuration, Database, Entitlements, Feature, Limit, Misfit, Named, Set, Usage};
pub use envelope::EnvelopeError;
pub use json::JsonError;
pub use key::{InstallationKey, LicenseKey};
pub use keyring::{Keyring, NoAnchor};
pub use lic::{Holder, License};
pub use machine_file::MachineFile;
pub use manifest::{IssuingKey, KeyManifest};
pub use plan::Plan;
pub use revocations::RevocationList;
pub use state::{State, state};
pub use version::{Build, Version};
pub use watermark::Watermark;
