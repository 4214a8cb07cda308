use std::time::Duration;

use chancery_license::jwt::{self, JwtError, Tier};
use chancery_license::machine_file::block::{Block, BlockError};
use chancery_license::machine_file::{self, Identity, Unjudged};
use chancery_license::revocations::Reason;
use chancery_license::state::AfterGrace;
use chancery_license::{
    Anchor, Environment, InstallationKey, Keyring, License, Limit, Plan, PublicKey, RevocationList,
    TrustAnchors, Verified, open,
};

use super::*;

const DAY: Duration = Duration::from_secs(86_400);

/// What a development build trusts, whichever anchors this build was made with.
fn dev_keyring() -> Keyring {
    let anchor = |pem| Anchor {
        key: PublicKey::from_pem(pem).unwrap(),
        product: PRODUCT.to_owned(),
        environment: Environment::Dev,
    };
    let anchors = TrustAnchors::new(vec![
        anchor(include_str!("../../../license/trust/dev/anchor.pem")),
        anchor(include_str!("../../../license/trust/dev/jwt-anchor.pem")),
    ]);
    Keyring::new(&anchors.unwrap(), PRODUCT, Environment::Dev).unwrap()
}

fn opened(text: &str) -> Verified<License> {
    open(text, &dev_keyring()).unwrap()
}

/// The class of the refusal of a licence.
fn refusal(text: &str) -> &'static str {
    open::<License>(text, &dev_keyring()).unwrap_err().class()
}

#[test]
fn a_licence_is_valid_from_now_on_without_further_ado() {
    let before = now();
    let license = opened(&Vendor::new().license().mint());
    let (issued, license) = (license.document().issued, license.into_document().body);
    assert!((before..=now()).contains(&issued));
    assert_eq!((license.id.as_str(), license.serial, license.plan), ("lic-test", 1, Plan::Pro));
    assert_eq!((license.not_before, license.expires), (issued, issued + 30 * DAY));
    assert_eq!((license.grace_days, license.after_grace), (7, AfterGrace::RenewalsOnly));
    assert_eq!(license.entitlements, Plan::Pro.entitlements());
    assert_eq!(license.installation_key, None);
}

#[test]
fn a_licence_says_what_the_test_wants() {
    let installation = InstallationKey::from_random(&[3; 29]);
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    let vendor = Vendor::new();
    let license = vendor
        .license()
        .id("lic-7")
        .serial(41)
        .plan(Plan::Enterprise)
        .entitlements(|allowed| allowed.max_managed_servers = Limit::AtMost(3))
        .bound_to(installation.as_str())
        .issued(at("2026-03-01T00:00:00Z"))
        .not_before(at("2026-03-02T00:00:00Z"))
        .expires(at("2027-03-01T00:00:00Z"))
        .grace_days(0)
        .block_after_grace()
        .clock_tolerance_hours(1)
        .newest_build(at("2026-12-31T00:00:00Z"))
        .minimum_version("1.4.0");
    let license = opened(&license.mint());
    assert_eq!(license.document().issued, at("2026-03-01T00:00:00Z"));
    let license = license.into_document().body;
    assert_eq!((license.id.as_str(), license.serial, license.plan), ("lic-7", 41, Plan::Enterprise));
    assert_eq!(license.entitlements.max_managed_servers, Limit::AtMost(3));
    assert_eq!(license.entitlements.features, Plan::Enterprise.entitlements().features);
    assert_eq!(license.installation_key, Some(installation));
    assert_eq!(license.not_before, at("2026-03-02T00:00:00Z"));
    assert_eq!(license.expires, at("2027-03-01T00:00:00Z"));
    assert_eq!((license.grace_days, license.after_grace), (0, AfterGrace::Block));
    assert_eq!(license.clock_tolerance_hours, 1);
    assert_eq!(license.newest_build, Some(at("2026-12-31T00:00:00Z")));
    assert_eq!(license.minimum_version, Some("1.4.0".parse().unwrap()));
}

