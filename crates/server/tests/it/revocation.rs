//! Revocation by clients (RFC 8555 §7.6).

use std::path::Path;
use std::sync::Arc;

use chancery_license::{Limit, Plan};
use chancery_testkit::{Engine, Installation, JwsKey, RawClient, Responder, Vendor, Workdir, base64url};
use http::Request;
use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use serde_json::{Value, json};

use crate::acme::block_on;
use crate::obtained::{Obtained, finish, obtain, revocation};
use crate::{CHANCERY, on_both_engines};

on_both_engines!(
    each_of_three_may_revoke,
    of_many_at_once_one_revokes,
    a_revoked_certificate_frees_its_seat,
    the_own_certificate_is_for_its_key_alone,
);

fn each_of_three_may_revoke(engine: Engine) {
    block_on(async {
        let installation = Installation::new(CHANCERY, engine);
        let mut server = installation.serve();
        let responder = Responder::start(installation.http01_port()).await;
        let mut owner = registered(&installation).await;
        let mut other = owner.another();
        other.register(&json!({})).await;
        let url = owner.url("revokeCert");

        // The account that ordered it.
        let certificate = obtain(&mut owner, &responder, "owner.localhost", json!({})).await;
        let revoked = owner.post(&url, &revocation(&certificate.der, 4)).await;
        assert_eq!((revoked.status.as_u16(), revoked.body.as_str()), (200, ""), "{revoked:?}");
        assert!(revoked.header("replay-nonce").is_some());
        is_over(&mut owner, certificate).await;

        // Whoever has its key, of every kind.
        let kinds = [JwsKey::p256(), JwsKey::p384(), JwsKey::rsa()];
        for (nth, key) in kinds.into_iter().enumerate() {
            let name = format!("key-{nth}.localhost");
            let finalize = owner.ready_order(&responder, &name, json!({})).await;
            let mut certificate = finish(&mut owner, &finalize, &name, key).await;
            let revoked = certificate.holder.post(&url, &revocation(&certificate.der, 1)).await;
            assert_eq!(revoked.status, 200, "{revoked:?}");
            is_over(&mut owner, certificate).await;
        }

        // Another account, once it has proven the name; a reason need not be given.
        let certificate = obtain(&mut owner, &responder, "moved.localhost", json!({})).await;
        let payload = revocation(&certificate.der, Value::Null);
        other.post(&url, &payload).await.problem(403, "unauthorized");
        other.ready_order(&responder, "moved.localhost", json!({})).await;
        let revoked = other.post(&url, &payload).await;
        assert_eq!(revoked.status, 200, "{revoked:?}");
        is_over(&mut owner, certificate).await;

        server.terminate();
        let told = told(&installation, "certificate.revoke");
        let by: Vec<_> =
            told.iter().map(|line| (&line["details"]["by"], &line["details"]["reason"])).collect();
        let (superseded, compromise) = (json!("superseded"), json!("keyCompromise"));
        let (account, key, another) = (json!("account"), json!("key"), json!("other_account"));
        assert_eq!(
            by,
            [
                (&account, &superseded),
                (&key, &compromise),
                (&key, &compromise),
                (&key, &compromise),
                (&another, &Value::Null)
            ]
        );
        assert_eq!(told[4]["details"]["identifiers"], "dns:moved.localhost");
        assert_ne!(told[4]["account_id"], told[4]["details"]["owner"].to_string());
        let denied = self::told(&installation, "certificate.revoke_rejected");
        assert_eq!(denied.len(), 1, "{denied:?}");
        assert_eq!(
            (&denied[0]["decision"], &denied[0]["reason"]),
            (&json!("deny"), &json!("not_its_certificate"))
        );
        assert_eq!(denied[0]["details"]["serial"], told[4]["details"]["serial"]);
    });
}

