use std::net::IpAddr;

use proptest::prelude::*;
use rcgen::{CertificateParams, CustomExtension, KeyPair};
use x509_cert::ext::pkix::BasicConstraints;

use super::*;

const NAME: &str = "www.example.com";
const DIGEST: [u8; 32] = [0xa5; 32];
const SUBJECT_ALT_NAME: [u64; 4] = [2, 5, 29, 17];
const ACME: [u64; 9] = [1, 3, 6, 1, 5, 5, 7, 1, 31];

/// What `change` makes of a certificate that answers the challenge.
fn certificate(change: impl FnOnce(&mut CertificateParams)) -> Vec<u8> {
    let mut params = CertificateParams::new([NAME.to_owned()]).unwrap();
    params.custom_extensions = vec![CustomExtension::new_acme_identifier(&DIGEST)];
    change(&mut params);
    params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec()
}

fn check_name(certificate: &[u8]) -> Result<(), Refusal> {
    check(certificate, Identity::Name(NAME), &DIGEST)
}

/// A critical acmeIdentifier extension with that content.
fn acme_identifier(content: Vec<u8>) -> Vec<CustomExtension> {
    let mut extension = CustomExtension::from_oid_content(&ACME, content);
    extension.set_criticality(true);
    vec![extension]
}

/// `n` names for a subjectAltName in DER, and nothing else.
fn names(n: u8) -> Vec<u8> {
    let one = [&[0x82, 1], b"a".as_slice()].concat();
    [vec![0x30, 3 * n], one.repeat(n.into())].concat()
}

#[test]
fn a_certificate_made_for_the_challenge_answers_it() {
    assert_eq!(check_name(&certificate(|_| {})), Ok(()));
    let upper = certificate(|params| {
        params.subject_alt_names = vec![rcgen::SanType::DnsName("WWW.EXAMPLE.COM".try_into().unwrap())];
    });
    assert_eq!(check_name(&upper), Ok(()));
    for ip in ["192.0.2.1", "2001:db8::1"].map(|ip| ip.parse::<IpAddr>().unwrap()) {
        let certificate =
            certificate(|params| params.subject_alt_names = vec![rcgen::SanType::IpAddress(ip)]);
        assert_eq!(check(&certificate, Identity::Address(ip), &DIGEST), Ok(()));
        assert_eq!(check_name(&certificate), Err(Refusal::OtherName("dNSName")));
    }
}

#[test]
fn what_else_a_certificate_holds_does_not_matter() {
    let certificate = certificate(|params| {
        params.not_before = rcgen::date_time_ymd(1990, 1, 1);
        params.not_after = rcgen::date_time_ymd(1990, 1, 2);
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        params.distinguished_name.push(rcgen::DnType::CommonName, "something else");
        let mut unknown = CustomExtension::from_oid_content(&[1, 3, 6, 1, 4, 1, 32473, 1], vec![5, 0]);
        unknown.set_criticality(true);
        params.custom_extensions.push(unknown);
    });
    assert_eq!(check_name(&certificate), Ok(()));
}

#[test]
fn each_rule_has_its_refusal() {
    type Change = fn(&mut CertificateParams);
    let table: [(Change, Refusal); 12] = [
        (|params| params.subject_alt_names.clear(), Refusal::NoNames),
        (|params| params.subject_alt_names.extend_from_within(..), Refusal::ManyNames(2)),
        (
            |params| {
                params.subject_alt_names.push(rcgen::SanType::IpAddress([192, 0, 2, 1].into()));
            },
            Refusal::ManyNames(2),
        ),
        (
            |params| {
                params.subject_alt_names = vec![rcgen::SanType::DnsName("example.com".try_into().unwrap())];
            },
            Refusal::OtherName("dNSName"),
        ),
        (
            |params| {
                params.subject_alt_names = vec![rcgen::SanType::Rfc822Name(NAME.try_into().unwrap())];
            },
            Refusal::OtherName("dNSName"),
        ),
        (
            |params| {
                let second = CustomExtension::from_oid_content(&SUBJECT_ALT_NAME, names(1));
                params.custom_extensions.push(second);
            },
            Refusal::Duplicate(SubjectAltName::OID),
        ),
        (|params| params.custom_extensions.extend_from_within(..), Refusal::Duplicate(ACME_IDENTIFIER)),
        (|params| params.custom_extensions.clear(), Refusal::NoAcmeIdentifier),
        (|params| params.custom_extensions[0].set_criticality(false), Refusal::NotCritical),
        (
            |params| params.custom_extensions = acme_identifier([&[4, 31], [0xa5; 31].as_slice()].concat()),
            Refusal::DigestLength(31),
        ),
        (
            |params| params.custom_extensions = acme_identifier([&[4, 33], [0xa5; 33].as_slice()].concat()),
            Refusal::DigestLength(33),
        ),
        (
            |params| {
                let mut other = DIGEST;
                other[31] ^= 1;
                params.custom_extensions = vec![CustomExtension::new_acme_identifier(&other)];
            },
            Refusal::OtherDigest,
        ),
    ];
    for (change, refusal) in table {
        assert_eq!(check_name(&certificate(change)), Err(refusal));
    }
}

