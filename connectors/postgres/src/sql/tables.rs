//! Tables, their columns and keys.

use std::collections::HashMap;
use std::fmt;

use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::{Sql, get, get_char, quoted};
use crate::error::Error;

/// A table's name. Ordered and printed as `schema.table`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TableName {
    /// Name of the schema, not quoted.
    pub schema: String,
    /// Name of the table, not quoted.
    pub table: String,
}

impl TableName {
    /// `"schema"."table"`, quoted for SQL.
    pub fn quoted(&self) -> String {
        quoted(&self.schema, &self.table)
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.schema, self.table)
    }
}

/// The kinds of tables that can be captured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableKind {
    /// An ordinary table, or a leaf partition.
    Ordinary,
    /// A partitioned table: the root of its partitions, or a partition that has partitions itself.
    Partitioned,
}

/// A table that may be captured.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// `pg_class.oid`, the id in RELATION messages.
    pub oid: u32,
    /// Schema and name.
    pub name: TableName,
    /// Ordinary or partitioned.
    pub kind: TableKind,
    /// Whether it is a partition of another table.
    pub is_partition: bool,
    /// `d`efault, `n`othing, `f`ull or `i`ndex (`pg_class.relreplident`).
    pub replica_identity: u8,
    /// Name of the index when `replica_identity` is `i`.
    pub identity_index: Option<String>,
    /// The columns, by position. Empty until [`Sql::describe`].
    pub columns: Vec<Column>,
    /// Positions (`attnum`) of the primary key's columns, in key order.
    pub primary_key: Vec<i16>,
    /// Positions of the columns of the first unique index without an expression. Indexes are in the order of JDBC's
    /// `getIndexInfo`: clustered, hash, others; then by name.
    pub unique_key: Vec<i16>,
}

/// A column as the catalog has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Position from 1, with gaps where columns were dropped.
    pub attnum: i16,
    /// Name of the column, not quoted.
    pub name: String,
    /// `pg_type.oid`.
    pub type_oid: u32,
    /// Length, precision and scale in the type's own code; -1 for none.
    pub typmod: i32,
    /// Whether the column, or the domain that is its type, is NOT NULL.
    pub not_null: bool,
    /// The DEFAULT or generation expression.
    pub default: Option<String>,
    /// GENERATED … AS (…): `s`tored, `v`irtual, or 0 (`pg_attribute.attgenerated`).
    pub generated: u8,
    /// GENERATED … AS IDENTITY: `a`lways, by `d`efault, or 0 (`pg_attribute.attidentity`).
    pub identity: u8,
}

/// Which file (`relfilenode`) holds each table of a family (a table with its partitions and what inherits from it), by the
/// tables' ids. A rewrite and TRUNCATE give a table a new file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Files(HashMap<u32, u32>);

impl Files {
    /// Whether any table of this family has another file in `now`. A table that is only in `now` does not count: it is new,
    /// and so are all its rows.
    pub fn were_replaced(&self, now: &Self) -> bool {
        self.0.iter().any(|(table, file)| now.0.get(table).is_some_and(|now| now != file))
    }
}

const LISTED: &str = "SELECT c.oid, n.nspname::text, c.relname::text, c.relkind, c.relispartition, c.relreplident, \
                      (SELECT x.relname::text FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid \
                      WHERE c.relreplident = 'i' AND i.indrelid = c.oid AND i.indisreplident LIMIT 1) \
                      FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
                      WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't'";

/// A row of [`LISTED`].
fn listed(row: &Row, doing: &str) -> Result<Table, Error> {
    Ok(Table {
        oid: get(row, 0, doing)?,
        name: TableName { schema: get(row, 1, doing)?, table: get(row, 2, doing)? },
        kind: if get_char(row, 3, doing)? == b'p' { TableKind::Partitioned } else { TableKind::Ordinary },
        is_partition: get(row, 4, doing)?,
        replica_identity: get_char(row, 5, doing)?,
        identity_index: get(row, 6, doing)?,
        columns: Vec::new(),
        primary_key: Vec::new(),
        unique_key: Vec::new(),
    })
}

impl Sql {
    /// Every ordinary and partitioned table, ordered by name and without its columns. Temporary tables, views and foreign
    /// tables are never listed. `hide_builtin` leaves out the server's own schemas.
    pub async fn tables(&self, hide_builtin: bool) -> Result<Vec<Table>, Error> {
        let doing = "listing the tables";
        let sql = format!(
            "{LISTED} AND NOT ($1 AND (n.nspname IN ('pg_catalog', 'information_schema', 'pg_toast') \
             OR n.nspname ~ '^pg_temp_')) ORDER BY n.nspname, c.relname"
        );
        let rows = self.rows(doing, &sql, &[(&hide_builtin, Type::BOOL)]).await?;
        rows.iter().map(|row| listed(row, doing)).collect()
    }

    /// The table that has this name now, with its columns and keys.
    pub async fn table_named(&self, name: &TableName) -> Result<Option<Table>, Error> {
        let doing = format!("looking for table {name}");
        let sql = format!("{LISTED} AND n.nspname::text = $1 AND c.relname::text = $2");
        let rows = self.rows(&doing, &sql, &[(&name.schema, Type::TEXT), (&name.table, Type::TEXT)]).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        let mut table = [listed(row, &doing)?];
        self.describe(&mut table).await?;
        Ok(table.into_iter().next())
    }

