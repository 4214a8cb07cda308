//! How far callers reach into what is not of one environment.

use super::{Actor, Code, Permission, Refusal, Role};

impl Actor {
    /// Asks for a permission to change what live and test data share, such as the catalogue.
    ///
    /// # Errors
    /// [`Code::Forbidden`], without the permission and with a test key.
    pub(crate) fn require_live(&self, permission: Permission) -> Result<(), Refusal> {
        self.require(permission)?;
        if self.live == Some(false) {
            let message = "live and test data share this, so that test keys only read it: use a live key";
            return Err(Refusal::new(Code::Forbidden, message));
        }
        Ok(())
    }

    /// Asks for a permission about what belongs to no product.
    ///
    /// # Errors
    /// [`Code::Forbidden`], without the permission and with a key for one product.
    pub(crate) fn require_every_product(&self, permission: Permission) -> Result<(), Refusal> {
        self.require(permission)?;
        if self.product_id.is_some() {
            let message =
                "this belongs to no product, and the API key is for one alone: use a key for all products";
            return Err(Refusal::new(Code::Forbidden, message));
        }
        Ok(())
    }

    /// Asks for everything that the role allows: nobody gives, takes or changes a role that may more than they.
    ///
    /// # Errors
    /// [`Code::Forbidden`], naming the role.
    pub(crate) fn require_role(&self, role: Role) -> Result<(), Refusal> {
        if role.permissions().are_within(self.permissions) {
            return Ok(());
        }
        let message = format!("only those who may all that the role {} allows have a say in it", role.name());
        Err(Refusal::new(Code::Forbidden, message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shared_is_changed_by_live_keys_for_all_products() {
        let operator = Actor::operator("x");
        let with = |live, product: Option<&str>| Actor {
            live,
            product_id: product.map(str::to_owned),
            ..operator.clone()
        };
        let permission = Permission::UsersManage;
        assert_eq!(operator.require_live(permission), Ok(()));
        assert_eq!(with(Some(true), Some("prd_1")).require_live(permission), Ok(()));
        assert!(with(Some(false), None).require_live(permission).unwrap_err().message.contains("live key"));
        assert_eq!(with(Some(false), None).require_every_product(permission), Ok(()));
        let refusal = with(None, Some("prd_1")).require_every_product(permission).unwrap_err();
        assert_eq!(refusal.code, Code::Forbidden);
    }

    #[test]
    fn a_role_is_touched_by_those_who_may_as_much() {
        for actor in Role::ALL {
            let with = Actor { permissions: actor.permissions(), ..Actor::operator("x") };
            for role in Role::ALL {
                let may = role.permissions().are_within(actor.permissions());
                assert_eq!(with.require_role(role).is_ok(), may, "{} {}", actor.name(), role.name());
            }
        }
    }

    #[test]
    fn the_page_about_the_portal_tells_who_may_do_what() {
        let page = include_str!("../../../../docs/portal.md");
        let rows: Vec<(&str, Vec<&str>)> = page
            .lines()
            .filter_map(|line| line.strip_prefix("| `")?.split_once("` |"))
            .filter(|(name, _)| name.parse::<Permission>().is_ok())
            .map(|(name, cells)| (name, cells.split('|').skip(1).map(str::trim).take(4).collect()))
            .collect();
        let expected: Vec<(&str, Vec<&str>)> = Permission::ALL
            .iter()
            .map(|permission| {
                let may = |role: Role| if role.permissions().contains(*permission) { "yes" } else { "" };
                (permission.name(), Role::ALL.map(may).to_vec())
            })
            .collect();
        assert_eq!(rows, expected);
    }
}
