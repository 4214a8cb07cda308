//! Keys whose private half is known to be public.

#[cfg(test)]
mod tests;

use aws_lc_rs::digest;

/// Keys that are printed, private half included, in RFCs: examples find their way into production.
const PUBLISHED: &str = include_str!("published.txt");

/// Keys that nobody should use, since others have them too: those printed in RFCs, and those of a list that
/// an operator gives. A key is known by the SHA-256 digest of its DER SubjectPublicKeyInfo.
#[derive(Clone, PartialEq, Eq)]
pub struct CompromisedKeys {
    /// Sorted.
    digests: Vec<[u8; 32]>,
}

/// A line of a list that is not the digest of a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "line {line}: `{found}` is not the digest of a key; give 64 hexadecimal digits, the SHA-256 of its DER \
     SubjectPublicKeyInfo, or begin a comment with `#`"
)]
pub struct NotADigest {
    /// The line's number, from 1.
    pub line: usize,
    /// What stands there, cut to 64 characters.
    pub found: String,
}

impl CompromisedKeys {
    /// The keys printed in RFCs alone.
    pub fn published() -> Self {
        Self::sorted(digests(PUBLISHED).filter_map(Result::ok).collect())
    }

    /// The keys printed in RFCs and those of a list: a digest in hexadecimal on each line, with comments from
    /// a `#` to the end of the line, and empty lines.
    ///
    /// # Errors
    /// The first line that is neither.
    pub fn with_list(list: &str) -> Result<Self, NotADigest> {
        let listed = digests(list).collect::<Result<Vec<_>, _>>()?;
        let mut all = Self::published().digests;
        all.extend(listed);
        Ok(Self::sorted(all))
    }

    /// Whether the key with this DER SubjectPublicKeyInfo is one of them.
    pub fn contains(&self, spki_der: &[u8]) -> bool {
        let digest = digest::digest(&digest::SHA256, spki_der);
        self.digests.binary_search_by(|known| known.as_slice().cmp(digest.as_ref())).is_ok()
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.digests.len()
    }

    fn sorted(mut digests: Vec<[u8; 32]>) -> Self {
        digests.sort_unstable();
        digests.dedup();
        Self { digests }
    }
}

impl Default for CompromisedKeys {
    fn default() -> Self {
        Self::published()
    }
}

impl std::fmt::Debug for CompromisedKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "CompromisedKeys({})", self.count())
    }
}

fn digests(list: &str) -> impl Iterator<Item = Result<[u8; 32], NotADigest>> {
    list.lines().enumerate().filter_map(|(index, line)| {
        let text = line.split_once('#').map_or(line, |(text, _)| text).trim();
        if text.is_empty() {
            return None;
        }
        let refused = || NotADigest { line: index + 1, found: text.chars().take(64).collect() };
        Some(digest_from_hex(text).ok_or_else(refused))
    })
}

fn digest_from_hex(text: &str) -> Option<[u8; 32]> {
    let digits = text.chars().map(|digit| digit.to_digit(16)).collect::<Option<Vec<u32>>>()?;
    let (pairs, []) = digits.as_chunks::<2>() else { return None };
    let octets: Vec<u8> = pairs.iter().filter_map(|[high, low]| u8::try_from(high << 4 | low).ok()).collect();
    octets.try_into().ok()
}
