//! lego, as an operator runs it.

use chancery_testkit::{Engine, Installation, Lego, certificate_serial, verify};

use crate::{CHANCERY, on_both_engines};

const NAME: &str = "hello.localhost";

on_both_engines!(issues_and_renews);

fn issues_and_renews(engine: Engine) {
    let installation = Installation::new(CHANCERY, engine);
    let mut server = installation.serve();
    let lego = Lego::new(&installation);

    lego.run(NAME).succeeded();
    let issued = lego.issued(NAME);
    verify(installation.root(), &issued, NAME);

    let first = certificate_serial(&issued.certificate);
    lego.renew(NAME).succeeded();
    verify(installation.root(), &issued, NAME);
    assert_ne!(certificate_serial(&issued.certificate), first, "a renewal is a new certificate");

    server.terminate();
}
