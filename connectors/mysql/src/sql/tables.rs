//! Databases and tables: what there is, and what DDL describes them.

use super::{Sql, quoted, quoted_name, quoted_text};
use crate::Flavour;
use crate::error::Error;

/// A database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Database {
    /// Its name.
    pub name: String,
    /// Its default character set.
    pub charset: String,
    /// Its default collation.
    pub collation: String,
}

/// A table or view of a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableListed {
    /// Its name.
    pub name: String,
    /// `BASE TABLE`, `VIEW`, `SYSTEM VIEW`, `SEQUENCE`, `SYSTEM VERSIONED`.
    pub kind: String,
}

/// A foreign key by which the server itself changes or deletes rows of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cascade {
    /// Database of the table whose rows follow.
    pub database: String,
    /// The table whose rows follow.
    pub table: String,
    /// `database.table` whose changes they follow.
    pub parent: String,
}

/// A column's definition, from its row of `information_schema.COLUMNS`.
fn column(row: &crate::wire::Row, flavour: Flavour) -> Option<String> {
    let literal = |text: &str| format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"));
    let mut parts = vec![quoted_name(row.text(0)?), row.text(1)?.to_owned()];
    parts.extend(row.text(2).map(|charset| format!("CHARACTER SET {charset}")));
    parts.extend((row.text(3) == Some("NO")).then(|| "NOT NULL".to_owned()));
    let extra = row.text(5).unwrap_or_default().to_ascii_uppercase();
    parts.extend(row.text(4).map(|default| match flavour {
        // MariaDB shows what a statement would say, MySQL the value.
        Flavour::MySql if default.starts_with("CURRENT_TIMESTAMP") || default.starts_with("b'") => {
            format!("DEFAULT {default}")
        }
        Flavour::MySql if extra.contains("DEFAULT_GENERATED") => format!("DEFAULT ({default})"),
        Flavour::MySql => format!("DEFAULT {}", literal(default)),
        Flavour::MariaDb => format!("DEFAULT {default}"),
    }));
    let attributes = ["AUTO_INCREMENT", "ON UPDATE CURRENT_TIMESTAMP"];
    parts.extend(attributes.iter().filter(|name| extra.contains(*name)).map(|name| (*name).to_owned()));
    let comment = row.text(6).filter(|comment| !comment.is_empty());
    parts.extend(comment.map(|comment| format!("COMMENT {}", literal(comment))));
    Some(parts.join(" "))
}

impl Sql {
    /// The foreign keys that cascade, in all databases that the account sees, by name.
    pub async fn cascades(&mut self) -> Result<Vec<Cascade>, Error> {
        const ACTS: &str = "('CASCADE', 'SET NULL', 'SET DEFAULT')";
        let sql = format!(
            "SELECT CONSTRAINT_SCHEMA, TABLE_NAME, UNIQUE_CONSTRAINT_SCHEMA, REFERENCED_TABLE_NAME FROM \
             information_schema.REFERENTIAL_CONSTRAINTS WHERE UPDATE_RULE IN {ACTS} OR DELETE_RULE IN {ACTS} ORDER BY 1, 2, 3, 4"
        );
        let rows = self.query("listing foreign keys", &sql).await?;
        let cascade = |row: &crate::wire::Row| {
            let parent = format!("{}.{}", row.text(2)?, row.text(3)?);
            Some(Cascade { database: row.text(0)?.into(), table: row.text(1)?.into(), parent })
        };
        Ok(rows.iter().filter_map(cascade).collect())
    }

    /// The names of the databases that the account sees, in the server's order.
    pub async fn databases(&mut self) -> Result<Vec<String>, Error> {
        let rows = self.query("listing databases", "SHOW DATABASES").await?;
        Ok(rows.iter().filter_map(|row| row.text(0).map(str::to_owned)).collect())
    }

