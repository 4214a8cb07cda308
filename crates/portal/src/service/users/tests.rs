use serde_json::json;

use super::*;
use crate::service::testing::{Bench, refused};

fn new(email: &str, role: Role) -> NewUser {
    NewUser { email: email.to_owned(), name: "Somebody".to_owned(), role: role.name().to_owned() }
}

fn to_role(role: Role) -> UserChanges {
    UserChanges { role: Change::Set(role.name().to_owned()), ..Default::default() }
}

#[tokio::test]
async fn an_address_is_that_of_one_user_in_whatever_case() {
    let bench = Bench::new().await;
    let (office, actor) = (&bench.office, Actor::operator("x"));
    let made = create(office, &actor, new("Ann@Example.com", Role::Owner), None).await.unwrap();
    assert_eq!(made.email, "ann@example.com");
    for id in [made.id.as_str(), "ann@example.com", "ANN@example.com"] {
        assert_eq!(show(office, &actor, id).await.unwrap(), made);
    }
    let refusal = refused(create(office, &actor, new("ann@example.COM", Role::Viewer), None).await);
    assert_eq!(refusal.details["field"], "email");
    let refusal = refused(create(office, &actor, new("ann", Role::Viewer), None).await);
    assert_eq!(refusal.details["field"], "email");
    let nobody = NewUser { role: "root".to_owned(), ..new("bob@example.com", Role::Viewer) };
    assert_eq!(refused(create(office, &actor, nobody, None).await).details["field"], "role");
    assert_eq!(refused(show(office, &actor, "usr_none").await).code, Code::NotFound);
}

#[tokio::test]
async fn the_last_owner_who_may_act_stays_one() {
    let bench = Bench::new().await;
    let (office, actor) = (&bench.office, Actor::operator("x"));
    let ann = create(office, &actor, new("ann@example.com", Role::Owner), None).await.unwrap();
    let bob = create(office, &actor, new("bob@example.com", Role::Owner), None).await.unwrap();
    disable(office, &actor, &bob.id, true).await.unwrap();
    let refusal = refused(disable(office, &actor, &ann.id, true).await);
    assert_eq!(refusal.code, Code::Forbidden);
    assert!(refusal.message.contains("last owner"), "{}", refusal.message);
    refused(update(office, &actor, &ann.id, to_role(Role::Admin)).await);
    assert_eq!(show(office, &actor, &ann.id).await.unwrap(), ann);
    disable(office, &actor, &bob.id, false).await.unwrap();
    assert_eq!(update(office, &actor, &ann.id, to_role(Role::Viewer)).await.unwrap().role, Role::Viewer);
    let told = bench.told().await;
    assert_eq!(
        told.last().unwrap().details,
        json!({ "user": ann.id, "changed": ["role"], "role": "viewer" })
    );
    // Two for the users, one each for disabling, enabling and the role: refusals leave nothing.
    assert_eq!(told.len(), 5);
}

#[tokio::test]
async fn only_those_who_may_as_much_as_an_owner_touch_owners() {
    let bench = Bench::new().await;
    let (office, operator) = (&bench.office, Actor::operator("x"));
    let owner = create(office, &operator, new("ann@example.com", Role::Owner), None).await.unwrap();
    let viewer = create(office, &operator, new("eve@example.com", Role::Viewer), None).await.unwrap();
    let mut permissions: Vec<Permission> = Role::Viewer.permissions().iter().collect();
    permissions.push(Permission::UsersManage);
    let clerk = Actor { permissions: permissions.into_iter().collect(), ..operator.clone() };
    for refusal in [
        refused(create(office, &clerk, new("mallory@example.com", Role::Owner), None).await),
        refused(update(office, &clerk, &viewer.id, to_role(Role::Owner)).await),
        refused(update(office, &clerk, &owner.id, to_role(Role::Viewer)).await),
        refused(disable(office, &clerk, &owner.id, true).await),
    ] {
        assert_eq!(refusal.code, Code::Forbidden);
        assert!(refusal.message.contains("owner"), "{}", refusal.message);
    }
    assert!(disable(office, &clerk, &viewer.id, true).await.is_ok());
    assert!(create(office, &clerk, new("zoe@example.com", Role::Viewer), None).await.is_ok());
}

#[tokio::test]
async fn users_are_managed_with_live_keys_for_all_products() {
    let bench = Bench::new().await;
    let product = bench.product("app").await;
    let (live, test) = (bench.secret_key(true).await, bench.secret_key(false).await);
    let office = &bench.office;
    let made = create(office, &live, new("ann@example.com", Role::Owner), None).await.unwrap();
    assert_eq!(show(office, &test, &made.id).await.unwrap(), made);
    assert_eq!(refused(disable(office, &test, &made.id, true).await).code, Code::Forbidden);
    let bound = Actor { product_id: Some(product.id), ..live };
    assert_eq!(refused(show(office, &bound, &made.id).await).code, Code::Forbidden);
    assert_eq!(
        refused(create(office, &bound, new("b@example.com", Role::Viewer), None).await).code,
        Code::Forbidden
    );
}
