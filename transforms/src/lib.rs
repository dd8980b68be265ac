//! Single message transforms (SMTs) and predicates: the chain between a connector and its converters.
//!
//! A transform gets a record whose payload still is raw cells, and should leave it so: it answers with a
//! [`View`](record::View) (an output schema and where each field comes from), built once an input schema, and only what
//! really computes makes owned values. Class names, keys, messages and oddities are those of Kafka Connect and Debezium,
//! whose users' configs name them.
//!
//! Must not know: connectors, Kafka, converters.

mod chain;
mod error;
mod extract_new_record_state;
mod predicate;
mod regex_router;
mod table;

use record::Record;

pub use self::chain::Chain;
pub use self::error::TransformError;
pub use self::extract_new_record_state::ExtractNewRecordState;
pub use self::predicate::{PREDICATES, Predicate, PredicateKind};
pub use self::regex_router::RegexRouter;
pub use self::table::{ALL, Kind, find};

/// One configured transform. `&mut self`: a chain belongs to one thread, caches need no locks.
pub trait Transform: Send {
    /// Transforms a record; `None` drops it.
    ///
    /// # Errors
    /// When the record does not fit what the transform was configured for.
    fn apply<'a>(&mut self, record: Record<'a>) -> Result<Option<Record<'a>>, TransformError>;
}
