//! All tables as the statements up to here left them, and the character sets that new tables inherit.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::doubts::{Doubt, Doubts};
use super::normal::normal;
use super::outcome::java_set_order;
use super::read::{Sentence, read};
use super::statement::{Body, Clause, CreateTable, Key, Name, Statement};
use super::{Dialect, Grammar, NotUnderstood, Outcome, SchemaChange, alteration, creation};
use crate::model::{ChangeKind, Table, TableChange, TableId};

/// Texts that are never read and leave nothing behind.
const NEVER_READ: &[&str] = &["BEGIN", "END", "FLUSH PRIVILEGES"];

/// How statements are understood, for the whole of a connector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Whose statements they are.
    pub dialect: Dialect,
    /// Whether comments of tables and columns are kept.
    pub comments: bool,
    /// The server's variable of that name: 0 keeps the case of names of tables and databases, 1 stores them in lower case,
    /// 2 keeps their case and compares without it.
    pub lower_case_table_names: u8,
}

/// A statement as the binlog, a snapshot or the history has it.
#[derive(Clone, Copy, Debug)]
pub struct Query<'a> {
    /// Its text.
    pub text: &'a str,
    /// The database that its session used; empty for none.
    pub database: &'a str,
    /// The `sql_mode` of its session as the binlog carries it. None: what the last `SET sql_mode` said.
    pub sql_mode: Option<u64>,
}

/// All tables, and what statements inherit.
#[derive(Clone, Debug)]
pub struct Catalog {
    pub(super) rules: Rules,
    tables: BTreeMap<TableId, Arc<Table>>,
    /// The character set of each database that has one of its own.
    databases: HashMap<String, Arc<str>>,
    /// System variables, by their names in lower case.
    variables: HashMap<String, String>,
    doubts: Doubts,
}

/// A record before its table is looked up: the table is shown as the whole statement left it.
struct Event {
    database: String,
    ddl: String,
    change: Option<(ChangeKind, TableId, Option<TableId>)>,
}

impl Catalog {
    /// Without tables.
    pub fn new(rules: Rules) -> Self {
        Self {
            rules,
            tables: BTreeMap::new(),
            databases: HashMap::new(),
            variables: HashMap::new(),
            doubts: Doubts::default(),
        }
    }

    /// How statements are understood.
    pub fn rules(&self) -> Rules {
        self.rules
    }

    pub(super) fn folded(&self, name: &str) -> Arc<str> {
        if self.rules.lower_case_table_names == 0 { name.into() } else { name.to_lowercase().into() }
    }

    /// The name as it is compared.
    pub(crate) fn key(&self, id: &TableId) -> TableId {
        TableId { database: self.folded(&id.database), table: self.folded(&id.table) }
    }

    /// The table, if it is known.
    pub fn table(&self, id: &TableId) -> Option<&Arc<Table>> {
        if self.rules.lower_case_table_names == 0 { self.tables.get(id) } else { self.tables.get(&self.key(id)) }
    }

    /// All tables, ordered by database and name.
    pub fn tables(&self) -> impl Iterator<Item = &Arc<Table>> {
        self.tables.values()
    }

    /// Stores a table, in place of one of the same name. Its shape is known from now on.
    pub fn put(&mut self, table: Arc<Table>) {
        let key = self.key(&table.id);
        self.doubts.remove(&key);
        self.tables.insert(key, table);
    }

    /// Forgets a table.
    pub fn remove(&mut self, id: &TableId) -> Option<Arc<Table>> {
        self.take(id).0
    }

    /// Why the shape of the table is not known; none if it is, or if nobody has ever told of the table.
    pub fn doubt(&self, id: &TableId) -> Option<&Arc<Doubt>> {
        let key = self.key(id);
        let is_known = self.tables.contains_key(&key);
        self.doubts.of_table(&key).or_else(|| self.doubts.of_others().filter(|_| !is_known))
    }

    /// Says where the statement stands that was applied last, for the messages about what it left in doubt.
    pub fn note_place(&mut self, at: &str) {
        self.doubts.date(at);
    }

    /// Applies a statement of which somebody else tells what it did if it is not understood: then this is false, and it leaves no
    /// doubt behind that was not there.
    pub(crate) fn apply_told(&mut self, query: &Query<'_>) -> bool {
        let doubts = self.doubts.clone();
        let is_understood = self.apply(query).not_understood.is_none();
        if !is_understood {
            self.doubts = doubts;
        }
        is_understood
    }

    fn take(&mut self, id: &TableId) -> (Option<Arc<Table>>, Option<Arc<Doubt>>) {
        let key = self.key(id);
        (self.tables.remove(&key), self.doubts.remove(&key))
    }

