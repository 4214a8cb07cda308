//! From an identifier as a client writes it to one that is understood.

use std::collections::BTreeMap;

use super::{DnsName, Identifier, RawIdentifier, printable};
use crate::problem::{Problem, ProblemType};

/// The names above their own by which a client would rather be authorized (RFC 9444 §4.3).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AncestorWishes(BTreeMap<Identifier, DnsName>);

impl AncestorWishes {
    /// The name above `identifier` that the client says it can speak for.
    pub fn of(&self, identifier: &Identifier) -> Option<&DnsName> {
        self.0.get(identifier)
    }

    /// Keeps a wish; `malformed` where the same identifier came with another.
    pub(super) fn add(&mut self, identifier: &Identifier, ancestor: DnsName) -> Result<(), Problem> {
        if let Some(other) = self.0.get(identifier).filter(|other| **other != ancestor) {
            return Err(Problem::malformed(format!(
                "`{identifier}` stands in the order twice, with the ancestor domains `{}` and `{}`: \
                 name one of them",
                other.as_str(),
                ancestor.as_str()
            ))
            .about(identifier.clone()));
        }
        self.0.insert(identifier.clone(), ancestor);
        Ok(())
    }
}

impl TryFrom<RawIdentifier> for Identifier {
    type Error = Problem;

    fn try_from(raw: RawIdentifier) -> Result<Self, Problem> {
        raw.read().map(|(identifier, _)| identifier)
    }
}

impl RawIdentifier {
    /// The identifier, and the ancestor domain where the client named one.
    ///
    /// # Errors
    /// `unsupportedIdentifier` for another type than `dns` and `ip`, else `malformed`.
    pub fn read(self) -> Result<(Identifier, Option<DnsName>), Problem> {
        let identifier = match self.kind.as_str() {
            "dns" => Identifier::dns(&self.value).map_err(|error| Problem::malformed(error.to_string()))?,
            "ip" => Identifier::ip(&self.value).map_err(|error| Problem::malformed(error.to_string()))?,
            other => {
                return Err(Problem::new(
                    ProblemType::UnsupportedIdentifier,
                    format!(
                        "identifiers of type `{}` are not supported: use `dns` or `ip`",
                        printable(other)
                    ),
                ));
            }
        };
        let Some(ancestor) = self.ancestor_domain else { return Ok((identifier, None)) };
        match ancestor_of(&identifier, &ancestor) {
            Ok(ancestor) => Ok((identifier, Some(ancestor))),
            Err(why) => {
                let detail = format!("the `ancestorDomain` of `{identifier}` {why}");
                Err(Problem::malformed(detail).about(identifier))
            }
        }
    }
}

fn ancestor_of(identifier: &Identifier, text: &str) -> Result<DnsName, String> {
    let name = identifier.dns_name().ok_or("has no place there: an IP address lies below no name")?;
    let ancestor = DnsName::new(text).map_err(|error| format!("is no name: {error}"))?;
    if name.labels_below(&ancestor).is_none() {
        return Err(format!("is `{}`, which the name does not lie below (RFC 9444 §4.3)", ancestor.as_str()));
    }
    Ok(ancestor)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(
        kind: &str,
        value: &str,
        ancestor: Option<&str>,
    ) -> Result<(String, Option<String>), ProblemType> {
        let raw = RawIdentifier {
            kind: kind.into(),
            value: value.into(),
            ancestor_domain: ancestor.map(Into::into),
            subdomain_auth_allowed: false,
        };
        raw.read()
            .map(|(identifier, ancestor)| {
                (identifier.canonical(), ancestor.map(|name| name.as_str().to_owned()))
            })
            .map_err(|problem| problem.kind())
    }

    #[test]
    fn types_decide_how_values_are_read() {
        assert_eq!(read("dns", "A.test", None), Ok(("dns:a.test".into(), None)));
        assert_eq!(read("dns", "*.a.test", None), Ok(("dns:*.a.test".into(), None)));
        assert_eq!(read("ip", "192.0.2.1", None), Ok(("ip:192.0.2.1".into(), None)));
        assert_eq!(read("dns", "192.0.2.1", None), Err(ProblemType::Malformed));
        assert_eq!(read("ip", "a.test", None), Err(ProblemType::Malformed));
        assert_eq!(read("DNS", "a.test", None), Err(ProblemType::UnsupportedIdentifier));
        assert_eq!(read("email", "a@b.test", None), Err(ProblemType::UnsupportedIdentifier));
    }

    #[test]
    fn an_ancestor_lies_above_the_name() {
        for (value, ancestor, canonical) in [
            ("a.b.test", "B.test.", "b.test"),
            ("a.b.test", "test", "test"),
            ("a.b.test", "a.b.test", "a.b.test"),
            ("*.b.test", "b.test", "b.test"),
        ] {
            let (_, read) = read("dns", value, Some(ancestor)).unwrap();
            assert_eq!(read.as_deref(), Some(canonical), "{value} {ancestor}");
        }
        for (kind, value, ancestor) in [
            ("dns", "a.b.test", "c.test"),
            ("dns", "ab.test", "b.test"),
            ("dns", "b.test", "a.b.test"),
            ("dns", "a.b.test", "*.b.test"),
            ("dns", "a.b.test", ""),
            ("ip", "192.0.2.1", "test"),
        ] {
            assert_eq!(read(kind, value, Some(ancestor)), Err(ProblemType::Malformed), "{value} {ancestor}");
        }
    }
}
