//! Ids of shapes. Equal shapes get the same id, so encoders that were prepared for a shape stay valid until the table
//! changes, however often the log announces the table.
//!
//! Two shapes are equal when their records have the same form. How rows are decoded does not matter, so rows of a
//! snapshot and rows of the log share an id.
//!
//! Must not know: wire forms.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use record::{Schema, Shape, SourceField, next_shape_id};

/// The ids that a connector has assigned to its shapes.
#[derive(Debug, Default)]
pub(crate) struct ShapeIds {
    given: HashMap<Look, (Weak<Schema>, u64)>,
}

/// What equal shapes have in common. Schemas are compared by their ids, because they are interned.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Look {
    table: Arc<str>,
    topic: Arc<str>,
    key: Option<(u32, Vec<u16>)>,
    envelope: u32,
    cells: Vec<u16>,
    source: (u32, Vec<SourceField>),
}

impl ShapeIds {
    /// The id for `shape` (its field `id` is ignored): that of an equal shape, or a new one.
    pub(crate) fn of(&mut self, shape: &Shape) -> u64 {
        let look = Look {
            table: Arc::clone(&shape.table),
            topic: Arc::clone(&shape.topic),
            key: shape.key.as_ref().map(|key| (key.schema.id, key.cells.clone())),
            envelope: shape.envelope.id,
            cells: shape.cells.clone(),
            source: (shape.source.schema.id, shape.source.fields.clone()),
        };
        if let Some((_, id)) = self.given.get(&look) {
            return *id;
        }
        // A dropped schema never comes back with the same id, so its entry is useless. Such entries are removed when
        // the map would have to grow, which bounds the map to about twice the entries in use.
        if self.given.len() == self.given.capacity() {
            self.given.retain(|_, (schema, _)| schema.strong_count() > 0);
        }
        let id = next_shape_id();
        self.given.insert(look, (Arc::downgrade(&shape.envelope), id));
        id
    }
}

#[cfg(test)]
mod tests {
    use record::{Decode, DecodeError, Kind, SourceShape, Span, ValueRef};

    use crate::{Adjustment, Column, SourceContext, Table, TopicNaming};

    use super::*;

    struct Nothing;

    impl Decode for Nothing {
        fn row<'a>(&'a self, _: &'a [u8], _: &'a [Span], _: &mut Vec<ValueRef<'a>>) -> Result<(), DecodeError> {
            Ok(())
        }
    }

    fn shape(context: &mut SourceContext, table: &str, columns: &[(&str, Kind)], key: &[usize]) -> Shape {
        let column = |(name, kind): &(&str, Kind)| Column {
            name: (*name).into(),
            schema: Schema::of(kind.clone()).build(),
            in_value: true,
            rule: None,
        };
        let columns = columns.iter().map(column).collect();
        let table = Table { schema: "s".into(), name: table.into(), columns, key: key.to_vec() };
        let block = Schema::of(Kind::structure([("table", Schema::of(Kind::String).build())])).build();
        let source = SourceShape { schema: block, fields: vec![SourceField::Text(Arc::clone(&table.name))] };
        context.shape(&table, source, Box::new(Nothing)).unwrap()
    }

    #[test]
    fn what_looks_alike_has_one_id() {
        let mut context = SourceContext::new(TopicNaming::new("p"), Adjustment::None, Adjustment::None);
        let (int, text) = (("id", Kind::Int32), ("v", Kind::String));
        let first = shape(&mut context, "t", &[int.clone(), text.clone()], &[0]);
        let other = shape(&mut context, "u", &[int.clone(), text.clone()], &[0]);
        let again = shape(&mut context, "t", &[int.clone(), text.clone()], &[0]);
        let changed = shape(&mut context, "t", std::slice::from_ref(&int), &[0]);
        let keyless = shape(&mut context, "t", &[int.clone(), text.clone()], &[]);
        let back = shape(&mut context, "t", &[int, text], &[0]);
        assert_eq!((again.id, back.id), (first.id, first.id));
        let mut ids = [first.id, other.id, changed.id, keyless.id];
        ids.sort_unstable();
        assert!(ids.windows(2).all(|pair| pair[0] < pair[1]), "{ids:?}");
    }

    #[test]
    fn what_nobody_has_any_more_is_forgotten() {
        let mut context = SourceContext::new(TopicNaming::new("p"), Adjustment::None, Adjustment::None);
        let mut ids = ShapeIds::default();
        for i in 0..500 {
            let shape = shape(&mut context, &format!("t{i}"), &[("id", Kind::Int32)], &[0]);
            ids.of(&shape);
        }
        assert!(ids.given.len() < 32, "{}", ids.given.len());
    }
}
