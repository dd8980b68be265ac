//! Every key of the MySQL and the MariaDB connector, with what it does and what its values may be.
//!
//! Purpose: there are two tables, because the two connectors of Debezium differ in a few keys; what they have in common is
//! written once. A table follows the list of keys that Debezium's connector answers with over REST, in its order, so that forms
//! and tools see what they know. Keys that Debezium reads without listing them come last. Keys that other databases have too
//! come from [`relational::keys`], with a text of their own where it says more here.
//!
//! Each key says whether it works here ([`settings::Support`]); the tests check every such claim against the typed settings
//! that are read from the key.
//!
//! Must not know: connections, what the values do.

mod events;
mod families;
mod history;
mod older;
mod pipeline;
mod rules;
mod server;
mod treatment;
mod unlisted;

pub(crate) use older::is_older;
pub use older::warnings;

use settings::Def;

use crate::Flavour;

/// The keys of `io.debezium.connector.mysql.MySqlConnector`. Debezium lists 123 of them and an alias.
pub static MYSQL: Def = Def::new(&[
    &server::MYSQL,
    server::MYSQL_ONLY,
    &pipeline::MYSQL,
    treatment::KEYS,
    treatment::MYSQL_ONLY,
    history::LISTED,
    &events::MYSQL,
    unlisted::CHECKED_AT_VALIDATION,
    unlisted::CHECKED_AT_START,
    unlisted::LENIENT,
    history::UNLISTED,
    families::MYSQL_ONLY,
    families::KEYS,
]);

/// The keys of `io.debezium.connector.mariadb.MariaDbConnector`.
pub static MARIADB: Def = Def::new(&[
    &server::MARIADB,
    server::MARIADB_ONLY,
    &pipeline::MARIADB,
    treatment::KEYS,
    treatment::MARIADB_ONLY,
    history::LISTED,
    &events::MARIADB,
    unlisted::CHECKED_AT_VALIDATION,
    unlisted::CHECKED_AT_START,
    unlisted::LENIENT,
    history::UNLISTED,
    families::MARIADB_ONLY,
    families::KEYS,
]);

/// The keys of a flavour's connector.
pub fn of(flavour: Flavour) -> &'static Def {
    match flavour {
        Flavour::MySql => &MYSQL,
        Flavour::MariaDb => &MARIADB,
    }
}

#[cfg(test)]
mod tests;
