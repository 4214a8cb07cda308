use proptest::prelude::*;

use super::*;

type Rule = fn(&str) -> Result<(), Broken>;

#[test]
fn a_text_has_its_length_in_bytes_and_no_control_characters() {
    let rules: [(Rule, usize, usize); 6] = [
        (fingerprint, 8, 255),
        (license_key, 1, 512),
        (device_name, 1, 255),
        (platform, 1, 100),
        (activation_id, 1, 255),
        (plan_key, 1, 100),
    ];
    for (rule, min, max) in rules {
        for length in [min, max] {
            assert_eq!(rule(&"x".repeat(length)), Ok(()), "{length}");
        }
        for length in [min - 1, max + 1] {
            assert!(rule(&"x".repeat(length)).is_err(), "{length}");
        }
        assert!(rule(&"é".repeat(max / 2 + 1)).is_err(), "bytes count, not characters");
        assert!(rule("12345678\n").is_err() && rule("1234567\u{85}8").is_err());
    }
}

#[test]
fn slugs_and_keys_have_one_form() {
    for text in ["a", "0", "my-app", "a-1-b", &"x".repeat(100)] {
        assert_eq!(slug(text, "slug"), Ok(()), "{text}");
    }
    for text in ["", "-", "a-", "-a", "a--b", "A", "a_b", "ä", &"x".repeat(101)] {
        assert_eq!(slug(text, "slug").map_err(|broken| broken.field), Err("slug"), "{text}");
    }
    for text in ["a", "0", "pro-feature", "a_", "a--b", &"x".repeat(100)] {
        assert_eq!(entitlement_key(text), Ok(()), "{text}");
    }
    for text in ["", "-a", "_a", "A", "a.b", &"x".repeat(101)] {
        assert!(entitlement_key(text).is_err(), "{text}");
    }
    for text in ["a", "Z", "87b992716870a34c9d55f39ed5bf566f", "a.b_c:d-e", &"x".repeat(255)] {
        assert_eq!(key_id(text), Ok(()), "{text}");
    }
    for text in ["", ".a", "a b", "ä", &"x".repeat(256)] {
        assert!(key_id(text).is_err(), "{text}");
    }
    assert_eq!(entitlement_keys(["b", "a"]), Ok(()));
    assert!(entitlement_keys(["a", "b", "a"]).is_err());
    let keys: Vec<String> = (0..=MAX_ENTITLEMENTS).map(|number| number.to_string()).collect();
    assert!(entitlement_keys(keys.iter().map(String::as_str)).is_err());
    assert_eq!(entitlement_keys(keys.iter().skip(1).map(String::as_str)), Ok(()));
}

#[test]
fn components_are_few_and_short() {
    let named: Vec<(String, String)> =
        (0..=MAX_COMPONENTS).map(|number| (number.to_string(), "x".to_owned())).collect();
    let pairs = || named.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    assert_eq!(components(pairs().skip(1)), Ok(()));
    assert!(components(pairs()).is_err());
    assert_eq!(components([("n", "x".repeat(1_024).as_str())]), Ok(()));
    for (name, value) in [("", "x"), ("n", ""), ("n\n", "x"), ("n", &"x".repeat(1_025))] {
        assert!(components([(name, value)]).is_err(), "{name:?}");
    }
}

#[test]
fn metadata_is_one_bounded_object() {
    let members = |count: usize| {
        let members: Vec<String> = (0..count).map(|number| format!("\"{number}\":0")).collect();
        format!("{{{}}}", members.join(","))
    };
    // The object and the array stand among the values.
    let values = |count: usize| format!("{{\"a\":[{}]}}", vec!["0"; count - 2].join(","));
    let deep = |levels: usize| format!("{{\"a\":{}{}}}", "[".repeat(levels - 1), "]".repeat(levels - 1));
    let text = |length: usize| format!("{{\"a\":\"{}\"}}", "x".repeat(length));
    // Three texts, none of them too long.
    let long = |length: usize| {
        let rest = "x".repeat(length - 2 * 50_000 - 16);
        format!("{{\"a\":[\"{0}\",\"{0}\",\"{rest}\"]}}", "x".repeat(50_000))
    };
    let longest = [text(64 * 1_024), long(128 * 1_024)];
    for text in ["{}", " {\"a\":1e+20}\n", &members(256), &values(4_096), &deep(20), &longest[0], &longest[1]]
    {
        assert_eq!(metadata(text), Ok(()), "{text:.60}");
    }
    for (text, rule) in [
        (String::new(), "is a JSON object"),
        ("[]".to_owned(), "is a JSON object"),
        ("null".to_owned(), "is a JSON object"),
        ("{} {}".to_owned(), "is a JSON object"),
        ("{\"a\":1,\"\\u0061\":1}".to_owned(), "has no member twice in one object"),
        (members(257), "has at most 256 members in one object"),
        (format!("{{\"a\":{}}}", members(257)), "has at most 256 members in one object"),
        (values(4_097), "has at most 4,096 values"),
        (deep(21), "has at most 20 levels of objects and arrays"),
        (long(128 * 1_024 + 1), "has at most 128 KiB of JSON"),
        (text(64 * 1_024 + 1), "has texts of at most 64 KiB"),
        (format!("{{\"a\":[{}]}}", text(64 * 1_024 + 1)), "has texts of at most 64 KiB"),
        ("{\"\":1}".to_owned(), "names its members with 1 to 255 bytes without control characters"),
        ("{\"\\n\":1}".to_owned(), "names its members with 1 to 255 bytes without control characters"),
    ] {
        assert_eq!(metadata(&text), Err(Broken { field: "metadata", rule }), "{text:.60}");
    }
}

proptest! {
    #[test]
    fn no_text_makes_them_panic(text in "\\PC{0,60}") {
        let rules: [Rule; 5] = [fingerprint, license_key, entitlement_key, key_id, metadata];
        let _ = rules.map(|rule| rule(&text));
        let _ = slug(&text, "slug");
    }
}
