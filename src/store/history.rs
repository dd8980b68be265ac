//! A schema history: the DDL that a connector has seen, in order. Here it is bytes; the connector knows what they mean.

use std::sync::Arc;

use super::{Entry, Pending, Store, StoreError};

/// One connector's schema history.
#[derive(Clone)]
pub struct History {
    store: Arc<dyn Store>,
    name: String,
}

impl History {
    /// The history called `name`: the topic of that name, or in standalone mode a file beside the offset file.
    pub fn new(store: Arc<dyn Store>, name: impl Into<String>) -> Self {
        Self { store, name: name.into() }
    }

    /// Appends entries; complete when they are acknowledged.
    pub fn append(&self, entries: Vec<Entry>) -> Pending {
        self.store.append_history(&self.name, entries)
    }

    /// Reads all entries from the beginning; empty if there are none. Blocks.
    pub fn load(&self) -> Result<Vec<Entry>, StoreError> {
        self.store.load_history(&self.name)
    }
}
