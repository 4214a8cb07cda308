//! JSON read as strictly as signed documents want it: one reading for everybody.
//!
//! Before any type looks at it, a text is held to its bounds, and duplicate member names are refused
//! at every depth (RFC 8259 §4 leaves their meaning open). The helpers for
//! `#[serde(deserialize_with)]` then close what serde's derived code leaves open: a struct read from an
//! array, an absent member written `null`, an instant in a second spelling.

use std::borrow::Cow;
use std::cell::RefCell;
use std::fmt;
use std::marker::PhantomData;

use chancery_time::Timestamp;
use serde::de::value::MapAccessDeserializer;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Error as _, IntoDeserializer, MapAccess, SeqAccess, Visitor,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::entitlements::Named;

/// Messages of the JSON reader quote the text, so they are cut to that many characters.
const MAX_MESSAGE_LENGTH: usize = 200;

/// How large a JSON text may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bounds {
    /// In bytes.
    pub(crate) bytes: usize,
    /// Levels of objects and arrays within each other; one object of numbers has one.
    pub(crate) depth: usize,
}

/// Why a JSON text cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JsonError {
    /// It is longer than any such text.
    #[error("{length} bytes of JSON are too many: at most {max} can be read")]
    TooLong {
        /// How many bytes it has.
        length: usize,
        /// How many it may have.
        max: usize,
    },
    /// Objects and arrays stand too deep within each other.
    #[error("objects and arrays stand more than {max} deep within each other")]
    TooDeep {
        /// How deep they may.
        max: usize,
    },
    /// An object has two members of that name.
    #[error("the member `{0}` stands twice in one object")]
    DuplicateMember(String),
    /// It is no JSON, or not the object that was expected.
    #[error("{0}")]
    Unexpected(String),
}

/// Reads a JSON object (and never an array) as a `T`.
pub(crate) fn read<T: DeserializeOwned>(bytes: &[u8], bounds: Bounds) -> Result<T, JsonError> {
    if bytes.len() > bounds.bytes {
        return Err(JsonError::TooLong { length: bytes.len(), max: bounds.bytes });
    }
    // Once for the whole text, rather than for each text in it.
    let text = std::str::from_utf8(bytes).map_err(|error| JsonError::Unexpected(error.to_string()))?;
    hold_to_one_reading(text, bounds.depth)?;
    serde_json::from_str(text).map(|Object(value)| value).map_err(|error| unexpected(&error))
}

/// Writes a value as [`read`] takes it, without white space.
pub(crate) fn write<T: Serialize>(value: &T) -> Result<Vec<u8>, JsonError> {
    serde_json::to_vec(value).map_err(|error| unexpected(&error))
}

/// Reads a member that is an object, for `#[serde(deserialize_with)]`.
pub(crate) fn object<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    Object::deserialize(deserializer).map(|Object(value)| value)
}

/// Reads a member that is a list of objects, for `#[serde(deserialize_with)]`.
pub(crate) fn objects<'de, T, D>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    let objects = Vec::<Object<T>>::deserialize(deserializer)?;
    Ok(objects.into_iter().map(|Object(value)| value).collect())
}

/// Reads an optional member that must have its type where it stands, for
/// `#[serde(default, deserialize_with)]`: `null` is refused like any other wrong type.
pub(crate) fn not_null<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    T::deserialize(deserializer).map(Some)
}

/// Reads a member that has to stand there, if only as `null`, for `#[serde(deserialize_with)]`.
pub(crate) fn nullable<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    Option::deserialize(deserializer)
}

/// Reads a member that has to stand there as an [`instant`] or as `null`, for `#[serde(deserialize_with)]`.
pub(crate) fn nullable_instant<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Timestamp>, D::Error> {
    struct Instant(Timestamp);
    impl<'de> Deserialize<'de> for Instant {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            instant(deserializer).map(Self)
        }
    }
    let instant: Option<Instant> = Option::deserialize(deserializer)?;
    Ok(instant.map(|Instant(instant)| instant))
}

/// Reads an instant in its one form, `2026-06-14T13:23:00Z`, for `#[serde(deserialize_with)]`.
pub(crate) fn instant<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    let text = String::deserialize(deserializer)?;
    let instant: Timestamp = text.parse().map_err(D::Error::custom)?;
    if instant.to_string() != text {
        return Err(D::Error::custom(
            "an instant is written in UTC with whole seconds: 2026-06-14T13:23:00Z",
        ));
    }
    Ok(instant)
}

/// Reads an optional [`instant`], for `#[serde(default, deserialize_with)]`.
pub(crate) fn optional_instant<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Timestamp>, D::Error> {
    instant(deserializer).map(Some)
}

