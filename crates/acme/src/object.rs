//! JSON read as strictly as the RFCs write it: an object is an object, and a member that is `null`
//! is there all the same.
//!
//! serde's derived structs also read an array, its entries taken for the members in the order of
//! their declaration, and its `Option` takes `null` for absent. RFC 8555 and RFC 7515 know neither.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// A value that was written as a JSON object, and not as an array of its members.
#[derive(Debug, Clone)]
pub(crate) struct Object<T>(pub(crate) T);

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

/// Reads a member that is an object, for `#[serde(deserialize_with)]`.
pub(crate) fn object<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    Object::<T>::deserialize(deserializer).map(|Object(value)| value)
}

/// Reads a list of objects, for `#[serde(deserialize_with)]`.
pub(crate) fn list<'de, T, D>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    let objects = Vec::<Object<T>>::deserialize(deserializer)?;
    Ok(objects.into_iter().map(|Object(value)| value).collect())
}

/// Whether a member stands in an object, whatever its value, `null` included. Goes with
/// `#[serde(default)]`, which is what speaks for a member that does not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Presence(bool);

impl Presence {
    pub(crate) fn is_there(self) -> bool {
        self.0
    }
}

impl<'de> Deserialize<'de> for Presence {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer)?;
        Ok(Self(true))
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    struct Point {
        x: i32,
        #[serde(default)]
        y: Presence,
        #[serde(default, deserialize_with = "not_null")]
        z: Option<i32>,
    }

    #[derive(Debug, Deserialize)]
    struct Line {
        #[serde(deserialize_with = "list")]
        points: Vec<Point>,
    }

    fn point(json: &str) -> Result<Point, String> {
        serde_json::from_str(json).map(|Object(point)| point).map_err(|error| error.to_string())
    }

    #[test]
    fn an_object_is_read_and_nothing_else_is() {
        assert_eq!(point(r#"{"x":1}"#).unwrap().x, 1);
        // What the wrapper is for: without it, this is a point.
        assert_eq!(serde_json::from_str::<Point>("[1,2,3]").unwrap().x, 1);
        for (json, found) in [
            ("[1,2,3]", "sequence"),
            ("[]", "sequence"),
            ("1", "integer `1`"),
            (r#""x""#, r#"string "x""#),
            ("true", "boolean `true`"),
            ("null", "null"),
        ] {
            let error = point(json).unwrap_err();
            assert!(
                error.starts_with(&format!("invalid type: {found}, expected a JSON object")),
                "{json}: {error}"
            );
        }
    }

    #[test]
    fn the_rules_of_the_members_stay_as_they_are() {
        assert!(point("{}").unwrap_err().starts_with("missing field `x`"));
        assert!(point(r#"{"x":1,"x":1}"#).unwrap_err().starts_with("duplicate field `x`"));
        assert!(point(r#"{"x":1,"w":[{}]}"#).is_ok(), "a member that is not known is ignored");
    }

    #[test]
    fn each_entry_of_a_list_is_an_object() {
        let line: Line = serde_json::from_str(r#"{"points":[{"x":1},{"x":2}]}"#).unwrap();
        assert_eq!(line.points.iter().map(|point| point.x).collect::<Vec<_>>(), [1, 2]);
        let error = serde_json::from_str::<Line>(r#"{"points":[{"x":1},[2,3,4]]}"#).unwrap_err();
        assert!(error.to_string().starts_with("invalid type: sequence, expected a JSON object"), "{error}");
    }

    #[test]
    fn a_member_is_there_whatever_its_value() {
        assert!(!point(r#"{"x":1}"#).unwrap().y.is_there());
        for value in ["null", "0", "[]", r#""""#, r#"{"y":{}}"#] {
            assert!(point(&format!(r#"{{"x":1,"y":{value}}}"#)).unwrap().y.is_there(), "{value}");
        }
    }

    #[test]
    fn null_is_no_number() {
        assert_eq!(point(r#"{"x":1}"#).unwrap().z, None);
        assert_eq!(point(r#"{"x":1,"z":2}"#).unwrap().z, Some(2));
        assert!(point(r#"{"x":1,"z":null}"#).unwrap_err().starts_with("invalid type: null, expected i32"));
    }
}
