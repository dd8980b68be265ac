//! Settings of what is done to every row, whichever database it comes from.
//!
//! Must not know: tables.

use settings::Reader;

use crate::reselect::Reselect;
use crate::{ColumnRules, MessageKey};

/// What is done to columns and keys.
#[derive(Clone, Debug, Default)]
pub struct RowTreatment {
    /// Masks, hashes, truncations and propagated types.
    pub rules: ColumnRules,
    /// Message keys that the user chose.
    pub message_keys: Vec<MessageKey>,
    /// Post-processors, in the order in which they act.
    pub processors: Vec<Reselect>,
}

impl RowTreatment {
    /// Reads the settings.
    pub fn read(r: &mut Reader<'_>) -> Self {
        Self { rules: ColumnRules::read(r), message_keys: MessageKey::read_all(r), processors: Reselect::read_all(r) }
    }
}
