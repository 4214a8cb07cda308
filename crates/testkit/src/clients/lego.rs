//! lego, a client written in Go.

use std::path::PathBuf;

use super::Issued;
use crate::Installation;
use crate::process::{Finished, clean_command, program_from_env, run};

/// lego with its own directory and account, against one installation. `CHANCERY_TEST_LEGO` names
/// the program.
#[derive(Debug)]
pub struct Lego<'a> {
    program: PathBuf,
    installation: &'a Installation,
    home: PathBuf,
}

impl<'a> Lego<'a> {
    /// A lego that has never run.
    pub fn new(installation: &'a Installation) -> Self {
        let program = program_from_env("CHANCERY_TEST_LEGO");
        Self { program, installation, home: installation.client_dir("lego") }
    }

    /// `lego run`: an account if there is none, and a certificate for one name.
    pub fn run(&self, name: &str) -> Finished {
        self.lego(name, &["run"])
    }

    /// `lego renew`, whatever time the certificate has left.
    pub fn renew(&self, name: &str) -> Finished {
        self.lego(name, &["renew", "--days", "10000", "--no-random-sleep"])
    }

    /// Where the newest certificate of a name is.
    pub fn issued(&self, name: &str) -> Issued {
        let certificates = self.home.join("certificates");
        Issued {
            certificate: certificates.join(format!("{name}.crt")),
            chain: certificates.join(format!("{name}.issuer.crt")),
            key: certificates.join(format!("{name}.key")),
        }
    }

    fn lego(&self, name: &str, arguments: &[&str]) -> Finished {
        let mut command = clean_command(&self.program);
        command
            .args(["--server", &self.installation.directory_url()])
            .args(["--http", "--http.port", &format!("127.0.0.1:{}", self.installation.http01_port())])
            .args(["--domains", name, "--email", "admin@example.org", "--accept-tos"])
            .arg("--path")
            .arg(&self.home)
            .args(arguments)
            .env("LEGO_CA_CERTIFICATES", self.installation.root());
        run(&mut command)
    }
}
