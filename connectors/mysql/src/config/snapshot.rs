//! What is copied, when and how.
//!
//! Must not know: SQL.

use relational::Copying;
use settings::Reader;
use snapshot::{Asked, Mode, Rule, StructureRule};

use super::modes::{SnapshotLocking, TableOrder};
use crate::Flavour;
use crate::model::TableId;

/// What is copied, when and how.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// `snapshot.mode`, for messages; what it means is [`Snapshot::rule`] and [`Snapshot::structure`].
    pub mode: Mode,
    /// When rows are copied, and whether the binlog is followed.
    pub rule: Rule,
    /// When the structure of the tables is read and written to the schema history.
    pub structure: StructureRule,
    /// What is locked.
    pub locking: SnapshotLocking,
    /// Of which tables rows are copied, and the waits around it.
    pub copying: Copying,
    /// How many connections copy tables side by side, at least 1.
    pub threads: usize,
    /// Into how many parts for each connection a large table is cut, at least 1; 0: tables are not cut
    /// (`legacy.snapshot.max.threads`).
    pub multiplier: usize,
    /// The same for single tables: `database.table` and its number.
    pub multipliers: Vec<(String, usize)>,
    /// Which tables come first, if there is more than one connection.
    pub order: TableOrder,
    /// Whether rows are read in the server's binary form instead of as text (`snapshot.fetch.size` above 0, MySQL only).
    pub is_binary: bool,
}

/// What to use in place of a Java snapshotter, for the error message.
const MODES: &str = "initial, always, initial_only, no_data, recovery or when_needed";

impl Snapshot {
    /// Into how many parts at most a table is cut.
    pub fn parts(&self, table: &TableId) -> usize {
        if self.threads == 1 || self.multiplier == 0 {
            return 1;
        }
        let name = table.to_string();
        let own = self.multipliers.iter().find(|(of, _)| of.eq_ignore_ascii_case(&name)).map(|(_, number)| *number);
        self.threads.saturating_mul(own.unwrap_or(self.multiplier))
    }

    pub(super) fn read(r: &mut Reader<'_>, flavour: Flavour) -> Self {
        let Asked { mode, rule, structure } = Asked::read(r, MODES);
        Self {
            mode,
            rule,
            structure,
            locking: r.choice("snapshot.locking.mode", SnapshotLocking::Minimal),
            copying: Copying::read(r),
            threads: r.count("snapshot.max.threads").max(1),
            multiplier: if r.boolean("legacy.snapshot.max.threads") {
                0
            } else {
                r.count("snapshot.max.threads.multiplier").max(1)
            },
            multipliers: multipliers(r),
            order: r.choice("snapshot.tables.order.by.row.count", TableOrder::Disabled),
            is_binary: flavour == Flavour::MySql && r.int("snapshot.fetch.size") > 0,
        }
    }
}

const MULTIPLIER: &str = "snapshot.max.threads.multiplier.";

/// `snapshot.max.threads.multiplier.<database>.<table>`.
fn multipliers(r: &mut Reader<'_>) -> Vec<(String, usize)> {
    let mut found = Vec::new();
    for (table, value) in r.properties().under(MULTIPLIER) {
        match value.trim().parse() {
            Ok(number) if number > 0 => found.push((table.to_owned(), number)),
            _ => r.refuse(&format!("{MULTIPLIER}{table}"), "A positive integer is expected"),
        }
    }
    found
}
