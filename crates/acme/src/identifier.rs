//! What a certificate can be ordered for (RFC 8555 §9.7.7), in canonical form from the door on.

use std::fmt;

use serde::{Deserialize, Serialize, Serializer};

use crate::crypto::sha256;
use crate::problem::{Problem, ProblemType};

/// An identifier in canonical form.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Identifier {
    /// A DNS name.
    Dns(DnsName),
}

/// An identifier as a client writes it.
#[derive(Debug, Clone, Deserialize)]
pub struct RawIdentifier {
    /// The type: `dns`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The value.
    pub value: String,
}

impl Identifier {
    /// A DNS identifier.
    ///
    /// # Errors
    /// A [`NameError`] where the text is no host name.
    pub fn dns(name: &str) -> Result<Self, NameError> {
        DnsName::new(name).map(Self::Dns)
    }

    /// The value as text.
    pub fn value(&self) -> &str {
        match self {
            Self::Dns(name) => name.as_str(),
        }
    }

    /// The type as text.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Dns(_) => "dns",
        }
    }
}

impl TryFrom<RawIdentifier> for Identifier {
    type Error = Problem;

    fn try_from(raw: RawIdentifier) -> Result<Self, Problem> {
        match raw.kind.as_str() {
            "dns" => Self::dns(&raw.value).map_err(|error| {
                let kind = match error.fault {
                    NameFault::Wildcard => ProblemType::RejectedIdentifier,
                    _ => ProblemType::Malformed,
                };
                Problem::new(kind, error.to_string())
            }),
            other => Err(Problem::new(
                ProblemType::UnsupportedIdentifier,
                format!("identifiers of type `{}` are not supported: use `dns`", printable(other)),
            )),
        }
    }
}

impl Serialize for Identifier {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Wire<'a> {
            r#type: &'a str,
            value: &'a str,
        }
        Wire { r#type: self.kind(), value: self.value() }.serialize(serializer)
    }
}

/// A host name: lower case, no trailing dot, letters, digits and hyphens (RFC 5890 §2.3.1).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DnsName(String);

