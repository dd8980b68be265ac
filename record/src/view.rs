//! Records on their way through the chain, and the views through which their keys and values are seen.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};

use crate::{Change, Frame, Headers, Node, Part, Position, Schema, Shape, Value, ValueRef};

/// A change whose cells have been decoded, once for its key, its value and every view of it.
#[derive(Debug)]
pub struct Decoded<'a> {
    /// The shape of the change's table.
    pub shape: &'a Shape,
    /// The raw change.
    pub change: &'a Change,
    /// Cells of the row before, in the shape's cell order.
    pub before: Option<&'a [ValueRef<'a>]>,
    /// Cells of the row after, in the shape's cell order.
    pub after: Option<&'a [ValueRef<'a>]>,
    /// Cells of the row that the key is made of: usually those of the row after, or of the row before for a delete.
    pub key: Option<&'a [ValueRef<'a>]>,
    /// When the change was processed: nanoseconds since 1970 (the envelope's `ts_ms`, `ts_us`, `ts_ns`).
    pub processed_ns: i64,
}

impl<'a> Decoded<'a> {
    /// A change with these rows. Its key is made of the row after, or of the row before for a delete.
    pub fn new(
        shape: &'a Shape,
        change: &'a Change,
        before: Option<&'a [ValueRef<'a>]>,
        after: Option<&'a [ValueRef<'a>]>,
        processed_ns: i64,
    ) -> Self {
        Self { shape, change, before, after, key: after.or(before), processed_ns }
    }

    /// The change's place in the source's log.
    pub fn position(&self) -> &'a Position {
        &self.change.position
    }

    /// The whole envelope.
    pub fn envelope(&'a self) -> Payload<'a> {
        Payload::View(Arc::clone(self.shape.views.envelope(self.shape)), Some(self), Vec::new())
    }

    /// The key, made of the cells in [`key`](Self::key); nothing for a table without a key or without these cells.
    pub fn key(&'a self) -> Payload<'a> {
        match self.shape.views.key(self.shape) {
            Some(view) if self.key.is_some() => Payload::View(Arc::clone(view), Some(self), Vec::new()),
            _ => Payload::Null,
        }
    }
}

/// A record's key or value, or the value of a header.
#[derive(Clone, Debug)]
pub enum Payload<'a> {
    /// Nothing, without a schema: the value of a tombstone, or the key of a record whose table has none.
    Null,
    /// Null under a schema.
    NullOf(Arc<Schema>),
    /// An owned value.
    Value(Arc<Schema>, Value),
    /// A view of a change and of owned values. The change is missing in a record that is not a change. There is one owned
    /// value for each of the view's slots.
    View(Arc<View>, Option<&'a Decoded<'a>>, Vec<Value>),
}

impl<'a> Payload<'a> {
    /// The schema, if it has one.
    pub fn schema(&self) -> Option<&Arc<Schema>> {
        match self {
            Self::Null => None,
            Self::NullOf(schema) | Self::Value(schema, _) => Some(schema),
            Self::View(view, ..) => Some(&view.part.schema),
        }
    }

    /// A number that says how the payload is made: the id of its view, or of its schema where there is no view; 0 without
    /// a schema. What is compiled for a payload (by a transform or a converter) is found by this number. It is never used
    /// again for another schema or view.
    pub fn id(&self) -> u32 {
        match self {
            Self::Null => 0,
            Self::NullOf(schema) | Self::Value(schema, _) => schema.id,
            Self::View(view, ..) => view.id,
        }
    }

    /// How the payload is made; none without a schema.
    pub fn part(&self) -> Option<Part> {
        match self {
            Self::Null => None,
            Self::NullOf(schema) | Self::Value(schema, _) => Some(Part::owned(Arc::clone(schema), 0)),
            Self::View(view, ..) => Some(view.part.clone()),
        }
    }

