//! `chancery serve`.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use aws_lc_rs::digest::{SHA256, digest};
use chancery_cli::{print, runtime};
use chancery_db::Db;
use chancery_files as files;
use chancery_time::{Clock, SystemClock};
use chancery_trail::{Appender, Policy};
use chancery_web::{
    CertificateFiles, CurrentCertificate, Limits, Signals, Transport, drain, lock, room_for_connections,
    server_config,
};
use serde_json::json;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing_subscriber::filter::LevelFilter;

use super::assembly::{Watched, app};
use super::boot;
use super::office::office;
use super::{EXIT_REFUSED, LogLevel, ServeArgs};
use crate::app::App;
use crate::audit::{self, Entry, events};
use crate::config::{self, Config, Tls};
use crate::hex::hex;
use crate::http::router;
use crate::jobs::{self, JobQueue};
use crate::licensing::change::Office;
use crate::licensing::{self, Keeper, intake, portal};
use crate::store;
use crate::tls::own::{self, OwnCertificate};

pub(super) fn run(args: &ServeArgs) -> anyhow::Result<ExitCode> {
    log_to_stderr(args);
    let config = config::load(&args.config.config)?;
    runtime()?.block_on(serve(config))
}

async fn serve(config: Config) -> anyhow::Result<ExitCode> {
    let limits = Limits::with_connections(room_for_connections());
    files::create_directory(&config.server.workdir)?;
    let _lock = lock(&config.server.workdir, "server.workdir")?;
    let db = Db::open(&config.database, store::MIGRATIONS).await?;
    let clock = SystemClock;
    let office = office(&config, db.clone()).await?;
    let appender = appender(&config, &office, Arc::new(clock)).await?;
    let desk = portal::Desk::of(&config.license, office.clone(), Arc::new(clock))?;
    let Some(snapshot) = boot::boot(&config, &office, desk.as_ref(), clock.now()).await? else {
        appender.finish().await;
        db.close().await;
        return Ok(ExitCode::from(EXIT_REFUSED));
    };
    let (trail, state) = (office.trail.clone(), snapshot.judge(clock.now(), &office.build).state.name());
    let (health, stop_appending) = (appender.health(), CancellationToken::new());
    let appending = tokio::spawn(appender.run(stop_appending.clone()));
    let jwt_file = intake::jwt_file(&config.server.workdir);
    let keeper = Arc::new(Keeper::new(office, jwt_file, snapshot, Arc::new(clock)));
    keeper.remind();
    warn_of_limits_off(&config);
    let listener = TcpListener::bind(config.server.listen)
        .await
        .with_context(|| format!("cannot listen on {} (server.listen)", config.server.listen))?;
    let (queue, inbox) = JobQueue::new(trail.node().to_owned());
    let watched = Watched { licensing: Arc::clone(&keeper), trail: trail.clone(), audit: health };
    let app = Arc::new(app(&config, db, watched, queue, Arc::new(clock)).await?);
    let (stop, connections) = (CancellationToken::new(), TaskTracker::new());
    let certificate = certificate(&config, &app, &stop).await?;

    jobs::release_own(&app).await?;
    app.tasks.spawn(keeper.run(stop.clone()));
    if let Some(desk) = desk {
        app.tasks.spawn(portal::poller::run(desk, stop.clone()));
    }
    app.tasks.spawn(jobs::run(Arc::clone(&app), inbox, stop.clone()));
    let serving = tokio::spawn(chancery_web::serve(
        listener,
        Transport::Tls(Arc::new(server_config(certificate)?)),
        router(Arc::clone(&app)),
        limits,
        connections.clone(),
        stop.clone(),
    ));
    // Before anybody can know that the server runs: a signal that comes at once must drain it too.
    let signals = Signals::listen()?;
    tell_start(&config, &app, state).await?;
    print(&format!("ready {}", app.urls.directory()))?;
    tracing::info!(url = app.urls.of_path(""), listen = %config.server.listen, "serving");

    signals.wait().await;
    tracing::info!("stopping: requests and jobs that have begun are finished first");
    stop.cancel();
    serving.await?;
    drain(&app.tasks, &connections).await;
    let stopped = Entry::new(events::SERVER_STOP, json!({}));
    if let Err(error) = trail.tell_alone(&app.db, stopped, app.now()).await {
        tracing::error!(%error, "the stop could not be told to the audit log");
    }
    stop_appending.cancel();
    appending.await?;
    app.db.close().await;
    tracing::info!("stopped");
    Ok(ExitCode::SUCCESS)
}

async fn appender(config: &Config, office: &Office, clock: Arc<dyn Clock>) -> anyhow::Result<Appender> {
    let keys = audit::keys(&office.db, &office.installation.key).await?;
    let config::Audit { required, backlog, segment_bytes, segment_age, checkpoint_every, compress } =
        config.audit;
    let policy = Policy {
        directory: audit::directory(&config.server.workdir),
        options: chancery_audit::Options {
            max_segment_bytes: segment_bytes,
            max_segment_age: segment_age,
            checkpoint_every,
        },
        compress,
        required,
        backlog,
    };
    Ok(Appender::new(office.db.clone(), office.trail.node(), keys, policy, clock)?)
}

async fn tell_start(config: &Config, app: &App, state: &'static str) -> anyhow::Result<()> {
    let file = std::fs::read(&config.file).unwrap_or_default();
    let hash = digest(&SHA256, &file);
    let details = json!({
        "version": env!("CARGO_PKG_VERSION"),
        "build": licensing::build().date,
        "listen": config.server.listen.to_string(),
        "config_sha256": hex(hash.as_ref()),
        "state": state,
    });
    let started = Entry::new(events::SERVER_START, details);
    Ok(app.trail.tell_alone(&app.db, started, app.now()).await?)
}

/// Whoever switched a limit off should not forget it.
fn warn_of_limits_off(config: &Config) {
    let off = config.limits.off();
    if !off.is_empty() {
        tracing::warn!("limits that are switched off (limits in the configuration): {}", off.join(", "));
    }
}

/// The listener's certificate, with the task that keeps it fresh.
async fn certificate(
    config: &Config,
    app: &Arc<App>,
    stop: &CancellationToken,
) -> anyhow::Result<Arc<CurrentCertificate>> {
    match &config.server.tls {
        Tls::Files { certificate, key } => {
            let files = CertificateFiles { certificate: certificate.clone(), key: key.clone() };
            let current = Arc::new(CurrentCertificate::new(files.load()?));
            app.tasks.spawn(files.watch(Arc::clone(&current), stop.clone()));
            Ok(current)
        }
        Tls::SelfIssued => {
            let own = OwnCertificate::new(&config.server.workdir, config.server.url.host());
            let first = own.load_or_issue(app).await?;
            Ok(own::keep_fresh(own, app, first, stop.clone()))
        }
    }
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
