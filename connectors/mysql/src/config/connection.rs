//! Where the server is and how to speak to it.
//!
//! Must not know: how a connection is opened.

use std::path::PathBuf;
use std::time::Duration;

use relational::Credentials;
use settings::Reader;

use crate::Flavour;
use crate::wire::{ConnectOptions, MariaDbSslMode, MySqlSslMode, initial_statements};

/// The connections of one connector.
#[derive(Clone, Debug)]
pub struct Connection {
    /// What each connection is opened with.
    pub options: ConnectOptions,
    /// `database.server.id`.
    pub server_id: u32,
    /// How often an idle server is to show that it lives, in milliseconds; 0 for never: 0.8 of
    /// `connect.keep.alive.interval.ms`, unless `connect.keep.alive` is false.
    pub heartbeat_ms: u64,
    /// `binlog.net.write.timeout` in seconds; 0 leaves the server's.
    pub net_write_timeout_s: u64,
    /// `binlog.net.read.timeout` in seconds; 0 leaves the server's.
    pub net_read_timeout_s: u64,
    /// How long the test connection of a validation may take.
    pub validation_timeout: Duration,
}

impl Connection {
    pub(super) fn read(r: &mut Reader<'_>, flavour: Flavour) -> Self {
        Self {
            options: options(r, flavour),
            server_id: server_id(r),
            heartbeat_ms: heartbeat_ms(r),
            net_write_timeout_s: seconds(r, "binlog.net.write.timeout"),
            net_read_timeout_s: seconds(r, "binlog.net.read.timeout"),
            validation_timeout: r.millis("connection.validation.timeout.ms"),
        }
    }
}

fn options(r: &mut Reader<'_>, flavour: Flavour) -> ConnectOptions {
    let port = u16::try_from(r.int("database.port")).unwrap_or_else(|_| {
        r.refuse("database.port", "A port between 0 and 65535 is expected");
        0
    });
    let tls = match flavour {
        Flavour::MySql => r.choice("database.ssl.mode", MySqlSslMode::Preferred).into(),
        Flavour::MariaDb => r.choice("database.ssl.mode", MariaDbSslMode::Disable).into(),
    };
    let path = |r: &mut Reader<'_>, name| r.text_or_none(name).filter(|path| !path.is_empty()).map(PathBuf::from);
    ConnectOptions {
        host: r.text("database.hostname"),
        port,
        user: r.text("database.user"),
        password: r.secret("database.password").unwrap_or_default(),
        credentials: Credentials::read(r),
        tls,
        keystore: path(r, "database.ssl.keystore"),
        keystore_password: r.secret("database.ssl.keystore.password").unwrap_or_default(),
        truststore: path(r, "database.ssl.truststore"),
        truststore_password: r.secret("database.ssl.truststore.password").unwrap_or_default(),
        connect_timeout_ms: r.millis("connect.timeout.ms").as_millis() as u64,
        abrupt_close: r.boolean("use.nongraceful.disconnect"),
        query_timeout_ms: r.millis("database.query.timeout.ms").as_millis() as u64,
        initial_statements: initial_statements(&r.text("database.initial.statements")),
        ..ConnectOptions::default()
    }
}

/// The protocol has room for 32 bits.
fn server_id(r: &mut Reader<'_>) -> u32 {
    u32::try_from(r.long("database.server.id")).unwrap_or_else(|_| {
        r.refuse("database.server.id", "A number between 1 and 4294967295 is expected");
        0
    })
}

fn heartbeat_ms(r: &mut Reader<'_>) -> u64 {
    let interval_ms = r.millis("connect.keep.alive.interval.ms").as_millis() as u64;
    if r.boolean("connect.keep.alive") { interval_ms * 8 / 10 } else { 0 }
}

fn seconds(r: &mut Reader<'_>, name: &str) -> u64 {
    u64::try_from(r.long(name)).unwrap_or(0)
}
