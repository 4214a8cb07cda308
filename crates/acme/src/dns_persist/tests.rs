use proptest::prelude::*;

use super::*;

const URL: &str = "https://ca.example/acct/123";
const PREFIX: &str = "https://ca.example/account-hash/";
/// The example of RFC 7638 §3.1.
const THUMBPRINT: &str = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs";
const FOR_THE_NAME: &str = "sha-256/5SQm7n6tPh2-PlLbCKGnViTXX5z19SCN4cPGQHSk-kw";
const FOR_ANY_NAME: &str = "sha-256/NpDnSwUthQK8zCgFdefYxAdAVPnygMLbs9US6oO-5ug";
const NOW: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);

fn dns(name: &str) -> DnsName {
    DnsName::new(name).unwrap()
}

fn decide_for(name: &str, is_wide: bool, records: &[&str]) -> Result<Option<Timestamp>, PersistRefusal> {
    let claim = Claim {
        name: &dns(name),
        is_wide,
        issuer_domain_names: &["authority.example".to_owned(), "ca.example.net".to_owned()],
        account_url: URL,
        account_hash_prefix: PREFIX,
        thumbprints: &["a key that came later".to_owned(), THUMBPRINT.to_owned()],
    };
    let records: Vec<_> = records.iter().map(|record| (*record).to_owned()).collect();
    authorises(&records, &claim, NOW)
}

fn decide(records: &[&str]) -> Result<Option<Timestamp>, PersistRefusal> {
    decide_for("example.com", false, records)
}

#[test]
fn the_vectors_of_the_draft_hold() {
    let exact = format!("authority.example; accounturi={PREFIX}{FOR_THE_NAME}");
    let any = format!("authority.example; accounturi={PREFIX}{FOR_ANY_NAME}");
    assert_eq!(decide(&[&exact]), Ok(None));
    assert_eq!(decide(&[&any]), Ok(None));
    assert_eq!(decide_for("example.org", false, &[&exact]), Err(PersistRefusal::Account));
    assert_eq!(decide_for("example.org", false, &[&any]), Ok(None));
}

#[test]
fn a_record_of_the_first_drafts_names_the_url() {
    for record in [
        "authority.example;accounturi=https://ca.example/acct/123",
        "ca.example.net; accounturi=https://ca.example/acct/123",
        " \tAuthority.Example ;\t accounturi = https://ca.example/acct/123 ",
        "authority.example; ACCOUNTURI=https://ca.example/acct/123",
        "authority.example; accounturi=https://ca.example/acct/123; later-1=x; policy=; x=",
        "authority.example; accounturi=https://ca.example/acct/123; policy=everything",
    ] {
        assert_eq!(decide(&[record]), Ok(None), "{record}");
    }
}

#[test]
fn what_does_not_authorise_is_refused_with_the_reason() {
    use PersistRefusal as R;
    for (record, refusal) in [
        ("", R::Issuer),
        (";accounturi=https://ca.example/acct/123", R::Issuer),
        ("other.example; accounturi=https://ca.example/acct/123", R::Issuer),
        ("authority.example.; accounturi=https://ca.example/acct/123", R::Issuer),
        ("authority.example", R::NoAccount),
        ("authority.example;", R::NoAccount),
        ("authority.example; accounturi=", R::NoAccount),
        ("authority.example; policy=wildcard", R::NoAccount),
        ("authority.example; accounturi=https://ca.example/acct/123;", R::Syntax),
        ("authority.example; accounturi", R::Syntax),
        ("authority.example; accounturi=https://ca.example/acct/1 23", R::Syntax),
        ("authority.example; account_uri=https://ca.example/acct/123", R::Syntax),
        ("authority.example; accounturi=https://ca.example/acct/123; =x", R::Syntax),
        ("authority.example; accounturi=https://ca.example/acct/123; x=\u{e9}", R::Syntax),
        (
            "authority.example; accounturi=https://ca.example/acct/123; AccountURI=https://ca.example/acct/123",
            R::Twice,
        ),
        ("authority.example; accounturi=https://ca.example/acct/123; policy=wildcard; policy=x", R::Twice),
        ("authority.example; accounturi=https://ca.example/acct/124", R::Account),
        ("authority.example; accounturi=https://CA.example/acct/123", R::Account),
        ("authority.example; accounturi=https://ca.example/acct/123/", R::Account),
        ("authority.example; accounturi=https://ca.example/account-hash/sha-256/", R::Account),
        ("authority.example; accounturi=https://ca.example/account-hash/sha-1/AAAA", R::Hash),
        ("authority.example; accounturi=https://ca.example/acct/123; persistUntil=", R::Until),
        ("authority.example; accounturi=https://ca.example/acct/123; persistUntil=+1", R::Until),
        ("authority.example; accounturi=https://ca.example/acct/123; persistUntil=-1", R::Until),
        ("authority.example; accounturi=https://ca.example/acct/123; persistUntil=1e9", R::Until),
        (
            "authority.example; accounturi=https://ca.example/acct/123; persistUntil=99999999999999999999",
            R::Until,
        ),
        (
            "authority.example; accounturi=https://ca.example/acct/123; persistUntil=1800000000",
            R::Expired(NOW),
        ),
    ] {
        assert_eq!(decide(&[record]), Err(refusal), "{record}");
    }
    assert_eq!(decide(&[]), Err(R::NoRecord));
    let long = format!("authority.example; accounturi={URL}; x={}", "y".repeat(MAX_RECORD));
    assert_eq!(decide(&[&long]), Err(R::Syntax));
}

