//! The log lies on a file system of its own, which is full for a while.

use chancery_testkit::{Answer, Engine, Installation, RawClient, Responder, Tmpfs};
use serde_json::{Value, json};

use super::{Auditor, backlog, directory};
use crate::acme::block_on;
use crate::obtained::{obtain, revocation};
use crate::{CHANCERY, on_both_engines};

on_both_engines!(the_server_serves_on, nothing_is_issued_where_the_log_is_required, the_backlog_is_bounded);

/// How large the file system is, in KiB: room for some hundred events.
const ROOM: u32 = 512;

fn the_server_serves_on(engine: Engine) {
    block_on(async {
        let installation = Installation::new(CHANCERY, engine);
        let Some(tmpfs) = Tmpfs::mount(&directory(&installation), ROOM) else { return };
        let mut server = installation.serve();
        let responder = Responder::start(installation.http01_port()).await;
        let mut client = RawClient::new(&installation).await;
        let auditor = Auditor::new(&installation);
        issued(client.obtain(&responder, "before.localhost").await);

        tmpfs.fill();
        // The last page of a file takes some bytes still.
        for number in 0..4 {
            issued(client.obtain(&responder, &format!("during-{number}.localhost")).await);
        }
        let said = server.log_until("THE AUDIT LOG IS NOT WRITTEN");
        assert!(said.contains(" ERROR ") && said.contains("No space left on device"), "{said}");
        assert!(!said.contains("nothing is issued"), "{said}");
        for number in 4..8 {
            issued(client.obtain(&responder, &format!("during-{number}.localhost")).await);
        }
        assert!(backlog(&installation) > 0);
        auditor.examine();

        tmpfs.make_room();
        server.log_until("the audit log is written again");
        issued(client.obtain(&responder, "after.localhost").await);
        server.terminate();
        let examined = auditor.examine_whole();
        assert_eq!(examined.identifiers("certificate.issue").len(), 10);
        assert!(
            !server.log().contains("a torn line was cut off"),
            "what the server tore itself is no crash:\n{}",
            server.log()
        );
    });
}

fn nothing_is_issued_where_the_log_is_required(engine: Engine) {
    block_on(async {
        let installation = installation_with(engine, json!({ "required": true }));
        let Some(tmpfs) = Tmpfs::mount(&directory(&installation), ROOM) else { return };
        let mut server = installation.serve();
        let responder = Responder::start(installation.http01_port()).await;
        let mut client = RawClient::new(&installation).await;
        issued(client.obtain(&responder, "before.localhost").await);
        let leaked = obtain(&mut client, &responder, "leaked.localhost", json!({})).await;
        let ready = client.ready_order(&responder, "ready.localhost", json!({})).await;

        tmpfs.fill();
        refused(&order_until_refused(&mut client).await);
        let said = server.log_until("THE AUDIT LOG IS NOT WRITTEN");
        assert!(said.contains("nothing is issued until it is written again"), "{said}");
        refused(&client.finalize(&ready, "ready.localhost").await);
        refused(&client.another().register(&json!({ "termsOfServiceAgreed": true })).await);
        // A key that leaked cannot wait.
        let revoked = client.post(&client.url("revokeCert"), &revocation(&leaked.der, 1)).await;
        assert_eq!(revoked.status, 200, "{revoked:?}");
        // What changes nothing is answered.
        assert_eq!(client.post(&client.account(), "").await.status, 200);
        let (status, _) = installation.https_client().get(&installation.directory_url()).await;
        assert_eq!(status, 200);

        tmpfs.make_room();
        server.log_until("the audit log is written again");
        issued(client.finalize(&ready, "ready.localhost").await);
        issued(client.obtain(&responder, "after.localhost").await);
        server.terminate();
        let examined = Auditor::new(&installation).examine_whole();
        assert_eq!(examined.identifiers("certificate.revoke").len(), 1);
    });
}

fn the_backlog_is_bounded(engine: Engine) {
    const BACKLOG: i64 = 40;
    block_on(async {
        let installation = installation_with(engine, json!({ "backlog": BACKLOG }));
        let Some(tmpfs) = Tmpfs::mount(&directory(&installation), ROOM) else { return };
        let mut server = installation.serve();
        let responder = Responder::start(installation.http01_port()).await;
        let mut client = RawClient::new(&installation).await;
        issued(client.obtain(&responder, "before.localhost").await);

        tmpfs.fill();
        refused(&order_until_refused(&mut client).await);
        assert!(backlog(&installation) >= BACKLOG, "{}", backlog(&installation));
        // An operator who read that events wait reads at once that nothing is issued any more.
        let said = server.log_until("nothing is issued until it is written again");
        assert!(said.contains("THE AUDIT LOG IS NOT WRITTEN"), "{said}");

        // What waits outlives the server, which is no more forthcoming after a restart. It may find lines that
        // were written when it was killed, and then has room for as many events before it refuses again.
        server.kill_9();
        server.restart();
        server.log_until("THE AUDIT LOG IS NOT WRITTEN");
        // Nonces do not outlive the server; the refusal brings a new one.
        client.post(&client.account(), "").await.problem(400, "badNonce");
        refused(&order_until_refused(&mut client).await);

        tmpfs.make_room();
        server.log_until("the audit log is written again");
        issued(client.obtain(&responder, "after.localhost").await);
        server.terminate();
        Auditor::new(&installation).examine_whole();
    });
}

fn installation_with(engine: Engine, audit: Value) -> Installation {
    let installation = Installation::new(CHANCERY, engine);
    installation.configure(|config| config["audit"] = audit);
    installation
}

/// Orders until the server refuses, and gives the refusal.
async fn order_until_refused(client: &mut RawClient) -> Answer {
    for number in 0..20_000 {
        let answer = client.new_order(&format!("until-{number}.localhost"), json!({})).await;
        if answer.status != 201 {
            return answer;
        }
    }
    panic!("the server accepts orders on and on");
}

#[track_caller]
fn issued(answer: Answer) {
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.json()["status"], "valid", "{answer:?}");
}

#[track_caller]
fn refused(answer: &Answer) {
    answer.problem(503, "serverInternal");
    let seconds = answer.header("retry-after").expect("a time after which to try again");
    assert!(seconds.parse::<u32>().is_ok_and(|seconds| seconds > 0), "{seconds}");
}
