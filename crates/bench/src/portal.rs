//! The load on a licence portal: devices that take a seat, and devices that ask whether they may go on.

mod call;
mod measurement;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use tokio::task::JoinSet;

use crate::connection::Server;
use crate::cpu;
use crate::parse_seconds;
use crate::report::Failures;
use call::{Caller, Device, Operation, Site};
use measurement::Measurement;

pub(crate) use measurement::render;

/// What `portal` does.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    /// The portal, `https://…`.
    #[arg(long)]
    url: String,
    /// What vouches for the portal's own certificate, in PEM.
    #[arg(long, value_name = "FILE")]
    ca_file: PathBuf,
    /// A publishable API key.
    #[arg(long)]
    key: String,
    /// The slug of the product that the licences are of.
    #[arg(long, value_name = "SLUG")]
    product: String,
    /// Keys of licences with unlimited seats, one a line.
    #[arg(long, value_name = "FILE")]
    licenses: PathBuf,
    /// How many clients call at the same time, each over one connection. Several numbers, with commas between, are
    /// measured one after the other.
    #[arg(long, default_value = "16", value_delimiter = ',', value_parser = clap::value_parser!(u16).range(1..=4096))]
    clients: Vec<u16>,
    /// For how many seconds each operation is measured (`30s` or `30`).
    #[arg(long, default_value = "15s", value_parser = parse_seconds)]
    duration: Duration,
    /// A process of the portal; its CPU time and that of its children is reported. May be repeated.
    #[arg(long, value_name = "SERVER_PID")]
    pid: Vec<u32>,
    /// Threads of the generator.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) threads: u16,
    /// Where what was measured is written as JSON too.
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
}

/// How many devices each client activates before the measurement, over the connection that it keeps.
const WARM_UP: usize = 10;

/// Measures activations and then validations of the devices that were activated, for each number of clients.
///
/// # Errors
/// When the set-up fails. Requests that fail are counted in what was measured.
pub(crate) async fn run(args: &Args) -> anyhow::Result<Vec<Measurement>> {
    let server = Server::find(&args.url, &args.ca_file).await?;
    let site = Arc::new(Site::new(&args.url, &args.product, &args.key, &licenses(args)?)?);
    let fresh = Arc::new(AtomicUsize::new(0));
    let mut measured = vec![];
    for &clients in &args.clients {
        let callers = (0..clients).map(|_| Caller::new(server.clone(), Arc::clone(&site))).collect();

        let fresh = Arc::clone(&fresh);
        let a_new_one: Next = Arc::new(move || Device(fresh.fetch_add(1, Ordering::Relaxed)));
        let warm_up = Until::Requests(WARM_UP * usize::from(clients));
        let (callers, _) = work(callers, Operation::Activate, Arc::clone(&a_new_one), warm_up).await?;
        let (callers, tally) = measure(args, callers, Operation::Activate, a_new_one, &mut measured).await?;

        let activated = tally.devices;
        anyhow::ensure!(!activated.is_empty(), "no device was activated: {}", summary(&tally.failures));
        let turn = AtomicUsize::new(0);
        let one_of_these: Next = Arc::new(move || {
            let turn = turn.fetch_add(1, Ordering::Relaxed) % activated.len();
            // There is always one at its turn.
            activated.get(turn).copied().unwrap_or(Device(0))
        });
        measure(args, callers, Operation::Validate, one_of_these, &mut measured).await?;
    }
    Ok(measured)
}

fn licenses(args: &Args) -> anyhow::Result<Vec<String>> {
    let file = args.licenses.display();
    let text = std::fs::read_to_string(&args.licenses).with_context(|| format!("cannot read {file}"))?;
    let keys: Vec<String> =
        text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect();
    anyhow::ensure!(!keys.is_empty(), "{file} has no licence key");
    Ok(keys)
}

fn summary(failures: &BTreeMap<String, Failures>) -> String {
    let each = failures.values().map(|failures| failures.example.as_str());
    each.collect::<Vec<_>>().join("; ")
}

/// When a phase begins no more requests.
#[derive(Clone, Copy)]
enum Until {
    Requests(usize),
    Instant(Instant),
}

/// What a phase came to.
#[derive(Default)]
struct Tally {
    /// One for each request that was answered as it should be.
    latencies: Vec<Duration>,
    /// The device of each.
    devices: Vec<Device>,
    failures: BTreeMap<String, Failures>,
}

/// Tells which device is next.
type Next = Arc<dyn Fn() -> Device + Send + Sync>;

async fn measure(
    args: &Args,
    callers: Vec<Caller>,
    operation: Operation,
    next: Next,
    measured: &mut Vec<Measurement>,
) -> anyhow::Result<(Vec<Caller>, Tally)> {
    let portal_cpu = || cpu::of_processes(&args.pid);
    let (own_before, portal_before, begin) = (cpu::own()?, portal_cpu()?, Instant::now());
    let (callers, mut tally) = work(callers, operation, next, Until::Instant(begin + args.duration)).await?;
    let elapsed = begin.elapsed();
    let own = cpu::own()?.saturating_sub(own_before).as_secs_f64();
    let portal = portal_cpu()?.saturating_sub(portal_before);
    tally.latencies.sort_unstable();
    measured.push(Measurement::new(
        operation,
        callers.len(),
        &tally.latencies,
        tally.failures.clone(),
        elapsed,
        (!args.pid.is_empty()).then_some(portal),
        own / elapsed.as_secs_f64() / f64::from(args.threads),
    ));
    Ok((callers, tally))
}

/// Lets all callers call until the end of the phase, and gives them back.
async fn work(
    callers: Vec<Caller>,
    operation: Operation,
    next: Next,
    until: Until,
) -> anyhow::Result<(Vec<Caller>, Tally)> {
    let begun = Arc::new(AtomicUsize::new(0));
    let mut clients = JoinSet::new();
    for caller in callers {
        clients.spawn(call_in_a_loop(caller, operation, Arc::clone(&next), Arc::clone(&begun), until));
    }
    let (mut callers, mut total) = (vec![], Tally::default());
    while let Some(client) = clients.join_next().await {
        let (caller, tally) = client.context("a client of the generator failed")?;
        callers.push(caller);
        total.add(tally);
    }
    Ok((callers, total))
}

async fn call_in_a_loop(
    mut caller: Caller,
    operation: Operation,
    next: Next,
    begun: Arc<AtomicUsize>,
    until: Until,
) -> (Caller, Tally) {
    let mut tally = Tally::default();
    loop {
        let number = begun.fetch_add(1, Ordering::Relaxed);
        let over = match until {
            Until::Requests(requests) => number >= requests,
            Until::Instant(end) => Instant::now() >= end,
        };
        if over {
            return (caller, tally);
        }
        let (device, begin) = (next(), Instant::now());
        match caller.call(operation, device).await {
            Ok(()) => {
                tally.latencies.push(begin.elapsed());
                tally.devices.push(device);
            }
            Err(error) => {
                tally.failures.entry(error.kind()).or_insert_with(|| Failures::like(&error)).count += 1;
            }
        }
    }
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.latencies.extend(other.latencies);
        self.devices.extend(other.devices);
        for (kind, failures) in other.failures {
            let known =
                self.failures.entry(kind).or_insert_with(|| Failures { count: 0, ..failures.clone() });
            known.count += failures.count;
        }
    }
}
