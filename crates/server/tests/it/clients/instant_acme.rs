//! instant-acme, a crate for Rust programs. Other tests take its steps one by one; these are its users'.

use base64ct::{Base64UrlUnpadded, Encoding as _};
use chancery_testkit::{Engine, HttpsClient, Installation, Responder};
use instant_acme::{
    Account, AccountCredentials, ExternalAccountKey, NewAccount, RevocationReason, RevocationRequest,
};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::json;

use super::new_external_account_key;
use crate::acme::{block_on, complete, order, register};
use crate::{CHANCERY, on_both_engines};

const NAME: &str = "www.example.localhost";

on_both_engines!(issues_and_renews, revokes, changes_the_account_key, binds_an_account);

async fn issue(account: &Account, responder: &Responder) -> CertificateDer<'static> {
    let chain = complete(&mut order(account, NAME).await, responder).await;
    CertificateDer::from_pem_slice(chain.as_bytes()).expect("the chain begins with the certificate")
}

/// The account as a program finds it when it is started again.
async fn load(https: &HttpsClient, credentials: AccountCredentials) -> Account {
    let builder = Account::builder_with_http(Box::new(https.clone()));
    builder.from_credentials(credentials).await.expect("the credentials are those of an account")
}

fn issues_and_renews(engine: Engine) {
    block_on(async {
        let installation = Installation::new(CHANCERY, engine);
        let mut server = installation.serve();
        let responder = Responder::start(installation.http01_port()).await;
        let https = installation.https_client();
        let (account, credentials) = register(&installation, &https).await;

        let first = issue(&account, &responder).await;
        let renewed = issue(&load(&https, credentials).await, &responder).await;
        assert_ne!(renewed, first);
        server.terminate();
    });
}

fn revokes(engine: Engine) {
    block_on(async {
        let installation = Installation::new(CHANCERY, engine);
        let mut server = installation.serve();
        let responder = Responder::start(installation.http01_port()).await;
        let (account, _) = register(&installation, &installation.https_client()).await;
        let certificate = issue(&account, &responder).await;

        let request =
            RevocationRequest { certificate: &certificate, reason: Some(RevocationReason::Superseded) };
        account.revoke(&request).await.expect("the certificate is revoked");
        let reasons = installation
            .column::<i64>("SELECT revocation_reason FROM certificates WHERE revoked_at IS NOT NULL");
        assert_eq!(reasons, [4]);
        server.terminate();
    });
}

fn changes_the_account_key(engine: Engine) {
    block_on(async {
        let installation = Installation::new(CHANCERY, engine);
        let mut server = installation.serve();
        let responder = Responder::start(installation.http01_port()).await;
        let https = installation.https_client();
        let (mut account, _) = register(&installation, &https).await;

        let credentials = account.update_key().await.expect("the key is changed");
        issue(&account, &responder).await;
        let loaded = load(&https, credentials).await;
        assert_eq!(loaded.id(), account.id());
        issue(&loaded, &responder).await;
        server.terminate();
    });
}

fn binds_an_account(engine: Engine) {
    block_on(async {
        let installation = Installation::new(CHANCERY, engine);
        installation.configure(|config| config["profiles"][0]["require_eab"] = json!(true));
        let mut server = installation.serve();
        let responder = Responder::start(installation.http01_port()).await;
        let (key_id, hmac_key) = new_external_account_key(&installation);
        let hmac_key = Base64UrlUnpadded::decode_vec(&hmac_key).expect("base64url");

        let new_account =
            NewAccount { contact: &[], terms_of_service_agreed: true, only_return_existing: false };
        let key = ExternalAccountKey::new(key_id, &hmac_key);
        let builder = Account::builder_with_http(Box::new(installation.https_client()));
        let created = builder.create(&new_account, installation.directory_url(), Some(&key)).await;
        let (account, _) = created.expect("the account is bound to the key");
        issue(&account, &responder).await;
        server.terminate();
    });
}
