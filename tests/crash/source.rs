//! The database of an ordeal, on one of the three servers, and the sessions of its writers.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value};

use super::rig::{Database, MySqlDatabase, MySqlSession, Product, Server, Session, wait_until};
use super::writers::{TABLES, WRITERS};

/// Which server an ordeal is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// PostgreSQL, with the superuser, or with the role that has the documented minimum of rights.
    Postgres { is_minimal: bool },
    /// MySQL. Writers compress some of their transactions.
    MySql { has_gtids: bool },
    /// MariaDB, which compresses the events of rows.
    MariaDb,
}

pub(crate) enum Source {
    Postgres { database: Database, is_minimal: bool },
    MySql { database: MySqlDatabase, broker: String, _server: Server },
}

/// A session of a writer.
pub(crate) enum Link {
    Postgres(Session),
    /// With whether the server lets a session choose compression.
    MySql(MySqlSession, bool),
}

impl Link {
    #[track_caller]
    pub(crate) fn run(&self, sql: &str) {
        match self {
            Self::Postgres(session) => session.run(sql),
            Self::MySql(session, _) => session.run(sql),
        }
    }
}

impl Source {
    /// Creates the database. MySQL and MariaDB run as servers of their own, with options that no other test wants. The
    /// schema history is on `broker`.
    pub(crate) fn create(kind: Kind, label: &str, broker: &str) -> Self {
        let (product, server) = match kind {
            Kind::Postgres { is_minimal } => return Self::Postgres { database: Database::create(label), is_minimal },
            Kind::MySql { has_gtids: true } => (Product::MySql, Server::mysql("")),
            Kind::MySql { has_gtids: false } => {
                (Product::MySql, Server::mysql("--gtid-mode=OFF --enforce-gtid-consistency=OFF"))
            }
            Kind::MariaDb => (Product::MariaDb, Server::mariadb("--log-bin-compress=ON --log-bin-compress-min-len=10")),
        };
        let database = MySqlDatabase::create_at(product, server.address(), &super::rig::unique(label));
        Self::MySql { database, broker: broker.to_owned(), _server: server }
    }

    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Postgres { database, .. } => &database.name,
            Self::MySql { database, .. } => &database.name,
        }
    }

    fn run(&self, sql: &str) {
        match self {
            Self::Postgres { database, .. } => database.run(sql),
            Self::MySql { database, .. } => database.run(sql),
        }
    }

    pub(crate) fn session(&self) -> Link {
        match self {
            Self::Postgres { database, .. } => Link::Postgres(database.session()),
            Self::MySql { database, .. } => {
                let session = database.session();
                // Without locks on gaps, in which the writers would wait for each other and end in deadlocks.
                session.run("set session transaction isolation level read committed");
                Link::MySql(session, database.product == Product::MySql)
            }
        }
    }

    /// Creates the tables and fills them with rows `0..rows`.
    pub(crate) fn fill(&self, rows: i64) {
        let numbers = match self {
            Self::Postgres { .. } => format!("generate_series(0, {rows} - 1) i"),
            Self::MySql { .. } => {
                self.run("create table numbers(i bigint primary key); insert into numbers values (0)");
                let doublings = (0..).map(|bit| 1_i64 << bit).take_while(|step| *step < rows);
                doublings.for_each(|step| self.run(&format!("insert into numbers select i + {step} from numbers")));
                format!("numbers where i < {rows}")
            }
        };
        let name = match self {
            Self::Postgres { .. } => format!("'w' || i % {WRITERS} || ' filled'"),
            Self::MySql { .. } => format!("concat('w', i % {WRITERS}, ' filled')"),
        };
        for table in 0..TABLES {
            self.run(&format!("create table t{table}(id bigint primary key, ver bigint not null, note varchar(40))"));
            self.run(&format!("insert into t{table} select i, 0, {name} from {numbers}"));
            if let Self::MySql { .. } = self {
                // So that the server looks rows up by their keys from the first statement on. Where it reads the whole table,
                // the writers wait for each other's rows and end in deadlocks.
                self.run(&format!("analyze table t{table}"));
            }
        }
        match self {
            // The deletes of this table carry the whole row, those of the other tables only the key.
            Self::Postgres { .. } => self.run("alter table t1 replica identity full"),
            Self::MySql { .. } => self.run("drop table numbers"),
        }
    }

    /// The content of the rows of a table, by key.
    pub(crate) fn content(&self, table: usize) -> BTreeMap<i64, String> {
        let rows = match self {
            Self::Postgres { database, .. } => database.rows(&format!("select id, ver || '|' || note from t{table}")),
            Self::MySql { database, .. } => database.rows(&format!("select id, concat(ver, '|', note) from t{table}")),
        };
        rows.into_iter().map(|r| (r[0].as_ref().unwrap().parse().unwrap(), r[1].clone().unwrap())).collect()
    }

    /// The topic of a table.
    pub(crate) fn topic(&self, table: usize) -> String {
        match self {
            Self::Postgres { database, .. } => format!("{}.public.t{table}", database.name),
            Self::MySql { database, .. } => format!("{0}.{0}.t{table}", database.name),
        }
    }

    pub(crate) fn connector(&self, more: &[(&str, &str)]) -> Map<String, Value> {
        match self {
            Self::Postgres { database, is_minimal } => {
                let mut config = database.connector(more);
                if *is_minimal {
                    config.extend(database.minimal_role().map(|(key, value)| (key.to_owned(), Value::from(value))));
                }
                config
            }
            Self::MySql { database, broker, .. } => database.connector_at(broker, more),
        }
    }

    /// A mark of the present reader of the log, for [`Self::wait_followed_after`].
    pub(crate) fn reader(&self) -> u64 {
        match self {
            Self::Postgres { .. } => 0,
            Self::MySql { database, .. } => database.reader(),
        }
    }

    /// Waits until the log is followed: in MySQL by a newer reader than `reader`, because the server does not notice
    /// soon that a killed one has gone.
    pub(crate) fn wait_followed_after(&self, reader: u64, limit: Duration) {
        wait_until("the log is followed", limit, || self.is_followed_after(reader));
    }

    /// Whether the log is followed, by a newer reader than `reader`.
    pub(crate) fn is_followed_after(&self, reader: u64) -> bool {
        match self {
            Self::Postgres { database, .. } => database.is_streamed(),
            Self::MySql { database, .. } => database.reader() > reader,
        }
    }

    /// Ends the connection on which the log is followed.
    pub(crate) fn end_reader(&self) {
        let ended = match self {
            Self::Postgres { database, .. } => {
                database.cell(
                    "select count(pg_terminate_backend(pid)) from pg_stat_replication where pid in
                    (select active_pid from pg_replication_slots where database = current_database())",
                ) != "0"
            }
            Self::MySql { database, .. } => database.end_reader(),
        };
        assert!(ended, "nobody followed the log");
    }
}
