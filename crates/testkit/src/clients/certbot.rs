//! certbot, the EFF's client.

use std::path::PathBuf;

use super::Issued;
use crate::Installation;
use crate::process::{Finished, clean_command, program_from_env, run};

/// certbot with its own directories, against one installation. `CHANCERY_TEST_CERTBOT` names the
/// program.
#[derive(Debug)]
pub struct Certbot<'a> {
    program: PathBuf,
    installation: &'a Installation,
    home: PathBuf,
}

impl<'a> Certbot<'a> {
    /// A certbot that has never run.
    pub fn new(installation: &'a Installation) -> Self {
        let program = program_from_env("CHANCERY_TEST_CERTBOT");
        Self { program, installation, home: installation.client_dir("certbot") }
    }

    /// `certbot certonly --standalone` for one name, with a new account if there is none.
    pub fn certonly(&self, name: &str) -> Finished {
        let port = self.installation.http01_port().to_string();
        self.run(&[
            "certonly",
            "--standalone",
            "--http-01-port",
            &port,
            "--server",
            &self.installation.directory_url(),
            "-d",
            name,
            "--register-unsafely-without-email",
            "--agree-tos",
        ])
    }

    /// `certbot renew --force-renewal`: all that it was issued, at once.
    pub fn renew(&self) -> Finished {
        self.run(&["renew", "--force-renewal", "--no-random-sleep-on-renew"])
    }

    /// Where the newest certificate of a name is.
    pub fn issued(&self, name: &str) -> Issued {
        let live = self.home.join("config/live").join(name);
        Issued {
            certificate: live.join("cert.pem"),
            chain: live.join("chain.pem"),
            key: live.join("privkey.pem"),
        }
    }

    fn run(&self, arguments: &[&str]) -> Finished {
        let mut command = clean_command(&self.program);
        command
            .args(arguments)
            .arg("-n")
            .arg("--config-dir")
            .arg(self.home.join("config"))
            .arg("--work-dir")
            .arg(self.home.join("work"))
            .arg("--logs-dir")
            .arg(self.home.join("logs"))
            .env("REQUESTS_CA_BUNDLE", self.installation.root());
        run(&mut command)
    }
}
