//! A decoder that wraps the table's own and applies column rules (masks, hashes, truncation) to the decoded cells.
//!
//! Must not know: wire forms, schemas.

use record::{Decode, DecodeError, Span, ValueRef};

use super::treatment::Treatment;

/// Decodes a row with the table's own decoder, then applies a [`Treatment`] to some of its cells. Because keys keep the
/// original values, the original value of each treated key column is appended behind the row.
pub(crate) struct Treated {
    row: Box<dyn Decode>,
    treated: Vec<Cell>,
}

struct Cell {
    /// The cell's index in the row.
    place: u16,
    treatment: Treatment,
    /// Whether the original value is appended behind the row, because the column is in the key.
    is_kept: bool,
}

impl Treated {
    /// Wraps `row`, without any treatment yet.
    pub(crate) fn new(row: Box<dyn Decode>) -> Self {
        Self { row, treated: Vec::new() }
    }

    /// Applies `treatment` to the cell at index `place`. With `is_kept`, the original value is appended behind the row;
    /// the appended values are in the order of the calls.
    pub(crate) fn treat(&mut self, place: u16, treatment: Treatment, is_kept: bool) {
        self.treated.push(Cell { place, treatment, is_kept });
    }

    /// The finished decoder: the table's own if nothing is treated, otherwise this wrapper.
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

    /// Decodes each cell as the text of its span.
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
        // `out` already holds a value that is not part of this row and must stay as it is.
        let decode = treated.into_decode();
        let mut out = vec![ValueRef::Int(1)];
        decode.row(b"abcdef", &spans, &mut out).unwrap();
        let found: Vec<Value> = out.iter().map(ValueRef::to_value).collect();
        let expect =
            [Value::Int(1), Value::text("*"), Value::text("**"), Value::text("de"), Value::text("def"), Value::Null];
        assert_eq!(found, expect);
    }
}
