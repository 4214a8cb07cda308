//! DNS names.

use std::iter::successors;

use idna::AsciiDenyList;
use idna::uts46::{DnsLength, Hyphens, Uts46};

use super::printable;

/// A host name: lower case, no trailing dot, letters, digits and hyphens (RFC 5890 §2.3.1).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DnsName(String);

impl DnsName {
    /// How many characters a name may have (RFC 1035 §3.1, less the root's octet and a length).
    pub const MAX_LENGTH: usize = 253;

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
        if name.len() > Self::MAX_LENGTH {
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

    /// The base of a wildcard, which must leave room for the `*.` before it.
    pub(super) fn wildcard_base(text: &str) -> Result<Self, NameError> {
        let refused = |fault| NameError { name: printable(&format!("*.{text}")), fault };
        let base = Self::new(text).map_err(|error| refused(error.fault))?;
        if base.0.len() + 2 > Self::MAX_LENGTH {
            return Err(refused(NameFault::TooLong));
        }
        Ok(base)
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The names that this one lies below, nearest first: `a.b.test` has `b.test` and `test`
    /// (RFC 9444 §2 calls them ancestor domains).
    pub fn ancestors(&self) -> impl Iterator<Item = Self> {
        let parent = |name: &str| name.split_once('.').map(|(_, parent)| parent.to_owned());
        successors(parent(&self.0), move |name| parent(name)).map(Self)
    }

    /// The name with a label of one letter before it. The name must leave room for it.
    pub(crate) fn child(&self, label: char) -> Self {
        Self(format!("{label}.{}", self.0))
    }

    /// How many labels stand before `zone`: none for the zone itself, `None` outside it.
    pub fn labels_below(&self, zone: &Self) -> Option<usize> {
        match self.0.strip_suffix(&zone.0)? {
            "" => Some(0),
            before => before.strip_suffix('.').map(|labels| labels.split('.').count()),
        }
    }
}

/// A text that is not a host name a certificate could be ordered for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` cannot be ordered: {fault}")]
pub struct NameError {
    pub(super) name: String,
    pub(super) fault: NameFault,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum NameFault {
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
    #[error("a label begins with `xn--` but is not the A-label of any international name (RFC 5891)")]
    ALabel,
    #[error("it looks like an IP address, which is not a DNS name: use the identifier type `ip`")]
    Address,
    #[error("a wildcard has no place here: use the name without `*.`")]
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
    if label.get(2..4) == Some("--") {
        if !label.starts_with("xn--") {
            return Err(NameFault::Reserved);
        }
        if !is_a_label(label) {
            return Err(NameFault::ALabel);
        }
    }
    Ok(())
}

/// Whether a label that begins with `xn--` is an A-label: it decodes, and what it decodes to is
/// encoded as that label and no other (RFC 5890 §2.3.2.1). Each label is looked at by itself.
fn is_a_label(label: &str) -> bool {
    let rules = Uts46::new();
    let (unicode, outcome) = rules.to_unicode(label.as_bytes(), AsciiDenyList::STD3, Hyphens::Check);
    if outcome.is_err() || unicode.is_ascii() || unicode.contains('.') {
        return false;
    }
    rules
        .to_ascii(unicode.as_bytes(), AsciiDenyList::STD3, Hyphens::Check, DnsLength::Verify)
        .is_ok_and(|again| again == label)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn name(text: &str) -> DnsName {
        DnsName::new(text).unwrap()
    }

    #[test]
    fn names_are_brought_into_canonical_form() {
        for (given, canonical) in [
            ("Example.COM", "example.com"),
            ("a.test.", "a.test"),
            ("printer", "printer"),
            ("xn--bcher-kva.test", "xn--bcher-kva.test"),
            ("XN--BCHER-KVA.test", "xn--bcher-kva.test"),
        ] {
            assert_eq!(name(given).as_str(), canonical);
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
    fn a_labels_are_those_of_an_international_name() {
        for label in ["xn--bcher-kva", "xn--mnchen-3ya", "xn--fiqs8s", "xn--4dbrk0ce", "xn--strae-oqa"] {
            assert!(is_a_label(label), "{label}");
        }
        for (label, why) in [
            ("xn--a", "cannot be decoded"),
            ("xn--99999999", "overflows"),
            ("xn--abc-", "is plain ASCII"),
            ("xn--bcher-Kva", "is not in lower case"),
        ] {
            assert!(!is_a_label(label), "{label} {why}");
        }
        // `Ü` is upper case: its lower case is encoded otherwise (RFC 5891 §5.3).
        let upper = format!("xn--{}", idna::punycode::encode_str("Über").unwrap());
        assert!(!is_a_label(&upper), "{upper}");
        // Not in normalization form C.
        let decomposed = format!("xn--{}", idna::punycode::encode_str("u\u{308}ber").unwrap());
        assert!(!is_a_label(&decomposed), "{decomposed}");
        assert_eq!(DnsName::new("a.xn--a.test").unwrap_err().fault, NameFault::ALabel);
    }

    #[test]
    fn ancestors_are_nearest_first() {
        let ancestors = |text| name(text).ancestors().map(|name| name.0).collect::<Vec<_>>();
        assert_eq!(ancestors("a.b.c.test"), ["b.c.test", "c.test", "test"]);
        assert_eq!(ancestors("test"), [""; 0]);
    }

    #[test]
    fn labels_below_a_zone_are_counted() {
        for (inner, zone, labels) in [
            ("a.test", "a.test", Some(0)),
            ("b.a.test", "a.test", Some(1)),
            ("c.b.a.test", "a.test", Some(2)),
            ("ba.test", "a.test", None),
            ("test", "a.test", None),
            ("a.test", "b.test", None),
        ] {
            assert_eq!(name(inner).labels_below(&name(zone)), labels, "{inner} {zone}");
        }
    }

    #[test]
    fn the_base_of_a_wildcard_leaves_room_for_the_star() {
        let base = format!("{}.abcdefg", ["a".repeat(60).as_str(); 4].join("."));
        assert_eq!(base.len(), 251);
        assert!(DnsName::wildcard_base(&base).is_ok());
        let longer = format!("{base}h");
        assert!(DnsName::new(&longer).is_ok());
        assert_eq!(DnsName::wildcard_base(&longer).unwrap_err().fault, NameFault::TooLong);
    }

    proptest! {
        #[test]
        fn canonical_names_are_fixed_points(text in "[a-zA-Z0-9.*_-]{0,80}") {
            if let Ok(name) = DnsName::new(&text) {
                prop_assert_eq!(DnsName::new(name.as_str()).unwrap(), name);
            }
        }

        #[test]
        fn no_text_makes_it_panic(text in "(xn--)?\\PC*") {
            let _ = DnsName::new(&text);
        }

        #[test]
        fn each_ancestor_is_one_label_less(text in "[a-c]{1,3}(\\.[a-c]{1,3}){0,5}") {
            let name = name(&text);
            for (above, ancestor) in name.ancestors().enumerate() {
                prop_assert_eq!(name.labels_below(&ancestor), Some(above + 1));
            }
            prop_assert_eq!(name.ancestors().count(), text.matches('.').count());
        }
    }
}
