//! Single columns of a row, found by its key, in the form in which the log has them.

use std::error::Error as StdError;

use bytes::{Bytes, BytesMut};
use relational::reselect::Found;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

use super::{Sql, get, quoted, quoted_name};
use crate::error::Error;

/// The query for columns of one table's rows, without the list of the columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ByKey {
    /// From FROM to LIMIT.
    rest: String,
}

/// A column of a key: its name, and its type as schema and name, if that is known.
pub type KeyColumn<'a> = (&'a str, Option<(&'a str, &'a str)>);

impl ByKey {
    /// Rows of `schema.table` whose columns `key` equal the parameters. A parameter is the text that the log has for the
    /// column. It is cast to the column's type, so that an index on the column can be used.
    pub fn new(schema: &str, table: &str, key: &[KeyColumn<'_>]) -> Self {
        let condition = |(at, (name, of)): (usize, &KeyColumn<'_>)| {
            let cast = of.map_or_else(String::new, |(schema, name)| format!("::{}", quoted(schema, name)));
            format!("{} = ${}{cast}", quoted_name(name), at + 1)
        };
        let conditions: Vec<_> = key.iter().enumerate().map(condition).collect();
        // Two rows are enough to see that the key does not tell rows apart.
        Self { rest: format!("FROM {} WHERE {} LIMIT 2", quoted(schema, table), conditions.join(" AND ")) }
    }

    /// The statement that gives these columns.
    pub fn statement<'a>(&self, columns: impl Iterator<Item = &'a str>) -> String {
        // What `%s` prints is what the output function of the column's type makes, as in the log. A cast to text would print
        // some types differently: char(n) without its blanks, inet with its mask, boolean as a word.
        // A composite value whose fields are all null IS NULL. IS NOT DISTINCT FROM takes it for the value that it is.
        let printed = |column: &str| {
            let column = quoted_name(column);
            format!("CASE WHEN {column} IS DISTINCT FROM NULL THEN pg_catalog.format('%s', {column}) END")
        };
        let list: Vec<_> = columns.map(printed).collect();
        format!("SELECT {} {}", list.join(", "), self.rest)
    }
}

/// Bytes of a text, whatever the encoding: a database in SQL_ASCII may hold what is not UTF-8.
#[derive(Debug)]
struct Raw<'a>(&'a [u8]);

impl<'a> FromSql<'a> for Raw<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn StdError + Sync + Send>> {
        Ok(Self(raw))
    }

    fn accepts(of: &Type) -> bool {
        *of == Type::TEXT
    }
}

impl ToSql for Raw<'_> {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn StdError + Sync + Send>> {
        out.extend_from_slice(self.0);
        Ok(IsNull::No)
    }

    fn accepts(of: &Type) -> bool {
        *of == Type::TEXT
    }

    to_sql_checked!();
}

const READING: &str = "reading columns again";

impl Sql {
    /// Runs a statement of [`ByKey`] for `columns` columns and a key, one value for each of its columns. The cells have the
    /// form in which the log has them.
    pub async fn by_key(&self, statement: &str, key: &[Option<&[u8]>], columns: usize) -> Result<Option<Found>, Error> {
        let key: Vec<_> = key.iter().map(|value| value.map(Raw)).collect();
        let parameters: Vec<(&(dyn ToSql + Sync), Type)> =
            key.iter().map(|value| (value as &(dyn ToSql + Sync), Type::TEXT)).collect();
        let rows = self.rows(READING, statement, &parameters).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        let cell = |index| {
            let raw: Option<Raw<'_>> = get(row, index, READING)?;
            Ok(raw.map(|Raw(bytes)| Bytes::copy_from_slice(bytes)))
        };
        let cells = (0..columns).map(cell).collect::<Result<_, Error>>()?;
        Ok(Some(Found { cells, is_one_of_several: rows.len() > 1 }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements() {
        let key = [("Id", Some(("pg_catalog", "int4"))), ("a\"b", Some(("App", "mood"))), ("gone", None)];
        let by_key = ByKey::new("public", "T", &key);
        assert_eq!(
            by_key.statement(["body", "Note"].into_iter()),
            "SELECT CASE WHEN \"body\" IS DISTINCT FROM NULL THEN pg_catalog.format('%s', \"body\") END, \
             CASE WHEN \"Note\" IS DISTINCT FROM NULL THEN pg_catalog.format('%s', \"Note\") END \
             FROM \"public\".\"T\" WHERE \"Id\" = $1::\"pg_catalog\".\"int4\" AND \"a\"\"b\" = $2::\"App\".\"mood\" \
             AND \"gone\" = $3 LIMIT 2"
        );
    }
}
