//! Tables: makes a table's shape and row codec from what a RELATION message or the catalogue says of it.

mod given;
mod key;
mod reselect;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

pub(crate) use given::Given;
use record::{Decode, Kind, Schema, Shape, SourceField, SourceShape, Value};
use relational::reselect::Reselect;
use relational::{
    Adjustment, Column, ColumnRules, Meters, SourceContext, Table, TableFilter, TopicNaming, snapshot_field,
    source_struct,
};
use settings::JavaRegex;

use crate::config::{NameAdjustment, PostgresConfig};
use crate::error::Error;
use crate::position::{LSN, LSN_COMMIT, ORIGIN_LSN, TS_US, TX_ID, XMIN};
use crate::sql::{self, Sql, quoted_name};
use crate::stream::{Known, Relation};
use crate::types::{
    Catalogue, ColumnCodec, ConvertFailure, GivenRow, Modes, RowCodec, column_codec, plan, source_type,
};

/// Makes shapes and row codecs: holds the settings and the type catalogue that this takes.
pub(crate) struct Tables {
    context: SourceContext,
    filter: TableFilter,
    modes: Modes,
    /// `message.key.columns`: patterns on `schema.table.column`, in the order of the property.
    message_keys: Vec<JavaRegex>,
    /// Masks, hashes and truncations of columns.
    rules: ColumnRules,
    /// Post-processors.
    processors: Vec<Reselect>,
    catalogue: Catalogue,
    ignore_builtin: bool,
    source: Arc<Schema>,
    source_fields: Vec<(Constant, SourceField)>,
    /// Columns already warned of, so that each has one line in the log and not one for each reconnect.
    warned: HashSet<String>,
}

/// What a field of the source block takes from the table.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Constant {
    None,
    Schema,
    Table,
}

/// How a snapshot reads a table.
pub(crate) struct Copied {
    pub(crate) shape: Arc<Shape>,
    /// The list of the SELECT: quoted names; columns of types without a binary form are cast to text.
    pub(crate) select: String,
}

fn adjustment(mode: NameAdjustment) -> Adjustment {
    match mode {
        NameAdjustment::None => Adjustment::None,
        NameAdjustment::Avro => Adjustment::Avro,
        NameAdjustment::AvroUnicode => Adjustment::AvroUnicode,
    }
}

/// How topics are named, according to the configuration.
pub(crate) fn naming(config: &PostgresConfig) -> TopicNaming {
    let topics = &config.topics;
    let mut naming = TopicNaming::new(&topics.prefix);
    naming.delimiter.clone_from(&topics.delimiter);
    naming.heartbeat_prefix.clone_from(&topics.heartbeat_prefix);
    naming.heartbeat_name.clone_from(&topics.heartbeat_name);
    naming.transaction.clone_from(&topics.transaction);
    naming.strategy = topics.strategy;
    naming.rewrite.clone_from(&topics.rewrite);
    naming.key_field.clone_from(&topics.key_field);
    naming
}

/// The adjustments of schema names and of field names.
pub(crate) fn adjustments(config: &PostgresConfig) -> (Adjustment, Adjustment) {
    (adjustment(config.types.schema_names), adjustment(config.types.field_names))
}

