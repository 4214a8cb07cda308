//! The commented configuration file that `chancery init` writes.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;

/// What `chancery init` asks for.
#[derive(Debug)]
pub(crate) struct Answers<'a> {
    /// `server.url`.
    pub(crate) url: &'a str,
    /// `server.listen`.
    pub(crate) listen: SocketAddr,
    /// `server.workdir`.
    pub(crate) workdir: &'a Path,
    /// Whether names under `.localhost` shall be validated on this machine.
    pub(crate) demo: bool,
}

/// The configuration file for these answers.
pub(crate) fn render(answers: &Answers<'_>) -> String {
    let mut file = String::new();
    // Writing to a String cannot fail.
    let _ = write!(
        file,
        "\
# Configuration of chancery. `chancery validate -f THIS_FILE` checks it.
# Unknown keys are refused. Relative paths start in `server.workdir`.

server:
  # The origin that clients use; every URL that the server hands out starts with it.
  url: {url}
  # Where the server listens.
  listen: {listen}
  # Where the server keeps its files; a relative path starts where this file is.
  workdir: {workdir}
  # The listener's certificate comes from the profile's authority, and is renewed by itself.
  # To bring your own (read again when the files change):
  # tls:
  #   certificate: tls/fullchain.pem
  #   key: tls/key.pem
  # Shown to clients in the directory:
  # terms_of_service: https://intranet.example/ca-terms
  # website: https://intranet.example/ca
  # Keys that no account and no certificate may have: a file with the SHA-256 of a DER SubjectPublicKeyInfo on
  # each line, in hexadecimal.
  # compromised_keys: compromised-keys.txt
  # Proxies before the server, whose `X-Forwarded-For` says who the client is. One that is not named here is taken
  # for the client: then all who come through it share the limits of one address.
  # trusted_proxies: [10.0.0.5/32, 10.1.0.0/24]

database:
  # sqlite needs nothing else. For postgres: `dsn` in place of `path` (or, so that the password is not
  # in this file, the variable CHANCERY_DATABASE_DSN). Several nodes may share one PostgreSQL, each
  # with a workdir of its own and `several_nodes: true` under `server`.
  driver: sqlite
  path: chancery.db

authorities:
  # A root and an issuing intermediate, made by `chancery init`. The keys are encrypted under the
  # passphrase in the file below (or in the variable CHANCERY_KEY_PASSPHRASE). A copy of the workdir
  # holds both: keep backups of the passphrase elsewhere.
  - name: default
    type: local
    directory: ca
    passphrase_file: secrets/ca-passphrase

validation:
  # How names are checked.
  - name: default
",
        url = quoted(answers.url),
        listen = quoted(&answers.listen.to_string()),
        workdir = quoted(&answers.workdir.display().to_string()),
    );
    file.push_str(if answers.demo { DEMO_VALIDATION } else { DEFAULT_VALIDATION });
    file.push_str(
        "
profiles:
  # Who may have which certificate.
  - name: default
    authority: default
    validation: default
    # How long certificates live: 5m to 825d. `max_validity` is the most that an order may wish for.
    validity: 90d
    # Which names: `.corp.example` (all below), `.corp.example/1` (one label before it), `=corp.example` (exact),
    # `*.corp.example` (that wildcard), `*..corp.example` (wildcards below), 10.0.0.0/8 (addresses).
    # Every name is served unless `allow` is there; `deny` beats it.
    # allow: [.corp.example, \"*..corp.example\", 10.0.0.0/8]
    # deny: [=secret.corp.example]
    # challenges: [http-01, tls-alpn-01, dns-01]     # also dns-account-01, dns-persist-01
    # keys: {algorithms: [ecdsa-p256, rsa], min_rsa_bits: 3072}
    # extended_key_usages: [serverAuth, clientAuth]
    # caa: true                 # hold CAA records against every order
    # require_eab: true         # only accounts with an external account binding
    # require_approval: true    # a person says `chancery order approve`
",
    );
    file.push_str(if answers.demo { DEMO_LIMITS } else { DEFAULT_LIMITS });
    file.push_str(
        "
# The environment whose licences count: prod, dev, staging or uat; by default the one that this build
# is made for.
# Newer licences are fetched from the portal of the vendor if it is named here; without `portal` nobody is
# contacted for licences. What is sent: docs/licensing.md. `chancery outbound` lists every destination.
# license:
#   environment: prod
#   portal:
#     url: https://licences.vendor.example
#     ca_file: vendor-ca.pem            # in place of what the system trusts
#     interval: 24h
#     proxy:
#       url: http://proxy.example:3128  # also https:// and socks5://
#       username: chancery              # the password: password_file, or CHANCERY_PROXY_PASSWORD
#       password_file: secrets/proxy-password
#   offline: true                       # no client at all, whatever else is written here

# The audit log lies in `audit` under the working directory. While it cannot be written (a full disk), events
# wait in the database; `required` refuses new issuance then, and so does a backlog of that many events.
# audit:
#   required: false
#   backlog: 100000
#   segment_mib: 256
#   segment_age: 30d
#   checkpoint_every: 1000
#   compress: false
",
    );
    file
}

