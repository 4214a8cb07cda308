//! `chancery-portal license mint jwt`.

use std::path::PathBuf;

use chancery_cli::tell;
use chancery_license::jwt::{Claims, Tier};
use chancery_license::{Feature, Method, Set, Version};
use chancery_time::{Clock, SystemClock, Timestamp};
use clap::Args;
use serde_json::json;

use super::mint::TermArgs;
use super::{OutputArgs, files, values};
use crate::issue;

#[derive(Debug, Args)]
pub(super) struct MintJwtArgs {
    /// The private key to sign with: RSA for RS256, or Ed25519 for EdDSA. It decides the product and the
    /// environment.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Its tier (claim `tier`).
    #[arg(long, value_parser = values::tier())]
    tier: Tier,
    /// What it is called, and revoked by (claim `jti`).
    #[arg(long)]
    id: String,
    /// Who issues it, such as the vendor's domain (claim `iss`).
    #[arg(long, value_name = "NAME")]
    issuer: String,
    /// The organisation that holds it (claim `org_name`).
    #[arg(long, value_name = "NAME")]
    organisation: String,
    /// The e-mail address of the holder (claim `sub`).
    #[arg(long, value_name = "ADDRESS")]
    email: String,
    #[command(flatten)]
    term: TermArgs,
    /// For how many days everything still works after it ended (claim `grace_days`).
    #[arg(long, value_name = "N", default_value_t = 7)]
    grace_days: u32,
    /// Active certificates: a number or `forbidden` (claim `cert_limit`).
    #[arg(long, value_name = "N", value_parser = values::count)]
    max_certificates: u64,
    /// Users of the console (claim `user_limit`).
    #[arg(long, value_name = "N", value_parser = values::count)]
    max_users: u64,
    /// Certificate profiles (claim `dtp_limit`).
    #[arg(long, value_name = "N", value_parser = values::count)]
    max_profiles: u64,
    /// The features: some of acme,api,ha,mtls,oidc,siem, or `none` [default: those of the tier].
    #[arg(long, value_name = "NAMES", value_parser = values::set::<Feature>)]
    features: Option<Set<Feature>>,
    /// The oldest version that may use it (claim `version`); 0.0.0 for any.
    #[arg(long, value_name = "VERSION", default_value = "0.0.0")]
    minimum_version: Version,
    #[command(flatten)]
    output: OutputArgs,
}

pub(super) fn run(args: MintJwtArgs) -> anyhow::Result<()> {
    let key = files::signing_key(&args.key, "--key")?;
    let output = args.output.output.clone();
    let json = args.output.json;
    let claims = claims(args, SystemClock.now())?;
    let token = issue::license_jwt(&claims, &key)?;
    files::create_private(&output, &format!("{token}\n"))?;

    let path = output.display();
    let (signed_by, algorithm) = (key.public().id(), algorithm(key.public().method()));
    let expires = claims.terms().expires;
    let object = json!({
        "path": path.to_string(),
        "claims": claims,
        "algorithm": algorithm,
        "signed_by": signed_by.to_string(),
    });
    let Claims { jti, sub, org_name, tier, .. } = &claims;
    let text = format!(
        "Wrote {path} — tier={tier} expires={expires}\n  \
         Licence  : {jti}\n  \
         Holder   : {org_name} <{sub}>\n  \
         Signed by: {signed_by}, {algorithm}",
    );
    Ok(tell(json, &object, &text)?)
}

fn claims(args: MintJwtArgs, now: Timestamp) -> anyhow::Result<Claims> {
    let expires = args.term.term().end(now)?;
    Ok(Claims {
        jti: args.id,
        sub: args.email,
        iss: args.issuer,
        iat: now.unix_seconds().unsigned_abs(),
        exp: expires.unix_seconds().unsigned_abs(),
        org_name: args.organisation,
        tier: args.tier,
        cert_limit: args.max_certificates,
        user_limit: args.max_users,
        dtp_limit: args.max_profiles,
        grace_days: args.grace_days,
        features: args.features.unwrap_or(args.tier.plan().entitlements().features),
        version: args.minimum_version,
    })
}

const fn algorithm(method: Method) -> &'static str {
    match method {
        Method::RsaPkcs1Sha256 => "RS256",
        _ => "EdDSA",
    }
}