/// Reads a value from the text that names it, for `#[serde(deserialize_with)]`.
pub(crate) fn text<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: std::str::FromStr<Err: fmt::Display>,
    D: Deserializer<'de>,
{
    String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
}

/// Reads a member that is a [`Word`], for `#[serde(deserialize_with)]`.
pub(crate) fn word<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    Word::deserialize(deserializer).map(|Word(word)| word)
}

/// Reads one of a closed list of names, for `#[serde(deserialize_with)]`.
pub(crate) fn named<'de, T: Named, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    let name = String::deserialize(deserializer)?;
    T::named(&name).ok_or_else(|| D::Error::custom(format_args!("`{name}` is no known {}", T::WHAT)))
}

/// Writes one of a closed list of names, for `#[serde(serialize_with)]`.
pub(crate) fn write_named<T: Named, S: Serializer>(one: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(one.name())
}

/// A value of an enum that was written as a word: serde's derived enums read `{"word":null}` too.
pub(crate) struct Word<T>(pub(crate) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Word<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(String::deserialize(deserializer)?.into_deserializer()).map(Self)
    }
}

/// A value that was written as a JSON object: serde's derived structs read an array of their members too.
struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor(PhantomData)).map(Self)
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map))
    }
}

fn hold_to_one_reading(text: &str, max_depth: usize) -> Result<(), JsonError> {
    let fault = RefCell::new(None);
    let mut reader = serde_json::Deserializer::from_str(text);
    let walked = Walk { levels_left: max_depth, max_depth, fault: &fault }.deserialize(&mut reader);
    if let Some(fault) = fault.take() {
        return Err(fault);
    }
    walked.and_then(|()| reader.end()).map_err(|error| unexpected(&error))
}

/// Walks through a value of any shape and keeps nothing of it.
#[derive(Clone, Copy)]
struct Walk<'a> {
    levels_left: usize,
    max_depth: usize,
    fault: &'a RefCell<Option<JsonError>>,
}

impl Walk<'_> {
    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        match self.levels_left.checked_sub(1) {
            Some(levels_left) => Ok(Self { levels_left, ..self }),
            None => Err(self.stop(JsonError::TooDeep { max: self.max_depth })),
        }
    }

    /// serde's errors are texts, so the fault itself is handed out beside them.
    fn stop<E: serde::de::Error>(self, fault: JsonError) -> E {
        let error = E::custom(&fault);
        self.fault.replace(Some(fault));
        error
    }
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let deeper = self.deeper()?;
        while entries.next_element_seed(deeper)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let deeper = self.deeper()?;
        // As many as the largest object of any format has.
        let mut names = Vec::with_capacity(16);
        while let Some(name) = members.next_key_seed(Name)? {
            names.push(name);
            members.next_value_seed(deeper)?;
        }
        // Sorted they take less time than a hash table, and an object of a million members no more than its share.
        names.sort_unstable();
        match names.windows(2).find(|pair| pair.first() == pair.last()) {
            Some([name, ..]) => Err(self.stop(JsonError::DuplicateMember(cut(name)))),
            _ => Ok(()),
        }
    }
}

/// The name of a member, with its escapes resolved; copied only where it has some.
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a member")
    }

    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(name))
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(name.to_owned()))
    }
}

fn unexpected(error: &serde_json::Error) -> JsonError {
    JsonError::Unexpected(cut(&error.to_string()))
}

