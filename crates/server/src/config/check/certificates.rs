//! What a profile says of its certificates, and of the requests for them.

use std::time::Duration;

use chancery_cli::config::{Problems, each, within};
use chancery_pki::certificate::{
    EndEntityUsage, MAX_VALIDITY, MustStaple, Profile, ProfileSpec, Purpose, SubjectRule,
};
use chancery_pki::request::{KeyType, RequestRules};
use serde_saphyr::Spanned;

use super::super::raw::{RawKeys, RawProfile};

const DEFAULT_VALIDITY: Duration = Duration::from_secs(90 * 86_400);
/// Below this, a certificate could lapse between its issue and its first use.
const MIN_VALIDITY: Duration = Duration::from_secs(300);
/// The kinds of key as the file calls them.
const KEY_TYPES: [(&str, KeyType); 5] = [
    ("ecdsa-p256", KeyType::EcdsaP256),
    ("ecdsa-p384", KeyType::EcdsaP384),
    ("ecdsa-p521", KeyType::EcdsaP521),
    ("rsa", KeyType::Rsa),
    ("ed25519", KeyType::Ed25519),
];
/// The longest RSA modulus that is accepted at all, in bits.
const MAX_RSA_BITS: i64 = 8_192;

/// What the file calls the rules for subjects, and for must-staple.
const SUBJECTS: [(&str, SubjectRule); 2] =
    [("empty", SubjectRule::Empty), ("common_name", SubjectRule::CommonName)];
const STAPLES: [(&str, Staple); 3] =
    [("never", Staple::Never), ("if_asked", Staple::IfAsked), ("always", Staple::Always)];

/// Who gets the TLS feature `status_request` (RFC 7633).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Staple {
    Never,
    IfAsked,
    Always,
}

pub(super) fn certificates(
    index: usize,
    raw: &RawProfile,
    problems: &mut Problems,
) -> Option<(ProfileSpec, RequestRules)> {
    let before = problems.count();
    let mut page = Page { index, problems };
    let (validity, max_validity) = page.lives(raw)?;
    let usual = ProfileSpec::default();
    let staple = page.one_of("must_staple", raw.must_staple.as_ref(), &STAPLES).unwrap_or(Staple::Never);
    let usages = page.list("key_usages", raw.key_usages.as_ref(), str::parse::<EndEntityUsage>);
    let purposes = page.list("extended_key_usages", raw.extended_key_usages.as_ref(), str::parse::<Purpose>);
    let url = |url: &Option<Spanned<String>>| url.as_ref().map(|url| url.value.clone());
    let certificates = ProfileSpec {
        validity,
        max_validity,
        // An hour for slow clocks, but never more than a twelfth of a short life.
        not_before_backdate: Duration::from_secs((validity.as_secs() / 12).min(3_600)),
        key_usages: usages.unwrap_or(usual.key_usages),
        extended_key_usages: purposes.unwrap_or(usual.extended_key_usages),
        subject: page.one_of("subject", raw.subject.as_ref(), &SUBJECTS).unwrap_or(SubjectRule::Empty),
        must_staple: if staple == Staple::Always { MustStaple::Always } else { MustStaple::IfAsked },
        ca_issuers_url: url(&raw.ca_issuers_url),
        ocsp_url: url(&raw.ocsp_url),
        crl_url: url(&raw.crl_url),
    };
    // Of what could not be read, enough is said already.
    if page.problems.count() == before
        && let Err(error) = Profile::new(certificates.clone())
    {
        page.problems.add(raw.name.referenced, &format!("profiles[{index}]"), error);
    }
    let requests = page.requests(&raw.keys, staple, &certificates.extended_key_usages);
    Some((certificates, requests))
}

/// One profile of the file, and what is wrong with it.
struct Page<'a> {
    index: usize,
    problems: &'a mut Problems,
}

impl Page<'_> {
    fn field(&self, name: &str) -> String {
        format!("profiles[{}].{name}", self.index)
    }

    /// The usual life of a certificate, and the longest. Either speaks for the other where that is not there.
    fn lives(&mut self, raw: &RawProfile) -> Option<(Duration, Duration)> {
        let usual = self.life("validity", raw.validity.as_ref())?;
        let longest = self.life("max_validity", raw.max_validity.as_ref())?;
        Some(match (usual, longest) {
            (None, None) => (DEFAULT_VALIDITY, DEFAULT_VALIDITY),
            (Some(usual), None) => (usual, usual),
            (None, Some(longest)) => (longest.min(DEFAULT_VALIDITY), longest),
            (Some(usual), Some(longest)) => (usual, longest),
        })
    }

    fn life(&mut self, name: &str, text: Option<&Spanned<String>>) -> Option<Option<Duration>> {
        let Some(text) = text else { return Some(None) };
        let life =
            within(&text.value, "the life of a certificate", MIN_VALIDITY..=MAX_VALIDITY, "5m to 825d");
        self.problems.accept(text.referenced, &self.field(name), life).map(Some)
    }

    /// The value that one of several names stands for.
    fn one_of<T: Copy>(
        &mut self,
        name: &str,
        text: Option<&Spanned<String>>,
        known: &[(&str, T)],
    ) -> Option<T> {
        let text = text?;
        self.problems.accept(text.referenced, &self.field(name), named(&text.value, known))
    }

    /// The values of a list that must not be empty.
    fn list<T, E: std::fmt::Display>(
        &mut self,
        name: &str,
        texts: Option<&Spanned<Vec<Spanned<String>>>>,
        read: impl Fn(&str) -> Result<T, E>,
    ) -> Option<Vec<T>> {
        let (texts, field) = (texts?, self.field(name));
        if texts.value.is_empty() {
            self.problems.add(texts.referenced, &field, "is empty: leave the key out for the usual ones");
        }
        let read = |text: &str| read(text).map_err(|error| error.to_string());
        Some(each(&field, &texts.value, read, self.problems))
    }

    /// What requests may hold: keys of these kinds, and wishes that the certificates grant.
    fn requests(&mut self, raw: &RawKeys, staple: Staple, purposes: &[Purpose]) -> RequestRules {
        let usual = RequestRules::default();
        let kinds =
            self.list("keys.algorithms", raw.algorithms.as_ref(), |text: &str| named(text, &KEY_TYPES));
        let mut extended_key_usages = usual.extended_key_usages;
        extended_key_usages.extend(purposes.iter().filter(|purpose| **purpose != Purpose::CLIENT_AUTH));
        RequestRules {
            key_types: kinds.unwrap_or(usual.key_types),
            min_rsa_bits: self.min_rsa_bits(raw.min_rsa_bits.as_ref()).unwrap_or(usual.min_rsa_bits),
            must_staple: staple != Staple::Never,
            extended_key_usages,
            ..usual
        }
    }

    fn min_rsa_bits(&mut self, raw: Option<&Spanned<i64>>) -> Option<usize> {
        let raw = raw?;
        let wrong = || format!("{} is not a length from 2048 to {MAX_RSA_BITS} bits", raw.value);
        let bits = Some(raw.value).filter(|bits| (2_048..=MAX_RSA_BITS).contains(bits));
        let bits = bits.and_then(|bits| usize::try_from(bits).ok()).ok_or_else(wrong);
        self.problems.accept(raw.referenced, &self.field("keys.min_rsa_bits"), bits)
    }
}

fn named<T: Copy>(text: &str, known: &[(&str, T)]) -> Result<T, String> {
    let found = known.iter().find(|(name, _)| *name == text).map(|(_, value)| *value);
    found.ok_or_else(|| {
        let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
        format!("`{text}` is not known here: use one of {}", names.join(", "))
    })
}