impl Tables {
    pub(crate) fn new(config: &PostgresConfig, version: &str) -> Result<Self, Error> {
        let filters = &config.filters;
        let bad = |key: &str, reason: String| Error::Config { key: key.to_owned(), reason };
        let filter = TableFilter::new(&filters.spec()).map_err(|e| bad("table.include.list", e.to_string()))?;
        let mut message_keys = Vec::new();
        for key in &config.treatment.message_keys {
            for column in &key.columns {
                let pattern = JavaRegex::new(&format!("(?:{})\\.(?:{column})", key.table));
                message_keys.push(pattern.map_err(|e| bad("message.key.columns", e.to_string()))?);
            }
        }
        let (schema_names, field_names) = adjustments(config);
        let text = |value: &str| SourceField::Text(value.into());
        let (string, int) = (Schema::of(Kind::String), Schema::of(Kind::Int64));
        let optional_int = || int.clone().optional().build();
        let fields = vec![
            ("version", string.clone().build(), Constant::None, text(version)),
            ("connector", string.clone().build(), Constant::None, text("postgresql")),
            ("name", string.clone().build(), Constant::None, text(&config.topics.prefix)),
            ("ts_ms", int.clone().build(), Constant::None, SourceField::Millis(TS_US)),
            ("snapshot", snapshot_field(), Constant::None, SourceField::Snapshot),
            ("db", string.clone().build(), Constant::None, text(&config.connection.database)),
            (
                "sequence",
                string.clone().optional().build(),
                Constant::None,
                SourceField::Sequence { commit: LSN_COMMIT, lsn: LSN },
            ),
            ("ts_us", optional_int(), Constant::None, SourceField::Micros(TS_US)),
            ("ts_ns", optional_int(), Constant::None, SourceField::Nanos(TS_US)),
            ("schema", string.clone().build(), Constant::Schema, text("")),
            ("table", string.clone().build(), Constant::Table, text("")),
            ("txId", optional_int(), Constant::None, SourceField::Word(TX_ID)),
            ("lsn", optional_int(), Constant::None, SourceField::Word(LSN)),
            ("xmin", optional_int(), Constant::None, SourceField::Word(XMIN)),
            ("origin", string.clone().optional().build(), Constant::None, SourceField::PositionText),
            ("origin_lsn", optional_int(), Constant::None, SourceField::Word(ORIGIN_LSN)),
        ];
        let source_fields = fields.iter().map(|(.., constant, field)| (*constant, field.clone())).collect();
        let source = source_struct(
            "io.debezium.connector.postgresql.Source",
            fields.into_iter().map(|(name, schema, ..)| (name, schema)).collect(),
        );
        Ok(Self {
            context: SourceContext::new(naming(config), schema_names, field_names),
            filter,
            modes: Modes::from(&config.types),
            message_keys,
            rules: config.treatment.rules.clone(),
            processors: config.treatment.processors.clone(),
            catalogue: Catalogue::default(),
            ignore_builtin: filters.ignore_builtin,
            source,
            source_fields,
            warned: HashSet::new(),
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
        let builtin = matches!(schema, "pg_catalog" | "information_schema")
            || schema.starts_with("pg_temp")
            || table == "spatial_ref_sys";
        !(self.ignore_builtin && builtin) && self.filter.table(schema, table)
    }

    /// All captured tables of the database, described, in the order in which a snapshot reads them.
    pub(crate) async fn captured(&self, sql: &Sql) -> Result<Vec<sql::Table>, Error> {
        let mut tables = sql.tables(self.ignore_builtin).await?;
        tables.retain(|table| self.captures(&table.name.schema, &table.name.table));
        sql.describe(&mut tables).await?;
        let mut names: Vec<_> = tables.iter().map(|t| (t.name.schema.clone(), t.name.table.clone())).collect();
        self.filter.order(&mut names);
        let places: HashMap<(String, String), usize> = names.into_iter().zip(0..).collect();
        tables.sort_by_cached_key(|table| places.get(&(table.name.schema.clone(), table.name.table.clone())).copied());
        Ok(tables)
    }

    fn source(&self, schema: &str, table: &str) -> SourceShape {
        let fields = self.source_fields.iter().map(|(constant, field)| match constant {
            Constant::None => field.clone(),
            Constant::Schema => SourceField::Text(schema.into()),
            Constant::Table => SourceField::Text(table.into()),
        });
        SourceShape { schema: Arc::clone(&self.source), fields: fields.collect() }
    }

    /// The source block of a record that belongs to no table (a logical message).
    pub(crate) fn source_of_no_table(&self) -> SourceShape {
        self.source("", "")
    }

    /// The key's columns according to `message.key.columns`; empty if it says nothing of this table.
    fn asked_key(&self, name: &str, columns: &[&str]) -> Vec<String> {
        let matched = self.message_keys.iter().flat_map(|pattern| {
            columns.iter().filter(move |column| pattern.matches(&format!("{name}.{column}")).unwrap_or(false))
        });
        let mut own: Vec<String> = Vec::new();
        for column in matched {
            if !own.iter().any(|known| known == column) {
                own.push((*column).to_owned());
            }
        }
        own
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
        let name = format!("{schema}.{table}");
        let names: Vec<&str> = columns.iter().map(|column| column.name).collect();
        let asked = self.asked_key(&name, &names);
        let key_names = if asked.is_empty() { key } else { asked };
        let (mut captured, mut codecs, mut cells) = (Vec::new(), Vec::new(), Vec::new());
        for Sent { name: column, oid, typmod, known, in_identity, printed } in columns {
            let in_key = key_names.iter().any(|key| key == column);
            let in_value = self.filter.column(schema, table, column);
            let planned = if in_key || in_value { plan(&self.catalogue, *oid, *typmod, &self.modes) } else { None };
            let Some(planned) = planned else {
                if in_value && self.warned.insert(format!("{name}.{column}")) {
                    tracing::warn!(table = %name, %column, oid, "the column's type has no Connect form, so the field is left \
                        out (include.unknown.datatypes=true shows its text as bytes)");
                }
                codecs.push(None);
                cells.push(None);
                continue;
            };
            // A column that the catalogue does not know was dropped since: it counts as nullable, unless the replica identity
            // has it. As in Debezium, a column that is in the key only is not looked up when streaming.
            let is_looked_up = in_value || copied;
            let known = known.filter(|_| is_looked_up);
            let not_null = *in_identity && is_looked_up || known.is_some_and(|known| known.not_null);
            let default = known.and_then(|known| known.default.as_deref());
            let codec = column_codec(column, &planned, not_null, default, &self.modes);
            let codec = match printed {
                Some(printed) => codec.printed(printed.failure),
                None if copied => codec.copied(),
                None => codec,
            };
            cells.push(Some(captured.len() as u16));
            let mut rule = None;
            if in_value && !self.rules.is_empty() {
                let source =
                    source_type(&self.catalogue, *oid, *typmod, known.and_then(|c| c.default.as_deref()), copied);
                rule = self.rules.of(&name, column, &source, &codec.schema);
                if let Some(reason) = rule.as_ref().and_then(|rule| rule.why_in_clear)
                    && self.warned.insert(format!("{name}.{column} in clear"))
                {
                    tracing::warn!(table = %name, %column, reason, "values of a column that a mask or a hash matches are \
                        published in clear");
                }
            }
            captured.push(Column { name: (*column).into(), schema: Arc::clone(&codec.schema), in_value, rule });
            codecs.push(Some(codec));
        }
        let index = |key: &String| captured.iter().position(|column| *column.name == **key);
        let mut key: Vec<usize> = key_names.iter().filter_map(index).collect();
        let wire_key =
            key_names.iter().filter_map(|key| names.iter().position(|n| n == key)).map(|i| i as u16).collect();
        let mut codec = RowCodec::new(codecs.clone());
        if let Some((name, value)) = self.context.naming.key_field(schema, table) {
            key.push(captured.len());
            let schema = Schema::of(Kind::String).build();
            captured.push(Column { name: name.into(), schema, in_value: false, rule: None });
            codec = codec.with_constant(Value::Text(value));
        }
        let described = Table { schema: schema.into(), name: table.into(), columns: captured, key };
        let decode: Box<dyn Decode> = if columns.iter().any(|column| column.printed.is_some()) {
            let given = columns.iter().zip(&codecs).filter_map(|(sent, codec)| Some((sent.printed, codec.as_ref()?)));
            let given =
                given.map(|(printed, codec)| printed.map(|printed| (codec.clone(), Arc::clone(&printed.type_name))));
            Box::new(GivenRow::new(codec, given.collect()))
        } else {
            Box::new(codec)
        };
        let source = self.source(schema, table);
        let shape = self
            .context
            .shape(&described, source, decode)
            .map_err(|reason| Error::Schema { table: name.clone(), reason })?;
        Ok(Built { shape: Arc::new(shape), wire_key, codecs, described })
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
