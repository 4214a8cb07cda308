//! The load: clients in closed loops, a warm-up, and what is measured.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use tokio::task::JoinSet;

use crate::IssueArgs;
use crate::client::Client;
use crate::connection::Server;
use crate::cpu;
use crate::csr::KeyPool;
use crate::report::{Failures, Report};
use crate::responder::{self, Tokens};
use crate::session::{Account, Session};

/// Sets everything up, warms up, measures.
///
/// # Errors
/// When the set-up fails. Orders that fail are counted in the report.
pub(crate) async fn run(args: &IssueArgs) -> anyhow::Result<Report> {
    let tokens = Tokens::default();
    responder::start(SocketAddr::new(args.http_listen, args.http_port), tokens.clone()).await?;
    let sessions = start_sessions(args, &tokens).await?;
    let names = Arc::new(Names::new(args));

    let (sessions, _) = work(sessions, &names, Until::Orders(args.warm_up)).await?;

    let until = match args.duration {
        Some(duration) => Until::Instant(Instant::now() + duration),
        None => Until::Orders(args.orders),
    };
    let server_cpu = || cpu::of_processes(&args.pid);
    let (own_before, server_before, begin) = (cpu::own()?, server_cpu()?, Instant::now());
    let (_, tally) = work(sessions, &names, until).await?;
    let elapsed = begin.elapsed();
    let own = cpu::own()?.saturating_sub(own_before);
    let server = server_cpu()?.saturating_sub(server_before);
    let server = (!args.pid.is_empty()).then_some(server);
    Ok(Report::new(args, tally, elapsed, own, server))
}

/// What a phase of the load came to.
#[derive(Default)]
pub(crate) struct Tally {
    /// One for each order that got its certificate.
    pub(crate) latencies: Vec<Duration>,
    pub(crate) failures: BTreeMap<String, Failures>,
    pub(crate) requests: u64,
}

/// When a phase begins no more orders.
#[derive(Clone, Copy)]
enum Until {
    Orders(u64),
    Instant(Instant),
}

/// The name of each order, and how many orders were begun.
struct Names {
    fixed: Option<String>,
    suffix: String,
    /// So that two runs against one server do not share names.
    run: u32,
}

impl Names {
    fn new(args: &IssueArgs) -> Self {
        Self { fixed: args.name.clone(), suffix: args.names_suffix.clone(), run: std::process::id() }
    }

    fn next(&self, client: usize, order: u64) -> String {
        match &self.fixed {
            Some(name) => name.clone(),
            None => format!("c{client}-{order}-r{}{}", self.run, self.suffix),
        }
    }
}

async fn start_sessions(args: &IssueArgs, tokens: &Tokens) -> anyhow::Result<Vec<Session>> {
    let server = Server::find(&args.directory, &args.ca_file).await?;
    let keys = Arc::new(KeyPool::generate(args.key)?);
    let mut shared = None;
    let mut sessions = vec![];
    for number in 0..args.clients {
        let mut client =
            Client::start(server.clone(), &args.directory).await.context("cannot read the directory")?;
        let account = match &shared {
            Some(account) => Arc::clone(account),
            None => {
                let registered = Account::register(&mut client).await;
                Arc::new(registered.with_context(|| format!("cannot make an account for client {number}"))?)
            }
        };
        if args.one_account {
            shared = Some(Arc::clone(&account));
        }
        sessions.push(Session::new(client, account, tokens.clone(), Arc::clone(&keys)));
    }
    Ok(sessions)
}

/// Lets all sessions order until the end of the phase, and gives them back.
async fn work(
    sessions: Vec<Session>,
    names: &Arc<Names>,
    until: Until,
) -> anyhow::Result<(Vec<Session>, Tally)> {
    let begun = Arc::new(AtomicU64::new(0));
    let mut clients = JoinSet::new();
    for (number, session) in sessions.into_iter().enumerate() {
        clients.spawn(order_in_a_loop(number, session, Arc::clone(names), Arc::clone(&begun), until));
    }
    let mut total = Tally::default();
    let mut sessions = vec![];
    while let Some(client) = clients.join_next().await {
        let (session, tally) = client.context("a client of the generator failed")?;
        sessions.push(session);
        total.add(tally);
    }
    Ok((sessions, total))
}

async fn order_in_a_loop(
    number: usize,
    mut session: Session,
    names: Arc<Names>,
    begun: Arc<AtomicU64>,
    until: Until,
) -> (Session, Tally) {
    let mut tally = Tally::default();
    let requests_before = session.requests();
    loop {
        let order = begun.fetch_add(1, Ordering::Relaxed);
        let over = match until {
            Until::Orders(orders) => order >= orders,
            Until::Instant(end) => Instant::now() >= end,
        };
        if over {
            break;
        }
        let begin = Instant::now();
        match session.order(&names.next(number, order)).await {
            Ok(()) => tally.latencies.push(begin.elapsed()),
            Err(error) => {
                tally.failures.entry(error.kind()).or_insert_with(|| Failures::like(&error)).count += 1;
            }
        }
    }
    tally.requests = session.requests().saturating_sub(requests_before);
    (session, tally)
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.latencies.extend(other.latencies);
        self.requests += other.requests;
        for (kind, failures) in other.failures {
            let known =
                self.failures.entry(kind).or_insert_with(|| Failures { count: 0, ..failures.clone() });
            known.count += failures.count;
        }
    }
}
