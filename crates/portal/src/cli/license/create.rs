//! `chancery-portal license create`.

use chancery_license::{Environment, LicenseKey};
use chancery_time::Timestamp;
use clap::Args;
use clap::builder::PossibleValuesParser;
use serde_json::{Map, Value};

use super::super::desk::{Desk, Told, actor};
use super::super::entitlements::Changes;
use super::super::values::{number_or, object};
use super::PRODUCT;
use super::flags::{EntitlementArgs, altered};
use super::shown::told;
use crate::domain::{Change, Mode};
use crate::service::licenses::{self, Found, NewLicense};
use crate::service::plans;
use crate::store::products::Kind;

#[derive(Debug, Args)]
pub(in crate::cli) struct CreateArgs {
    /// The product's slug.
    #[arg(long, value_name = "SLUG", default_value = PRODUCT)]
    product: String,
    /// The plan that its terms are copied from.
    #[arg(long, value_name = "PLAN")]
    plan: String,
    /// The organisation that it is for.
    #[arg(long, value_name = "ID")]
    organisation: Option<String>,
    /// What your own books call it.
    #[arg(long)]
    reference: Option<String>,
    /// When it begins, such as 2026-06-14T13:23:00Z [default: at once].
    #[arg(long, value_name = "TIME")]
    starts: Option<Timestamp>,
    /// When it ends [default: as much later as the plan says].
    #[arg(long, value_name = "TIME", conflicts_with = "no_end")]
    expires: Option<Timestamp>,
    /// It never ends.
    #[arg(long)]
    no_end: bool,
    /// How many seats, or `unlimited` [default: what the plan says].
    #[arg(long, value_name = "NUMBER", value_parser = number_or("unlimited"))]
    seat_limit: Option<Change<i64>>,
    /// What a seat stands for [default: what the plan says].
    #[arg(long, value_parser = PossibleValuesParser::new(Mode::ALL.map(Mode::name)))]
    mode: Option<String>,
    /// The environment: prod, dev, staging or uat [default: prod].
    #[arg(long)]
    env: Option<Environment>,
    /// Anything else, as a JSON object.
    #[arg(long, value_name = "JSON", value_parser = object)]
    metadata: Option<Map<String, Value>>,
    #[command(flatten)]
    entitlements: EntitlementArgs,
    #[command(flatten)]
    allowed: Changes,
}

pub(super) async fn run(desk: &Desk, args: CreateArgs) -> anyhow::Result<Told> {
    let (plan, _) = plans::show(&desk.office, &actor(), &args.product, &args.plan).await?;
    let before = plan.terms.chancery.map(|allowed| allowed.entitlements);
    let new = NewLicense {
        plan_key: args.plan,
        organisation_id: args.organisation,
        reference: args.reference,
        starts_at: args.starts,
        expires_at: Change::of(args.expires, args.no_end),
        seat_limit: args.seat_limit.unwrap_or_default(),
        mode: args.mode,
        entitlements: args.entitlements.given(),
        metadata: args.metadata,
        environment: args.env.map(|environment| environment.name().to_owned()),
        chancery_entitlements: altered(&args.allowed, before),
    };
    let found = licenses::create(&desk.office, &actor(), &args.product, new, None).await?;
    let Told { text, json } = told("Licence made.\n", &found)?;
    Ok(Told { text: format!("{text}{}", next_steps(&found)), json })
}

fn next_steps(found: &Found) -> String {
    let (id, key) = (&found.license.id, found.key.as_ref().map_or("", LicenseKey::reveal));
    let environment = found.license.environment;
    match (found.product.kind, &found.license.organisation_id) {
        (Kind::Generic, _) => format!(
            "Next: hand the key to whoever bought it; their program activates with it.\n  \
             {key}\n\
             It is shown again by\n  \
             chancery-portal license show {id} --reveal\n"
        ),
        (Kind::Chancery, None) => format!(
            "Next: say whom it is for, whom its documents have to name.\n  \
             chancery-portal license update {id} --organisation org_…\n"
        ),
        (Kind::Chancery, Some(_)) => format!(
            "Next, on an installation that reaches this portal:\n  \
             chancery license register --env {environment} {key}\n\
             or here, by its installation key:\n  \
             chancery-portal installation link INST-… --license {id}\n"
        ),
    }
}