    fn put_in_doubt(&mut self, table: Arc<Table>, doubt: Option<&Arc<Doubt>>) {
        let id = table.id.clone();
        self.put(table);
        self.stays_in_doubt(&id, doubt);
    }

    fn stays_in_doubt(&mut self, id: &TableId, doubt: Option<&Arc<Doubt>>) {
        if let Some(doubt) = doubt {
            let key = self.key(id);
            self.doubts.add(key, doubt);
        }
    }

    /// A statement is not understood: what it may have changed is in doubt.
    fn raise(&mut self, failed: &NotUnderstood, text: &str) {
        let doubt = Arc::new(Doubt { failed: failed.clone(), text: text.into(), at: Arc::from("") });
        match &failed.table {
            Some(id) => self.stays_in_doubt(id, Some(&doubt)),
            None => {
                for id in self.tables.keys() {
                    self.doubts.add(id.clone(), &doubt);
                }
            }
        }
        // What cannot be read may be a new name.
        if failed.table.is_none() || text.to_ascii_uppercase().contains("RENAME") {
            self.doubts.add_others(&doubt);
        }
    }

    /// Sets a system variable, such as `character_set_server`.
    pub fn set_variable(&mut self, name: &str, value: &str) {
        self.variables.insert(name.to_ascii_lowercase(), value.to_owned());
    }

