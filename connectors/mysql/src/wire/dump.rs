//! Asking for the binlog: the statements and commands before the first event.
//!
//! Sources: MySQL Source Code Documentation, "COM_BINLOG_DUMP" and "COM_BINLOG_DUMP_GTID"; MariaDB Knowledge Base,
//! "Replication Protocol".

use std::fmt;

use super::connection::{Connection, command};
use crate::Flavour;
use crate::error::Error;
use crate::gtid::{MariaSet, MySqlSet};

/// Where a dump begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// At a position of a file. A position below 4 means the file's begin; an empty name the oldest file.
    Position {
        /// Name of the binlog file.
        file: String,
        /// Offset of an event's begin, in bytes. COM_BINLOG_DUMP has room for 32 bits.
        position: u64,
    },
    /// MySQL: with each transaction that is not in a set.
    MySqlGtids(MySqlSet),
    /// MariaDB: behind the transactions of a set; an empty one means the oldest that the server has.
    MariaDbGtids(MariaSet),
}

impl fmt::Display for Start {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Position { file, position } => write!(f, "{file}:{position}"),
            Self::MySqlGtids(set) => write!(f, "GTID set '{set}'"),
            Self::MariaDbGtids(set) => write!(f, "GTID set '{set}'"),
        }
    }
}

/// What to dump, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dump {
    /// Where to begin.
    pub start: Start,
    /// `database.server.id`: the server ends the dump of another replica with the same number. With 0 the dump is that of no
    /// replica, as mysqlbinlog's, and ends no other; it must end where the binlog ends.
    pub server_id: u32,
    /// How often an idle server is to show that it lives, in milliseconds; 0 for never. Debezium asks for 0.8 of
    /// `connect.keep.alive.interval.ms`.
    pub heartbeat_ms: u64,
    /// `binlog.net.write.timeout` in seconds; 0 leaves the server's.
    pub net_write_timeout_s: u64,
    /// `binlog.net.read.timeout` in seconds; 0 leaves the server's.
    pub net_read_timeout_s: u64,
    /// Whether MariaDB is to send the statements of row events too (`include.query`).
    pub annotate_rows: bool,
    /// Whether the server ends the dump where its binlog ends, instead of waiting for more.
    pub until_end: bool,
}

/// Flags of the dump commands.
mod flag {
    /// An end of the binlog ends the dump.
    pub(super) const NON_BLOCKING: u16 = 1;
    /// MariaDB: send ANNOTATE_ROWS events.
    pub(super) const ANNOTATE_ROWS: u16 = 2;
    /// MySQL: the command carries a set of GTIDs.
    pub(super) const THROUGH_GTID: u16 = 4;
}

impl Dump {
    /// Prepares the session and sends the command after which events come. Returns the checksum's name (`NONE`, `CRC32`)
    /// that the server uses now.
    pub(super) async fn ask(&self, connection: &mut Connection) -> Result<String, Error> {
        let flavour = connection.greeting().flavour();
        let doing = "preparing the dump of the binlog";
        let checksum = connection.query(doing, "SELECT @@GLOBAL.binlog_checksum").await?;
        let checksum = checksum.first().and_then(|row| row.text(0)).unwrap_or("NONE").to_ascii_uppercase();
        for statement in self.statements(flavour) {
            connection.query(doing, &statement).await?;
        }
        if self.server_id != 0 {
            connection.command("registering as a replica", command::REGISTER_REPLICA, &self.registration()).await?;
            match connection.expect_ok("registering as a replica").await {
                // 1045 is what an account without the privilege gets here, although its password was right.
                Err(Error::Server { at, user, server, .. }) if matches!(server.number, 1045 | 1227) => {
                    return Err(Error::Privileges { at, user, missing: vec!["REPLICATION SLAVE"] });
                }
                other => other?,
            }
        }
        let doing = format!("asking for the binlog from {}", self.start);
        let (command, body) = self.command()?;
        connection.command(&doing, command, &body).await?;
        Ok(checksum)
    }

    fn statements(&self, flavour: Flavour) -> Vec<String> {
        let mut statements = vec!["SET @master_binlog_checksum = @@GLOBAL.binlog_checksum".to_owned()];
        if self.heartbeat_ms > 0 {
            statements.push(format!("SET @master_heartbeat_period = {}", u128::from(self.heartbeat_ms) * 1_000_000));
        }
        for (name, seconds) in
            [("net_write_timeout", self.net_write_timeout_s), ("net_read_timeout", self.net_read_timeout_s)]
        {
            if seconds > 0 {
                statements.push(format!("SET {name} = {seconds}"));
            }
        }
        if flavour == Flavour::MariaDb {
            // 4: this replica knows GTID events. Without it the server would replace them by older events.
            statements.push("SET @mariadb_slave_capability = 4".to_owned());
        }
        if let Start::MariaDbGtids(set) = &self.start {
            statements.push(format!("SET @slave_connect_state = '{}'", set.connect_state()));
            statements.push("SET @slave_gtid_strict_mode = 0".to_owned());
            statements.push("SET @slave_gtid_ignore_duplicates = 0".to_owned());
        }
        statements
    }

