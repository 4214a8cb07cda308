//! `chancery-portal plan`: what licences of a product are made with.

use anyhow::Context as _;
use chancery_cli::Lines;
use chancery_license::Plan as Offer;
use chancery_license::state::AfterGrace;
use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use super::desk::{CommonArgs, Told, actor};
use super::entitlements::Changes;
use super::pages::{PageArgs, listed, or_dash};
use super::values::{after_grace, number_or, object};
use crate::api::plan::PlanObject;
use crate::domain::{Change, Mode};
use crate::service::plans::{self, ChanceryMember, PlanMembers};
use crate::store::licenses::{Allowed, Entitlement, after_grace_name};
use crate::store::plans::Plan;
use crate::store::products::Product;

#[derive(Debug, Subcommand)]
pub(super) enum PlanCommand {
    /// Add a plan.
    Create {
        #[command(flatten)]
        of: OfArgs,
        /// What people call it.
        #[arg(long)]
        name: String,
        #[command(flatten)]
        terms: TermsArgs,
        #[command(flatten)]
        common: CommonArgs,
    },
    /// List the plans of a product.
    List {
        /// The product's slug.
        #[arg(long, value_name = "SLUG")]
        product: String,
        #[command(flatten)]
        page: PageArgs,
        #[command(flatten)]
        common: CommonArgs,
    },
    /// Show a plan.
    Show {
        #[command(flatten)]
        of: OfArgs,
        #[command(flatten)]
        common: CommonArgs,
    },
    /// Change a plan. What is not given stays, and licences that were made of it keep what they have.
    Update {
        #[command(flatten)]
        of: OfArgs,
        /// What people call it.
        #[arg(long)]
        name: Option<String>,
        #[command(flatten)]
        terms: TermsArgs,
        #[command(flatten)]
        common: CommonArgs,
    },
    /// Make no more licences of a plan. Those that there are go on.
    Archive {
        #[command(flatten)]
        of: OfArgs,
        #[command(flatten)]
        common: CommonArgs,
    },
    /// Make licences of an archived plan again.
    Unarchive {
        #[command(flatten)]
        of: OfArgs,
        #[command(flatten)]
        common: CommonArgs,
    },
}

/// Which plan.
#[derive(Debug, Args)]
pub(super) struct OfArgs {
    /// By what the product knows the plan.
    plan_key: String,
    /// The product's slug.
    #[arg(long, value_name = "SLUG")]
    product: String,
}

#[derive(Debug, Args)]
pub(super) struct TermsArgs {
    /// What a seat stands for; hardware_locked for a new plan.
    #[arg(long, value_parser = PossibleValuesParser::new(Mode::ALL.map(Mode::name)))]
    mode: Option<String>,
    /// How many seats: a number, or `unlimited`; 1 for a new plan.
    #[arg(long, value_name = "NUMBER", value_parser = number_or("unlimited"))]
    seat_limit: Option<Change<i64>>,
    /// For how many days a licence is valid, and renewed by: a number, or `forever`; 365 for a new plan.
    #[arg(long, value_name = "DAYS", value_parser = number_or("forever"))]
    valid_days: Option<Change<i64>>,
    /// For how many days everything still works after the end; 7 for a new plan.
    #[arg(long, value_name = "DAYS")]
    grace_days: Option<i64>,
    /// What is allowed after that; renewals-only for a new plan.
    #[arg(long, value_parser = after_grace())]
    after_grace: Option<AfterGrace>,
    /// How long machine files are valid where a request does not say; 30 for a new plan.
    #[arg(long, value_name = "DAYS")]
    file_days: Option<i64>,
    /// Their grace; 7 for a new plan.
    #[arg(long, value_name = "DAYS")]
    file_grace_days: Option<i64>,
    /// What licences entitle to, as a JSON list of {"key", "expires_at", "metadata"}, in place of all that is there.
    #[arg(long, value_name = "JSON", value_parser = entitlements)]
    entitlements: Option<Listed>,
    /// What licences entitle to where a key says it all; give it once for each, in place of all that is there.
    #[arg(long, value_name = "KEY", conflicts_with = "entitlements")]
    entitlement: Vec<String>,
    /// Anything else, as a JSON object, in place of all that is there.
    #[arg(long, value_name = "JSON", value_parser = object, conflicts_with = "no_metadata")]
    metadata: Option<Map<String, Value>>,
    /// Take the metadata away.
    #[arg(long)]
    no_metadata: bool,
    /// Of a product of the kind chancery: free, starter, pro or enterprise; what the key of a new plan says.
    #[arg(long, value_name = "PLAN")]
    chancery_plan: Option<Offer>,
    #[command(flatten)]
    allowed: Changes,
}

/// Entitlements in one flag.
#[derive(Debug, Clone)]
struct Listed(Vec<Entitlement>);

fn entitlements(text: &str) -> Result<Listed, String> {
    serde_json::from_str(text).map(Listed).map_err(|error| error.to_string())
}

