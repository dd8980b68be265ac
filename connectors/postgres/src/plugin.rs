//! The connector's row in the daemon's table of plug-ins: what it is called, how it starts, what it checks.

use std::time::Duration;

use relational::{Outlet, TaskError};
use serde_json::{Map, Value as Json};
use settings::{Finding, Properties, Severity};

use crate::config::{Connection, PostgresConfig, SslMode};
use crate::error::{Error, SlotOwner};
use crate::session::Session;
use crate::sql::Sql;
use crate::wire::{self, ConnectOptions};

/// The Java class whose configurations this connector takes.
pub const CLASS: &str = "io.debezium.connector.postgresql.PostgresConnector";
/// The Java class of its task.
pub const TASK_CLASS: &str = "io.debezium.connector.postgresql.PostgresConnectorTask";
/// The release that its records are equal to.
pub const VERSION: &str = "3.6.1.Final";

/// The first pause before a retry; it doubles up to `retriable.restart.connector.wait.ms`.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// A slot that is taken is said so at most this often.
const SAY_EVERY: Duration = Duration::from_secs(10);

/// How to connect, by the settings.
pub(crate) fn connect_options(config: &PostgresConfig, application_name: &str) -> ConnectOptions {
    let Connection {
        host,
        port,
        user,
        password,
        database,
        initial_statements,
        tls,
        tcp_keep_alive,
        connect_timeout,
        options,
        query_timeout,
        ..
    } = &config.connection;
    ConnectOptions {
        host: host.clone(),
        port: *port,
        user: user.clone(),
        password: password.as_ref().map(|secret| secret.reveal().to_owned()),
        dbname: database.clone(),
        sslmode: match tls.mode {
            SslMode::Disable => wire::SslMode::Disable,
            SslMode::Allow => wire::SslMode::Allow,
            SslMode::Prefer => wire::SslMode::Prefer,
            SslMode::Require => wire::SslMode::Require,
            SslMode::VerifyCa => wire::SslMode::VerifyCa,
            SslMode::VerifyFull => wire::SslMode::VerifyFull,
        },
        sslrootcert: tls.root_certificates.clone(),
        sslcert: tls.certificate.clone(),
        sslkey: tls.key.clone(),
        sslpassword: tls.key_password.as_ref().map(|secret| secret.reveal().to_owned()),
        tcp_keepalive: *tcp_keep_alive,
        // The reference waits ten minutes for a connection; a retry is better than a wait.
        connect_timeout_ms: connect_timeout.as_millis().min(30_000) as u64,
        query_timeout_ms: query_timeout.as_millis() as u64,
        application_name: application_name.to_owned(),
        options: options.clone(),
        initial_statements: initial_statements.clone(),
        ..ConnectOptions::default()
    }
}

/// The source partition: `{"server": topic.prefix}`.
pub fn partition(properties: &Properties) -> Map<String, Json> {
    let server = properties.get("topic.prefix").unwrap_or_default().trim();
    Map::from_iter([("server".to_owned(), Json::from(server))])
}

/// The headers of every row's record (`extended.headers.enabled`), in their order.
pub fn headers(properties: &Properties) -> Vec<(&'static str, String)> {
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
        ("__debezium.context.connectorName", "postgresql".to_owned()),
        ("__debezium.context.runId", uuid::Uuid::now_v7().to_string()),
    ]
}