impl DnsName {
    /// Brings a name into canonical form.
    ///
    /// # Errors
    /// A [`NameError`] that says what keeps it from being a host name.
    pub fn new(text: &str) -> Result<Self, NameError> {
        let refused = |fault| NameError { name: printable(text), fault };
        let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
        if name.is_empty() {
            return Err(refused(NameFault::Empty));
        }
        if name.starts_with("*.") {
            return Err(refused(NameFault::Wildcard));
        }
        if name.len() > 253 {
            return Err(refused(NameFault::TooLong));
        }
        for label in name.split('.') {
            check_label(label).map_err(refused)?;
        }
        // RFC 1123 §2.1: the last label of a name is alphabetic; a dotted quad is an address.
        if name.rsplit('.').next().is_some_and(|last| last.bytes().all(|byte| byte.is_ascii_digit())) {
            return Err(refused(NameFault::Address));
        }
        Ok(Self(name))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A text that is not a host name a certificate could be ordered for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` cannot be ordered: {fault}")]
pub struct NameError {
    name: String,
    fault: NameFault,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
enum NameFault {
    #[error("the name is empty")]
    Empty,
    #[error("the name has over 253 characters")]
    TooLong,
    #[error("a label between dots is empty")]
    EmptyLabel,
    #[error("a label has over 63 characters")]
    LongLabel,
    #[error(
        "a label has a character other than letters, digits and hyphens; write international names as A-labels (xn--…)"
    )]
    Character,
    #[error("a label begins or ends with a hyphen")]
    Hyphen,
    #[error("a label has hyphens in its third and fourth place but is no A-label (xn--…)")]
    Reserved,
    #[error("it looks like an IP address, which is not a DNS name")]
    Address,
    #[error("a wildcard needs the dns-01 challenge, which this server does not offer")]
    Wildcard,
}

fn check_label(label: &str) -> Result<(), NameFault> {
    if label.is_empty() {
        return Err(NameFault::EmptyLabel);
    }
    if label.len() > 63 {
        return Err(NameFault::LongLabel);
    }
    if !label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
        return Err(NameFault::Character);
    }
    if label.starts_with('-') || label.ends_with('-') {
        return Err(NameFault::Hyphen);
    }
    // RFC 5890 §2.3.1: of the reserved LDH labels, only A-labels may be used.
    if label.get(2..4) == Some("--") && !label.starts_with("xn--") {
        return Err(NameFault::Reserved);
    }
    Ok(())
}

/// A client's text, cut and cleaned so that it can be shown in a message.
fn printable(text: &str) -> String {
    text.chars().take(80).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// The identifiers of an order: canonical, sorted, each once, at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentifierSet(Vec<Identifier>);

impl IdentifierSet {
    /// How many identifiers an order may have.
    pub const MAX: usize = 100;

    /// Brings a client's list into canonical form.
    ///
    /// # Errors
    /// `malformed` for an empty or too long list. One identifier that is refused yields its problem;
    /// several names of which some are refused yield one problem with a subproblem for each
    /// (RFC 8555 §6.7.1).
    pub fn new(raw: Vec<RawIdentifier>) -> Result<Self, Problem> {
        if raw.is_empty() {
            return Err(Problem::malformed("`identifiers` is empty: name at least one"));
        }
        if raw.len() > Self::MAX {
            return Err(Problem::malformed(format!(
                "`identifiers` has {} entries: an order takes at most {}",
                raw.len(),
                Self::MAX
            )));
        }
        let alone = raw.len() == 1;
        let (mut identifiers, mut problems) = (Vec::with_capacity(raw.len()), Vec::new());
        for raw in raw {
            match Identifier::try_from(raw) {
                Ok(identifier) => identifiers.push(identifier),
                Err(problem) => problems.push(problem),
            }
        }
        match problems.pop() {
            None => {}
            Some(problem) if alone => return Err(problem),
            Some(last) => {
                let kind = if problems.iter().all(|p| p.kind() == last.kind()) {
                    last.kind()
                } else {
                    ProblemType::Compound
                };
                let status = last.status();
                problems.push(last);
                let detail = "some identifiers were refused: see the subproblems, and order without them";
                return Err(Problem::new(kind, detail).with_status(status).with_subproblems(problems));
            }
        }
        identifiers.sort();
        identifiers.dedup();
        Ok(Self(identifiers))
    }

    /// The identifiers, sorted.
    pub fn as_slice(&self) -> &[Identifier] {
        &self.0
    }

    /// The set as text that names it and nothing else: `dns:a.test,dns:b.test`.
    pub fn canonical(&self) -> String {
        self.0
            .iter()
            .map(|identifier| format!("{}:{}", identifier.kind(), identifier.value()))
            .collect::<Vec<_>>()
            .join(",")
    }

    /// Reads what [`IdentifierSet::canonical`] wrote; `None` for anything else.
    pub fn from_canonical(text: &str) -> Option<Self> {
        text.split(',')
            .map(|part| match part.split_once(':')? {
                ("dns", name) => Identifier::dns(name).ok(),
                _ => None,
            })
            .collect::<Option<Vec<_>>>()
            .map(Self)
    }

    /// SHA-256 of [`IdentifierSet::canonical`]: by it an order for the same names is recognised.
    pub fn digest(&self) -> [u8; 32] {
        sha256(self.canonical().as_bytes())
    }
}

impl fmt::Display for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.value())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn raw(value: &str) -> RawIdentifier {
        RawIdentifier { kind: "dns".into(), value: value.into() }
    }

    #[test]
    fn names_are_brought_into_canonical_form() {
        for (given, canonical) in [
            ("Example.COM", "example.com"),
            ("a.test.", "a.test"),
            ("printer", "printer"),
            ("xn--bcher-kva.test", "xn--bcher-kva.test"),
        ] {
            assert_eq!(DnsName::new(given).unwrap().as_str(), canonical);
        }
    }

    #[test]
    fn what_is_no_host_name_is_refused_with_its_reason() {
        let long_label = "a".repeat(64);
        let long_name = format!("{}.test", ["a".repeat(62).as_str(); 4].join("."));
        for (given, fault) in [
            ("", NameFault::Empty),
            (".", NameFault::Empty),
            ("a..b", NameFault::EmptyLabel),
            (".a", NameFault::EmptyLabel),
            (long_label.as_str(), NameFault::LongLabel),
            (long_name.as_str(), NameFault::TooLong),
            ("a_b.test", NameFault::Character),
            ("bücher.test", NameFault::Character),
            ("a b", NameFault::Character),
            ("a.*.test", NameFault::Character),
            ("-a.test", NameFault::Hyphen),
            ("a-.test", NameFault::Hyphen),
            ("ab--c.test", NameFault::Reserved),
            ("192.0.2.1", NameFault::Address),
            ("*.a.test", NameFault::Wildcard),
        ] {
            assert_eq!(DnsName::new(given).unwrap_err().fault, fault, "{given}");
        }
    }

    #[test]
    fn a_set_is_sorted_and_each_name_stands_once() {
        let set = IdentifierSet::new(vec![raw("b.test"), raw("A.test"), raw("b.test.")]).unwrap();
        assert_eq!(set.canonical(), "dns:a.test,dns:b.test");
        assert_eq!(IdentifierSet::from_canonical(&set.canonical()), Some(set));
    }

    #[test]
    fn refused_names_become_subproblems_only_beside_others() {
        let alone = IdentifierSet::new(vec![raw("a_b")]).unwrap_err();
        assert!(!alone.to_json().contains("subproblems"));
        let beside = IdentifierSet::new(vec![raw("a.test"), raw("*.b.test")]).unwrap_err();
        assert_eq!(beside.kind(), ProblemType::RejectedIdentifier);
        assert!(beside.to_json().contains("subproblems"));
        let mixed = IdentifierSet::new(vec![raw("a_b"), raw("*.b.test")]).unwrap_err();
        assert_eq!(mixed.kind(), ProblemType::Compound);
    }

    #[test]
    fn the_size_of_a_set_is_bounded() {
        assert!(IdentifierSet::new(vec![]).is_err());
        let many = (0..=IdentifierSet::MAX).map(|n| raw(&format!("a{n}.test"))).collect();
        assert!(IdentifierSet::new(many).is_err());
    }

    proptest! {
        #[test]
        fn canonical_names_are_fixed_points(text in "[a-zA-Z0-9.*_-]{0,80}") {
            if let Ok(name) = DnsName::new(&text) {
                prop_assert_eq!(DnsName::new(name.as_str()).unwrap(), name);
            }
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC*") {
            let _ = DnsName::new(&text);
        }
    }
}
