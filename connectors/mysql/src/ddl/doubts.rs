//! The tables whose shape is not known, because a statement about them is not understood.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::NotUnderstood;
use crate::model::TableId;

/// Why the shape of a table is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doubt {
    /// What is not understood.
    pub failed: NotUnderstood,
    /// The statement. It goes where statements go, and into no message: it may hold what no log should.
    pub text: Arc<str>,
    /// Where it stands, as `file:position`; empty where that is not known.
    pub at: Arc<str>,
}

/// See the module. Names are as the catalog's rules fold them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Doubts {
    tables: BTreeMap<TableId, Arc<Doubt>>,
    /// Of names that the catalog does not know: a statement that is not understood may have made or renamed any table.
    others: Option<Arc<Doubt>>,
}

impl Doubts {
    pub(super) fn add(&mut self, table: TableId, doubt: &Arc<Doubt>) {
        self.tables.insert(table, Arc::clone(doubt));
    }

    pub(super) fn add_others(&mut self, doubt: &Arc<Doubt>) {
        self.others = Some(Arc::clone(doubt));
    }

    pub(super) fn remove(&mut self, table: &TableId) -> Option<Arc<Doubt>> {
        self.tables.remove(table)
    }

    pub(super) fn remove_database(&mut self, database: &str) {
        self.tables.retain(|id, _| *id.database != *database);
    }

    pub(super) fn of_table(&self, table: &TableId) -> Option<&Arc<Doubt>> {
        self.tables.get(table)
    }

    pub(super) fn of_others(&self) -> Option<&Arc<Doubt>> {
        self.others.as_ref()
    }

    /// Says of the doubts that a statement has just raised where it stands.
    pub(super) fn date(&mut self, at: &str) {
        let undated = self.tables.values_mut().chain(&mut self.others).filter(|doubt| doubt.at.is_empty());
        for doubt in undated {
            Arc::make_mut(doubt).at = at.into();
        }
    }
}
