//! What holds for every document and licence JWT that can be made, and for every alteration of one.

use std::path::Path;
use std::sync::LazyLock;

use chancery_license::entitlements::Named;
use chancery_license::jwt::{self, Claims, Tier};
use chancery_license::key::RANDOM_BYTES;
use chancery_license::manifest::Use;
use chancery_license::revocations::{Reason, Revoked};
use chancery_license::state::AfterGrace;
use chancery_license::{
    Document, Entitlements, Environment, Holder, InstallationKey, IssuingKey, KeyManifest, License,
    LicenseKey, Limit, Plan, RevocationList, Set, SigningKey, Version, open, seal,
};
use chancery_time::Timestamp;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::Value;

use crate::fuzzed::{DEV, KEYRING, PRODUCT, TARGETS, TRUSTED, Target, seeds};

const MAX_NUMBER: u64 = (1 << 53) - 1;
const LAST_SECOND: i64 = Timestamp::MAX.unix_seconds();

/// What a careless or clever hand may put into a text.
const WORDS: &[&str] = &[
    "",
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "\"",
    "\\",
    "0",
    "-1",
    "1e3",
    "9007199254740992",
    "null",
    "\"a\":1,",
    "=",
    "\n",
    "\r\n",
    " ",
    "\t",
    ".",
    "-",
    "--",
    "\u{1b}",
    "\u{e4}",
    "\\u0061",
    "\\ud800",
];

/// Every target with each of its seeds.
static SEEDS: LazyLock<Vec<(Target, Vec<u8>)>> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let of = |target: &Target| {
        let target = *target;
        seeds::of(target.0, folder).into_iter().map(move |seed| (target, seed))
    };
    TARGETS.iter().flat_map(of).collect()
});

/// The targets that read JSON, each with those of its seeds that are JSON.
static JSON_SEEDS: LazyLock<Vec<(Target, Value)>> = LazyLock::new(|| {
    let of_json = ["claims", "license", "machine_payload", "manifest", "request", "response", "revocations"];
    let all = SEEDS.iter().filter(|((name, _), _)| of_json.contains(name));
    all.filter_map(|(target, seed)| Some((*target, serde_json::from_slice(seed).ok()?))).collect()
});

proptest! {
    #[test]
    fn licences_open_as_they_were_sealed(document in document(license())) {
        let text = seal(&document, &[&DEV]).unwrap();
        prop_assert_eq!(open::<License>(&text, &KEYRING).unwrap().into_document(), document);
    }

    #[test]
    fn revocation_lists_open_as_they_were_sealed(document in document(revocations())) {
        let text = seal(&document, &[&DEV]).unwrap();
        prop_assert_eq!(open::<RevocationList>(&text, &KEYRING).unwrap().into_document(), document);
    }

    #[test]
    fn key_manifests_are_admitted_as_they_were_sealed(document in document(manifest())) {
        let text = seal(&document, &[&DEV]).unwrap();
        prop_assert_eq!(KEYRING.admit(&text).unwrap().sequence(), document.body.sequence);
        prop_assert_eq!(open::<KeyManifest>(&text, &KEYRING).unwrap().into_document(), document);
    }

    #[test]
    fn licence_jwts_verify_as_they_were_minted(claims in claims()) {
        let token = jwt::mint(&claims, &DEV).unwrap();
        let verified = jwt::verify(token.as_bytes(), &*TRUSTED).unwrap();
        prop_assert_eq!((verified.claims(), verified.signer()), (&claims, DEV.public().id()));
    }

    #[test]
    fn payloads_with_altered_values_hold(seed in any::<Index>(), edits in prop::collection::vec(edit(), 1..4)) {
        let ((_, target), mut payload) = seed.get(&JSON_SEEDS).clone();
        edits.into_iter().for_each(|edit| edit.apply(&mut payload));
        target(payload.to_string().as_bytes());
    }

    #[test]
    fn inputs_with_altered_bytes_hold(
        seed in any::<Index>(),
        splices in prop::collection::vec((any::<Index>(), 0..4_usize, select(WORDS)), 1..4),
    ) {
        let ((_, target), mut input) = seed.get(&SEEDS).clone();
        for (place, length, word) in splices {
            let start = place.index(input.len() + 1);
            let end = input.len().min(start + length);
            input.splice(start..end, word.bytes());
        }
        target(&input);
    }

    #[test]
    fn any_bytes_hold(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        TARGETS.iter().for_each(|(_, target)| target(&bytes));
    }
}

