//! `chancery-portal serve`.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use chancery_cli::print;
use chancery_trail::{Appender, Entry, Policy, directory};
use chancery_web::{
    CertificateFiles, CurrentCertificate, Limits, Proxies, Signals, Transport, drain, lock,
    room_for_connections, server_config,
};
use clap::{Args, ValueEnum};
use serde_json::json;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing_subscriber::filter::LevelFilter;

use super::certificate::own_certificate;
use super::desk::{ConfigArgs, Desk};
use crate::app::App;
use crate::config::{Config, Tls};
use crate::events;
use crate::http::{KeyCache, Meters, router};
use crate::jobs;

/// Options of the running portal.
#[derive(Debug, Args)]
pub(super) struct ServeArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// How much is logged to standard error.
    #[arg(long, value_enum, default_value_t = LogLevel::Info)]
    log: LogLevel,
    /// Log JSON, one object a line.
    #[arg(long)]
    log_json: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum LogLevel {
    Error,
    Warn,
    Info,
    Debug,
}

pub(super) fn run(args: &ServeArgs) -> anyhow::Result<ExitCode> {
    log_to_stderr(args);
    chancery_cli::runtime()?.block_on(serve(&args.config))
}

async fn serve(args: &ConfigArgs) -> anyhow::Result<ExitCode> {
    let limits = Limits::with_connections(room_for_connections());
    let Desk { config, office, log_keys } = args.open().await?;
    let _lock = lock(&config.server.workdir, "server.workdir")?;
    let policy = Policy {
        directory: directory(&config.server.workdir),
        options: chancery_audit::Options::default(),
        compress: true,
        // Events wait in the database for a log that cannot be written, and the portal goes on.
        required: false,
        backlog: u64::MAX,
    };
    let appender =
        Appender::new(office.db.clone(), office.trail.node(), log_keys, policy, Arc::clone(&office.clock))?;
    let stop_appending = CancellationToken::new();
    let appending = tokio::spawn(appender.run(stop_appending.clone()));
    let listener = TcpListener::bind(config.server.listen)
        .await
        .with_context(|| format!("cannot listen on {} (server.listen)", config.server.listen))?;
    let app = Arc::new(App {
        office,
        keys: KeyCache::default(),
        meters: Meters::new(config.limits.requests_per_key, config.limits.requests_per_ip),
        proxies: Proxies::new(&config.server.trusted_proxies, "server.trusted_proxies"),
        tasks: TaskTracker::new(),
    });
    let (stop, connections) = (CancellationToken::new(), TaskTracker::new());
    let transport = transport(&config, &app, &stop)?;
    jobs::start(&app, &config, &stop)?;
    let serving = tokio::spawn(chancery_web::serve(
        listener,
        transport,
        router(Arc::clone(&app)),
        limits,
        connections.clone(),
        stop.clone(),
    ));
    // Before anybody can know that the portal runs: a signal that comes at once must drain it too.
    let signals = Signals::listen()?;
    let listen = config.server.listen.to_string();
    let details = json!({ "version": env!("CARGO_PKG_VERSION"), "listen": listen });
    tell(&app, Entry::new(events::PORTAL_START, details)).await?;
    print(&format!("ready {}", config.server.url.origin()))?;
    tracing::info!(url = config.server.url.origin(), listen, "serving");

    signals.wait().await;
    tracing::info!("stopping: requests that have begun are finished first");
    stop.cancel();
    serving.await?;
    drain(&app.tasks, &connections).await;
    if let Err(error) = tell(&app, Entry::new(events::PORTAL_STOP, json!({}))).await {
        tracing::error!(%error, "the stop could not be told to the issuance log");
    }
    stop_appending.cancel();
    appending.await?;
    app.office.db.close().await;
    tracing::info!("stopped");
    Ok(ExitCode::SUCCESS)
}

async fn tell(app: &App, entry: Entry) -> Result<(), chancery_db::Error> {
    let office = &app.office;
    office.trail.tell_alone(&office.db, entry.by(chancery_trail::operator()), office.now()).await
}

/// What lies between TCP and HTTP, with the task that keeps the certificate fresh.
fn transport(config: &Config, app: &Arc<App>, stop: &CancellationToken) -> anyhow::Result<Transport> {
    let certificate = match &config.server.tls {
        Tls::Proxy => return Ok(Transport::Plain),
        Tls::SelfSigned => {
            let own = own_certificate(&config.server.workdir, config.server.url.host(), app.office.now())?;
            Arc::new(CurrentCertificate::new(own))
        }
        Tls::Files(files) => {
            let files = CertificateFiles { certificate: files.certificate.clone(), key: files.key.clone() };
            let current = Arc::new(CurrentCertificate::new(files.load()?));
            app.tasks.spawn(files.watch(Arc::clone(&current), stop.clone()));
            current
        }
    };
    Ok(Transport::Tls(Arc::new(server_config(certificate)?)))
}

fn log_to_stderr(args: &ServeArgs) {
    let level = match args.log {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
    };
    let log = tracing_subscriber::fmt().with_max_level(level).with_writer(std::io::stderr).with_ansi(false);
    if args.log_json { log.json().init() } else { log.init() }
}
