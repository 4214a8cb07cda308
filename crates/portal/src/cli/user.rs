//! `chancery-portal user`: the vendor's people.

use chancery_cli::Lines;
use clap::Subcommand;
use clap::builder::PossibleValuesParser;

use super::desk::{CommonArgs, Told, actor};
use super::pages::{PageArgs, listed, or_dash};
use crate::api::user::UserObject;
use crate::domain::{Change, Role};
use crate::service::users::{self, NewUser, UserChanges};
use crate::store::users::User;

#[derive(Debug, Subcommand)]
pub(super) enum UserCommand {
    /// Add a user.
    Create {
        /// The address; letters are kept in lower case.
        #[arg(long)]
        email: String,
        /// What people call them.
        #[arg(long)]
        name: String,
        /// What they may do.
        #[arg(long, value_parser = PossibleValuesParser::new(Role::ALL.map(Role::name)))]
        role: String,
        #[command(flatten)]
        common: CommonArgs,
    },
    /// List the users.
    List {
        #[command(flatten)]
        page: PageArgs,
        #[command(flatten)]
        common: CommonArgs,
    },
    /// Show a user.
    Show {
        /// The id or the address.
        user: String,
        #[command(flatten)]
        common: CommonArgs,
    },
    /// Change a user. What is not given stays.
    Update {
        /// The id or the address.
        user: String,
        /// What people call them.
        #[arg(long, required_unless_present = "role")]
        name: Option<String>,
        /// What they may do.
        #[arg(long, value_parser = PossibleValuesParser::new(Role::ALL.map(Role::name)))]
        role: Option<String>,
        #[command(flatten)]
        common: CommonArgs,
    },
    /// Keep a user out, and the user's API keys with them.
    Disable {
        /// The id or the address.
        user: String,
        #[command(flatten)]
        common: CommonArgs,
    },
    /// Let a user in again.
    Enable {
        /// The id or the address.
        user: String,
        #[command(flatten)]
        common: CommonArgs,
    },
}

/// Runs a command.
///
/// # Errors
/// What was wrong and what to do about it; nothing was changed then.
pub(super) fn run(command: UserCommand) -> anyhow::Result<()> {
    use UserCommand as Command;
    match command {
        Command::Create { email, name, role, common } => common.visit(async |desk| {
            let new = NewUser { email, name, role };
            told("User added.\n", &users::create(&desk.office, &actor(), new, None).await?)
        }),
        Command::List { page, common } => common.visit(async |desk| {
            let found = users::list(&desk.office, &actor(), page.page()).await?;
            let row = |row: &User| {
                [
                    row.email.clone(),
                    row.role.name().to_owned(),
                    or_dash(row.disabled_at.map(|since| since.to_minutes())),
                    row.id.clone(),
                    row.name.clone(),
                ]
            };
            let none = "There are no users: `chancery-portal user create --role owner` adds the first.";
            listed(found, none, ["EMAIL", "ROLE", "DISABLED", "USER", "NAME"], row, |row| {
                UserObject::from(row)
            })
        }),
        Command::Show { user, common } => {
            common.visit(async |desk| told("", &users::show(&desk.office, &actor(), &user).await?))
        }
        Command::Update { user, name, role, common } => common.visit(async |desk| {
            let changes = UserChanges { name: Change::of(name, false), role: Change::of(role, false) };
            told("User changed.\n", &users::update(&desk.office, &actor(), &user, changes).await?)
        }),
        Command::Disable { user, common } => common.visit(async |desk| {
            let disabled = users::disable(&desk.office, &actor(), &user, true).await?;
            told("User disabled: neither they nor their API keys are let in.\n", &disabled)
        }),
        Command::Enable { user, common } => common.visit(async |desk| {
            told("User enabled.\n", &users::disable(&desk.office, &actor(), &user, false).await?)
        }),
    }
}

fn told(what: &str, row: &User) -> anyhow::Result<Told> {
    let mut lines = Lines::default();
    lines.add("User", &row.id);
    lines.add("Email", &row.email);
    lines.add("Name", &row.name);
    lines.add("Role", row.role.name());
    lines.add("Added", row.created_at.to_minutes());
    if let Some(since) = row.disabled_at {
        lines.add("Disabled", since.to_minutes());
    }
    Ok(Told { text: format!("{what}{lines}"), json: serde_json::to_value(UserObject::from(row))? })
}
