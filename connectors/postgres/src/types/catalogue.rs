//! The type catalogue (`pg_type`), as far as columns need it.

use std::collections::HashMap;

/// The kind of a type (`pg_type.typtype`, and whether it is an array).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TypeKind {
    /// A base type: one that is made of no other.
    Base,
    /// A range, a multirange, a composite, a pseudo-type.
    Other,
    /// An enum and its labels, in their sort order.
    Enum(Vec<String>),
    /// An array of this element type.
    Array(u32),
    /// A domain over this type, with its own modifier.
    Domain {
        /// The `pg_type.oid` of the type that the domain restricts.
        base: u32,
        /// The domain's modifier, -1 for none.
        typmod: i32,
    },
}

/// What is known of a type in `pg_type`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PgType {
    /// `pg_type.oid`.
    pub oid: u32,
    /// Name of the type's schema.
    pub schema: String,
    /// `pg_type.typname`.
    pub name: String,
    /// Whether it is an enum, an array, a domain or another kind, with what belongs to that kind.
    pub kind: TypeKind,
    /// Whether its schema is in the search path of the connector's role. If so, the JDBC driver gives the type's name without
    /// the schema.
    pub is_on_path: bool,
    /// What stands between elements of an array of this type (`pg_type.typdelim`): a comma, but `;` for box and `:` for PostGIS.
    pub delimiter: u8,
}

/// Base types of extensions that are read here. They are known by name in any schema, because an extension may be installed
/// in any. Only a superuser can create base types, so a base type of this name is the extension's.
const OF_EXTENSIONS: &[&str] =
    &["citext", "isbn", "ltree", "hstore", "geometry", "geography", "vector", "halfvec", "sparsevec"];

impl PgType {
    /// A built-in type of the server, by its name.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(crate) fn built_in(oid: u32, name: &str, kind: TypeKind) -> Self {
        Self { oid, schema: "pg_catalog".to_owned(), name: name.to_owned(), kind, is_on_path: true, delimiter: b',' }
    }

    /// The name by which [`super::plan()`] knows how to read the type; empty for a type that it does not know. A user's type
    /// with the name of a built-in one (a composite `app.money`) is not that type, so its name here is empty.
    pub(super) fn known_name(&self) -> &str {
        let is_known = match self.kind {
            TypeKind::Enum(_) | TypeKind::Array(_) | TypeKind::Domain { .. } => false,
            TypeKind::Base => self.schema == "pg_catalog" || OF_EXTENSIONS.contains(&self.name.as_str()),
            TypeKind::Other => self.schema == "pg_catalog",
        };
        if is_known { &self.name } else { "" }
    }
}

/// All types known so far.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    types: HashMap<u32, PgType>,
    /// Types that TYPE messages of the log have named: they may have been dropped before their rows are read.
    in_log: HashMap<u32, PgType>,
}

/// How deep domains may be nested; deeper counts as a loop.
const MAX_DOMAINS: usize = 32;

impl Catalogue {
    /// Adds or replaces types.
    pub fn extend(&mut self, types: impl IntoIterator<Item = PgType>) {
        self.types.extend(types.into_iter().map(|t| (t.oid, t)));
    }

    /// Adds types that are not known yet. Known types stay as they were first read, with the labels of an enum.
    pub fn extend_unknown(&mut self, types: impl IntoIterator<Item = PgType>) {
        for found in types {
            self.types.entry(found.oid).or_insert(found);
        }
    }

    /// Keeps the name of a type that a TYPE message of the log gave. The server sends one for each type that is not built in.
    pub fn named_in_log(&mut self, oid: u32, schema: String, name: String) {
        let found = PgType { oid, schema, name, kind: TypeKind::Other, is_on_path: true, delimiter: b',' };
        self.in_log.insert(oid, found);
    }

    /// A type that the log has named and the catalogue does not have: it was dropped before its rows were read.
    pub fn dropped(&self, oid: u32) -> Option<&PgType> {
        if self.types.contains_key(&oid) { None } else { self.in_log.get(&oid) }
    }

    /// A type by its oid.
    pub fn get(&self, oid: u32) -> Option<&PgType> {
        self.types.get(&oid)
    }

    /// The type under any domains, and the modifier that holds: the given one, else that of the first domain that has one.
    pub fn base(&self, oid: u32, typmod: i32) -> Option<(&PgType, i32)> {
        let (mut oid, mut typmod) = (oid, typmod);
        for _ in 0..MAX_DOMAINS {
            let found = self.types.get(&oid)?;
            match found.kind {
                TypeKind::Domain { base, typmod: own } => {
                    oid = base;
                    if typmod < 0 {
                        typmod = own;
                    }
                }
                _ => return Some((found, typmod)),
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_type_stays_as_it_was_first_read() {
        let mood = |labels: &[&str]| {
            PgType::built_in(1, "mood", TypeKind::Enum(labels.iter().map(|label| (*label).to_owned()).collect()))
        };
        let mut catalogue = Catalogue::default();
        catalogue.extend_unknown([mood(&["sad"])]);
        catalogue.extend_unknown([mood(&["sad", "new"])]);
        assert_eq!(catalogue.get(1), Some(&mood(&["sad"])));
        catalogue.extend([mood(&["sad", "new"])]);
        assert_eq!(catalogue.get(1), Some(&mood(&["sad", "new"])));
    }
}
