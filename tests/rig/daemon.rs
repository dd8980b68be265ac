//! Runs the daemon as a process of one test.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};
use tempfile::TempDir;

use super::{Answer, ask, free_port, kafka_address, unique, wait_until, within};

/// A signal that a test may send to the daemon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// SIGKILL, like a crash.
    Kill,
    /// SIGTERM, like `docker stop`.
    Term,
    /// SIGSTOP, like a machine that is paused.
    Stop,
    /// SIGCONT, like a machine that goes on.
    Continue,
}

/// How the daemon is started.
#[derive(Debug, Clone)]
pub struct Options {
    /// `host:port` of the Kafka broker.
    pub broker: String,
    /// The group, with which the names of the three internal topics begin.
    pub group: String,
    /// Worker properties in addition to the usual ones.
    pub worker: Vec<(String, String)>,
    /// Environment variables.
    pub environment: Vec<(String, String)>,
    /// The offset file of stand-alone mode; without one the state is in topics.
    pub file: Option<PathBuf>,
    /// Whether the start waits until `GET /connectors` is 200.
    pub wait: bool,
    /// The port of a second listener, for https.
    pub https: Option<u16>,
}

impl Options {
    /// Options for a new group on the shared Kafka broker.
    pub fn new(label: &str) -> Self {
        let group = unique(label);
        Self {
            broker: kafka_address(),
            group,
            worker: Vec::new(),
            environment: Vec::new(),
            file: None,
            wait: true,
            https: None,
        }
    }

    /// Adds a worker property.
    #[must_use]
    pub fn with(mut self, key: &str, value: &str) -> Self {
        self.worker.push((key.to_owned(), value.to_owned()));
        self
    }
}

/// A running daemon, killed when this is dropped. Its log is shown when the test has failed.
pub struct Daemon {
    options: Options,
    dir: TempDir,
    port: u16,
    child: Option<Child>,
}

impl Daemon {
    /// Starts the daemon. Waits until it serves, unless the options say otherwise.
    pub fn start(options: Options) -> Self {
        let dir = tempfile::Builder::new().prefix("afterimage-daemon").tempdir().unwrap();
        let mut daemon = Self { options, dir, port: free_port(), child: None };
        daemon.spawn();
        daemon
    }

    fn properties(&self) -> String {
        let Options { broker, group, worker, .. } = &self.options;
        let mut lines = vec![
            format!("bootstrap.servers={broker}"),
            format!("group.id={group}"),
            match self.options.https {
                None => format!("listeners=http://127.0.0.1:{}", self.port),
                Some(https) => format!("listeners=http://127.0.0.1:{},https://127.0.0.1:{https}", self.port),
            },
            "key.converter=org.apache.kafka.connect.json.JsonConverter".to_owned(),
            "value.converter=org.apache.kafka.connect.json.JsonConverter".to_owned(),
            "offset.flush.interval.ms=1000".to_owned(),
        ];
        for (kind, topic) in [("config", "configs"), ("offset", "offsets"), ("status", "status")] {
            lines.push(format!("{kind}.storage.topic={group}-{topic}"));
            lines.push(format!("{kind}.storage.replication.factor=1"));
        }
        lines.extend(["offset.storage.partitions=1".to_owned(), "status.storage.partitions=1".to_owned()]);
        lines.extend(self.options.file.iter().map(|file| format!("offset.storage.file.filename={}", file.display())));
        lines.extend(worker.iter().map(|(k, v)| format!("{k}={v}")));
        lines.join("\n") + "\n"
    }

    /// Starts the process (again), with the same properties on the same port.
    pub fn spawn(&mut self) {
        assert!(self.child.is_none(), "the daemon runs already");
        let file = self.dir.path().join("connect-distributed.properties");
        std::fs::write(&file, self.properties()).unwrap();
        let log: File = OpenOptions::new().create(true).append(true).open(self.log_file()).unwrap();
        writeln!(&log, "--- start ---").unwrap();
        // Another build may be tested, such as the release's.
        let program =
            std::env::var_os("AFTERIMAGE_TEST_DAEMON").unwrap_or_else(|| env!("CARGO_BIN_EXE_afterimage").into());
        let child = Command::new(program)
            .arg("run")
            .args(self.options.file.as_ref().map(|_| "--standalone"))
            .arg(&file)
            .envs(self.options.environment.iter().cloned())
            .current_dir(self.dir.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        self.child = Some(child);
        if self.options.wait {
            self.wait_ready(Duration::from_secs(60));
        }
    }

    /// Waits until `GET /connectors` is 200.
    #[track_caller]
    pub fn wait_ready(&mut self, limit: Duration) {
        let end = Instant::now() + limit;
        while !self.try_ask("GET", "/connectors", None).is_ok_and(|a| a.status == 200) {
            if let Some(status) = self.child.as_mut().and_then(|child| child.try_wait().unwrap()) {
                panic!("the daemon ended at its start: {status}");
            }
            assert!(Instant::now() < end, "the daemon does not serve after {limit:?}");
            std::thread::sleep(Duration::from_millis(25));
        }
    }

    fn log_file(&self) -> PathBuf {
        self.dir.path().join("log")
    }

    /// The log of all starts so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    /// The address of the REST API.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.child.as_ref().expect("the daemon runs").id()
    }

