//! The authorizations that an order rests on: one that is there already, or a new one with its challenges.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use chancery_acme::Identifier;
use chancery_acme::challenge::{self, ChallengeType};
use chancery_acme::identifier::{AncestorWishes, DnsName, IdentifierSet};
use chancery_acme::state::AuthorizationStatus;
use chancery_db::{ReadTx, WriteTx};
use chancery_time::Timestamp;

use super::Failure;
use crate::config::policy::{Limits, Profile};
use crate::store::authorizations::{self, Found, NewAuthorization};

/// How long orders, and authorizations ahead of any, wait for their client.
pub(crate) const LIFETIME: Duration = Duration::from_hours(7 * 24);
/// How much longer a valid authorization has to last so that another order can rest on it: its client needs time
/// to finalize.
const LEFT: Duration = Duration::from_mins(10);

/// What new authorizations have in common.
#[derive(Debug)]
pub(crate) struct Proofs<'a> {
    pub(crate) account_id: i64,
    pub(crate) profile: &'a Profile,
    /// Whether the account's binding spares it every proof.
    pub(crate) skipped: bool,
    /// When an authorization lapses that stays pending.
    pub(crate) lapse_at: Timestamp,
    pub(crate) limits: &'a Limits,
    pub(crate) now: Timestamp,
}

/// An authorization that an order rests on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Proof {
    pub(crate) id: i64,
    pub(crate) expires_at: Timestamp,
    pub(crate) is_valid: bool,
}

impl Proofs<'_> {
    /// An authorization for each of the names of an order. It may be that of an ancestor, where the client wishes
    /// it or is authorized for it already (RFC 9444 §4.1, §4.3); several names can rest on the same one.
    pub(crate) fn of_order(
        &self,
        tx: &mut WriteTx<'_>,
        identifiers: &IdentifierSet,
        wishes: &AncestorWishes,
    ) -> Result<Vec<Proof>, Failure> {
        let identifiers = identifiers.as_slice();
        let ancestors: HashSet<&DnsName> =
            identifiers.iter().filter_map(|identifier| wishes.of(identifier)).collect();
        // A name of the order that is itself the ancestor of another rests on the same authorization.
        let own = |identifier: &Identifier| match identifier {
            Identifier::Dns(name) => ancestors.get(name).copied(),
            Identifier::Wildcard(_) | Identifier::Ip(_) => None,
        };
        let mut made: HashMap<&DnsName, Proof> = HashMap::new();
        let mut proofs = Vec::with_capacity(identifiers.len());
        for identifier in identifiers {
            let ancestor = wishes.of(identifier).or_else(|| own(identifier));
            let proof = match (self.find(tx, identifier)?, ancestor.filter(|_| self.proves_subdomains())) {
                (Some(found), _) => found,
                (None, None) => self.insert(tx, identifier, false)?,
                (None, Some(ancestor)) => match made.get(ancestor) {
                    Some(made) => *made,
                    None => {
                        let proof = self.insert(tx, &Identifier::Dns(ancestor.clone()), true)?;
                        made.insert(ancestor, proof);
                        proof
                    }
                },
            };
            proofs.push(proof);
        }
        Ok(proofs)
    }

    /// Whether a challenge that the profile offers can prove the names below one. Who is spared every proof needs
    /// none for them.
    pub(crate) fn proves_subdomains(&self) -> bool {
        !self.skipped && self.profile.challenges.iter().any(|challenge| challenge.is_dns())
    }

    /// The valid authorization that speaks for exactly this name, and perhaps for those below it.
    pub(crate) fn exact(
        &self,
        tx: &mut ReadTx<'_>,
        identifier: &Identifier,
        with_subdomains: bool,
    ) -> Result<Option<Found>, Failure> {
        let (account, profile, until) = (self.account_id, &self.profile.name, self.now + LEFT);
        Ok(authorizations::valid_for(tx, account, identifier, profile, with_subdomains, until)?)
    }

    fn find(&self, tx: &mut ReadTx<'_>, identifier: &Identifier) -> Result<Option<Proof>, Failure> {
        let found = match (self.exact(tx, identifier, false)?, identifier.dns_name()) {
            (None, Some(name)) => {
                let until = self.now + LEFT;
                authorizations::valid_above(tx, self.account_id, name, &self.profile.name, until)?
            }
            (found, _) => found,
        };
        Ok(found.map(|found| Proof { id: found.id, expires_at: found.expires_at, is_valid: true }))
    }

    /// Adds an authorization with the challenges that the profile offers for such a name.
    pub(crate) fn insert(
        &self,
        tx: &mut WriteTx<'_>,
        identifier: &Identifier,
        with_subdomains: bool,
    ) -> Result<Proof, Failure> {
        if !self.skipped {
            self.limits.ask_validation(tx, self.account_id, identifier, self.now)?;
        }
        let (status, expires_at) = if self.skipped {
            (AuthorizationStatus::Valid, self.now + self.profile.authorizations_last)
        } else {
            (AuthorizationStatus::Pending, self.lapse_at)
        };
        let id = authorizations::insert(
            tx,
            &NewAuthorization {
                account_id: self.account_id,
                identifier,
                profile: &self.profile.name,
                with_subdomains,
                status,
                expires_at,
                created_at: self.now,
            },
        )?;
        if !self.skipped {
            self.limits.ask_pending(tx, self.account_id, self.lapse_at, self.now)?;
        }
        let token = challenge::token().map_err(anyhow::Error::from)?;
        for kind in &self.profile.challenges {
            if !self.skipped && offers(*kind, identifier, with_subdomains) {
                authorizations::insert_challenge(tx, id, *kind, &token)?;
            }
        }
        Ok(Proof { id, expires_at, is_valid: self.skipped })
    }
}

/// Whether a challenge can prove such a name. Who answers for all names below one holds its zone, as who answers
/// for a wildcard does, and the DNS alone shows that (RFC 9444 §9.1).
pub(crate) fn offers(kind: ChallengeType, identifier: &Identifier, with_subdomains: bool) -> bool {
    match identifier {
        Identifier::Dns(name) if with_subdomains => kind.fits(&Identifier::Wildcard(name.clone())),
        _ => kind.fits(identifier),
    }
}