#[test]
fn a_licence_for_elsewhere_does_not_open_here() {
    let vendor = Vendor::new();
    assert_eq!(refusal(&vendor.license().environment(Environment::Prod).mint()), "wrong_environment");
    assert_eq!(refusal(&vendor.license().product("other").mint()), "wrong_product");
}

#[test]
fn a_jwt_is_signed_by_either_key() {
    let vendor = Vendor::new();
    let keys = dev_keyring().jwt_keys();
    let token = || vendor.jwt().id("jwt-7").tier(Tier::Enterprise).claims(|claims| claims.cert_limit = 2);
    for (token, key) in [(token().mint(), &vendor.rsa), (token().mint_eddsa(), &vendor.ed25519)] {
        let verified = jwt::verify(token.as_bytes(), &keys).unwrap();
        assert_eq!(verified.signer(), key.public().id());
        let claims = verified.claims();
        assert_eq!((claims.jti.as_str(), claims.tier, claims.cert_limit), ("jwt-7", Tier::Enterprise, 2));
        assert_eq!(claims.exp - claims.iat, 30 * 86_400);
    }
}

#[test]
fn a_machine_file_is_what_it_was_asked_to_be() {
    let (vendor, now) = (Vendor::new(), now());
    let file =
        vendor.machine_file("machine-7").id("lic-7").serial(41).plan(Plan::Starter).block_after_grace();
    let text = file.expires(now + 9 * DAY).grace_days(3).license_expires(now + 20 * DAY).mint();
    let (key, keys) = (vendor.license_key(), dev_keyring().machine_file_keys());
    let identity =
        Identity { license_key: key.reveal(), fingerprint: "machine-7", product_slug: PRODUCT, keys: &keys };
    let Unjudged { contents, signer } = machine_file::read(&text, &identity).unwrap();
    assert_eq!(signer, vendor.ed25519.public().id());
    let block = Block::of(&contents).unwrap();
    assert_eq!((block.id.as_str(), block.serial, block.plan), ("lic-7", 41, Plan::Starter));
    assert_eq!((block.entitlements, block.after_grace), (Plan::Starter.entitlements(), AfterGrace::Block));
    assert_eq!((contents.expires, contents.grace), (now + 9 * DAY, 3 * DAY));
    assert_eq!(contents.license_expires, Some(now + 20 * DAY));

    let bare =
        machine_file::read(&vendor.machine_file("machine-7").without_block().mint(), &identity).unwrap();
    assert_eq!(Block::of(&bare.contents), Err(BlockError::Missing));
    let strange = Vendor::stranger().machine_file("machine-7").mint();
    assert_eq!(machine_file::read(&strange, &identity).unwrap_err().class(), "unknown_key");
}

#[test]
fn a_list_revokes_licences_and_issues() {
    let vendor = Vendor::new();
    let list = vendor.revoke(5).license("lic-b").license("lic-a").license("lic-b").serial(9).serial(8);
    let list = open::<RevocationList>(&list.mint(), &dev_keyring()).unwrap();
    let (issued, list) = (list.document().issued, list.into_document().body);
    assert_eq!(list.sequence, 5);
    assert_eq!(list.licenses.len(), 2);
    for (id, serial) in [("lic-a", 0), ("lic-b", 0), ("other", 8), ("other", 9)] {
        assert_eq!(list.find(id, serial), Some((issued, Reason::Unspecified)), "{id} {serial}");
    }
    assert_eq!(list.find("other", 7), None);
}

#[test]
fn nobody_knows_the_stranger() {
    let stranger = Vendor::stranger();
    assert_eq!(refusal(&stranger.license().mint()), "unknown_key");
    let list = open::<RevocationList>(&stranger.revoke(1).mint(), &dev_keyring());
    assert_eq!(list.unwrap_err().class(), "unknown_key");
    for token in [stranger.jwt().mint(), stranger.jwt().mint_eddsa()] {
        let refused = jwt::verify(token.as_bytes(), &dev_keyring().jwt_keys()).unwrap_err();
        assert!(matches!(refused, JwtError::UnknownKey(_)), "{refused}");
    }
    assert_ne!(stranger.rsa.public(), Vendor::stranger().rsa.public());
}