/// Checks the configuration by asking the server (the keys themselves have passed). Complaints stand at
/// `database.hostname`, as Debezium's do.
pub async fn check(properties: Properties) -> Vec<Finding> {
    let config = match PostgresConfig::read(&properties) {
        Ok(config) => config,
        Err(invalid) => {
            let finding = |i: settings::Invalid| Finding {
                key: i.key,
                severity: Severity::Error,
                reason: i.message,
                remedy: String::new(),
            };
            return invalid.into_iter().map(finding).collect();
        }
    };
    let complaint = |reason: String, remedy: String| {
        vec![Finding { key: "database.hostname".into(), severity: Severity::Error, reason, remedy }]
    };
    let mut options = connect_options(&config, "Debezium Validate Connection");
    options.initial_statements.clear();
    let limit = config.connection.validation_timeout;
    let found = tokio::time::timeout(limit, async {
        let sql = Sql::connect(&options).await?;
        let role = sql.role().await?;
        // Only a remark hangs on it.
        let owner = sql.slot_owner(&config.slot.name).await.unwrap_or(None);
        Ok::<_, Error>((role, owner))
    });
    match found.await {
        Err(_) => complaint(format!("Connection validation timed out after {} ms", limit.as_millis()), String::new()),
        Ok(Err(error)) => {
            let trace = error.trace();
            let first = trace.lines().next().unwrap_or_default();
            let message = first.split_once(": ").map_or(first, |(_, message)| message);
            complaint(format!("Error while validating connector config: {message}"), error.to_string())
        }
        Ok(Ok((role, owner))) => {
            if !(role.can_login && role.can_replicate || role.is_superuser) {
                tracing::warn!("Postgres roles LOGIN and REPLICATION are not assigned to user: {}", role.name);
            }
            taken_by_another(owner, &config.slot.name, properties.get("name")).into_iter().collect()
        }
    }
}

/// A slot that another connector of this worker reads. Not an error: the reference takes such a configuration, and a person
/// may be about to delete the other one. Another worker's reader may be this very connector, before a takeover.
fn taken_by_another(owner: Option<SlotOwner>, slot: &str, name: Option<&str>) -> Option<Finding> {
    let owner = owner.filter(|owner| owner.connector.is_some() && owner.connector.as_deref() != name)?;
    let remedy = owner.remedy();
    let reason = format!("replication slot \"{slot}\" is in use{owner}: each connector needs one of its own.");
    Some(Finding { key: "slot.name".into(), severity: Severity::Warning, reason, remedy })
}

/// Runs the task until it is to stop, or until something that a retry cannot mend.
///
/// # Errors
/// The trace that ends the task.
pub async fn start(properties: Properties, outlet: Outlet) -> Result<(), TaskError> {
    let (config, findings) = PostgresConfig::read_with_findings(&properties).map_err(|invalid| {
        let list: Vec<_> = invalid.into_iter().map(|i| i.message).collect();
        TaskError {
            trace: format!(
                "org.apache.kafka.connect.errors.ConnectException: Error configuring an instance of PostgresConnectorTask; check \
                 the logs for details\n{}",
                list.join("\n")
            ),
        }
    })?;
    let connector = outlet.connector.clone();
    for finding in findings {
        tracing::warn!(%connector, key = %finding.key, "{} {}", finding.reason, finding.remedy);
    }
    if config.slot.plugin == crate::config::OutputPlugin::Decoderbufs {
        tracing::info!(%connector, "plugin.name is decoderbufs (Debezium's default): the log is read through pgoutput, with \
            equal records");
    }
    let (max_retries, longest) = (config.limits.max_retries, config.limits.restart_wait);
    let fails = |error: &Error| TaskError { trace: error.trace() };
    let mut session =
        Session::new(config, properties.get("skipped.operations").map(str::to_owned), outlet).map_err(|e| fails(&e))?;
    let (mut tries, mut pause, mut said) = (0_u32, FIRST_PAUSE, None::<tokio::time::Instant>);
    loop {
        let began = tokio::time::Instant::now();
        let error = match session.run().await {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        if session.outlet().stopping() {
            tracing::warn!(%connector, %error, "the session ended while the task was stopping");
            return Ok(());
        }
        // A session that got on, or that lasted without anything to do, was a good one: what ends it is a new trouble. One that
        // ends again and again at the same place is not.
        if session.went_well(&error, began.elapsed() > longest) {
            (tries, pause) = (0, FIRST_PAUSE);
        }
        tries += 1;
        if !error.is_transient() || max_retries.is_some_and(|max| tries > max) {
            tracing::error!(%connector, "{}", error.trace());
            return Err(fails(&error));
        }
        if said.is_none_or(|at| at.elapsed() >= SAY_EVERY) {
            tracing::warn!(%connector, tries, pause_ms = pause.as_millis() as u64, "{error}; trying again");
            said = Some(tokio::time::Instant::now());
        }
        // As Connect shows it: a task that waits for its database is RUNNING. What it waits for stands in its trace.
        session.outlet().waiting(&error.trace());
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = session.outlet().stopped() => return Ok(()),
        }
        pause = (pause * 2).min(longest);
    }
}
