//! What the server is and how it is set up.

use super::{Sql, quoted_text};
use crate::Flavour;
use crate::error::Error;
use crate::wire::Identity;

/// Major, minor and patch number of a server.
pub type Version = (u16, u16, u16);

/// The server's facts that decide how it is read. Variables that it does not have are `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Server {
    /// The version as text, such as `9.7.4` or `10.11.19-MariaDB-log`.
    pub version: String,
    /// `binlog_format`: must be `ROW`.
    pub binlog_format: Option<String>,
    /// `binlog_row_image`: must be `FULL`.
    pub binlog_row_image: Option<String>,
    /// `binlog_row_metadata`: with `FULL` a TABLE_MAP event carries names, keys, labels and character sets.
    pub binlog_row_metadata: Option<String>,
    /// `binlog_row_value_options`: `PARTIAL_JSON` on MySQL where updates of JSON are logged as differences.
    pub binlog_row_value_options: Option<String>,
    /// `log_bin`: whether there is a binlog.
    pub log_bin: Option<String>,
    /// `log_bin_compress` of MariaDB.
    pub log_bin_compress: Option<String>,
    /// `gtid_mode` of MySQL: `ON`, `OFF`, `ON_PERMISSIVE`, `OFF_PERMISSIVE`.
    pub gtid_mode: Option<String>,
    /// `server_uuid` of MySQL.
    pub server_uuid: Option<String>,
    /// `server_id`.
    pub server_id: Option<String>,
    /// `lower_case_table_names`: 0 where names of tables differ by case.
    pub lower_case_table_names: Option<String>,
    /// `time_zone`: `SYSTEM`, an offset or a name.
    pub time_zone: Option<String>,
    /// `system_time_zone`: what `SYSTEM` means, as an abbreviation such as `CEST`.
    pub system_time_zone: Option<String>,
    /// `sql_mode` of the server.
    pub sql_mode: Option<String>,
    /// `character_set_server`.
    pub character_set_server: Option<String>,
    /// `collation_server`.
    pub collation_server: Option<String>,
    /// `binlog_rows_query_log_events` of MySQL: whether statements are logged beside rows.
    pub binlog_rows_query_log_events: Option<String>,
    /// `binlog_annotate_row_events` of MariaDB: the same there.
    pub binlog_annotate_row_events: Option<String>,
    /// `binlog_expire_logs_seconds`; MariaDB has it since 10.6.
    pub binlog_expire_logs_seconds: Option<String>,
    /// `expire_logs_days`, which counts when the other is 0 or missing. MySQL has it up to 8.0.
    pub expire_logs_days: Option<String>,
}

impl Server {
    /// The fields with the names of their variables.
    fn fields(&mut self) -> [(&'static str, &mut Option<String>); 19] {
        [
            ("binlog_format", &mut self.binlog_format),
            ("binlog_row_image", &mut self.binlog_row_image),
            ("binlog_row_metadata", &mut self.binlog_row_metadata),
            ("binlog_row_value_options", &mut self.binlog_row_value_options),
            ("log_bin", &mut self.log_bin),
            ("log_bin_compress", &mut self.log_bin_compress),
            ("gtid_mode", &mut self.gtid_mode),
            ("server_uuid", &mut self.server_uuid),
            ("server_id", &mut self.server_id),
            ("lower_case_table_names", &mut self.lower_case_table_names),
            ("time_zone", &mut self.time_zone),
            ("system_time_zone", &mut self.system_time_zone),
            ("sql_mode", &mut self.sql_mode),
            ("character_set_server", &mut self.character_set_server),
            ("collation_server", &mut self.collation_server),
            ("binlog_rows_query_log_events", &mut self.binlog_rows_query_log_events),
            ("binlog_annotate_row_events", &mut self.binlog_annotate_row_events),
            ("binlog_expire_logs_seconds", &mut self.binlog_expire_logs_seconds),
            ("expire_logs_days", &mut self.expire_logs_days),
        ]
    }

    /// Whether MySQL gives each transaction a GTID: `gtid_mode` is exactly `ON`.
    pub fn has_gtids(&self) -> bool {
        self.gtid_mode.as_deref().is_some_and(|mode| mode.eq_ignore_ascii_case("ON"))
    }

    /// Whether names of tables are compared without regard to case.
    pub fn ignores_case(&self) -> bool {
        self.lower_case_table_names.as_deref().is_some_and(|mode| mode != "0")
    }

    /// After how many seconds the server deletes a file of its binlog, and the variable that says so. `None` when no variable
    /// is known; 0 seconds: never.
    pub fn binlog_expiry(&self) -> Option<(&'static str, u64)> {
        // `expire_logs_days` of MariaDB may have a fraction, which rounds down here.
        let number = |text: &Option<String>| text.as_deref()?.split('.').next()?.trim().parse::<u64>().ok();
        let seconds = number(&self.binlog_expire_logs_seconds);
        let days = number(&self.expire_logs_days);
        match (seconds, days) {
            (Some(seconds), _) if seconds > 0 => Some(("binlog_expire_logs_seconds", seconds)),
            (_, Some(days)) if days > 0 => Some(("expire_logs_days", days.saturating_mul(24 * 3600))),
            (Some(_), _) => Some(("binlog_expire_logs_seconds", 0)),
            (None, days) => days.map(|_| ("expire_logs_days", 0)),
        }
    }

    /// What stands in the way of reading changes: the binlog must be written, in rows, with all columns. A variable that the
    /// server does not have is no obstacle, as it is none to Debezium. `at` is `host:port`.
    pub fn obstacles(&self, at: &str) -> Vec<Error> {
        let needed = [
            ("log_bin", &self.log_bin, "ON"),
            ("binlog_format", &self.binlog_format, "ROW"),
            ("binlog_row_image", &self.binlog_row_image, "FULL"),
        ];
        let wrong = needed.into_iter().filter_map(|(name, found, wanted)| {
            let found = found.as_deref().filter(|found| !found.eq_ignore_ascii_case(wanted))?;
            Some(Error::Variable { at: at.into(), name, found: found.into(), wanted })
        });
        wrong.collect()
    }

    /// Whether changes can be read.
    ///
    /// # Errors
    /// [`Error::Variable`] with the first of the [obstacles](Self::obstacles).
    pub fn check_binlog(&self, at: &str) -> Result<(), Error> {
        self.obstacles(at).into_iter().next().map_or(Ok(()), Err)
    }
}

impl Sql {
    /// Which product answers.
    pub fn flavour(&self) -> Flavour {
        self.connection.greeting().flavour()
    }

