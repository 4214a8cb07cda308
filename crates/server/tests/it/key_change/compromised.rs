//! Keys whose private half others have: no account and no certificate gets one.

use aws_lc_rs::digest::{SHA256, digest};
use base64ct::{Base64UrlUnpadded, Encoding};
use chancery_testkit::{Engine, Installation, RawClient, Responder, certificate_request_by};
use rcgen::{KeyPair, PublicKeyData};
use serde_json::json;

use super::change;
use crate::CHANCERY;
use crate::acme::block_on;

/// What stands before the point in the SubjectPublicKeyInfo of a P-256 key (RFC 5480 §2).
const P256: [u8; 27] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
    0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04,
];

#[test]
fn a_key_of_the_operators_list_gets_no_account_and_no_certificate() {
    block_on(async {
        let installation = Installation::new(CHANCERY, Engine::Sqlite);
        let mut server = installation.serve();
        let mut listed = RawClient::new(&installation).await;
        assert_eq!(listed.register(&json!({})).await.status, 201);
        server.terminate();

        installation.configure(|config| config["server"]["compromised_keys"] = json!("compromised.txt"));
        let refused = installation.serve_refused(None);
        assert!(
            refused.stderr.contains("server.compromised_keys") && refused.stderr.contains("compromised.txt"),
            "{refused}"
        );
        let list = installation.server_workdir().join("compromised.txt");
        std::fs::write(&list, "# ours\nnonsense\n").unwrap();
        let refused = installation.serve_refused(None);
        assert!(refused.stderr.contains("line 2: `nonsense` is not the digest of a key"), "{refused}");

        let (mut stolen, of_certificate) = (listed.another(), KeyPair::generate().unwrap());
        let digests =
            [spki(&listed), spki(&stolen), of_certificate.subject_public_key_info()].map(|spki| hex(&spki));
        std::fs::write(&list, format!("# ours\n{}\n", digests.join("\n"))).unwrap();
        let mut server = installation.serve();
        let responder = Responder::start(installation.http01_port()).await;
        let mut client = RawClient::new(&installation).await;
        assert_eq!(client.register(&json!({})).await.status, 201);

        let detail = stolen.register(&json!({})).await.problem(400, "badPublicKey");
        assert!(detail.contains("is known to be compromised"), "{detail}");
        change(&mut client, &stolen).await.problem(400, "badPublicKey");
        let finalize = client.ready_order(&responder, "a.localhost", json!({})).await;
        let csr = certificate_request_by(&of_certificate.serialize_der(), "a.localhost");
        let payload = json!({ "csr": Base64UrlUnpadded::encode_string(&csr) });
        let detail = client.post(&finalize, &payload.to_string()).await.problem(400, "badCSR");
        assert!(detail.contains("is known to be compromised"), "{detail}");

        // Who has such a key already is not locked out, and can change it.
        let account = listed.account();
        let answer = listed.post(&account, "").await;
        answer.problem(400, "badNonce");
        let fresh = listed.another();
        assert_eq!(change(&mut listed, &fresh).await.status, 200);
        server.terminate();
    });
}

/// The SubjectPublicKeyInfo of a client's key, DER.
fn spki(client: &RawClient) -> Vec<u8> {
    let jwk = client.jwk();
    let coordinate = |name: &str| Base64UrlUnpadded::decode_vec(jwk[name].as_str().unwrap()).unwrap();
    [&P256[..], &coordinate("x"), &coordinate("y")].concat()
}

fn hex(spki: &[u8]) -> String {
    digest(&SHA256, spki).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}
