//! A server of a test's own that `scripts/servers.sh` starts, for settings of a whole server.
//!
//! Must not know: what is tested.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::PathBuf;
use std::process::{Command, Stdio};

use postgres::wire::ConnectOptions;

const SERVERS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/servers.sh");

/// A running server. It and its state are removed when this is dropped.
pub struct Own {
    pub options: ConnectOptions,
    dir: PathBuf,
}

impl Own {
    /// `settings` are lines of `postgresql.conf`.
    pub fn start(name: &str, settings: &str) -> Self {
        let dir = std::env::temp_dir().join(format!("afterimage-own-pg-{}-{name}", std::process::id()));
        let out = Command::new(SERVERS)
            .arg("postgres")
            .arg(&dir)
            .env("AFTERIMAGE_POSTGRES_EXTRA", settings)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        let at = String::from_utf8_lossy(&out.stdout).trim().to_owned();
        let (host, port) = at.rsplit_once(':').unwrap();
        let options = ConnectOptions {
            host: host.into(),
            port: port.parse().unwrap(),
            user: "postgres".into(),
            dbname: "postgres".into(),
            ..ConnectOptions::default()
        };
        Self { options, dir }
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        let _ = Command::new(SERVERS).args(["stop", "--now"]).arg(&self.dir).status();
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}
