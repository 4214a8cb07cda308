//! Finding lines again.

use std::time::Duration;

use chancery_audit::{Decision, Event, EventName, Filter, Log, QueryError, compress_closed};
use chancery_time::Timestamp;
use serde_json::json;

use crate::site::Site;

/// Twelve events: orders and certificates in turn, an hour apart.
fn site() -> (Site, Vec<Event>) {
    let mut site = Site::new("ca1");
    site.options.max_segment_bytes = 1_500;
    let events: Vec<_> = (0..12u64)
        .map(|number| {
            let name = if number % 2 == 0 { "order.new" } else { "certificate.issue" };
            let at = Timestamp::from_unix_seconds(1_781_443_380 + 3_600 * number as i64);
            let mut event = Event::new(number, at, EventName::new(name).unwrap());
            event.account_id = Some(format!("a\"{}", number % 3));
            event.source_ip = Some([192, 0, 2, number as u8].into());
            event.user_agent = Some("certbot/2\n".to_owned());
            event.actor = (number == 5).then(|| "Zoë".to_owned());
            event.decision = Some(if number % 4 == 3 { Decision::Deny } else { Decision::Allow });
            event.reason = (number % 4 == 3).then(|| "no seat".to_owned());
            event.details.insert("serial".to_owned(), json!(number));
            event.details.insert("names".to_owned(), json!([format!("h{number}.example"), "all.example"]));
            event
        })
        .collect();
    let mut journal = site.open();
    for batch in events.chunks(2) {
        site.now = site.now + Duration::from_secs(1);
        journal.append(batch, site.now).unwrap();
    }
    site.pinned = journal.head().clone();
    (site, events)
}

fn ids(site: &Site, filter: &Filter) -> Vec<u64> {
    let records = Log::open(site.path()).unwrap().records(filter, None).unwrap();
    records.filter_map(|record| record.unwrap().event_id).collect()
}

#[test]
fn records_are_the_events_that_were_given() {
    let (site, events) = site();
    compress_closed(site.path()).unwrap();
    let filter = Filter { since: Some(Timestamp::MIN), ..Filter::default() };
    let records = Log::open(site.path()).unwrap().records(&filter, None).unwrap().map(Result::unwrap);
    let given: Vec<_> = records.filter(|record| record.event_id.is_some()).collect();
    assert_eq!(given.len(), events.len());
    for (record, event) in given.iter().zip(&events) {
        assert_eq!(record.event_id, Some(event.id));
        assert_eq!((record.ts, record.event.as_str()), (event.at, event.name.as_str()));
        assert_eq!((&record.account_id, record.source_ip), (&event.account_id, event.source_ip));
        assert_eq!((&record.user_agent, &record.actor), (&event.user_agent, &event.actor));
        assert_eq!((record.decision, &record.reason), (event.decision, &event.reason));
        assert_eq!(record.details, event.details);
        assert_eq!(record.node, "ca1");
    }
}

#[test]
fn every_condition_counts() {
    let (site, events) = site();
    let all = || Filter::default();
    let detail = |name: &str, value: &str| vec![(name.to_owned(), value.to_owned())];
    for (filter, expected) in [
        (Filter { event: Some("order.new".into()), ..all() }, vec![0, 2, 4, 6, 8, 10]),
        (Filter { event: Some("certificate.*".into()), ..all() }, vec![1, 3, 5, 7, 9, 11]),
        (Filter { event: Some("certificate.".into()), ..all() }, vec![1, 3, 5, 7, 9, 11]),
        (Filter { event: Some("certificate".into()), ..all() }, vec![]),
        (Filter { account_id: Some("a\"1".into()), ..all() }, vec![1, 4, 7, 10]),
        (Filter { decision: Some(Decision::Deny), ..all() }, vec![3, 7, 11]),
        (Filter { since: Some(events[10].at), event: Some("*".into()), ..all() }, vec![]),
        (Filter { since: Some(events[10].at), decision: Some(Decision::Allow), ..all() }, vec![10]),
        (Filter { until: Some(events[2].at), account_id: Some("a\"1".into()), ..all() }, vec![1]),
        (Filter { details: detail("serial", "7"), ..all() }, vec![7]),
        (Filter { details: detail("names", "h5.example"), ..all() }, vec![5]),
        (Filter { details: detail("name", "h5.example"), ..all() }, vec![]),
    ] {
        assert_eq!(ids(&site, &filter), expected, "{filter:?}");
    }
}

#[test]
fn a_query_goes_on_where_it_stopped() {
    let (site, events) = site();
    let filter = Filter::default();
    let mut records = Log::open(site.path()).unwrap().records(&filter, None).unwrap();
    let before = records.by_ref().filter(|record| record.is_ok()).count() as u64;
    assert_eq!(before, site.pinned.seq());
    let position = records.position().cloned();
    assert_eq!(Log::open(site.path()).unwrap().records(&filter, position.as_ref()).unwrap().count(), 0);

    let mut journal = site.open();
    let mut next = events[0].clone();
    next.id = 99;
    journal.append(&[next], site.now).unwrap();
    compress_closed(site.path()).unwrap();
    let further = Log::open(site.path()).unwrap().records(&filter, position.as_ref()).unwrap();
    let ids: Vec<_> = further.filter_map(|record| record.unwrap().event_id).collect();
    assert_eq!(ids, [99]);
}

#[test]
fn what_is_no_line_is_told_and_passed_over() {
    let (site, _) = site();
    let mut lines = site.lines(1);
    let count = lines.len();
    lines[2] = "nonsense\n".to_owned();
    site.write_lines(1, &lines);
    let records: Vec<_> =
        Log::open(site.path()).unwrap().records(&Filter::default(), None).unwrap().collect();
    let bad: Vec<_> = records.iter().filter_map(|record| record.as_ref().err()).collect();
    let [QueryError::Malformed { file, line: 3 }] = bad.as_slice() else { panic!("{bad:?}") };
    assert_eq!((file, count > 3), (&site.file_name(1), true));
    assert_eq!(records.len() as u64, site.pinned.seq());
}
