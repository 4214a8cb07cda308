//! certbot, as an operator runs it.

use chancery_testkit::{Certbot, Engine, Installation, certificate_serial, verify};

use crate::{CHANCERY, on_both_engines};

const NAME: &str = "hello.localhost";

on_both_engines!(issues_and_renews, renews_after_a_restart);

fn issues_and_renews(engine: Engine) {
    let installation = Installation::new(CHANCERY, engine);
    let mut server = installation.serve();
    let certbot = Certbot::new(&installation);

    certbot.certonly(NAME).succeeded();
    let issued = certbot.issued(NAME);
    verify(installation.root(), &issued, NAME);

    let first = certificate_serial(&issued.certificate);
    certbot.renew().succeeded();
    verify(installation.root(), &issued, NAME);
    assert_ne!(certificate_serial(&issued.certificate), first, "a renewal is a new certificate");

    server.terminate();
}

/// The account and its order are there, and the nonces that the client kept are not.
fn renews_after_a_restart(engine: Engine) {
    let installation = Installation::new(CHANCERY, engine);
    let mut server = installation.serve();
    let certbot = Certbot::new(&installation);
    certbot.certonly(NAME).succeeded();

    server.terminate();
    server.restart();

    certbot.renew().succeeded();
    let issued = certbot.issued(NAME);
    verify(installation.root(), &issued, NAME);
    server.terminate();
}
