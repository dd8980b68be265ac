//! The rig of the whole-daemon tests: the daemon as a process, databases, topics, REST calls.
//!
//! Purpose: a test says in a few lines what it wants of the daemon, and leaves nothing behind. `make test` starts one
//! PostgreSQL, MySQL, MariaDB, Kafka and schema registry for all tests and passes their addresses in environment variables.
//! A test that breaks a server starts its own through the same script. A test without its servers fails; it is never skipped.
//!
//! Must not know: the daemon's insides. Everything goes through its command line, its REST API, the database and topics.
#![allow(dead_code, unused_imports, unreachable_pub, reason = "each test program uses its own part of the rig")]

mod certificates;
mod daemon;
mod database;
mod http;
mod kafka;
mod mysql;
mod process;
mod registry;
mod server;

pub use certificates::{Certificates, KEY_PASSWORD, STORE_PASSWORD};
pub use daemon::{Daemon, Options, Signal};
pub use database::{Database, Session};
pub use http::{Answer, ask};
pub use kafka::{Kafka, Message, Tail};
pub use mysql::{MySqlDatabase, MySqlSession, Place, Product, is_of, statements};
pub use process::Footprint;
pub use registry::Registry;
pub use server::Server;

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// `host:port` of the Kafka broker that all tests share.
pub fn kafka_address() -> String {
    wanted("AFTERIMAGE_TEST_KAFKA")
}

/// `host:port` of the PostgreSQL server that all tests share.
pub fn postgres_address() -> String {
    wanted("AFTERIMAGE_TEST_POSTGRES")
}

/// `host:port` of the schema registry that all tests share. Subjects are the tests' own: name them with [`unique`].
pub fn registry_address() -> String {
    wanted("AFTERIMAGE_TEST_REGISTRY")
}

/// Whether this run is `make test-long`.
pub fn long() -> bool {
    std::env::var_os("AFTERIMAGE_TEST_LONG").is_some()
}

fn wanted(name: &str) -> String {
    std::env::var(name)
        .unwrap_or_else(|_| panic!("{name} is not set: run the tests with `make test` or scripts/test.sh"))
}

/// A name that no other test of this run uses.
pub fn unique(label: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!("{label}_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// Sends a signal (such as `-TERM`) and returns whether that worked. It uses the shell's own `kill`, because the
/// program `kill` comes with the package procps, which a small machine may lack.
pub fn kill(signal: &str, pid: &str) -> bool {
    let told = std::process::Command::new("sh").args(["-c", "kill $0 $1", signal, pid]).output();
    told.is_ok_and(|told| told.status.success())
}

/// Calls `yes` every 50 ms until it is true. Panics with `what` after `limit`.
#[track_caller]
pub fn wait_until(what: &str, limit: Duration, mut yes: impl FnMut() -> bool) {
    assert!(within(limit, &mut yes), "not within {limit:?}: {what}");
}

/// Like [`wait_until`], but returns whether `yes` became true.
pub fn within(limit: Duration, mut yes: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + limit;
    loop {
        if yes() {
            return true;
        }
        if Instant::now() > end {
            return false;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// A port that nobody listens on, below the range that the kernel uses for outgoing connections.
pub fn free_port() -> u16 {
    loop {
        let port = rand::random_range(20000..32000);
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
