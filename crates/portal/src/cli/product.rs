//! `chancery-portal product`: what the vendor licenses.

use chancery_cli::Lines;
use clap::Subcommand;
use clap::builder::PossibleValuesParser;

use super::desk::{CommonArgs, Told, actor};
use super::pages::{PageArgs, listed, or_dash};
use crate::api::product::ProductObject;
use crate::domain::Change;
use crate::service::products::{self, NewProduct, ProductChanges};
use crate::store::products::{Kind, Product};

#[derive(Debug, Subcommand)]
pub(super) enum ProductCommand {
    /// Add a product.
    Create {
        /// By what it is called in paths and documents, for good: lower-case letters, digits, single hyphens.
        #[arg(long)]
        slug: String,
        /// What people call it.
        #[arg(long)]
        name: String,
        /// What its installations are sent: `chancery` adds licences in armour.
        #[arg(long, default_value = Kind::Generic.name(), value_parser = PossibleValuesParser::new(Kind::ALL.map(Kind::name)))]
        kind: String,
        /// Add the plans free, starter, pro and enterprise; for the kind chancery.
        #[arg(long)]
        with_plans: bool,
        #[command(flatten)]
        common: CommonArgs,
    },
    /// List the products.
    List {
        #[command(flatten)]
        page: PageArgs,
        #[command(flatten)]
        common: CommonArgs,
    },
    /// Show a product.
    Show {
        /// Its slug.
        slug: String,
        #[command(flatten)]
        common: CommonArgs,
    },
    /// Change a product.
    Update {
        /// Its slug.
        slug: String,
        /// What people call it.
        #[arg(long)]
        name: String,
        #[command(flatten)]
        common: CommonArgs,
    },
    /// Make no more licences of a product. Those that there are go on.
    Archive {
        /// Its slug.
        slug: String,
        #[command(flatten)]
        common: CommonArgs,
    },
    /// Make licences of an archived product again.
    Unarchive {
        /// Its slug.
        slug: String,
        #[command(flatten)]
        common: CommonArgs,
    },
}

/// Runs a command.
///
/// # Errors
/// What was wrong and what to do about it; nothing was changed then.
pub(super) fn run(command: ProductCommand) -> anyhow::Result<()> {
    use ProductCommand as Command;
    match command {
        Command::Create { slug, name, kind, with_plans, common } => common.visit(async |desk| {
            let new = NewProduct { slug, name, kind: Some(kind), with_plans };
            told("Product added.\n", &products::create(&desk.office, &actor(), new, None).await?)
        }),
        Command::List { page, common } => common.visit(async |desk| {
            let found = products::list(&desk.office, &actor(), page.page()).await?;
            let row = |row: &Product| {
                [
                    row.slug.clone(),
                    row.kind.name().to_owned(),
                    or_dash(row.archived_at.map(|since| since.to_minutes())),
                    row.name.clone(),
                ]
            };
            let headings = ["PRODUCT", "KIND", "ARCHIVED", "NAME"];
            listed(found, "There are no products.", headings, row, |row| ProductObject::from(row))
        }),
        Command::Show { slug, common } => {
            common.visit(async |desk| told("", &products::show(&desk.office, &actor(), &slug).await?))
        }
        Command::Update { slug, name, common } => common.visit(async |desk| {
            let changes = ProductChanges { name: Change::Set(name) };
            told("Product changed.\n", &products::update(&desk.office, &actor(), &slug, changes).await?)
        }),
        Command::Archive { slug, common } => common.visit(async |desk| {
            let archived = products::archive(&desk.office, &actor(), &slug, true).await?;
            told("Product archived: no new licences are made of it.\n", &archived)
        }),
        Command::Unarchive { slug, common } => common.visit(async |desk| {
            let back = products::archive(&desk.office, &actor(), &slug, false).await?;
            told("Product back in the catalogue.\n", &back)
        }),
    }
}

fn told(what: &str, row: &Product) -> anyhow::Result<Told> {
    let mut lines = Lines::default();
    lines.add("Product", &row.slug);
    lines.add("Name", &row.name);
    lines.add("Kind", row.kind.name());
    lines.add("Added", row.created_at.to_minutes());
    if let Some(since) = row.archived_at {
        lines.add("Archived", since.to_minutes());
    }
    Ok(Told { text: format!("{what}{lines}"), json: serde_json::to_value(ProductObject::from(row))? })
}
