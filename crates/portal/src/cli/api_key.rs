//! `chancery-portal api-key`: who may use the API.

use chancery_cli::Lines;
use chancery_time::Timestamp;
use clap::builder::PossibleValuesParser;
use clap::{ArgGroup, Args, Subcommand};

use super::desk::{CommonArgs, Told, actor};
use super::pages::{PageArgs, listed, or_dash};
use crate::api::api_key::{ApiKeyObject, NewApiKeyObject};
use crate::domain::{Permission, Permissions};
use crate::service::api_keys::{self, ALL, Made, NewApiKey};
use crate::store::api_keys::{ApiKey, Class};

#[derive(Debug, Subcommand)]
pub(super) enum ApiKeyCommand {
    /// Make a key, and show it this once.
    Create {
        #[command(flatten)]
        new: NewArgs,
        #[command(flatten)]
        common: CommonArgs,
    },
    /// List the keys, newest first, by their first characters.
    List {
        #[command(flatten)]
        page: PageArgs,
        #[command(flatten)]
        common: CommonArgs,
    },
    /// Show what a key may do, but not the key.
    Show {
        /// Its id.
        id: String,
        #[command(flatten)]
        common: CommonArgs,
    },
    /// Revoke a key for good.
    Revoke {
        /// Its id.
        id: String,
        #[command(flatten)]
        common: CommonArgs,
    },
}

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("reach").required(true).args(["live", "test"]))]
pub(super) struct NewArgs {
    /// What it is for.
    #[arg(long)]
    name: String,
    /// Where it may live: `publishable` inside programs, `secret` with you alone.
    #[arg(long, value_parser = PossibleValuesParser::new(Class::ALL.map(Class::name)))]
    class: String,
    /// It reaches live data, the environment prod.
    #[arg(long)]
    live: bool,
    /// It reaches test data, all other environments.
    #[arg(long)]
    test: bool,
    /// The slug of the one product that it is for; all where none is given.
    #[arg(long, value_name = "SLUG")]
    product: Option<String>,
    /// What a secret key may, with commas between; `all` for everything.
    #[arg(long, value_name = "NAMES", value_delimiter = ',', required_if_eq("class", "secret"))]
    #[arg(value_parser = PossibleValuesParser::new(Permission::ALL.iter().map(|scope| scope.name()).chain([ALL])))]
    scopes: Vec<String>,
    /// The user whose role bounds it: the id or the address.
    #[arg(long)]
    user: Option<String>,
    /// When it stops to work, such as 2027-06-30T00:00:00Z; never where it is not given.
    #[arg(long, value_name = "TIME")]
    expires_at: Option<Timestamp>,
}

impl From<NewArgs> for NewApiKey {
    fn from(args: NewArgs) -> Self {
        Self {
            name: args.name,
            class: args.class,
            live: args.live,
            product: args.product,
            scopes: Some(args.scopes),
            user: args.user,
            expires_at: args.expires_at,
        }
    }
}

/// Runs a command.
///
/// # Errors
/// What was wrong and what to do about it; nothing was changed then.
pub(super) fn run(command: ApiKeyCommand) -> anyhow::Result<()> {
    use ApiKeyCommand as Command;
    match command {
        Command::Create { new, common } => common.visit(async |desk| {
            let made = api_keys::create(&desk.office, &actor(), new.into()).await?;
            let text = created(&made);
            Ok(Told { text, json: serde_json::to_value(NewApiKeyObject::from(made))? })
        }),
        Command::List { page, common } => common.visit(async |desk| {
            let found = api_keys::list(&desk.office, &actor(), page.page()).await?;
            let row = |row: &ApiKey| {
                [
                    row.id.clone(),
                    format!("{}…", row.hint),
                    or_dash(row.product_slug.as_ref()),
                    or_dash(row.expires_at.map(|end| end.to_minutes())),
                    or_dash(row.revoked_at.map(|end| end.to_minutes())),
                    row.name.clone(),
                ]
            };
            let headings = ["API KEY", "BEGINS", "PRODUCT", "EXPIRES", "REVOKED", "NAME"];
            listed(found, "There are no API keys.", headings, row, |row| ApiKeyObject::from(row))
        }),
        Command::Show { id, common } => {
            common.visit(async |desk| told("", &api_keys::show(&desk.office, &actor(), &id).await?))
        }
        Command::Revoke { id, common } => common.visit(async |desk| {
            let revoked = api_keys::revoke(&desk.office, &actor(), &id).await?;
            told("API key revoked: it works for a second longer at most.\n", &revoked)
        }),
    }
}

fn created(made: &Made) -> String {
    format!(
        "{}\n\nThis is the only time that the key is shown: keep it now.\n{}",
        made.secret.as_str(),
        lines(&made.api_key)
    )
}

fn told(what: &str, row: &ApiKey) -> anyhow::Result<Told> {
    Ok(Told { text: format!("{what}{}", lines(row)), json: serde_json::to_value(ApiKeyObject::from(row))? })
}

fn lines(row: &ApiKey) -> Lines {
    let mut lines = Lines::default();
    lines.add("API key", &row.id);
    lines.add("Begins with", &row.hint);
    lines.add("Name", &row.name);
    lines.add("Class", row.class.name());
    lines.add("Reaches", if row.live { "live data (prod)" } else { "test data (dev, staging, uat)" });
    lines.add("Product", row.product_slug.as_deref().unwrap_or("all"));
    let scopes: Vec<&str> = row.scopes.iter().map(Permission::name).collect();
    lines.add(
        "May",
        if row.scopes == Permissions::all() { "everything".to_owned() } else { scopes.join(" ") },
    );
    if let Some(user) = &row.user_id {
        lines.add("Bounded by", format_args!("the role of {user}"));
    }
    lines.add("Expires", row.expires_at.map_or_else(|| "never".to_owned(), |end| end.to_string()));
    if let Some(since) = row.revoked_at {
        lines.add("Revoked", since);
    }
    lines
}
