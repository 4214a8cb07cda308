//! A second opinion on certificates, from the `openssl` program.

use std::path::Path;

use crate::Issued;
use crate::process::{clean_command, run};

/// Fails the test unless `openssl verify` accepts what a client was issued as the certificate of a
/// TLS server of that name, under the trust anchor in `root`, and the private key is the
/// certificate's.
#[track_caller]
pub fn verify(root: &Path, issued: &Issued, name: &str) {
    let mut command = clean_command("openssl");
    command
        .args(["verify", "-x509_strict", "-purpose", "sslserver", "-verify_hostname", name])
        // The trust anchor is `root` alone, not what the machine trusts.
        .args(["-no-CApath", "-no-CAstore", "-CAfile"])
        .arg(root)
        .arg("-untrusted")
        .arg(&issued.chain)
        .arg(&issued.certificate);
    run(&mut command).succeeded();

    let certified = openssl(&["x509", "-noout", "-pubkey", "-in"], &issued.certificate);
    let held = openssl(&["pkey", "-pubout", "-in"], &issued.key);
    assert_eq!(certified, held, "the public key of {} is that of {:?}", name, issued.key);
}

/// The serial number of the first certificate in a PEM file, in hexadecimal.
#[track_caller]
pub fn certificate_serial(certificate: &Path) -> String {
    let printed = openssl(&["x509", "-noout", "-serial", "-in"], certificate);
    printed.trim().strip_prefix("serial=").expect("openssl prints serial=…").to_owned()
}

#[track_caller]
fn openssl(arguments: &[&str], file: &Path) -> String {
    run(clean_command("openssl").args(arguments).arg(file)).succeeded().stdout
}