    /// The files of each given table, with those of its partitions and of what inherits from it. A table that does not exist
    /// has no entry.
    pub async fn files(&self, oids: &[u32]) -> Result<HashMap<u32, Files>, Error> {
        let doing = "reading where the tables are stored";
        let sql = "WITH RECURSIVE family (root, member) AS (SELECT o, o FROM unnest($1) o UNION \
                   SELECT f.root, i.inhrelid FROM family f JOIN pg_catalog.pg_inherits i ON i.inhparent = f.member) \
                   SELECT f.root, c.oid, c.relfilenode FROM family f JOIN pg_catalog.pg_class c ON c.oid = f.member";
        let mut found: HashMap<u32, Files> = HashMap::new();
        for row in &self.rows(doing, sql, &[(&oids, Type::OID_ARRAY)]).await? {
            found.entry(get(row, 0, doing)?).or_default().0.insert(get(row, 1, doing)?, get(row, 2, doing)?);
        }
        Ok(found)
    }

    /// Reads columns and keys of the given tables, in one round trip however many they are. A table that is gone keeps
    /// no columns.
    pub async fn describe(&self, tables: &mut [Table]) -> Result<(), Error> {
        let oids: Vec<u32> = tables.iter().map(|table| table.oid).collect();
        let (mut columns, mut keys) = tokio::try_join!(self.columns(&oids), self.keys(&oids))?;
        for table in tables {
            table.columns = columns.remove(&table.oid).unwrap_or_default();
            let keys = keys.remove(&table.oid).unwrap_or_default();
            table.primary_key = keys.primary;
            table.unique_key = keys.unique;
        }
        Ok(())
    }

    async fn columns(&self, oids: &[u32]) -> Result<HashMap<u32, Vec<Column>>, Error> {
        let doing = "reading the columns of the tables";
        let sql = "SELECT a.attrelid, a.attnum, a.attname::text, a.atttypid, a.atttypmod, \
                   a.attnotnull OR (t.typtype = 'd' AND t.typnotnull), \
                   pg_catalog.pg_get_expr(d.adbin, d.adrelid), a.attgenerated, a.attidentity \
                   FROM pg_catalog.pg_attribute a \
                   JOIN pg_catalog.pg_type t ON t.oid = a.atttypid \
                   LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum \
                   WHERE a.attrelid = ANY ($1) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attrelid, a.attnum";
        let mut found: HashMap<u32, Vec<Column>> = HashMap::new();
        for row in &self.rows(doing, sql, &[(&oids, Type::OID_ARRAY)]).await? {
            found.entry(get(row, 0, doing)?).or_default().push(Column {
                attnum: get(row, 1, doing)?,
                name: get(row, 2, doing)?,
                type_oid: get(row, 3, doing)?,
                typmod: get(row, 4, doing)?,
                not_null: get(row, 5, doing)?,
                default: get(row, 6, doing)?,
                generated: get_char(row, 7, doing)?,
                identity: get_char(row, 8, doing)?,
            });
        }
        Ok(found)
    }

    async fn keys(&self, oids: &[u32]) -> Result<HashMap<u32, Keys>, Error> {
        let doing = "reading the keys of the tables";
        // A unique index counts with its INCLUDE columns, because JDBC lists them and Debezium's keys have them. A primary key
        // counts without. 0 in indkey stands for an expression.
        let sql = "SELECT i.indrelid, i.indisprimary, \
                   ARRAY(SELECT k.attnum FROM unnest(i.indkey) WITH ORDINALITY k (attnum, place) \
                   WHERE k.place <= i.indnkeyatts OR NOT i.indisprimary ORDER BY k.place) \
                   FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid \
                   JOIN pg_catalog.pg_am m ON m.oid = x.relam \
                   WHERE i.indrelid = ANY ($1) AND i.indisunique \
                   ORDER BY i.indrelid, CASE WHEN i.indisclustered THEN 1 WHEN m.amname = 'hash' THEN 2 ELSE 3 END, x.relname";
        let mut found: HashMap<u32, Keys> = HashMap::new();
        for row in &self.rows(doing, sql, &[(&oids, Type::OID_ARRAY)]).await? {
            let keys = found.entry(get(row, 0, doing)?).or_default();
            let columns: Vec<i16> = get(row, 2, doing)?;
            let primary: bool = get(row, 1, doing)?;
            if keys.unique.is_empty() && !columns.contains(&0) {
                keys.unique.clone_from(&columns);
            }
            if primary {
                keys.primary = columns;
            }
        }
        Ok(found)
    }

    /// Those of the given tables on which row-level security applies to this role, so that a policy may hide rows from it.
    pub async fn hidden_by_row_security(&self, oids: &[u32]) -> Result<Vec<TableName>, Error> {
        let doing = "looking for row-level security";
        let sql = "SELECT n.nspname::text, c.relname::text FROM pg_catalog.pg_class c \
                   JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
                   WHERE c.oid = ANY ($1) AND pg_catalog.row_security_active(c.oid) ORDER BY 1, 2";
        let rows = self.rows(doing, sql, &[(&oids, Type::OID_ARRAY)]).await?;
        rows.iter().map(|row| Ok(TableName { schema: get(row, 0, doing)?, table: get(row, 1, doing)? })).collect()
    }
}

#[derive(Default)]
struct Keys {
    primary: Vec<i16>,
    unique: Vec<i16>,
}