    /// What the values of [`part`](Self::part) are read from.
    pub fn frame(&self) -> Frame<'_> {
        match self {
            Self::Null | Self::NullOf(_) => Frame { decoded: None, owned: &[] },
            Self::Value(_, value) => Frame { decoded: None, owned: std::slice::from_ref(value) },
            Self::View(_, decoded, owned) => Frame { decoded: *decoded, owned },
        }
    }

    /// How many owned values a view of this payload can refer to, as `Source::Owned(0)` and so on.
    pub fn slots(&self) -> u16 {
        match self {
            Self::View(view, ..) => view.slots,
            Self::Null | Self::NullOf(_) | Self::Value(..) => 1,
        }
    }

    /// Whether there is no value (with or without a schema).
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null | Self::NullOf(_) | Self::Value(_, Value::Null))
    }

    /// The same payload seen through another view, which was made for this one's [`part`](Self::part) and has one more
    /// slot for each value in `computed`.
    #[must_use]
    pub fn through(self, view: &Arc<View>, computed: impl IntoIterator<Item = Value>) -> Self {
        let (decoded, mut owned) = match self {
            Self::Null | Self::NullOf(_) => (None, vec![Value::Null]),
            Self::Value(_, value) => (None, vec![value]),
            Self::View(_, decoded, owned) => (decoded, owned),
        };
        if owned.is_empty() {
            // A vector is taken over as it is.
            owned = computed.into_iter().collect();
        } else {
            owned.extend(computed);
        }
        debug_assert_eq!(owned.len(), usize::from(view.slots), "the view was made for another payload");
        if view.may_be_null && view.part.is_null(Frame { decoded, owned: &owned }) {
            return Self::NullOf(Arc::clone(&view.part.schema));
        }
        Self::View(Arc::clone(view), decoded, owned)
    }

    /// A second payload beside this one: the same values seen through a view that was made for this payload's
    /// [`part`](Self::part). The cells of a change stay borrowed; of owned values, those that the view shows are copied.
    #[must_use]
    pub fn beside(&self, view: &Arc<View>) -> Self {
        let frame = self.frame();
        let schema = || Arc::clone(&view.part.schema);
        if view.may_be_null && view.part.is_null(frame) {
            return Self::NullOf(schema());
        }
        match self {
            Self::View(_, decoded, owned) if owned.is_empty() => Self::View(Arc::clone(view), *decoded, Vec::new()),
            _ => Self::Value(schema(), view.part.value(frame)),
        }
    }

    /// The payload as one owned value, for transforms that compute and for converters that are not made for speed.
    pub fn to_value(&self) -> Value {
        match self {
            Self::Null | Self::NullOf(_) => Value::Null,
            Self::Value(_, value) => value.clone(),
            Self::View(view, ..) => view.part.value(self.frame()),
        }
    }

    /// The payload without anything borrowed.
    pub fn into_owned(self) -> Payload<'static> {
        match self {
            Self::Null => Payload::Null,
            Self::NullOf(schema) => Payload::NullOf(schema),
            Self::Value(schema, value) => Payload::Value(schema, value),
            Self::View(ref view, ..) => Payload::Value(Arc::clone(&view.part.schema), self.to_value()),
        }
    }
}

/// How a payload is made from cells and owned values. Equal views are one `Arc` with one id while anybody holds it.
#[derive(Debug)]
pub struct View {
    /// Unique for the life of the process, among the ids of schemas too.
    pub id: u32,
    /// The schema, and where each value comes from.
    pub part: Part,
    /// How many owned values the payload has.
    pub slots: u16,
    /// Whether the whole payload can be null.
    may_be_null: bool,
}

type Print = (u32, u16, String);

static INTERNED: LazyLock<Mutex<HashMap<Print, Weak<View>>>> = LazyLock::new(Mutex::default);

