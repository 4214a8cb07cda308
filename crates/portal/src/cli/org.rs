//! `chancery-portal org`: the vendor's customers.

use chancery_cli::Lines;
use clap::{Args, Subcommand};
use serde_json::{Map, Value};

use super::desk::{CommonArgs, Told, actor};
use super::pages::{PageArgs, listed, or_dash};
use super::values::object;
use crate::api::organisation::OrganisationObject;
use crate::domain::Change;
use crate::service::organisations::{self, NewOrganisation, OrganisationChanges};
use crate::store::organisations::{Organisation, Wanted};

#[derive(Debug, Subcommand)]
pub(super) enum OrgCommand {
    /// Add an organisation.
    Create {
        /// Its name, which licence documents show.
        #[arg(long)]
        name: String,
        /// Where it is written to.
        #[arg(long)]
        email: String,
        /// What your own books call it.
        #[arg(long)]
        reference: Option<String>,
        /// Anything else, as a JSON object.
        #[arg(long, value_name = "JSON", value_parser = object)]
        metadata: Option<Map<String, Value>>,
        #[command(flatten)]
        common: CommonArgs,
    },
    /// List the organisations, newest first.
    List {
        /// The one that your own books call that.
        #[arg(long)]
        reference: Option<String>,
        /// Those with that address.
        #[arg(long)]
        email: Option<String>,
        #[command(flatten)]
        page: PageArgs,
        #[command(flatten)]
        common: CommonArgs,
    },
    /// Show an organisation.
    Show {
        /// Its id.
        id: String,
        #[command(flatten)]
        common: CommonArgs,
    },
    /// Change an organisation. What is not given stays.
    Update {
        /// Its id.
        id: String,
        #[command(flatten)]
        changes: ChangesArgs,
        #[command(flatten)]
        common: CommonArgs,
    },
}

#[derive(Debug, Args)]
pub(super) struct ChangesArgs {
    /// Its name, which licence documents show.
    #[arg(long)]
    name: Option<String>,
    /// Where it is written to.
    #[arg(long)]
    email: Option<String>,
    /// What your own books call it.
    #[arg(long, conflicts_with = "no_reference")]
    reference: Option<String>,
    /// Take the reference away.
    #[arg(long)]
    no_reference: bool,
    /// Anything else, as a JSON object, in place of all that is there.
    #[arg(long, value_name = "JSON", value_parser = object, conflicts_with = "no_metadata")]
    metadata: Option<Map<String, Value>>,
    /// Take the metadata away.
    #[arg(long)]
    no_metadata: bool,
}

impl From<ChangesArgs> for OrganisationChanges {
    fn from(args: ChangesArgs) -> Self {
        Self {
            name: Change::of(args.name, false),
            email: Change::of(args.email, false),
            reference: Change::of(args.reference, args.no_reference),
            metadata: Change::of(args.metadata, args.no_metadata),
        }
    }
}

/// Runs a command.
///
/// # Errors
/// What was wrong and what to do about it; nothing was changed then.
pub(super) fn run(command: OrgCommand) -> anyhow::Result<()> {
    use OrgCommand as Command;
    match command {
        Command::Create { name, email, reference, metadata, common } => common.visit(async |desk| {
            let new = NewOrganisation { name, email, reference, metadata };
            told("Organisation added.\n", &organisations::create(&desk.office, &actor(), new, None).await?)
        }),
        Command::List { reference, email, page, common } => common.visit(async |desk| {
            let wanted = Wanted { reference, email };
            let found = organisations::list(&desk.office, &actor(), wanted, page.page()).await?;
            let row = |row: &Organisation| {
                [row.id.clone(), row.name.clone(), row.email.clone(), or_dash(row.reference.as_ref())]
            };
            let headings = ["ORGANISATION", "NAME", "EMAIL", "REFERENCE"];
            listed(found, "There are no such organisations.", headings, row, |row| {
                OrganisationObject::from(row)
            })
        }),
        Command::Show { id, common } => {
            common.visit(async |desk| told("", &organisations::show(&desk.office, &actor(), &id).await?))
        }
        Command::Update { id, changes, common } => common.visit(async |desk| {
            let changed = organisations::update(&desk.office, &actor(), &id, changes.into()).await?;
            told("Organisation changed.\n", &changed)
        }),
    }
}

fn told(what: &str, row: &Organisation) -> anyhow::Result<Told> {
    let mut lines = Lines::default();
    lines.add("Organisation", &row.id);
    lines.add("Name", &row.name);
    lines.add("Email", &row.email);
    lines.add("Reference", or_dash(row.reference.as_ref()));
    if let Some(metadata) = &row.metadata {
        lines.add("Metadata", Value::from(metadata.clone()));
    }
    lines.add("Added", row.created_at.to_minutes());
    Ok(Told { text: format!("{what}{lines}"), json: serde_json::to_value(OrganisationObject::from(row))? })
}
