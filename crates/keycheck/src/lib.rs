//! Public keys that nobody should use, whatever holds them: an account or a certificate.
//!
//! [`rsa::examine`] finds RSA keys that are weak by their numbers, [`ed25519::examine`] points under which anybody
//! can sign; [`compromised::CompromisedKeys`] knows
//! keys of any kind whose private half is public. How long a key has to be, and which kinds are allowed,
//! is for the callers to say, and so is that a point lies on its curve: the library that reads the key
//! looks after that.

pub mod compromised;
pub mod ed25519;
pub mod rsa;

pub use compromised::CompromisedKeys;
pub use rsa::RsaWeakness;
