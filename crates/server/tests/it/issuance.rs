//! What is held against a certificate request at finalize.

use chancery_testkit::{Engine, Installation, Responder, Workdir, run_program};
use instant_acme::{Account, Error, Key, OrderStatus};
use rustls::pki_types::PrivatePkcs8KeyDer;

use crate::acme::{answer_challenges, block_on, fetch_certificate, order, wait_until_ready};
use crate::{CHANCERY, on_both_engines};

on_both_engines!(no_certificate_for_the_key_of_an_account);

/// RFC 8555 §11.1.
fn no_certificate_for_the_key_of_an_account(engine: Engine) {
    block_on(async {
        let installation = Installation::new(CHANCERY, engine);
        let mut server = installation.serve();
        let responder = Responder::start(installation.http01_port()).await;
        let files = Workdir::new();

        let (key, private) = Key::generate_pkcs8().unwrap();
        let account_key = pem(&private, &files, "account");
        let builder = Account::builder_with_http(Box::new(installation.https_client()));
        let (account, _) =
            builder.create_from_key((key, private.into()), installation.directory_url()).await.unwrap();

        let mut order = order(&account, "own-key.localhost").await;
        answer_challenges(&mut order, &responder).await;
        wait_until_ready(&mut order).await;
        let refused = order.finalize_csr(&request(&account_key, "own-key.localhost", &files)).await;
        let Err(Error::Api(problem)) = refused else { panic!("{refused:?}") };
        assert_eq!(problem.r#type.as_deref(), Some("urn:ietf:params:acme:error:badCSR"), "{problem:?}");

        // The order is none the worse for it.
        let (_, other) = Key::generate_pkcs8().unwrap();
        let other_key = pem(&other, &files, "other");
        order.finalize_csr(&request(&other_key, "own-key.localhost", &files)).await.unwrap();
        fetch_certificate(&mut order).await;
        assert_eq!(order.state().status, OrderStatus::Valid);
        server.terminate();
    });
}

/// Writes a private key where `openssl` can read it; returns the path.
fn pem(key: &PrivatePkcs8KeyDer<'_>, files: &Workdir, name: &str) -> String {
    let (der, pem) = (files.join(&format!("{name}.der")), files.join(&format!("{name}.pem")));
    std::fs::write(&der, key.secret_pkcs8_der()).unwrap();
    let (der, pem) = (der.display().to_string(), pem.display().to_string());
    run_program("openssl", &["pkey", "-inform", "DER", "-in", &der, "-out", &pem]).succeeded();
    pem
}

/// A certificate request of `openssl` for one name, DER.
fn request(key: &str, name: &str, files: &Workdir) -> Vec<u8> {
    let (out, names) = (files.join("request.der"), format!("subjectAltName=DNS:{name}"));
    let arguments = ["req", "-new", "-key", key, "-subj", "/", "-addext", &names, "-outform", "DER", "-out"];
    let out_text = out.display().to_string();
    run_program("openssl", &[arguments.as_slice(), &[out_text.as_str()]].concat()).succeeded();
    std::fs::read(out).unwrap()
}
