//! An ACME certificate authority for private and air-gapped networks.

fn main() {}