impl TermsArgs {
    /// The members of a plan, whose product's licences allow `before` until now.
    fn members(self, name: Change<String>, before: Option<Allowed>) -> anyhow::Result<PlanMembers> {
        let base =
            self.chancery_plan.map(|plan| Allowed { plan, entitlements: plan.entitlements() }).or(before);
        let chancery = match base {
            Some(base) => {
                let allowed = Allowed { entitlements: self.allowed.apply(base.entitlements), ..base };
                let is_new = Some(allowed) != before;
                let member = ChanceryMember { plan: allowed.plan, entitlements: Some(allowed.entitlements) };
                Change::of(is_new.then_some(member), false)
            }
            None => {
                let has_changes = Offer::ALL.into_iter().any(|plan| {
                    let entitlements = plan.entitlements();
                    self.allowed.apply(entitlements) != entitlements
                });
                (!has_changes)
                    .then_some(Change::Keep)
                    .context("say with --chancery-plan what the other flags change")?
            }
        };
        let keys =
            self.entitlement.into_iter().map(|key| Entitlement { key, expires_at: None, metadata: None });
        let keys: Vec<Entitlement> = keys.collect();
        let entitlements = self.entitlements.map(|listed| listed.0).or((!keys.is_empty()).then_some(keys));
        Ok(PlanMembers {
            plan_key: None,
            name,
            mode: Change::of(self.mode, false),
            seat_limit: self.seat_limit.unwrap_or_default(),
            valid_days: self.valid_days.unwrap_or_default(),
            grace_days: Change::of(self.grace_days, false),
            after_grace: Change::of(self.after_grace.map(|after| after_grace_name(after).to_owned()), false),
            file_days: Change::of(self.file_days, false),
            file_grace_days: Change::of(self.file_grace_days, false),
            entitlements: Change::of(entitlements, false),
            chancery,
            metadata: Change::of(self.metadata, self.no_metadata),
        })
    }
}

/// Runs a command.
///
/// # Errors
/// What was wrong and what to do about it; nothing was changed then.
pub(super) fn run(command: PlanCommand) -> anyhow::Result<()> {
    use PlanCommand as Command;
    match command {
        Command::Create { of, name, terms, common } => common.visit(async |desk| {
            let offer = of.plan_key.parse().ok();
            // The service takes what the key says, too, where the product is of that kind.
            let before = offer.map(|plan: Offer| Allowed { plan, entitlements: plan.entitlements() });
            let members = terms.members(Change::Set(name), before)?;
            let members = PlanMembers { plan_key: Some(of.plan_key), ..members };
            told("Plan added.\n", plans::create(&desk.office, &actor(), &of.product, members, None).await?)
        }),
        Command::List { product, page, common } => common.visit(async |desk| {
            let (found, product, next) = plans::list(&desk.office, &actor(), &product, page.page()).await?;
            let headings = ["PLAN", "MODE", "SEATS", "DAYS", "ARCHIVED", "NAME"];
            let none = "There are no plans of this product.";
            listed((found, next), none, headings, row, |plan| PlanObject::new(plan, &product))
        }),
        Command::Show { of, common } => common.visit(async |desk| {
            told("", plans::show(&desk.office, &actor(), &of.product, &of.plan_key).await?)
        }),
        Command::Update { of, name, terms, common } => common.visit(async |desk| {
            let (before, _) = plans::show(&desk.office, &actor(), &of.product, &of.plan_key).await?;
            let members = terms.members(Change::of(name, false), before.terms.chancery)?;
            let changed = plans::update(&desk.office, &actor(), &of.product, &of.plan_key, members).await?;
            told("Plan changed; licences that were made of it keep what they have.\n", changed)
        }),
        Command::Archive { of, common } => common.visit(async |desk| {
            let archived = plans::archive(&desk.office, &actor(), &of.product, &of.plan_key, true).await?;
            told("Plan archived: no new licences are made of it.\n", archived)
        }),
        Command::Unarchive { of, common } => common.visit(async |desk| {
            let back = plans::archive(&desk.office, &actor(), &of.product, &of.plan_key, false).await?;
            told("Plan back in the catalogue.\n", back)
        }),
    }
}

fn row(plan: &Plan) -> [String; 6] {
    [
        plan.terms.plan_key.clone(),
        plan.terms.mode.name().to_owned(),
        plan.terms.seat_limit.map_or_else(|| "unlimited".to_owned(), |seats| seats.to_string()),
        plan.valid_days.map_or_else(|| "forever".to_owned(), |days| days.to_string()),
        or_dash(plan.archived_at.map(|since| since.to_minutes())),
        plan.name.clone(),
    ]
}

fn told(what: &str, (row, product): (Plan, Product)) -> anyhow::Result<Told> {
    let terms = &row.terms;
    let mut lines = Lines::default();
    lines.add("Plan", &terms.plan_key);
    lines.add("Product", &product.slug);
    lines.add("Name", &row.name);
    lines.add("Mode", terms.mode.name());
    lines.add("Seats", terms.seat_limit.map_or_else(|| "unlimited".to_owned(), |seats| seats.to_string()));
    lines.add("Valid", row.valid_days.map_or_else(|| "forever".to_owned(), |days| format!("{days} days")));
    let after = after_grace_name(terms.after_grace);
    lines.add("Grace", format_args!("{} days, then {after}", terms.grace_days));
    let (days, grace) = (terms.file_days, terms.file_grace_days);
    lines.add("Machine files", format_args!("valid {days} days, {grace} days of grace"));
    let keys: Vec<&str> = terms.entitlements.iter().map(|entitlement| entitlement.key.as_str()).collect();
    lines.add("Entitlements", or_dash((!keys.is_empty()).then(|| keys.join(" "))));
    if let Some(allowed) = terms.chancery {
        lines.add("Chancery plan", format_args!("{}, {}", allowed.plan, json!(allowed.entitlements)));
    }
    if let Some(metadata) = &row.metadata {
        lines.add("Metadata", Value::from(metadata.clone()));
    }
    if let Some(since) = row.archived_at {
        lines.add("Archived", since.to_minutes());
    }
    Ok(Told { text: format!("{what}{lines}"), json: serde_json::to_value(PlanObject::new(&row, &product))? })
}
