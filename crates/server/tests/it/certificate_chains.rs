//! Other chains for a certificate (RFC 8555 §7.4.2).

use std::time::Duration;

use chancery_pki::certificate::CaCertificate;
use chancery_pki::hierarchy;
use chancery_pki::key::{KeyAlgorithm, PrivateKey};
use chancery_testkit::{Answer, Engine, Installation, RawClient, Responder, Workdir, run_program};
use chancery_time::{Clock, SystemClock};
use serde_json::json;

use crate::acme::block_on;
use crate::obtained::obtain;
use crate::{CHANCERY, on_both_engines};

on_both_engines!(a_certificate_has_every_chain_of_its_authority);

const YEAR: Duration = Duration::from_secs(365 * 86_400);

/// The issuing key, certified by another root; with that root.
fn crossed(issuing: &CaCertificate, name: &str) -> (CaCertificate, CaCertificate) {
    let key = PrivateKey::generate(KeyAlgorithm::EcdsaP384).unwrap();
    let now = SystemClock.now();
    let root = hierarchy::root(name, &key, now, YEAR).unwrap();
    let common_name = issuing.subject().strip_prefix("CN=").unwrap();
    let crossed = hierarchy::intermediate(common_name, issuing.public_key(), &root, &key, now, YEAR).unwrap();
    (crossed, root)
}

fn a_certificate_has_every_chain_of_its_authority(engine: Engine) {
    block_on(async {
        let installation = Installation::new(CHANCERY, engine);
        let issuing = std::fs::read_to_string(installation.server_workdir().join("ca/issuing.pem")).unwrap();
        let issuing = CaCertificate::from_pem(&issuing).unwrap();
        let files = Workdir::new();
        let write = |name: &str, content: &str| {
            let path = files.join(name).display().to_string();
            std::fs::write(&path, content).unwrap();
            path
        };
        let others = ["Other Root", "Third Root"].map(|name| crossed(&issuing, name));
        let chains = [write("1.pem", &others[0].0.to_pem()), write("2.pem", &others[1].0.to_pem())];
        installation.configure(|config| config["authorities"][0]["alternate_chains"] = json!(chains));
        let mut server = installation.serve();
        let responder = Responder::start(installation.http01_port()).await;
        let mut client = RawClient::new(&installation).await;
        client.register(&json!({})).await;
        let certificate = obtain(&mut client, &responder, "chains.localhost", json!({})).await;

        let urls =
            [certificate.url.clone(), format!("{}/1", certificate.url), format!("{}/2", certificate.url)];
        for (nth, url) in urls.iter().enumerate() {
            let answer = client.post(url, "").await;
            assert_eq!(answer.status, 200, "{answer:?}");
            assert_eq!(answer.header("content-type"), Some("application/pem-certificate-chain"));
            let mut alternates = urls.to_vec();
            alternates.remove(nth);
            assert_eq!(alternate_links(&answer), alternates, "{answer:?}");
            let chain = write("chain.pem", &answer.body);
            for other in 0..urls.len() {
                let root = match other.checked_sub(1) {
                    None => std::fs::read_to_string(installation.root()).unwrap(),
                    Some(other) => others[other].1.to_pem(),
                };
                let root = write("root.pem", &root);
                let verified = run_program(
                    "openssl",
                    &[
                        "verify",
                        "-x509_strict",
                        "-no-CApath",
                        "-no-CAstore",
                        "-CAfile",
                        &root,
                        "-untrusted",
                        &chain,
                        &chain,
                    ],
                );
                assert_eq!(
                    verified.code == Some(0),
                    other == nth,
                    "chain {nth} under root {other}: {verified}"
                );
            }
        }

        for last in ["3", "0", "01", "+1", "-1", "x", "1/2", "%ff", "18446744073709551616"] {
            client.post(&format!("{}/{last}", certificate.url), "").await.problem(404, "malformed");
        }
        let mut other = client.another();
        other.register(&json!({})).await;
        let detail = other.post(&urls[1], "").await.problem(404, "malformed");
        assert!(detail.contains("this account has no such certificate"), "{detail}");

        // An authority that has other chains by now has still issued it; one that has none more has no others.
        server.terminate();
        installation.configure(|config| config["authorities"][0]["alternate_chains"] = json!([]));
        server.restart();
        assert!(alternate_links(&client.post(&urls[0], "").await).is_empty());
        client.post(&urls[1], "").await.problem(404, "malformed");
        server.terminate();
    });
}

fn alternate_links(answer: &Answer) -> Vec<String> {
    let links = answer.headers.get_all("link").iter().map(|link| link.to_str().unwrap());
    let alternate =
        |link: &str| Some(link.strip_prefix('<')?.strip_suffix(r#">;rel="alternate""#)?.to_owned());
    links.filter_map(alternate).collect()
}
