//! dns-01 (RFC 8555 §8.4): does the DNS hold the digest of the key authorization?

use crate::failure::{Failure, FailureKind};
use crate::resolver::Resolver;

/// Observes challenges that are met with TXT records: dns-01 and its relatives.
#[derive(Debug, Clone)]
pub struct Dns01 {
    resolver: Resolver,
}

impl Dns01 {
    /// An observer that asks `resolver`.
    pub fn new(resolver: Resolver) -> Self {
        Self { resolver }
    }

    /// Whether one of the TXT records at `owner`, such as `_acme-challenge.a.test`, is `expected`.
    ///
    /// Aliases are followed, and other records beside the expected one do no harm: a name may have
    /// several orders under way (RFC 8555 §8.4).
    ///
    /// # Errors
    /// What was observed instead. It is always worth another look: a record that is not there may not
    /// have reached the server that was asked. Of other records only their number is told.
    pub async fn observe(&self, owner: &str, expected: &str) -> Result<(), Failure> {
        let outcome = self.resolver.txt(owner).await.and_then(|values| judge(owner, &values, expected));
        outcome
            .inspect_err(|failure| tracing::debug!(%owner, kind = ?failure.kind, %failure, "dns-01 failed"))
    }

    /// The TXT records at `owner`, for challenges whose records hold more than a digest.
    ///
    /// # Errors
    /// When the DNS does not say.
    pub async fn txt(&self, owner: &str) -> Result<Vec<String>, Failure> {
        self.resolver.txt(owner).await
    }
}

fn judge(owner: &str, values: &[String], expected: &str) -> Result<(), Failure> {
    if values.iter().any(|value| value == expected) {
        return Ok(());
    }
    let (kind, found) = match values.len() {
        0 => (FailureKind::Dns, format!("the DNS has no TXT record at `{owner}`")),
        1 => (FailureKind::Mismatch, format!("the one TXT record at `{owner}` is not the expected value")),
        n => {
            (FailureKind::Mismatch, format!("none of the {n} TXT records at `{owner}` is the expected value"))
        }
    };
    let advice = "publish that of this challenge and this account's key there, and wait until every name \
                  server of the zone has it";
    Err(Failure::passing(kind, format!("{found}; {advice}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_record_may_be_the_one() {
        let values = ["other", "digest", ""].map(str::to_owned);
        assert_eq!(judge("a.test", &values, "digest"), Ok(()));
    }

    #[test]
    fn nearly_is_not_enough_and_nothing_foreign_is_told() {
        for (values, kind, said) in [
            (&[][..], FailureKind::Dns, "the DNS has no TXT record at `a.test`"),
            (&["secret"], FailureKind::Mismatch, "the one TXT record"),
            (&["Digest", "digest ", "\"digest\"", "secretdigest"], FailureKind::Mismatch, "none of the 4"),
        ] {
            let values: Vec<String> = values.iter().map(|value| (*value).to_owned()).collect();
            let failure = judge("a.test", &values, "digest").unwrap_err();
            assert_eq!((failure.kind, failure.transient), (kind, true));
            assert!(failure.to_string().starts_with(said), "{failure}");
            assert!(!failure.to_string().contains("secret"), "{failure}");
        }
    }
}
