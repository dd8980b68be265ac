//! Makes the records of a batch's events, as they are before the chain.
//!
//! Must not know: what becomes of a record.

use std::sync::{Arc, LazyLock};

use record::{
    Batch, Change, Decoded, Event, Header, Headers, KeyMove, Op, Payload, Record, RowRef, Schema, Value, ValueRef,
};

use crate::runtime::failure::Failure;

/// The headers of the two records in which a change of a row's key is sent.
static NEW_KEY: LazyLock<Arc<str>> = LazyLock::new(|| "__debezium.newkey".into());
static OLD_KEY: LazyLock<Arc<str>> = LazyLock::new(|| "__debezium.oldkey".into());

/// Gives the records of a change, with the number of each: the change itself, then its tombstone if it has one. `context` are
/// the headers of every row's record; `cells` is scratch, and empty.
///
/// # Errors
/// When a row cannot be decoded, or what `give` returns.
pub(crate) fn of_change<'a>(
    batch: &'a Batch,
    change: &'a Change,
    context: &'a [Header<'static>],
    [before, after, other]: [&mut Vec<ValueRef<'a>>; 3],
    now_ns: i64,
    mut give: impl FnMut(Record<'_>, u8) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let shape = &*batch.shapes[usize::from(change.shape)];
    let decode = |row: RowRef, out: &mut Vec<ValueRef<'a>>| {
        shape.decode.row(&batch.buffer, batch.cells(row), out).map_err(|error| Failure::decode(&shape.table, &error))
    };
    let (mut has_before, mut has_after) = (false, false);
    if let Some(row) = change.before {
        decode(row, before)?;
        has_before = true;
    }
    if let Some(row) = change.after {
        decode(row, after)?;
        has_after = true;
    }
    if let Some(KeyMove::To(row) | KeyMove::From(row)) = change.moved {
        decode(row, other)?;
    }
    let (before, after) = (has_before.then_some(&**before), has_after.then_some(&**after));
    let decoded = Decoded::new(shape, change, before, after, now_ns);
    // The other key of a row whose key changed.
    let moved = change.moved.map(|_| Decoded { key: Some(other), ..Decoded::new(shape, change, None, None, 0) });
    let key = if change.op == Op::Truncate { Payload::Null } else { decoded.key() };
    let record = |value| {
        let mut headers = Headers::shared(context);
        if let Some(moved) = &moved {
            let name = if matches!(change.moved, Some(KeyMove::To(_))) { &NEW_KEY } else { &OLD_KEY };
            headers.push_front(Header { name: Arc::clone(name), value: moved.key() });
        }
        let topic = Arc::clone(&shape.topic);
        Record { topic, partition: None, timestamp_ms: None, key: key.clone(), value, headers }
    };
    give(record(decoded.envelope()), 0)?;
    if change.tombstone {
        give(record(Payload::Null), 1)?;
    }
    Ok(())
}

/// The record of an event that is no row change.
pub(crate) fn of_event<'a>(event: &Event, context: &'a [Header<'static>]) -> Record<'a> {
    let payload = |part: &Option<(Arc<Schema>, Value)>| match part {
        Some((schema, value)) => Payload::Value(Arc::clone(schema), value.clone()),
        None => Payload::Null,
    };
    Record {
        topic: Arc::clone(&event.topic),
        partition: event.partition,
        timestamp_ms: None,
        key: payload(&event.key),
        value: payload(&event.value),
        headers: if event.has_context { Headers::shared(context) } else { Headers::default() },
    }
}
