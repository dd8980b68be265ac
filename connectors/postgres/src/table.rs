//! Tables: makes a table's shape and row codec from what a RELATION message or the catalogue says of it.

mod given;
mod key;
mod reselect;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;

pub(crate) use given::Given;
use record::{Decode, Kind, Schema, Shape, SourceField, SourceShape};
use relational::reselect::Reselect;
use relational::{BlockField, FirstFields, Meters, Shapes, SourceBlock, SourceContext, Table, TableFilter};

use crate::config::PostgresConfig;
use crate::error::Error;
use crate::position::{LSN, LSN_COMMIT, ORIGIN, ORIGIN_LSN, TS_US, TX_ID, XMIN};
use crate::sql::{self, Sql, quoted_name};
use crate::stream::{Known, Relation};
use crate::types::{
    Catalogue, ColumnCodec, ConvertFailure, GivenRow, Modes, RowCodec, column_codec, plan, source_type,
};

/// Makes shapes and row codecs: holds the settings and the type catalogue that this takes.
pub(crate) struct Tables {
    shapes: Shapes,
    modes: Modes,
    /// Post-processors.
    processors: Vec<Reselect>,
    catalogue: Catalogue,
}

/// How a snapshot reads a table.
pub(crate) struct Copied {
    pub(crate) shape: Arc<Shape>,
    /// The list of the SELECT: quoted names; columns of types without a binary form are cast to text.
    pub(crate) select: String,
}

/// The source block of this connector.
fn source_block(config: &PostgresConfig, version: &str) -> SourceBlock {
    let (string, int) = (Schema::of(Kind::String), Schema::of(Kind::Int64));
    let optional_int = || int.clone().optional().build();
    let first = FirstFields {
        version,
        connector: "postgresql",
        name: &config.topics.prefix,
        db: BlockField::Of(SourceField::Text(config.connection.database.as_str().into())),
        sequence: SourceField::Sequence { commit: LSN_COMMIT, lsn: LSN },
        ts_us: TS_US,
    };
    let own = [
        ("schema", string.clone().build(), BlockField::Schema),
        ("table", string.clone().build(), BlockField::Table),
        ("txId", optional_int(), BlockField::Of(SourceField::Steady(TX_ID))),
        ("lsn", optional_int(), BlockField::Of(SourceField::Word(LSN))),
        ("xmin", optional_int(), BlockField::Of(SourceField::Steady(XMIN))),
        ("origin", string.optional().build(), BlockField::Of(SourceField::PositionText(ORIGIN))),
        ("origin_lsn", optional_int(), BlockField::Of(SourceField::Steady(ORIGIN_LSN))),
    ];
    SourceBlock::new("io.debezium.connector.postgresql.Source", first.named().into_iter().chain(own).collect())
}

/// Whether a table is the server's own.
fn is_builtin(schema: &str, table: &str) -> bool {
    matches!(schema, "pg_catalog" | "information_schema") || schema.starts_with("pg_temp") || table == "spatial_ref_sys"
}

impl Tables {
    pub(crate) fn new(config: &PostgresConfig, version: &str) -> Result<Self, Error> {
        let (filters, treatment, names) = (&config.filters, &config.treatment, config.types.names);
        let bad = |key: &str, reason: String| Error::Config { key: key.to_owned(), reason };
        let filter =
            TableFilter::new(&filters.tables, is_builtin).map_err(|e| bad("table.include.list", e.to_string()))?;
        let context = SourceContext::new(config.topics.clone(), names.schema_names, names.field_names);
        let source = source_block(config, version);
        let shapes = Shapes::new(context, filter, source, &treatment.message_keys, treatment.rules.clone())
            .map_err(|e| bad("message.key.columns", e.to_string()))?;
        Ok(Self {
            shapes,
            modes: Modes::from(&config.types),
            processors: treatment.processors.clone(),
            catalogue: Catalogue::default(),
        })
    }

    /// Has values that cannot be converted counted in `meters`.
    pub(crate) fn counted(mut self, meters: &Arc<Meters>) -> Self {
        self.modes.meters = Some(Arc::clone(meters));
        self
    }

    /// Reads the type catalogue anew.
    pub(crate) async fn load_types(&mut self, sql: &Sql) -> Result<(), Error> {
        self.catalogue.extend(sql.types().await?);
        Ok(())
    }

    /// Whether a table is captured.
    pub(crate) fn captures(&self, schema: &str, table: &str) -> bool {
        self.shapes.filter().table(schema, table)
    }

