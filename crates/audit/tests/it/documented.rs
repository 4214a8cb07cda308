//! The example in `docs/formats/audit-log.md` is what the journal writes.

use std::fs;

use chancery_audit::{Decision, Event, EventName, Head, Journal, Node, Options, Secret, Signer};

const PAGE: &str = include_str!("../../../../docs/formats/audit-log.md");

#[test]
fn the_example_of_the_page_is_written_byte_for_byte() {
    let secret: [u8; 32] = std::array::from_fn(|at| at as u8);
    let (node, secret) = (Node::new("ca1").unwrap(), Secret::new(&secret));
    let signer = Signer::new("example.com/audit", &node, &[7; 32]).unwrap();
    let key = signer.verifier_key().to_string();
    let directory = tempfile::tempdir().unwrap();
    let genesis = Head::genesis(&secret, "example-installation", &node);
    let (mut journal, _) =
        Journal::open(directory.path(), secret, signer, Options::default(), genesis).unwrap();

    let at = "2026-06-14T13:23:00.125Z".parse().unwrap();
    let mut event = Event::new(17, at, EventName::new("order.new").unwrap());
    event.account_id = Some("acct-1".to_owned());
    event.source_ip = Some([192, 0, 2, 17].into());
    event.decision = Some(Decision::Deny);
    event.reason = Some("no seat".to_owned());
    event.details.insert("names".to_owned(), vec!["a.example"].into());
    journal.append(&[event], at).unwrap();
    let checkpoint = journal.close(at).unwrap().unwrap().checkpoint.unwrap();

    let segment = fs::read_dir(directory.path()).unwrap().next().unwrap().unwrap().path();
    let lines = fs::read_to_string(&segment).unwrap();
    let name = segment.file_name().unwrap().to_str().unwrap();
    let shown: Vec<_> =
        [name, &key].into_iter().chain(lines.lines()).chain(checkpoint.note().lines()).collect();
    for text in shown.iter().filter(|text| !text.is_empty()) {
        let indented = format!("\n    {text}\n");
        assert!(
            PAGE.contains(&indented),
            "the page lacks this line:\n{indented}\nof all:\n{}",
            shown.join("\n")
        );
    }
}
