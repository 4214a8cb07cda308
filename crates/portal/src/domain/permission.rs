//! Who may do what. A permission is asked for in one place, before anything is read.

use chancery_license::Environment;

use super::{Code, Refusal};

macro_rules! permissions {
    ($($(#[$doc:meta])* $ident:ident = $name:literal,)*) => {
        /// Something that a caller may be allowed to do.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub(crate) enum Permission { $($(#[$doc])* $ident,)* }

        impl Permission {
            /// Every permission.
            pub(crate) const ALL: &[Self] = &[$(Self::$ident,)*];

            /// Its name in scopes.
            pub(crate) const fn name(self) -> &'static str {
                match self { $(Self::$ident => $name,)* }
            }
        }
    };
}

permissions! {
    /// What a program in the field does: validate, activate, deactivate, heartbeat, machine files.
    Use = "use",
    /// See licences and seats.
    LicensesRead = "licenses:read",
    /// Make licences.
    LicensesCreate = "licenses:create",
    /// Change, renew, suspend, reinstate, transfer licences; give seats back.
    LicensesUpdate = "licenses:update",
    /// Revoke licences.
    LicensesRevoke = "licenses:revoke",
    /// See organisations, products and plans.
    CatalogueRead = "catalogue:read",
    /// Make and change organisations, products and plans.
    CatalogueWrite = "catalogue:write",
    /// See installations.
    InstallationsRead = "installations:read",
    /// Link, unlink and retire installations.
    InstallationsWrite = "installations:write",
    /// Signing keys, roots and manifests; making revocation lists.
    SigningManage = "signing:manage",
    /// See, make and revoke API keys.
    ApiKeysManage = "api_keys:manage",
    /// See, make and change users.
    UsersManage = "users:manage",
    /// See, make and change webhooks and their deliveries.
    WebhooksManage = "webhooks:manage",
    /// Read the issuance log.
    LogRead = "log:read",
}

impl std::str::FromStr for Permission {
    type Err = UnknownPermission;

    fn from_str(text: &str) -> Result<Self, UnknownPermission> {
        Self::ALL.iter().copied().find(|permission| permission.name() == text).ok_or(UnknownPermission)
    }
}

/// A text that names no [`Permission`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there is no such scope: they are {}", names(Permission::ALL))]
pub(crate) struct UnknownPermission;

fn names(permissions: &[Permission]) -> String {
    permissions.iter().map(|permission| permission.name()).collect::<Vec<_>>().join(", ")
}

/// A set of permissions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Permissions(u32);

impl Permissions {
    /// Every permission.
    pub(crate) fn all() -> Self {
        Permission::ALL.iter().copied().collect()
    }

    pub(crate) const fn contains(self, permission: Permission) -> bool {
        self.0 & (1 << permission as u32) != 0
    }

    /// What both allow.
    #[must_use]
    pub(crate) const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether these are all among the others.
    pub(crate) const fn are_within(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }

    /// The permissions in the order of [`Permission::ALL`].
    pub(crate) fn iter(self) -> impl Iterator<Item = Permission> {
        Permission::ALL.iter().copied().filter(move |permission| self.contains(*permission))
    }
}

impl FromIterator<Permission> for Permissions {
    fn from_iter<I: IntoIterator<Item = Permission>>(permissions: I) -> Self {
        Self(permissions.into_iter().fold(0, |bits, permission| bits | (1 << permission as u32)))
    }
}

/// What a person is to the vendor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Role {
    /// Everything.
    Owner,
    /// Everything but users and signing keys.
    Admin,
    /// Helps customers: sees all, changes licences and installations.
    Support,
    /// Sees what is there.
    Viewer,
}

