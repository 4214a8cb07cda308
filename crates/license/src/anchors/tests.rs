use super::trust_folder::{Entry, Refused, table};
use super::*;
use crate::armour::ArmourError;
use crate::crypto::SigningKey;

const PRIVATE_KEY: &str = include_str!("../../trust/dev/signing-key.pem");
const PRIVATE_JWT_KEY: &str = include_str!("../../trust/dev/jwt-signing-key.pem");

fn anchor(seed: u8, product: &str, environment: Environment) -> Anchor {
    Anchor { key: key(seed), product: product.to_owned(), environment }
}

fn key(seed: u8) -> PublicKey {
    SigningKey::from_ed25519_seed(&[seed; 32]).unwrap().public().clone()
}

fn entry(path: &str, text: &str) -> Entry {
    Entry { path: path.to_owned(), text: text.to_owned() }
}

#[test]
fn environments_have_one_spelling() {
    for environment in Environment::ALL {
        assert_eq!(environment.name().parse(), Ok(environment));
    }
    for text in ["", "Prod", "production", "prod "] {
        assert_eq!(text.parse::<Environment>(), Err(UnknownEnvironment), "{text}");
    }
}

#[test]
fn one_key_is_one_anchor() {
    let prod = anchor(1, "chancery", Environment::Prod);
    for again in
        [prod.clone(), anchor(1, "other", Environment::Prod), anchor(1, "chancery", Environment::Dev)]
    {
        assert_eq!(TrustAnchors::new(vec![prod.clone(), again]), Err(AnchorTwice(prod.key.id())));
    }
    let anchors = TrustAnchors::new(vec![prod, anchor(2, "chancery", Environment::Prod)]).unwrap();
    assert_eq!(anchors.iter().count(), 2);
    assert!(!anchors.has_dev());
}

#[test]
fn a_product_has_environments_in_one_order_and_each_once() {
    let anchors = [
        anchor(1, "chancery", Environment::Uat),
        anchor(2, "chancery", Environment::Prod),
        anchor(3, "chancery", Environment::Uat),
        anchor(4, "other", Environment::Dev),
    ];
    let anchors = TrustAnchors::new(anchors.into()).unwrap();
    let of = |product| anchors.environments(product).collect::<Vec<_>>();
    assert_eq!(of("chancery"), [Environment::Prod, Environment::Uat]);
    assert_eq!(of("other"), [Environment::Dev]);
    assert_eq!(of("another"), []);
}

#[test]
fn the_public_private_keys_belong_to_the_development_anchors() {
    let anchors = dev::anchors("chancery").unwrap();
    for (anchor, pem) in anchors.iter().zip([PRIVATE_KEY, PRIVATE_JWT_KEY]) {
        assert_eq!(SigningKey::from_pem(pem).unwrap().public(), &anchor.key);
        assert_eq!((anchor.product.as_str(), anchor.environment), ("chancery", Environment::Dev));
    }
}

#[test]
fn this_build_has_the_anchors_of_its_folder() {
    let compiled = compiled("chancery").unwrap();
    assert!(compiled.environments("chancery").next().is_some());
    assert_eq!(TrustAnchors::new(compiled.iter().cloned().collect()), Ok(compiled.clone()));
    // The folder that the build script read; a vendor's may hold anything else.
    if option_env!("CHANCERY_TRUST_DIR").is_none() {
        assert_eq!(compiled, dev::anchors("chancery").unwrap());
        assert!(compiled.has_dev());
    }
}

