//! What documents of every kind say of a licence of a product of kind chancery: its plan, its holder, and a serial.

use chancery_db::WriteTx;
use chancery_license::state::DEFAULT_CLOCK_TOLERANCE;
use chancery_license::{Environment, Holder};

use super::Failure;
use crate::domain::{Code, Refusal};
use crate::store::licenses::{Allowed, License};
use crate::store::{organisations, settings};

/// What a document says of a licence beside its times.
pub(super) struct Particulars {
    pub(super) allowed: Allowed,
    pub(super) holder: Holder,
    pub(super) clock_tolerance_hours: u16,
}

impl Particulars {
    /// The particulars of that licence.
    ///
    /// # Errors
    /// A licence that lacks some of them.
    pub(super) fn of(tx: &mut WriteTx<'_>, license: &License) -> Result<Self, Failure> {
        let allowed = license.terms.chancery.ok_or_else(|| incomplete("a plan of the product"))?;
        let holder = match &license.organisation_id {
            Some(id) => organisations::by_id(tx, id)?,
            None => None,
        };
        let holder = holder.ok_or_else(|| incomplete("an organisation"))?;
        Ok(Self {
            allowed,
            holder: Holder { organisation: holder.name, email: holder.email },
            clock_tolerance_hours: u16::try_from(DEFAULT_CLOCK_TOLERANCE.as_secs() / 3_600)
                .unwrap_or_default(),
        })
    }
}

/// The failure where a licence lacks something that documents say.
pub(super) fn incomplete(what: &str) -> Failure {
    let message = format!("no document can be made of the licence: the vendor has to give it {what}");
    Refusal::new(Code::NotActive, message).into()
}

/// The serial of the next document. It rises with every document of any licence of the product in the environment,
/// whatever its kind: the highest is the newest.
pub(super) fn next_serial(
    tx: &mut WriteTx<'_>,
    product_id: &str,
    environment: Environment,
) -> Result<u64, chancery_db::Error> {
    settings::next_number(tx, &format!("serial {product_id} {environment}"))
}
