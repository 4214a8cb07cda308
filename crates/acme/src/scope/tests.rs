use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;

fn scope(text: &str) -> Scope {
    Scope::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn identifier(text: &str) -> Identifier {
    Identifier::ip(text).unwrap_or_else(|_| Identifier::dns(text).unwrap())
}

#[test]
fn each_form_covers_what_the_grammar_says() {
    let cases: &[(&str, &[&str], &[&str])] = &[
        ("=a.test", &["a.test"], &["b.a.test", "*.a.test", "test", "192.0.2.1"]),
        ("=printer", &["printer"], &["a.printer"]),
        (".a.test", &["b.a.test", "d.c.b.a.test"], &["a.test", "ba.test", "*.a.test", "*.b.a.test", "test"]),
        (".a.test/1", &["b.a.test"], &["a.test", "c.b.a.test", "*.a.test"]),
        (".a.test/2", &["b.a.test", "c.b.a.test"], &["a.test", "d.c.b.a.test", "*.b.a.test"]),
        ("*.a.test", &["*.a.test"], &["*.b.a.test", "b.a.test", "a.test", "*.test"]),
        (
            "*..a.test",
            &["*.a.test", "*.b.a.test", "*.c.b.a.test"],
            &["a.test", "b.a.test", "*.test", "*.ba.test"],
        ),
        ("*..a.test/1", &["*.a.test"], &["*.b.a.test"]),
        ("*..a.test/2", &["*.a.test", "*.b.a.test"], &["*.c.b.a.test"]),
        ("192.0.2.0/24", &["192.0.2.0", "192.0.2.255"], &["192.0.3.0", "2001:db8::1", "a.test"]),
        ("192.0.2.1", &["192.0.2.1"], &["192.0.2.2"]),
        ("2001:db8::/32", &["2001:db8::1"], &["2001:db9::1", "192.0.2.1"]),
        ("0.0.0.0/0", &["192.0.2.1"], &["2001:db8::1"]),
    ];
    for (text, covered, not) in cases {
        for name in *covered {
            assert!(scope(text).covers(&identifier(name)), "{text} covers {name}");
        }
        for name in *not {
            assert!(!scope(text).covers(&identifier(name)), "{text} does not cover {name}");
        }
    }
}

#[test]
fn a_wildcard_meets_what_its_names_meet() {
    for (text, met, not) in [
        ("=pay.corp", &["pay.corp", "*.corp"][..], &["*.pay.corp", "corp", "a.corp"][..]),
        (".corp", &["a.corp", "*.corp", "*.a.corp"], &["corp", "*.test"]),
        (".corp/1", &["a.corp", "*.corp"], &["*.a.corp", "b.a.corp"]),
        ("*.corp", &["*.corp"], &["a.corp", "*.a.corp"]),
        ("10.0.0.0/8", &["10.0.0.1"], &["*.corp", "11.0.0.1"]),
    ] {
        for name in met {
            assert!(scope(text).meets(&identifier(name)), "{text} meets {name}");
        }
        for name in not {
            assert!(!scope(text).meets(&identifier(name)), "{text} does not meet {name}");
        }
    }
}

#[test]
fn what_is_no_scope_is_refused_with_what_to_write() {
    for (text, hint) in [
        ("", "write `=name`"),
        ("a.test", "write `=name`"),
        ("*", "write `=name`"),
        ("*a.test", "write `=name`"),
        ("192.0.2.0/33", "write `=name`"),
        ("192.0.2.0/", "write `=name`"),
        ("192.0.2.0/24/1", "write `=name`"),
        ("[2001:db8::1]", "write `=name`"),
        (".", "the name is empty"),
        ("..a.test", "a label between dots is empty"),
        ("=", "the name is empty"),
        ("=a_b.test", "a character other than"),
        ("*...a.test", "a label between dots is empty"),
        ("=192.0.2.1", "looks like an IP address"),
        ("=*.a.test", "write `*.a.test` alone"),
        ("*.a.test/2", "write `*..a.test/N`"),
        (".a.test/0", "`/0` is no depth"),
        (".a.test/01", "`/01` is no depth"),
        (".a.test/+1", "`/+1` is no depth"),
        (".a.test/127", "from 1 to 126"),
        (".a.test/", "`/` is no depth"),
        ("*..a.test/x", "`/x` is no depth"),
        ("192.0.2.1/24", "write `192.0.2.0/24`"),
        ("::ffff:192.0.2.0/120", "write the IPv4 network"),
        ("::ffff:192.0.2.1", "write the IPv4 network"),
    ] {
        let error = Scope::parse(text).unwrap_err().to_string();
        assert!(error.contains(hint), "{text}: {error}");
    }
    let long = format!(".{}.abcdefghi", ["a".repeat(60).as_str(); 4].join("."));
    assert_eq!(long.len(), 254);
    assert_eq!(Scope::parse(&long), Err(ScopeError::NoRoom));
}

#[test]
fn some_scopes_lie_in_others() {
    for (outer, inner, whether) in [
        (".test", ".a.test", true),
        (".test", "=a.test", true),
        (".test", "=test", false),
        (".test", "*.test", false),
        (".test/1", ".a.test", false),
        (".test/2", ".a.test/1", true),
        (".test/2", ".a.test/2", false),
        (".test", ".test/126", true),
        (".a.test", ".test", false),
        ("*..test", "*.a.test", true),
        ("*..test/1", "*.test", true),
        ("*.test", "*..test/1", true),
        ("*.test", "*..test", false),
        ("*..test/2", "*..a.test/1", true),
        ("*..test/2", "*..a.test", false),
        ("=a.test", ".test", false),
        ("192.0.2.0/24", "192.0.2.128/25", true),
        ("192.0.2.128/25", "192.0.2.0/24", false),
        ("192.0.2.0/24", "192.0.2.1", true),
        ("::/0", "0.0.0.0/0", false),
    ] {
        assert_eq!(scope(outer).subsumes(&scope(inner)), whether, "{outer} {inner}");
    }
    // Before a zone of 249 characters there is room for two labels and no more.
    let zone = format!("{}.abcde", ["a".repeat(60).as_str(); 4].join("."));
    assert_eq!(zone.len(), 249);
    assert!(scope(&format!(".{zone}/2")).subsumes(&scope(&format!(".{zone}"))));
    assert!(!scope(&format!(".{zone}/1")).subsumes(&scope(&format!(".{zone}"))));
}

#[test]
fn scopes_are_kept_as_json() {
    let json = r#"[".a.test/2","192.0.2.0/24","*..a.test"]"#;
    let scopes: Vec<Scope> = serde_json::from_str(json).unwrap();
    assert_eq!(serde_json::to_string(&scopes).unwrap(), json);
    let error = serde_json::from_str::<Scope>(r#""a.test""#).unwrap_err().to_string();
    assert!(error.contains("`a.test` is no scope"), "{error}");
}

/// Scopes over a world so small that all of it can be looked at.
fn small_scope() -> impl Strategy<Value = String> {
    let name = prop::collection::vec("[ab]", 1..=2).prop_map(|labels| labels.join("."));
    let depth = prop_oneof![Just(String::new()), (1..=3_u8).prop_map(|depth| format!("/{depth}"))];
    let network = (0..=3_u8, 30..=32_u8).prop_map(|(last, prefix)| {
        let last = if prefix == 32 { last } else { last >> (32 - prefix) << (32 - prefix) };
        format!("192.0.2.{last}/{prefix}")
    });
    let dns = ("=|\\.|\\*\\.|\\*\\.\\.", name, depth).prop_map(|(form, name, depth)| {
        let depth = if form == "=" || form == "*." { String::new() } else { depth };
        format!("{form}{name}{depth}")
    });
    prop_oneof![4 => dns, 1 => network]
}

/// All names of up to six labels over three letters, their wildcards, and a few addresses.
fn small_world() -> Vec<Identifier> {
    let mut names = vec![String::new()];
    let mut world: Vec<_> = (0..=4).map(|last| identifier(&format!("192.0.2.{last}"))).collect();
    for _ in 0..6 {
        names =
            names.iter().flat_map(|name| ["a", "b", "c"].map(|label| format!("{label}.{name}"))).collect();
        for name in &names {
            let name = name.trim_end_matches('.');
            world.push(identifier(name));
            world.push(identifier(&format!("*.{name}")));
        }
    }
    world
}

static SMALL_WORLD: LazyLock<Vec<Identifier>> = LazyLock::new(small_world);

proptest! {
    #[test]
    fn subsuming_is_covering_all_that_the_other_covers(a in small_scope(), b in small_scope()) {
        let (a, b) = (scope(&a), scope(&b));
        let all = SMALL_WORLD.iter().filter(|one| b.covers(one)).all(|one| a.covers(one));
        prop_assert_eq!(a.subsumes(&b), all, "{} {}", a, b);
    }

    #[test]
    fn a_wildcard_is_met_where_one_of_its_names_is(text in small_scope()) {
        let (scope, world) = (scope(&text), small_world());
        for identifier in &world {
            let Identifier::Wildcard(base) = identifier else {
                prop_assert_eq!(scope.meets(identifier), scope.covers(identifier));
                continue;
            };
            let names = ["a", "b"].map(|label| Identifier::dns(&format!("{label}.{}", base.as_str())).unwrap());
            let any = names.iter().any(|name| scope.covers(name)) || scope.covers(identifier);
            prop_assert_eq!(scope.meets(identifier), any, "{} {}", scope, identifier);
        }
    }

    #[test]
    fn scopes_read_back(text in small_scope()) {
        let scope = scope(&text);
        prop_assert!(scope.subsumes(&scope));
        prop_assert!(scope.covers(&scope.example()));
        prop_assert_eq!(scope.to_string().parse::<Scope>(), Ok(scope));
    }

    #[test]
    fn no_text_makes_it_panic(text in "[=.*]{0,3}\\PC*") {
        if let Ok(scope) = Scope::parse(&text) {
            prop_assert_eq!(Scope::parse(&scope.to_string()), Ok(scope));
        }
    }
}