#[test]
fn nobody_else_may_and_learns_nothing() {
    block_on(async {
        let installation = Installation::new(CHANCERY, Engine::Sqlite);
        let mut server = installation.serve();
        let responder = Responder::start(installation.http01_port()).await;
        let mut owner = registered(&installation).await;
        let mut stranger = owner.another();
        stranger.register(&json!({})).await;
        let url = owner.url("revokeCert");
        let mut certificate = obtain(&mut owner, &responder, "kept.localhost", json!({})).await;
        let of_another_ca = self_signed(stranger.key(), "kept.localhost");
        let mut altered = certificate.der.clone();
        *altered.last_mut().unwrap() ^= 1;

        // An account that has no right is told the same of any certificate.
        let detail = stranger.post(&url, &revocation(&certificate.der, 1)).await.problem(403, "unauthorized");
        for der in [&of_another_ca, &altered] {
            let answer = stranger.post(&url, &revocation(der, 1)).await;
            assert_eq!(answer.problem(403, "unauthorized"), detail);
        }
        owner.post(&url, &revocation(&altered, 1)).await.problem(403, "unauthorized");

        // So is a key; that of a certificate learns whether it is ours.
        let mut key = stranger.another();
        let detail = key.post(&url, &revocation(&certificate.der, 1)).await.problem(403, "unauthorized");
        for der in [&of_another_ca, &altered] {
            let answer = key.post(&url, &revocation(der, 1)).await;
            assert_eq!(answer.problem(403, "unauthorized"), detail);
        }
        certificate.holder.post(&url, &revocation(&altered, 1)).await.problem(404, "malformed");

        // One name of two is not enough.
        let names = json!({ "identifiers": [
            { "type": "dns", "value": "one.localhost" }, { "type": "dns", "value": "two.localhost" },
        ] });
        let two = obtain_for(&mut owner, &responder, &names, &["one.localhost", "two.localhost"]).await;
        stranger.ready_order(&responder, "one.localhost", json!({})).await;
        stranger.post(&url, &revocation(&two, 1)).await.problem(403, "unauthorized");
        stranger.ready_order(&responder, "two.localhost", json!({})).await;
        // An authorization that was given up is none.
        installation
            .sql("UPDATE authorizations SET status = 'deactivated' WHERE identifier = 'dns:one.localhost'");
        stranger.post(&url, &revocation(&two, 1)).await.problem(403, "unauthorized");
        // Nor is that of another profile.
        installation.sql(
            "UPDATE authorizations SET status = 'valid', profile = 'x' WHERE identifier = 'dns:one.localhost'",
        );
        stranger.post(&url, &revocation(&two, 1)).await.problem(403, "unauthorized");

        // A closed account has no rights.
        let (account, payload) = (owner.account(), revocation(&certificate.der, 1));
        owner.post(&account, r#"{"status":"deactivated"}"#).await;
        owner.post(&url, &payload).await.problem(401, "unauthorized");

        let revoked = "SELECT COUNT(*) FROM certificates WHERE revoked_at IS NOT NULL";
        assert_eq!(installation.query_i64(revoked), 0);
        server.terminate();
        assert_eq!(told(&installation, "certificate.revoke_rejected").len(), 10);
    });
}

#[test]
fn what_is_no_request_for_a_revocation_is_said() {
    block_on(async {
        let installation = Installation::new(CHANCERY, Engine::Sqlite);
        let mut server = installation.serve();
        let responder = Responder::start(installation.http01_port()).await;
        let mut owner = registered(&installation).await;
        let url = owner.url("revokeCert");
        let certificate = obtain(&mut owner, &responder, "kept.localhost", json!({})).await;

        for (reason, says) in [
            (2, "(cACompromise) is for the certificate of an authority"),
            (6, "(certificateHold)"),
            (7, "none of RFC 5280"),
            (8, "(removeFromCRL)"),
            (11, "none of RFC 5280"),
            (-1, "none of RFC 5280"),
        ] {
            let answer = owner.post(&url, &revocation(&certificate.der, reason)).await;
            let detail = answer.problem(400, "badRevocationReason");
            assert!(detail.contains(says) && detail.contains("10 (aACompromise)"), "{detail}");
        }
        let root = crate::obtained::first(&std::fs::read_to_string(installation.root()).unwrap());
        let trailing = [certificate.der.as_slice(), &[0]].concat();
        for (payload, says) in [
            (String::new(), "POST-as-GET"),
            ("[]".to_owned(), "a JSON object"),
            ("{}".to_owned(), "`certificate`"),
            (r#"{"certificate":"=="}"#.to_owned(), "base64url"),
            (r#"{"certificate":""}"#.to_owned(), "`certificate`"),
            (revocation(b"certificate", 1), "`certificate`"),
            (revocation(&trailing, 1), "`certificate`"),
            (revocation(&root, 1), "a CA's"),
            (revocation(&certificate.der, "keyCompromise"), "expected"),
            (revocation(&certificate.der, 1.5), "expected"),
        ] {
            let detail = owner.post(&url, &payload).await.problem(400, "malformed");
            assert!(detail.contains(says), "{payload}: {detail}");
        }
        let download = owner.post(&certificate.url, "").await;
        assert_eq!(download.status, 200, "{download:?}");
        server.terminate();
    });
}

fn of_many_at_once_one_revokes(engine: Engine) {
    block_on(async {
        let installation = Installation::new(CHANCERY, engine);
        let mut server = installation.serve();
        let responder = Responder::start(installation.http01_port()).await;
        let mut owner = registered(&installation).await;
        let url = owner.url("revokeCert");
        let mut certificate = obtain(&mut owner, &responder, "race.localhost", json!({})).await;
        let payload = revocation(&certificate.der, 1);
        let mut bodies = Vec::new();
        for _ in 0..12 {
            for client in [&mut owner, &mut certificate.holder] {
                let header = client.header(&url).await;
                bodies.push(client.sign(&header, &payload).to_string());
            }
        }
        let sender = Arc::new(owner.another());
        let mut racing = tokio::task::JoinSet::new();
        for body in bodies {
            let (sender, url) = (Arc::clone(&sender), url.clone());
            racing.spawn(async move {
                let request = Request::post(url).header("content-type", "application/jose+json");
                sender.exchange(request.body(body.into()).unwrap()).await
            });
        }
        let mut won = 0;
        while let Some(answer) = racing.join_next().await {
            let answer = answer.unwrap();
            if answer.status == 200 {
                won += 1;
            } else {
                answer.problem(400, "alreadyRevoked");
            }
        }
        assert_eq!(won, 1);
        server.terminate();
        assert_eq!(told(&installation, "certificate.revoke").len(), 1);
    });
}

fn a_revoked_certificate_frees_its_seat(engine: Engine) {
    block_on(async {
        let vendor = Vendor::new();
        let installation = Installation::without_window(CHANCERY, engine);
        let license = vendor.license().plan(Plan::Enterprise).entitlements(|allowed| {
            allowed.max_managed_servers = Limit::AtMost(1);
            allowed.max_certificates = Limit::AtMost(2);
        });
        let files = Workdir::new();
        let file = files.join("license.lic");
        std::fs::write(&file, license.mint()).unwrap();
        installation.run(&["license", "install", &file.display().to_string()]).succeeded();
        let mut server = installation.serve();
        let responder = Responder::start(installation.http01_port()).await;
        let mut first = registered(&installation).await;
        let mut second = first.another();
        second.register(&json!({})).await;
        let url = first.url("revokeCert");

        let one = obtain(&mut first, &responder, "one.localhost", json!({})).await;
        let two = obtain(&mut first, &responder, "two.localhost", json!({})).await;
        let denied = |answer: chancery_testkit::Answer, reason: &str| {
            let detail = answer.problem(403, "unauthorized");
            assert!(detail.contains(reason), "{detail}");
        };
        denied(first.new_order("three.localhost", json!({})).await, "certificates_exceeded");
        denied(second.new_order("three.localhost", json!({})).await, "managed_servers_exceeded");

        // One certificate less; the account still holds another.
        assert_eq!(first.post(&url, &revocation(&two.der, 5)).await.status, 200);
        denied(second.new_order("three.localhost", json!({})).await, "managed_servers_exceeded");
        let third = obtain(&mut first, &responder, "three.localhost", json!({})).await;
        // What was revoked is not renewed.
        denied(first.new_order("two.localhost", json!({})).await, "certificates_exceeded");
        assert_eq!(first.new_order("one.localhost", json!({})).await.status, 201);

        for certificate in [&one, &third] {
            assert_eq!(first.post(&url, &revocation(&certificate.der, 5)).await.status, 200);
        }
        obtain(&mut second, &responder, "other.localhost", json!({})).await;
        denied(first.new_order("one.localhost", json!({})).await, "managed_servers_exceeded");
        server.terminate();
    });
}

fn the_own_certificate_is_for_its_key_alone(engine: Engine) {
    block_on(async {
        let installation = Installation::new(CHANCERY, engine);
        let mut server = installation.serve();
        let responder = Responder::start(installation.http01_port()).await;
        let own = installation.https_client().certificate(&installation.url()).await;
        let mut client = registered(&installation).await;
        let url = client.url("revokeCert");

        // Not even for whoever answers for its name.
        client.post(&url, &revocation(&own, 1)).await.problem(403, "unauthorized");
        client.ready_order(&responder, "localhost", json!({})).await;
        client.post(&url, &revocation(&own, 1)).await.problem(403, "unauthorized");

        let mut holder = client.with_key(key_in(&installation.server_workdir().join("tls/server.pem")));
        let revoked = holder.post(&url, &revocation(&own, 1)).await;
        assert_eq!(revoked.status, 200, "{revoked:?}");
        holder.post(&url, &revocation(&own, 1)).await.problem(400, "alreadyRevoked");
        // All goes on.
        obtain(&mut client, &responder, "after.localhost", json!({})).await;
        server.terminate();
        server.restart();
        server.terminate();
    });
}

async fn registered(installation: &Installation) -> RawClient {
    let mut client = RawClient::new(installation).await;
    let answer = client.register(&json!({})).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    client
}

/// A certificate that was revoked is so for everybody, and cannot be had any more.
async fn is_over(owner: &mut RawClient, mut certificate: Obtained) {
    let url = owner.url("revokeCert");
    let detail = owner.post(&certificate.url, "").await.problem(404, "malformed");
    assert!(detail.contains("was revoked at 20"), "{detail}");
    let payload = revocation(&certificate.der, Value::Null);
    for client in [owner, &mut certificate.holder] {
        client.post(&url, &payload).await.problem(400, "alreadyRevoked");
    }
}

/// The events of one kind in the audit log.
fn told(installation: &Installation, event: &str) -> Vec<Value> {
    let found = installation.run(&["audit", "query", "--event", event, "--json"]).succeeded();
    found.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Takes several names to a certificate, DER.
async fn obtain_for(client: &mut RawClient, responder: &Responder, order: &Value, names: &[&str]) -> Vec<u8> {
    // Each is proven for itself; the order finds them proven.
    for name in names {
        client.ready_order(responder, name, json!({})).await;
    }
    let order = client.post(&client.url("newOrder"), &order.to_string()).await;
    assert_eq!(order.json()["status"], "ready", "{order:?}");
    let key = KeyPair::generate().unwrap();
    let names = names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let mut request = CertificateParams::new(names).unwrap();
    request.distinguished_name = rcgen::DistinguishedName::new();
    let csr = base64url(request.serialize_request(&key).unwrap().der());
    let finalize = order.json()["finalize"].as_str().unwrap().to_owned();
    let valid = client.post(&finalize, &json!({ "csr": csr }).to_string()).await;
    assert_eq!(valid.status, 200, "{valid:?}");
    let url = valid.json()["certificate"].as_str().unwrap().to_owned();
    crate::obtained::first(&client.post(&url, "").await.body)
}

/// A certificate that no CA issued, for that key.
fn self_signed(key: &JwsKey, name: &str) -> Vec<u8> {
    let key = KeyPair::try_from(key.pkcs8()).unwrap();
    CertificateParams::new([name.to_owned()]).unwrap().self_signed(&key).unwrap().der().to_vec()
}

/// The P-256 key in a PEM file.
fn key_in(file: &Path) -> JwsKey {
    let key = PrivateKeyDer::from_pem_file(file).unwrap();
    let der = key.secret_der();
    // RFC 5915 §3: behind the version, 1, the private number is an OCTET STRING of 32 octets; the uncompressed
    // point closes the key.
    let head = [0x02, 0x01, 0x01, 0x04, 0x20];
    let number = der.windows(head.len()).position(|octets| octets == head).unwrap() + head.len();
    let (_, point) = der.split_at(der.len() - 64);
    let (x, y) = point.split_at(32);
    JwsKey::known_p256(&base64url(&der[number..number + 32]), &base64url(x), &base64url(y))
}
