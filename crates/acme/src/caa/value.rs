//! The value of `issue` and `issuewild`, by the grammar of RFC 8659 §4.2 and nothing beyond it.

use super::Mismatch;

/// A value that follows the grammar.
pub(crate) struct IssueValue<'a> {
    /// The issuer's domain name, if one is named.
    pub(crate) issuer: Option<&'a str>,
    parameters: Vec<(&'a str, &'a str)>,
}

impl<'a> IssueValue<'a> {
    /// `*WSP [issuer-domain-name *WSP] [";" *WSP [parameters *WSP]]`
    pub(crate) fn parse(value: &'a [u8]) -> Option<Self> {
        let value = std::str::from_utf8(value).ok()?;
        let (issuer, parameters) = match value.split_once(';') {
            Some((issuer, parameters)) => (trimmed(issuer), trimmed(parameters)),
            None => (trimmed(value), ""),
        };
        if !issuer.is_empty() && !issuer.split('.').all(is_label) {
            return None;
        }
        let parameters = if parameters.is_empty() {
            Vec::new()
        } else {
            parameters.split(';').map(parameter).collect::<Option<_>>()?
        };
        Some(Self { issuer: (!issuer.is_empty()).then_some(issuer), parameters })
    }

    /// The value of a parameter, which makes the property unsatisfiable where it is given twice
    /// (RFC 8657 §3, §4).
    pub(crate) fn parameter(&self, tag: &str) -> Result<Option<&'a str>, Mismatch> {
        let mut values = self.parameters.iter().filter(|(name, _)| name.eq_ignore_ascii_case(tag));
        let value = values.next().map(|(_, value)| *value);
        if values.next().is_some() { Err(Mismatch::Unsatisfiable) } else { Ok(value) }
    }
}

/// `tag *WSP "=" *WSP value`
fn parameter(text: &str) -> Option<(&str, &str)> {
    let (tag, value) = trimmed(text).split_once('=')?;
    let (tag, value) = (trimmed(tag), trimmed(value));
    // %x21-3A / %x3C-7E: what can be seen, but no semicolon, which cannot come this far.
    (is_label(tag) && value.bytes().all(|byte| byte.is_ascii_graphic())).then_some((tag, value))
}

/// `(ALPHA / DIGIT) *( *("-") (ALPHA / DIGIT))`
fn is_label(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with('-')
        && !text.ends_with('-')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn trimmed(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}
