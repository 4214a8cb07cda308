//! CAA records (RFC 8659): which of them count for a name? What they say is judged elsewhere.

use hickory_resolver::proto::rr::{RData, RecordType};

use crate::failure::{Failure, FailureKind};
use crate::resolver::{Resolver, is_localhost};

/// Finds CAA records.
#[derive(Debug, Clone)]
pub struct Caa {
    resolver: Resolver,
}

/// A CAA record as it is in the DNS (RFC 8659 §4.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaaRecord {
    /// 128 for a property that has to be understood; the other bits have no meaning yet.
    pub flags: u8,
    /// The property, such as `issue`; letters and digits in any case.
    pub tag: String,
    /// What is not UTF-8 stands as U+FFFD, which no property that restricts issuance may hold.
    pub value: String,
}

impl Caa {
    /// Looks with `resolver`.
    pub fn new(resolver: Resolver) -> Self {
        Self { resolver }
    }

    /// The relevant records for `name` or `*.name`: those of the first name with any on the way up from
    /// it (RFC 8659 §3). None when no name up to the top-level domain has any. Aliases are followed at
    /// each step, but nobody climbs from where they lead.
    ///
    /// The names at `localhost` are of no zone and have none. In a network whose servers have no answer for
    /// the names above its zones, a CAA record at each zone itself ends the way there.
    ///
    /// # Errors
    /// When the DNS does not say of one of these names whether it has records: then nobody may issue.
    /// The kind is that of the look-up, such as [`FailureKind::Dns`].
    pub async fn relevant(&self, name: &str) -> Result<Vec<CaaRecord>, Failure> {
        let name = name.strip_prefix("*.").unwrap_or(name);
        if is_localhost(name) {
            return Ok(vec![]);
        }
        let name = name.strip_suffix('.').unwrap_or(name);
        let limit = self.resolver.patience().saturating_mul(CLIMB);
        let outcome = tokio::time::timeout(limit, self.climb(name)).await.unwrap_or_else(|_| {
            let detail = format!(
                "the CAA records of `{name}` and the names above it were not found out within {limit:?}; make \
                 their DNS servers answer faster"
            );
            Err(Failure::passing(FailureKind::Dns, detail))
        });
        outcome
            .inspect_err(|failure| tracing::debug!(%name, kind = ?failure.kind, %failure, "no CAA records"))
    }

    async fn climb(&self, name: &str) -> Result<Vec<CaaRecord>, Failure> {
        for at in ancestry(name) {
            let found = self.at(at).await?;
            if !found.is_empty() {
                return Ok(found);
            }
        }
        Ok(vec![])
    }

    async fn at(&self, name: &str) -> Result<Vec<CaaRecord>, Failure> {
        let records = self.resolver.challenge_records(name, RecordType::CAA, "CAA").await?;
        records.into_iter().map(|record| read(name, record)).collect()
    }
}

/// How many times longer than one look-up all of them may take; a name may have 127 labels.
const CLIMB: u32 = 3;

fn read(name: &str, record: RData) -> Result<CaaRecord, Failure> {
    let RData::CAA(caa) = record else {
        let detail = format!("a CAA record of `{name}` cannot be read; correct it");
        return Err(Failure::lasting(FailureKind::Dns, detail));
    };
    let value = String::from_utf8_lossy(&caa.value).into_owned();
    Ok(CaaRecord { flags: caa.flags(), tag: caa.tag, value })
}

/// The name and the names above it, the root left out.
fn ancestry(name: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(name), |name| name.split_once('.').map(|(_, above)| above))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_up_ends_below_the_root() {
        assert_eq!(ancestry("x.y.test").collect::<Vec<_>>(), ["x.y.test", "y.test", "test"]);
        assert_eq!(ancestry("test").collect::<Vec<_>>(), ["test"]);
    }
}