    /// Sends a signal and does not wait for its effect.
    pub fn signal(&self, signal: Signal) {
        let name = match signal {
            Signal::Kill => "-KILL",
            Signal::Term => "-TERM",
            Signal::Stop => "-STOP",
            Signal::Continue => "-CONT",
        };
        assert!(super::kill(name, &self.pid().to_string()), "kill {name} failed");
    }

    /// Sends SIGKILL and waits until the process has ended.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            // An error means that the process had ended before.
            let _ = child.kill();
            child.wait().unwrap();
        }
    }

    /// Sends SIGTERM and waits for the end. Returns the exit code.
    #[track_caller]
    pub fn terminate(&mut self, limit: Duration) -> Option<i32> {
        self.signal(Signal::Term);
        let child = self.child.as_mut().unwrap();
        wait_until("the daemon ends after SIGTERM", limit, || child.try_wait().unwrap().is_some());
        self.child.take().unwrap().wait().unwrap().code()
    }

    /// Whether the process runs.
    pub fn is_alive(&mut self) -> bool {
        self.child.as_mut().is_some_and(|child| child.try_wait().unwrap().is_none())
    }

    /// Makes one REST call. Repeats it while the answer is 409 for a rebalance, as clients do.
    #[track_caller]
    pub fn rest(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        let body = body.map(Value::to_string);
        let mut last = None;
        within(Duration::from_secs(10), || {
            let answer = self.try_ask(method, path, body.as_deref());
            let again = answer.as_ref().is_ok_and(|a| a.status == 409 && !a.text.contains("already exists"));
            last = Some(answer);
            !again
        });
        last.unwrap().unwrap_or_else(|e| panic!("{e}"))
    }

    /// Makes one REST call. It is an error when nobody answers.
    pub fn ask(&self, method: &str, path: &str, body: Option<&str>) -> Answer {
        self.try_ask(method, path, body).unwrap_or_else(|error| panic!("{error}"))
    }

    /// The group, with which the names of the internal topics begin.
    pub fn group(&self) -> &str {
        &self.options.group
    }

    /// The same, where the daemon may be away.
    pub fn try_ask(&self, method: &str, path: &str, body: Option<&str>) -> Result<Answer, String> {
        ask(method, &format!("{}{path}", self.url()), body, &[])
    }

    /// Creates a connector with POST and expects 201.
    #[track_caller]
    pub fn create(&self, name: &str, config: &Map<String, Value>) {
        let answer = self.rest("POST", "/connectors", Some(&json!({"name": name, "config": config})));
        assert_eq!(answer.status, 201, "{}", answer.text);
    }

    /// The state of task 0 and its trace. Both are empty while there is no task.
    pub fn task(&self, name: &str) -> (String, String) {
        let status = match self.try_ask("GET", &format!("/connectors/{name}/status"), None) {
            Ok(answer) => answer.json(),
            Err(_) => Value::Null,
        };
        let text = |key: &str| status["tasks"][0][key].as_str().unwrap_or_default().to_owned();
        (text("state"), text("trace"))
    }

    /// Whether it runs and leaves the connectors to another process of its group.
    pub fn is_standby(&self) -> bool {
        self.try_ask("GET", "/health", None).is_ok_and(|a| a.status == 200 && a.text.contains("standby"))
    }

    #[track_caller]
    pub fn wait_standby(&self) {
        assert!(within(Duration::from_secs(30), || self.is_standby()), "it does not stand by");
    }

    /// Waits until task 0 is in `state`. Returns its trace.
    #[track_caller]
    pub fn wait_task(&self, name: &str, state: &str, limit: Duration) -> String {
        let mut last = (String::new(), String::new());
        let reached = within(limit, || {
            last = self.task(name);
            last.0 == state
        });
        assert!(reached, "{name}: task is {:?} and not {state} after {limit:?}; trace: {}", last.0, last.1);
        last.1
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            let log = self.log();
            // The requests of the test itself would fill the log.
            let lines: Vec<&str> = log.lines().filter(|line| !line.contains("RestServer: \"GET")).collect();
            let from = lines.len().saturating_sub(60);
            eprintln!("--- the daemon's log ({} lines, the last {}) ---", lines.len(), lines.len() - from);
            eprintln!("{}", lines[from..].join("\n"));
        }
    }
}