/// An alteration of one place in a JSON value.
#[derive(Debug, Clone)]
enum Edit {
    Replace(Index, Value),
    Remove(Index),
    /// Puts what stands at one place at another as well.
    Copy(Index, Index),
    Add(Index, String, Value),
}

impl Edit {
    fn apply(self, root: &mut Value) {
        let mut places = Vec::new();
        pointers(root, String::new(), &mut places);
        let at = |index: Index| index.get(&places).clone();
        match self {
            Self::Replace(place, value) => *root.pointer_mut(&at(place)).unwrap() = value,
            Self::Copy(from, to) => {
                let value = root.pointer(&at(from)).unwrap().clone();
                *root.pointer_mut(&at(to)).unwrap() = value;
            }
            Self::Add(place, name, value) => match root.pointer_mut(&at(place)).unwrap() {
                Value::Object(object) => drop(object.insert(name, value)),
                Value::Array(list) => list.push(value),
                other => *other = value,
            },
            Self::Remove(place) => {
                let place = at(place);
                let Some((parent, last)) = place.rsplit_once('/') else { return };
                match root.pointer_mut(parent).unwrap() {
                    Value::Object(object) => drop(object.remove(last)),
                    Value::Array(list) => drop(list.remove(last.parse().unwrap())),
                    _ => unreachable!("only objects and lists have places in them"),
                }
            }
        }
    }
}

/// The JSON Pointer (RFC 6901) of the value and of each value in it. No name has a slash or tilde here.
fn pointers(value: &Value, place: String, places: &mut Vec<String>) {
    match value {
        Value::Object(object) => object.iter().for_each(|(name, inner)| {
            if !name.contains(['/', '~']) {
                pointers(inner, format!("{place}/{name}"), places);
            }
        }),
        Value::Array(list) => {
            list.iter()
                .enumerate()
                .for_each(|(index, inner)| pointers(inner, format!("{place}/{index}"), places));
        }
        _ => {}
    }
    places.push(place);
}

fn edit() -> impl Strategy<Value = Edit> {
    let place = any::<Index>;
    prop_oneof![
        (place(), json()).prop_map(|(place, value)| Edit::Replace(place, value)),
        place().prop_map(Edit::Remove),
        (place(), place()).prop_map(|(from, to)| Edit::Copy(from, to)),
        (place(), "\\PC{0,4}", json()).prop_map(|(place, name, value)| Edit::Add(place, name, value)),
    ]
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-1..4_i64).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
        select(
            &[
                "prod",
                "dev",
                "1.2.3",
                "unlimited",
                "forbidden",
                "9999-12-31T23:59:59Z",
                "2026-06-14T13:23:60Z"
            ][..]
        )
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map(".{0,4}", inner, 0..3).prop_map(Value::from_iter),
        ]
    })
}

fn document<T: std::fmt::Debug>(body: impl Strategy<Value = T>) -> impl Strategy<Value = Document<T>> {
    (instant(), body).prop_map(|(issued, body)| Document {
        product: PRODUCT.to_owned(),
        environment: Environment::Dev,
        issued,
        body,
    })
}

fn license() -> impl Strategy<Value = License> {
    let names = ("[A-Za-z0-9._-]{1,64}", 1..=MAX_NUMBER, select(&Plan::ALL[..]), holder());
    let keys = (any::<[u8; RANDOM_BYTES]>(), prop::option::of(any::<[u8; RANDOM_BYTES]>()));
    let times =
        (from_to(), 0..=366_u16, select(&[AfterGrace::RenewalsOnly, AfterGrace::Block][..]), 0..=720_u16);
    let fit = (entitlements(), prop::option::of(instant()), prop::option::of(version()));
    (names, keys, times, fit).prop_map(|(names, keys, times, fit)| License {
        id: names.0,
        serial: names.1,
        plan: names.2,
        holder: names.3,
        license_key: LicenseKey::from_random(&keys.0),
        installation_key: keys.1.map(|random| InstallationKey::from_random(&random)),
        not_before: times.0.0,
        expires: times.0.1,
        grace_days: times.1,
        after_grace: times.2,
        clock_tolerance_hours: times.3,
        entitlements: fit.0,
        newest_build: fit.1,
        minimum_version: fit.2,
    })
}

fn holder() -> impl Strategy<Value = Holder> {
    // An ideographic space would be white space round the line, so the ends are letters.
    ("\\pL\\PC{0,198}\\pL", "\\pL{1,60}@\\pL{1,60}")
        .prop_map(|(organisation, email)| Holder { organisation, email })
}

