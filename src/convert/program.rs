//! A payload compiled for writing: prepared bytes, and between them the values that differ from record to record.
//!
//! Purpose: a schema and the sources of its values ([`Part`]) are walked once, for any format that can be written from the
//! front to the back. Everything that all records share (names, braces, constants such as those of the source block) becomes
//! bytes that are copied in one piece. What is left for each record is one step for each value that differs, with its source
//! and its writer at hand. Values that are the same in many records in a row, such as the time of a transaction, are written
//! once and copied until they change.
//!
//! Must not know: any format, which connector made a change.

mod steady;

use record::{Field, Frame, Leaf, Node, Part, Presence, Schema, Source, ValueRef};

use self::steady::{Input, Kept};
use super::ConvertError;

/// A format that is written from the front to the back.
pub(super) trait Format {
    /// How values of one schema are written.
    type Writer: std::fmt::Debug + Send;

    /// The writer for values of a schema. `path` is the way to the field, for error messages.
    ///
    /// # Errors
    /// When the format cannot write values of this schema at all.
    fn writer(&self, schema: &Schema, path: &str) -> Result<Self::Writer, ConvertError>;

    /// Writes a value, which may be null.
    ///
    /// # Errors
    /// When the value does not fit its schema.
    fn write(writer: &Self::Writer, value: &ValueRef<'_>, out: &mut Vec<u8>) -> Result<(), ConvertError>;

    /// Writes what stands before the fields of a struct that is not null.
    fn open(&self, schema: &Schema, out: &mut Vec<u8>);

    /// Writes what stands before a field.
    fn before_field(&self, index: usize, field: &Field, out: &mut Vec<u8>);

    /// Writes what stands behind the fields of a struct.
    fn close(&self, schema: &Schema, out: &mut Vec<u8>);
}

/// Each step, and the prepared bytes before it.
type Steps<F> = Box<[(Box<[u8]>, Step<F>)]>;

/// A compiled payload.
#[derive(Debug)]
pub(super) struct Program<F: Format> {
    steps: Steps<F>,
    tail: Box<[u8]>,
}

/// What is written behind a piece of prepared bytes.
enum Step<F: Format> {
    Before(u16, F::Writer),
    After(u16, F::Writer),
    Key(u16, F::Writer),
    Value(Leaf, F::Writer),
    /// A struct that may be null. The writer is that of the whole struct; it writes the null.
    Struct(Presence, Program<F>, F::Writer),
    /// Values that are the same in many records in a row.
    Steady(Box<Kept>, Program<F>),
}

impl<F: Format> std::fmt::Debug for Step<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Step")
    }
}

/// A step, the prepared bytes before it, and on what its value depends if that is the same in many records in a row.
type Compiled<F> = (Box<[u8]>, Step<F>, Option<Input>);

struct Compiler<'f, F: Format> {
    format: &'f F,
    steps: Vec<Compiled<F>>,
    text: Vec<u8>,
}

impl<F: Format> Program<F> {
    /// Compiles a part of records, with `head` before it and `tail` behind it.
    ///
    /// # Errors
    /// When the format cannot write the schema at all.
    pub(super) fn of(format: &F, part: &Part, head: &[u8], tail: &[u8]) -> Result<Self, ConvertError> {
        let mut compiler = Compiler { format, steps: Vec::new(), text: head.to_vec() };
        compiler.add(&part.schema, &part.node, "")?;
        compiler.text.extend_from_slice(tail);
        Ok(compiler.finish())
    }

