//! The rules that bodies share.

/// Whole numbers that every JSON reader keeps exactly (RFC 7493 §2.2).
const MAX_NUMBER: u64 = (1 << 53) - 1;

/// The rules of a body that its types do not already hold.
pub trait Rules {
    /// Which rule is broken, if one is.
    fn check(&self) -> Result<(), &'static str>;
}

pub(crate) fn number(number: u64, rule: &'static str) -> Result<(), &'static str> {
    if (1..=MAX_NUMBER).contains(&number) { Ok(()) } else { Err(rule) }
}

pub(crate) fn count(count: u64, rule: &'static str) -> Result<(), &'static str> {
    if count <= MAX_NUMBER { Ok(()) } else { Err(rule) }
}

/// The id that a licence names itself by.
pub(crate) fn id(id: &str) -> Result<(), &'static str> {
    let is_id = (1..=64).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
    if is_id {
        Ok(())
    } else {
        Err("the id of a licence is 1 to 64 letters, digits, hyphens, underscores and full stops")
    }
}

/// The id of a licence on a revocation list, which may be a JWT's `jti` and so has to fit its looser rule.
pub(crate) fn revoked_id(id: &str) -> Result<(), &'static str> {
    let is_id = (1..=256).contains(&id.len()) && !id.chars().any(char::is_control);
    if is_id {
        Ok(())
    } else {
        Err("the id of a revoked licence is 1 to 256 bytes without control characters")
    }
}

/// The name of a product.
pub(crate) fn product(product: &str) -> Result<(), &'static str> {
    let is_product = (1..=64).contains(&product.len())
        && product.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if is_product { Ok(()) } else { Err("product is 1 to 64 lower-case letters, digits and hyphens") }
}

/// A line that is shown to people.
pub(crate) fn line(line: &str, max_characters: usize, rule: &'static str) -> Result<(), &'static str> {
    let is_line = (1..=max_characters).contains(&line.chars().count())
        && line.trim() == line
        && !line.chars().any(char::is_control);
    if is_line { Ok(()) } else { Err(rule) }
}
