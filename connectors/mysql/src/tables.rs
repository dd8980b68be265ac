//! Tables: makes shapes and row codecs of the tables that the schema history knows.
//!
//! Must not know: the socket, Kafka, the grammar of DDL.

mod reselect;

use std::borrow::Cow;
use std::sync::Arc;

use record::{Batch, DecodeError, Kind, Schema, Shape, SourceField, SourceShape};
use relational::{
    BlockField, FirstFields, NamedField, Shapes, SourceBlock, SourceContext, TableFilter, TransactionTopic,
};

use self::reselect::{OfLog, ReadAgain};
use crate::Flavour;
use crate::announced::Announced;
use crate::binlog::{Layout, WireColumn};
use crate::config::{MySqlConfig, is_builtin};
use crate::error::Error;
use crate::model::{Column, Table, TableId};
use crate::position::{FILE, GTID, POS, QUERY, ROW, SERVER_ID, THREAD, TS_US};
use crate::reselect::Plans;
use crate::schema_changes::SchemaTopic;
use crate::types::{ColumnCodec, Modes, RowCodec, column_codec, plan, source_type};

/// Makes shapes and row codecs: holds the settings that this takes.
#[derive(Debug)]
pub(crate) struct Tables {
    shapes: Shapes,
    modes: Modes,
    flavour: Flavour,
    again: ReadAgain,
}

/// A captured table as the stream sees it.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) shape: Arc<Shape>,
    /// The cells that make the message key.
    pub(crate) wire_key: Vec<u16>,
    /// The cells of captured columns that MariaDB may leave out of an image although it writes whole ones: it computes them. Those
    /// of a key are not among them.
    pub(crate) computed: Box<[u16]>,
}

/// How the rows of a table come.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Wire<'a> {
    /// In the binlog, by a TABLE_MAP of this layout, which says this of the table.
    Log(&'a Layout, &'a Announced),
    /// As the answer of a query in the text protocol.
    Text,
    /// As the answer of a prepared statement.
    Binary,
}

/// The source block.
fn source_block(flavour: Flavour, prefix: &str, version: &str) -> SourceBlock {
    let (string, int) = (Schema::of(Kind::String), Schema::of(Kind::Int64));
    let optional_text = || string.clone().optional().build();
    let of = BlockField::Of;
    let (kind, name) = (flavour.kind(), format!("io.debezium.connector.{}.Source", flavour.kind()));
    // These logs have nothing for `sequence`: it is always null, as a text that no position has.
    let first = FirstFields {
        version,
        connector: kind,
        name: prefix,
        db: BlockField::Schema,
        sequence: SourceField::PositionText(usize::MAX),
        ts_us: TS_US,
    };
    let own: [NamedField; 8] = [
        ("table", optional_text(), BlockField::Table),
        ("server_id", int.clone().build(), of(SourceField::Steady(SERVER_ID))),
        ("gtid", optional_text(), of(SourceField::PositionText(GTID))),
        ("file", string.clone().build(), of(SourceField::PositionText(FILE))),
        ("pos", int.clone().build(), of(SourceField::Word(POS))),
        ("row", Schema::of(Kind::Int32).build(), of(SourceField::Word(ROW))),
        ("thread", int.optional().build(), of(SourceField::Steady(THREAD))),
        ("query", optional_text(), of(SourceField::PositionText(QUERY))),
    ];
    SourceBlock::new(&name, first.named().into_iter().chain(own).collect())
}

impl Tables {
    pub(crate) fn new(config: &MySqlConfig, version: &str) -> Result<Self, Error> {
        let bad = |key: &str, reason: String| Error::Config { key: key.to_owned(), reason };
        let filter =
            TableFilter::new(&config.filters, is_builtin).map_err(|e| bad("table.include.list", e.to_string()))?;
        let names = config.names;
        let context = SourceContext::new(config.topics.clone(), names.schema_names, names.field_names);
        let source = source_block(config.flavour, &config.topics.prefix, version);
        let shapes =
            Shapes::new(context, filter, source, &config.treatment.message_keys, config.treatment.rules.clone())
                .map_err(|e| bad("message.key.columns", e.to_string()))?;
        let again = ReadAgain::new(config.treatment.processors.clone());
        Ok(Self { shapes, modes: config.types.clone(), flavour: config.flavour, again })
    }

    /// Has values that cannot be converted counted in `meters`.
    pub(crate) fn counted(mut self, meters: &Arc<relational::Meters>) -> Self {
        self.modes.meters = Some(Arc::clone(meters));
        self
    }

    /// Whether a table is captured.
    pub(crate) fn captures(&self, id: &TableId) -> bool {
        self.shapes.filter().table(&id.database, &id.table)
    }

    /// Whether tables of a database may be captured.
    pub(crate) fn captures_database(&self, database: &str) -> bool {
        self.shapes.filter().schema(database)
    }

    /// Which tables and columns are captured.
    pub(crate) fn filter(&self) -> &TableFilter {
        self.shapes.filter()
    }

    /// The source block of a record about these tables (none: about no table).
    pub(crate) fn source_of(&self, database: &str, tables: Option<&str>) -> SourceShape {
        let mut block = self.shapes.source().of(database, tables.unwrap_or_default());
        if tables.is_none() {
            // Null, and not the empty text, which stands for a statement of a database that names no known table.
            let place = block.schema.fields().iter().position(|field| &*field.name == "table");
            if let Some(field) = place.and_then(|place| block.fields.get_mut(place)) {
                *field = SourceField::PositionText(usize::MAX);
            }
        }
        block
    }

