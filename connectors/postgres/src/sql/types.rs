//! The server's types, as `pg_type` and `pg_enum` have them.

use std::collections::HashMap;

use super::{Sql, get, get_char};
use crate::error::Error;
use crate::types::{PgType, TypeKind};

impl Sql {
    /// All types, without the row types of tables and arrays of these: one round trip.
    pub async fn types(&self) -> Result<Vec<PgType>, Error> {
        let doing = "reading the type catalogue";
        let types = "SELECT t.oid, t.typname::text, n.nspname::text, t.typtype, t.typcategory, t.typelem, t.typbasetype, t.typtypmod, \
             n.nspname = ANY (pg_catalog.current_schemas(true)), t.typdelim \
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
                let (typtype, category) = (get_char(row, 3, doing)?, get_char(row, 4, doing)?);
                let element = get(row, 5, doing)?;
                let kind = match (typtype, category) {
                    (b'e', _) => TypeKind::Enum(labels_of.remove(&oid).unwrap_or_default()),
                    (b'd', _) => TypeKind::Domain { base: get(row, 6, doing)?, typmod: get(row, 7, doing)? },
                    (_, b'A') if element != 0 => TypeKind::Array(element),
                    (b'b', _) => TypeKind::Base,
                    _ => TypeKind::Other,
                };
                Ok(PgType {
                    oid,
                    schema: get(row, 2, doing)?,
                    name: get(row, 1, doing)?,
                    kind,
                    is_on_path: get(row, 8, doing)?,
                    delimiter: get_char(row, 9, doing)?,
                })
            })
            .collect()
    }
}
