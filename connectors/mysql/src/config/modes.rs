//! The enumerated settings and their names. An enum that a room of its own carries out stands there: `wire::TlsMode`,
//! `types::BigintUnsignedMode`, `ddl::Grammar`.
//!
//! Must not know: how each is carried out.

settings::choices! {
    /// `snapshot.locking.mode`.
    pub enum SnapshotLocking {
        /// All writes are held up until the structure is read.
        Minimal = "minimal",
        /// All writes are held up until the rows are read.
        Extended = "extended",
        /// Percona's lock for backups until the structure is read; locks of tables without the privilege.
        MinimalPercona = "minimal_percona",
        /// As `MinimalPercona`, but an error without the privilege.
        MinimalPerconaNoTableLocks = "minimal_percona_no_table_locks",
        /// No locks.
        None = "none",
        /// A Java plug-in: refused.
        Custom = "custom",
    }

    /// `snapshot.tables.order.by.row.count`: which tables are copied first, by the server's estimate of their rows.
    pub enum TableOrder {
        /// As `table.include.list` says, then by name.
        Disabled = "disabled",
        /// The small ones.
        Ascending = "ascending",
        /// The large ones.
        Descending = "descending",
    }

    /// `event.processing.failure.handling.mode`, `inconsistent.schema.handling.mode`: what becomes of what cannot be read.
    pub enum Failure {
        /// The task ends.
        Fail = "fail",
        /// It is left out, with a warning.
        Warn = "warn",
        /// It is left out.
        Skip = "skip",
        /// As `Skip`.
        Ignore = "ignore",
    }
}