    /// The server's version as numbers.
    pub fn version(&self) -> Version {
        self.connection.greeting().version_numbers()
    }

    /// Reads the server's facts.
    pub async fn server(&mut self) -> Result<Server, Error> {
        let mut server = Server { version: self.connection.greeting().version.clone(), ..Server::default() };
        let names: Vec<String> = server.fields().iter().map(|(name, _)| format!("'{name}'")).collect();
        let sql = format!("SHOW GLOBAL VARIABLES WHERE Variable_name IN ({})", names.join(", "));
        for row in self.query("reading the server's variables", &sql).await? {
            let name = row.text(0).unwrap_or_default().to_ascii_lowercase();
            if let Some((_, field)) = server.fields().into_iter().find(|(known, _)| *known == name) {
                *field = row.text(1).map(str::to_owned);
            }
        }
        Ok(server)
    }

    /// Which server answers.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn identity(&mut self) -> Result<Identity, Error> {
        Identity::of(&mut self.connection).await
    }

    /// See that this connection leads to the same server as the one which gave this identity.
    ///
    /// # Errors
    /// When it does not, or does not answer.
    pub async fn is_at(&mut self, own: &Identity) -> Result<(), Error> {
        let other = self.identity().await?;
        own.same_at(&other, || self.connection.options().at())
    }

    /// The value of one variable of the server; `None` if there is none of this name.
    pub async fn variable(&mut self, name: &str) -> Result<Option<String>, Error> {
        let sql = format!("SHOW GLOBAL VARIABLES WHERE Variable_name = {}", quoted_text(name));
        let rows = self.query("reading a variable of the server", &sql).await?;
        Ok(rows.first().and_then(|row| row.text(1)).map(str::to_owned))
    }

    /// Whether the server's tables of time zones have this name.
    pub async fn knows_zone(&mut self, zone: &str) -> Result<bool, Error> {
        let sql = format!("SELECT CONVERT_TZ('2000-01-01 00:00:00', '+00:00', {})", quoted_text(zone));
        Ok(self.row("looking for a time zone", &sql).await?.text(0).is_some())
    }

    /// The server's clock in milliseconds since 1970, with the resolution of `CURRENT_TIMESTAMP`: a second.
    pub async fn now_ms(&mut self) -> Result<i64, Error> {
        let doing = "reading the server's clock";
        let row = self.row(doing, "SELECT UNIX_TIMESTAMP(CURRENT_TIMESTAMP)").await?;
        let seconds = row.text(0).and_then(|text| text.split('.').next()?.parse::<i64>().ok());
        seconds.map(|seconds| seconds * 1000).ok_or_else(|| self.strange(doing, "the answer is no number"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(server: &Server, expect: Option<&str>) {
        let found = server.check_binlog("h:1").err().map(|error| error.to_string());
        assert_eq!(found.as_deref().map(|text| text.split(" of ").next().unwrap_or_default()), expect);
    }

    #[test]
    fn binlogs() {
        let some = |text: &str| Some(text.to_owned());
        check(&Server::default(), None);
        check(&Server { log_bin: some("ON"), binlog_format: some("row"), ..Server::default() }, None);
        check(&Server { log_bin: some("OFF"), ..Server::default() }, Some("log_bin"));
        check(&Server { binlog_format: some("MIXED"), ..Server::default() }, Some("binlog_format"));
        check(&Server { binlog_row_image: some("MINIMAL"), ..Server::default() }, Some("binlog_row_image"));
    }

    #[test]
    fn modes() {
        let mode = |mode: &str| Server { gtid_mode: Some(mode.into()), ..Server::default() };
        assert!(mode("ON").has_gtids() && !mode("ON_PERMISSIVE").has_gtids() && !Server::default().has_gtids());
        let names = |mode: &str| Server { lower_case_table_names: Some(mode.into()), ..Server::default() };
        assert!(names("1").ignores_case() && !names("0").ignores_case() && !Server::default().ignores_case());
    }
}
