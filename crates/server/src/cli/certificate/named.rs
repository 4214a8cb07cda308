//! Which certificate a command is about.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::Context;
use chancery_db::ReadTx;
use chancery_files::read_text;
use chancery_pki::certificate::{EndEntity, SerialNumber};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::store::certificates::{self, Known};

const MAX_BYTES: u64 = 256 * 1024;

/// A certificate as the command line names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli) enum Named {
    Serial(SerialNumber),
    File(PathBuf),
}

/// A certificate that is to be looked for.
#[derive(Debug, Clone)]
pub(super) struct Sought {
    serial: SerialNumber,
    /// The file that it was read from, and what stood there.
    file: Option<(PathBuf, Vec<u8>)>,
}

impl FromStr for Named {
    type Err = String;

    /// Hexadecimal digits, perhaps with colons between them, are a serial number, all else is a file.
    fn from_str(text: &str) -> Result<Self, String> {
        match serial(text) {
            Some(Ok(serial)) => Ok(Self::Serial(serial)),
            Some(Err(why)) => Err(why),
            None => Ok(Self::File(PathBuf::from(text))),
        }
    }
}

impl Named {
    /// Reads the file, where it is one.
    ///
    /// # Errors
    /// When the file does not hold an end-entity certificate.
    pub(super) fn read(self) -> anyhow::Result<Sought> {
        match self {
            Self::Serial(serial) => Ok(Sought { serial, file: None }),
            Self::File(path) => from_file(&path).with_context(|| path.display().to_string()),
        }
    }
}

impl Sought {
    /// The certificate.
    ///
    /// # Errors
    /// When the server did not issue it, or the store fails.
    pub(super) fn find(&self, tx: &mut ReadTx<'_>) -> anyhow::Result<Known> {
        let found = certificates::by_serial(tx, &self.serial)?;
        let Some((path, der)) = &self.file else {
            return found.with_context(|| {
                format!(
                    "no certificate with the serial number {} was issued here: `chancery certificate list` shows \
                     those that were",
                    self.serial
                )
            });
        };
        found
            .filter(|found| found.der == *der)
            .with_context(|| format!("the certificate in {} was not issued here", path.display()))
    }
}

/// The serial number that a text is, if it is one at all.
pub(super) fn serial(text: &str) -> Option<Result<SerialNumber, String>> {
    let digits = text.replace(':', "");
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    // Leading zeros aside, what is no number of 128 bits is not one of ours.
    let significant = digits.trim_start_matches('0');
    let number = u128::from_str_radix(significant, 16).ok();
    let serial = number.and_then(|number| SerialNumber::from_integer(&number.to_be_bytes()));
    Some(serial.ok_or_else(|| "a serial number has 1 to 32 hexadecimal digits, and is not zero".to_owned()))
}

fn from_file(path: &Path) -> anyhow::Result<Sought> {
    let pem = read_text(path, MAX_BYTES)?;
    let der = CertificateDer::from_pem_slice(pem.as_bytes()).context("it holds no certificate in PEM")?;
    let certificate = EndEntity::from_der(&der)?;
    let serial = certificate.serial_number().context("its certificate was not issued here")?;
    Ok(Sought { serial, file: Some((path.to_owned(), der.to_vec())) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_a_serial_number_and_all_else_a_file() {
        let serial = |number: u128| Named::Serial(SerialNumber::from_bytes(number.to_be_bytes()).unwrap());
        for (text, number) in [
            ("187", 0x187),
            ("0187", 0x187),
            ("01:87", 0x187),
            ("000000000000000000000000000000000000FF", 0xff),
            ("ffffffffffffffffffffffffffffffff", u128::MAX),
        ] {
            assert_eq!(text.parse(), Ok(serial(number)), "{text}");
        }
        for text in ["cert.pem", "./187", "", "18 7", "0x187"] {
            assert_eq!(text.parse(), Ok(Named::File(text.into())), "{text}");
        }
        for text in ["0", "00:00", "1ffffffffffffffffffffffffffffffff"] {
            let refused = text.parse::<Named>().unwrap_err();
            assert!(refused.contains("1 to 32 hexadecimal digits"), "{text}: {refused}");
        }
    }
}
