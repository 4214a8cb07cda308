//! `chancery init`: a commented configuration file, and the certificate authority that it names.

use std::io::{self, BufRead, IsTerminal, Write};
use std::net::{Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf, absolute};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use base64ct::{Base64UrlUnpadded, Encoding};
use chancery_authority::local::{CreateSpec, LocalAuthority};
use chancery_cli::print;
use chancery_files::{self as files, Access};
use chancery_pki::key::KeyAlgorithm;
use chancery_time::{Clock, SystemClock};
use secrecy::SecretString;

use super::InitArgs;
use crate::config::template::{Answers, render};
use crate::config::{self, PassphraseSource};

const DEFAULT_URL: &str = "https://localhost:14000";
const DEFAULT_WORKDIR: &str = "chancery";
const YEAR: Duration = Duration::from_secs(365 * 86_400);

pub(super) fn run(args: InitArgs) -> anyhow::Result<ExitCode> {
    let file = absolute(&args.output)?;
    refuse_existing(&file)?;
    let args = if args.defaults { args } else { ask(args)? };
    let url = args.url.as_deref().unwrap_or(DEFAULT_URL);
    let listen = match args.listen {
        Some(listen) => listen,
        None => default_listen(url),
    };
    let workdir = absolute(args.workdir.as_deref().unwrap_or(Path::new(DEFAULT_WORKDIR)))?;
    let text = render(&Answers { url, listen, workdir: &workdir, demo: args.demo });
    // What is written must be what the server will accept; the check also says what is wrong with an answer.
    let config = config::check(&file, &text, &config::Secrets::from_environment()?)?;

    files::create_directory(&workdir)?;
    // Before the keys, which a second try would find in its way.
    if let Some(directory) = file.parent() {
        files::create_directory(directory)?;
    }
    for authority in &config.authorities {
        create_authority(authority, config.server.url.host())?;
    }
    // Last: where there is a configuration, everything that it names is there.
    files::create(&file, text.as_bytes(), Access::Owner)?;
    print(&format!(
        "Created the certificate authority in {workdir}.\n\
         Wrote {file}.\n\
         Next:\n  \
         chancery cold-start init --plan=<free|starter|pro|enterprise> -f {file}\n  \
         chancery serve -f {file}",
        workdir = workdir.display(),
        file = args.output.display(),
    ))?;
    Ok(ExitCode::SUCCESS)
}

fn create_authority(authority: &config::Authority, host: &str) -> anyhow::Result<()> {
    let passphrase = match &authority.passphrase {
        PassphraseSource::Environment(passphrase) => passphrase.clone(),
        PassphraseSource::File(path) => create_passphrase(path)?,
    };
    LocalAuthority::create(
        &authority.directory,
        &CreateSpec {
            name: &authority.name,
            root_common_name: &format!("Chancery root for {host}"),
            issuing_common_name: &format!("Chancery issuing CA for {host}"),
            key_algorithm: KeyAlgorithm::EcdsaP256,
            passphrase: &passphrase,
            now: SystemClock.now(),
            root_validity: 20 * YEAR,
            issuing_validity: 10 * YEAR,
        },
    )?;
    Ok(())
}

/// Makes a passphrase of 256 random bits. One that is there already stays: keys may depend on it.
fn create_passphrase(path: &Path) -> anyhow::Result<SecretString> {
    if path.exists() {
        return config::passphrase(path);
    }
    if let Some(directory) = path.parent() {
        files::create_directory(directory)?;
    }
    let passphrase =
        zeroize::Zeroizing::new(Base64UrlUnpadded::encode_string(&crate::random::bytes::<32>()?));
    files::create(path, passphrase.as_bytes(), Access::Owner)?;
    Ok(SecretString::from(passphrase.as_str()))
}

/// Asks for what was not given on the command line.
fn ask(mut args: InitArgs) -> anyhow::Result<InitArgs> {
    anyhow::ensure!(
        io::stdin().is_terminal(),
        "standard input is not a terminal, so nothing can be asked: give --defaults"
    );
    if args.url.is_none() {
        args.url = Some(answer("The origin that clients use", DEFAULT_URL)?);
    }
    if args.listen.is_none() {
        let proposed = default_listen(args.url.as_deref().unwrap_or(DEFAULT_URL));
        let listen = answer("Where the server listens", &proposed.to_string())?;
        args.listen = Some(listen.parse().with_context(|| format!("`{listen}` is not an address and port"))?);
    }
    if args.workdir.is_none() {
        args.workdir = Some(PathBuf::from(answer("The directory for its files", DEFAULT_WORKDIR)?));
    }
    Ok(args)
}

fn answer(question: &str, default: &str) -> anyhow::Result<String> {
    let mut terminal = io::stderr().lock();
    write!(terminal, "{question} [{default}]: ")?;
    terminal.flush()?;
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    let line = line.trim();
    Ok(if line.is_empty() { default } else { line }.to_owned())
}

/// Loopback for a name that means this machine (RFC 6761 §6.3), else every address; the port of the URL.
fn default_listen(url: &str) -> SocketAddr {
    let uri = url.parse::<http::Uri>().unwrap_or_default();
    let port = uri.port_u16().unwrap_or(443);
    match uri.host() {
        Some(host) if host == "localhost" || host.ends_with(".localhost") => {
            SocketAddr::from(([127, 0, 0, 1], port))
        }
        _ => SocketAddr::from((Ipv6Addr::UNSPECIFIED, port)),
    }
}

fn refuse_existing(file: &Path) -> anyhow::Result<()> {
    anyhow::ensure!(
        !file.exists(),
        "{} exists already and is not overwritten: name another file with -o, or move it away",
        file.display()
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_this_machine_is_served_on_loopback_alone() {
        for (url, listen) in [
            ("https://localhost:14000", "127.0.0.1:14000"),
            ("https://ca.localhost", "127.0.0.1:443"),
            ("https://ca.internal", "[::]:443"),
            ("https://192.0.2.1:8443", "[::]:8443"),
        ] {
            assert_eq!(default_listen(url).to_string(), listen, "{url}");
        }
    }
}
