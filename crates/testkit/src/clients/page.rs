//! The pages of `docs/clients`: what they tell a user to type is what the tests run.

/// A page, read as a list of commands under headings.
#[derive(Debug)]
pub(crate) struct Page {
    name: &'static str,
    sections: Vec<Section>,
}

#[derive(Debug)]
struct Section {
    heading: String,
    /// All blocks that begin with ```` ```console ```` and stand under this heading before the next one.
    commands: String,
}

impl Page {
    /// Reads a page; `name` is for messages.
    pub(crate) fn read(name: &'static str, text: &str) -> Self {
        let mut sections: Vec<Section> = Vec::new();
        let mut fence = Fence::None;
        for line in text.lines() {
            match (fence, line) {
                (Fence::None, "```console") => fence = Fence::Console,
                (Fence::None, line) if line.starts_with("```") => fence = Fence::Other,
                (Fence::None, line) if line.starts_with('#') => {
                    let heading = line.trim_start_matches('#').trim().to_owned();
                    sections.push(Section { heading, commands: String::new() });
                }
                (Fence::Console | Fence::Other, "```") => fence = Fence::None,
                (Fence::Console, line) => {
                    let section =
                        sections.last_mut().unwrap_or_else(|| panic!("{name}: no heading before {line}"));
                    section.commands.push_str(line);
                    section.commands.push('\n');
                }
                (Fence::None | Fence::Other, _) => {}
            }
        }
        assert_eq!(fence, Fence::None, "{name}: a code block is not closed");
        Self { name, sections }
    }

    /// The commands under a heading.
    pub(crate) fn commands(&self, heading: &str) -> &str {
        let found = self.sections.iter().find(|section| section.heading == heading);
        let commands = found.map_or("", |section| section.commands.as_str());
        assert!(!commands.is_empty(), "{}: no ```console block under the heading `{heading}`", self.name);
        commands
    }

    /// The headings that have commands.
    pub(crate) fn headings(&self) -> impl Iterator<Item = &str> {
        self.sections
            .iter()
            .filter(|section| !section.commands.is_empty())
            .map(|section| section.heading.as_str())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fence {
    None,
    Console,
    Other,
}

/// What stands in the pages for things that every installation has its own of.
#[derive(Debug, Clone)]
pub(crate) struct Placeholders {
    list: Vec<(&'static str, Form, String)>,
}

#[derive(Debug, Clone, Copy)]
enum Form {
    /// Wherever it stands.
    Text,
    /// As a number of its own: `:80`, not `8080`.
    Number,
    /// At the beginning of an absolute path.
    Directory,
}

impl Placeholders {
    pub(crate) fn new() -> Self {
        Self { list: Vec::new() }
    }

    pub(crate) fn text(mut self, written: &'static str, meant: impl Into<String>) -> Self {
        self.list.push((written, Form::Text, meant.into()));
        self
    }

    pub(crate) fn port(mut self, written: &'static str, meant: u16) -> Self {
        self.list.push((written, Form::Number, meant.to_string()));
        self
    }

    pub(crate) fn directory(mut self, written: &'static str, meant: impl Into<String>) -> Self {
        self.list.push((written, Form::Directory, meant.into()));
        self
    }

    /// The text with every placeholder replaced. What was put in is not looked at again.
    pub(crate) fn replace(&self, text: &str) -> String {
        let mut replaced = String::with_capacity(text.len());
        let mut rest = text;
        let mut before = None;
        while let Some(next) = rest.chars().next() {
            let taken = match self.at(before, rest) {
                Some((written, meant)) => {
                    replaced.push_str(meant);
                    written.len()
                }
                None => {
                    replaced.push(next);
                    next.len_utf8()
                }
            };
            let (done, left) = rest.split_at(taken);
            before = done.chars().next_back();
            rest = left;
        }
        replaced
    }

    fn at(&self, before: Option<char>, rest: &str) -> Option<(&str, &str)> {
        self.list.iter().find_map(|(written, form, meant)| {
            let after = rest.strip_prefix(written)?.chars().next();
            let stands_alone = match form {
                Form::Text => true,
                Form::Number => !before.is_some_and(joins) && !after.is_some_and(joins),
                Form::Directory => !before.is_some_and(|before| joins(before) || before == '/'),
            };
            stands_alone.then_some((*written, meant.as_str()))
        })
    }
}

/// Whether a character makes one word with a number or a path beside it.
fn joins(character: char) -> bool {
    character.is_alphanumeric() || "._-~".contains(character)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "# client\n\n## Install\n\n```sh\napt install client\n```\n\n## Issue\n\nText.\n\n\
        ```console\nclient --port 80 \\\n    www.example.com\n```\n\nThen\n\n```console\n# look\nls /etc/client\n```\n\n\
        ## Renew\n\nIt does so by itself.\n";

    #[test]
    fn the_blocks_under_a_heading_are_one_script() {
        let page = Page::read("client.md", PAGE);
        assert_eq!(
            page.commands("Issue"),
            "client --port 80 \\\n    www.example.com\n# look\nls /etc/client\n"
        );
        assert_eq!(page.headings().collect::<Vec<_>>(), ["Issue"]);
    }

    #[test]
    #[should_panic(expected = "client.md: no ```console block under the heading `Renew`")]
    fn a_heading_without_commands_is_named() {
        Page::read("client.md", PAGE).commands("Renew");
    }

    #[test]
    fn placeholders_are_replaced_where_they_stand_alone() {
        let placeholders = Placeholders::new()
            .text("https://ca.example", "https://localhost:443")
            .text("example.com", "example.localhost")
            .port("80", 5002)
            .port("443", 5001)
            .directory("/etc/", "/tmp/home/etc/");
        for (written, meant) in [
            ("curl https://ca.example/acme", "curl https://localhost:443/acme"),
            ("-d www.example.com -d '*.example.com'", "-d www.example.localhost -d '*.example.localhost'"),
            ("http:80 0.0.0.0:443", "http:5002 0.0.0.0:5001"),
            ("8080 180 80a 1.80 80", "8080 180 80a 1.80 5002"),
            ("cat /etc/a >'/etc/b'", "cat /tmp/home/etc/a >'/tmp/home/etc/b'"),
            ("/usr/etc/a ./etc/b ~/etc/c", "/usr/etc/a ./etc/b ~/etc/c"),
        ] {
            assert_eq!(placeholders.replace(written), meant);
        }
    }
}
