//! The shell of a task: what stands around a connector's sessions, whichever database they speak to.
//!
//! A connector describes its session by a few functions ([`Shell`]); the loop that runs sessions one after another, and what
//! Connect shows of a connector beside its records (source partition, headers, answers of a validation), are here.

use std::fmt::Display;
use std::pin::Pin;
use std::time::Duration;

use retry::Outlook;
use serde_json::{Map, Value as Json};
use settings::{Finding, Invalid, JavaRegex, Properties, Reader, Severity};

use crate::{Outlet, Retries, TaskError, Verdict};

/// A session that runs, boxed: a connector's sessions nest so deeply that the compiler needs the box.
pub type Running<'s, E> = Pin<Box<dyn Future<Output = Result<(), E>> + Send + 's>>;

/// What the loop of a task needs to know of a connector's session `S` and its errors `E`. The session outlasts its runs.
pub struct Shell<S, E> {
    /// Runs the session until the connector is to stop; after an error that may pass it is run again.
    pub run: for<'s> fn(&'s mut S) -> Running<'s, E>,
    /// The session's outlet.
    pub outlet: fn(&mut S) -> &mut Outlet,
    /// Whether a run that ended with this error makes the error a new problem, with all its tries: the run made progress, or
    /// it lasted (the flag) with nothing to do. A session that fails at the same position again and again does not.
    pub resets_retries: fn(&S, &E, bool) -> bool,
    /// Whether the error may pass by itself.
    pub is_transient: fn(&E) -> bool,
    /// Whether a task that has failed with the error may succeed when it is started again.
    pub outlook: fn(&E) -> Outlook,
    /// The error as a task's status shows it; see [`trace`](crate::trace).
    pub trace: fn(&E) -> String,
}

impl<S, E: Display> Shell<S, E> {
    /// Runs the task until it is told to stop or fails for good. After a transient error the session is run again.
    ///
    /// # Errors
    /// The `status.trace` of the failed task.
    pub async fn task(&self, session: &mut S, mut retries: Retries) -> Result<(), TaskError> {
        let connector = (self.outlet)(session).connector.clone();
        loop {
            retries.begin();
            let error = match (self.run)(session).await {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            if (self.outlet)(session).stopping() {
                tracing::warn!(%connector, %error, "the session ended while the task was stopping");
                return Ok(());
            }
            if (self.resets_retries)(session, &error, retries.lasted()) {
                retries.reset();
            }
            let verdict = if (self.is_transient)(&error) { retries.failed() } else { Verdict::GiveUp };
            let Verdict::Again { pause, tries, say } = verdict else {
                let trace = (self.trace)(&error);
                tracing::error!(%connector, "{trace}");
                return Err(TaskError { trace, outlook: (self.outlook)(&error) });
            };
            if say {
                tracing::warn!(%connector, tries, pause_ms = pause.as_millis() as u64, "{error}; trying again");
            }
            // As in Connect, a task that waits for its database is shown as RUNNING. Its trace says what it waits for.
            let outlet = (self.outlet)(session);
            outlet.waiting(&(self.trace)(&error));
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = outlet.stopped() => return Ok(()),
            }
        }
    }
}

/// The failure of a task whose configuration cannot be read. `task` is the simple name of the Java class.
pub fn misconfigured(task: &str, invalid: Vec<Invalid>) -> TaskError {
    let list: Vec<_> = invalid.into_iter().map(|invalid| invalid.message).collect();
    TaskError::lasting(format!(
        "{}: Error configuring an instance of {task}; check the logs for details\n{}",
        crate::trace::CONNECT,
        list.join("\n")
    ))
}

/// Logs what was found when a connector's configuration was read at its start.
pub fn log_findings(connector: &str, findings: &[Finding]) {
    for finding in findings {
        tracing::warn!(%connector, key = %finding.key, "{} {}", finding.reason, finding.remedy);
    }
}

/// The source partition: `{"server": topic.prefix}`.
pub fn partition(properties: &Properties) -> Map<String, Json> {
    let server = properties.get("topic.prefix").unwrap_or_default().trim();
    Map::from_iter([("server".to_owned(), Json::from(server))])
}

/// The headers of every row's record (`extended.headers.enabled`), in their order. `kind` is the connector's name in source
/// blocks, such as `postgresql`.
pub fn headers(properties: &Properties, kind: &str) -> Vec<(&'static str, String)> {
    let off = properties.get("extended.headers.enabled").is_some_and(|text| text.trim().eq_ignore_ascii_case("false"));
    if off {
        return Vec::new();
    }
    vec![
        (
            "__debezium.context.connectorLogicalName",
            properties.get("topic.prefix").unwrap_or_default().trim().to_owned(),
        ),
        ("__debezium.context.taskId", "0".to_owned()),
        ("__debezium.context.connectorName", kind.to_owned()),
        ("__debezium.context.runId", uuid::Uuid::now_v7().to_string()),
    ]
}

/// Refused values of a configuration, as findings.
pub fn refusals(invalid: Vec<Invalid>) -> Vec<Finding> {
    let finding =
        |i: Invalid| Finding { key: i.key, severity: Severity::Error, reason: i.message, remedy: String::new() };
    invalid.into_iter().map(finding).collect()
}

/// What is wrong with the connection. It is reported at `database.hostname`, as Debezium reports it.
pub fn at_hostname(reason: String, remedy: String) -> Finding {
    Finding { key: "database.hostname".into(), severity: Severity::Error, reason, remedy }
}

/// Waits for the answer of a server that a configuration names, for at most `limit` (`connection.validation.timeout.ms`).
///
/// # Errors
/// What `complaint` makes of the server's error, or that the time is over.
pub async fn asked<T, E>(
    limit: Duration,
    answer: impl Future<Output = Result<T, E>>,
    complaint: impl FnOnce(E) -> Finding,
) -> Result<T, Finding> {
    match tokio::time::timeout(limit, answer).await {
        Err(_) => {
            Err(at_hostname(format!("Connection validation timed out after {} ms", limit.as_millis()), String::new()))
        }
        Ok(answer) => answer.map_err(complaint),
    }
}

/// Warns of a `custom.sanitize.pattern` that does not compile. Whoever logs a config then masks by the built-in endings of
/// key names.
pub fn warn_of_sanitize_pattern(r: &mut Reader<'_>) {
    if let Some(Err(e)) = r.text_or_none("custom.sanitize.pattern").map(|pattern| JavaRegex::new(&pattern)) {
        r.find(Finding {
            key: "custom.sanitize.pattern".to_owned(),
            severity: Severity::Warning,
            reason: format!("is no regular expression ({e}); the built-in endings are masked instead."),
            remedy: "Correct the pattern.".to_owned(),
        });
    }
}
