use proptest::prelude::*;

use super::*;

const ACCOUNT: &str = "https://ca.test/acme/account/1";

fn record(flags: u8, tag: &str, value: &str) -> Record {
    Record { flags, tag: tag.into(), value: value.as_bytes().to_vec() }
}

fn decide(records: &[(u8, &str, &str)], is_wildcard: bool) -> Result<(), CaaRefusal> {
    let records: Vec<_> = records.iter().map(|(flags, tag, value)| record(*flags, tag, value)).collect();
    let issuer_domains = ["ca1.example.net".to_owned(), "Second.Example.".to_owned()];
    let request =
        Request { issuer_domains: &issuer_domains, is_wildcard, account_uri: ACCOUNT, method: "dns-01" };
    evaluate(&records, &request)
}

/// What one `issue` record with this value decides.
fn issue(value: &str) -> Result<(), Mismatch> {
    decide(&[(0, "issue", value)], false).map_err(|refusal| match refusal {
        CaaRefusal::NotAllowed { nearest, .. } => nearest,
        CaaRefusal::Critical(tag) => panic!("{tag}"),
    })
}

fn not_allowed(property: &'static str, nearest: Mismatch) -> Result<(), CaaRefusal> {
    Err(CaaRefusal::NotAllowed { property, nearest })
}

/// The examples of RFC 8659 §4.2 and §4.3, seen by ca1.example.net.
#[test]
fn the_examples_of_the_rfc_come_out_as_it_says() {
    use Mismatch::{Issuer, Malformed, Nobody};
    type Case<'a> =
        (&'a [(u8, &'a str, &'a str)], Result<(), Mismatch>, Result<(), (&'static str, Mismatch)>);
    let cases: &[Case<'_>] = &[
        // certs.example.com
        (&[(0, "issue", "ca1.example.net"), (0, "issue", "ca2.example.org")], Ok(()), Ok(())),
        // nocerts.example.com
        (&[(0, "issue", ";")], Err(Nobody), Err(("issue", Nobody))),
        // both of them together
        (&[(0, "issue", ";"), (0, "issue", "ca1.example.net")], Ok(()), Ok(())),
        (&[(0, "issue", "ca1.example.net; account=230123")], Ok(()), Ok(())),
        (&[(0, "issue", "%%%%%")], Err(Malformed), Err(("issue", Malformed))),
        // wild.example.com
        (
            &[(0, "issue", "ca1.example.net"), (0, "issuewild", "ca2.example.org")],
            Ok(()),
            Err(("issuewild", Issuer)),
        ),
        // wild2.example.com
        (&[(0, "issue", "ca2.example.org"), (0, "issuewild", "ca1.example.net")], Err(Issuer), Ok(())),
        // wild3.example.com
        (&[(0, "issuewild", "ca2.example.org")], Ok(()), Err(("issuewild", Issuer))),
        // report.example.com
        (&[(0, "issue", "ca1.example.net"), (0, "iodef", "mailto:security@example.com")], Ok(()), Ok(())),
        // nothing that restricts
        (&[], Ok(()), Ok(())),
        (&[(0, "iodef", "mailto:security@example.com")], Ok(()), Ok(())),
        (&[(0, "issuemail", ";"), (128, "issuemail", "ca9.example")], Ok(()), Ok(())),
        (&[(0, "issuewild", ";"), (0, "issuewild", "ca1.example.net")], Ok(()), Ok(())),
    ];
    for (records, plain, wild) in cases {
        let expected = plain.map_err(|nearest| CaaRefusal::NotAllowed { property: "issue", nearest });
        assert_eq!(decide(records, false), expected, "{records:?}");
        let expected = wild.map_err(|(property, nearest)| CaaRefusal::NotAllowed { property, nearest });
        assert_eq!(decide(records, true), expected, "{records:?}");
    }
}

