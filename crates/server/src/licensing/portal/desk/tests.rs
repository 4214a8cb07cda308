use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};

use super::*;
use crate::config::{Secrets, check};
use crate::licensing::testing::{DAY, office, today};

/// Seconds after [`today`].
#[derive(Default)]
struct HandClock(AtomicI64);

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_millis(today().unix_millis() + 1_000 * self.0.load(Ordering::Relaxed))
    }
}

/// A desk whose portal is a port of this machine where nobody listens.
async fn desk() -> (tempfile::TempDir, Arc<HandClock>, Desk) {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let text = format!(
        "server: {{url: https://ca.example, listen: \"127.0.0.1:1\", workdir: w}}\n\
         database: {{driver: sqlite, path: a.db}}\n\
         authorities: [{{name: a, type: local, directory: ca, passphrase_file: p}}]\n\
         validation: [{{name: v}}]\n\
         profiles: [{{name: p, authority: a, validation: v}}]\n\
         license: {{portal: {{url: \"https://{closed}\"}}}}\n"
    );
    let config = check(Path::new("/etc/c.yml"), &text, &Secrets::default()).unwrap();
    let clock = Arc::new(HandClock::default());
    let (directory, office) = office().await;
    let desk = Desk::of(&config.license, office, clock.clone()).unwrap().unwrap();
    (directory, clock, desk)
}

async fn contact(desk: &Desk) -> Contact {
    desk.office.db.read(contacts::contact).await.unwrap()
}

#[tokio::test]
async fn a_failure_is_kept_with_the_time_of_the_next_question() {
    let (_directory, clock, desk) = desk().await;
    let failure = desk.poll().await.unwrap_err();
    assert_eq!(failure.name(), "unreachable", "{failure}");
    let kept = contact(&desk).await;
    assert_eq!((kept.counter, kept.is_failing, kept.busy_until), (1, true, None));
    assert_eq!(kept.failed_at, Some(clock.now()));
    assert_eq!(kept.failure.as_deref(), Some(failure.to_string().as_str()));
    assert_eq!((kept.answered_at, kept.verdict), (None, None));
    let due = kept.due_at.unwrap().since(clock.now());
    assert!((Duration::from_secs(19_000)..Duration::from_secs(24_000)).contains(&due), "{due:?}");

    // Neither this node nor another one asks before that, and the next question has the next number.
    assert!(desk.poll().await.unwrap().is_none());
    assert_eq!(contact(&desk).await.counter, 1);
    clock.0.store(24_000, Ordering::Relaxed);
    desk.poll().await.unwrap_err();
    assert_eq!(contact(&desk).await.counter, 2);
}

#[tokio::test]
async fn of_two_who_would_ask_at_once_one_does() {
    let (_directory, clock, desk) = desk().await;
    let begun = desk.begin(&Purpose::Poll).await.unwrap().unwrap();
    assert_eq!(begun.document.body.counter, 1);
    assert!(desk.begin(&Purpose::Poll).await.unwrap().is_none());
    assert!(matches!(desk.begin(&Purpose::Refresh).await, Err(Failure::Busy)));
    assert_eq!(contact(&desk).await.counter, 1, "a question that is not asked is not counted");

    // Whoever had the word died with it.
    clock.0.store(121, Ordering::Relaxed);
    assert_eq!(desk.begin(&Purpose::Poll).await.unwrap().unwrap().document.body.counter, 2);
    desk.give_up().await.unwrap();
    assert_eq!(desk.begin(&Purpose::Refresh).await.unwrap().unwrap().document.body.counter, 3);

    // Whoever has not got it cannot give it back.
    let other = Desk {
        office: desk.office.clone(),
        client: desk.client.clone(),
        clock: desk.clock.clone(),
        interval: DAY,
        word: Mutex::default(),
    };
    other.give_up().await.unwrap();
    assert!(matches!(desk.begin(&Purpose::Refresh).await, Err(Failure::Busy)));

    // Or took it by a clock that was ahead.
    clock.0.store(-86_400, Ordering::Relaxed);
    assert_eq!(desk.begin(&Purpose::Refresh).await.unwrap().unwrap().document.body.counter, 4);
}

#[tokio::test]
async fn a_registration_that_fails_leaves_everything_as_it_was() {
    let (_directory, _clock, desk) = desk().await;
    let before = desk.office.snapshot().await.unwrap();
    let key = LicenseKey::from_random(&[1; 29]);
    let purpose = Purpose::Register { key: key.clone(), name: Some("box".to_owned()) };
    let failure = desk.ask(purpose.clone()).await.unwrap_err();
    assert_eq!(contact(&desk).await, Contact { counter: 1, ..Contact::default() });
    let after = desk.office.snapshot().await.unwrap();
    assert_eq!((after.record, after.changes), (before.record, before.changes));
    let told = format!("{failure} {failure:?} {purpose:?}");
    assert!(!told.contains(&key.reveal()[4..]), "{told}");
}

#[tokio::test]
async fn a_failing_portal_is_a_warning_of_a_licence_and_nothing_else() {
    let (_directory, _clock, desk) = desk().await;
    desk.poll().await.unwrap_err();
    let failing = desk.office.snapshot().await.unwrap();
    assert_eq!(failing.held.documents.call_home, chancery_license::state::CallHome::Failing);
    assert_eq!(failing.changes, 1, "running servers hear of it");
    let offline = Office { is_online: false, ..desk.office.clone() };
    let offline = offline.snapshot().await.unwrap();
    assert_eq!(offline.held.documents.call_home, chancery_license::state::CallHome::Disabled);
}

#[tokio::test]
async fn without_a_record_nothing_is_asked() {
    let (_directory, _clock, desk) = desk().await;
    let damage = |tx: &mut WriteTx<'_>| {
        crate::store::settings::set(tx, crate::store::settings::LICENSE_RECORD, b"not a record")
    };
    desk.office.db.write(damage).await.unwrap();
    assert!(matches!(desk.ask(Purpose::Refresh).await, Err(Failure::RecordDamaged)));
    assert_eq!(contact(&desk).await.counter, 0);
}

#[test]
fn the_word_is_lent_for_a_while() {
    for (until, busy) in
        [(None, false), (Some(Duration::ZERO), false), (Some(LEASE), true), (Some(DAY), false)]
    {
        let contact = Contact { busy_until: until.map(|until| today() + until), ..Contact::default() };
        assert_eq!(is_busy(&contact, today()), busy, "{until:?}");
    }
}
