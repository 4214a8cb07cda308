//! Licences, plans and keys, verified offline.
