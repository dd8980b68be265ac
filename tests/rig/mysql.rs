//! A database of one test on a MySQL or MariaDB server.
//!
//! Its connector has a user of its own with the documented minimum of rights, by which the server's list of processes
//! tells whether that connector reads the binlog.

use std::sync::{LazyLock, Mutex};
use std::time::Duration;

use fancy_regex::Regex;
use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, OptsBuilder, Row, Value as Cell};
use serde_json::{Map, Value, json};

use super::database::RUNTIME;
use super::{kafka_address, wait_until};

/// Which of the two products a server is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Product {
    MySql,
    MariaDb,
}

impl Product {
    /// Both products, for tests that run on each.
    pub const BOTH: [Self; 2] = [Self::MySql, Self::MariaDb];

    /// `mysql` or `mariadb`: the name in `source.connector` and in scripts.
    pub fn name(self) -> &'static str {
        match self {
            Self::MySql => "mysql",
            Self::MariaDb => "mariadb",
        }
    }

    /// `host:port` of the server of this product that all tests share. root has no password there.
    pub fn address(self) -> String {
        super::wanted(match self {
            Self::MySql => "AFTERIMAGE_TEST_MYSQL",
            Self::MariaDb => "AFTERIMAGE_TEST_MARIADB",
        })
    }
}

/// The statements of a text. One ends with a semicolon at the end of a line, or before a space.
pub fn statements(sql: &str) -> Vec<&str> {
    static END: LazyLock<Regex> = LazyLock::new(|| Regex::new(r";[ \t]*(?:\n|$)|;(?= )").unwrap());
    END.split(sql).map(Result::unwrap).filter(|statement| !statement.trim().is_empty()).collect()
}

/// One connection, as root.
pub struct MySqlSession(Mutex<Conn>);

impl MySqlSession {
    /// Connects as root, who needs no password. With an empty name no database is chosen.
    pub fn connect(address: &str, database: &str) -> Self {
        let (host, port) = address.rsplit_once(':').unwrap();
        let options = OptsBuilder::default()
            .ip_or_hostname(host)
            .tcp_port(port.parse().unwrap())
            .user(Some("root"))
            .db_name((!database.is_empty()).then_some(database))
            .prefer_socket(false)
            .init(vec!["set names utf8mb4", "set time_zone = '+00:00'"]);
        let conn = RUNTIME.block_on(Conn::new(options)).unwrap_or_else(|e| panic!("{address}: {e}"));
        Self(Mutex::new(conn))
    }

    /// Runs statements, each of them a transaction unless there is a begin before it.
    pub fn try_run(&self, sql: &str) -> Result<(), String> {
        let mut conn = self.0.lock().unwrap();
        for statement in statements(sql) {
            RUNTIME.block_on(conn.query_drop(statement)).map_err(|e| format!("{e}\nin: {statement}"))?;
        }
        Ok(())
    }

    /// Like [`Self::try_run`], but panics on an error.
    #[track_caller]
    pub fn run(&self, sql: &str) {
        self.try_run(sql).unwrap_or_else(|e| panic!("{e}"));
    }

    /// The rows of a query, with each cell as text.
    #[track_caller]
    pub fn rows(&self, sql: &str) -> Vec<Vec<Option<String>>> {
        let mut conn = self.0.lock().unwrap();
        let rows: Vec<Row> = RUNTIME.block_on(conn.query(sql)).unwrap_or_else(|e| panic!("{e}\nin: {sql}"));
        let text = |cell| match cell {
            Cell::NULL => None,
            Cell::Bytes(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
            other => panic!("not the text protocol: {other:?}"),
        };
        rows.into_iter().map(|row| row.unwrap().into_iter().map(text).collect()).collect()
    }

    /// The first cell of a query; empty for NULL and when there is no row.
    #[track_caller]
    pub fn cell(&self, sql: &str) -> String {
        self.rows(sql).into_iter().next().and_then(|row| row.into_iter().next().flatten()).unwrap_or_default()
    }
}

/// A new database. It is dropped at the end, with those whose names are its own, an underscore and more.
pub struct MySqlDatabase {
    /// Name of the database, and prefix of its topics.
    pub name: String,
    /// Name of the connector's user, whose password is `cdc`.
    pub user: String,
    pub product: Product,
    address: String,
    server_id: u32,
    admin: MySqlSession,
    session: MySqlSession,
}

impl MySqlDatabase {
    /// Creates a database with a unique name on the shared server of this product.
    pub fn create(product: Product, label: &str) -> Self {
        Self::create_at(product, &product.address(), &super::unique(label))
    }

