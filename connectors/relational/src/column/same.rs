//! Finds updates that change nothing in the record (`skip.messages.without.change`).
//!
//! Two rows are the same when their records would be equal: excluded columns do not count, masked columns are always
//! equal, and two spellings of the same value are equal. Equal bytes are equal values; otherwise the decoded values are
//! compared.
//!
//! Must not know: wire forms, which connector asks.

use record::{Shape, Span, Value, ValueRef};

/// Finds updates without a change. Keeps its scratch buffers from row to row, to allocate nothing for each row.
#[derive(Debug, Default)]
pub struct Unchanged {
    before: Vec<ValueRef<'static>>,
    after: Vec<ValueRef<'static>>,
}

impl Unchanged {
    /// Whether the row part of the record is the same before and after; `before` and `after` are the cells' spans in
    /// `buffer`. A row that cannot be decoded counts as changed, so that it reaches the code that reports it.
    pub fn is_same(&mut self, shape: &Shape, buffer: &[u8], before: &[Span], after: &[Span]) -> bool {
        let bytes = |spans: &[Span], i: usize| spans.get(i).map(|span| (span.bytes(buffer), span.len));
        if before.len() == after.len() && (0..before.len()).all(|i| bytes(before, i) == bytes(after, i)) {
            return true;
        }
        let mut old = emptied(std::mem::take(&mut self.before));
        let mut new = emptied(std::mem::take(&mut self.after));
        let are_read =
            shape.decode.row(buffer, before, &mut old).is_ok() && shape.decode.row(buffer, after, &mut new).is_ok();
        let is_same = are_read
            && shape.cells.iter().all(|place| match (old.get(usize::from(*place)), new.get(usize::from(*place))) {
                (Some(old), Some(new)) => is_equal(old, new),
                _ => false,
            });
        self.before = emptied(old);
        self.after = emptied(new);
        is_same
    }
}

/// Empties the vector and changes the lifetime of its elements; the allocation is kept.
fn emptied<'b>(mut values: Vec<ValueRef<'_>>) -> Vec<ValueRef<'b>> {
    values.clear();
    // The vector is empty, so nothing is mapped; `collect` reuses the allocation.
    values.into_iter().map(|_| ValueRef::Null).collect()
}

/// Equality as Java's `equals` defines it: NaN equals NaN, and zero does not equal minus zero.
fn is_equal(a: &ValueRef<'_>, b: &ValueRef<'_>) -> bool {
    match (a, b) {
        (ValueRef::Double(a), ValueRef::Double(b)) => is_equal_double(*a, *b),
        (ValueRef::Float(a), ValueRef::Float(b)) => is_equal_double(f64::from(*a), f64::from(*b)),
        (ValueRef::Owned(a), ValueRef::Owned(b)) => is_equal_value(a, b),
        (ValueRef::Shared(a), ValueRef::Shared(b)) => is_equal_value(a, b),
        (ValueRef::Hex(a), ValueRef::Hex(b)) => a.eq_ignore_ascii_case(b),
        (a, b) if std::mem::discriminant(a) == std::mem::discriminant(b) => a == b,
        (a, b) => is_equal_value(&a.to_value(), &b.to_value()),
    }
}

fn is_equal_value(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Double(a), Value::Double(b)) => is_equal_double(*a, *b),
        (Value::Float(a), Value::Float(b)) => is_equal_double(f64::from(*a), f64::from(*b)),
        (Value::Array(a), Value::Array(b)) | (Value::Struct(a), Value::Struct(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_equal_value(a, b))
        }
        (Value::Map(a), Value::Map(b)) => {
            let is_in = |(key, value): &(Value, Value)| {
                b.iter().any(|(other, found)| is_equal_value(key, other) && is_equal_value(value, found))
            };
            a.len() == b.len() && a.iter().all(is_in)
        }
        (a, b) => a == b,
    }
}

fn is_equal_double(a: f64, b: f64) -> bool {
    a.is_nan() && b.is_nan() || a.to_bits() == b.to_bits()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(a: &ValueRef<'_>, b: &ValueRef<'_>, expect: bool) {
        assert_eq!(is_equal(a, b), expect, "{a:?} {b:?}");
        assert_eq!(is_equal(b, a), expect, "{b:?} {a:?}");
        let (a, b) = (a.to_value(), b.to_value());
        assert_eq!(is_equal_value(&a, &b), expect, "{a:?} {b:?}");
    }

    #[test]
    fn values_are_equal_as_in_java() {
        let text = Value::text("a");
        check(&ValueRef::Double(f64::NAN), &ValueRef::Double(-f64::NAN), true);
        check(&ValueRef::Double(0.0), &ValueRef::Double(-0.0), false);
        check(&ValueRef::Float(1.5), &ValueRef::Float(1.5), true);
        check(&ValueRef::Text("a"), &ValueRef::Shared(&text), true);
        check(&ValueRef::Text("a"), &ValueRef::Null, false);
        check(&ValueRef::Hex(b"AB"), &ValueRef::Bytes(&[0xab]), true);
        check(&ValueRef::Decimal { unscaled: 15, scale: 1 }, &ValueRef::Decimal { unscaled: 150, scale: 2 }, false);
        let map = |entries: &[(&str, i64)]| {
            let entries = entries.iter().map(|(key, value)| (Value::text(key), Value::Int(*value)));
            ValueRef::Owned(Box::new(Value::Map(entries.collect())))
        };
        check(&map(&[("a", 1), ("b", 2)]), &map(&[("b", 2), ("a", 1)]), true);
        check(&map(&[("a", 1)]), &map(&[("a", 2)]), false);
        let array =
            |items: &[f64]| ValueRef::Owned(Box::new(Value::Array(items.iter().map(|x| Value::Double(*x)).collect())));
        check(&array(&[f64::NAN, 1.0]), &array(&[f64::NAN, 1.0]), true);
        check(&array(&[1.0]), &array(&[1.0, 1.0]), false);
    }

    #[test]
    fn the_scratch_keeps_its_room() {
        let values = emptied(Vec::with_capacity(64));
        assert!(values.capacity() >= 64);
    }
}
