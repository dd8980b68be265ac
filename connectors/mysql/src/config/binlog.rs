//! How the binlog is read.
//!
//! Must not know: the connection, events.

use relational::Patterns;
use settings::Reader;

use super::modes::Failure;

/// How the binlog is read.
#[derive(Clone, Debug)]
pub struct Binlog {
    /// Of which sources the GTIDs count at a start.
    pub sources: GtidSources,
    /// Whether changes of other sources are dropped.
    pub drops_other_sources: bool,
    /// Whether a start is at the stored file and position although GTIDs are stored.
    pub ignores_gtids: bool,
    /// How many events of a transaction are held back until it is committed; 0 holds back none.
    pub held_events: usize,
    /// What becomes of rows of a captured table whose structure is not known.
    pub unknown_table: Failure,
    /// What becomes of an event that cannot be decoded.
    pub undecodable: Failure,
    /// Whether changes carry the statement that made them.
    pub with_query: bool,
    /// Whether a start checks that the server still has the stored position.
    pub checks_position: bool,
}

impl Binlog {
    pub(super) fn read(r: &mut Reader<'_>) -> Self {
        Self {
            sources: GtidSources::read(r),
            drops_other_sources: r.boolean("gtid.source.filter.dml.events"),
            ignores_gtids: r.boolean("gtid.ignore.on.recovery"),
            held_events: r.count("binlog.buffer.size"),
            unknown_table: r.choice("inconsistent.schema.handling.mode", Failure::Fail),
            undecodable: r.choice("event.processing.failure.handling.mode", Failure::Fail),
            with_query: r.boolean("include.query"),
            checks_position: r.boolean("internal.log.position.check.enable"),
        }
    }
}

/// `gtid.source.includes` and `gtid.source.excludes`: regexes that ignore case and must match the whole source, which is
/// the UUID of a server (MySQL) or `domain-server` (MariaDB). At most one of the two lists is set.
#[derive(Clone, Debug, Default)]
pub struct GtidSources {
    includes: Patterns,
    excludes: Patterns,
}

impl GtidSources {
    fn read(r: &mut Reader<'_>) -> Self {
        let mut list = |name| {
            // The key's check has refused a list with a regex that does not compile.
            Patterns::new(&r.regex_texts(name)).unwrap_or_default()
        };
        Self { includes: list("gtid.source.includes"), excludes: list("gtid.source.excludes") }
    }

    /// Whether a source counts.
    pub fn keeps(&self, source: &str) -> bool {
        if self.includes.is_empty() { !self.excludes.matches(source) } else { self.includes.matches(source) }
    }

    /// Whether every source counts.
    pub fn keeps_all(&self) -> bool {
        self.includes.is_empty() && self.excludes.is_empty()
    }
}
