//! What the daemon offers beside connectors: transformations, predicates, converters, by their Java class names.
//!
//! One list for validation, for `GET /connector-plugins` and for the definitions of a plug-in, so that they cannot differ.
//!
//! Must not know: what a transformation or converter does.

use std::sync::Arc;

use settings::{Def, Properties, names_class};

use crate::convert;

/// What a class is, in the order in which Connect lists them (after the connectors).
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
    /// Connect's word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Transformation => "transformation",
            Self::Predicate => "predicate",
            Self::Converter => "converter",
            Self::HeaderConverter => "header_converter",
        }
    }
}

/// One class.
#[derive(Clone, Copy)]
pub struct Offered {
    /// Its Java name.
    pub class: &'static str,
    /// What it is.
    pub kind: PartKind,
    /// The version of the reference that it is compatible with.
    pub version: &'static str,
    /// Its keys, without the prefix under which they are set.
    pub keys: Def,
    /// The transformation, which has more to say of its settings.
    transform: Option<&'static transforms::Kind>,
}

impl Offered {
    /// What is to be said of its settings under a prefix: each old name, and what replaced it.
    pub(crate) fn remarks(&self, prefix: &str, config: &Properties) -> Vec<(String, String)> {
        let Some(transform) = self.transform else { return Vec::new() };
        let own: Properties = config.under(prefix).collect();
        let line = |finding: &settings::Finding| (format!("{prefix}{}", finding.key), format!("{prefix}{finding}"));
        transform.warnings(&own).iter().map(line).collect()
    }
}

/// Kafka Connect's level, which its own classes have as version.
const CONNECT: &str = "4.3.1";

/// Debezium's.
const DEBEZIUM: &str = "3.6.1.Final";

/// All of them.
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
            offered.push(part(PartKind::HeaderConverter));
        }
        Self::new(offered)
    }

    /// In Connect's order: by kind, then by class.
    fn new(mut offered: Vec<Offered>) -> Self {
        offered.sort_by_key(|one| (one.kind, one.class));
        Self(offered.into())
    }

    /// Everything, in Connect's order.
    pub fn iter(&self) -> impl Iterator<Item = &Offered> {
        self.0.iter()
    }

    /// A class of a kind, by its name, the last part of it, or that without the kind's word.
    pub fn find(&self, kind: PartKind, class: &str) -> Option<&Offered> {
        self.iter().filter(|one| one.kind == kind).find(|one| is_named(one.class, class))
    }

    /// A class of any kind.
    pub fn any(&self, class: &str) -> Option<&Offered> {
        self.iter().find(|one| is_named(one.class, class))
    }

    /// What to say where a class of a kind is not here, behind Connect's own line.
    pub fn lacks(&self, kind: PartKind) -> String {
        let what = kind.name().replace('_', " ");
        format!(
            "This is afterimage, which brings its transformations, predicates and converters built in and loads no Java \
             classes: it has no such {what}. It has: {}.",
            self.classes(kind).join(", ")
        )
    }

    /// The classes of a kind.
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
