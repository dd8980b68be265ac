//! How DDL is read, kept and published. Where the history lies is the runtime's concern.
//!
//! Must not know: statements, records.

use settings::Reader;

use crate::Flavour;
use crate::ddl::{DdlFilter, Grammar};
use crate::history::Storing;

/// How DDL is read, kept and published.
#[derive(Clone, Debug)]
pub struct Schema {
    /// Whether a record of each statement is sent to the topic of schema changes.
    pub publishes: bool,
    /// Whether comments on tables and columns are kept.
    pub comments: bool,
    /// Which of Debezium's grammars is followed.
    pub grammar: Grammar,
    /// Which statements are kept.
    pub storing: Storing,
    /// Whether statements that cannot be read are passed over.
    pub skip_unparseable: bool,
    /// Whether a start reads the statements of the history again instead of the tables that its records hold.
    pub prefer_ddl: bool,
    /// The statements that leave no record.
    pub filter: DdlFilter,
}

settings::choices! {
    /// `ddl.parser.type`.
    enum Parser {
        Default = "default",
        Legacy = "legacy",
    }
}

impl Schema {
    pub(super) fn read(r: &mut Reader<'_>, flavour: Flavour) -> Self {
        const PREFIX: &str = "schema.history.internal";
        let publishes = r.boolean("include.schema.changes");
        let (comments, grammar) = match flavour {
            Flavour::MySql => (r.boolean("include.schema.comments"), grammar(r)),
            // As in Debezium, whose one switch stands for both.
            Flavour::MariaDb => (publishes, Grammar::Legacy),
        };
        Self {
            publishes,
            comments,
            grammar,
            storing: Storing {
                only_captured_tables: r.boolean(&format!("{PREFIX}.store.only.captured.tables.ddl")),
                only_captured_databases: r.boolean(&format!("{PREFIX}.store.only.captured.databases.ddl")),
            },
            skip_unparseable: r.boolean(&format!("{PREFIX}.skip.unparseable.ddl")),
            prefer_ddl: r.boolean(&format!("{PREFIX}.prefer.ddl")),
            filter: filter(r),
        }
    }
}

fn grammar(r: &mut Reader<'_>) -> Grammar {
    match r.choice("ddl.parser.type", Parser::Default) {
        Parser::Default => Grammar::Default,
        Parser::Legacy => Grammar::Legacy,
    }
}

fn filter(r: &mut Reader<'_>) -> DdlFilter {
    const KEY: &str = "internal.schema.history.internal.ddl.filter";
    let list = r.text_or_none(KEY);
    DdlFilter::new(list.as_deref()).unwrap_or_else(|error| {
        r.refuse(KEY, &format!("A comma-separated list of valid regular expressions is expected, but {error}"));
        DdlFilter::default()
    })
}
