//! What the records of the offsets topic mean: the stored offset of each source partition of each connector.
//!
//! Java finds a partition by the exact bytes of its key. Here keys are compared by their meaning, and a partition that
//! was stored before is written with the same key bytes again, so that Java finds it too.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError, RwLock};

use record::java_map::{Made, listed};
use serde_json::Value;

use super::json::{bytes, object};
use super::{Entry, Log, Object, Pending, Store, StoreError};

/// What is stored of one source partition; an offset of `None` was deleted.
#[derive(Debug, Clone)]
struct Stored {
    key: Vec<u8>,
    partition: Object,
    offset: Option<Object>,
}

/// Stored partitions by connector and by the partition's [`canonical`] form.
#[derive(Debug, Default)]
struct View(HashMap<String, BTreeMap<String, Stored>>);

impl View {
    fn apply(&mut self, key: &[u8], value: Option<&[u8]>) {
        let Some((connector, partition)) = parse_key(key) else {
            tracing::warn!(
                key = %String::from_utf8_lossy(key),
                "offsets topic: a key is not [\"connector\",{{partition}}], its record is skipped"
            );
            return;
        };
        let offset = match value.filter(|value| *value != b"null") {
            None => None,
            Some(value) => {
                let offset = object(value);
                if offset.is_none() {
                    tracing::warn!(connector, "offsets topic: a value is not a JSON object, its record is skipped");
                    return;
                }
                offset
            }
        };
        let partitions = self.0.entry(connector.clone()).or_default();
        let canonical = canonical(&partition);
        // Java does not find a key in another spelling (one more blank, another order): such a record must not replace the
        // one that Java does find.
        let is_javas = |key: &[u8]| key == key_bytes(&connector, &partition);
        if let Some(stored) = partitions.get(&canonical)
            && stored.key != key
            && stored.offset.is_some()
            && !is_javas(key)
        {
            return;
        }
        partitions.insert(canonical, Stored { key: key.to_vec(), partition, offset });
    }

    fn find(&self, connector: &str, partition: &Object) -> Option<&Stored> {
        self.0.get(connector)?.get(&canonical(partition))
    }
}

fn parse_key(key: &[u8]) -> Option<(String, Object)> {
    match serde_json::from_slice(key).ok()? {
        Value::Array(parts) => match <[Value; 2]>::try_from(parts).ok()? {
            [Value::String(connector), Value::Object(partition)] => Some((connector, partition)),
            _ => None,
        },
        _ => None,
    }
}

/// A partition as text with its keys sorted at every depth: equal partitions have equal texts.
pub(super) fn canonical(partition: &Object) -> String {
    fn sorted(value: &Value) -> Value {
        match value {
            Value::Object(object) => {
                let ordered: BTreeMap<_, _> = object.iter().map(|(k, v)| (k.clone(), sorted(v))).collect();
                Value::Object(ordered.into_iter().collect())
            }
            Value::Array(items) => items.iter().map(sorted).collect(),
            other => other.clone(),
        }
    }
    sorted(&Value::Object(partition.clone())).to_string()
}

/// A record's key as Java writes it: `["C",{"server":"P"}]` without blanks, the partition's keys in the order of its
/// `HashMap`.
fn key_bytes(connector: &str, partition: &Object) -> Vec<u8> {
    let ordered: Object =
        listed(partition, |(name, _)| name, Made::Growing).into_iter().map(|(n, v)| (n.clone(), v.clone())).collect();
    bytes(&(connector, ordered))
}

/// A source partition with its offset.
#[derive(Debug, Clone, PartialEq)]
pub struct PartitionOffset {
    /// The source partition.
    pub partition: Object,
    /// The offset stored for the partition.
    pub offset: Object,
}

/// The offsets topic: a cached view, and writes.
#[derive(Clone)]
pub struct Offsets {
    store: Arc<dyn Store>,
    view: Arc<RwLock<View>>,
}

impl Offsets {
    /// Follows the offsets log of a store that has not been started yet.
    pub fn new(store: Arc<dyn Store>) -> Self {
        let view = Arc::new(RwLock::new(View::default()));
        store.follow(Log::Offsets, {
            let view = Arc::clone(&view);
            Box::new(move |key, value| view.write().unwrap_or_else(PoisonError::into_inner).apply(key, value))
        });
        Self { store, view }
    }

    fn view<T>(&self, read: impl FnOnce(&View) -> T) -> T {
        read(&self.view.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The stored offset of a partition.
    pub fn get(&self, connector: &str, partition: &Object) -> Option<Object> {
        self.view(|view| view.find(connector, partition)?.offset.clone())
    }

    /// All partitions of a connector that have an offset.
    pub fn all(&self, connector: &str) -> Vec<PartitionOffset> {
        let alive = |stored: &Stored| {
            Some(PartitionOffset { partition: stored.partition.clone(), offset: stored.offset.clone()? })
        };
        self.view(|view| view.0.get(connector).into_iter().flat_map(|p| p.values().filter_map(alive)).collect())
    }

    /// The record that stores an offset; for `None` a tombstone.
    pub fn record(&self, connector: &str, partition: &Object, offset: Option<&Object>) -> Entry {
        let stored = self.view(|view| view.find(connector, partition).map(|stored| stored.key.clone()));
        Entry { key: stored.unwrap_or_else(|| key_bytes(connector, partition)), value: offset.map(bytes) }
    }

    /// Stores offsets of one connector; `None` deletes a partition's offset.
    pub fn write<'a>(
        &self,
        connector: &str,
        offsets: impl IntoIterator<Item = (&'a Object, Option<&'a Object>)>,
    ) -> Pending {
        let entries: Vec<Entry> = offsets.into_iter().map(|(p, offset)| self.record(connector, p, offset)).collect();
        if entries.is_empty() {
            return Pending::over(Ok(()));
        }
        self.store.append(Log::Offsets, entries)
    }

    /// The topic and the partition in which a record with this key is stored; `None` where offsets are not in a topic.
    pub fn place(&self, key: &[u8]) -> Option<(String, i32)> {
        self.store.place(Log::Offsets, key)
    }

    /// As [`refresh`](Self::refresh), but also waits until the transactions that are open now have ended: one of them may
    /// bring the offset that a task must start from.
    pub async fn settle(&self) -> Result<(), StoreError> {
        self.store.read_settled(Log::Offsets).await
    }

    /// Waits until everything that is in the topic now has been read: a task must start from the last offset, whoever wrote
    /// it.
    pub async fn refresh(&self) -> Result<(), StoreError> {
        self.store.read_to_end(Log::Offsets).await
    }
}

#[cfg(test)]
#[allow(clippy::expect_used)] // tests
mod tests {
    use serde_json::json;

