//! What single values must be.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use ipnet::IpNet;
use serde_saphyr::Spanned;

use super::Problems;

/// The working directory; a relative one starts where the configuration file is.
pub fn workdir(file: &Path, field: &str, raw: &Spanned<String>, problems: &mut Problems) -> PathBuf {
    if raw.value.is_empty() {
        problems.add(raw.referenced, field, "is empty: name a directory");
    }
    file.parent().unwrap_or(Path::new("")).join(&raw.value)
}

/// A path of the configuration; a relative one starts in the working directory.
pub fn path_in(workdir: &Path, field: &str, raw: &Spanned<String>, problems: &mut Problems) -> PathBuf {
    if raw.value.is_empty() {
        problems.add(raw.referenced, field, "is empty: name a file");
    }
    workdir.join(&raw.value)
}

/// Reads every text of a list; those that cannot be read are noted.
pub fn each<T>(
    field: &str,
    texts: &[Spanned<String>],
    read: impl Fn(&str) -> Result<T, String>,
    problems: &mut Problems,
) -> Vec<T> {
    let read_one = |(place, text): (usize, &Spanned<String>)| {
        problems.accept(text.referenced, &format!("{field}[{place}]"), read(&text.value))
    };
    texts.iter().enumerate().filter_map(read_one).collect()
}

/// Notes the names of a list's entries that are empty or used twice.
pub fn unique_names<'a>(
    field: &str,
    names: impl Iterator<Item = &'a Spanned<String>>,
    problems: &mut Problems,
) {
    let mut seen = HashSet::new();
    for (index, name) in names.enumerate() {
        let field = format!("{field}[{index}].name");
        if name.value.is_empty() {
            problems.add(name.referenced, &field, "is empty");
        }
        if !seen.insert(name.value.as_str()) {
            problems.add(name.referenced, &field, format!("`{}` is used twice", name.value));
        }
    }
}

/// A number from 1 to `most`, or the default where the file has none.
pub fn number(
    field: &str,
    given: Option<&Spanned<i64>>,
    most: u64,
    default: u64,
    problems: &mut Problems,
) -> u64 {
    let Some(given) = given else { return default };
    match u64::try_from(given.value) {
        Ok(number) if (1..=most).contains(&number) => return number,
        _ => {}
    }
    let wrong = format!("{} is outside 1 to {most}; leave the key out for {default}", given.value);
    problems.add(given.referenced, field, wrong);
    default
}

/// Reads a network, such as 192.0.2.0/24.
///
/// # Errors
/// A sentence for the operator.
pub fn network(text: &str) -> Result<IpNet, String> {
    text.parse().map_err(|_| format!("`{text}` is not a network such as 192.0.2.0/24 or \"2001:db8::/32\""))
}

/// Reads where a listener listens.
///
/// # Errors
/// A sentence for the operator.
pub fn address_and_port(text: &str) -> Result<SocketAddr, String> {
    let shape = || format!("`{text}` is not an address and port such as 127.0.0.1:14000 or [::]:443");
    text.parse().map_err(|_| shape())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spanned<T: serde::de::DeserializeOwned>(text: &str) -> Spanned<T> {
        serde_saphyr::from_str(text).unwrap()
    }

    fn told(problems: Problems) -> String {
        problems.into_error(Path::new("a.yml")).to_string()
    }

    #[test]
    fn paths_start_in_the_working_directory_and_that_beside_the_file() {
        let file = Path::new("/etc/a.yml");
        let mut problems = Problems::default();
        for (text, path) in [("var", "/etc/var"), ("/srv", "/srv")] {
            assert_eq!(workdir(file, "workdir", &spanned(text), &mut problems), Path::new(path));
        }
        for (text, path) in [("a.pem", "/srv/a.pem"), ("/a.pem", "/a.pem")] {
            assert_eq!(path_in(Path::new("/srv"), "key", &spanned(text), &mut problems), Path::new(path));
        }
        assert_eq!(workdir(Path::new("a.yml"), "workdir", &spanned("var"), &mut problems), Path::new("var"));
        assert!(problems.is_empty());
        workdir(file, "server.workdir", &spanned("\"\""), &mut problems);
        path_in(file, "server.key", &spanned("\"\""), &mut problems);
        assert_eq!(problems.count(), 2);
        let told = told(problems);
        assert!(told.contains("server.workdir: is empty: name a directory"), "{told}");
        assert!(told.contains("server.key: is empty: name a file"), "{told}");
    }

    #[test]
    fn what_a_list_holds_is_read_as_far_as_it_can_be() {
        let texts: Vec<Spanned<String>> =
            serde_saphyr::from_str("[127.0.0.0/8, 127.0.0.0/33, \"::1/128\"]").unwrap();
        let mut problems = Problems::default();
        let networks = each("allow", &texts, network, &mut problems);
        assert_eq!(networks, ["127.0.0.0/8", "::1/128"].map(|text| text.parse().unwrap()));
        assert!(told(problems).contains("allow[1]: `127.0.0.0/33` is not a network"));
    }

    #[test]
    fn names_are_there_once() {
        let names: Vec<Spanned<String>> = serde_saphyr::from_str("[a, b, a, \"\"]").unwrap();
        let mut problems = Problems::default();
        unique_names("profiles", names.iter(), &mut problems);
        assert_eq!(
            told(problems),
            "a.yml:1:8: profiles[2].name: `a` is used twice\na.yml:1:11: profiles[3].name: is empty"
        );
    }

    #[test]
    fn numbers_lie_between_one_and_the_most() {
        let check = |text: Option<&str>| {
            let mut problems = Problems::default();
            let given = text.map(spanned);
            (number("backlog", given.as_ref(), 9, 5, &mut problems), problems.count())
        };
        for (text, number) in [(None, 5), (Some("1"), 1), (Some("9"), 9)] {
            assert_eq!(check(text), (number, 0), "{text:?}");
        }
        for text in ["0", "10", "-1", "-9223372036854775808"] {
            assert_eq!(check(Some(text)).1, 1, "{text}");
        }
    }

    #[test]
    fn a_listener_needs_an_address_and_a_port() {
        assert!(address_and_port("127.0.0.1:14000").is_ok() && address_and_port("[::]:443").is_ok());
        for text in ["", "127.0.0.1", ":443", "localhost:443", "::1:443x", "127.0.0.1:65536"] {
            assert!(address_and_port(text).unwrap_err().contains("[::]:443"), "{text}");
        }
    }
}
