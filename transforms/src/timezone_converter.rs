//! `io.debezium.transforms.TimezoneConverter`: moves the times in rows to another time zone.
//!
//! A text with an offset keeps its instant and gets the offset of the zone. A number without a zone is read as the time that a
//! clock shows, and becomes the instant at which a clock in the zone shows the same; so the number gets smaller where the zone
//! is ahead of UTC. Dates, and times of day without an offset, stay.
//!
//! ```json
//! {"converted.timezone": "+05:30"}
//! {"topic": "srv.public.orders", "value": {"op": "c", "after": {"id": 1, "at": "2018-01-02T11:15:30.123456789+00:00",
//!     "ms": 1720000000000, "time": "23:00:00Z", "day": 17000}},
//!   "types": {"after.at": "string? io.debezium.time.ZonedTimestamp", "after.ms": "int64? io.debezium.time.Timestamp",
//!     "after.time": "string? io.debezium.time.ZonedTime", "after.day": "int32? io.debezium.time.Date"}}
//! => {"value": {"op": "c", "before": null, "after": {"id": 1, "at": "2018-01-02T16:45:30.123456789+05:30",
//!     "ms": 1719980200000, "time": "04:30:00+05:30", "day": 17000}}}
//! ```
//!
//! Rules say which tables or topics, and which of their fields. A prefix holds until the next one, and names must be equal.
//! Times of the source block move only when a rule names them; here the offset is added, so the number gets larger.
//!
//! ```json
//! {"converted.timezone": "Europe/Moscow", "include.list": "source:orders:source.ts_ms,lines:at"}
//! {"topic": "srv.public.orders", "value": {"op": "c", "after": {"id": 1, "at": 0}},
//!   "types": {"after.at": "int64? io.debezium.time.MicroTimestamp"}}
//! => {"value": {"source": {"ts_ms": 1700010800000, "ts_us": 1700000000000000}, "after": {"id": 1, "at": 0}}}
//! {"topic": "srv.public.lines", "value": {"op": "d", "before": {"id": 1, "at": 1000000000000, "also": 0}},
//!   "types": {"before.at": "int64? io.debezium.time.MicroTimestamp", "before.also": "int64? io.debezium.time.Timestamp"}}
//! => {"value": {"source": {"ts_ms": 1700000000000}, "before": {"id": 1, "at": 989200000000, "also": 0}, "after": null}}
//! {"topic": "srv.public.others", "value": {"op": "c", "after": {"id": 1, "at": 0}},
//!   "types": {"after.at": "int64? io.debezium.time.MicroTimestamp"}}
//! => {}
//! ```
//!
//! Must not know: databases.

mod iso;
mod moved;
mod rules;
#[cfg(test)]
mod tests;
mod zone;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use record::{Cache, Kind, Part, Payload, Record, View};
use settings::{Def, Finding, Key, Properties, Severity, Width};

use self::moved::{How, Type};
use self::rules::{EXCLUDE, Fields, INCLUDE, Rules, Selection};
use self::zone::{Zone, instead_of};
use crate::envelope::is_envelope;
use crate::error::{Refusal, java};
use crate::options::Options;
use crate::{Transform, TransformError};

const ZONE: &str = "converted.timezone";

/// The number of tables whose times are remembered.
const CACHE: usize = 4096;

const RULES: &str = "Rules with commas between: source:TABLE[:FIELD], topic:TOPIC[:FIELD] or NAME:FIELD, where NAME is a topic or \
                     a table. A prefix holds for the rules behind it too, and must not be repeated.";

const fn key(name: &'static str, kind: settings::Kind, display_name: &'static str) -> Key {
    crate::options::key(name, kind, display_name, Width::Medium).high()
}

const KEYS: &[Key] = &[
    key(ZONE, settings::Kind::String, "Converted Timezone").doc(
        "The time zone to convert to: a region such as Europe/Paris, or an offset such as +08:00. It must be set.",
    ),
    key(INCLUDE, settings::Kind::List, "Include List").doc(RULES),
    key(EXCLUDE, settings::Kind::List, "Exclude List").doc(RULES),
];

/// The transform's row in the table.
pub(crate) const KIND: crate::Kind = crate::Kind {
    class: "io.debezium.transforms.TimezoneConverter",
    module: module_path!(),
    summary: "Moves the times in rows to another time zone.",
    keys: Def::new(&[KEYS]),
    make: |properties| Ok(Box::new(TimezoneConverter::new(properties)?)),
    remarks,
};

fn remarks(properties: &Properties) -> Vec<Finding> {
    let finding = |instead| Finding {
        key: ZONE.to_owned(),
        severity: Severity::Warning,
        reason: "Java accepts these letters, but fails with the first time that it converts, and so does this daemon."
            .to_owned(),
        remedy: format!("Set {ZONE}={instead}."),
    };
    properties.get(ZONE).and_then(instead_of).map(finding).into_iter().collect()
}

/// The times of one input that are moved.
#[derive(Debug)]
struct Plan {
    moves: Vec<Move>,
    view: Arc<View>,
    /// When the change was processed, in milliseconds since 1970.
    now: Option<Part>,
}

#[derive(Debug)]
struct Move {
    name: Arc<str>,
    part: Part,
    how: How,
}

/// Where an envelope names its table.
type Table = Option<Part>;

#[derive(Debug)]
struct TimezoneConverter {
    zone: Zone,
    rules: Rules,
    tables: Cache<u32, Table>,
    /// None for inputs in which nothing is moved.
    plans: Cache<(u32, Selection), Option<Arc<Plan>>>,
}

