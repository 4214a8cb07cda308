//! Names of rows: the prefix of their kind and 120 random bits, so that they tell nothing and cannot be guessed.

use zeroize::Zeroizing;

use crate::random;

/// Without the letters that are read wrongly, in lower case.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const LENGTH: usize = 24;

/// So many random digits, of five bits each.
///
/// # Errors
/// When the system's random source fails.
pub(crate) fn digits<const COUNT: usize>() -> anyhow::Result<Zeroizing<String>> {
    let bytes = Zeroizing::new(random::bytes::<COUNT>()?);
    let digit = |byte: &u8| char::from(ALPHABET.get(usize::from(byte % 32)).copied().unwrap_or(b'0'));
    Ok(Zeroizing::new(bytes.iter().map(digit).collect()))
}

/// What an id names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IdKind {
    Activation,
    ApiKey,
    Delivery,
    Document,
    Installation,
    License,
    Organisation,
    Plan,
    Product,
    User,
    Webhook,
}

impl IdKind {
    const fn prefix(self) -> &'static str {
        match self {
            Self::Activation => "act",
            Self::ApiKey => "key",
            Self::Delivery => "dlv",
            Self::Document => "doc",
            Self::Installation => "ins",
            Self::License => "lic",
            Self::Organisation => "org",
            Self::Plan => "pln",
            Self::Product => "prd",
            Self::User => "usr",
            Self::Webhook => "whk",
        }
    }

    /// A new id of this kind.
    ///
    /// # Errors
    /// When the system's random source fails.
    pub(crate) fn fresh(self) -> anyhow::Result<String> {
        Ok(format!("{}_{}", self.prefix(), *digits::<LENGTH>()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_tell_their_kind_and_can_name_a_licence_document() {
        let id = IdKind::License.fresh().unwrap();
        assert_eq!((id.len(), &id[..4]), (28, "lic_"));
        assert!(id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'));
        assert_ne!(id, IdKind::License.fresh().unwrap());
    }
}
