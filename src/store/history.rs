//! A schema history: what a connector noted of its database's DDL, in order. Only bytes here; the connector reads them.

use std::sync::Arc;

use super::{Entry, Pending, Store, StoreError};

/// One connector's schema history.
#[derive(Clone)]
pub struct History {
    store: Arc<dyn Store>,
    name: String,
}

impl History {
    /// The history `name`: a topic, or a file beside the standalone offsets.
    pub fn new(store: Arc<dyn Store>, name: impl Into<String>) -> Self {
        Self { store, name: name.into() }
    }

    /// Appends; complete when acknowledged.
    pub fn append(&self, entries: Vec<Entry>) -> Pending {
        self.store.append_history(&self.name, entries)
    }

    /// Everything, from the beginning. Blocks.
    pub fn load(&self) -> Result<Vec<Entry>, StoreError> {
        self.store.load_history(&self.name)
    }
}
