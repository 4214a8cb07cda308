//! A load generator for ACME servers.

fn main() {}