/// Cut to length, and without anything that a terminal would obey.
fn cut(message: &str) -> String {
    let visible =
        |character: char| if character.is_control() { char::REPLACEMENT_CHARACTER } else { character };
    message.chars().take(MAX_MESSAGE_LENGTH).map(visible).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BOUNDS: Bounds = Bounds { bytes: 1_000, depth: 3 };

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Point {
        x: i32,
        #[serde(default, deserialize_with = "not_null")]
        y: Option<i32>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Line {
        #[serde(deserialize_with = "object")]
        from: Point,
        #[serde(default, deserialize_with = "objects")]
        via: Vec<Point>,
        #[serde(default, deserialize_with = "optional_instant")]
        at: Option<Timestamp>,
        #[serde(default, deserialize_with = "text")]
        size: u8,
        #[serde(default, deserialize_with = "word")]
        style: Style,
    }

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Style {
        #[default]
        Plain,
        Dashed,
    }

    fn line(json: &str) -> Result<Line, JsonError> {
        read(json.as_bytes(), BOUNDS)
    }

    fn message(json: &str) -> String {
        line(json).unwrap_err().to_string()
    }

    #[test]
    fn what_is_well_formed_is_read() {
        let read = line(r#" {"from":{"x":1},"via":[{"x":2,"y":3}],"at":"2026-06-14T13:23:00Z","size":"7","style":"dashed"} "#)
            .unwrap();
        assert_eq!(read.from, Point { x: 1, y: None });
        assert_eq!(read.via, [Point { x: 2, y: Some(3) }]);
        assert_eq!(read.at, Some(Timestamp::from_unix_seconds(1_781_443_380)));
        assert_eq!(read.size, 7);
        assert_eq!(read.style, Style::Dashed);
    }

    #[test]
    fn duplicates_are_refused_at_any_depth_and_in_any_spelling() {
        for (json, name) in [
            (r#"{"from":{"x":1},"from":{"x":1}}"#, "from"),
            (r#"{"from":{"x":1,"x":1}}"#, "x"),
            (r#"{"from":{"x":1,"\u0078":1}}"#, "x"),
            (r#"{"via":[{"x":1},{"x":1,"x":2}],"from":{"x":1}}"#, "x"),
            (r#"{"from":{"x":1},"new":{"a":1,"b":2,"a":3}}"#, "a"),
        ] {
            assert_eq!(line(json), Err(JsonError::DuplicateMember(name.to_owned())), "{json}");
        }
    }

    #[test]
    fn bounds_hold() {
        assert_eq!(line(r#"{"from":[[[1]]]}"#), Err(JsonError::TooDeep { max: 3 }));
        assert!(message(r#"{"from":[[1]]}"#).starts_with("invalid type: sequence"));
        let padded = |spaces| format!(r#"{{"from":{{"x":1}}{}}}"#, " ".repeat(spaces));
        assert!(line(&padded(1_000 - 16)).is_ok());
        assert_eq!(line(&padded(1_001 - 16)), Err(JsonError::TooLong { length: 1_001, max: 1_000 }));
        let deep = "[".repeat(1_000);
        assert_eq!(line(&deep), Err(JsonError::TooDeep { max: 3 }));
        assert!(message(&format!(r#"{{"{}":1}}"#, "n".repeat(900))).chars().count() <= MAX_MESSAGE_LENGTH);
    }

    #[test]
    fn what_is_not_the_object_expected_is_refused() {
        for (json, start) in [
            ("", "EOF"),
            ("[]", "invalid type: sequence, expected a JSON object"),
            ("null", "invalid type: null, expected a JSON object"),
            ("{}", "missing field `from`"),
            ("{} {}", "trailing characters"),
            ("\u{feff}{}", "expected value"),
            ("{\"from\":{\"x\":1},}", "trailing comma"),
            (r#"{"from":[1]}"#, "invalid type: sequence, expected a JSON object"),
            (r#"{"from":{"x":1},"via":[[1]]}"#, "invalid type: sequence, expected a JSON object"),
            (r#"{"from":{"x":1.0}}"#, "invalid type: floating point"),
            (r#"{"from":{"x":"1"}}"#, "invalid type: string"),
            (r#"{"from":{"x":1,"y":null}}"#, "invalid type: null, expected i32"),
            (r#"{"from":{"x":1,"z":1}}"#, "unknown field `z`"),
            (r#"{"from":{"x":1},"at":null}"#, "invalid type: null"),
            (r#"{"from":{"x":1},"at":"2026-06-14T15:23:00+02:00"}"#, "an instant is written in UTC"),
            (r#"{"from":{"x":1},"at":"2026-06-14T13:23:00.5Z"}"#, "an instant is written in UTC"),
            (r#"{"from":{"x":1},"size":"256"}"#, "number too large"),
            (r#"{"from":{"x":1},"size":7}"#, "invalid type: integer"),
            (r#"{"from":{"x":1},"style":"dotted"}"#, "unknown variant `dotted`"),
            (r#"{"from":{"x":1},"style":{"dashed":null}}"#, "invalid type: map, expected a string"),
            (r#"{"from":{"x":1},"\u001b[2J":1}"#, "unknown field `\u{fffd}[2J`"),
            (r#"{"from":{"x":1},"at":"\ud800"}"#, "unexpected end of hex escape"),
        ] {
            let found = message(json);
            assert!(found.starts_with(start), "{json}: {found}");
        }
        let not_utf8 = b"{\"from\":{\"x\":1},\"at\":\"\xff\"}";
        assert!(matches!(read::<Line>(not_utf8, BOUNDS), Err(JsonError::Unexpected(_))));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[\\[\\]{}\":,a-c0-2 \\\\u.e-]{0,40}") {
            let _ = line(&text);
        }
    }
}