#[test]
fn critical_properties_must_be_known() {
    let allowed = (0, "issue", "ca1.example.net");
    let refused = Err(CaaRefusal::Critical("tbs".into()));
    // RFC 8659 §4.5: the flag has an effect on properties that are not known, and on no other.
    assert_eq!(decide(&[allowed, (128, "tbs", "Unknown")], false), refused);
    assert_eq!(decide(&[(255, "tbs", "Unknown"), allowed], true), refused);
    assert_eq!(decide(&[(128, "tbs", "")], false), refused);
    for flags in [0, 1, 127] {
        assert_eq!(decide(&[allowed, (flags, "tbs", "Unknown")], false), Ok(()), "{flags}");
    }
    for tag in ["issue", "ISSUE", "IssueWild", "iodef", "issuemail"] {
        assert_eq!(decide(&[allowed, (128, tag, "ca1.example.net")], false), Ok(()), "{tag}");
    }
    let long = "x".repeat(255);
    assert_eq!(decide(&[(128, &long, "")], false), Err(CaaRefusal::Critical("x".repeat(32))));
    assert_eq!(decide(&[(128, "", "")], false), Err(CaaRefusal::Critical(String::new())));
}

#[test]
fn issuers_are_compared_as_host_names_are() {
    for value in [
        "CA1.Example.NET",
        "second.example",
        " \tca1.example.net \t",
        "ca1.example.net;",
        "ca1.example.net ; ",
    ] {
        assert_eq!(issue(value), Ok(()), "{value}");
    }
    for value in ["ca1.example.ne", "xca1.example.net", "a.ca1.example.net", "example.net", "second"] {
        assert_eq!(issue(value), Err(Mismatch::Issuer), "{value}");
    }
    for value in ["", " ", "\t;", ";", " ; policy=ev", ";a=b"] {
        assert_eq!(issue(value), Err(Mismatch::Nobody), "{value}");
    }
}

#[test]
fn the_grammar_is_held_to() {
    for parameters in [
        "a=b",
        "a=",
        "a==",
        "a=b=c",
        " a\t=\tb ",
        "a=b;c=d",
        "a=b ; c-d=e",
        "1=2",
        "a=b;a=c",
        "a=https://x/?y#z",
    ] {
        assert_eq!(issue(&format!("ca1.example.net;{parameters}")), Ok(()), "{parameters}");
    }
    for value in [
        "ca1.example.net.",
        ".ca1.example.net",
        "ca1..example.net",
        "-ca1.example.net",
        "ca1-.example.net",
        "ca1_x.example.net",
        "ca1.example.net ca2.example.org",
        "ca1.example.net, ca2.example.org",
        "ca1.example.net a=b",
        "cä1.example.net",
        "ca1.example.net\n",
        "ca1.example.net\u{a0}",
        "ca1.example.net;a",
        "ca1.example.net;=b",
        "ca1.example.net;a=b;",
        "ca1.example.net;;",
        "ca1.example.net;;a=b",
        "ca1.example.net;a=b;;c=d",
        "ca1.example.net;a=b c=d",
        "ca1.example.net;a=b c",
        "ca1.example.net;-a=b",
        "ca1.example.net;a-=b",
        "ca1.example.net;a b=c",
        "ca1.example.net;a=\"b c\"",
        "ca1.example.net;a=ü",
        "ca1.example.net;a=\u{7f}",
    ] {
        assert_eq!(issue(value), Err(Mismatch::Malformed), "{value}");
    }
    let bytes = Record { flags: 0, tag: "issue".into(), value: b"ca1.example.net;a=\xff".to_vec() };
    let request = Request { issuer_domains: &[], is_wildcard: false, account_uri: "", method: "" };
    assert_eq!(evaluate(&[bytes], &request), not_allowed("issue", Mismatch::Malformed));
}

/// RFC 8657 §3.
#[test]
fn an_account_can_be_named() {
    let with = |parameters: &str| issue(&format!("ca1.example.net; {parameters}"));
    assert_eq!(with(&format!("accounturi={ACCOUNT}")), Ok(()));
    assert_eq!(with(&format!("AccountURI = {ACCOUNT}")), Ok(()));
    for other in [
        "",
        "https://ca.test/acme/account/2",
        "https://ca.test/acme/account/10",
        "HTTPS://ca.test/acme/account/1",
    ] {
        assert_eq!(with(&format!("accounturi={other}")), Err(Mismatch::Account), "{other}");
    }
    assert_eq!(with(&format!("accounturi={ACCOUNT}; accounturi={ACCOUNT}")), Err(Mismatch::Unsatisfiable));
    assert_eq!(
        issue(&format!("ca2.example.org; accounturi={ACCOUNT}")),
        Err(Mismatch::Issuer),
        "an account is one of the CA that is named"
    );
}