    /// COM_REGISTER_SLAVE: makes the connection visible in SHOW REPLICAS. Host, user and password are for that list only and
    /// stay empty.
    fn registration(&self) -> Vec<u8> {
        let mut body = self.server_id.to_le_bytes().to_vec();
        // Three empty texts, a port, a rank, the id of our own source.
        body.extend_from_slice(&[0; 3 + 2 + 4 + 4]);
        body
    }

    fn command(&self) -> Result<(u8, Vec<u8>), Error> {
        let mut flags = 0;
        if self.until_end {
            flags |= flag::NON_BLOCKING;
        }
        if self.annotate_rows {
            flags |= flag::ANNOTATE_ROWS;
        }
        let mut body = Vec::new();
        match &self.start {
            Start::Position { file, position } => {
                let position = u32::try_from((*position).max(4)).map_err(|_| Error::Protocol {
                    doing: format!("asking for the binlog from {}", self.start),
                    reason: "the protocol has no room for positions of 4 GiB and more. Switch GTIDs on (gtid_mode=ON), or lower \
                             max_binlog_size and copy the tables again"
                        .into(),
                })?;
                body.extend_from_slice(&position.to_le_bytes());
                body.extend_from_slice(&flags.to_le_bytes());
                body.extend_from_slice(&self.server_id.to_le_bytes());
                body.extend_from_slice(file.as_bytes());
                Ok((command::BINLOG_DUMP, body))
            }
            Start::MariaDbGtids(_) => {
                body.extend_from_slice(&0_u32.to_le_bytes());
                body.extend_from_slice(&flags.to_le_bytes());
                body.extend_from_slice(&self.server_id.to_le_bytes());
                Ok((command::BINLOG_DUMP, body))
            }
            Start::MySqlGtids(set) => {
                let mut encoded = Vec::new();
                set.encode(&mut encoded);
                // The flag for annotated rows is MariaDB's; here its bit has another meaning.
                let flags = (flags & flag::NON_BLOCKING) | flag::THROUGH_GTID;
                body.extend_from_slice(&flags.to_le_bytes());
                body.extend_from_slice(&self.server_id.to_le_bytes());
                // No file name, and the position of a file's first event.
                body.extend_from_slice(&0_u32.to_le_bytes());
                body.extend_from_slice(&4_u64.to_le_bytes());
                body.extend_from_slice(&(encoded.len() as u32).to_le_bytes());
                body.extend_from_slice(&encoded);
                Ok((command::BINLOG_DUMP_GTID, body))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dump(start: Start) -> Dump {
        Dump {
            start,
            server_id: 0x0102_0304,
            heartbeat_ms: 800,
            net_write_timeout_s: 0,
            net_read_timeout_s: 9,
            annotate_rows: true,
            until_end: false,
        }
    }

    #[track_caller]
    fn check(start: Start, command: u8, body: &[u8]) {
        assert_eq!(dump(start).command().unwrap(), (command, body.to_vec()));
    }

    #[test]
    fn commands() {
        let file = |position| Start::Position { file: "b.1".into(), position };
        check(file(0), 0x12, b"\x04\0\0\0\x02\0\x04\x03\x02\x01b.1");
        check(file(0xffff_ffff), 0x12, b"\xff\xff\xff\xff\x02\0\x04\x03\x02\x01b.1");
        check(Start::MariaDbGtids("0-1-2".parse().unwrap()), 0x12, b"\0\0\0\0\x02\0\x04\x03\x02\x01");
        let start = Start::MySqlGtids(MySqlSet::default());
        check(start, 0x1e, b"\x04\0\x04\x03\x02\x01\0\0\0\0\x04\0\0\0\0\0\0\0\x08\0\0\0\0\0\0\0\0\0\0\0");
        assert!(dump(file(0x1_0000_0000)).command().unwrap_err().to_string().contains("4 GiB"));
    }

    #[test]
    fn statements() {
        let position = dump(Start::Position { file: String::new(), position: 4 });
        assert_eq!(
            position.statements(Flavour::MySql),
            [
                "SET @master_binlog_checksum = @@GLOBAL.binlog_checksum",
                "SET @master_heartbeat_period = 800000000",
                "SET net_read_timeout = 9",
            ]
        );
        let gtids = dump(Start::MariaDbGtids("0-1-2,1-1-3".parse().unwrap()));
        assert_eq!(
            gtids.statements(Flavour::MariaDb)[3..],
            [
                "SET @mariadb_slave_capability = 4",
                "SET @slave_connect_state = '0-1-2,1-1-3'",
                "SET @slave_gtid_strict_mode = 0",
                "SET @slave_gtid_ignore_duplicates = 0",
            ]
        );
    }
}
