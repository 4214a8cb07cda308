use chancery_audit::VerifierKey;
use chancery_trail::{Appender, Policy};
use serde_json::json;

use super::*;
use crate::domain::{Code, Permissions};
use crate::service::signing;
use crate::service::testing::{Bench, refused};

/// Moves what was told into the log, as the running portal does.
async fn append(bench: &Bench) {
    let office = &bench.office;
    let policy = Policy {
        directory: office.log.directory.clone(),
        options: chancery_audit::Options::default(),
        compress: false,
        required: true,
        backlog: 100,
    };
    let (db, keys, clock) = (office.db.clone(), office.log.keys.clone(), office.clock.clone());
    Appender::new(db, office.trail.node(), keys, policy, clock).unwrap().finish().await;
}

fn wanted(event: &str, limit: i64) -> Wanted {
    Wanted { filter: Filter { event: Some(event.to_owned()), ..Filter::default() }, limit }
}

#[tokio::test]
async fn the_log_is_read_back_and_signed_for() {
    let bench = Bench::new().await;
    let (office, desk) = (&bench.office, Actor::operator("operator"));
    bench.product("my-app").await;
    assert_eq!(refused(checkpoint(office, &desk).await).code, Code::NotFound);
    let none = events(office, &desk, wanted("signing_key.", 5)).await.unwrap();
    assert!(none.records.is_empty() && !none.is_cut);

    let key = signing::create(office, &desk, "my-app", None).await.unwrap();
    signing::activate(office, &desk, "my-app", &key.kid).await.unwrap();
    append(&bench).await;
    let found = events(office, &desk, wanted("signing_key.", 5)).await.unwrap().records;
    let names: Vec<&str> = found.iter().map(|record| record.event.as_str()).collect();
    assert_eq!(names, ["signing_key.activate", "signing_key.create"]);
    assert_eq!(found[0].details["kid"], json!(key.kid));
    assert_eq!(found[0].actor.as_deref(), Some("operator"));
    assert_eq!(events(office, &desk, wanted("signing_key.", 1)).await.unwrap().records, found[..1]);

    let signed = checkpoint(office, &desk).await.unwrap();
    let verifier: VerifierKey = signed.key.parse().unwrap();
    let opened = Checkpoint::open(&signed.note, &verifier).unwrap();
    assert_eq!((opened.size(), signed.node.as_str()), (signed.size, "bench"));
    assert!(signed.size >= 2);
}

#[tokio::test]
async fn who_reads_the_log_reaches_all_that_it_tells_of() {
    let bench = Bench::new().await;
    let product = bench.product("my-app").await;
    let (live, test) = (bench.secret_key(true).await, bench.secret_key(false).await);
    let for_one = Actor { product_id: Some(product.id), ..live.clone() };
    let without = Actor { permissions: Permissions::default(), ..live.clone() };
    for actor in [test, for_one, without] {
        assert_eq!(refused(checkpoint(&bench.office, &actor).await).code, Code::Forbidden);
        assert_eq!(refused(events(&bench.office, &actor, wanted("x.y", 1)).await).code, Code::Forbidden);
    }
    assert!(events(&bench.office, &live, wanted("x.y", 1)).await.is_ok());
}
