//! JSON as lines hold it: written in one form without white space and with every control character
//! escaped, and scanned as strictly without taking anything apart.

use std::io::Write;

use serde_json::{Map, Value};

/// How deep values may stand within each other in `details`, which itself is the first level.
pub(crate) const MAX_DEPTH: usize = 32;

/// Values stand too deep within each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooDeep;

/// Writes a string with its quotation marks. Escaped are what JSON wants escaped (RFC 8259 §7), all
/// other control characters (C0, DEL, C1) and the line ends of Unicode (U+2028, U+2029), so that no
/// viewer sees two lines in one, and no terminal obeys a text.
pub(crate) fn write_string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let mut plain_from = 0;
    for (at, character) in text.char_indices() {
        if !must_escape(character) {
            continue;
        }
        out.extend_from_slice(text.get(plain_from..at).unwrap_or_default().as_bytes());
        plain_from = at + character.len_utf8();
        match character {
            '"' => out.extend_from_slice(b"\\\""),
            '\\' => out.extend_from_slice(b"\\\\"),
            '\n' => out.extend_from_slice(b"\\n"),
            '\r' => out.extend_from_slice(b"\\r"),
            '\t' => out.extend_from_slice(b"\\t"),
            other => append(out, format_args!("\\u{:04x}", u32::from(other))),
        }
    }
    out.extend_from_slice(text.get(plain_from..).unwrap_or_default().as_bytes());
    out.push(b'"');
}

/// Writes the members of an object, without its braces, separated by commas.
pub(crate) fn write_members<'a>(
    out: &mut Vec<u8>,
    members: impl Iterator<Item = (&'a String, &'a Value)>,
    depth: usize,
) -> Result<(), TooDeep> {
    for (number, (name, value)) in members.enumerate() {
        if number > 0 {
            out.push(b',');
        }
        write_string(out, name);
        out.push(b':');
        write_value(out, value, depth)?;
    }
    Ok(())
}

/// Writes formatted text; writing to memory cannot fail.
pub(crate) fn append(out: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    let _: std::io::Result<()> = out.write_fmt(text);
}

fn write_value(out: &mut Vec<u8>, value: &Value, depth: usize) -> Result<(), TooDeep> {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(truth) => append(out, format_args!("{truth}")),
        Value::Number(number) => append(out, format_args!("{number}")),
        Value::String(text) => write_string(out, text),
        Value::Array(values) => write_array(out, values, deeper(depth)?)?,
        Value::Object(members) => write_object(out, members, deeper(depth)?)?,
    }
    Ok(())
}

fn write_array(out: &mut Vec<u8>, values: &[Value], depth: usize) -> Result<(), TooDeep> {
    out.push(b'[');
    for (number, value) in values.iter().enumerate() {
        if number > 0 {
            out.push(b',');
        }
        write_value(out, value, depth)?;
    }
    out.push(b']');
    Ok(())
}

fn write_object(out: &mut Vec<u8>, members: &Map<String, Value>, depth: usize) -> Result<(), TooDeep> {
    out.push(b'{');
    write_members(out, members.iter(), depth)?;
    out.push(b'}');
    Ok(())
}

fn deeper(depth: usize) -> Result<usize, TooDeep> {
    if depth < MAX_DEPTH { Ok(depth + 1) } else { Err(TooDeep) }
}

fn must_escape(character: char) -> bool {
    matches!(character, '"' | '\\' | '\u{2028}' | '\u{2029}') || character.is_control()
}

