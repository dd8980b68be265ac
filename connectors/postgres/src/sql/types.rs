//! The server's types, as `pg_type` and `pg_enum` have them.

use std::collections::HashMap;

use super::{Sql, get, get_char};
use crate::error::Error;

/// A row of `pg_type`, with the labels of an enum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypeInfo {
    /// `pg_type.oid`.
    pub oid: u32,
    /// `pg_type.typname`, such as `int4`.
    pub name: String,
    /// Name of the type's schema.
    pub namespace: String,
    /// `b`ase, `c`omposite, `d`omain, `e`num, `p`seudo, `r`ange, `m`ultirange.
    pub typtype: u8,
    /// `pg_type.typcategory`: `A`rray, `N`umeric, `S`tring …
    pub category: u8,
    /// `oid` of the type of an array's elements, else 0.
    pub element: u32,
    /// `oid` of the type that a domain restricts, else 0.
    pub base: u32,
    /// The modifier that a domain gives the type that it restricts; -1 for none.
    pub base_typmod: i32,
    /// Whether a domain is NOT NULL.
    pub not_null: bool,
    /// Labels of an enum in their sort order.
    pub labels: Vec<String>,
    /// Whether its schema is in this session's search path.
    pub is_on_path: bool,
}

impl Sql {
    /// All types, without the row types of tables and arrays of these: one round trip.
    pub async fn types(&self) -> Result<Vec<TypeInfo>, Error> {
        let doing = "reading the type catalogue";
        let types = "SELECT t.oid, t.typname::text, n.nspname::text, t.typtype, t.typcategory, t.typelem, t.typbasetype, t.typtypmod, \
             t.typnotnull, n.nspname = ANY (pg_catalog.current_schemas(true)) \
             FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace \
             WHERE (t.typrelid = 0 OR EXISTS (SELECT 1 FROM pg_catalog.pg_class c WHERE c.oid = t.typrelid AND c.relkind = 'c')) \
             AND NOT (t.typcategory = 'A' AND EXISTS (SELECT 1 FROM pg_catalog.pg_type e JOIN pg_catalog.pg_class c \
             ON c.oid = e.typrelid WHERE e.oid = t.typelem AND c.relkind <> 'c')) ORDER BY t.oid";
        let labels = "SELECT enumtypid, enumlabel::text FROM pg_catalog.pg_enum ORDER BY enumtypid, enumsortorder";
        let (types, labels) = tokio::try_join!(self.rows(doing, types, &[]), self.rows(doing, labels, &[]))?;
        let mut labels_of: HashMap<u32, Vec<String>> = HashMap::new();
        for row in &labels {
            labels_of.entry(get(row, 0, doing)?).or_default().push(get(row, 1, doing)?);
        }
        types
            .iter()
            .map(|row| {
                let oid = get(row, 0, doing)?;
                Ok(TypeInfo {
                    oid,
                    name: get(row, 1, doing)?,
                    namespace: get(row, 2, doing)?,
                    typtype: get_char(row, 3, doing)?,
                    category: get_char(row, 4, doing)?,
                    element: get(row, 5, doing)?,
                    base: get(row, 6, doing)?,
                    base_typmod: get(row, 7, doing)?,
                    not_null: get(row, 8, doing)?,
                    is_on_path: get(row, 9, doing)?,
                    labels: labels_of.remove(&oid).unwrap_or_default(),
                })
            })
            .collect()
    }
}
