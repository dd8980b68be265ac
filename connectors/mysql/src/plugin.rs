//! What the daemon's table of connectors holds of these.

use relational::shell::{self, Shell};
use relational::{Outlet, TaskError};
use serde_json::{Map, Value as Json};
use settings::Properties;

use crate::Flavour;
use crate::config::MySqlConfig;
use crate::error::Error;
use crate::session::Session;
use crate::wire::ConnectOptions;

/// The Debezium release whose records these connectors' records equal.
pub const VERSION: &str = "3.6.1.Final";

impl Flavour {
    /// The Java class whose configurations the connector takes.
    pub const fn class(self) -> &'static str {
        match self {
            Self::MySql => "io.debezium.connector.mysql.MySqlConnector",
            Self::MariaDb => "io.debezium.connector.mariadb.MariaDbConnector",
        }
    }

    /// The Java class of its task.
    pub const fn task_class(self) -> &'static str {
        match self {
            Self::MySql => "io.debezium.connector.mysql.MySqlConnectorTask",
            Self::MariaDb => "io.debezium.connector.mariadb.MariaDbConnectorTask",
        }
    }

    /// The other product.
    pub(crate) fn other(self) -> Self {
        match self {
            Self::MySql => Self::MariaDb,
            Self::MariaDb => Self::MySql,
        }
    }
}

/// How to connect, according to the configuration.
pub(crate) fn connect_options(config: &MySqlConfig) -> ConnectOptions {
    config.connection.options.clone()
}

/// Runs the task until it is told to stop or fails for good. After a transient error the session is begun again.
///
/// # Errors
/// The `status.trace` of the failed task.
pub async fn start(flavour: Flavour, properties: Properties, outlet: Outlet) -> Result<(), TaskError> {
    let task = flavour.task_class().rsplit('.').next().unwrap_or_default();
    let (config, findings) =
        MySqlConfig::read_with_findings(flavour, &properties).map_err(|invalid| shell::misconfigured(task, invalid))?;
    shell::log_findings(&outlet.connector, &findings);
    let retries = config.limits.retries();
    let fails = |error: &Error| TaskError { trace: error.trace(), outlook: error.outlook() };
    let mut session = Session::new(config, shell::partition(&properties), outlet).map_err(|error| fails(&error))?;
    let shell = Shell {
        run: |session: &mut Session| Box::pin(session.run()),
        outlet: Session::outlet,
        resets_retries: Session::resets_retries,
        is_transient: Error::is_transient,
        outlook: Error::outlook,
        trace: Error::trace,
    };
    shell.task(&mut session, retries).await
}

/// The source partition: `{"server": topic.prefix}`.
pub fn partition(properties: &Properties) -> Map<String, Json> {
    shell::partition(properties)
}