/// Reads bytes from left to right; each step says `None` where the bytes are not what it wants.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scanner<'a> {
    rest: &'a [u8],
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// What was not read yet.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Those very bytes.
    pub(crate) fn literal(&mut self, wanted: &[u8]) -> Option<()> {
        self.rest = self.rest.strip_prefix(wanted)?;
        Some(())
    }

    /// Whether those bytes come next; if so they are read.
    pub(crate) fn skip(&mut self, wanted: &[u8]) -> bool {
        self.literal(wanted).is_some()
    }

    /// That many bytes.
    pub(crate) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(taken)
    }

    /// The bytes up to a quotation mark that follows within `limit` bytes, and that mark.
    pub(crate) fn until_quote(&mut self, limit: usize) -> Option<&'a [u8]> {
        let window = self.rest.get(..=limit).unwrap_or(self.rest);
        let text = self.take(memchr::memchr(b'"', window)?)?;
        self.literal(b"\"")?;
        Some(text)
    }

    /// A whole number without leading zeros.
    pub(crate) fn number(&mut self) -> Option<u64> {
        let length = self.rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let digits = self.take(length)?;
        if digits.is_empty() || (digits.first() == Some(&b'0') && length > 1) {
            return None;
        }
        digits
            .iter()
            .try_fold(0u64, |number, digit| number.checked_mul(10)?.checked_add(u64::from(digit - b'0')))
    }

    /// A string from its first quotation mark to its last; returns it with both.
    pub(crate) fn string(&mut self) -> Option<&'a [u8]> {
        let from = self.rest;
        self.literal(b"\"")?;
        loop {
            self.take(plain_length(self.rest))?;
            match self.take(1)? {
                b"\"" => break,
                b"\\" => self.escape()?,
                _ => return None,
            }
        }
        from.get(..from.len() - self.rest.len())
    }

    /// An object without white space, at most `depth` levels; returns it with its braces.
    pub(crate) fn object(&mut self, depth: usize) -> Option<&'a [u8]> {
        let from = self.rest;
        let inner = depth.checked_sub(1)?;
        self.literal(b"{")?;
        if !self.skip(b"}") {
            loop {
                self.string()?;
                self.literal(b":")?;
                self.value(inner)?;
                if !self.skip(b",") {
                    break;
                }
            }
            self.literal(b"}")?;
        }
        from.get(..from.len() - self.rest.len())
    }

    fn value(&mut self, depth: usize) -> Option<()> {
        match self.rest.first()? {
            b'"' => self.string().map(drop),
            b'{' => self.object(depth).map(drop),
            b'[' => self.array(depth),
            b't' => self.literal(b"true"),
            b'f' => self.literal(b"false"),
            b'n' => self.literal(b"null"),
            _ => self.any_number(),
        }
    }

    fn array(&mut self, depth: usize) -> Option<()> {
        let inner = depth.checked_sub(1)?;
        self.literal(b"[")?;
        if self.skip(b"]") {
            return Some(());
        }
        loop {
            self.value(inner)?;
            if !self.skip(b",") {
                return self.literal(b"]");
            }
        }
    }

    /// RFC 8259 §6.
    fn any_number(&mut self) -> Option<()> {
        self.skip(b"-");
        if !self.skip(b"0") {
            self.digits()?;
        }
        if self.skip(b".") {
            self.digits()?;
        }
        if self.skip(b"e") || self.skip(b"E") {
            let _signed = self.skip(b"+") || self.skip(b"-");
            self.digits()?;
        }
        Some(())
    }

    fn digits(&mut self) -> Option<()> {
        let length = self.rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if length == 0 {
            return None;
        }
        self.take(length).map(drop)
    }

    /// What may follow a backslash: the forms that [`write_string`] writes.
    fn escape(&mut self) -> Option<()> {
        match self.take(1)? {
            b"\"" | b"\\" | b"n" | b"r" | b"t" => Some(()),
            b"u" => {
                let digits = self.take(4)?;
                let lower_hex = digits.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
                // Half a surrogate pair is no character.
                let surrogate = matches!(digits, [b'd', b'8'..=b'f', ..]);
                (lower_hex && !surrogate).then_some(())
            }
            _ => None,
        }
    }
}

/// How many bytes there are before the first that is not [plain](is_plain).
fn plain_length(bytes: &[u8]) -> usize {
    // Looking at each byte of a chunk, whatever the others are, is what the compiler makes vectors of.
    let all_plain = |chunk: &&[u8; 16]| chunk.map(|byte| u8::from(!is_plain(byte))) == [0; 16];
    let begun = bytes.as_chunks::<16>().0.iter().take_while(all_plain).count() * 16;
    let rest = bytes.get(begun..).unwrap_or_default();
    begun + rest.iter().take_while(|byte| is_plain(**byte)).count()
}

fn is_plain(byte: u8) -> bool {
    (byte >= 0x20) & (byte != b'"') & (byte != b'\\') & (byte != 0x7f)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(text: &str) -> String {
        let mut out = Vec::new();
        write_string(&mut out, text);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn control_characters_are_escaped() {
        assert_eq!(written("a\"b\\c\n\r\t"), r#""a\"b\\c\n\r\t""#);
        assert_eq!(written("\u{0}\u{1b}\u{7f}\u{85}\u{2028}"), r#""\u0000\u001b\u007f\u0085\u2028""#);
        assert_eq!(written("é漢😀"), "\"é漢😀\"");
    }

    #[test]
    fn the_scanner_refuses_what_is_never_written() {
        let refused = [
            "{",
            "{}x",
            "{ }",
            "{\"a\":1,}",
            "{\"a\":01}",
            "{\"a\":1.}",
            "{\"a\":\"\u{1}\"}",
            "{\"a\":\"\\/\"}",
            "{\"a\":\"\\u00AB\"}",
            "{\"a\":\"\\ud800\"}",
            "{\"a\":[1,]}",
            "{\"a\":tru}",
            "{a:1}",
            "{\"a\":}",
        ];
        for text in refused {
            let mut scanner = Scanner::new(text.as_bytes());
            let read = scanner.object(MAX_DEPTH);
            assert!(read.is_none() || !scanner.rest().is_empty(), "{text}");
        }
    }

    #[test]
    fn writer_and_scanner_agree_on_the_depth() {
        for (levels, fits) in [(MAX_DEPTH, true), (MAX_DEPTH + 1, false)] {
            let mut value = Value::Object(Map::new());
            for _ in 1..levels {
                value = serde_json::json!({ "a": value });
            }
            let mut out = b"{".to_vec();
            let written = write_members(&mut out, value.as_object().unwrap().iter(), 1).is_ok();
            assert_eq!(written, fits, "{levels}");
            let text = value.to_string();
            assert_eq!(Scanner::new(text.as_bytes()).object(MAX_DEPTH).is_some(), fits, "{levels}");
        }
    }

    #[test]
    fn what_ends_a_string_is_found_wherever_it_stands() {
        for at in 0..40 {
            for end in [b'"', b'\\', 0x1f, 0x7f] {
                let mut bytes = [b'a'; 40];
                bytes[at] = end;
                assert_eq!(plain_length(&bytes), at, "{end:#x}");
            }
        }
        assert_eq!(plain_length(&[0x80; 40]), 40);
    }

    proptest! {
        #[test]
        fn strings_come_back(text in any::<String>()) {
            let json = written(&text);
            prop_assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
            let mut scanner = Scanner::new(json.as_bytes());
            prop_assert_eq!(scanner.string(), Some(json.as_bytes()));
            prop_assert!(!json.chars().any(char::is_control));
        }
    }
}
