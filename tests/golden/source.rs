//! The database of a scenario: what a step does to it, and how it tells that the connector follows its log.

use std::sync::LazyLock;

use super::json::Json;
use super::normal::payload;
use super::rig::{Database, MySqlDatabase, Product, is_of, postgres_address};

pub(crate) enum Source {
    Postgres(Box<Database>),
    MySql(MySqlDatabase),
}

/// The names that the scenarios' databases have.
static SCENARIOS: LazyLock<Vec<String>> =
    LazyLock::new(|| super::stems().iter().map(|stem| super::named(stem)).collect());

/// Whether a database belongs to the scenario with this name: it has the name, or the name, an underscore and more, and is
/// not of another scenario whose name begins with this one.
fn is_mine(name: &str, database: &str, scenarios: &[String]) -> bool {
    let is_longer = |other: &&String| other.len() > name.len() && is_of(name, other);
    is_of(name, database) && !scenarios.iter().filter(is_longer).any(|other| is_of(other, database))
}

/// What the server says of the connector before a step that starts it.
pub(crate) struct Before(u64);

impl Source {
    /// Creates the database. `db` is what the scenario says: postgres, mysql or mariadb.
    pub(crate) fn create(db: &str, name: &str) -> Self {
        let product = match db {
            "postgres" => return Self::Postgres(Box::new(Database::create_at(&postgres_address(), name))),
            "mysql" => Product::MySql,
            "mariadb" => Product::MariaDb,
            other => panic!("db = {other:?}"),
        };
        let database = MySqlDatabase::create_at(product, &product.address(), name);
        // Where nothing is copied, the last record of all that tell of the server's tables says that it is the last. In the
        // golden records that is one of another database, as it is here of this one, which stays.
        if database.rows("show databases like 'zz_beside'").is_empty() {
            database.run(
                "create database if not exists zz_beside; create table if not exists zz_beside.t(id int primary key)",
            );
        }
        Self::MySql(database)
    }

    pub(crate) fn run(&self, sql: &str) {
        match self {
            Self::Postgres(database) => database.run(sql),
            Self::MySql(database) => database.run(sql),
        }
    }

    /// The connector's basic configuration.
    pub(crate) fn connector(&self) -> serde_json::Map<String, serde_json::Value> {
        let more = [("heartbeat.interval.ms", "0")];
        match self {
            Self::Postgres(database) => database.connector(&more),
            Self::MySql(database) => database.connector(&more),
        }
    }

    /// Makes the role with the documented minimum of rights the connector's. In MySQL it has no other.
    pub(crate) fn minimal_role(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Postgres(database) => database.minimal_role().into(),
            Self::MySql(_) => Vec::new(),
        }
    }

    /// Gives the rights that a setting needs beyond the minimum: the statement of a heartbeat writes.
    pub(crate) fn allow(&self, config: &serde_json::Map<String, serde_json::Value>) {
        if let (Self::MySql(database), true) = (self, config.contains_key("heartbeat.action.query")) {
            database.allow_writes();
        }
    }

    /// To be called before a step that starts the connector.
    pub(crate) fn before(&self) -> Before {
        match self {
            Self::Postgres(_) => Before(0),
            Self::MySql(database) => Before(database.reader()),
        }
    }

    /// Waits until the connector follows the log.
    pub(crate) fn wait_started(&self, before: &Before) {
        match self {
            Self::Postgres(database) => database.wait_streamed(true),
            Self::MySql(database) => database.wait_reader_after(before.0),
        }
    }

    /// Waits until the connector has left its slot. A MySQL server would not tell.
    pub(crate) fn wait_stopped(&self) {
        if let Self::Postgres(database) = self {
            database.wait_streamed(false);
        }
    }

    /// Whether a record of the schema-change topic is about the scenario's own databases, or about none. By default
    /// Debezium also tells of every other one on the server.
    pub(crate) fn is_about(&self, value: Option<&[u8]>) -> bool {
        let Self::MySql(database) = self else { return true };
        let parsed = value.and_then(|v| std::str::from_utf8(v).ok()).and_then(Json::parse);
        let name = parsed.as_ref().map(payload).and_then(|v| v.get("databaseName")).and_then(Json::as_text);
        name.is_none_or(|name| name.is_empty() || is_mine(&database.name, name, SCENARIOS.as_slice()))
    }

    pub(crate) fn is_mysql(&self) -> bool {
        matches!(self, Self::MySql(_))
    }
}

#[cfg(test)]
mod tests {
    use super::super::rig::statements;
    use super::is_mine;

    #[test]
    fn statements_end_at_lines_and_before_spaces() {
        let sql = "a; b;\nc('x;y') /* ;*/;\n\nset x = ';'; begin d;/**/\n end;";
        assert_eq!(statements(sql), ["a", " b", "c('x;y') /* ;*/", "\nset x = ';'", " begin d;/**/\n end"]);
    }

    #[test]
    fn databases_beside_a_scenarios_own_are_told_by_name() {
        let scenarios = ["c_my_a", "c_my_a_b", "c_my"].map(str::to_owned);
        let mine = |database| is_mine("c_my_a", database, &scenarios);
        assert_eq!(["c_my_a", "c_my_a_d-b"].map(mine), [true, true]);
        assert_eq!(["c_my_a_b", "c_my_a_b_c", "c_my_ab", "c_my", "x_c_my_a"].map(mine), [false; 5]);
    }
}
