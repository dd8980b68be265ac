//! The types of events.

use std::fmt;

/// The type of an event: the number in its header.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct EventKind(pub u8);

/// Constants for the types, and their names in the servers' sources.
macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $number:literal;)*) => {
        impl EventKind {
            $($(#[$doc])* pub const $name: Self = Self($number);)*

            /// The name in the server's source, without `_EVENT`.
            pub fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($number => Some(stringify!($name)),)*
                    _ => None,
                }
            }
        }
    };
}

impl EventKind {
    /// Whether cells of the event's rows stand in no event as they are: rows that MariaDB compressed, and partial updates of
    /// JSON.
    pub fn computes_cells(self) -> bool {
        self == Self::PARTIAL_UPDATE_ROWS
            || (Self::WRITE_ROWS_COMPRESSED_V1.0..=Self::DELETE_ROWS_COMPRESSED.0).contains(&self.0)
    }
}

kinds! {
    /// A statement, `BEGIN` among them.
    QUERY = 2;
    /// The server stopped.
    STOP = 3;
    /// The next file.
    ROTATE = 4;
    /// A value of LAST_INSERT_ID or AUTO_INCREMENT for the next statement.
    INTVAR = 5;
    /// LOAD DATA of old servers.
    LOAD = 6;
    /// LOAD DATA of old servers.
    CREATE_FILE = 8;
    /// LOAD DATA: a part of its file.
    APPEND_BLOCK = 9;
    /// LOAD DATA of old servers.
    EXEC_LOAD = 10;
    /// LOAD DATA: forget the file.
    DELETE_FILE = 11;
    /// LOAD DATA of old servers.
    NEW_LOAD = 12;
    /// The seeds of RAND() for the next statement.
    RAND = 13;
    /// A user variable for the next statement.
    USER_VAR = 14;
    /// How the events of this file are built.
    FORMAT_DESCRIPTION = 15;
    /// Commit of a transaction.
    XID = 16;
    /// LOAD DATA: the first part of its file.
    BEGIN_LOAD_QUERY = 17;
    /// LOAD DATA: the statement.
    EXECUTE_LOAD_QUERY = 18;
    /// Which table the next rows are of.
    TABLE_MAP = 19;
    /// Rows as MySQL 5.1 wrote them before its release.
    PRE_GA_WRITE_ROWS = 20;
    /// Rows as MySQL 5.1 wrote them before its release.
    PRE_GA_UPDATE_ROWS = 21;
    /// Rows as MySQL 5.1 wrote them before its release.
    PRE_GA_DELETE_ROWS = 22;
    /// Inserted rows, version 1 (MariaDB, MySQL 5.5).
    WRITE_ROWS_V1 = 23;
    /// Updated rows, version 1.
    UPDATE_ROWS_V1 = 24;
    /// Deleted rows, version 1.
    DELETE_ROWS_V1 = 25;
    /// The server lost events.
    INCIDENT = 26;
    /// Sent while there is nothing to send.
    HEARTBEAT = 27;
    /// Made to be ignored.
    IGNORABLE = 28;
    /// The statement that the next rows come from.
    ROWS_QUERY = 29;
    /// Inserted rows, version 2.
    WRITE_ROWS = 30;
    /// Updated rows, version 2.
    UPDATE_ROWS = 31;
    /// Deleted rows, version 2.
    DELETE_ROWS = 32;
    /// A transaction's id.
    GTID = 33;
    /// A transaction without an id.
    ANONYMOUS_GTID = 34;
    /// The ids of the transactions in earlier files.
    PREVIOUS_GTIDS = 35;
    /// Group replication's conflict detection.
    TRANSACTION_CONTEXT = 36;
    /// Group replication: a member joined or left.
    VIEW_CHANGE = 37;
    /// The end of a prepared XA transaction.
    XA_PREPARE = 38;
    /// Updated rows of which JSON values are written as differences.
    PARTIAL_UPDATE_ROWS = 39;
    /// The events of a transaction, compressed.
    TRANSACTION_PAYLOAD = 40;
    /// As HEARTBEAT, with positions beyond 4 GiB.
    HEARTBEAT_V2 = 41;
    /// A transaction's id that has a tag.
    GTID_TAGGED = 42;
    /// MariaDB: the statement that the next rows come from.
    ANNOTATE_ROWS = 160;
    /// MariaDB: the oldest file that a recovery needs.
    BINLOG_CHECKPOINT = 161;
    /// MariaDB: a transaction's id, which also begins it.
    MARIADB_GTID = 162;
    /// MariaDB: the last ids of earlier files.
    MARIADB_GTID_LIST = 163;
    /// MariaDB: the rest of the file is encrypted.
    START_ENCRYPTION = 164;
    /// MariaDB: a compressed statement.
    QUERY_COMPRESSED = 165;
    /// MariaDB: compressed inserted rows, version 1.
    WRITE_ROWS_COMPRESSED_V1 = 166;
    /// MariaDB: compressed updated rows, version 1.
    UPDATE_ROWS_COMPRESSED_V1 = 167;
    /// MariaDB: compressed deleted rows, version 1.
    DELETE_ROWS_COMPRESSED_V1 = 168;
    /// MariaDB: compressed inserted rows, version 2.
    WRITE_ROWS_COMPRESSED = 169;
    /// MariaDB: compressed updated rows, version 2.
    UPDATE_ROWS_COMPRESSED = 170;
    /// MariaDB: compressed deleted rows, version 2.
    DELETE_ROWS_COMPRESSED = 171;
    /// MariaDB 12.3: a piece of a rows event, which this version cannot read.
    PARTIAL_ROW_DATA = 172;
}

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "{name} ({})", self.0),
            None => write!(f, "of type {}", self.0),
        }
    }
}

impl fmt::Debug for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
