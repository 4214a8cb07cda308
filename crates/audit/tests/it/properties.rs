//! Whatever is logged comes back, and whatever is done to a log is found.

use chancery_audit::{Checkpoint, Decision, Event, EventName, Filter, Head, Log, Record, VerifierKey};
use chancery_time::Timestamp;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use serde_json::{Map, Value};

use crate::site::Site;

fn details() -> impl Strategy<Value = Map<String, Value>> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    let value = leaf.prop_recursive(4, 16, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec((any::<String>(), inner), 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    });
    vec((any::<String>().prop_filter("reserved", |name| name != "event_id"), value), 0..4)
        .prop_map(|members| members.into_iter().collect())
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let text = || option::of("\\PC{1,40}|[\\x00-\\x1f\\x7f-\\x9f]{1,9}");
    let event = (
        0..253_402_207_200_000i64,
        "[a-z][a-z0-9_-]{0,9}(\\.[a-z0-9_-]{1,9}){0,3}",
        (text(), option::of(any::<std::net::IpAddr>()), text(), text(), text()),
        option::of(prop_oneof![Just(Decision::Allow), Just(Decision::Deny)]),
        details(),
    );
    vec(event, 1..20).prop_map(|events| {
        let build =
            |(number, (at, name, (account_id, source_ip, user_agent, actor, reason), decision, details))| {
                Event {
                    id: number as u64,
                    at: Timestamp::from_unix_millis(at),
                    name: EventName::new(name).unwrap(),
                    account_id,
                    source_ip,
                    user_agent,
                    actor,
                    decision,
                    reason,
                    details,
                }
            };
        events.into_iter().enumerate().map(build).collect()
    })
}

fn event_of(record: Record) -> Option<Event> {
    Some(Event {
        id: record.event_id?,
        at: record.ts,
        name: EventName::new(record.event).unwrap(),
        account_id: record.account_id,
        source_ip: record.source_ip,
        user_agent: record.user_agent,
        actor: record.actor,
        decision: record.decision,
        reason: record.reason,
        details: record.details,
    })
}

/// A log of three segments, made once for all cases of a property.
fn written() -> Site {
    let mut site = Site::new("ca1");
    site.append(24);
    assert!(site.segments().len() >= 3 && site.verify().is_sound());
    site
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_events_come_back_and_verify(events in events(), batch in 1usize..8) {
        let mut site = Site::new("ca1");
        let mut journal = site.open();
        for batch in events.chunks(batch) {
            journal.append(batch, site.now).unwrap();
        }
        site.pinned = journal.close(site.now).unwrap().map_or(site.pinned.clone(), |closed| closed.head);
        let report = site.verify();
        prop_assert!(report.is_sound(), "{:?}", report.findings);
        let public = site.verify_public();
        prop_assert!(public.is_sound(), "{:?}", public.findings);
        let records = Log::open(site.path()).unwrap().records(&Filter::default(), None).unwrap();
        let back: Vec<_> = records.filter_map(|record| event_of(record.unwrap())).collect();
        prop_assert_eq!(back, events);
    }

    #[test]
    fn no_bytes_bring_a_reader_down(bytes in vec(any::<u8>(), 0..300), text in any::<String>()) {
        let site = Site::new("ca1");
        prop_assert!(Record::parse(&bytes).is_err());
        let _: Result<_, _> = Head::from_bytes(&bytes);
        prop_assert!(text.parse::<VerifierKey>().is_err());
        prop_assert!(Checkpoint::open(&text, &site.key()).is_err());
        let plain = site.path().join("audit.20260614T132300125Z.jsonl");
        std::fs::write(plain, &bytes).unwrap();
        prop_assert!(site.try_open().is_ok() != bytes.contains(&b'\n') || bytes.contains(&0));
        site.segments().iter().for_each(|plain| std::fs::remove_file(plain).unwrap());
        std::fs::write(site.path().join("audit.20260614T132300125Z.jsonl.zst"), &bytes).unwrap();
        prop_assert_eq!(site.verify().lines, 0);
    }
}

#[test]
fn any_change_of_one_byte_is_found() {
    let site = written();
    let originals: Vec<_> = site.segments().iter().map(|path| std::fs::read(path).unwrap()).collect();
    let strategy = (0..originals.len(), any::<prop::sample::Index>(), 1..=u8::MAX);
    proptest!(ProptestConfig::with_cases(512), |((segment, at, flip) in strategy)| {
        let path = &site.segments()[segment];
        let mut changed = originals[segment].clone();
        let at = at.index(changed.len());
        changed[at] ^= flip;
        std::fs::write(path, &changed).unwrap();
        let report = site.verify();
        std::fs::write(path, &originals[segment]).unwrap();
        prop_assert!(!report.is_sound(), "byte {at} of segment {segment}");
        let line = originals[segment][..at].iter().filter(|byte| **byte == b'\n').count() as u64 + 1;
        let first = &report.findings[0];
        prop_assert_eq!(&first.file, &site.file_name(segment));
        prop_assert_eq!(first.line, line, "{:?}", report.findings);
    });
}

#[test]
fn any_line_taken_out_copied_or_moved_is_found() {
    let site = written();
    let originals: Vec<_> = (0..site.segments().len()).map(|segment| site.lines(segment)).collect();
    let index = any::<prop::sample::Index>;
    let strategy = (0..originals.len(), index(), 0..originals.len(), index(), 0..3u8);
    proptest!(ProptestConfig::with_cases(256), |((from, at, to, into, act) in strategy)| {
        let mut lines = originals.clone();
        let (at, into) = (at.index(lines[from].len()), into.index(lines[to].len()));
        let line = lines[from][at].clone();
        match act {
            0 => { lines[from].remove(at); }
            1 => lines[to].insert(into, line),
            _ => {
                lines[from][at] = lines[to][into].clone();
                lines[to][into] = line;
            }
        }
        prop_assume!(lines != originals);
        for (segment, lines) in lines.iter().enumerate() {
            site.write_lines(segment, lines);
        }
        let (report, public) = (site.verify(), site.verify_public());
        for (segment, lines) in originals.iter().enumerate() {
            site.write_lines(segment, lines);
        }
        prop_assert!(!report.is_sound(), "act {act}, line {at} of {from}, line {into} of {to}");
        // Without the pinned head nobody sees that the last line is gone.
        let last = act == 0 && from + 1 == originals.len() && at + 1 == originals[from].len();
        prop_assert!(last || !public.is_sound(), "act {act}, line {at} of {from}, line {into} of {to}");
    });
}
