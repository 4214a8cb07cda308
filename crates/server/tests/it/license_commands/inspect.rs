//! `chancery license inspect`.

use chancery_license::{InstallationKey, Plan};
use chancery_testkit::{Finished, Vendor, Workdir, run_program};

use super::{issuing_key, json, key_manifest, now, signed_by, without_incidentals};
use crate::CHANCERY;

fn inspect(document: impl AsRef<[u8]>, options: &[&str]) -> Finished {
    let files = Workdir::new();
    let file = files.join("document");
    std::fs::write(&file, document).unwrap();
    run_program(CHANCERY, &[&["license", "inspect", &file.display().to_string()], options].concat())
}

#[test]
fn a_document_that_is_right_is_shown() {
    let vendor = Vendor::new();
    let installation = InstallationKey::from_random(&[5; 29]);
    let license = vendor.license().serial(12).plan(Plan::Enterprise).bound_to(installation.as_str());
    let documents = [
        ("license", license.newest_build(now()).minimum_version("99.0.0").mint()),
        ("license_jwt", vendor.jwt().mint()),
        ("revocations", vendor.revoke(3).license("lic-a").license("lic-b").serial(8).mint()),
        ("keys", key_manifest(2, &issuing_key())),
    ];
    for (kind, document) in documents {
        let shown = inspect(&document, &[]).succeeded();
        without_incidentals(|| insta::assert_snapshot!(format!("inspected_{kind}"), shown.stdout));
        let json = json(&inspect(&document, &["--json"]).succeeded());
        assert_eq!(json["type"], kind, "{json}");
        assert_eq!(json["signature"]["environment"], "dev", "{json}");
        assert!(json["content"].is_object(), "{json}");
    }
}

#[test]
fn the_key_of_a_licence_is_not_shown() {
    let license = Vendor::new().license().mint();
    for options in [&[][..], &["--json"]] {
        let shown = inspect(&license, options).succeeded();
        assert!(!shown.stdout.contains("CRT-"), "{shown}");
    }
}

#[test]
fn of_a_document_that_is_wrong_nothing_is_shown() {
    let vendor = Vendor::new();
    let [cheap, dear] = [vendor.jwt(), vendor.jwt().id("jwt-dear")].map(|jwt| jwt.mint());
    let [header, _, signature] = cheap.split('.').collect::<Vec<_>>()[..] else { panic!("{cheap}") };
    let payload = dear.split('.').nth(1).unwrap();
    for (document, words) in [
        (format!("{header}.{payload}.{signature}"), "the signature is wrong"),
        (Vendor::stranger().license().mint(), "by no key that is known here"),
        (Vendor::stranger().revoke(1).mint(), "by no key that is known here"),
        (signed_by(&issuing_key(), &vendor.license().mint()), "verifies it under the manifests"),
        (vendor.license().environment(chancery_license::Environment::Prod).mint(), "the environment prod"),
        (vendor.license().product("other").mint(), "the product `other`"),
        ("nothing of the kind".to_owned(), "install the file as the vendor sent it"),
    ] {
        for options in [&[][..], &["--json"]] {
            let refused = inspect(&document, options).exited_with(1);
            assert!(refused.stdout.is_empty() && refused.stderr.contains(words), "{words}: {refused}");
            for said in ["Example Ltd", "lic-test", "jwt-dear"] {
                assert!(!refused.stderr.contains(said), "{refused}");
            }
        }
    }
}
