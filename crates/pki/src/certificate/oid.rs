//! Object identifiers that the library of identifiers does not know.

use const_oid::ObjectIdentifier;

/// RFC 7633: the TLS feature extension.
pub(crate) const TLS_FEATURE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.1.24");
