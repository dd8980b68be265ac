//! What is captured. Regexes are kept as written; the keys' checks have shown that
//! each compiles.
//!
//! Must not know: tables.

use relational::TableFilterSpec;
use settings::Reader;

/// What is captured.
#[derive(Clone, Debug, Default)]
pub struct Filters {
    /// Which tables and columns.
    pub tables: TableFilterSpec,
    /// Regexes on the prefix of logical messages, as those of the tables.
    pub message_prefix_include: Vec<String>,
    /// Regexes on the prefix of logical messages.
    pub message_prefix_exclude: Vec<String>,
}

impl Filters {
    pub(super) fn read(r: &mut Reader<'_>) -> Self {
        Self {
            tables: TableFilterSpec::read(r, "schema"),
            message_prefix_include: r.regex_texts("message.prefix.include.list"),
            message_prefix_exclude: r.regex_texts("message.prefix.exclude.list"),
        }
    }
}