fn entitlements() -> impl Strategy<Value = Entitlements> {
    let limits = (limit(), limit(), limit(), limit(), limit());
    (set(), limits, set()).prop_map(|(allowed_databases, limits, features)| Entitlements {
        allowed_databases,
        max_authorities: limits.0,
        max_managed_servers: limits.1,
        max_certificates: limits.2,
        max_users: limits.3,
        max_profiles: limits.4,
        features,
    })
}

fn limit() -> impl Strategy<Value = Limit> {
    prop_oneof![Just(Limit::Unlimited), Just(Limit::Forbidden), (1..=Limit::MAX).prop_map(Limit::AtMost)]
}

fn set<T: Named + std::fmt::Debug>() -> impl Strategy<Value = Set<T>> {
    prop::sample::subsequence(T::ALL, 0..=T::ALL.len()).prop_map(|members| members.into_iter().collect())
}

fn revocations() -> impl Strategy<Value = RevocationList> {
    let reasons = [
        Reason::Cancelled,
        Reason::Compromised,
        Reason::Misused,
        Reason::Superseded,
        Reason::Unpaid,
        Reason::Unspecified,
    ];
    let entry = || (instant(), select(reasons.to_vec()));
    let ids = prop::collection::btree_map("\\PC{1,60}", entry(), 0..8);
    let serials = prop::collection::btree_map(1..=MAX_NUMBER, entry(), 0..8);
    (1..=MAX_NUMBER, instant(), ids, serials).prop_map(|(sequence, next_update, ids, serials)| {
        RevocationList {
            sequence,
            next_update,
            licenses: ids.into_iter().map(|(what, (at, reason))| Revoked { what, at, reason }).collect(),
            serials: serials.into_iter().map(|(what, (at, reason))| Revoked { what, at, reason }).collect(),
        }
    })
}

fn manifest() -> impl Strategy<Value = KeyManifest> {
    let uses = [Use::License, Use::LicenseJwt, Use::Revocations];
    let uses = prop::sample::subsequence(uses.to_vec(), 1..=3);
    let keys = prop::collection::btree_map(any::<[u8; 32]>(), (from_to(), uses), 0..5);
    (1..=MAX_NUMBER, keys).prop_map(|(sequence, keys)| KeyManifest {
        sequence,
        next_root: None,
        keys: keys
            .into_iter()
            .map(|(seed, ((not_before, not_after), uses))| IssuingKey {
                key: SigningKey::from_ed25519_seed(&seed).unwrap().public().clone(),
                not_before,
                not_after,
                uses,
            })
            .collect(),
    })
}

fn claims() -> impl Strategy<Value = Claims> {
    let texts = ("\\PC{1,60}", "\\PC{1,60}", "\\PC{1,60}", "\\PC{1,60}");
    let limits = (0..=MAX_NUMBER, 0..=MAX_NUMBER, 0..=MAX_NUMBER);
    let tier = select(&[Tier::Trial, Tier::Starter, Tier::Pro, Tier::Enterprise][..]);
    (texts, from_to(), tier, limits, 0..=jwt::MAX_GRACE_DAYS, set(), version()).prop_map(
        |(texts, times, tier, limits, grace_days, features, version)| Claims {
            jti: texts.0,
            sub: texts.1,
            iss: texts.2,
            iat: times.0.unix_seconds().unsigned_abs(),
            exp: times.1.unix_seconds().unsigned_abs(),
            org_name: texts.3,
            tier,
            cert_limit: limits.0,
            user_limit: limits.1,
            dtp_limit: limits.2,
            grace_days,
            features,
            version,
        },
    )
}

fn version() -> impl Strategy<Value = Version> {
    any::<[u32; 3]>().prop_map(|[major, minor, patch]| Version { major, minor, patch })
}

fn instant() -> impl Strategy<Value = Timestamp> {
    (0..=LAST_SECOND).prop_map(Timestamp::from_unix_seconds)
}

/// Two instants, the earlier one first.
fn from_to() -> impl Strategy<Value = (Timestamp, Timestamp)> {
    (0..LAST_SECOND)
        .prop_flat_map(|from| (Just(from), from + 1..=LAST_SECOND))
        .prop_map(|(from, to)| (Timestamp::from_unix_seconds(from), Timestamp::from_unix_seconds(to)))
}
