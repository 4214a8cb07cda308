//! CPU time of processes, read from `/proc` (proc(5)).

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use anyhow::Context as _;

/// The unit of `/proc/PID/stat`, 1/100 s; Linux shows user space this one on every architecture that
/// the project builds for (`USER_HZ`).
const TICK: Duration = Duration::from_millis(10);

/// The CPU time of these processes and all their descendants so far, ended ones included.
pub(crate) fn of_processes(pids: &[u32]) -> anyhow::Result<Duration> {
    let all = processes()?;
    for pid in pids {
        anyhow::ensure!(all.contains_key(pid), "there is no process {pid}; is the server running?");
    }
    let ticks =
        with_descendants(pids, &all).iter().filter_map(|pid| all.get(pid)).map(|stat| stat.ticks).sum();
    Ok(TICK.saturating_mul(ticks))
}

/// The CPU time of this process so far.
pub(crate) fn own() -> anyhow::Result<Duration> {
    let text = std::fs::read_to_string("/proc/self/stat").context("cannot read /proc/self/stat")?;
    let stat = Stat::parse(&text).context("/proc/self/stat is not as proc(5) has it")?;
    Ok(TICK.saturating_mul(stat.ticks))
}

#[derive(Debug, PartialEq, Eq)]
struct Stat {
    parent: u32,
    /// User and system time, of the process and of its children that were waited for.
    ticks: u32,
}

impl Stat {
    fn parse(text: &str) -> Option<Self> {
        // The second field is the command in parentheses, which may hold anything; the state follows it.
        let (_, fields) = text.rsplit_once(')')?;
        let mut fields = fields.split_ascii_whitespace().skip(1);
        let parent = fields.next()?.parse().ok()?;
        let mut times = fields.skip(9).map(str::parse::<u32>);
        let mut ticks = 0;
        for _ in 0..4 {
            ticks += times.next()?.ok()?;
        }
        Some(Self { parent, ticks })
    }
}

fn processes() -> anyhow::Result<HashMap<u32, Stat>> {
    let mut all = HashMap::new();
    for entry in std::fs::read_dir("/proc").context("cannot read /proc")? {
        let Some(pid) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        // A process may end between the listing and the reading.
        let Ok(text) = std::fs::read_to_string(format!("/proc/{pid}/stat")) else { continue };
        all.extend(Stat::parse(&text).map(|stat| (pid, stat)));
    }
    Ok(all)
}

fn with_descendants(pids: &[u32], all: &HashMap<u32, Stat>) -> HashSet<u32> {
    let mut family: HashSet<u32> = pids.iter().copied().collect();
    loop {
        let before = family.len();
        let children = all.iter().filter(|(_, stat)| family.contains(&stat.parent)).map(|(pid, _)| *pid);
        let children: Vec<u32> = children.collect();
        family.extend(children);
        if family.len() == before {
            return family;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stat_line_is_read_behind_the_last_parenthesis() {
        let line = "7 (a) b (c) S 3 7 7 0 -1 4194560 100 0 0 0 11 22 33 44 20 0 9 0 100 0 0";
        assert_eq!(Stat::parse(line), Some(Stat { parent: 3, ticks: 110 }));
        assert_eq!(Stat::parse("7 (a) S 3"), None);
        assert_eq!(Stat::parse(""), None);
    }

    #[test]
    fn a_family_holds_grandchildren() {
        let stat = |parent| Stat { parent, ticks: 1 };
        let all = HashMap::from([(1, stat(0)), (2, stat(1)), (3, stat(2)), (4, stat(0))]);
        assert_eq!(with_descendants(&[1], &all), HashSet::from([1, 2, 3]));
    }

    #[test]
    fn this_process_is_found() {
        let before = own().unwrap();
        assert!(of_processes(&[std::process::id()]).unwrap() >= before);
        assert!(of_processes(&[u32::MAX]).is_err());
    }
}
