//! A hostile client: a catalogue of malformed and dishonest requests, each with the refusal that it earns.
//!
//! Whatever a request is like, its answer is a problem document of the right type and status, says what was
//! wrong and nothing of what goes on inside, and brings a nonce that is good for the next request (RFC 8555
//! §6.5, §6.7). The server is none the worse for any of them.

mod algorithms;
mod case;
mod csr;
mod der;
mod external_accounts;
mod finalize;
mod harmless;
mod identifiers;
mod key_changes;
mod keys;
mod moduli;
mod nonces;
mod orders;
mod ownership;
mod payloads;
mod pre_authorizations;
mod revocations;
mod runner;
mod serialisation;
mod urls;
mod world;

use chancery_testkit::Engine;
use runner::{Table, duplicates, run};

use crate::on_both_engines;

on_both_engines!(requests, contents, accounts, orders_and_certificates);

/// What every signed request has to be like.
fn requests(engine: Engine) {
    run(engine, of_requests());
}

fn of_requests() -> Vec<Table> {
    vec![
        ("serialisation", serialisation::cases()),
        ("algorithms", algorithms::cases()),
        ("keys", keys::cases()),
        ("nonces", nonces::cases()),
        ("URLs", urls::cases()),
        ("harmless", harmless::cases()),
    ]
}

/// What the requests ask for.
fn contents(engine: Engine) {
    run(engine, of_contents());
}

fn of_contents() -> Vec<Table> {
    vec![("payloads", payloads::cases()), ("identifiers", identifiers::cases()), ("orders", orders::cases())]
}

/// Whose key it is.
fn accounts(engine: Engine) {
    run(engine, of_accounts());
}

fn of_accounts() -> Vec<Table> {
    vec![
        ("external accounts", external_accounts::cases()),
        ("key changes", key_changes::cases()),
        ("ownership", ownership::cases()),
    ]
}

fn orders_and_certificates(engine: Engine) {
    run(engine, of_orders_and_certificates());
}

fn of_orders_and_certificates() -> Vec<Table> {
    vec![
        ("finalize", finalize::cases()),
        ("revocations", revocations::cases()),
        ("pre-authorizations", pre_authorizations::cases()),
    ]
}

#[test]
fn the_catalogue_has_250_cases_and_each_its_own_name() {
    let tables: Vec<Table> = [of_requests(), of_contents(), of_accounts(), of_orders_and_certificates()]
        .into_iter()
        .flatten()
        .collect();
    let names: Vec<String> = tables
        .iter()
        .flat_map(|(table, cases)| {
            cases.iter().filter(|case| case.is_refusal()).map(move |case| format!("{table}: {}", case.name))
        })
        .collect();
    assert!(names.len() >= 250, "{}", names.len());
    assert_eq!(duplicates(names.iter().map(String::as_str)), [""; 0]);
}