    /// All captured tables of the database, described, in the order in which a snapshot reads them.
    pub(crate) async fn captured(&self, sql: &Sql) -> Result<Vec<sql::Table>, Error> {
        let mut tables = sql.tables(self.shapes.filter().ignores_builtin()).await?;
        tables.retain(|table| self.captures(&table.name.schema, &table.name.table));
        sql.describe(&mut tables).await?;
        let mut names: Vec<_> = tables.iter().map(|t| (t.name.schema.clone(), t.name.table.clone())).collect();
        self.shapes.filter().order(&mut names);
        let places: HashMap<(String, String), usize> = names.into_iter().zip(0..).collect();
        tables.sort_by_cached_key(|table| places.get(&(table.name.schema.clone(), table.name.table.clone())).copied());
        Ok(tables)
    }

    /// Whether a column is part of records' values.
    pub(crate) fn captures_column(&self, table: &sql::TableName, column: &str) -> bool {
        self.shapes.filter().column(&table.schema, &table.table, column)
    }

    /// What is wrong with the first of these tables of which `field.name.adjustment.mode` gives two columns the same name; a
    /// shape of it would be refused with the same error.
    pub(crate) fn clash_of(&self, captured: &[sql::Table]) -> Option<Error> {
        if !self.shapes.adjusts_fields() {
            return None;
        }
        captured.iter().find_map(|sql::Table { name, columns, .. }| {
            let columns = columns.iter().map(|column| &*column.name);
            let reason = self.shapes.clash(&name.schema, &name.table, columns)?;
            Some(Error::Schema { table: name.to_string(), reason })
        })
    }

    /// The source block of a record that belongs to no table (a logical message).
    pub(crate) fn source_of_no_table(&self) -> SourceShape {
        self.shapes.source().of("", "")
    }