    /// The topic of schema changes.
    pub(crate) fn schema_topic(&self, config: &MySqlConfig) -> SchemaTopic {
        SchemaTopic::new(
            config.flavour,
            &config.topics.prefix,
            config.names.schema_names,
            &self.source_of("", None).schema,
        )
    }

    /// The topic of transaction metadata, if `provide.transaction.metadata` is on.
    pub(crate) fn transaction_topic(config: &MySqlConfig) -> Option<TransactionTopic> {
        let wanted = config.events.transaction_metadata;
        wanted.then(|| TransactionTopic::new(&config.topics, config.names.schema_names))
    }

    /// The columns of a table that are captured, in the table's order: what a snapshot selects.
    pub(crate) fn selected<'t>(&self, table: &'t Table) -> Vec<&'t str> {
        let TableId { database, table: name } = &table.id;
        let names: Vec<&str> = table.columns.iter().map(|column| &*column.name).collect();
        let draft = self.shapes.begin(database, name, &names, key_of(table));
        names.into_iter().filter(|column| self.shapes.use_of(&draft, column).is_any()).collect()
    }

    /// Makes the shape and the codecs of a table.
    ///
    /// # Errors
    /// When rows of this form cannot be those of the table.
    pub(crate) fn known(&mut self, table: &Table, wire: Wire<'_>) -> Result<Known, Error> {
        let name = || table.id.to_string();
        let mut log = None;
        let mut hidden = 0;
        if let Wire::Log(layout, announced) = wire {
            let held = announced.held(table, self.flavour);
            hidden = held.map_err(|reason| Error::Rows { table: name(), at: None, reason })?;
            log = Some((layout.columns(), announced));
        }
        let names: Vec<&str> = table.columns.iter().map(|column| &*column.name).collect();
        let TableId { database, table: bare } = &table.id;
        let mut draft = self.shapes.begin(database, bare, &names, key_of(table));
        let mut codecs = Vec::with_capacity(table.columns.len() + hidden);
        let is_copied = log.is_none();
        for (i, column) in table.columns.iter().enumerate() {
            let used = self.shapes.use_of(&draft, &column.name);
            if !used.is_any() {
                // A copy does not select such a column, so its rows have no cell for it.
                if !is_copied {
                    codecs.push(None);
                }
                continue;
            }
            let column = &match log.and_then(|(_, announced)| announced.charset(i)) {
                Some(charset) => in_charset(column, charset),
                None => Cow::Borrowed(column),
            };
            let Some(planned) = plan(&table.id, column, self.flavour, &self.modes) else {
                if used.in_value && self.shapes.warns(format!("{}.{}", table.id, column.name)) {
                    tracing::warn!(table = %table.id, column = %column.name, kind = %column.type_name, "the column's type has \
                        no Connect form, so the field is left out");
                }
                codecs.push(None);
                continue;
            };
            let codec = column_codec(column, &planned, &self.modes);
            let codec = Self::of_wire(codec, wire, log.map(|(columns, _)| columns[i]), &table.id)?;
            self.shapes.add(&mut draft, &column.name, used.in_value, &codec.schema, || source_type(column));
            codecs.push(Some(codec));
        }
        codecs.extend(std::iter::repeat_n(None, hidden));
        let codec = RowCodec::new(Arc::clone(bare), codecs);
        let again = log.filter(|_| self.again.is_any()).map(|log| (log, codec.clone()));
        let shaped =
            self.shapes.finish(draft, Box::new(codec)).map_err(|reason| Error::Schema { table: name(), reason })?;
        if let Some(((columns, announced), codec)) = again {
            let of = OfLog { table, flavour: self.flavour, columns, announced, codecs: codec.columns() };
            self.again.announced(&of, &shaped);
        }
        let may_lack = |(place, column): (usize, &Column)| {
            let place = place as u16;
            (column.computed && column.optional && !shaped.wire_key.contains(&place)).then_some(place)
        };
        let is_mariadb = !is_copied && self.flavour == Flavour::MariaDb;
        let computed = table.columns.iter().enumerate().filter(|_| is_mariadb).filter_map(may_lack).collect();
        Ok(Known { shape: shaped.shape, wire_key: shaped.wire_key, computed })
    }

    /// For each shape of the batch, what post-processors do with its table; none if that is nothing for all of them.
    pub(crate) fn plans(&self, batch: &Batch) -> Option<Vec<Plans>> {
        self.again.plans(batch)
    }

    fn of_wire(
        codec: ColumnCodec,
        wire: Wire<'_>,
        column: Option<WireColumn>,
        id: &TableId,
    ) -> Result<ColumnCodec, Error> {
        let misfit = |DecodeError { column, reason }: DecodeError| Error::Rows {
            table: id.to_string(),
            at: None,
            reason: format!("column {column}: {reason}"),
        };
        match (wire, column) {
            (Wire::Log(..), Some(column)) => codec.of_log(column).map_err(misfit),
            (Wire::Binary, _) => Ok(codec.of_protocol()),
            _ => Ok(codec),
        }
    }
}

/// The column with this character set, in which the server writes it. A statement may say otherwise: Debezium's default grammar
/// passes over the character set of a table that is altered, and the columns that are added later inherit the old one.
fn in_charset<'c>(column: &'c Column, charset: &str) -> Cow<'c, Column> {
    match &column.charset {
        Some(known) if !known.eq_ignore_ascii_case(charset) => {
            Cow::Owned(Column { charset: Some(charset.into()), ..column.clone() })
        }
        _ => Cow::Borrowed(column),
    }
}

fn key_of(table: &Table) -> Vec<String> {
    table.primary_key.iter().map(ToString::to_string).collect()
}