    /// A database's defaults; `None` if there is no such database.
    pub async fn database(&mut self, name: &str) -> Result<Option<Database>, Error> {
        let sql = format!(
            "SELECT DEFAULT_CHARACTER_SET_NAME, DEFAULT_COLLATION_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = {}",
            quoted_text(name)
        );
        let rows = self.query("reading a database's defaults", &sql).await?;
        Ok(rows.first().map(|row| Database {
            name: name.into(),
            charset: row.text(0).unwrap_or_default().into(),
            collation: row.text(1).unwrap_or_default().into(),
        }))
    }

    /// The tables and views of a database that the account sees.
    pub async fn tables(&mut self, database: &str) -> Result<Vec<TableListed>, Error> {
        let doing = format!("listing the tables of {}", quoted_name(database));
        let rows = self.query(&doing, &format!("SHOW FULL TABLES IN {}", quoted_name(database))).await?;
        let table = |row: &crate::wire::Row| Some(TableListed { name: row.text(0)?.into(), kind: row.text(1)?.into() });
        Ok(rows.iter().filter_map(table).collect())
    }

    /// The statement that makes a table.
    pub async fn create_statement(&mut self, database: &str, table: &str) -> Result<String, Error> {
        let name = quoted(database, table);
        let doing = format!("reading how {name} is made");
        let row = self.row(&doing, &format!("SHOW CREATE TABLE {name}")).await?;
        row.text(1).map(str::to_owned).ok_or_else(|| self.strange(&doing, "the answer lacks a column"))
    }

    /// A statement that makes a table with these columns and keys, put together from `information_schema`: it says nothing else,
    /// so that it can be read where the server's own cannot. None if there is no such table.
    pub async fn described(&mut self, database: &str, table: &str) -> Result<Option<String>, Error> {
        let doing = format!("reading the columns of {}", quoted(database, table));
        let of = format!("WHERE TABLE_SCHEMA = {} AND TABLE_NAME = {}", quoted_text(database), quoted_text(table));
        let columns = format!(
            "SELECT COLUMN_NAME, COLUMN_TYPE, CHARACTER_SET_NAME, IS_NULLABLE, COLUMN_DEFAULT, EXTRA, COLUMN_COMMENT FROM \
             information_schema.COLUMNS {of} ORDER BY ORDINAL_POSITION"
        );
        let columns = self.query(&doing, &columns).await?;
        let keys = format!(
            "SELECT INDEX_NAME, COLUMN_NAME FROM information_schema.STATISTICS {of} AND NON_UNIQUE = 0 ORDER BY INDEX_NAME <> \
             'PRIMARY', INDEX_NAME, SEQ_IN_INDEX"
        );
        let keys = self.query(&doing, &keys).await?;
        let flavour = self.flavour();
        let mut parts: Vec<String> = columns.iter().filter_map(|row| column(row, flavour)).collect();
        if parts.is_empty() {
            return Ok(None);
        }
        let mut last = None;
        for row in &keys {
            // A part without a name is an expression.
            let part = row.text(1).map_or_else(|| "(1)".to_owned(), quoted_name);
            if last == row.text(0) {
                if let Some(key) = parts.last_mut() {
                    key.insert_str(key.len() - 1, &format!(", {part}"));
                }
            } else {
                let kind = if row.text(0) == Some("PRIMARY") { "PRIMARY" } else { "UNIQUE" };
                parts.push(format!("{kind} KEY ({part})"));
                last = row.text(0);
            }
        }
        Ok(Some(format!("CREATE TABLE {} ({})", quoted(database, table), parts.join(", "))))
    }

    /// The server's guess of how many rows a table has; `None` if it has none or there is no such table.
    pub async fn row_estimate(&mut self, database: &str, table: &str) -> Result<Option<u64>, Error> {
        let doing = format!("estimating the rows of {}", quoted(database, table));
        let sql = format!("SHOW TABLE STATUS IN {} WHERE Name = {}", quoted_name(database), quoted_text(table));
        Ok(self.query(&doing, &sql).await?.first().and_then(|row| row.number(4)))
    }
}
