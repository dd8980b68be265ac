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
    environment: Vec<(String, String)>,
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
        let environment = environment.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        Self { dir, kind, arguments, environment, address }
    }

    /// Starts a Kafka broker.
    pub fn kafka() -> Self {
        Self::start("kafka", &[], &[("AFTERIMAGE_KAFKA_HEAP", "384m")])
    }

    /// Starts a Kafka broker with further lines in its properties.
    pub fn kafka_with(lines: &str) -> Self {
        Self::start("kafka", &[], &[("AFTERIMAGE_KAFKA_HEAP", "384m"), ("AFTERIMAGE_KAFKA_EXTRA", lines)])
    }

    /// Starts a Kafka broker with further listeners (such as `LOGIN:SASL_SSL`) and lines in its properties. Its own address
    /// speaks plain text; [`Self::listener`] has those of the others.
    pub fn kafka_secured(listeners: &[&str], lines: &str) -> Self {
        Self::kafka_secured_by(listeners, lines, "")
    }

    /// The same with options of its Java.
    pub fn kafka_secured_by(listeners: &[&str], lines: &str, java: &str) -> Self {
        let listeners = listeners.join(" ");
        let environment = [
            ("AFTERIMAGE_KAFKA_HEAP", "384m"),
            ("AFTERIMAGE_KAFKA_EXTRA", lines),
            ("AFTERIMAGE_KAFKA_LISTENERS", &listeners),
            ("JAVA_TOOL_OPTIONS", java),
        ];
        Self::start("kafka", &[], &environment)
    }

    /// `localhost:port` of a further listener.
    pub fn listener(&self, name: &str) -> String {
        let file = self.dir.path().join(format!("state/listener-{name}"));
        std::fs::read_to_string(file).unwrap().trim().to_owned()
    }

    /// Gives a user a password for SCRAM.
    #[track_caller]
    pub fn kafka_user(&self, name: &str, password: &str) {
        // The broker takes one credential of a user in a request.
        for mechanism in ["SCRAM-SHA-256", "SCRAM-SHA-512"] {
            let credential = format!("{mechanism}=[password={password}]");
            let arguments = ["--alter", "--add-config", &credential, "--entity-type", "users", "--entity-name", name];
            script(&[], &[&["configs", self.address.as_str()], &arguments[..]].concat()).unwrap();
        }
    }

    /// Runs Kafka's tool for access rules on this broker.
    #[track_caller]
    pub fn kafka_acls(&self, arguments: &[&str]) {
        let address = self.address.as_str();
        script(&[], &[&["acls", address], arguments].concat()).unwrap();
    }

    /// Starts a PostgreSQL with the given `wal_level`.
    pub fn postgres(wal_level: &str) -> Self {
        Self::start("postgres", &[], &[("AFTERIMAGE_WAL_LEVEL", wal_level)])
    }

    /// Starts a MySQL with further options of the server, separated by blanks.
    pub fn mysql(options: &str) -> Self {
        Self::start("mysql", &[], &[("AFTERIMAGE_MYSQL_EXTRA", options)])
    }

    /// The same for MariaDB.
    pub fn mariadb(options: &str) -> Self {
        Self::start("mariadb", &[], &[("AFTERIMAGE_MARIADB_EXTRA", options)])
    }

    /// Starts a Java Connect worker in `group`. With `wait` false, its start is not waited for.
    pub fn connect(broker: &str, group: &str, wait: bool) -> Self {
        let environment: &[(&str, &str)] = if wait { &[] } else { &[("AFTERIMAGE_NO_WAIT", "1")] };
        Self::start("connect", &[broker, group], environment)
    }

    /// Starts a Java Connect worker in `group` with the plug-ins of a folder.
    pub fn connect_with(broker: &str, group: &str, plugins: &str) -> Self {
        Self::connect_as(broker, group, &[("plugin.path", plugins)])
    }

    /// Starts a Java Connect worker in `group` with these properties.
    pub fn connect_as(broker: &str, group: &str, properties: &[(&str, &str)]) -> Self {
        let lines: Vec<String> = properties.iter().map(|(key, value)| format!("{key}={value}")).collect();
        Self::start("connect", &[broker, group], &[("AFTERIMAGE_CONNECT_EXTRA", &lines.join("\n"))])
    }

    /// Starts the PostgreSQL whose programs are in this folder.
    pub fn postgres_of(bin: &str) -> Self {
        Self::start("postgres", &[], &[("AFTERIMAGE_POSTGRES_BIN", bin)])
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

    /// The id of the server's process.
    pub fn pid(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("state/pid")).unwrap_or_default().trim().to_owned()
    }

    /// Has the server's process stand still (`true`), or go on.
    pub fn freeze(&self, yes: bool) {
        assert!(super::kill(if yes { "-STOP" } else { "-CONT" }, &self.pid()));
    }

    /// Stops the server; with `now` it is killed. The state stays.
    pub fn stop(&self, now: bool) {
        let place = self.dir.path().join("state").display().to_string();
        let arguments: &[&str] = if now { &["stop", "--now", &place] } else { &["stop", &place] };
        script(&[], arguments).unwrap();
    }

    /// Sends the server's process a signal (such as `-STOP`).
    pub fn signal(&self, signal: &str) {
        let pid = std::fs::read_to_string(self.dir.path().join("state/pid")).unwrap_or_default();
        assert!(super::kill(signal, pid.trim()), "kill {signal} failed");
    }

    /// Whether the server's process runs.
    pub fn is_alive(&self) -> bool {
        let pid = self.pid();
        !pid.is_empty() && super::kill("-0", &pid)
    }

    /// Starts the server again with its state, on its old port.
    pub fn start_again(&mut self) {
        let place = self.dir.path().join("state").display().to_string();
        let port = self.address.rsplit(':').next().unwrap().to_owned();
        let mut all = vec![self.kind, &place];
        all.extend(self.arguments.iter().map(String::as_str));
        all.push(&port);
        let environment: Vec<(&str, &str)> = self.environment.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        self.address = script(&environment, &all).unwrap_or_else(|e| panic!("{} did not come back: {e}", self.kind));
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
