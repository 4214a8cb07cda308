//! Private and public keys, and what it takes to sign.

mod algorithm;
mod key_file;
mod private;
mod public;

pub use algorithm::{KeyAlgorithm, SignatureAlgorithm, UnknownKeyAlgorithm};
pub use key_file::KeyFileError;
pub use private::{KeyError, PrivateKey, SignError, Signer};
pub use public::{KeyKind, PublicKey, PublicKeyError};