/// RFC 8657 §4.
#[test]
fn methods_can_be_named() {
    let with = |methods: &str| issue(&format!("ca1.example.net; validationmethods={methods}"));
    for methods in ["dns-01", "http-01,dns-01", "dns-01,ca-smtp", "dns-01,dns-01"] {
        assert_eq!(with(methods), Ok(()), "{methods}");
    }
    for methods in ["", "http-01", "dns-account-01,dns-persist-01", "DNS-01", "dns-011", "dns-0"] {
        assert_eq!(with(methods), Err(Mismatch::Method), "{methods}");
    }
    for methods in
        [",", "dns-01,", ",dns-01", "http-01,,dns-01", "dns_01,dns-01", "dns-01;validationmethods=dns-01"]
    {
        assert_eq!(with(methods), Err(Mismatch::Unsatisfiable), "{methods}");
    }
    assert_eq!(with("dns-01, http-01"), Err(Mismatch::Malformed), "no parameter has a space");
    let issuer_domains = ["ca.test".to_owned()];
    for method in ["dns-account-01", "dns-persist-01", "tls-alpn-01"] {
        let request =
            Request { issuer_domains: &issuer_domains, is_wildcard: false, account_uri: ACCOUNT, method };
        let named = record(0, "issue", &format!("ca.test;validationmethods={method}"));
        assert_eq!(evaluate(&[named], &request), Ok(()));
        let other = record(0, "issue", "ca.test;validationmethods=http-01");
        assert_eq!(evaluate(&[other], &request), not_allowed("issue", Mismatch::Method));
    }
}

#[test]
fn one_record_that_allows_is_enough_and_the_nearest_is_told() {
    let other_account = "ca1.example.net; accounturi=https://ca.test/acme/account/2";
    let both = format!("ca1.example.net; accounturi={ACCOUNT}; validationmethods=dns-01");
    assert_eq!(decide(&[(0, "issue", other_account), (0, "issue", &both)], false), Ok(()));
    assert_eq!(
        decide(&[(0, "issue", ";"), (0, "issue", other_account), (0, "issue", "%")], false),
        not_allowed("issue", Mismatch::Account)
    );
    let problem = Problem::from(decide(&[(0, "issuewild", other_account)], true).unwrap_err());
    assert_eq!((problem.kind(), problem.status()), (ProblemType::Caa, 403));
    let detail = problem.detail();
    assert!(detail.contains("`issuewild`") && detail.contains("another account"), "{detail}");
}

proptest! {
    /// Whatever is in DNS, issuance is only allowed where no record restricts it or one names us.
    #[test]
    fn nothing_allows_by_accident(
        flags in any::<u8>(),
        tag in "issue|issuewild|ISSUE|iodef|tbs|\\PC{0,20}",
        value in proptest::collection::vec(any::<u8>(), 0..60),
        is_wildcard in any::<bool>(),
    ) {
        let issuer_domains = ["ca1.example.net".to_owned()];
        let request = Request { issuer_domains: &issuer_domains, is_wildcard, account_uri: ACCOUNT, method: "dns-01" };
        let one = Record { flags, tag: tag.clone(), value };
        let restricts = tag.eq_ignore_ascii_case("issue") || is_wildcard && tag == "issuewild";
        prop_assert_eq!(evaluate(std::slice::from_ref(&one), &request).is_err(), restricts || flags & 128 != 0
            && !["issue", "issuewild", "iodef", "issuemail"].iter().any(|known| tag.eq_ignore_ascii_case(known)));
        // A record that names us helps, unless there is a critical one that we do not know.
        let critical = matches!(evaluate(std::slice::from_ref(&one), &request), Err(CaaRefusal::Critical(_)));
        let property = if is_wildcard { "issuewild" } else { "issue" };
        prop_assert_eq!(evaluate(&[one, record(0, property, "ca1.example.net")], &request).is_ok(), !critical);
    }

    #[test]
    fn parameters_of_the_grammar_are_read(
        before in "[ \t]{0,2}", between in "[ \t]{0,2}", tag in "[a-z0-9](-?[a-z0-9]){0,5}", value in "[!-:<-~]{0,20}",
    ) {
        prop_assume!(tag != "accounturi" && tag != "validationmethods");
        let text = format!("{before}ca1.example.net{between};{before}{tag}{between}={before}{value}{between};{before}x=y{between}");
        prop_assert_eq!(issue(&text), Ok(()));
    }
}
