//! Writes a type as the JSON text that Java's Avro library writes: the same order, and no blanks.
//!
//! A registry compares texts, so every character counts.
//!
//! Must not know: Connect's schemas.

use std::collections::HashSet;

use super::types::{Enum, Field, Fixed, Form, Properties, Record, Type};
use crate::convert::json::write_text;

/// The text of a whole document.
pub(super) fn document(of: &Type) -> String {
    let mut printer = Printer { known: HashSet::new(), out: String::new() };
    printer.of(of, None);
    printer.out
}

struct Printer {
    /// Full names that were written already. Their types are written as references, whatever they look like.
    known: HashSet<String>,
    out: String,
}

impl Printer {
    /// Writes a type inside of one of the namespace `around`.
    fn of(&mut self, of: &Type, around: Option<&str>) {
        if let Some(name) = of.form.name()
            && !self.known.insert(name.text())
        {
            return write_text(&mut self.out, &name.seen_from(around));
        }
        match &of.form {
            Form::Union(branches) => {
                self.list(branches, |printer, branch| printer.of(branch, around));
            }
            Form::Record(record) => self.record(record, &of.properties, around),
            Form::Enum(of_enum) => self.symbols(of_enum, &of.properties, around),
            Form::Fixed(fixed) => self.fixed(fixed, &of.properties, around),
            Form::Array(items) => self.nested("array", "items", items, &of.properties, around),
            Form::Map(values) => self.nested("map", "values", values, &of.properties, around),
            Form::Recursive(name) => write_text(&mut self.out, &name.seen_from(around)),
            simple if of.properties.is_empty() => write_text(&mut self.out, simple.word()),
            simple => {
                self.open(simple.word());
                self.close(&of.properties);
            }
        }
    }

    fn record(&mut self, record: &Record, properties: &Properties, around: Option<&str>) {
        self.open("record");
        self.name(&record.name, around);
        self.text("doc", record.doc.as_deref());
        self.out.push_str(",\"fields\":");
        let inside = record.name.namespace.as_deref();
        self.list(&record.fields, |printer, field| printer.field(field, inside));
        self.close(properties);
    }

    fn field(&mut self, field: &Field, around: Option<&str>) {
        self.out.push_str("{\"name\":");
        write_text(&mut self.out, &field.name);
        self.out.push_str(",\"type\":");
        self.of(&field.of, around);
        self.text("doc", field.doc.as_deref());
        if let Some(default) = &field.default {
            self.out.push_str(",\"default\":");
            self.out.push_str(default);
        }
        self.close(&field.properties);
    }

    fn symbols(&mut self, of: &Enum, properties: &Properties, around: Option<&str>) {
        self.open("enum");
        self.name(&of.name, around);
        self.text("doc", of.doc.as_deref());
        self.out.push_str(",\"symbols\":");
        self.list(&of.symbols, |printer, symbol| write_text(&mut printer.out, symbol));
        self.text("default", of.default.as_deref());
        self.close(properties);
    }

    fn fixed(&mut self, fixed: &Fixed, properties: &Properties, around: Option<&str>) {
        self.open("fixed");
        self.name(&fixed.name, around);
        self.out.push_str(",\"size\":");
        self.out.push_str(&fixed.size.to_string());
        self.close(properties);
    }

    fn nested(&mut self, word: &str, role: &str, inner: &Type, properties: &Properties, around: Option<&str>) {
        self.open(word);
        self.out.push_str(",\"");
        self.out.push_str(role);
        self.out.push_str("\":");
        self.of(inner, around);
        self.close(properties);
    }

    fn open(&mut self, word: &str) {
        self.out.push_str("{\"type\":");
        write_text(&mut self.out, word);
    }

    fn close(&mut self, properties: &Properties) {
        for (name, json) in properties {
            self.out.push(',');
            write_text(&mut self.out, name);
            self.out.push(':');
            self.out.push_str(json);
        }
        self.out.push('}');
    }

    /// The name, and the namespace where it is not that of the type around.
    fn name(&mut self, name: &super::names::Name, around: Option<&str>) {
        self.text("name", Some(&name.short));
        match name.namespace.as_deref() {
            here if here == around => {}
            None => self.text("namespace", Some("")),
            some => self.text("namespace", some),
        }
    }

    fn text(&mut self, role: &str, text: Option<&str>) {
        if let Some(text) = text {
            self.out.push(',');
            write_text(&mut self.out, role);
            self.out.push(':');
            write_text(&mut self.out, text);
        }
    }

    fn list<T>(&mut self, items: &[T], mut write: impl FnMut(&mut Self, &T)) {
        self.out.push('[');
        for (i, item) in items.iter().enumerate() {
            if i > 0 {
                self.out.push(',');
            }
            write(self, item);
        }
        self.out.push(']');
    }
}
