//! The listener's certificate from the server's own authority. The listener itself is `chancery-web`'s.

pub(crate) mod own;
