//! ACME (RFC 8555) as data and rules.