impl View {
    /// The view that makes `part` of payloads with `slots` owned values: an equal one that somebody still holds, else a new
    /// one.
    pub fn of(part: Part, slots: u16) -> Arc<Self> {
        // Different nodes have different Debug texts, and a view is made once for each schema, so the text need not be quick.
        let print = (part.schema.id, slots, format!("{:?}", part.node));
        let mut table = INTERNED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(view) = table.get(&print).and_then(Weak::upgrade) {
            return view;
        }
        // Dead entries are dropped when the table would grow, so that it is bounded by twice what is alive.
        if table.len() == table.capacity() {
            table.retain(|_, view| view.strong_count() > 0);
        }
        let may_be_null = !matches!(&part.node, Node::Struct(_, crate::Presence::Always));
        let view = Arc::new(Self { id: crate::schema::next_id(), part, slots, may_be_null });
        table.insert(print, Arc::downgrade(&view));
        view
    }
}

/// A record in the chain. What a transform does not touch stays borrowed from the batch.
#[derive(Clone, Debug)]
pub struct Record<'a> {
    /// The topic to send to.
    pub topic: Arc<str>,
    /// The partition to send to; without one the producer's partitioner decides by the key.
    pub partition: Option<i32>,
    /// The record's timestamp in milliseconds since 1970; without one the producer's clock gives it.
    pub timestamp_ms: Option<i64>,
    /// The key, before a converter makes bytes of it.
    pub key: Payload<'a>,
    /// The value, before a converter makes bytes of it.
    pub value: Payload<'a>,
    /// The headers, in the order in which they are sent.
    pub headers: Headers<'a>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Kind, Leaf, Presence, Source};

    fn text() -> Arc<Schema> {
        Schema::of(Kind::String).optional().build()
    }

    #[test]
    fn equal_views_are_one() {
        let make = |slot, slots| View::of(Part::owned(text(), slot), slots);
        let (one, same) = (make(0, 1), make(0, 1));
        assert!(Arc::ptr_eq(&one, &same));
        let mut ids = [one.id, make(1, 2).id, make(0, 2).id, text().id];
        ids.sort_unstable();
        assert!(ids.windows(2).all(|pair| pair[0] < pair[1]), "{ids:?}");
    }

    #[test]
    fn a_null_below_a_view_is_a_null() {
        let inner = Schema::of(Kind::structure([("a", text())])).optional().build();
        let outer = Schema::of(Kind::structure([("inner", inner)])).build();
        for (value, expect) in [
            (Value::Struct(vec![Value::Struct(vec![Value::text("x")])]), Value::text("x")),
            (Value::Struct(vec![Value::Struct(vec![Value::Null])]), Value::Null),
            (Value::Struct(vec![Value::Null]), Value::Null),
        ] {
            let payload = Payload::Value(Arc::clone(&outer), value);
            let view = View::of(payload.part().unwrap().field("inner").unwrap().field("a").unwrap(), 1);
            let seen = payload.through(&view, []);
            assert_eq!(seen.to_value(), expect);
            assert_eq!(seen.is_null(), expect == Value::Null);
        }
    }

    /// A default stands in for a null field, but not for a field of a struct that is itself null.
    #[test]
    fn defaults_need_their_struct() {
        let field = text().edit().default(Some(Value::text("d"))).build();
        let inner = Schema::of(Kind::structure([("a", field)])).optional().build();
        let part = Part::owned(inner, 0).field("a").unwrap().or_default();
        for (value, expect) in [(Value::Struct(vec![Value::Null]), Value::text("d")), (Value::Null, Value::Null)] {
            assert_eq!(part.value(Frame { decoded: None, owned: &[value] }), expect);
        }
        let raw = Leaf { or: Some(Arc::new(Value::Int(1))), ..Leaf::from(Source::Before(0)) };
        assert_eq!(raw.value(Frame { decoded: None, owned: &[] }), Value::Null);
        assert!(!Presence::Of(Leaf::from(Source::Owned(0))).holds(Frame { decoded: None, owned: &[Value::Null] }));
    }
}
