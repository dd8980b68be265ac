//! What the statements say that can change a table, as the reader hands them to the catalog.

use super::datatype::DataType;

/// A table's name as a statement writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) database: Option<String>,
    pub(super) table: String,
}

/// A statement.
#[derive(Debug)]
pub(super) enum Statement {
    CreateTable(CreateTable),
    AlterTable {
        table: Name,
        clauses: Vec<Clause>,
    },
    /// `head` is the text before the list, `tail` what follows the name in each record.
    DropTables {
        head: String,
        tables: Vec<Name>,
        tail: &'static str,
    },
    /// `head` is the text before the first pair; each pair has its own text.
    RenameTables {
        head: String,
        pairs: Vec<(Name, Name, String)>,
    },
    Truncate(Name),
    CreateUniqueIndex {
        table: Name,
        parts: Option<Vec<String>>,
    },
    CreateDatabase {
        name: String,
        charset: Option<String>,
    },
    /// No name is the current database.
    AlterDatabase {
        name: Option<String>,
        charset: Option<String>,
    },
    DropDatabase(String),
    Use(String),
    /// System variables with their values; statements that set none are [`Self::Other`].
    Set(Vec<(String, String)>),
    /// It cannot change the shape of a table.
    Other,
}

/// `CREATE TABLE`.
#[derive(Debug)]
pub(super) struct CreateTable {
    pub(super) table: Name,
    pub(super) if_not_exists: bool,
    pub(super) replace: bool,
    pub(super) body: Body,
}

#[derive(Debug)]
pub(super) enum Body {
    Like(Name),
    Elements(Elements),
}

/// Columns, keys and options of a new table.
#[derive(Debug, Default)]
pub(super) struct Elements {
    pub(super) columns: Vec<Definition>,
    pub(super) keys: Vec<Key>,
    pub(super) options: Options,
    /// There was a list of columns.
    pub(super) listed: bool,
}

/// The options of a table that its model has.
#[derive(Debug, Default)]
pub(super) struct Options {
    pub(super) charset: Option<String>,
    pub(super) collation: Option<String>,
    pub(super) comment: Option<String>,
}

/// A column's definition.
#[derive(Debug)]
pub(super) struct Definition {
    pub(super) name: String,
    pub(super) data: DataType,
    pub(super) attributes: Attributes,
}

/// What follows the type of a column.
#[derive(Debug, Default)]
pub(super) struct Attributes {
    /// `NULL` or `NOT NULL`.
    pub(super) optional: Option<bool>,
    pub(super) default: Option<DefaultValue>,
    pub(super) auto_increment: bool,
    pub(super) on_update: bool,
    pub(super) unique: bool,
    pub(super) primary: bool,
    pub(super) serial: bool,
    pub(super) comment: Option<String>,
    pub(super) charset: Option<String>,
    pub(super) collation: Option<String>,
    /// `GENERATED ALWAYS AS (…)`.
    pub(super) computed: bool,
}

/// A default value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum DefaultValue {
    Null,
    /// It is computed for each row.
    Expression,
    Text(String),
}

/// A key that can become the key of the records.
#[derive(Debug)]
pub(super) enum Key {
    Primary(Vec<String>),
    /// None: a part is an expression.
    Unique(Option<Vec<String>>),
    /// A column was defined with `UNIQUE`.
    UniqueColumn(String),
}

/// Where a column goes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place {
    First,
    After(String),
}

/// A part of `ALTER TABLE`.
#[derive(Debug)]
pub(super) enum Clause {
    Add {
        definition: Definition,
        place: Option<Place>,
        if_not_exists: bool,
    },
    /// Columns in brackets.
    AddMany(Vec<Definition>),
    Change {
        old: String,
        definition: Definition,
        place: Option<Place>,
        if_exists: bool,
    },
    Modify {
        definition: Definition,
        place: Option<Place>,
        if_exists: bool,
    },
    Drop {
        column: String,
        if_exists: bool,
    },
    RenameColumn {
        old: String,
        new: String,
        if_exists: bool,
    },
    SetDefault {
        column: String,
        default: DefaultValue,
    },
    DropDefault {
        column: String,
    },
    DropPrimaryKey,
    AddKey(Key),
    RenameTable(Name),
    /// `CONVERT TO CHARACTER SET`; no name is the database's.
    Convert {
        charset: Option<String>,
        collation: Option<String>,
    },
    Charset(String),
    Collation(String),
    Comment(String),
    /// A partition becomes a table (MariaDB).
    ToTable(Name),
    /// A table becomes a partition (MariaDB).
    FromTable(Name),
}
