//! `chancery-portal webhook`: who is told of what happens.

use chancery_cli::Lines;
use clap::builder::PossibleValuesParser;
use clap::{ArgGroup, Args, Subcommand};

use super::desk::{CommonArgs, Told, actor};
use super::pages::{PageArgs, listed, or_dash};
use crate::api::webhook::{DeliveryObject, NewSecretObject, WebhookObject};
use crate::domain::Change;
use crate::service::deliveries;
use crate::service::webhooks::{self, Made, NewWebhook, WebhookChanges};
use crate::store::deliveries::{Delivery, Status};
use crate::store::webhooks::Webhook;

#[derive(Debug, Subcommand)]
pub(super) enum WebhookCommand {
    /// Make a webhook, and show its secret this once.
    Create {
        #[command(flatten)]
        new: NewArgs,
        #[command(flatten)]
        common: CommonArgs,
    },
    /// List the webhooks, newest first.
    List {
        #[command(flatten)]
        page: PageArgs,
        #[command(flatten)]
        common: CommonArgs,
    },
    /// Show a webhook, but not its secret.
    Show {
        /// Its id.
        id: String,
        #[command(flatten)]
        common: CommonArgs,
    },
    /// Change a webhook. What is not given stays.
    Update {
        /// Its id.
        id: String,
        #[command(flatten)]
        changes: ChangesArgs,
        #[command(flatten)]
        common: CommonArgs,
    },
    /// Take a webhook out of service: it is told of nothing new, and what waits is not sent.
    Disable {
        /// Its id.
        id: String,
        #[command(flatten)]
        common: CommonArgs,
    },
    /// Take a webhook back into service: it is told of what happens from now on, and of what waited.
    Enable {
        /// Its id.
        id: String,
        #[command(flatten)]
        common: CommonArgs,
    },
    /// Give a webhook another secret, and show it this once. Deliveries are signed with it from now on.
    RotateSecret {
        /// Its id.
        id: String,
        #[command(flatten)]
        common: CommonArgs,
    },
    /// List the deliveries of a webhook, newest first.
    Deliveries {
        /// Its id.
        id: String,
        /// Those that are that far.
        #[arg(long, value_parser = PossibleValuesParser::new(Status::ALL.map(Status::name)))]
        status: Option<String>,
        #[command(flatten)]
        page: PageArgs,
        #[command(flatten)]
        common: CommonArgs,
    },
    /// Put a delivery in line again, whatever became of it.
    Redeliver {
        /// The webhook's id.
        id: String,
        /// The delivery's id.
        delivery: String,
        #[command(flatten)]
        common: CommonArgs,
    },
    /// Send a webhook an event of the type `webhook.test`. The running portal sends it.
    Test {
        /// Its id.
        id: String,
        #[command(flatten)]
        common: CommonArgs,
    },
}

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("reach").required(true).args(["live", "test"]))]
pub(super) struct NewArgs {
    /// Where deliveries are sent.
    #[arg(long)]
    url: String,
    /// It hears of live data, the environment prod.
    #[arg(long)]
    live: bool,
    /// It hears of test data, all other environments.
    #[arg(long)]
    test: bool,
    /// The events that it wants, with commas between (docs/portal-events.md); all where none is given.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    events: Vec<String>,
    /// What it is for.
    #[arg(long)]
    description: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct ChangesArgs {
    /// Where deliveries are sent.
    #[arg(long)]
    url: Option<String>,
    /// The events that it wants, with commas between, in place of all that there are.
    #[arg(long, value_name = "NAMES", value_delimiter = ',', conflicts_with = "all_events")]
    events: Option<Vec<String>>,
    /// It wants every event.
    #[arg(long)]
    all_events: bool,
    /// What it is for.
    #[arg(long, conflicts_with = "no_description")]
    description: Option<String>,
    /// Take the description away.
    #[arg(long)]
    no_description: bool,
}

impl From<NewArgs> for NewWebhook {
    fn from(args: NewArgs) -> Self {
        Self { url: args.url, live: args.live, events: args.events, description: args.description }
    }
}

impl From<ChangesArgs> for WebhookChanges {
    fn from(args: ChangesArgs) -> Self {
        let events = if args.all_events { Some(Vec::new()) } else { args.events };
        Self {
            url: Change::of(args.url, false),
            events: Change::of(events, false),
            description: Change::of(args.description, args.no_description),
        }
    }
}

/// Runs a command.
///
/// # Errors
/// What was wrong and what to do about it; nothing was changed then.
pub(super) fn run(command: WebhookCommand) -> anyhow::Result<()> {
    use WebhookCommand as Command;
    match command {
        Command::Create { new, common } => common
            .visit(async |desk| shown_once(&webhooks::create(&desk.office, &actor(), new.into()).await?)),
        Command::List { page, common } => common.visit(async |desk| {
            let found = webhooks::list(&desk.office, &actor(), page.page()).await?;
            let row = |row: &Webhook| {
                [row.id.clone(), reach(row).to_owned(), state(row).to_owned(), row.url.clone()]
            };
            let headings = ["WEBHOOK", "HEARS OF", "STATE", "URL"];
            listed(found, "There are no webhooks.", headings, row, |row| WebhookObject::from(row))
        }),
        Command::Show { id, common } => {
            common.visit(async |desk| told("", &webhooks::show(&desk.office, &actor(), &id).await?))
        }
        Command::Update { id, changes, common } => common.visit(async |desk| {
            let changed = webhooks::update(&desk.office, &actor(), &id, changes.into()).await?;
            told("Webhook changed.\n", &changed)
        }),
        Command::Disable { id, common } => common.visit(async |desk| {
            told("Webhook disabled.\n", &webhooks::set_enabled(&desk.office, &actor(), &id, false).await?)
        }),
        Command::Enable { id, common } => common.visit(async |desk| {
            told("Webhook enabled.\n", &webhooks::set_enabled(&desk.office, &actor(), &id, true).await?)
        }),
        Command::RotateSecret { id, common } => common
            .visit(async |desk| shown_once(&webhooks::rotate_secret(&desk.office, &actor(), &id).await?)),
        Command::Deliveries { id, status, page, common } => common.visit(async |desk| {
            let status = status.as_deref().and_then(Status::named);
            let found = deliveries::list(&desk.office, &actor(), &id, status, page.page()).await?;
            let row = |row: &Delivery| {
                [
                    row.id.clone(),
                    row.event.clone(),
                    row.status.name().to_owned(),
                    row.attempts.to_string(),
                    row.created_at.to_minutes(),
                    or_dash(row.last_error.as_ref()),
                ]
            };
            let headings = ["DELIVERY", "EVENT", "STATE", "ATTEMPTS", "MADE", "LAST ERROR"];
            listed(found, "There are no such deliveries.", headings, row, |row| DeliveryObject::from(row))
        }),
        Command::Redeliver { id, delivery, common } => common.visit(async |desk| {
            let queued = deliveries::redeliver(&desk.office, &actor(), &id, &delivery).await?;
            told_delivery("The running portal sends it again.\n", &queued)
        }),
        Command::Test { id, common } => common.visit(async |desk| {
            let queued = webhooks::test(&desk.office, &actor(), &id).await?;
            told_delivery(
                "The running portal sends it; `webhook deliveries` shows what came of it.\n",
                &queued,
            )
        }),
    }
}

fn shown_once(made: &Made) -> anyhow::Result<Told> {
    let text = format!(
        "{}\n\nThis is the only time that the secret is shown: give it to the receiver now.\n{}",
        made.secret.reveal(),
        lines(&made.webhook)
    );
    Ok(Told { text, json: serde_json::to_value(NewSecretObject::from(made))? })
}

fn told(what: &str, row: &Webhook) -> anyhow::Result<Told> {
    Ok(Told { text: format!("{what}{}", lines(row)), json: serde_json::to_value(WebhookObject::from(row))? })
}

fn lines(row: &Webhook) -> Lines {
    let mut lines = Lines::default();
    lines.add("Webhook", &row.id);
    lines.add("URL", &row.url);
    lines.add("State", state(row));
    lines.add("Hears of", reach(row));
    lines.add("Events", if row.events.is_empty() { "all".to_owned() } else { row.events.join(" ") });
    if let Some(description) = &row.description {
        lines.add("Description", description);
    }
    lines
}

fn told_delivery(what: &str, row: &Delivery) -> anyhow::Result<Told> {
    let mut lines = Lines::default();
    lines.add("Delivery", &row.id);
    lines.add("Event", &row.event);
    lines.add("State", row.status.name());
    Ok(Told { text: format!("{what}{lines}"), json: serde_json::to_value(DeliveryObject::from(row))? })
}

fn reach(row: &Webhook) -> &'static str {
    if row.live { "live data" } else { "test data" }
}

fn state(row: &Webhook) -> &'static str {
    if row.disabled_at.is_none() { "enabled" } else { "disabled" }
}