impl TimezoneConverter {
    fn new(properties: &Properties) -> Result<Self, Vec<Refusal>> {
        let mut options = Options::new(properties);
        let id = options.required(ZONE);
        rules::check_regexes(&mut options);
        options.each_refused()?;
        let options = Options::new(properties);
        if let Some(wrong) = rules::check_form(&options) {
            return Err(vec![wrong]);
        }
        let Some(zone) = Zone::named(id) else {
            let message = "Invalid timezone format. Please specify either a geographic timezone (e.g. America/Los_Angeles) or a \
                           UTC offset in the format of +/-hh:mm, (e.g. +08:00).";
            return Err(vec![Refusal::new(java::DEBEZIUM, ZONE, message)]);
        };
        if let Some(wrong) = rules::check_one_list(&options) {
            return Err(vec![wrong]);
        }
        let rules = Rules::new(&options);
        Ok(Self { zone, rules, tables: Cache::new(CACHE), plans: Cache::new(CACHE) })
    }

    /// What is moved in this record.
    fn selection(&mut self, record: &Record<'_>) -> Selection {
        if !self.rules.ask_for_tables() {
            return self.rules.select(&record.topic, None);
        }
        let id = record.value.id();
        let place = self.tables.place(|known| *known == id, || id).unwrap_or_else(|| {
            let table = record.value.part().and_then(|whole| whole.field("source")?.field("table"));
            self.tables.insert(id, table)
        });
        let (rules, topic) = (&self.rules, &record.topic);
        match self.tables.at(place) {
            Some(table) => table.with_text(record.value.frame(), |table| rules.select(topic, table)),
            None => rules.select(topic, None),
        }
    }

    /// The times to move, from the cache or found now.
    fn plan(&mut self, value: &Payload<'_>, selection: Selection) -> Option<Arc<Plan>> {
        let key = (value.id(), selection);
        if let Some(place) = self.plans.place(|known| *known == key, || key) {
            return self.plans.at(place).clone();
        }
        let plan = value.part().and_then(|whole| self.find(value, &whole, selection)).map(Arc::new);
        self.plans.insert(key, plan.clone());
        plan
    }

    /// Finds the times to move; none when there are none.
    fn find(&self, value: &Payload<'_>, whole: &Part, selection: Selection) -> Option<Plan> {
        let nothing = Fields::default();
        let (fields, excludes) = match selection {
            Selection::None => return None,
            Selection::All => (&nothing, true),
            Selection::Only(at) => (self.rules.fields(at)?, false),
            Selection::AllBut(at) => (self.rules.fields(at)?, true),
        };
        let mut moves = Vec::new();
        let mut rebuilt = Vec::with_capacity(whole.schema.fields().len());
        for (name, block) in whole.fields() {
            let names = match &*name {
                "before" => Some(&fields.before),
                "after" => Some(&fields.after),
                // The source block stays unless a rule names one of its fields.
                "source" => Some(&fields.source).filter(|names| !names.is_empty()),
                _ => None,
            };
            let block =
                match names {
                    Some(names) if matches!(block.schema.kind, Kind::Struct(_)) => {
                        let is_chosen = |field: &str, names: &HashSet<String>| names.contains(field) != excludes;
                        let mut inner = Vec::with_capacity(block.schema.fields().len());
                        for (field, part) in block.fields() {
                            let is_source = *name == *"source";
                            let kind = Type::of(&part.schema, is_source.then_some(&field));
                            inner.push((Arc::clone(&field), match kind {
                            Type::Moves(how) if is_chosen(&field, names) => {
                                let slot = value.slots() + moves.len() as u16;
                                let new = Part::owned(Arc::clone(&part.schema), slot);
                                moves.push(Move { name: field, part: part.or_default(), how });
                                new
                            }
                            Type::Stays if is_chosen(&field, names) => {
                                let kind = part.schema.name.as_deref().unwrap_or_default();
                                tracing::warn!(
                                    "Skipping conversion for unsupported logical type: {kind} for field: {field}"
                                );
                                part
                            }
                            _ => part,
                        }));
                        }
                        Part::structure(&block.schema, inner, block.presence())
                    }
                    _ => block,
                };
            rebuilt.push((name, block));
        }
        if moves.is_empty() {
            return None;
        }
        let now = whole.field("ts_ms").filter(|_| moves.iter().any(|one| one.how == How::Time));
        let view = Part::structure(&whole.schema, rebuilt, whole.presence());
        let slots = value.slots() + moves.len() as u16;
        Some(Plan { moves, view: View::of(view, slots), now })
    }
}

/// Seconds since 1970.
fn clock() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs() as i64
}

impl Transform for TimezoneConverter {
    fn apply<'a>(&mut self, mut record: Record<'a>) -> Result<Option<Record<'a>>, TransformError> {
        if record.value.is_null() || !record.value.schema().is_some_and(|schema| is_envelope(schema)) {
            return Ok(Some(record));
        }
        let selection = self.selection(&record);
        let Some(plan) = self.plan(&record.value, selection) else { return Ok(Some(record)) };
        let frame = record.value.frame();
        #[allow(clippy::redundant_closure_for_method_calls, reason = "the method itself is not general enough")]
        let now_ms = plan.now.as_ref().and_then(|part| part.with(frame, |cell| cell.as_int()));
        let now = now_ms.map_or_else(clock, |ms| ms.div_euclid(1000));
        let mut computed = Vec::with_capacity(plan.moves.len());
        for Move { name, part, how } in &plan.moves {
            let value = part.with(frame, |cell| how.moved(cell, &self.zone, now));
            computed.push(value.map_err(|wrong| wrong.of_field(name))?);
        }
        record.value = record.value.through(&plan.view, computed);
        Ok(Some(record))
    }
}
