//! What the network shows of an identifier.
