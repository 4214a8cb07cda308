//! The client of a program that calls others by itself: it follows nobody's directions.

use std::error::Error as _;
use std::path::{Path, PathBuf};

use chancery_files::{FileError, read_text};
use reqwest::{Certificate, ClientBuilder, redirect};

/// Far more than the roots of a company take.
const MAX_CA_BYTES: u64 = 1024 * 1024;

/// What a client is built from. It follows no redirects, heeds no proxies that variables of the environment name, and
/// speaks HTTP/1.1.
pub fn client(user_agent: &str) -> ClientBuilder {
    reqwest::Client::builder()
        .user_agent(user_agent)
        .http1_only()
        .redirect(redirect::Policy::none())
        .referer(false)
        .no_proxy()
}

/// Why a file of roots cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RootsError {
    /// It cannot be read.
    #[error(transparent)]
    Unreadable(#[from] FileError),
    /// It is not the text that it should be.
    #[error("{} is no PEM", .0.display())]
    NotPem(PathBuf),
    /// There is nothing in it.
    #[error("{} holds no certificate in PEM", .0.display())]
    Empty(PathBuf),
}

/// The certificates in a file, which vouch for whom the client calls.
///
/// # Errors
/// Names the file that cannot be used.
pub fn roots(file: &Path) -> Result<Vec<Certificate>, RootsError> {
    let pem = read_text(file, MAX_CA_BYTES)?;
    match Certificate::from_pem_bundle(pem.as_bytes()) {
        Ok(roots) if roots.is_empty() => Err(RootsError::Empty(file.to_owned())),
        Ok(roots) => Ok(roots),
        Err(_) => Err(RootsError::NotPem(file.to_owned())),
    }
}

/// Why a call failed, down to the first cause, without the URL, which the operator knows.
pub fn why(error: reqwest::Error) -> String {
    let error = error.without_url();
    let (mut told, mut source) = (error.to_string(), error.source());
    while let Some(cause) = source {
        let text = cause.to_string();
        if !told.ends_with(&text) {
            told = format!("{told}: {text}");
        }
        source = cause.source();
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_without_roots_are_named() {
        let directory = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = directory.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let key = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA\n-----END PUBLIC KEY-----\n";
        let own = rcgen::generate_simple_self_signed(["a.example".to_owned()]).unwrap();
        for (path, told) in [
            (directory.path().join("none.pem"), "none.pem"),
            (file("empty.pem", "\n"), "empty.pem holds no certificate"),
            (file("key.pem", key), "key.pem holds no certificate"),
        ] {
            let error = roots(&path).unwrap_err().to_string();
            assert!(error.contains(told), "{error}");
        }
        assert_eq!(roots(&file("root.pem", &own.cert.pem())).unwrap().len(), 1);
    }

    #[tokio::test]
    async fn a_failed_call_tells_its_first_cause_and_no_url() {
        let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let client = client("test").build().unwrap();
        let error = client.get(format!("http://{closed}/secret-path")).send().await.unwrap_err();
        let told = why(error);
        assert!(told.contains("refused") && !told.contains("secret-path"), "{told}");
    }
}