    use super::*;

    fn map(value: &Value) -> Object {
        value.as_object().expect("an object").clone()
    }

    /// `records` folded; then the partition's stored key bytes and offset.
    #[track_caller]
    fn check(records: &[(&str, Option<&str>)], partition: &Value, expect: Option<(&str, Option<&str>)>) {
        let mut view = View::default();
        for (key, value) in records {
            view.apply(key.as_bytes(), value.map(str::as_bytes));
        }
        let found = view.find("c", &map(partition)).map(|stored| {
            let offset = stored.offset.as_ref().map(|offset| String::from_utf8(bytes(offset)).expect("UTF-8"));
            (String::from_utf8(stored.key.clone()).expect("UTF-8"), offset)
        });
        assert_eq!(found, expect.map(|(key, offset)| (key.to_owned(), offset.map(str::to_owned))), "{records:?}");
    }

    #[test]
    fn finds_by_meaning() {
        const JAVA: &str = r#"["c",{"server":"p"}]"#;
        const BLANK: &str = r#"["c", {"server":"p"}]"#;
        const TWO: &str = r#"["c",{"server":"p","database":"d"}]"#;
        const TURNED: &str = r#"["c",{"database":"d","server":"p"}]"#;
        const BIG: &str = r#"{"transaction_id":null,"lsn":9223372036854775807,"d":1.5}"#;
        let server = json!({"server": "p"});
        let both = json!({"database": "d", "server": "p"});
        for (records, partition, expect) in [
            (vec![], &server, None),
            (vec![(JAVA, Some(BIG))], &server, Some((JAVA, Some(BIG)))),
            (vec![(TWO, Some("{}"))], &both, Some((TWO, Some("{}")))),
            (vec![(TURNED, Some("{}"))], &both, Some((TURNED, Some("{}")))),
            (vec![(TWO, Some("{}")), (TURNED, Some(BIG))], &both, Some((TWO, Some("{}")))),
            (vec![(TURNED, Some(BIG)), (TWO, Some("{}"))], &both, Some((TWO, Some("{}")))),
            (vec![(JAVA, Some("{}")), (JAVA, None)], &server, Some((JAVA, None))),
            (vec![(JAVA, Some("{}")), (JAVA, Some("null"))], &server, Some((JAVA, None))),
            (vec![(JAVA, Some(r#"{"a":1}"#)), (BLANK, Some(r#"{"a":2}"#))], &server, Some((JAVA, Some(r#"{"a":1}"#)))),
            (vec![(BLANK, Some(r#"{"a":2}"#)), (JAVA, Some(r#"{"a":1}"#))], &server, Some((JAVA, Some(r#"{"a":1}"#)))),
            (vec![(BLANK, Some(r#"{"a":2}"#))], &server, Some((BLANK, Some(r#"{"a":2}"#)))),
            (vec![(r#"["c"]"#, Some("{}")), ("[1,{}]", Some("{}")), ("x", Some("{}"))], &server, None),
            (vec![(JAVA, Some("{}")), (JAVA, Some("17"))], &server, Some((JAVA, Some("{}")))),
        ] {
            check(&records, partition, expect);
        }
    }

    /// As `HashMap.toString` of Java 17 lists them.
    #[test]
    fn new_keys_are_in_javas_order() {
        for (partition, expect) in [
            (json!({"server": "p"}), r#"["c",{"server":"p"}]"#),
            (json!({"database": "d", "server": "p"}), r#"["c",{"server":"p","database":"d"}]"#),
            (json!({"task": 1, "server": "p", "partition": null}), r#"["c",{"server":"p","task":1,"partition":null}]"#),
        ] {
            assert_eq!(String::from_utf8(key_bytes("c", &map(&partition))).expect("UTF-8"), expect);
        }
    }

    #[test]
    fn a_java_workers_records() {
        let mut view = View::default();
        for line in include_str!("../../tests/data/state/connect-offsets.jsonl").lines() {
            let record: Value = serde_json::from_str(line).expect("a line of the recording");
            let (key, value) = (record["key"].as_str().expect("key"), record["value"].as_str().expect("value"));
            view.apply(key.as_bytes(), Some(value.as_bytes()));
            let (connector, partition) = parse_key(key.as_bytes()).expect("a key");
            assert_eq!(key_bytes(&connector, &partition), key.as_bytes());
            let stored = view.find(&connector, &partition).expect("stored");
            assert_eq!(stored.offset.as_ref().map(bytes), Some(value.as_bytes().to_vec()));
        }
        let stored = view.find("keep-pg", &map(&json!({"server": "keeppg"}))).expect("stored");
        assert_eq!(stored.offset.as_ref().and_then(|o| o["lsn"].as_u64()), Some(796_775_136));
    }
}
