//! A database of one test on a PostgreSQL server.

use std::sync::LazyLock;
use std::time::Duration;

use futures_util::SinkExt as _;
use serde_json::{Map, Value, json};
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

use super::wait_until;

/// Drives the sockets of all sessions. The tests themselves are plain threads.
pub(super) static RUNTIME: LazyLock<tokio::runtime::Runtime> =
    LazyLock::new(|| tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap());

/// One connection to a database.
pub struct Session(Client);

impl Session {
    /// Connects as the superuser, who needs no password.
    pub fn connect(address: &str, database: &str) -> Self {
        let (host, port) = address.split_once(':').unwrap();
        let target = format!("host={host} port={port} user=postgres dbname={database}");
        let (client, connection) = RUNTIME.block_on(tokio_postgres::connect(&target, NoTls)).unwrap();
        // When the connection ends, the client's next call reports the error.
        RUNTIME.spawn(async move { connection.await.ok() });
        Self(client)
    }

    /// Runs statements. They are one transaction, unless they contain begin and commit.
    pub fn try_run(&self, sql: &str) -> Result<(), String> {
        RUNTIME.block_on(self.0.batch_execute(sql)).map_err(|e| match e.as_db_error() {
            Some(db) => format!("{}: {}", db.code().code(), db.message()),
            None => e.to_string(),
        })
    }

    /// Like [`Self::try_run`], but panics on an error.
    #[track_caller]
    pub fn run(&self, sql: &str) {
        self.try_run(sql).unwrap_or_else(|e| panic!("{e}\nin: {sql}"));
    }

    /// Runs COPY … FROM STDIN with these lines.
    #[track_caller]
    pub fn copy(&self, sql: &str, lines: String) {
        let copied = RUNTIME.block_on(async {
            let mut sink = std::pin::pin!(self.0.copy_in::<_, bytes::Bytes>(sql).await?);
            sink.send(lines.into()).await?;
            sink.close().await
        });
        copied.unwrap_or_else(|e| panic!("{e}\nin: {sql}"));
    }

    /// The rows of a query, with each cell as text.
    #[track_caller]
    pub fn rows(&self, sql: &str) -> Vec<Vec<Option<String>>> {
        let messages = RUNTIME.block_on(self.0.simple_query(sql)).unwrap_or_else(|e| panic!("{e}\nin: {sql}"));
        let rows =
            messages.into_iter().filter_map(|m| if let SimpleQueryMessage::Row(row) = m { Some(row) } else { None });
        rows.map(|row| (0..row.len()).map(|i| row.get(i).map(str::to_owned)).collect()).collect()
    }

    /// The first cell of a query; empty for NULL and when there is no row.
    #[track_caller]
    pub fn cell(&self, sql: &str) -> String {
        self.rows(sql).into_iter().next().and_then(|row| row.into_iter().next().flatten()).unwrap_or_default()
    }
}

/// A new database. It is dropped with its slots at the end.
pub struct Database {
    /// Name of the database, and also of its slot and publication, and the prefix of its topics.
    pub name: String,
    address: String,
    admin: Session,
    session: Session,
}

impl Database {
    /// Creates a database with a unique name on the shared PostgreSQL server.
    pub fn create(label: &str) -> Self {
        Self::create_at(&super::postgres_address(), &super::unique(label))
    }

    /// Creates a database with exactly this name on the server at `address`.
    pub fn create_at(address: &str, name: &str) -> Self {
        let admin = Session::connect(address, "postgres");
        drop_all(&admin, name);
        admin.run(&format!("create database {name}"));
        let session = Session::connect(address, name);
        session.run("set timezone to 'UTC'");
        Self { name: name.to_owned(), address: address.to_owned(), admin, session }
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
    pub fn session(&self) -> Session {
        Session::connect(&self.address, &self.name)
    }

    /// Host and port of the server.
    pub fn address(&self) -> (&str, &str) {
        self.address.split_once(':').unwrap()
    }

    /// Whether a process streams from the slot with the name of the database.
    pub fn is_streamed(&self) -> bool {
        let sql = format!("select 1 from pg_replication_slots where slot_name = '{}' and active", self.name);
        !self.admin.rows(&sql).is_empty()
    }

    /// Waits until a process streams from the slot (`yes`), or none does any more.
    #[track_caller]
    pub fn wait_streamed(&self, yes: bool) {
        wait_until(&format!("slot {} active: {yes}", self.name), Duration::from_secs(30), || self.is_streamed() == yes);
    }

    /// Creates the role with the documented minimum of rights: REPLICATION, SELECT, and a publication created
    /// beforehand. The tables must exist already. Returns the settings for the connector's configuration.
    pub fn minimal_role(&self) -> [(&'static str, String); 3] {
        let role = format!("role_{}", self.name);
        self.run(&format!(
            "create role {role} login replication password 'minimal';
             do $$ declare s text; begin
               for s in select nspname from pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema' loop
                 execute format('grant usage on schema %I to {role}; grant select on all tables in schema %I to {role}', s, s);
               end loop; end $$;
             create publication {} for all tables",
            self.name
        ));
        [
            ("database.user", role),
            ("database.password", "minimal".to_owned()),
            ("publication.autocreate.mode", "disabled".to_owned()),
        ]
    }

    /// A connector's configuration for this database, with the keys that a user would write, and `more`.
    pub fn connector(&self, more: &[(&str, &str)]) -> Map<String, Value> {
        let (host, port) = self.address();
        let Value::Object(mut config) = json!({
            "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
            "database.hostname": host,
            "database.port": port,
            "database.user": "postgres",
            "database.password": "postgres",
            "database.dbname": self.name,
            "topic.prefix": self.name,
            "plugin.name": "pgoutput",
            "slot.name": self.name,
            "publication.name": self.name,
            "publication.autocreate.mode": "filtered",
        }) else {
            unreachable!()
        };
        for (key, value) in more {
            config.insert((*key).to_owned(), Value::from(*value));
        }
        config
    }
}

/// Ends the sessions that use the database, and drops its slots, the database and its role.
fn drop_all(admin: &Session, name: &str) {
    let end = format!(
        "select pg_terminate_backend(active_pid) from pg_replication_slots where database = '{name}' and active_pid is not null"
    );
    let gone =
        format!("select pg_drop_replication_slot(slot_name) from pg_replication_slots where database = '{name}'");
    let _ = admin.try_run(&end);
    super::within(Duration::from_secs(5), || admin.try_run(&gone).is_ok());
    admin.try_run(&format!("drop database if exists {name} with (force)")).ok();
    // Dropped after the database, because the role's grants go with the database.
    admin.try_run(&format!("drop role if exists role_{name}")).ok();
}

impl Drop for Database {
    fn drop(&mut self) {
        drop_all(&self.admin, &self.name);
    }
}
