//! Single message transforms (SMTs) and predicates: the chain between a connector and its converters.
//!
//! A transform gets a record whose payload is still raw cells, and should keep it so: it returns a
//! [`View`](record::View) (an output schema and where each field comes from), which it builds once for each input
//! schema. Only a transform that computes new values makes owned ones. Class names, keys, messages and oddities are
//! those of Kafka Connect and Debezium, because users bring their configs from there.
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

/// One configured transform. [`apply`](Self::apply) takes `&mut self` because a chain belongs to one thread, so caches
/// need no locks.
pub trait Transform: Send {
    /// Transforms a record; returns `None` to drop it.
    ///
    /// # Errors
    /// When the record does not fit the transform's options, for example when a configured field does not exist.
    fn apply<'a>(&mut self, record: Record<'a>) -> Result<Option<Record<'a>>, TransformError>;
}