#[test]
fn a_folder_holds_the_anchors_of_each_environment() {
    let pems = [1, 2, 3].map(|seed| key(seed).to_pem());
    let rsa = include_str!("../../trust/dev/jwt-anchor.pem");
    let entries = [
        entry("README.md", "what this folder is"),
        entry("dev/README.md", "and this one"),
        entry("dev/anchor.pem", &pems[0]),
        entry("dev/jwt-signing-key.pem", PRIVATE_KEY),
        entry("dev/signing-key.pem", PRIVATE_KEY),
        entry("prod/2026.pem", &pems[1]),
        entry("prod/jwt.pem", rsa),
        entry("staging/", ""),
        entry("uat/anchor.pem", &pems[2].replace('\n', "\r\n")),
    ];
    let found = trust_folder::anchors(&entries).unwrap();
    let environments: Vec<&str> = found.iter().map(|anchor| anchor.environment).collect();
    assert_eq!(environments, ["Dev", "Prod", "Prod", "Uat"]);
    assert!(found.iter().all(|anchor| PublicKey::from_pem(anchor.pem).is_ok()));

    let [first, .., last] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!(
        table(&[first.clone(), last.clone()]),
        format!(
            "&[\n    (Environment::Dev, {:?}),\n    (Environment::Uat, {:?}),\n]\n",
            pems[0],
            pems[2].replace('\n', "\r\n")
        )
    );
}

#[test]
fn the_folders_are_called_as_the_environments_are() {
    let names = Environment::ALL.map(|environment| (environment.name(), format!("{environment:?}")));
    let folders = trust_folder::ENVIRONMENTS.map(|(folder, variant)| (folder, variant.to_owned()));
    assert_eq!(folders, names);
}

#[test]
fn a_folder_with_anything_else_is_refused_and_the_file_named() {
    let pem = key(1).to_pem();
    let p256 = "\
-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEmXo/VExbC2Xdtcw07zRv2+wKoVel
t6I0QaZed5UY8m7jLebUMnoIimCR9Qjlgc6/jNZ4V0qSX1Mb09Ns3UZjDg==
-----END PUBLIC KEY-----
";
    let (named, again) = ("prod/a.pem".to_owned(), "uat/b.pem".to_owned());
    let armour = |why| Refused::Armour { path: named.clone(), why };
    for (entries, refused) in [
        (vec![], Refused::NoAnchor),
        (vec![entry("dev/", ""), entry("prod/README.md", "")], Refused::NoAnchor),
        (vec![entry("dev/signing-key.pem", PRIVATE_KEY)], Refused::NoAnchor),
        (vec![entry("anchor.pem", &pem)], Refused::NoEnvironment("anchor.pem".to_owned())),
        (vec![entry("production/a.pem", &pem)], Refused::NoEnvironment("production/a.pem".to_owned())),
        (vec![entry("Prod/", "")], Refused::NoEnvironment("Prod/".to_owned())),
        (vec![entry(&named, PRIVATE_KEY)], Refused::PrivateKey(named.clone())),
        (
            vec![entry("prod/signing-key.pem", PRIVATE_KEY)],
            Refused::PrivateKey("prod/signing-key.pem".to_owned()),
        ),
        (
            vec![entry("dev/key.pem", "-----BEGIN RSA PRIVATE KEY-----\n")],
            Refused::PrivateKey("dev/key.pem".to_owned()),
        ),
        (vec![entry("prod/a.pub", &pem)], Refused::NotPem("prod/a.pub".to_owned())),
        (vec![entry("prod/a.pem~", &pem)], Refused::NotPem("prod/a.pem~".to_owned())),
        (vec![entry(&named, "")], armour(ArmourError::Begin("PUBLIC KEY"))),
        (
            vec![entry(&named, &pem.replace("PUBLIC KEY", "CERTIFICATE"))],
            armour(ArmourError::Begin("PUBLIC KEY")),
        ),
        (vec![entry(&named, &format!("{pem}{pem}"))], armour(ArmourError::Line(2))),
        (vec![entry(&named, p256)], Refused::Algorithm(named.clone())),
        (
            vec![entry(&named, &pem), entry(&again, &pem.replace('\n', "\r\n"))],
            Refused::Twice { path: named.clone(), again: again.clone() },
        ),
    ] {
        assert_eq!(trust_folder::anchors(&entries), Err(refused), "{entries:?}");
    }
}
