//! What the daemon's table of connectors holds of this one: its class names, its check of a configuration, its start.

use relational::{Outlet, Retries, TaskError, Verdict};
use serde_json::{Map, Value as Json};
use settings::{Finding, Properties, Severity};

use crate::config::{Connection, PostgresConfig};
use crate::error::{Error, SlotOwner};
use crate::session::Session;
use crate::sql::Sql;
use crate::wire::ConnectOptions;

/// The Java class whose configurations this connector takes.
pub const CLASS: &str = "io.debezium.connector.postgresql.PostgresConnector";
/// The Java class of its task.
pub const TASK_CLASS: &str = "io.debezium.connector.postgresql.PostgresConnectorTask";
/// The Debezium release whose records this connector's records equal.
pub const VERSION: &str = "3.6.1.Final";

/// How to connect, according to the configuration.
pub(crate) fn connect_options(config: &PostgresConfig, application_name: &str) -> ConnectOptions {
    options_of(&config.connection, application_name)
}

/// As [`connect_options`], of a connection alone.
pub(crate) fn options_of(connection: &Connection, application_name: &str) -> ConnectOptions {
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
    } = connection;
    ConnectOptions {
        host: host.clone(),
        port: *port,
        user: user.clone(),
        password: password.as_ref().map(|secret| secret.reveal().to_owned()),
        dbname: database.clone(),
        sslmode: tls.mode,
        sslrootcert: tls.root_certificates.clone(),
        sslcert: tls.certificate.clone(),
        sslkey: tls.key.clone(),
        sslpassword: tls.key_password.as_ref().map(|secret| secret.reveal().to_owned()),
        tcp_keepalive: *tcp_keep_alive,
        // Debezium waits up to ten minutes for a connection. Here an attempt takes 30 s at most, and then it is retried.
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

/// Checks a configuration by connecting to the server; its keys have been checked before. Findings are reported at
/// `database.hostname`, as Debezium reports them.
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
        // The owner is needed only for a warning, so an error here is ignored.
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

/// A warning if another connector of this worker reads the slot. It is no error: Debezium accepts such a configuration, and
/// a person may be about to delete the other connector. A reader outside of this worker is not reported: it may be this
/// very connector, which still runs in the process that this one is about to replace.
fn taken_by_another(owner: Option<SlotOwner>, slot: &str, name: Option<&str>) -> Option<Finding> {
    let owner = owner.filter(|owner| owner.connector.is_some() && owner.connector.as_deref() != name)?;
    let remedy = owner.remedy();
    let reason = format!("replication slot \"{slot}\" is in use{owner}: each connector needs one of its own.");
    Some(Finding { key: "slot.name".into(), severity: Severity::Warning, reason, remedy })
}

/// Runs the task until it is told to stop or fails for good. After a transient error the session is begun again.
///
/// # Errors
/// The `status.trace` of the failed task.
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
    let mut retries = Retries::new(config.limits.restart_wait, config.limits.max_retries);
    let fails = |error: &Error| TaskError { trace: error.trace() };
    let mut session =
        Session::new(config, properties.get("skipped.operations").map(str::to_owned), outlet).map_err(|e| fails(&e))?;
    loop {
        retries.begin();
        let error = match session.run().await {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        if session.outlet().stopping() {
            tracing::warn!(%connector, %error, "the session ended while the task was stopping");
            return Ok(());
        }
        // A session that made progress, or that lasted with nothing to do, resets the retries: its error is a new problem. A
        // session that fails at the same position again and again does not.
        if session.resets_retries(&error, retries.lasted()) {
            retries.reset();
        }
        let verdict = if error.is_transient() { retries.failed() } else { Verdict::GiveUp };
        let Verdict::Again { pause, tries, say } = verdict else {
            tracing::error!(%connector, "{}", error.trace());
            return Err(fails(&error));
        };
        if say {
            tracing::warn!(%connector, tries, pause_ms = pause.as_millis() as u64, "{error}; trying again");
        }
        // As in Connect, a task that waits for its database is shown as RUNNING. Its trace says what it waits for.
        session.outlet().waiting(&error.trace());
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = session.outlet().stopped() => return Ok(()),
        }
    }
}