    /// Writes a record's values.
    ///
    /// # Errors
    /// When a value does not fit its schema. The caller must then remove what was appended so far.
    pub(super) fn write(&mut self, frame: Frame<'_>, out: &mut Vec<u8>) -> Result<(), ConvertError> {
        let cell = |row: Option<&[ValueRef<'_>]>, place: u16, writer: &F::Writer, out: &mut Vec<u8>| match row
            .and_then(|row| row.get(usize::from(place)))
        {
            Some(cell) => F::write(writer, cell, out),
            None => F::write(writer, &ValueRef::Null, out),
        };
        for (text, step) in &mut self.steps {
            out.extend_from_slice(text);
            match step {
                Step::Before(place, writer) => cell(frame.decoded.and_then(|d| d.before), *place, writer, out)?,
                Step::After(place, writer) => cell(frame.decoded.and_then(|d| d.after), *place, writer, out)?,
                Step::Key(place, writer) => cell(frame.decoded.and_then(|d| d.key), *place, writer, out)?,
                Step::Value(leaf, writer) => leaf.with(frame, |value| F::write(writer, value, out))?,
                Step::Struct(presence, inner, _) if presence.holds(frame) => inner.write(frame, out)?,
                Step::Struct(_, _, writer) => F::write(writer, &ValueRef::Null, out)?,
                Step::Steady(kept, inner) => kept.write(frame, out, |out| inner.write(frame, out))?,
            }
        }
        out.extend_from_slice(&self.tail);
        Ok(())
    }
}

impl<F: Format> Compiler<'_, F> {
    fn finish(self) -> Program<F> {
        let (mut steps, mut tail) = (Vec::new(), self.text.into_boxed_slice());
        // From the back to the front, because bytes behind the last value of a run belong to the run too.
        let mut left = self.steps;
        while let Some((text, step, input)) = left.pop() {
            let Some(input) = input else {
                steps.push((text, step));
                continue;
            };
            let (mut run, mut inputs) = (vec![(text, step)], vec![input]);
            while let Some((text, step, input)) = left.pop_if(|(_, _, input)| input.is_some()) {
                run.push((text, step));
                inputs.extend(input);
            }
            run.reverse();
            let behind = steps.last_mut().map_or(&mut tail, |(text, _): &mut (Box<[u8]>, Step<F>)| text);
            let inner = Program { steps: run.into(), tail: std::mem::take(behind) };
            steps.push((Box::default(), Step::Steady(Box::new(Kept::new(inputs)), inner)));
        }
        steps.reverse();
        Program { steps: steps.into(), tail }
    }

    fn step(&mut self, step: Step<F>, input: Option<Input>) {
        self.steps.push((std::mem::take(&mut self.text).into(), step, input));
    }

    fn add(&mut self, schema: &Schema, node: &Node, path: &str) -> Result<(), ConvertError> {
        match node {
            Node::Leaf(leaf) => self.add_leaf(schema, leaf, path),
            Node::Struct(fields, Presence::Always) => self.add_fields(schema, fields, path),
            Node::Struct(fields, presence) => {
                let mut inner = Compiler { format: self.format, steps: Vec::new(), text: Vec::new() };
                inner.add_fields(schema, fields, path)?;
                let writer = self.format.writer(schema, path)?;
                let input = Input::of_presence(presence);
                self.step(Step::Struct(presence.clone(), inner.finish(), writer), input);
                Ok(())
            }
        }
    }

    fn add_fields(&mut self, schema: &Schema, nodes: &[Node], path: &str) -> Result<(), ConvertError> {
        self.format.open(schema, &mut self.text);
        for (i, (field, node)) in schema.fields().iter().zip(nodes).enumerate() {
            self.format.before_field(i, field, &mut self.text);
            let path = if path.is_empty() { field.name.to_string() } else { [path, &field.name].join(".") };
            self.add(&field.schema, node, &path)?;
        }
        self.format.close(schema, &mut self.text);
        Ok(())
    }

    fn add_leaf(&mut self, schema: &Schema, leaf: &Leaf, path: &str) -> Result<(), ConvertError> {
        let writer = self.format.writer(schema, path)?;
        if matches!(leaf.source, Source::Constant(_)) {
            let (start, frame) = (self.text.len(), Frame { decoded: None, owned: &[] });
            if leaf.with(frame, |value| F::write(&writer, value, &mut self.text)).is_ok() {
                return Ok(());
            }
            // A constant that does not fit its schema fails each record, not the preparation.
            self.text.truncate(start);
        }
        let is_plain = leaf.path.is_empty() && leaf.or.is_none();
        let step = match leaf.source {
            Source::Before(place) if is_plain => Step::Before(place, writer),
            Source::After(place) if is_plain => Step::After(place, writer),
            Source::Key(place) if is_plain => Step::Key(place, writer),
            _ => Step::Value(leaf.clone(), writer),
        };
        self.step(step, Input::of(leaf));
        Ok(())
    }
}