#[test]
fn a_record_can_end() {
    let until = |seconds: i64| format!("authority.example; accounturi={URL}; persistUntil={seconds}");
    let at = Timestamp::from_unix_seconds;
    assert_eq!(decide(&[&until(1_800_000_001)]), Ok(Some(at(1_800_000_001))));
    assert_eq!(decide(&[&until(1_800_000_005), &until(1_800_000_009)]), Ok(Some(at(1_800_000_009))));
    let endless = format!("authority.example; accounturi={URL}");
    assert_eq!(decide(&[&until(1_800_000_005), &endless, &until(1_800_000_009)]), Ok(None));
    assert_eq!(decide(&[&until(i64::MAX)]), Ok(Some(Timestamp::MAX)));
}

#[test]
fn wildcards_need_a_policy() {
    let plain = format!("authority.example; accounturi={URL}");
    let wide = format!("authority.example; accounturi={URL}; policy=WildCard");
    assert_eq!(decide_for("example.com", true, &[&plain]), Err(PersistRefusal::Policy));
    assert_eq!(decide_for("example.com", true, &[&wide]), Ok(None));
    assert_eq!(decide_for("example.com", true, &[&plain, &wide]), Ok(None));
    assert_eq!(decide_for("example.com", false, &[&wide]), Ok(None));
    let other = format!("authority.example; accounturi={URL}; policy=wildcards");
    assert_eq!(decide_for("example.com", true, &[&other]), Err(PersistRefusal::Policy));
}

#[test]
fn the_nearest_record_is_spoken_of() {
    let records = [
        "v=spf1 -all",
        "authority.example; accounturi=https://ca.example/acct/124",
        "authority.example; accounturi",
        "other.example; accounturi=https://ca.example/acct/123",
    ];
    assert_eq!(decide(&records), Err(PersistRefusal::Account));
    let problem = PersistRefusal::Account.problem("_validation-persist.example.com");
    assert_eq!(problem.kind(), ProblemType::Unauthorized);
    assert_eq!(
        problem.detail(),
        "_validation-persist.example.com: the `accounturi` of the TXT record is not of this account, or not for this name"
    );
    assert_eq!(PersistRefusal::Until.problem("x").kind(), ProblemType::Malformed);
}

proptest! {
    #[test]
    fn records_of_others_change_nothing(
        others in prop::collection::vec("[a-z.]{0,20}(; ?[a-zA-Z=]{0,20}){0,3}", 0..5),
        place: prop::sample::Index,
    ) {
        let own = format!("authority.example; accounturi={URL}");
        let mut records: Vec<&str> = others.iter().map(String::as_str).collect();
        prop_assert!(decide(&records).is_err());
        records.insert(place.index(records.len() + 1), &own);
        prop_assert_eq!(decide(&records), Ok(None));
    }

    #[test]
    fn no_record_makes_it_panic(tail in "\\PC*") {
        let _ = decide(&[&tail, &format!("authority.example;{tail}")]);
        let _ = decide(&[&format!("authority.example; accounturi={PREFIX}{tail}")]);
    }
}
