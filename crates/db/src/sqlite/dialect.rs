//! Migrations in SQLite's words.

/// Translates a migration written for PostgreSQL.
///
/// Types are replaced (`BIGINT` by `INTEGER`, `BYTEA` by `BLOB`, the identity column by
/// `INTEGER PRIMARY KEY`), and each `CREATE TABLE … (…)` becomes `STRICT`, without which SQLite would
/// keep a text in a column of numbers. A table whose primary key is not the identity column becomes
/// `WITHOUT ROWID` too: it is then one tree instead of two. Comments and quoted text stay as they are.
pub(super) fn translate(sql: &str) -> String {
    let mut out = String::with_capacity(sql.len() + 64);
    let mut rest = sql;
    let mut table = Table::No;
    while let Some(token) = Token::first(rest) {
        if let Some(length) = phrase(rest, &IDENTITY) {
            out.push_str("INTEGER PRIMARY KEY");
            table = table.with_key(Key::Identity);
            rest = rest.get(length..).unwrap_or_default();
            continue;
        }
        if phrase(rest, &["CREATE", "TABLE"]).is_some() {
            table = Table::Declared { depth: 0, key: Key::None };
        }
        if phrase(rest, &["PRIMARY", "KEY"]).is_some() {
            table = table.with_key(Key::Other);
        }
        match token.kind {
            Kind::Word if token.is("BIGINT") => out.push_str("INTEGER"),
            Kind::Word if token.is("BYTEA") => out.push_str("BLOB"),
            _ => out.push_str(token.text),
        }
        table = table.after(&token);
        if let Table::Complete { key } = table {
            out.push_str(if key == Key::Other { " STRICT, WITHOUT ROWID" } else { " STRICT" });
            table = Table::No;
        }
        rest = rest.get(token.text.len()..).unwrap_or_default();
    }
    out
}

const IDENTITY: [&str; 8] = ["BIGINT", "GENERATED", "BY", "DEFAULT", "AS", "IDENTITY", "PRIMARY", "KEY"];

/// Where in a `CREATE TABLE` the reader is.
enum Table {
    No,
    Declared { depth: usize, key: Key },
    Complete { key: Key },
}

/// The primary key of a table.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Key {
    None,
    Identity,
    Other,
}

impl Table {
    fn with_key(self, found: Key) -> Self {
        match self {
            Self::Declared { depth, .. } => Self::Declared { depth, key: found },
            elsewhere => elsewhere,
        }
    }

    fn after(self, token: &Token<'_>) -> Self {
        match (self, token.text) {
            (Self::Declared { depth, key }, "(") => Self::Declared { depth: depth + 1, key },
            (Self::Declared { depth: 1, key }, ")") => Self::Complete { key },
            (Self::Declared { depth, key }, ")") => Self::Declared { depth: depth.saturating_sub(1), key },
            (Self::Declared { .. }, ";") => Self::No,
            (table, _) => table,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Word,
    /// White space or a comment.
    Blank,
    /// Quoted text, or a single character.
    Other,
}

struct Token<'a> {
    kind: Kind,
    text: &'a str,
}

impl<'a> Token<'a> {
    /// The token that `sql` begins with; `None` at its end.
    fn first(sql: &'a str) -> Option<Self> {
        let first = sql.chars().next()?;
        let (kind, length) = match first {
            '-' if sql.starts_with("--") => (Kind::Blank, through(sql, 2, "\n")),
            '/' if sql.starts_with("/*") => (Kind::Blank, through(sql, 2, "*/")),
            // A doubled quote inside reads as two texts side by side, which comes to the same.
            '\'' => (Kind::Other, through(sql, 1, "'")),
            '"' => (Kind::Other, through(sql, 1, "\"")),
            _ if first.is_whitespace() => (Kind::Blank, span(sql, char::is_whitespace)),
            _ if is_word(first) => (Kind::Word, span(sql, is_word)),
            _ => (Kind::Other, first.len_utf8()),
        };
        Some(Self { kind, text: sql.get(..length)? })
    }

    fn is(&self, word: &str) -> bool {
        self.kind == Kind::Word && self.text.eq_ignore_ascii_case(word)
    }
}

/// How long the phrase is that `sql` begins with, blanks between its words included.
fn phrase(sql: &str, words: &[&str]) -> Option<usize> {
    let mut length = 0;
    for (place, word) in words.iter().enumerate() {
        let mut token = Token::first(sql.get(length..)?)?;
        while place > 0 && token.kind == Kind::Blank {
            length += token.text.len();
            token = Token::first(sql.get(length..)?)?;
        }
        if !token.is(word) {
            return None;
        }
        length += token.text.len();
    }
    Some(length)
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

fn span(sql: &str, part: impl Fn(char) -> bool) -> usize {
    sql.find(|character| !part(character)).unwrap_or(sql.len())
}

/// The length up to and including the first `end` after `from` bytes, or the whole.
fn through(sql: &str, from: usize, end: &str) -> usize {
    let after = sql.get(from..).and_then(|rest| rest.find(end));
    after.map_or(sql.len(), |found| from + found + end.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn translates_types_and_makes_tables_strict() {
        let cases = [
            (
                "CREATE TABLE a (id BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, b BYTEA);",
                "CREATE TABLE a (id INTEGER PRIMARY KEY, b BLOB) STRICT;",
            ),
            (
                "create table a (n bigint NOT NULL CHECK (n IN (0, 1)), PRIMARY KEY (n));",
                "create table a (n INTEGER NOT NULL CHECK (n IN (0, 1)), PRIMARY KEY (n)) STRICT, WITHOUT ROWID;",
            ),
            (
                "id BIGINT\n  GENERATED BY DEFAULT /* our own */ AS IDENTITY PRIMARY KEY",
                "id INTEGER PRIMARY KEY",
            ),
            (
                "CREATE UNIQUE INDEX i ON a (n) WHERE n > 0; CREATE TABLE b (x TEXT);",
                "CREATE UNIQUE INDEX i ON a (n) WHERE n > 0; CREATE TABLE b (x TEXT) STRICT;",
            ),
            (
                "CREATE TABLE a (t TEXT DEFAULT 'BIGINT it''s (' -- BYTEA )\n);",
                "CREATE TABLE a (t TEXT DEFAULT 'BIGINT it''s (' -- BYTEA )\n) STRICT;",
            ),
            ("ALTER TABLE a ADD bigint_count BIGINT;", "ALTER TABLE a ADD bigint_count INTEGER;"),
            ("SELECT \"BIGINT\"", "SELECT \"BIGINT\""),
        ];
        for (postgres, sqlite) in cases {
            assert_eq!(translate(postgres), sqlite);
        }
    }

    proptest! {
        #[test]
        fn text_without_types_and_tables_is_unchanged(sql in "[a-z0-9 ,;()'\"*/\n-]{0,200}") {
            prop_assume!(!["bigint", "bytea", "create"].iter().any(|word| sql.contains(word)));
            prop_assert_eq!(translate(&sql), sql);
        }

        #[test]
        fn any_text_is_read_to_its_end(sql in "\\PC*") {
            translate(&sql);
        }
    }
}
