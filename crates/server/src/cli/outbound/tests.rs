use std::path::Path;

use super::*;
use crate::config::{Secrets, check};

fn config(database: &str, validation: &str, profile: &str, license: &str) -> Config {
    let text = format!(
        "server: {{url: https://ca.example, listen: \"127.0.0.1:1\", workdir: w}}\n\
         database: {{{database}}}\n\
         authorities: [{{name: a, type: local, directory: ca, passphrase_file: p}}]\n\
         validation: [{{name: v{validation}}}]\n\
         profiles: [{{name: p, authority: a, validation: v{profile}}}]\n\
         license: {{{license}}}\n"
    );
    check(Path::new("/etc/c.yml"), &text, &Secrets::default()).unwrap_or_else(|error| panic!("{text}{error}"))
}

const SQLITE: &str = "driver: sqlite, path: a.db";

/// Kind and whereabouts of every destination.
fn of(config: &Config) -> Vec<(&'static str, String)> {
    destinations(config).into_iter().map(|found| (found.kind, found.to)).collect()
}

#[test]
fn each_key_of_the_configuration_leads_where_it_says() {
    let http = "the addresses of requested names, port 80, and where they redirect to on ports 80, 443";
    let alpn = "the addresses of requested names, port 443";
    let system = ("name_server", SYSTEM_RESOLVERS);
    let portal = ("licence_portal", "p.example:443");
    let usual = [("client", http), ("client", alpn), system];
    let dns = ", challenges: [dns-01]";
    let cases: Vec<(Config, Vec<(&str, &str)>)> = vec![
        (config(SQLITE, "", "", ""), usual.to_vec()),
        (config(SQLITE, "", dns, ""), vec![system]),
        (config(SQLITE, ", resolvers: [192.0.2.53]", dns, ""), vec![("name_server", "192.0.2.53:53")]),
        (
            config(SQLITE, ", zones: [{zone: corp.example, resolvers: [\"198.51.100.1:5353\"]}]", dns, ""),
            vec![system, ("name_server", "198.51.100.1:5353")],
        ),
        (
            config(SQLITE, ", authoritative: true", dns, ""),
            vec![system, ("name_server", "the name servers of the zones of requested names, port 53")],
        ),
        (
            config(SQLITE, ", http01: {port: 5002, https_port: 5003}", ", challenges: [http-01]", ""),
            vec![
                (
                    "client",
                    "the addresses of requested names, port 5002, and where they redirect to on ports 80, 443, 5002, 5003",
                ),
                system,
            ],
        ),
        (
            config(
                "driver: postgres, dsn: \"host=db.example user=u password=hunter2 sslmode=disable\"",
                "",
                dns,
                "",
            ),
            vec![("database", "db.example:5432"), system],
        ),
        (config(SQLITE, "", dns, "portal: {url: \"https://p.example\"}"), vec![portal, system, system]),
        (
            config(SQLITE, "", dns, "portal: {url: \"https://192.0.2.7:8443\"}"),
            vec![("licence_portal", "192.0.2.7:8443"), system],
        ),
        (
            config(
                SQLITE,
                "",
                dns,
                "portal: {url: \"https://p.example\", proxy: {url: \"http://10.0.0.1:3128\"}}",
            ),
            vec![("proxy", "10.0.0.1:3128"), portal, system],
        ),
        (
            config(
                SQLITE,
                "",
                dns,
                "portal: {url: \"https://p.example\", proxy: {url: \"socks5://10.0.0.1:1080\"}}",
            ),
            vec![("proxy", "10.0.0.1:1080"), portal, system, system],
        ),
        (
            config(
                SQLITE,
                "",
                dns,
                "portal: {url: \"https://p.example\", proxy: {url: \"socks5h://[2001:db8::1]:1080\"}}",
            ),
            vec![("proxy", "[2001:db8::1]:1080"), portal, system],
        ),
        (config(SQLITE, "", dns, "offline: true, portal: {url: \"https://p.example\"}"), vec![system]),
    ];
    for (config, expected) in cases {
        let found = of(&config);
        let found: Vec<(&str, &str)> = found.iter().map(|(kind, to)| (*kind, to.as_str())).collect();
        assert_eq!(found, expected);
        let told = format!(
            "{}{}",
            text(&licensing(&config), &destinations(&config)),
            json("", &destinations(&config))
        );
        assert!(!told.contains("hunter2"));
    }
}

#[test]
fn what_is_said_of_licences_names_the_portal_or_nobody() {
    for (license, expected) in [
        ("", "nobody is contacted: no portal is configured"),
        ("offline: true", "nobody is contacted: license.offline is set"),
        (
            "offline: true, portal: {url: \"https://p.example\"}",
            "nobody is contacted: license.offline is set, and the portal https://p.example is not used",
        ),
        ("portal: {url: \"https://p.example\"}", "https://p.example is asked, and nobody else"),
    ] {
        assert_eq!(licensing(&config(SQLITE, "", "", license)), expected);
    }
}

#[test]
fn the_reasons_name_profiles_and_the_egress_policy() {
    let config = config(SQLITE, ", egress: {allow: [10.0.0.0/8], deny: [10.1.0.0/16]}", ", caa: true", "");
    let all = destinations(&config);
    let http = &all[0].why;
    assert!(http.contains("http-01 for the profile p"), "{http}");
    assert!(http.ends_with("addresses but for 10.0.0.0/8, nor 10.1.0.0/16"), "{http}");
    assert!(all.last().unwrap().why.contains("CAA records"));
}

#[test]
fn nothing_to_contact_is_said_too() {
    assert_eq!(
        text("nobody is contacted: no portal is configured", &[]),
        "Licensing: nobody is contacted: no portal is configured.\nNothing else is contacted either.\n"
    );
}
