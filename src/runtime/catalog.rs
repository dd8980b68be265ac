//! What the daemon offers beside connectors: transformations, predicates, converters, by their Java class names.
//!
//! One list for validation, for `GET /connector-plugins` and for the definitions of a plug-in, so that they cannot differ.
//!
//! Must not know: what a transformation or converter does.

use std::sync::Arc;

use settings::{Def, Finding, Properties};

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
    pub keys: fn() -> &'static Def,
    /// What is to be said of its settings under a prefix: old names, and what replaced them.
    pub remarks: fn(&str, &Properties) -> Vec<Finding>,
}

/// All of them.
#[derive(Clone, Default)]
pub struct Catalog(Arc<[Offered]>);

impl Catalog {
    /// In Connect's order: by kind, then by class.
    pub fn new(mut offered: Vec<Offered>) -> Self {
        offered.sort_by_key(|one| (one.kind, one.class));
        Self(offered.into())
    }

    /// Everything, in Connect's order.
    pub fn iter(&self) -> impl Iterator<Item = &Offered> {
        self.0.iter()
    }

    /// A class of a kind, by its name or the last part of it.
    pub fn find(&self, kind: PartKind, class: &str) -> Option<&Offered> {
        self.iter().filter(|one| one.kind == kind).find(|one| is_named(one.class, class))
    }

    /// A class of any kind.
    pub fn any(&self, class: &str) -> Option<&Offered> {
        self.iter().find(|one| is_named(one.class, class))
    }

    /// The classes of a kind.
    pub fn classes(&self, kind: PartKind) -> Vec<String> {
        self.iter().filter(|one| one.kind == kind).map(|one| one.class.to_owned()).collect()
    }
}

fn is_named(class: &str, name: &str) -> bool {
    class == name || class.rsplit('.').next() == Some(name)
}
