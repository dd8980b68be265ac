//! A decoder around a table's own: it treats the columns that a rule acts on.
//!
//! Must not know: wire forms, schemas.

use record::{Decode, DecodeError, Span, ValueRef};

use super::treatment::Treatment;

/// Decodes a row as the table's own decoder does, then treats some of its cells. Behind all others stand the cells of key
/// columns as they were before, because a key keeps its true values.
pub(crate) struct Treated {
    row: Box<dyn Decode>,
    treated: Vec<Cell>,
}

struct Cell {
    /// Its place in the row.
    place: u16,
    treatment: Treatment,
    /// It is in the key too, which wants it untreated.
    is_kept: bool,
}

impl Treated {
    /// Around this decoder, treating nothing yet.
    pub(crate) fn new(row: Box<dyn Decode>) -> Self {
        Self { row, treated: Vec::new() }
    }

    /// Treats the cell at `place`. With `is_kept` its untreated value stands behind the row as well, in the order of these
    /// calls.
    pub(crate) fn treat(&mut self, place: u16, treatment: Treatment, is_kept: bool) {
        self.treated.push(Cell { place, treatment, is_kept });
    }

    /// The table's own decoder, where there is nothing to treat; else this one.
    pub(crate) fn into_decode(self) -> Box<dyn Decode> {
        if self.treated.is_empty() { self.row } else { Box::new(self) }
    }
}

impl Decode for Treated {
    fn row<'a>(&'a self, buffer: &'a [u8], spans: &'a [Span], out: &mut Vec<ValueRef<'a>>) -> Result<(), DecodeError> {
        let first = out.len();
        self.row.row(buffer, spans, out)?;
        for Cell { place, treatment, is_kept } in &self.treated {
            let Some(cell) = out.get_mut(first + usize::from(*place)) else { continue };
            let value = std::mem::replace(cell, ValueRef::Null);
            if *is_kept {
                *cell = treatment.apply(value.clone());
                out.push(value);
            } else {
                *cell = treatment.apply(value);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use record::Value;

    use super::*;

    /// Each cell is the text of its span.
    struct Texts;

    impl Decode for Texts {
        fn row<'a>(
            &'a self,
            buffer: &'a [u8],
            spans: &'a [Span],
            out: &mut Vec<ValueRef<'a>>,
        ) -> Result<(), DecodeError> {
            let text = |span: &Span| span.bytes(buffer).and_then(|bytes| std::str::from_utf8(bytes).ok());
            out.extend(spans.iter().map(|span| text(span).map_or(ValueRef::Null, ValueRef::Text)));
            Ok(())
        }
    }

    #[test]
    fn cells_are_treated_where_they_stand_and_keys_keep_their_values() {
        let mut treated = Treated::new(Box::new(Texts));
        treated.treat(2, Treatment::Truncate(2), true);
        treated.treat(0, Treatment::mask(1), false);
        treated.treat(1, Treatment::mask(2), true);
        let spans = [Span { start: 0, len: 3 }, Span::NULL, Span { start: 3, len: 3 }];
        // What stands before the row in the scratch is another's.
        let decode = treated.into_decode();
        let mut out = vec![ValueRef::Int(1)];
        decode.row(b"abcdef", &spans, &mut out).unwrap();
        let found: Vec<Value> = out.iter().map(ValueRef::to_value).collect();
        let expect =
            [Value::Int(1), Value::text("*"), Value::text("**"), Value::text("de"), Value::text("def"), Value::Null];
        assert_eq!(found, expect);
    }
}
