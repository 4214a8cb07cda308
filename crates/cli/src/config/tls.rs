//! The `tls` section: the files of the listener's certificate.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_saphyr::Spanned;

use super::{Problems, path_in};

/// The section as written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawTls {
    /// The file with the certificate and its chain.
    pub certificate: Spanned<String>,
    /// The file with its key.
    pub key: Spanned<String>,
}

/// The files of the listener's certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate and its chain.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

/// Checks the section, which stands at `field`, such as `server.tls`.
pub fn tls(workdir: &Path, field: &str, raw: &RawTls, problems: &mut Problems) -> TlsFiles {
    TlsFiles {
        certificate: path_in(workdir, &format!("{field}.certificate"), &raw.certificate, problems),
        key: path_in(workdir, &format!("{field}.key"), &raw.key, problems),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_start_in_the_working_directory_and_have_names() {
        let check = |text| {
            let mut problems = Problems::default();
            let files =
                tls(Path::new("/w"), "server.tls", &serde_saphyr::from_str(text).unwrap(), &mut problems);
            (files, problems.into_error(Path::new("a.yml")).to_string())
        };
        let files = TlsFiles { certificate: "/w/c.pem".into(), key: "/k.pem".into() };
        assert_eq!(check("certificate: c.pem\nkey: /k.pem\n"), (files, String::new()));
        let (_, told) = check("certificate: c.pem\nkey: \"\"\n");
        assert_eq!(told, "a.yml:2:6: server.tls.key: is empty: name a file");
    }
}
