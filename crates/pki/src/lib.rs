//! Keys, certificate requests and certificates.
