//! The commented configuration file that `chancery-portal init` writes.

use std::net::SocketAddr;
use std::path::Path;

/// What `chancery-portal init` asks for.
#[derive(Debug)]
pub(crate) struct Answers<'a> {
    /// `server.url`.
    pub(crate) url: &'a str,
    /// `server.listen`.
    pub(crate) listen: SocketAddr,
    /// `server.workdir`.
    pub(crate) workdir: &'a Path,
}

/// The configuration file for these answers.
pub(crate) fn render(answers: &Answers<'_>) -> String {
    let Answers { url, listen, workdir } = answers;
    format!(
        "\
# Configuration of chancery-portal. Unknown keys are refused. Relative paths start in `server.workdir`.

server:
  # The origin under which programs and people reach the portal.
  url: {url}
  # Where it listens.
  listen: {listen}
  # Where it keeps its files; a relative path starts where this file is.
  # The master key in secrets/portal.key opens licence keys and signing keys in the database: keep a copy elsewhere.
  workdir: {workdir}
  # The listener's certificate is signed by the portal itself and lies in tls/portal.pem; programs that call the
  # portal need that file. To bring your own (read again when the files change):
  # tls:
  #   certificate: tls/fullchain.pem
  #   key: tls/key.pem
  # Or, where a proxy on this machine speaks TLS with the clients (listen on loopback then):
  # behind_proxy: true
  # Proxies whose `X-Forwarded-For` says who the client is:
  # trusted_proxies: [127.0.0.1/32]

database:
  # sqlite needs nothing else. For postgres: `dsn` in place of `path` (or, so that the password is not in this
  # file, the variable {dsn}).
  driver: sqlite
  path: portal.db

limits:
  # What a secret API key may ask for, a publishable one from each network (IPv6: one /64), and a network without a
  # key: `off` switches a limit off.
  requests_per_key: 1200/1m
  requests_per_ip: 240/1m

# Where webhooks may go. Loopback, link-local and private networks are refused unless they are allowed here.
# webhooks:
#   allow: [10.0.0.0/8]
#   deny: [10.9.0.0/16]
#   ca_file: tls/receivers.pem

revocations:
  # For how long a revocation list says that it is the newest; a new one is signed when half of that has passed.
  next_update: 30d
",
        workdir = workdir.display(),
        dsn = super::DATABASE_DSN,
    )
}