#[test]
fn extensions_are_read_strictly() {
    let not_der = |content: Vec<u8>| {
        let certificate = certificate(|params| params.custom_extensions = acme_identifier(content.clone()));
        let refusal = check_name(&certificate).unwrap_err();
        assert!(matches!(refusal, Refusal::Malformed { what: "acmeIdentifier extension", .. }), "{refusal}");
    };
    // The digest itself; a BIT STRING; a byte too many; a length that is not the shortest; constructed.
    not_der(DIGEST.to_vec());
    not_der([&[3, 33, 0], DIGEST.as_slice()].concat());
    not_der([&[4, 32], DIGEST.as_slice(), &[0]].concat());
    not_der([&[4, 0x81, 32], DIGEST.as_slice()].concat());
    not_der([&[0x24, 34, 4, 32], DIGEST.as_slice()].concat());
    not_der(vec![]);

    for (content, refusal) in [(names(0), Refusal::ManyNames(0)), (names(3), Refusal::ManyNames(3))] {
        let certificate = certificate(|params| {
            params.subject_alt_names.clear();
            params.custom_extensions.push(CustomExtension::from_oid_content(&SUBJECT_ALT_NAME, content));
        });
        assert_eq!(check_name(&certificate), Err(refusal));
    }
}

#[test]
fn a_long_certificate_is_not_read() {
    let padded = |length: usize| {
        let content = [vec![4, 0x82], u16::try_from(length).unwrap().to_be_bytes().to_vec(), vec![0; length]];
        certificate(|params| {
            let padding = CustomExtension::from_oid_content(&[1, 3, 6, 1, 4, 1, 32473, 1], content.concat());
            params.custom_extensions.push(padding);
        })
    };
    assert_eq!(check_name(&padded(15_000)), Ok(()));
    let long = padded(MAX_BYTES);
    assert_eq!(check_name(&long), Err(Refusal::TooLong(long.len())));
}

#[test]
fn a_refusal_repeats_nothing_of_the_certificate() {
    let certificate = certificate(|params| {
        params.subject_alt_names =
            vec![rcgen::SanType::DnsName("payroll.internal.example".try_into().unwrap())];
    });
    let text = check_name(&certificate).unwrap_err().to_string();
    assert_eq!(text, "its subjectAltName is not the dNSName that is validated");
}

#[test]
fn versions_before_the_third_are_refused() {
    let third = certificate(|_| {});
    let version = third.windows(5).position(|bytes| bytes == [0xa0, 3, 2, 1, 2]).unwrap();
    let mut second = third;
    second[version + 4] = 1;
    assert_eq!(check_name(&second), Err(Refusal::NotVersion3));
}

#[test]
fn a_duplicate_of_any_extension_is_refused() {
    let certificate = certificate(|params| {
        params.is_ca = rcgen::IsCa::ExplicitNoCa;
        let second = CustomExtension::from_oid_content(&[2, 5, 29, 19], vec![0x30, 0]);
        params.custom_extensions.push(second);
    });
    assert_eq!(check_name(&certificate), Err(Refusal::Duplicate(BasicConstraints::OID)));
}

proptest! {
    #[test]
    fn bytes_that_are_no_certificate_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        prop_assert!(check_name(&bytes).is_err());
    }

    /// Whatever is changed in a certificate either does not touch what is checked, or is refused.
    #[test]
    fn a_changed_certificate_still_holds_what_is_checked(at in any::<prop::sample::Index>(), to in any::<u8>()) {
        let mut changed = certificate(|_| {});
        let at = at.index(changed.len());
        changed[at] = to;
        if check_name(&changed).is_ok() {
            prop_assert!(changed.windows(32).any(|bytes| bytes == DIGEST));
            let name = changed.windows(NAME.len());
            prop_assert!(name.filter(|bytes| bytes.eq_ignore_ascii_case(NAME.as_bytes())).count() > 0);
        }
    }

    #[test]
    fn a_shortened_certificate_is_refused(at in any::<prop::sample::Index>()) {
        let whole = certificate(|_| {});
        prop_assert!(check_name(&whole[..at.index(whole.len())]).is_err());
    }
}
