//! What a licence says, whichever form it has.

use chancery_license::entitlements::Entitlements;
use chancery_license::machine_file::Unjudged;
use chancery_license::machine_file::block::{Block, BlockError};
use chancery_license::state::LicenseTerms;
use chancery_license::{InstallationKey, KeyId, License, Verified, jwt};

/// The form of a licence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// `.lic`
    Lic,
    /// `.jwt`
    Jwt,
    /// A machine file.
    MachineFile,
}

impl Form {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Lic => "lic",
            Self::Jwt => "jwt",
            Self::MachineFile => "machine_file",
        }
    }
}

/// A licence whose signature, product, environment and installation were found right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Facts {
    pub(crate) form: Form,
    pub(crate) terms: LicenseTerms,
    /// The name of the plan, or of the tier of a JWT.
    pub(crate) plan: &'static str,
    pub(crate) organisation: String,
    pub(crate) email: String,
    /// The installation that it is bound to, if it is.
    pub(crate) bound_to: Option<InstallationKey>,
    pub(crate) entitlements: Entitlements,
    pub(crate) signer: KeyId,
}

impl From<&Verified<License>> for Facts {
    fn from(verified: &Verified<License>) -> Self {
        let license = verified.body();
        Self {
            form: Form::Lic,
            terms: verified.into(),
            plan: license.plan.name(),
            organisation: license.holder.organisation.clone(),
            email: license.holder.email.clone(),
            bound_to: license.installation_key.clone(),
            entitlements: license.entitlements,
            signer: verified.signer(),
        }
    }
}

impl From<&jwt::Verified> for Facts {
    fn from(verified: &jwt::Verified) -> Self {
        let claims = verified.claims();
        Self {
            form: Form::Jwt,
            terms: claims.terms(),
            plan: claims.tier.name(),
            organisation: claims.org_name.clone(),
            email: claims.sub.clone(),
            bound_to: None,
            entitlements: claims.entitlements(),
            signer: verified.signer(),
        }
    }
}

impl Facts {
    /// What a machine file of that installation says.
    ///
    /// # Errors
    /// Where it says nothing of what it allows an installation.
    pub(crate) fn of_machine_file(
        file: &Unjudged,
        installation: &InstallationKey,
    ) -> Result<Self, BlockError> {
        let block = Block::of(&file.contents)?;
        Ok(Self {
            form: Form::MachineFile,
            terms: block.terms(&file.contents),
            plan: block.plan.name(),
            organisation: block.holder.organisation,
            email: block.holder.email,
            bound_to: Some(installation.clone()),
            entitlements: block.entitlements,
            signer: file.signer,
        })
    }
}