    /// Makes the shape and the codecs of a table. `key` is the table's own; `message.key.columns` replaces it.
    fn build(
        &mut self,
        schema: &str,
        table: &str,
        columns: &[Sent<'_>],
        key: Vec<String>,
        copied: bool,
    ) -> Result<Built, Error> {
        let names: Vec<&str> = columns.iter().map(|column| column.name).collect();
        let mut draft = self.shapes.begin(schema, table, &names, key);
        let name = draft.name.clone();
        let mut codecs = Vec::new();
        for Sent { name: column, oid, typmod, known, in_identity, printed } in columns {
            let used = self.shapes.use_of(&draft, column);
            let planned = if used.is_any() { plan(&self.catalogue, *oid, *typmod, &self.modes) } else { None };
            let Some(planned) = planned else {
                if used.in_value && self.shapes.warns(format!("{name}.{column}")) {
                    tracing::warn!(table = %name, %column, oid, "the column's type has no Connect form, so the field is left \
                        out (include.unknown.datatypes=true shows its text as bytes)");
                }
                codecs.push(None);
                continue;
            };
            // A column that the catalogue does not know was dropped since: it counts as nullable, unless the replica identity
            // has it. As in Debezium, a column that is in the key only is not looked up when streaming.
            let is_looked_up = used.in_value || copied;
            let known = known.filter(|_| is_looked_up);
            let not_null = *in_identity && is_looked_up || known.is_some_and(|known| known.not_null);
            let default = known.and_then(|known| known.default.as_deref());
            let codec = column_codec(column, &planned, not_null, default, &self.modes);
            let codec = match printed {
                Some(printed) => codec.printed(printed.failure),
                None if copied => codec.copied(),
                None => codec,
            };
            let source = || source_type(&self.catalogue, *oid, *typmod, default, copied);
            self.shapes.add(&mut draft, column, used.in_value, &codec.schema, source);
            codecs.push(Some(codec));
        }
        let codec = RowCodec::new(codecs.clone());
        let decode: Box<dyn Decode> = if columns.iter().any(|column| column.printed.is_some()) {
            let given = columns.iter().zip(&codecs).filter_map(|(sent, codec)| Some((sent.printed, codec.as_ref()?)));
            let given =
                given.map(|(printed, codec)| printed.map(|printed| (codec.clone(), Arc::clone(&printed.type_name))));
            Box::new(GivenRow::new(codec, given.collect()))
        } else {
            Box::new(codec)
        };
        let shaped = self.shapes.finish(draft, decode).map_err(|reason| Error::Schema { table: name, reason })?;
        Ok(Built { shape: shaped.shape, wire_key: shaped.wire_key, codecs, described: shaped.table })
    }

    /// Keeps the name of a user's type that the log announces: by now the type may be dropped from the catalogue.
    pub(crate) fn named_type(&mut self, oid: u32, schema: String, name: String) {
        self.catalogue.named_in_log(oid, schema, name);
    }

    /// Reads the type catalogue again if one of these types is not known: it was created since the last reading, and the types
    /// that it consists of perhaps too. Known types stay as they are: an enum's new labels show in the schema only after a
    /// restart, as in Debezium.
    pub(crate) async fn learn_types(&mut self, sql: &Sql, oids: impl IntoIterator<Item = u32>) -> Result<(), Error> {
        if oids.into_iter().any(|oid| self.catalogue.get(oid).is_none()) {
            self.catalogue.extend_unknown(sql.types().await?);
        }
        Ok(())
    }

    /// Takes a table that the stream announces. What RELATION does not say (NOT NULL, defaults, the primary key) is read from
    /// the catalogue as it is now.
    pub(crate) async fn announced(&mut self, sql: &Sql, relation: &Relation) -> Result<Known, Error> {
        let identity: Vec<bool> = relation.columns.iter().map(|column| column.identity).collect();
        if !self.captures(&relation.schema, &relation.table) {
            return Ok(Known::new(None, identity, Vec::new()));
        }
        self.learn_types(sql, relation.columns.iter().map(|c| c.oid)).await?;
        let mut tables = vec![sql::Table {
            oid: relation.id,
            name: sql::TableName { schema: relation.schema.clone(), table: relation.table.clone() },
            kind: sql::TableKind::Ordinary,
            is_partition: false,
            replica_identity: relation.identity,
            identity_index: None,
            columns: Vec::new(),
            primary_key: Vec::new(),
            unique_key: Vec::new(),
        }];
        sql.describe(&mut tables).await?;
        let described = &tables[0];
        let columns: Vec<_> = relation
            .columns
            .iter()
            .map(|c| Sent {
                name: &c.name,
                oid: c.oid,
                typmod: c.typmod,
                known: described.columns.iter().find(|known| known.name == c.name),
                in_identity: c.identity && key::is_flagged(relation),
                printed: None,
            })
            .collect();
        let key = key::of_event(relation, key::of_catalogue(described));
        if key.is_empty() && described.columns.is_empty() {
            tracing::warn!(table = %described.name, "the table was dropped after these changes were written, and its replica \
                identity does not tell the key: their records have none, unless message.key.columns names it");
        }
        let built = self.build(&relation.schema, &relation.table, &columns, key.clone(), false)?;
        let plans = self.plans(relation, &key, &built);
        Ok(Known::new(Some(built.shape), identity, built.wire_key).read_again(plans))
    }

    /// A table as a snapshot reads it: its own columns, or those of a statement in its place.
    pub(crate) fn copied(&mut self, table: &sql::Table, given: Option<&Given>) -> Result<Copied, Error> {
        if let Some(given) = given {
            return self.copied_from(table, given);
        }
        let columns: Vec<_> = table
            .columns
            .iter()
            .map(|c| Sent {
                name: &c.name,
                oid: c.type_oid,
                typmod: c.typmod,
                known: Some(c),
                in_identity: false,
                printed: None,
            })
            .collect();
        let key = key::of_catalogue(table);
        let built = self.build(&table.name.schema, &table.name.table, &columns, key, true)?;
        let list = table.columns.iter().zip(&built.codecs).map(|(column, codec)| match codec {
            // Not captured: NULL takes its place, so that the row has a cell for each column.
            None => "NULL::text".to_owned(),
            Some(codec) => codec.selected(&quoted_name(&column.name)),
        });
        let select = list.collect::<Vec<_>>().join(", ");
        Ok(Copied { shape: built.shape, select })
    }
}

/// A column as the stream or a copy sends it.
struct Sent<'a> {
    name: &'a str,
    oid: u32,
    typmod: i32,
    /// The catalogue's column of this name, as it is now.
    known: Option<&'a sql::Column>,
    /// A key column of the replica identity, and so never null.
    in_identity: bool,
    /// Set if the user's statement gives the column in another type, which the server casts to text.
    printed: Option<&'a Printed>,
}

/// A column that arrives as a text, which may not be a value of the column's type.
struct Printed {
    failure: ConvertFailure,
    /// The type that the statement gives it.
    type_name: Arc<str>,
}

struct Built {
    shape: Arc<Shape>,
    wire_key: Vec<u16>,
    codecs: Vec<Option<ColumnCodec>>,
    /// The captured columns, one for each codec, and the key.
    described: Table,
}