impl Role {
    /// Every role, the mightiest first.
    pub(crate) const ALL: [Self; 4] = [Self::Owner, Self::Admin, Self::Support, Self::Viewer];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::Support => "support",
            Self::Viewer => "viewer",
        }
    }

    pub(crate) fn named(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == text)
    }

    /// What somebody in that role may do.
    pub(crate) fn permissions(self) -> Permissions {
        use Permission as P;
        let except = |without: &[P]| P::ALL.iter().copied().filter(|p| !without.contains(p)).collect();
        match self {
            Self::Owner => Permissions::all(),
            Self::Admin => except(&[P::UsersManage, P::SigningManage]),
            Self::Support => [
                P::Use,
                P::LicensesRead,
                P::LicensesUpdate,
                P::CatalogueRead,
                P::InstallationsRead,
                P::InstallationsWrite,
            ]
            .into_iter()
            .collect(),
            Self::Viewer => {
                [P::LicensesRead, P::CatalogueRead, P::InstallationsRead, P::LogRead].into_iter().collect()
            }
        }
    }
}

/// Who asks, and how far that reaches.
#[derive(Debug, Clone)]
pub(crate) struct Actor {
    /// How the issuance log names it: `key:key_…`, `installation:INST-…`, `operator uid=N`.
    pub(crate) name: String,
    pub(crate) permissions: Permissions,
    /// The API key behind it, which idempotency is counted by.
    pub(crate) api_key_id: Option<String>,
    /// Whether live (`prod`) or test data alone; `None` for both.
    pub(crate) live: Option<bool>,
    /// The one product that it reaches; `None` for all.
    pub(crate) product_id: Option<String>,
}

impl Actor {
    /// Whoever works at the command line of the portal's machine: they hold the database anyway.
    pub(crate) fn operator(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            permissions: Permissions::all(),
            api_key_id: None,
            live: None,
            product_id: None,
        }
    }

    /// The portal itself, where nobody asked for it.
    pub(crate) fn portal() -> Self {
        Self { name: "portal".to_owned(), permissions: Permissions::default(), ..Self::operator("portal") }
    }

    /// Asks for a permission.
    ///
    /// # Errors
    /// [`Code::Forbidden`], naming the scope that is missing.
    pub(crate) fn require(&self, permission: Permission) -> Result<(), Refusal> {
        if self.permissions.contains(permission) {
            return Ok(());
        }
        let message = format!("this API key lacks the scope {}: use one that has it", permission.name());
        Err(Refusal::new(Code::Forbidden, message).with("scope", permission.name().into()))
    }

    /// Whether the data of an environment is within reach.
    pub(crate) fn reaches(&self, environment: Environment) -> bool {
        self.live.is_none_or(|live| live == (environment == Environment::Prod))
    }

    /// Whether a product is within reach.
    pub(crate) fn reaches_product(&self, product_id: &str) -> bool {
        self.product_id.as_deref().is_none_or(|own| own == product_id)
    }

    /// The environment of new data where the caller names none: `prod` for whoever reaches it, else `dev`.
    pub(crate) fn usual_environment(&self) -> Environment {
        if self.live == Some(false) { Environment::Dev } else { Environment::Prod }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_read_back_by_name() {
        for permission in Permission::ALL {
            assert_eq!(permission.name().parse(), Ok(*permission));
        }
        assert_eq!("licenses".parse::<Permission>(), Err(UnknownPermission));
        assert_eq!(Permissions::all().iter().count(), Permission::ALL.len());
    }

    #[test]
    fn a_lower_role_never_may_what_a_higher_one_may_not() {
        let [owner, admin, support, viewer] = Role::ALL.map(Role::permissions);
        assert!(admin.are_within(owner) && support.are_within(admin) && viewer.are_within(admin));
        assert!(!admin.contains(Permission::UsersManage) && !support.contains(Permission::LicensesRevoke));
        assert!(!viewer.contains(Permission::LicensesUpdate));
    }

    #[test]
    fn test_keys_reach_test_data_and_live_keys_live_data() {
        let with = |live| Actor { live, ..Actor::operator("x") };
        for environment in Environment::ALL {
            let is_live = environment == Environment::Prod;
            assert!(with(None).reaches(environment));
            assert_eq!(with(Some(true)).reaches(environment), is_live);
            assert_eq!(with(Some(false)).reaches(environment), !is_live);
        }
        let refused = Actor { permissions: Permissions::default(), ..with(None) };
        assert_eq!(refused.require(Permission::Use).unwrap_err().code, Code::Forbidden);
    }
}
