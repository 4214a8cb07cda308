//! A set of the few names that a licence may list.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// One of a closed list of names, at most 32 of them.
pub trait Named: Copy + PartialEq + 'static {
    /// Every name, in the order in which documents list them.
    const ALL: &'static [Self];
    /// What the names are, in the singular, for errors.
    const WHAT: &'static str;

    /// The name as documents and commands write it.
    fn name(self) -> &'static str;

    /// The one with that name, if there is one.
    fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|one| one.name() == name)
    }
}

/// A set of names. In JSON it is a list of texts: an unknown name or one given twice is refused.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Set<T> {
    /// One bit for each entry of [`Named::ALL`].
    bits: u32,
    of: PhantomData<T>,
}

impl<T: Named> Set<T> {
    /// The set without members.
    pub const EMPTY: Self = Self { bits: 0, of: PhantomData };

    /// Every name there is.
    pub fn all() -> Self {
        T::ALL.iter().copied().collect()
    }

    /// Whether `member` is in the set.
    pub fn contains(self, member: T) -> bool {
        self.bits & bit(member) != 0
    }

    /// Adds `member`, and says whether it was not there before.
    pub fn insert(&mut self, member: T) -> bool {
        let was_there = self.contains(member);
        self.bits |= bit(member);
        !was_there
    }

    /// The members, in the order of [`Named::ALL`].
    pub fn iter(self) -> impl Iterator<Item = T> {
        T::ALL.iter().copied().filter(move |member| self.contains(*member))
    }
}

fn bit<T: Named>(member: T) -> u32 {
    let position = T::ALL.iter().position(|one| *one == member).unwrap_or_default();
    u32::try_from(position).ok().and_then(|position| 1_u32.checked_shl(position)).unwrap_or_default()
}

impl<T: Named> FromIterator<T> for Set<T> {
    fn from_iter<I: IntoIterator<Item = T>>(members: I) -> Self {
        let mut set = Self::EMPTY;
        for member in members {
            set.insert(member);
        }
        set
    }
}

impl<T: Named, const N: usize> From<[T; N]> for Set<T> {
    fn from(members: [T; N]) -> Self {
        members.into_iter().collect()
    }
}

impl<T: Named> fmt::Debug for Set<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(T::name)).finish()
    }
}

impl<T: Named> fmt::Display for Set<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.iter().map(T::name).collect();
        f.write_str(if names.is_empty() { "none" } else { "" })?;
        f.write_str(&names.join(", "))
    }
}

impl<T: Named> Serialize for Set<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter().map(T::name))
    }
}

impl<'de, T: Named> Deserialize<'de> for Set<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(SetVisitor(PhantomData))
    }
}

struct SetVisitor<T>(PhantomData<T>);

impl<'de, T: Named> Visitor<'de> for SetVisitor<T> {
    type Value = Set<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a list of {}s", T::WHAT)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Set<T>, A::Error> {
        let mut set = Set::EMPTY;
        while let Some(name) = list.next_element::<String>()? {
            let Some(member) = T::named(&name) else {
                let shown: String = name.chars().take(32).collect();
                return Err(A::Error::custom(format_args!("unknown {} {shown:?}", T::WHAT)));
            };
            if !set.insert(member) {
                return Err(A::Error::custom(format_args!("the {} {name} is listed twice", T::WHAT)));
            }
        }
        Ok(set)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::entitlements::Feature;

    proptest! {
        #[test]
        fn a_list_in_any_order_is_the_set_of_its_names(
            names in prop::collection::vec(prop::sample::select(Feature::ALL), 0..8),
        ) {
            let json = serde_json::to_string(&names.iter().map(|name| name.name()).collect::<Vec<_>>()).unwrap();
            let set: Set<Feature> = names.iter().copied().collect();
            let has_none_twice = set.iter().count() == names.len();
            let read = serde_json::from_str::<Set<Feature>>(&json);
            prop_assert_eq!(read.is_ok(), has_none_twice);
            if let Ok(read) = read {
                prop_assert_eq!(read, set);
                prop_assert!(Feature::ALL.iter().all(|name| read.contains(*name) == names.contains(name)));
            }
        }

        #[test]
        fn no_list_makes_it_panic(names in prop::collection::vec(".{0,8}", 0..4)) {
            let json = serde_json::to_string(&names).unwrap();
            let is_known = names.iter().all(|name| Feature::named(name).is_some());
            prop_assert!(is_known || serde_json::from_str::<Set<Feature>>(&json).is_err());
        }
    }

    #[test]
    fn a_set_holds_what_was_put_in() {
        let mut set = Set::from([Feature::Siem, Feature::Acme]);
        assert!(set.contains(Feature::Acme) && set.contains(Feature::Siem) && !set.contains(Feature::Ha));
        assert_eq!(set.iter().collect::<Vec<_>>(), [Feature::Acme, Feature::Siem]);
        assert!(!set.insert(Feature::Acme));
        assert!(set.insert(Feature::Ha));
        assert_eq!(set.to_string(), "acme, ha, siem");
        assert_eq!(Set::<Feature>::EMPTY.to_string(), "none");
        assert_eq!(Set::<Feature>::all().iter().count(), Feature::ALL.len());
    }

    #[test]
    fn in_json_it_is_a_list_without_strangers_or_repetition() {
        let read = |json| serde_json::from_str::<Set<Feature>>(json).map_err(|error| error.to_string());
        let set = Set::from([Feature::Api, Feature::Mtls]);
        assert_eq!(serde_json::to_string(&set).unwrap(), r#"["api","mtls"]"#);
        assert_eq!(read(r#"["mtls","api"]"#), Ok(set));
        assert_eq!(read("[]"), Ok(Set::EMPTY));
        for (json, error) in [
            (r#"["mtlsm"]"#, r#"unknown feature "mtlsm""#),
            (r#"["ACME"]"#, r#"unknown feature "ACME""#),
            (r#"["acme","acme"]"#, "the feature acme is listed twice"),
            (r#""acme""#, "expected a list of features"),
            ("[1]", "expected a string"),
            ("null", "expected a list of features"),
        ] {
            let refused = read(json).unwrap_err();
            assert!(refused.contains(error), "{json}: {refused}");
        }
    }
}
