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

database:
  # sqlite needs nothing else. For postgres: `dsn` in place of `path` (or, so that the password is not
  # in this file, the variable CHANCERY_DATABASE_DSN). Several nodes may share one PostgreSQL; the
  # balancer before them must keep each client on one node.
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
    # How long certificates live: 5m to 825d.
    validity: 90d

# The environment whose licences count: prod, dev, staging or uat; by default the one that this build
# is made for.
# license:
#   environment: prod

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

const DEFAULT_VALIDATION: &str = "    # http01:
    #   port: 80
    # Name servers to ask, in place of the system's:
    # resolvers: [192.0.2.53]
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
                assert_eq!(config.profile.validation.http_port, if demo { 5002 } else { 80 });
            }
        }
    }
}
