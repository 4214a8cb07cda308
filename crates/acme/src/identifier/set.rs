//! The identifiers of an order.

use super::{AncestorWishes, Identifier, RawIdentifier};
use crate::crypto::sha256;
use crate::problem::{Problem, ProblemType};

/// The identifiers of an order: canonical, sorted, each once, at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentifierSet(Vec<Identifier>);

impl IdentifierSet {
    /// How many identifiers an order may have.
    pub const MAX: usize = 100;

    /// Brings a client's list into canonical form, and tells beside it which ancestor domains the
    /// client named.
    ///
    /// # Errors
    /// `malformed` for an empty or too long list. One identifier that is refused yields its problem;
    /// several names of which some are refused yield one problem with a subproblem for each
    /// (RFC 8555 §6.7.1).
    pub fn new(raw: Vec<RawIdentifier>) -> Result<(Self, AncestorWishes), Problem> {
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
        let mut wishes = AncestorWishes::default();
        for raw in raw {
            let read = raw.read().and_then(|(identifier, ancestor)| {
                ancestor.map_or(Ok(()), |ancestor| wishes.add(&identifier, ancestor))?;
                Ok(identifier)
            });
            match read {
                Ok(identifier) => identifiers.push(identifier),
                Err(problem) => problems.push(problem),
            }
        }
        if !problems.is_empty() {
            return Err(Problem::of_identifiers(problems, alone));
        }
        identifiers.sort();
        identifiers.dedup();
        Ok((Self(identifiers), wishes))
    }

    /// The identifiers, sorted.
    pub fn as_slice(&self) -> &[Identifier] {
        &self.0
    }

    /// The set as text that names it and nothing else: `dns:a.test,dns:b.test`.
    pub fn canonical(&self) -> String {
        self.0.iter().map(Identifier::canonical).collect::<Vec<_>>().join(",")
    }

    /// Reads what [`IdentifierSet::canonical`] wrote; `None` for anything else.
    pub fn from_canonical(text: &str) -> Option<Self> {
        let identifiers = text.split(',').map(Identifier::from_canonical).collect::<Option<Vec<_>>>()?;
        identifiers.is_sorted_by(|a, b| a < b).then_some(Self(identifiers))
    }

    /// SHA-256 of [`IdentifierSet::canonical`]: by it an order for the same names is recognised.
    pub fn digest(&self) -> [u8; 32] {
        sha256(self.canonical().as_bytes())
    }

    /// The problem of an order of whose identifiers some were refused, for one reason: one name alone
    /// has the problem, one among several has a subproblem in it (RFC 8555 §6.7.1).
    ///
    /// `refused` are identifiers of this set, at least one.
    pub fn refused(&self, kind: ProblemType, refused: &[&Identifier], why: &str) -> Problem {
        let problem = |identifier: &Identifier| {
            Problem::new(kind, format!("`{identifier}` {why}")).about(identifier.clone())
        };
        let problems = refused.iter().map(|identifier| problem(identifier)).collect();
        Problem::of_identifiers(problems, self.0.len() == 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(value: &str) -> RawIdentifier {
        RawIdentifier { kind: "dns".into(), value: value.into(), ..RawIdentifier::default() }
    }

    fn ip(value: &str) -> RawIdentifier {
        RawIdentifier { kind: "ip".into(), ..raw(value) }
    }

    fn below(value: &str, ancestor: &str) -> RawIdentifier {
        RawIdentifier { ancestor_domain: Some(ancestor.into()), ..raw(value) }
    }

    #[test]
    fn a_set_is_sorted_and_each_name_stands_once() {
        let list = vec![
            raw("b.test"),
            ip("2001:DB8::1"),
            raw("*.a.test"),
            raw("A.test"),
            ip("192.0.2.1"),
            raw("b.test."),
        ];
        let (set, wishes) = IdentifierSet::new(list).unwrap();
        assert_eq!(set.canonical(), "dns:a.test,dns:b.test,dns:*.a.test,ip:192.0.2.1,ip:2001:db8::1");
        assert_eq!(IdentifierSet::from_canonical(&set.canonical()), Some(set));
        assert_eq!(wishes, AncestorWishes::default());
    }

    #[test]
    fn a_stored_set_is_read_only_as_it_was_written() {
        for text in ["", ",", "dns:b.test,dns:a.test", "dns:a.test,dns:a.test", "dns:a.test,", "dns:A.test"] {
            assert_eq!(IdentifierSet::from_canonical(text), None, "{text}");
        }
    }

    #[test]
    fn ancestor_domains_are_told_beside_the_set() {
        let list = vec![below("a.b.test", "b.test"), raw("c.test"), below("a.b.test", "B.test")];
        let (set, wishes) = IdentifierSet::new(list).unwrap();
        assert_eq!(set.canonical(), "dns:a.b.test,dns:c.test");
        let of = |index: usize| wishes.of(&set.as_slice()[index]).map(|name| name.as_str());
        assert_eq!((of(0), of(1)), (Some("b.test"), None));
        let differing = vec![below("a.b.test", "b.test"), below("a.b.test", "test")];
        assert_eq!(IdentifierSet::new(differing).unwrap_err().kind(), ProblemType::Malformed);
    }

    #[test]
    fn refused_names_become_subproblems_only_beside_others() {
        let alone = IdentifierSet::new(vec![raw("a_b")]).unwrap_err();
        assert!(!alone.to_json().contains("subproblems"));
        let beside = IdentifierSet::new(vec![raw("a.test"), raw("a_b")]).unwrap_err();
        assert_eq!(beside.kind(), ProblemType::Malformed);
        assert!(beside.to_json().contains("subproblems"));
        let onion = RawIdentifier { kind: "onion".into(), ..raw("b.test") };
        let mixed = IdentifierSet::new(vec![raw("a_b"), onion]).unwrap_err();
        assert_eq!(mixed.kind(), ProblemType::Compound);
    }

    #[test]
    fn a_refusal_by_policy_names_each_identifier() {
        let refused = |list, which: &[usize]| {
            let (set, _) = IdentifierSet::new(list).unwrap();
            let which: Vec<_> = which.iter().map(|index| &set.as_slice()[*index]).collect();
            set.refused(ProblemType::RejectedIdentifier, &which, "is out of scope")
        };
        let alone = refused(vec![raw("a.test")], &[0]);
        assert_eq!(alone.detail(), "`a.test` is out of scope");
        assert!(!alone.to_json().contains("subproblems"));
        let json = refused(vec![raw("a.test"), raw("b.test"), raw("c.test")], &[1]).to_json();
        assert!(
            json.contains(r#""detail":"`b.test` is out of scope","status":403,"identifier":{"#),
            "{json}"
        );
        assert_eq!(json.matches("out of scope").count(), 1, "{json}");
    }

    #[test]
    fn the_size_of_a_set_is_bounded() {
        assert!(IdentifierSet::new(vec![]).is_err());
        let many = (0..=IdentifierSet::MAX).map(|n| raw(&format!("a{n}.test"))).collect();
        assert!(IdentifierSet::new(many).is_err());
    }
}
