use chancery_license::key::{InstallationKey, KeyError, LicenseKey};

use crate::vector::{Vector, hold};

const FORMAT: &str = "key";

fn class(read: Result<String, KeyError>) -> String {
    match read {
        Ok(canonical) => canonical,
        Err(KeyError::CheckDigit(_)) => "check_digit".to_owned(),
        Err(KeyError::Character(..)) => "character".to_owned(),
        Err(_) => "shape".to_owned(),
    }
}

#[test]
fn the_vectors_hold() {
    let vectors = Vector::all(FORMAT);
    assert!(!vectors.is_empty());
    for vector in vectors {
        let typed = &vector.artefact;
        let read = match vector.value("kind") {
            "installation" => typed.parse::<InstallationKey>().map(|key| key.as_str().to_owned()),
            "license" => typed.parse::<LicenseKey>().map(|key| key.reveal().to_owned()),
            other => panic!("{other} is no kind of key"),
        };
        assert_eq!(class(read), vector.value("expect"), "{}", vector.name);
    }
}

#[test]
fn the_vectors_are_what_the_code_makes() {
    let random = std::array::from_fn(|place| u8::try_from(place * 37 % 256).unwrap());
    let installation = InstallationKey::from_random(&random).as_str().to_owned();
    let license = LicenseKey::from_random(&random).reveal().to_owned();
    let typed = format!("  {} ", license.to_lowercase().replace('1', "l").replace('0', "O"));
    let swapped: String = {
        let mut characters: Vec<char> = license.chars().collect();
        characters.swap(5, 6);
        characters.into_iter().collect()
    };
    let made = [
        ("key-installation", "installation", installation.as_str(), installation.as_str()),
        ("key-license", "license", &license, &license),
        ("key-typed-by-hand", "license", &license, &typed),
        ("key-of-the-other-kind", "license", "shape", &installation),
        ("key-neighbours-swapped", "license", "check_digit", &swapped),
        (
            "key-check-digit-of-zeros",
            "license",
            "CRT-000000-000000-000000-000000-000000",
            "CRT-OOOOOO-000000-000000-000000-000000",
        ),
        ("key-with-a-u", "license", "character", "CRT-00000U-000000-000000-000000-000000"),
        ("key-too-short", "license", "shape", "CRT-000000-000000-000000-000000-00000"),
        ("key-without-hyphens", "license", "shape", "CRT-000000000000000000000000000000"),
    ];
    let made = made.map(|(name, kind, expect, typed)| {
        Vector::new(name, &[("format", FORMAT), ("kind", kind), ("expect", expect)], typed)
    });
    hold(FORMAT, made.into());
}
