//! A connector's config as it was sent: names and texts, in order.
//!
//! Answers show the config in the order in which it was sent, so that a user can compare the two. JSON numbers and
//! booleans become texts, because clients send `"tasks.max": 1` as well as `"1"`. `Debug` masks the values of names
//! that look secret, so a config can be written to any log line.
//!
//! Must not know: which names exist.

use std::fmt;
use std::sync::Arc;

use serde::de::{MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::renewal::Origin;
use crate::secret::{MASK, SecretNames, without_user_info};

/// A map from name to text or null that keeps its order. Two maps are equal whatever their order.
#[derive(Clone, Default)]
pub struct Properties {
    entries: Vec<(String, Option<String>)>,
    /// How the entries were written, if their variables were resolved.
    pub(crate) origin: Option<Arc<Origin>>,
}

impl Properties {
    /// An empty map.
    pub const fn new() -> Self {
        Self { entries: Vec::new(), origin: None }
    }

    /// The text of `name`; absent and null are both `None`.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.entries.iter().find(|(n, _)| n == name).and_then(|(_, v)| v.as_deref())
    }

    /// Whether `name` was sent, even as null.
    pub fn contains(&self, name: &str) -> bool {
        self.entries.iter().any(|(n, _)| n == name)
    }

    /// Sets `name`; a name that is already there keeps its position.
    pub fn insert(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.put(name.into(), Some(value.into()));
    }

    /// Sets `name` to null.
    pub fn insert_null(&mut self, name: impl Into<String>) {
        self.put(name.into(), None);
    }

    fn put(&mut self, name: String, value: Option<String>) {
        match self.entries.iter_mut().find(|(n, _)| *n == name) {
            Some(entry) => entry.1 = value,
            None => self.entries.push((name, value)),
        }
    }

    /// Removes `name`; returns whether it was there.
    pub fn remove(&mut self, name: &str) -> bool {
        let before = self.entries.len();
        self.entries.retain(|(n, _)| n != name);
        before != self.entries.len()
    }

    /// Names and texts in order; null is `None`.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.entries.iter().map(|(n, v)| (n.as_str(), v.as_deref()))
    }

    /// The entries whose names start with `prefix` (which ends in a dot), without the prefix, in order; nulls are left
    /// out.
    pub fn under<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.entries.iter().filter_map(move |(n, v)| Some((n.strip_prefix(prefix)?, v.as_deref()?)))
    }

    /// The first name whose value is null.
    pub fn first_null(&self) -> Option<&str> {
        self.entries.iter().find(|(_, v)| v.is_none()).map(|(n, _)| n.as_str())
    }

    /// The number of names.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are no names.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The config for logs and messages: `{k=v, k=v}` as Java prints a map, with secret values as `********`.
    pub fn masked<'a>(&'a self, names: &'a SecretNames) -> impl fmt::Display + 'a {
        Masked { properties: self, names }
    }
}

struct Masked<'a> {
    properties: &'a Properties,
    names: &'a SecretNames,
}

impl fmt::Display for Masked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for (i, (name, value)) in self.properties.iter().enumerate() {
            let comma = if i == 0 { "" } else { ", " };
            match value {
                Some(_) if self.names.hides(name) => write!(f, "{comma}{name}={MASK}")?,
                Some(value) => write!(f, "{comma}{name}={}", without_user_info(value))?,
                None => write!(f, "{comma}{name}=null")?,
            }
        }
        f.write_str("}")
    }
}

impl fmt::Debug for Properties {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.masked(&SecretNames::Usual), f)
    }
}

/// Equal as maps: the order does not count.
impl PartialEq for Properties {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().all(|(n, v)| other.contains(n) && other.get(n) == v)
    }
}

impl Eq for Properties {}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Properties {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        let mut properties = Self::new();
        for (name, value) in pairs {
            properties.insert(name, value);
        }
        properties
    }
}

impl Serialize for Properties {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.len()))?;
        for (name, value) in self.iter() {
            map.serialize_entry(name, &value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Properties {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;
        impl<'de> Visitor<'de> for Pairs {
            type Value = Properties;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of names and texts")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Properties, A::Error> {
                let mut properties = Properties::new();
                while let Some((name, Text(value))) = map.next_entry::<String, Text>()? {
                    properties.put(name, value);
                }
                Ok(properties)
            }
        }
        deserializer.deserialize_map(Pairs)
    }
}

/// A scalar taken as text.
struct Text(Option<String>);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Scalar;
        impl Visitor<'_> for Scalar {
            type Value = Text;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, a number, a boolean or null")
            }

            fn visit_str<E>(self, v: &str) -> Result<Text, E> {
                Ok(Text(Some(v.to_owned())))
            }

            fn visit_string<E>(self, v: String) -> Result<Text, E> {
                Ok(Text(Some(v)))
            }

            fn visit_bool<E>(self, v: bool) -> Result<Text, E> {
                Ok(Text(Some(v.to_string())))
            }

            fn visit_i64<E>(self, v: i64) -> Result<Text, E> {
                Ok(Text(Some(v.to_string())))
            }

            fn visit_u64<E>(self, v: u64) -> Result<Text, E> {
                Ok(Text(Some(v.to_string())))
            }

            fn visit_f64<E>(self, v: f64) -> Result<Text, E> {
                Ok(Text(Some(format!("{v:?}"))))
            }

            fn visit_unit<E>(self) -> Result<Text, E> {
                Ok(Text(None))
            }

            fn visit_none<E>(self) -> Result<Text, E> {
                Ok(Text(None))
            }
        }
        deserializer.deserialize_any(Scalar)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use super::*;

    #[test]
    fn json_in_order_with_scalars_as_texts() {
        let text = r#"{"z":"1","tasks.max":1,"a":true,"f":1.5,"n":null,"database.password":"p","url":"http://u:p@h"}"#;
        let p: Properties = serde_json::from_str(text).unwrap();
        assert_eq!(
            serde_json::to_string(&p).unwrap(),
            r#"{"z":"1","tasks.max":"1","a":"true","f":"1.5","n":null,"database.password":"p","url":"http://u:p@h"}"#
        );
        assert_eq!(
            format!("{p:?}"),
            "{z=1, tasks.max=1, a=true, f=1.5, n=null, database.password=********, url=http://********@h}"
        );
        assert_eq!(p.first_null(), Some("n"));
        assert!(p.contains("n") && p.get("n").is_none());
        assert!(serde_json::from_str::<Properties>(r#"{"a":[1]}"#).is_err());
    }

    #[test]
    fn map_semantics() {
        let mut a: Properties = [("x", "1"), ("y", "2")].into_iter().collect();
        let b: Properties = [("y", "2"), ("x", "1")].into_iter().collect();
        assert_eq!(a, b);
        a.insert("x", "3");
        assert_ne!(a, b);
        assert_eq!(a.iter().map(|(n, _)| n).collect::<Vec<_>>(), ["x", "y"]);
        assert!(a.remove("x") && !a.remove("x"));
        let c: Properties = [("p.a", "1"), ("q", "2"), ("p.b", "3")].into_iter().collect();
        assert_eq!(c.under("p.").collect::<Vec<_>>(), [("a", "1"), ("b", "3")]);
    }
}
