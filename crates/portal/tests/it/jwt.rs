use chancery_license::jwt::{self, Tier};
use chancery_license::{Feature, Set};

use crate::desk::Desk;

const MINT: &str = "license mint jwt --tier pro --id acme-jwt --issuer vendor.example --organisation Acme_Ltd \
                    --email ops@acme.example --max-certificates 500 --max-users 10 --max-profiles forbidden \
                    -o @license.jwt --key";

#[test]
fn a_licence_jwt_is_signed_by_the_method_of_its_key() {
    let desk = Desk::with_keys();
    let trusted = desk.keyring(&["root.key", "jwt.key"]).jwt_keys();
    for (key, algorithm, own) in [("root.key", "EdDSA", 0), ("jwt.key", "RS256", 1)] {
        let name = format!("{algorithm}.jwt");
        let told = desk.json(
            &MINT
                .replace("@license.jwt", &format!("@{name}"))
                .replace("--key", &format!("--days 30 --key @{key}")),
        );
        assert_eq!(told["algorithm"], algorithm);

        let token = desk.read(&name);
        let verified = jwt::verify(token.as_bytes(), &trusted).unwrap();
        assert_eq!(verified.signer(), trusted[own].id());
        assert!(jwt::verify(token.as_bytes(), &trusted[1 - own..=1 - own]).is_err());

        let claims = verified.claims();
        assert_eq!(
            [&claims.jti, &claims.sub, &claims.iss, &claims.org_name],
            ["acme-jwt", "ops@acme.example", "vendor.example", "Acme Ltd"]
        );
        assert_eq!((claims.tier, claims.exp - claims.iat), (Tier::Pro, 30 * 86_400));
        assert_eq!((claims.cert_limit, claims.user_limit, claims.dtp_limit), (500, 10, 0));
        assert_eq!((claims.grace_days, claims.version.to_string().as_str()), (7, "0.0.0"));
        assert_eq!(claims.features, Set::from([Feature::Acme, Feature::Api, Feature::Siem, Feature::Mtls]));
    }
}

#[test]
fn the_token_carries_all_thirteen_claims() {
    let desk = Desk::with_keys();
    let told = desk.json(&format!(
        "{MINT} @jwt.key --expires 2099-01-01T00:00:00Z --grace-days 14 --features siem,ha --minimum-version 1.4.0"
    ));
    let claims = told["claims"].as_object().unwrap();
    let names: Vec<&str> = claims.keys().map(String::as_str).collect();
    let mut wanted = [
        "jti",
        "sub",
        "iss",
        "iat",
        "exp",
        "org_name",
        "tier",
        "cert_limit",
        "user_limit",
        "dtp_limit",
        "grace_days",
        "features",
        "version",
    ];
    wanted.sort_unstable();
    assert_eq!(names, wanted);
    let verified = jwt::verify(desk.read("license.jwt").as_bytes(), &[desk.public_key("jwt.key")]).unwrap();
    assert_eq!(serde_json::to_value(verified.claims()).unwrap(), told["claims"]);
    assert_eq!(verified.claims().terms().expires.to_string(), "2099-01-01T00:00:00Z");
    assert_eq!((claims["grace_days"].as_u64(), claims["version"].as_str()), (Some(14), Some("1.4.0")));
    assert_eq!(verified.claims().features, Set::from([Feature::Ha, Feature::Siem]));
}

#[test]
fn what_no_program_would_take_is_not_minted() {
    let desk = Desk::with_keys();
    let mint = format!("{MINT} @jwt.key --days 30");
    for (words, code, named) in [
        (
            mint.replace("--max-certificates 500", "--max-certificates unlimited"),
            2,
            &["--max-certificates", ".lic"][..],
        ),
        (mint.replace("--max-users 10", ""), 2, &["--max-users"]),
        (mint.replace("--tier pro", "--tier free"), 2, &["--tier", "trial, starter, pro, enterprise"]),
        (
            mint.replace("--days 30", "--expires 2020-01-01T00:00:00Z"),
            1,
            &["2020-01-01T00:00:00Z", "--expires"],
        ),
        (format!("{mint} --grace-days 400"), 1, &["`grace_days` is at most 366"]),
        (mint.replace("acme-jwt", &"x".repeat(257)), 1, &["`jti` has 1 to 256 bytes"]),
    ] {
        desk.refuses(&words, code, named);
    }
    desk.run(&mint).succeeded();
    desk.refuses(&mint, 1, &["license.jwt exists already"]);
}
