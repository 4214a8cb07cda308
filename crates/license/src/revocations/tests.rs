use super::*;
use crate::document::{SealError, open, seal};
use crate::testing::{at, document, keyring, revocations, root};

#[test]
fn a_licence_is_revoked_by_its_id_or_by_its_serial() {
    let list = revocations();
    let since = at("2026-02-01T00:00:00Z");
    for (id, serial, found) in [
        ("lic-0001", 41, None),
        ("lic-0002", 41, Some((since, Reason::Unpaid))),
        ("lic-0003", 40, Some((since, Reason::Unpaid))),
        ("lic-0001", 40, Some((since, Reason::Superseded))),
        ("lic-0001", 7, Some((since, Reason::Superseded))),
        ("lic-0001", 0, None),
        ("lic-000", 8, None),
    ] {
        assert_eq!(list.find(id, serial), found, "{id} {serial}");
    }
}

#[test]
fn a_list_is_replaced_by_a_newer_one_alone() {
    let held = revocations();
    let numbered = |sequence| RevocationList { sequence, ..revocations() };
    assert_eq!(numbered(13).replace(&held), Ok(()));
    for found in [12, 1] {
        assert_eq!(numbered(found).replace(&held), Err(DocumentError::StaleSequence { found, held: 12 }));
    }
}

#[test]
fn the_state_function_gets_every_entry() {
    let sealed = seal(&document(revocations()), &[&root()]).unwrap();
    let opened = open::<RevocationList>(&sealed, &keyring()).unwrap();
    assert_eq!(
        state::Revocations::from(&opened),
        state::Revocations {
            sequence: 12,
            ids: ["lic-0002", "lic-0003"].map(str::to_owned).into(),
            serials: [7, 40].into(),
        }
    );
}

#[test]
fn entries_out_of_order_or_named_twice_are_refused() {
    let refused = |alter: fn(&mut RevocationList)| {
        let mut list = revocations();
        alter(&mut list);
        match seal(&document(list), &[&root()]) {
            Err(SealError::Document(DocumentError::Rule(rule))) => rule,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(refused(|list| list.sequence = 0), "sequence is a number from 1 to 2^53 - 1");
    assert_eq!(
        refused(|list| list.licenses.reverse()),
        "licenses is in ascending order and names nothing twice"
    );
    assert_eq!(
        refused(|list| list.licenses[1].what = "lic-0002".to_owned()),
        "licenses is in ascending order and names nothing twice"
    );
    assert_eq!(
        refused(|list| list.serials.reverse()),
        "serials is in ascending order and names nothing twice"
    );
    assert_eq!(refused(|list| list.serials[0].what = 0), "a serial is a number from 1 to 2^53 - 1");
    assert!(refused(|list| list.licenses[0].what.push('\n')).starts_with("the id of a revoked licence is"));
    assert!(refused(|list| list.licenses[0].what.clear()).starts_with("the id of a revoked licence is"));
}

#[test]
fn a_list_as_long_as_the_docs_promise_fits() {
    let entry = |number: u32| Revoked {
        what: format!("lic-{number:08}"),
        at: at("2026-02-01T00:00:00Z"),
        reason: Reason::Unspecified,
    };
    let list = RevocationList { licenses: (0..20_000).map(entry).collect(), ..revocations() };
    let sealed = seal(&document(list), &[&root()]).unwrap();
    let opened = open::<RevocationList>(&sealed, &keyring()).unwrap();
    assert!(opened.body().find("lic-00019999", 1).is_some());
    assert!(opened.body().find("lic-00020000", 1).is_none());
}