const DEFAULT_LIMITS: &str = "
# What clients may ask for in a length of time; `off` switches a limit off. These are the defaults.
# limits:
#   requests_per_ip: 6000/1m
#   accounts_per_ip: 50/3h
#   orders_per_account: 300/3h
#   names_per_account: 3000/1d
#   certificates_per_names: 10/7d     # for one set of names, those revoked left out
#   failed_validations: 10/1h         # of one name by one account
#   pending_authorizations: 300       # of one account, at any one time
#   abuse_per_ip: 60/10m              # bad signatures, requests for objects of others
";

const DEMO_LIMITS: &str = "
# DEMO: clients that try things out are not held up. Not for production.
limits:
  requests_per_ip: off
  accounts_per_ip: off
  orders_per_account: off
  names_per_account: off
  certificates_per_names: off
  failed_validations: off
  pending_authorizations: off
  abuse_per_ip: off
";

const DEFAULT_VALIDATION: &str = "    # http01:
    #   port: 80
    # tls_alpn01:
    #   port: 443
    # Name servers to ask, in place of the system's, and others for some zones:
    # resolvers: [192.0.2.53]
    # zones: [{zone: corp.example, resolvers: [198.51.100.53]}]
    # Whether the name servers of a zone itself are asked, and whether answers have to be validated by DNSSEC:
    # authoritative: true
    # dnssec: true
    # Loopback, link-local, multicast and cloud-metadata addresses are never dialled unless allowed:
    # egress:
    #   allow: [198.51.100.0/24]
    #   deny: [10.0.0.0/8]
";

const DEMO_VALIDATION: &str =
    "    # DEMO: names under .localhost are this very machine, so the validator may dial loopback,
    # and looks for http-01 answers on a port that needs no privileges. Not for production.
    http01:
      port: 5002
    egress:
      allow: [127.0.0.0/8, \"::1/128\"]
";

/// A YAML double-quoted scalar (YAML 1.2 §7.3.1).
fn quoted(text: &str) -> String {
    let mut scalar = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => {
                scalar.push('\\');
                scalar.push(character);
            }
            control if control.is_control() => {
                let _ = write!(scalar, "\\U{:08X}", u32::from(control));
            }
            plain => scalar.push(plain),
        }
    }
    scalar.push('"');
    scalar
}

#[cfg(test)]
mod tests {
    use super::super::{Secrets, check};
    use super::*;

    #[test]
    fn the_example_of_trusted_proxies_can_be_switched_on() {
        let answers = Answers {
            url: "https://ca.example",
            listen: "127.0.0.1:14000".parse().unwrap(),
            workdir: Path::new("var"),
            demo: false,
        };
        let file = render(&answers).replace("# trusted_proxies:", "trusted_proxies:");
        let config = check(Path::new("/etc/chancery.yml"), &file, &Secrets::default());
        let config = config.unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(config.server.trusted_proxies.len(), 2);
    }

    #[test]
    fn the_example_of_a_portal_can_be_switched_on() {
        let answers = Answers {
            url: "https://ca.example",
            listen: "127.0.0.1:14000".parse().unwrap(),
            workdir: Path::new("var"),
            demo: false,
        };
        let file = render(&answers);
        let (before, rest) = file.split_once("# license:\n").unwrap();
        let (block, after) = rest.split_once("\n\n").unwrap();
        let block = block.lines().map(|line| line.replacen("# ", "", 1) + "\n").collect::<String>();
        let checked = |block: &str| {
            let file = format!("{before}license:\n{block}\n{after}");
            check(Path::new("/etc/chancery.yml"), &file, &Secrets::default())
                .unwrap_or_else(|error| panic!("{file}\n{error}"))
        };
        assert!(checked(&block).license.portal().is_none(), "offline beats the portal");
        let online: String =
            block.lines().filter(|line| !line.contains("offline")).map(|line| format!("{line}\n")).collect();
        let portal = checked(&online).license.portal().unwrap().clone();
        assert!(portal.ca_file.is_some() && portal.proxy.unwrap().credentials.is_some());
    }

    #[test]
    fn what_is_written_passes_the_check() {
        for demo in [false, true] {
            for workdir in ["/srv/chancery", "var", "/a \"quoted\" \\ path: #1"] {
                let answers = Answers {
                    url: "https://ca.example",
                    listen: "127.0.0.1:14000".parse().unwrap(),
                    workdir: Path::new(workdir),
                    demo,
                };
                let config = check(Path::new("/etc/chancery.yml"), &render(&answers), &Secrets::default());
                let config = config.unwrap_or_else(|error| panic!("{error}"));
                assert_eq!(config.server.workdir, Path::new("/etc").join(workdir));
                assert_eq!(config.validations[0].http_port, if demo { 5002 } else { 80 });
                assert!(config.server.trusted_proxies.is_empty());
                assert_eq!(config.limits.off().len(), if demo { 8 } else { 0 });
            }
        }
    }
}