    /// Creates a database with exactly this name on the server at `address`.
    pub fn create_at(product: Product, address: &str, name: &str) -> Self {
        let admin = MySqlSession::connect(address, "");
        let user = format!("cdc_{name}");
        drop_all(&admin, name, &user);
        // MariaDB has an anonymous user at localhost, which would come before a user at any host.
        for host in ["%", "localhost"] {
            let account = format!("'{user}'@'{host}'");
            admin.run(&format!("create user {account} identified by 'cdc'"));
            admin.run(&format!(
                "grant select, reload, lock tables, show databases, replication slave, replication client on *.* to {account}"
            ));
        }
        // After the user: a test that ends meanwhile knows by the user that this database is not one of its own.
        admin.run(&format!("create database {name}"));
        let session = MySqlSession::connect(address, name);
        let server_id = rand::random_range(1000..4_000_000);
        Self { name: name.to_owned(), user, product, address: address.to_owned(), server_id, admin, session }
    }

    /// Lets the connector's user write to this database, as a heartbeat's statement does.
    pub fn allow_writes(&self) {
        for host in ["%", "localhost"] {
            self.admin.run(&format!("grant insert, update, delete on {}.* to '{}'@'{host}'", self.name, self.user));
        }
    }

    /// Runs statements in the session of this database.
    #[track_caller]
    pub fn run(&self, sql: &str) {
        self.session.run(sql);
    }

    /// The rows of a query, with each cell as text.
    #[track_caller]
    pub fn rows(&self, sql: &str) -> Vec<Vec<Option<String>>> {
        self.session.rows(sql)
    }

    /// The first cell of a query.
    #[track_caller]
    pub fn cell(&self, sql: &str) -> String {
        self.session.cell(sql)
    }

    /// Opens another connection.
    pub fn session(&self) -> MySqlSession {
        MySqlSession::connect(&self.address, &self.name)
    }

    /// The number of the connection on which the connector's user reads the binlog, the newest of several; 0 when there
    /// is none. A server sees the end of a reader only when it has something to send, so the number of an ended reader
    /// stays for a while.
    pub fn reader(&self) -> u64 {
        let rows = self.admin.rows("show processlist");
        let text = |row: &[Option<String>], at: usize| row[at].clone().unwrap_or_default();
        let reads = |row: &&Vec<_>| text(row, 1) == self.user && text(row, 4).starts_with("Binlog Dump");
        rows.iter().filter(reads).map(|row| text(row, 0).parse().unwrap()).max().unwrap_or(0)
    }

    /// How many connections the connector's user has.
    pub fn sessions(&self) -> usize {
        self.admin.rows("show processlist").iter().filter(|row| row[1].as_ref() == Some(&self.user)).count()
    }

    /// Waits until the connector reads the binlog on a newer connection than `reader`.
    #[track_caller]
    pub fn wait_reader_after(&self, reader: u64) {
        wait_until(&format!("{} reads the binlog", self.user), Duration::from_secs(60), || self.reader() > reader);
    }

    /// Ends the connections on which the connector's user reads the binlog. Returns whether there was one.
    pub fn end_reader(&self) -> bool {
        let reader = self.reader();
        reader > 0 && self.admin.try_run(&format!("kill {reader}")).is_ok()
    }

    /// A connector's configuration for this database, with the keys that a user would write, and `more`.
    pub fn connector(&self, more: &[(&str, &str)]) -> Map<String, Value> {
        self.connector_at(&kafka_address(), more)
    }

