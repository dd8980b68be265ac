//! What the daemon's table of connectors holds of this one: its class names, its check of a configuration, its start.

use relational::shell::{self, Shell};
use relational::{Outlet, TaskError};
use settings::Properties;

use crate::config::{Connection, PostgresConfig};
use crate::error::Error;
use crate::session::Session;
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
        credentials,
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
        credentials: credentials.clone(),
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

/// The headers of every row's record (`extended.headers.enabled`), in their order.
pub fn headers(properties: &Properties) -> Vec<(&'static str, String)> {
    shell::headers(properties, "postgresql")
}

/// Runs the task until it is told to stop or fails for good. After a transient error the session is begun again.
///
/// # Errors
/// The `status.trace` of the failed task.
pub async fn start(properties: Properties, outlet: Outlet) -> Result<(), TaskError> {
    let (config, findings) = PostgresConfig::read_with_findings(&properties)
        .map_err(|invalid| shell::misconfigured("PostgresConnectorTask", invalid))?;
    let connector = outlet.connector.clone();
    shell::log_findings(&connector, &findings);
    if config.slot.plugin == crate::config::OutputPlugin::Decoderbufs {
        tracing::info!(%connector, "plugin.name is decoderbufs (Debezium's default): the log is read through pgoutput, with \
            equal records");
    }
    let retries = config.limits.retries();
    let skipped = properties.get("skipped.operations").map(str::to_owned);
    let mut session = Session::new(config, skipped, outlet)
        .map_err(|error| TaskError { trace: error.trace(), outlook: error.outlook() })?;
    SHELL.task(&mut session, retries).await
}

/// How the task's shell runs a session.
const SHELL: Shell<Session, Error> = Shell {
    run: |session| Box::pin(session.run()),
    outlet: Session::outlet,
    resets_retries: Session::resets_retries,
    is_transient: Error::is_transient,
    outlook: Error::outlook,
    trace: Error::trace,
};
