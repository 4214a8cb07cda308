//! The signers behind a certificate authority.