    /// Like [`Self::connector`], with the schema history on the broker at `broker`.
    pub fn connector_at(&self, broker: &str, more: &[(&str, &str)]) -> Map<String, Value> {
        let (host, port) = self.address.rsplit_once(':').unwrap();
        let class = match self.product {
            Product::MySql => "io.debezium.connector.mysql.MySqlConnector",
            Product::MariaDb => "io.debezium.connector.mariadb.MariaDbConnector",
        };
        let Value::Object(mut config) = json!({
            "connector.class": class,
            "database.hostname": host,
            "database.port": port,
            "database.user": self.user,
            "database.password": "cdc",
            "database.server.id": self.server_id.to_string(),
            "topic.prefix": self.name,
            "database.include.list": self.name,
            "schema.history.internal.kafka.bootstrap.servers": broker,
            "schema.history.internal.kafka.topic": format!("history.{}", self.name),
            "database.ssl.mode": if self.product == Product::MySql { "disabled" } else { "disable" },
        }) else {
            unreachable!()
        };
        if self.product == Product::MySql {
            config.insert("driver.allowPublicKeyRetrieval".to_owned(), "true".into());
        }
        for (key, value) in more {
            config.insert((*key).to_owned(), Value::from(*value));
        }
        config
    }
}

/// A place in the binlog: file, position, and the GTIDs that were executed before it.
pub struct Place {
    pub file: String,
    pub position: u64,
    pub gtids: String,
}

impl Place {
    /// The present end of the server's binlog.
    pub fn now(database: &MySqlDatabase) -> Self {
        let (status, gtids) = match database.product {
            Product::MySql => ("show binary log status", "select replace(@@global.gtid_executed, '\n', '')"),
            Product::MariaDb => ("show master status", "select @@global.gtid_binlog_pos"),
        };
        let status = database.rows(status).remove(0);
        let text = |at: usize| status[at].clone().unwrap();
        Self { file: text(0), position: text(1).parse().unwrap(), gtids: database.cell(gtids) }
    }

    /// A text of a stored offset or schema history with this place instead of its own.
    pub fn put_into(&self, text: &str) -> String {
        let replaced = |text: String, pattern: &str, by: &str| {
            let by = |found: &fancy_regex::Captures<'_>| format!("{}{by}", &found[1]);
            fancy_regex::Regex::new(pattern).unwrap().replace_all(&text, by).into_owned()
        };
        let text = replaced(text.to_owned(), r#"("file"\s*:\s*)"[^"]*""#, &format!("\"{}\"", self.file));
        let text = replaced(text, r#"("pos"\s*:\s*)\d+"#, &self.position.to_string());
        replaced(text, r#"("gtids"\s*:\s*)"[^"]*""#, &format!("\"{}\"", self.gtids))
    }
}

/// Whether `database` is the one with this name, or one beside it: the name, an underscore and more.
pub fn is_of(name: &str, database: &str) -> bool {
    database.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
}

/// Drops the database, those beside it, and the users of its test. A database with a connector's user of its own belongs
/// to another test.
fn drop_all(admin: &MySqlSession, name: &str, user: &str) {
    let first = |sql: &str| admin.rows(sql).into_iter().filter_map(|row| row.into_iter().next().flatten());
    let databases: Vec<String> = first("show databases").collect();
    let users: Vec<String> = first("select user from mysql.user").collect();
    for database in databases {
        if database == name || (is_of(name, &database) && !users.contains(&format!("cdc_{database}"))) {
            admin.try_run(&format!("drop database `{database}`")).ok();
        }
    }
    for host in ["%", "localhost"] {
        for user in [user, name] {
            admin.try_run(&format!("drop user if exists '{user}'@'{host}'")).ok();
        }
    }
}

impl Drop for MySqlDatabase {
    fn drop(&mut self) {
        drop_all(&self.admin, &self.name, &self.user);
    }
}
