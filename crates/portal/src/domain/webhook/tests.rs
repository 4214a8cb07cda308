//! Tables of URLs, addresses and events.

use super::*;

fn destinations(allow: &[&str], deny: &[&str]) -> Destinations {
    let networks = |list: &[&str]| list.iter().map(|network| network.parse().unwrap()).collect();
    Destinations::new(&Webhooks { allow: networks(allow), deny: networks(deny), ca_file: None })
}

/// Whether somebody may make a webhook of that URL.
fn taken(destinations: &Destinations, url: &str) -> Result<(), String> {
    let checked = Target::read(url).and_then(|target| destinations.check_target(&target));
    checked.map_err(|refusal| {
        assert_eq!(refusal.details["field"], "url", "{url}");
        refusal.message
    })
}

#[test]
fn urls_are_plain_https_urls() {
    let none = destinations(&[], &[]);
    for url in [
        "https://example.com",
        "https://example.com/hooks?token=x",
        "HTTPS://Example.COM:8443/",
        "https://bücher.example/",
        "https://9.9.8.7/",
        "https://[2620:fe::7]:8443/",
    ] {
        assert_eq!(taken(&none, url), Ok(()), "{url}");
    }
    for (url, told) in [
        ("", "is no URL"),
        ("example.com", "is no URL"),
        ("ftp://example.com/", "no https URL"),
        ("file:///etc/passwd", "no https URL"),
        ("javascript:alert(1)", "no https URL"),
        ("gopher://example.com/", "no https URL"),
        ("https://", "is no URL"),
        ("https://user@example.com/", "credentials"),
        ("https://user:secret@example.com/", "credentials"),
        ("https://:secret@example.com/", "credentials"),
        ("https://example.com/#part", "fragment"),
        ("https://example.com:0/", "port 0"),
        ("https://example.com:65536/", "is no URL"),
        ("https://exam\tple.com/", "control character"),
        ("https://example.com/\r\nX: y", "control character"),
        (" https://example.com/", "space"),
        ("http://example.com/", "https://"),
        ("http://9.9.8.7/", "https alone"),
        (&format!("https://example.com/{}", "x".repeat(2_000)), "2,000"),
    ] {
        let refusal = taken(&none, url).unwrap_err();
        assert!(refusal.contains(told), "{url}: {refusal}");
        assert!(!refusal.contains("secret"), "{refusal}");
    }
}

#[test]
fn addresses_are_known_in_every_dress() {
    let none = destinations(&[], &[]);
    for host in [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f.1",
        "0177.0.0.1",
        "[::1]",
        "[::]",
        "0.0.0.0",
        "[::ffff:127.0.0.1]",
        "[::ffff:a00:1]",
        "[64:ff9b::a00:1]",
        "[2002:c0a8:101::1]",
        "10.0.0.1",
        "172.31.0.1",
        "192.168.0.1",
        "100.64.0.1",
        "169.254.169.254",
        "[fd00:ec2::254]",
        "[fd12::1]",
        "[fe80::1]",
        "[ff02::1]",
        "224.0.0.1",
        "255.255.255.255",
        "１２７.0.0.1",
    ] {
        let refusal = taken(&none, &format!("https://{host}/")).unwrap_err();
        assert!(refusal.contains("`webhooks.allow`"), "{host}: {refusal}");
    }
}

#[test]
fn the_configuration_opens_and_closes_networks() {
    let some = destinations(&["127.0.0.0/8", "10.0.0.0/8"], &["10.9.0.0/16", "9.9.8.0/24"]);
    for (url, allowed) in [
        ("https://127.0.0.1/", true),
        ("http://127.0.0.1:8080/", true),
        ("http://[::ffff:127.0.0.1]/", true),
        ("http://10.8.0.1/", true),
        ("http://10.9.0.1/", false),
        ("https://10.9.0.1/", false),
        ("https://[::1]/", false),
        ("https://192.168.0.1/", false),
        ("https://9.9.8.7/", false),
        ("https://9.9.9.7/", true),
        ("http://9.9.9.7/", false),
        // What its name leads to is asked when it is dialled.
        ("http://receiver.internal/", true),
    ] {
        assert_eq!(taken(&some, url).is_ok(), allowed, "{url}");
    }
    let refused = |ip: &str| some.check(Scheme::Http, ip.parse().unwrap()).unwrap_err().to_string();
    assert!(refused("10.9.0.1").contains("10.9.0.0/16, which `webhooks.deny`"));
    assert!(refused("192.168.0.1").contains("private network"));
    assert!(refused("9.9.9.7").contains("https alone"));
}

#[test]
fn events_are_those_that_webhooks_are_told_of() {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    assert_eq!(wanted(&[]), Ok(()));
    assert_eq!(wanted(&names(&["license.create", "webhook.fail"])), Ok(()));
    for (events, told) in [
        (names(&["license.made"]), "`license.made` is no event"),
        (names(&["portal.start"]), "is no event"),
        (names(&["webhook.test"]), "is no event"),
        (names(&["license.create", "license.create"]), "stands twice"),
        (names(&["\u{1b}[31m"]), "`[31m` is no event"),
    ] {
        let refusal = wanted(&events).unwrap_err();
        assert!(refusal.message.contains(told), "{}", refusal.message);
    }
}

#[test]
fn a_webhook_hears_what_it_wants_of_the_data_that_it_reaches() {
    let some = ["license.create".to_owned()];
    for (live, is_live, heard) in [
        (true, Some(true), true),
        (true, Some(false), false),
        (true, None, true),
        (false, Some(true), false),
        (false, Some(false), true),
        (false, None, false),
    ] {
        assert_eq!(hears(live, &[], "license.create", is_live), heard);
        assert_eq!(hears(live, &some, "license.create", is_live), heard);
        assert!(!hears(live, &some, "license.revoke", is_live));
    }
}