    /// A system variable that a statement or [`Self::set_variable`] set.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(&name.to_ascii_lowercase()).map(String::as_str)
    }

    fn server_charset(&self) -> Option<Arc<str>> {
        self.variable("character_set_server").filter(|v| !v.eq_ignore_ascii_case("default")).map(Arc::from)
    }

    /// The character set of a database: its own, or the server's.
    pub(crate) fn charset_of(&self, database: &str) -> Option<Arc<str>> {
        self.databases.get(&*self.folded(database)).cloned().or_else(|| self.server_charset())
    }

    fn set_charset(&mut self, database: &str, charset: Option<String>) {
        let Some(charset) = charset else { return };
        let default = charset.eq_ignore_ascii_case("default");
        let key = self.folded(database).to_string();
        match if default { self.server_charset() } else { Some(charset.into()) } {
            Some(charset) => self.databases.insert(key, charset),
            None => self.databases.remove(&key),
        };
    }

    /// How a text is to be read, by the `sql_mode` of its session.
    pub(super) fn dialect(&self, query: &Query<'_>) -> Dialect {
        match (query.sql_mode, self.variable("sql_mode")) {
            (Some(mode), _) => self.rules.dialect.with_sql_mode(mode),
            (None, Some(mode)) => self.rules.dialect.with_sql_mode_text(mode),
            (None, None) => self.rules.dialect,
        }
    }

    pub(super) fn id(&self, name: &Name, current: &str) -> TableId {
        let database = name.database.as_deref().unwrap_or(current);
        // With 1 the server itself stores names so, and the binlog has them so.
        if self.rules.lower_case_table_names == 1 {
            return TableId { database: database.to_lowercase().into(), table: name.table.to_lowercase().into() };
        }
        TableId { database: database.into(), table: name.table.as_str().into() }
    }

    /// Applies a statement to the tables, and says what it leaves behind.
    pub fn apply(&mut self, query: &Query<'_>) -> Outcome {
        let mut outcome = Outcome::default();
        if NEVER_READ.contains(&query.text) {
            return outcome;
        }
        let dialect = self.dialect(query);
        let normal = normal(query.text, dialect);
        let mut current = query.database.to_owned();
        let mut events = Vec::new();
        for sentence in read(&normal, dialect) {
            if let Err(e) = self.sentence(sentence, &mut current, &mut events, &mut outcome) {
                self.raise(&e, query.text.trim());
                outcome.not_understood = Some(e);
            }
        }
        if !events.is_empty() {
            outcome.records = self.records(events);
        } else if outcome.truncated.is_none() {
            // Nothing that is known changed: the statement as it came.
            let (database, ddl) = (query.database.to_owned(), query.text.trim().to_owned());
            outcome.records.push(SchemaChange { database, ddl, changes: Vec::new(), tables: Some(Arc::from([])) });
        }
        outcome
    }

    /// What a statement leaves behind that is read once more after a restart and whose records the history already applied:
    /// the tables stay as they are. None if `recorded` (each record's database and text) does not begin with its records.
    pub fn again(&self, query: &Query<'_>, recorded: &[(String, String)]) -> Option<Outcome> {
        let mut outcome = self.clone().apply(query);
        let same = |(record, (database, ddl)): (&SchemaChange, &(String, String))| {
            // A statement that finds its work done is told as it came, with what stands around it.
            record.database == *database
                && (record.ddl == *ddl || record.changes.is_empty() && record.ddl.contains(ddl))
        };
        let known = outcome.records.len() <= recorded.len() && outcome.records.iter().zip(recorded).all(same);
        if !known || outcome.records.is_empty() {
            return None;
        }
        outcome.not_understood = None;
        for change in outcome.records.iter_mut().flat_map(|record| &mut record.changes) {
            change.table = change.table.take().map(|table| self.table(&change.id).cloned().unwrap_or(table));
        }
        Some(outcome)
    }

    fn sentence(
        &mut self,
        sentence: Sentence,
        current: &mut String,
        events: &mut Vec<Event>,
        outcome: &mut Outcome,
    ) -> Result<(), NotUnderstood> {
        let text = sentence.text;
        let statement = match sentence.statement {
            Ok(statement) => statement,
            Err(failed) => return self.failed(&failed, current),
        };
        let of_database = |database: String, ddl| Event { database, ddl, change: None };
        let of_table = |kind, id: TableId, previous, ddl| Event {
            database: id.database.to_string(),
            ddl,
            change: Some((kind, id, previous)),
        };
        match statement {
            Statement::CreateTable(create) => {
                let id = self.id(&create.table, current);
                if self.create(&create, &id, current)? {
                    events.push(of_table(ChangeKind::Create, id, None, text));
                }
            }
            Statement::AlterTable { table, clauses } => {
                let id = self.id(&table, current);
                if let Some(id) = self.alter(&id, clauses, current)? {
                    events.push(of_table(ChangeKind::Alter, id, None, text));
                }
            }
            Statement::DropTables { head, tables, tail } => {
                for name in tables {
                    let id = self.id(&name, current);
                    self.remove(&id);
                    let quoted = |name: &str| name.replace('`', "``");
                    let ddl = format!("{head}`{}`.`{}`{tail}", quoted(&id.database), quoted(&id.table));
                    events.push(of_table(ChangeKind::Drop, id, None, ddl));
                }
            }
            Statement::RenameTables { head, pairs } => {
                for (old, new, pair) in pairs {
                    let (old, new) = (self.id(&old, current), self.id(&new, current));
                    self.rename(&old, &new);
                    events.push(of_table(ChangeKind::Alter, new, Some(old), format!("{head}{pair}")));
                }
            }
            Statement::Truncate(name) => outcome.truncated = Some(self.id(&name, current)),
            Statement::CreateUniqueIndex { table, parts } => {
                let id = self.id(&table, current);
                if self.rules.dialect.grammar == Grammar::Legacy && self.unique_index(&id, parts) {
                    events.push(of_table(ChangeKind::Alter, id, None, text));
                }
            }
            Statement::CreateDatabase { name, charset } => {
                self.set_charset(&name, charset);
                events.push(of_database(name, text));
            }
            Statement::AlterDatabase { name, charset } => {
                let name = name.unwrap_or_else(|| current.clone());
                self.set_charset(&name, charset);
            }
            Statement::DropDatabase(name) => {
                let folded = self.folded(&name);
                self.tables.retain(|id, _| id.database != folded);
                self.doubts.remove_database(&folded);
                self.databases.remove(&*folded);
                events.push(of_database(name, text));
            }
            Statement::Use(name) => {
                current.clone_from(&name);
                events.push(of_database(name, text));
            }
            Statement::Set(variables) => {
                for (name, value) in variables {
                    if name.eq_ignore_ascii_case("character_set_database") {
                        self.set_charset(current, Some(value.clone()));
                    }
                    self.set_variable(&name, &value);
                }
                events.push(of_database(current.clone(), text));
            }
            Statement::Other => {}
        }
        Ok(())
    }

    /// Makes a table; false if it stays as it was.
    fn create(&mut self, create: &CreateTable, id: &TableId, current: &str) -> Result<bool, NotUnderstood> {
        let known = self.table(id).cloned();
        if known.is_some() && create.if_not_exists {
            return Ok(false);
        }
        // Where a statement was not understood, a table of this name may be there already.
        let mut doubt = self.doubts.of_others().filter(|_| create.if_not_exists).cloned();
        let table = match &create.body {
            Body::Like(like) => {
                let like = self.id(like, current);
                doubt = doubt.or_else(|| self.doubt(&like).cloned());
                let Some(like) = self.table(&like) else {
                    self.stays_in_doubt(id, doubt.as_ref());
                    return Ok(false);
                };
                Table { id: id.clone(), comment: None, ..Table::clone(like) }
            }
            Body::Elements(elements) if elements.listed => creation::table(self, id, elements),
            Body::Elements(_) => {
                let (table, why) = (Some(id.clone()), "its columns follow from a query");
                return Err(NotUnderstood { table, statement: "CREATE TABLE", why, at: 0 });
            }
        };
        // A statement that is read again after a restart finds its own table.
        if !create.replace && known.is_some_and(|known| *known == table) && self.doubt(id).is_none() {
            return Ok(false);
        }
        self.put_in_doubt(Arc::new(table), doubt.as_ref());
        Ok(true)
    }

    /// Alters a table, and returns its name after that; none if it is not known.
    fn alter(&mut self, id: &TableId, clauses: Vec<Clause>, current: &str) -> Result<Option<TableId>, NotUnderstood> {
        let Some(known) = self.table(id).cloned() else {
            self.move_doubt(id, &clauses, current);
            return Ok(None);
        };
        let mut renamed = None;
        let mut made = Vec::new();
        for clause in &clauses {
            match clause {
                Clause::RenameTable(name) => {
                    let current = if current.is_empty() { &*id.database } else { current };
                    renamed = Some(self.id(name, current));
                }
                Clause::ToTable(name) => made.push(self.id(name, current)),
                Clause::FromTable(name) => {
                    let gone = self.id(name, current);
                    self.remove(&gone);
                }
                _ => {}
            }
        }
        let altered = alteration::alter(self, &known, clauses).map_err(|why| NotUnderstood {
            table: Some(id.clone()),
            statement: "ALTER TABLE",
            why,
            at: 0,
        })?;
        // What a statement alters stays in doubt.
        let (_, doubt) = self.take(id);
        for id in made {
            self.put_in_doubt(Arc::new(Table { id, ..altered.clone() }), doubt.as_ref());
        }
        let new = renamed.unwrap_or_else(|| known.id.clone());
        self.put_in_doubt(Arc::new(Table { id: new.clone(), ..altered }), doubt.as_ref());
        Ok(Some(new))
    }

    /// The doubt about a table of which nothing is known goes with its new name.
    fn move_doubt(&mut self, id: &TableId, clauses: &[Clause], current: &str) {
        let current = if current.is_empty() { &*id.database } else { current };
        for clause in clauses {
            if let Clause::RenameTable(name) = clause {
                let new = self.id(name, current);
                self.rename(id, &new);
            }
        }
    }

    fn rename(&mut self, old: &TableId, new: &TableId) {
        let (table, doubt) = self.take(old);
        if let Some(table) = table {
            self.put_in_doubt(Arc::new(Table { id: new.clone(), ..Table::clone(&table) }), doubt.as_ref());
        } else {
            // A table that a statement made which was not understood.
            self.stays_in_doubt(new, doubt.as_ref());
        }
    }

    /// `CREATE UNIQUE INDEX`: true if the index became the key.
    fn unique_index(&mut self, id: &TableId, parts: Option<Vec<String>>) -> bool {
        let Some(known) = self.table(id) else { return false };
        let mut table = Table::clone(known);
        if !creation::apply_key(&mut table, &Key::Unique(parts)) {
            return false;
        }
        // What else is in doubt stays so.
        let (_, doubt) = self.take(id);
        self.put_in_doubt(Arc::new(table), doubt.as_ref());
        true
    }

    fn records(&self, events: Vec<Event>) -> Vec<SchemaChange> {
        // The tables of a run of events of one database are shown with each of them.
        let mut runs: Vec<(usize, Vec<TableId>)> = Vec::new();
        for (at, event) in events.iter().enumerate() {
            if at == 0 || events[at - 1].database != event.database {
                runs.push((at, Vec::new()));
            }
            if let Some((_, tables)) = runs.last_mut() {
                tables.extend(event.change.as_ref().map(|(_, id, _)| id.clone()));
            }
        }
        let mut runs = runs.into_iter().map(|(at, tables)| (at, Arc::from(java_set_order(tables)))).peekable();
        let mut tables: Arc<[TableId]> = Arc::from([]);
        let record = |(at, event): (usize, Event)| {
            if let Some((_, of_run)) = runs.next_if(|(start, _)| *start == at) {
                tables = of_run;
            }
            let shown = (!tables.is_empty()).then(|| Arc::clone(&tables));
            let changes = event.change.and_then(|change| self.change(change)).into_iter().collect();
            SchemaChange { database: event.database, ddl: event.ddl, changes, tables: shown }
        };
        events.into_iter().enumerate().map(record).collect()
    }

    /// The change with its table; none if the same statement renamed the table away again, or if the table is in doubt: what
    /// is not known is not told.
    fn change(&self, (kind, id, previous): (ChangeKind, TableId, Option<TableId>)) -> Option<TableChange> {
        if kind == ChangeKind::Drop {
            return Some(TableChange { kind, id, previous, table: None });
        }
        if self.doubt(&id).is_some() {
            return None;
        }
        let table = self.table(&id)?.clone();
        Some(TableChange { kind, id: table.id.clone(), previous, table: Some(table) })
    }
}
