//! `chancery-portal license`: the licences of the portal, and licence files signed without one.

mod create;
mod flags;
mod shown;
mod update;

use chancery_license::Environment;
use chancery_license::revocations::Reason;
use chancery_time::Timestamp;
use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};

use super::desk::{CommonArgs, actor};
use super::pages::{PageArgs, listed};
use super::values::reason;
use super::{MintCommand, PRODUCT, mint, mint_jwt};
use crate::domain::Status;
use crate::service::licenses::{
    self, Found, Reinstatement, Renewal, Revocation, Suspension, Transfer, Which,
};
use crate::store::licenses::Wanted;
use crate::store::revocations::reason_name;
use create::CreateArgs;
use shown::{hidden, row, told};
use update::UpdateArgs;

#[derive(Debug, Subcommand)]
pub(super) enum LicenseCommand {
    /// Make a licence under a plan, and print its key.
    Create {
        #[command(flatten)]
        args: Box<CreateArgs>,
        #[command(flatten)]
        common: CommonArgs,
    },
    /// List the licences of a product, newest first.
    List {
        #[command(flatten)]
        wanted: WantedArgs,
        #[command(flatten)]
        page: PageArgs,
        #[command(flatten)]
        common: CommonArgs,
    },
    /// Show a licence.
    Show {
        /// Its id, lic_….
        id: String,
        /// Show its key, too: whoever has that can use the licence.
        #[arg(long)]
        reveal: bool,
        #[command(flatten)]
        common: CommonArgs,
    },
    /// Change a licence, or move it to another plan. What is not given stays.
    Update {
        /// Its id, lic_….
        id: String,
        #[command(flatten)]
        args: Box<UpdateArgs>,
        #[command(flatten)]
        common: CommonArgs,
    },
    /// Give a licence a later end. One that has expired comes alive by that.
    Renew {
        /// Its id, lic_….
        id: String,
        /// Its new end [default: as much later as its plan says].
        #[arg(long, value_name = "TIME")]
        expires: Option<Timestamp>,
        #[command(flatten)]
        common: CommonArgs,
    },
    /// Suspend a licence until it is reinstated.
    Suspend {
        /// Its id, lic_….
        id: String,
        /// Why, for the issuance log.
        #[arg(long)]
        reason: Option<String>,
        #[command(flatten)]
        common: CommonArgs,
    },
    /// Take a suspension back.
    Reinstate {
        /// Its id, lic_….
        id: String,
        #[command(flatten)]
        common: CommonArgs,
    },
    /// Revoke a licence for good.
    Revoke {
        /// Its id, lic_….
        id: String,
        /// Why, as the revocation list tells it.
        #[arg(long, value_parser = reason(), default_value = "unspecified")]
        reason: Reason,
        #[command(flatten)]
        common: CommonArgs,
    },
    /// Hand a licence on to another organisation.
    Transfer {
        /// Its id, lic_….
        id: String,
        /// The id of the organisation, org_….
        #[arg(long, value_name = "ID")]
        organisation: String,
        /// Give every seat back.
        #[arg(long)]
        release_seats: bool,
        #[command(flatten)]
        common: CommonArgs,
    },
    /// Sign a licence file with a key file, without a portal.
    #[command(subcommand)]
    Mint(MintCommand),
}

/// Which licences.
#[derive(Debug, Args)]
pub(super) struct WantedArgs {
    /// The product's slug.
    #[arg(long, value_name = "SLUG", default_value = PRODUCT)]
    product: String,
    /// Those that are that now.
    #[arg(long, value_parser = PossibleValuesParser::new(Status::ALL.map(Status::name)))]
    status: Option<String>,
    /// Those of a plan.
    #[arg(long, value_name = "PLAN")]
    plan: Option<String>,
    /// Those of an organisation.
    #[arg(long, value_name = "ID")]
    organisation: Option<String>,
    /// The one that your own books call that.
    #[arg(long)]
    reference: Option<String>,
    /// Those of an environment: prod, dev, staging or uat.
    #[arg(long)]
    env: Option<Environment>,
    /// Those that end before that, or have ended.
    #[arg(long, value_name = "TIME")]
    expires_before: Option<Timestamp>,
}

impl WantedArgs {
    fn wanted(self) -> Wanted {
        Wanted {
            live: None,
            environment: self.env,
            status: self.status.and_then(|name| Status::ALL.into_iter().find(|status| status.name() == name)),
            plan_key: self.plan,
            organisation_id: self.organisation,
            reference: self.reference,
            expires_before: self.expires_before,
        }
    }
}

/// Runs a command.
///
/// # Errors
/// What was wrong and what to do about it; nothing was changed then.
pub(super) fn run(command: LicenseCommand) -> anyhow::Result<()> {
    use LicenseCommand as Command;
    match command {
        Command::Mint(MintCommand::Lic(args)) => mint::run(*args),
        Command::Mint(MintCommand::Jwt(args)) => mint_jwt::run(*args),
        Command::Create { args, common } => common.visit(async |desk| create::run(desk, *args).await),
        Command::List { wanted, page, common } => common.visit(async |desk| {
            let product = wanted.product.clone();
            let found =
                licenses::list(&desk.office, &actor(), &product, wanted.wanted(), page.page()).await?;
            let none = "There are no such licences: `chancery-portal license create` makes one.";
            listed(found, none, shown::HEADINGS, row, Found::details)
        }),
        Command::Show { id, reveal, common } => common.visit(async |desk| {
            let found = licenses::show(&desk.office, &actor(), by_id(id)).await?;
            told("", &if reveal { found } else { hidden(found) })
        }),
        Command::Update { id, args, common } => common.visit(async |desk| update::run(desk, id, *args).await),
        Command::Renew { id, expires, common } => common.visit(async |desk| {
            let renewal = Renewal { expires_at: expires };
            let found = licenses::renew(&desk.office, &actor(), by_id(id), renewal, None).await?;
            told("Renewed.\n", &hidden(found))
        }),
        Command::Suspend { id, reason, common } => common.visit(async |desk| {
            let why = Suspension { reason };
            let found = licenses::suspend(&desk.office, &actor(), by_id(id), why, None).await?;
            told("Suspended until it is reinstated.\n", &hidden(found))
        }),
        Command::Reinstate { id, common } => common.visit(async |desk| {
            let found =
                licenses::reinstate(&desk.office, &actor(), by_id(id), Reinstatement {}, None).await?;
            told("Reinstated.\n", &hidden(found))
        }),
        Command::Revoke { id, reason, common } => common.visit(async |desk| {
            let why = Revocation { reason: Some(reason_name(reason).to_string()) };
            let found = licenses::revoke(&desk.office, &actor(), by_id(id), why, None).await?;
            told("Revoked for good.\n", &hidden(found))
        }),
        Command::Transfer { id, organisation, release_seats, common } => common.visit(async |desk| {
            let to = Transfer { organisation_id: organisation, release_seats };
            let found = licenses::transfer(&desk.office, &actor(), by_id(id), to, None).await?;
            told("Handed on.\n", &hidden(found))
        }),
    }
}

/// A licence, whatever its product.
pub(super) fn by_id(id: String) -> Which {
    Which { slug: None, id }
}
