//! `chancery-portal license update`.

use chancery_license::state::AfterGrace;
use chancery_time::Timestamp;
use clap::Args;
use clap::builder::PossibleValuesParser;
use serde_json::{Map, Value};

use super::super::desk::{Desk, Told, actor};
use super::super::entitlements::Changes;
use super::super::values::{after_grace, number_or, object};
use super::by_id;
use super::flags::{EntitlementArgs, altered};
use super::shown::{hidden, told};
use crate::domain::{Change, Mode};
use crate::service::licenses::{self, LicenseChanges};
use crate::service::plans;
use crate::store::licenses::after_grace_name;

#[derive(Debug, Args)]
pub(in crate::cli) struct UpdateArgs {
    /// The plan that its terms are copied from anew, before the other flags change them.
    #[arg(long, value_name = "PLAN")]
    plan: Option<String>,
    /// The organisation that it is for.
    #[arg(long, value_name = "ID", conflicts_with = "no_organisation")]
    organisation: Option<String>,
    /// It is for no organisation.
    #[arg(long)]
    no_organisation: bool,
    /// What your own books call it.
    #[arg(long, conflicts_with = "no_reference")]
    reference: Option<String>,
    /// Take the reference away.
    #[arg(long)]
    no_reference: bool,
    /// When it begins.
    #[arg(long, value_name = "TIME", conflicts_with = "at_once")]
    starts: Option<Timestamp>,
    /// It has begun.
    #[arg(long)]
    at_once: bool,
    /// When it ends.
    #[arg(long, value_name = "TIME", conflicts_with = "no_end")]
    expires: Option<Timestamp>,
    /// It never ends.
    #[arg(long)]
    no_end: bool,
    /// How many seats, or `unlimited`; not below those that are taken.
    #[arg(long, value_name = "NUMBER", value_parser = number_or("unlimited"))]
    seat_limit: Option<Change<i64>>,
    /// What a seat stands for.
    #[arg(long, value_parser = PossibleValuesParser::new(Mode::ALL.map(Mode::name)))]
    mode: Option<String>,
    /// For how many days everything still works after the end.
    #[arg(long, value_name = "DAYS")]
    grace_days: Option<i64>,
    /// What is allowed after that.
    #[arg(long, value_parser = after_grace())]
    after_grace: Option<AfterGrace>,
    /// How long machine files are valid where a request does not say.
    #[arg(long, value_name = "DAYS")]
    file_days: Option<i64>,
    /// Their grace.
    #[arg(long, value_name = "DAYS")]
    file_grace_days: Option<i64>,
    /// Anything else, as a JSON object, in place of all that is there.
    #[arg(long, value_name = "JSON", value_parser = object, conflicts_with = "no_metadata")]
    metadata: Option<Map<String, Value>>,
    /// Take the metadata away.
    #[arg(long)]
    no_metadata: bool,
    #[command(flatten)]
    entitlements: EntitlementArgs,
    #[command(flatten)]
    allowed: Changes,
}

pub(super) async fn run(desk: &Desk, id: String, args: UpdateArgs) -> anyhow::Result<Told> {
    let (office, actor) = (&desk.office, &actor());
    let found = licenses::show(office, actor, by_id(id.clone())).await?;
    let terms = match &args.plan {
        Some(plan_key) => plans::show(office, actor, &found.product.slug, plan_key).await?.0.terms,
        None => found.license.terms,
    };
    let before = terms.chancery.map(|allowed| allowed.entitlements);
    let changes = LicenseChanges {
        plan_key: Change::of(args.plan, false),
        organisation_id: Change::of(args.organisation, args.no_organisation),
        reference: Change::of(args.reference, args.no_reference),
        metadata: Change::of(args.metadata, args.no_metadata),
        starts_at: Change::of(args.starts, args.at_once),
        expires_at: Change::of(args.expires, args.no_end),
        seat_limit: args.seat_limit.unwrap_or_default(),
        mode: Change::of(args.mode, false),
        entitlements: Change::of(args.entitlements.given(), false),
        grace_days: Change::of(args.grace_days, false),
        after_grace: Change::of(args.after_grace.map(|after| after_grace_name(after).to_owned()), false),
        file_days: Change::of(args.file_days, false),
        file_grace_days: Change::of(args.file_grace_days, false),
        chancery_entitlements: Change::of(altered(&args.allowed, before), false),
    };
    told("Licence changed.\n", &hidden(licenses::change(office, actor, by_id(id), changes).await?))
}
