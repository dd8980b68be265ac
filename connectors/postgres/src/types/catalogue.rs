//! The type catalogue (`pg_type`), as far as columns need it.

use std::collections::HashMap;

/// What kind of type it is (`pg_type.typtype`, and whether it is an array).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TypeKind {
    /// A base type, a range, a multirange or a composite: told apart by name.
    Plain,
    /// An enum and its labels, in their sort order.
    Enum(Vec<String>),
    /// An array of this element type.
    Array(u32),
    /// A domain over this type, with its own modifier.
    Domain {
        /// The type that it is over.
        base: u32,
        /// The domain's modifier, -1 for none.
        typmod: i32,
    },
}

/// A type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PgType {
    /// `pg_type.oid`.
    pub oid: u32,
    /// `pg_type.typname`.
    pub name: String,
    /// Its kind.
    pub kind: TypeKind,
}

/// All types known so far.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    types: HashMap<u32, PgType>,
}

/// How deep domains may be nested before we call it a loop.
const MAX_DOMAINS: usize = 32;

impl Catalogue {
    /// Adds or replaces types.
    pub fn extend(&mut self, types: impl IntoIterator<Item = PgType>) {
        self.types.extend(types.into_iter().map(|t| (t.oid, t)));
    }

    /// Adds types that are not known yet; those that are stay as they were first read, labels of an enum included.
    pub fn extend_unknown(&mut self, types: impl IntoIterator<Item = PgType>) {
        for found in types {
            self.types.entry(found.oid).or_insert(found);
        }
    }

    /// A type by its oid.
    pub fn get(&self, oid: u32) -> Option<&PgType> {
        self.types.get(&oid)
    }

    /// The root base type under any domains, with the modifier that counts.
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
        let mood = |labels: &[&str]| PgType {
            oid: 1,
            name: "mood".into(),
            kind: TypeKind::Enum(labels.iter().map(|label| (*label).to_owned()).collect()),
        };
        let mut catalogue = Catalogue::default();
        catalogue.extend_unknown([mood(&["sad"])]);
        catalogue.extend_unknown([mood(&["sad", "new"])]);
        assert_eq!(catalogue.get(1), Some(&mood(&["sad"])));
        catalogue.extend([mood(&["sad", "new"])]);
        assert_eq!(catalogue.get(1), Some(&mood(&["sad", "new"])));
    }
}
