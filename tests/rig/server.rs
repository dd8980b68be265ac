//! A server of one test, for tests that stop or restart it. Like the shared servers, it is started by
//! scripts/servers.sh.

use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

/// A running server with all its state in one directory. Both are removed when this is dropped.
pub struct Server {
    dir: TempDir,
    kind: &'static str,
    arguments: Vec<String>,
    address: String,
}

fn script(environment: &[(&str, &str)], arguments: &[&str]) -> Result<String, String> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("scripts/servers.sh");
    let out =
        Command::new(path).args(arguments).envs(environment.iter().copied()).output().map_err(|e| e.to_string())?;
    let said = String::from_utf8_lossy(&out.stdout).trim().to_owned();
    if out.status.success() { Ok(said) } else { Err(String::from_utf8_lossy(&out.stderr).into_owned()) }
}

impl Server {
    fn start(kind: &'static str, arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let dir = tempfile::Builder::new().prefix("afterimage-server").tempdir().unwrap();
        // PostgreSQL runs as another user (postgres), who must be able to reach the directory.
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o711);
        std::fs::set_permissions(dir.path(), open).unwrap();
        let place = dir.path().join("state").display().to_string();
        let all: Vec<&str> = [kind, &place].into_iter().chain(arguments.iter().copied()).collect();
        let address = script(environment, &all).unwrap_or_else(|e| panic!("{kind} did not start: {e}"));
        let arguments = arguments.iter().map(|s| (*s).to_owned()).collect();
        Self { dir, kind, arguments, address }
    }

    /// Starts a Kafka broker.
    pub fn kafka() -> Self {
        Self::start("kafka", &[], &[("AFTERIMAGE_KAFKA_HEAP", "384m")])
    }

    /// Starts a PostgreSQL with the given `wal_level`.
    pub fn postgres(wal_level: &str) -> Self {
        Self::start("postgres", &[], &[("AFTERIMAGE_WAL_LEVEL", wal_level)])
    }

    /// Starts a Java Connect worker in `group`. With `wait` false, its start is not waited for.
    pub fn connect(broker: &str, group: &str, wait: bool) -> Self {
        let environment: &[(&str, &str)] = if wait { &[] } else { &[("AFTERIMAGE_NO_WAIT", "1")] };
        Self::start("connect", &[broker, group], environment)
    }

    /// Starts a schema registry, which keeps its schemas over a restart.
    pub fn registry() -> Self {
        Self::start("registry", &[], &[])
    }

    /// `host:port` of the server.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The server's log.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("state/log")).unwrap_or_default()
    }

    /// Stops the server; with `now` it is killed. The state stays.
    pub fn stop(&self, now: bool) {
        let place = self.dir.path().join("state").display().to_string();
        let arguments: &[&str] = if now { &["stop", "--now", &place] } else { &["stop", &place] };
        script(&[], arguments).unwrap();
    }

    /// Whether the server's process runs.
    pub fn is_alive(&self) -> bool {
        let pid = std::fs::read_to_string(self.dir.path().join("state/pid")).unwrap_or_default();
        !pid.trim().is_empty() && super::kill("-0", pid.trim())
    }

    /// Starts the server again with its state, on its old port.
    pub fn start_again(&mut self) {
        let place = self.dir.path().join("state").display().to_string();
        let port = self.address.rsplit(':').next().unwrap().to_owned();
        let mut all = vec![self.kind, &place];
        all.extend(self.arguments.iter().map(String::as_str));
        all.push(&port);
        self.address = script(&[("AFTERIMAGE_KAFKA_HEAP", "384m")], &all)
            .unwrap_or_else(|e| panic!("{} did not come back: {e}", self.kind));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = self.log();
            let lines: Vec<&str> = log.lines().collect();
            eprintln!("--- the end of {}'s log ---\n{}", self.kind, lines[lines.len().saturating_sub(15)..].join("\n"));
        }
        self.stop(true);
    }
}
