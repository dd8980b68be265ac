//! What the daemon offers beside connectors: transformations, predicates, converters, by their Java class names.
//!
//! One list for validation, for `GET /connector-plugins` and for the definitions of a plug-in, so that they cannot differ.
//!
//! Must not know: what a transformation or converter does.

use std::sync::Arc;

use settings::{Def, Properties, names_class};

use crate::convert;

/// The kinds of classes, in the order in which Connect lists them (after the connectors).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PartKind {
    /// An SMT.
    Transformation,
    /// A predicate.
    Predicate,
    /// A key or value converter.
    Converter,
    /// A header converter.
    HeaderConverter,
}

impl PartKind {
    /// Connect's name of the kind.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Transformation => "transformation",
            Self::Predicate => "predicate",
            Self::Converter => "converter",
            Self::HeaderConverter => "header_converter",
        }
    }
}

/// A built-in class that a configuration can name.
#[derive(Clone, Copy)]
pub struct Offered {
    /// The class's full Java name.
    pub class: &'static str,
    /// The class's kind.
    pub kind: PartKind,
    /// The version of the reference that it is compatible with.
    pub version: &'static str,
    /// Its keys, without the prefix under which they are set.
    pub keys: Def,
    /// The transformation, if the class is one: transformations warn of some of their settings.
    transform: Option<&'static transforms::Kind>,
}

impl Offered {
    /// The warnings about the settings under `prefix`, each with its full key: an old name, and what replaced it.
    pub(crate) fn remarks(&self, prefix: &str, config: &Properties) -> Vec<(String, String)> {
        let Some(transform) = self.transform else { return Vec::new() };
        let own: Properties = config.under(prefix).collect();
        let line = |finding: &settings::Finding| (format!("{prefix}{}", finding.key), format!("{prefix}{finding}"));
        transform.warnings(&own).iter().map(line).collect()
    }
}

/// The version that Kafka Connect's own classes show.
const CONNECT: &str = "4.3.1";

/// The version that Debezium's classes show.
const DEBEZIUM: &str = "3.6.1.Final";

/// All built-in classes.
#[derive(Clone, Default)]
pub struct Catalog(Arc<[Offered]>);

impl Catalog {
    /// Everything that this daemon has.
    pub fn all() -> Self {
        let mut offered = Vec::new();
        for kind in transforms::ALL {
            let version = if kind.class.starts_with("io.debezium.") { DEBEZIUM } else { CONNECT };
            let (class, keys, transform) = (kind.class, kind.keys, Some(kind));
            offered.push(Offered { class, kind: PartKind::Transformation, version, keys, transform });
        }
        for kind in transforms::PREDICATES {
            let (class, keys) = (kind.class, kind.keys);
            offered.push(Offered { class, kind: PartKind::Predicate, version: CONNECT, keys, transform: None });
        }
        for entry in convert::ALL {
            let part = |kind| Offered { class: entry.class, kind, version: CONNECT, keys: entry.keys, transform: None };
            offered.extend(entry.for_records.then(|| part(PartKind::Converter)));
            offered.extend(entry.for_headers.then(|| part(PartKind::HeaderConverter)));
        }
        Self::new(offered)
    }

    /// Sorts the classes in Connect's order: by kind, then by name.
    fn new(mut offered: Vec<Offered>) -> Self {
        offered.sort_by_key(|one| (one.kind, one.class));
        Self(offered.into())
    }

    /// All classes in Connect's order.
    pub fn iter(&self) -> impl Iterator<Item = &Offered> {
        self.0.iter()
    }

    /// Finds a class of a kind by its full name, its simple name, or the simple name without the kind (`Json` for
    /// `JsonConverter`). Of several, Kafka's own is meant: a worker without further plug-ins has only that one. If none of
    /// them is Kafka's, as with the two classes `AvroConverter`, the short name finds nothing.
    pub fn find(&self, kind: PartKind, class: &str) -> Option<&Offered> {
        let named: Vec<_> = self.iter().filter(|one| one.kind == kind && is_named(one.class, class)).collect();
        match named[..] {
            [one] => Some(one),
            _ => named.into_iter().find(|one| one.class.starts_with("org.apache.kafka.")),
        }
    }

    /// Finds a class of any kind, by the same names.
    pub fn any(&self, class: &str) -> Option<&Offered> {
        self.iter().find(|one| is_named(one.class, class))
    }

    /// The line that explains, after Connect's own one, that this class of this kind is not built in.
    pub fn lacks(&self, kind: PartKind, class: &str) -> String {
        let what = kind.name().replace('_', " ");
        if let Some(now) = transforms::replaced(class) {
            return format!("Debezium has replaced this class. Write {now} instead, and look at its options.");
        }
        if let Some(why) = transforms::refused(class) {
            return format!("afterimage does not have this class. {why}");
        }
        format!(
            "This is afterimage, which brings its transformations, predicates and converters built in and loads no Java \
             classes: class {class} is not in this daemon; it has as {what}: {}.",
            self.classes(kind).join(", ")
        )
    }

    /// The full names of all classes of a kind.
    pub fn classes(&self, kind: PartKind) -> Vec<String> {
        self.iter().filter(|one| one.kind == kind).map(|one| one.class.to_owned()).collect()
    }
}

fn is_named(class: &str, name: &str) -> bool {
    names_class(name, class, &["Transformation", "Predicate", "HeaderConverter", "Converter"])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(kind: PartKind, name: &str, expect: Option<&str>) {
        let all = Catalog::all();
        assert_eq!(all.find(kind, name).map(|one| one.class), expect, "{name}");
    }

    #[test]
    fn aliases() {
        let json = Some("org.apache.kafka.connect.json.JsonConverter");
        for name in ["org.apache.kafka.connect.json.JsonConverter", "JsonConverter", "Json"] {
            check(PartKind::Converter, name, json);
        }
        check(PartKind::HeaderConverter, "Simple", Some("org.apache.kafka.connect.storage.SimpleHeaderConverter"));
        check(PartKind::Converter, "json", None);
        check(PartKind::Converter, "Simple", None);
    }
}
