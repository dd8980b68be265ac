//! The headers of a record: one list in the order in which they are sent, whether the connector or a transform added them.

use std::sync::Arc;

use crate::{Payload, Schema, Shape, Value, ValueRef};

/// One header.
#[derive(Clone, Debug)]
pub struct Header<'a> {
    /// The header's name. A record may have several headers of one name.
    pub name: Arc<str>,
    /// The header's value: owned, or the key of a row.
    pub value: HeaderValue<'a>,
}

/// The value of a header.
#[derive(Clone, Debug)]
pub enum HeaderValue<'a> {
    /// An owned value under its schema.
    Owned(Arc<Schema>, Value),
    /// The key of a table, from these cells: the other key of a row whose key changed.
    Key(&'a Shape, &'a [ValueRef<'a>]),
}

impl<'a> Header<'a> {
    /// A header with an owned value.
    pub fn new(name: impl Into<Arc<str>>, schema: Arc<Schema>, value: Value) -> Self {
        Self { name: name.into(), value: HeaderValue::Owned(schema, value) }
    }

    /// A header whose value is a table's key.
    pub fn key(name: impl Into<Arc<str>>, shape: &'a Shape, cells: &'a [ValueRef<'a>]) -> Self {
        Self { name: name.into(), value: HeaderValue::Key(shape, cells) }
    }

    /// The header's value in the form that converters take.
    pub fn payload(&self) -> Payload<'_> {
        match &self.value {
            HeaderValue::Owned(schema, value) => Payload::Borrowed(schema, value),
            HeaderValue::Key(shape, cells) => Payload::Key(shape, cells),
        }
    }
}

/// All headers of a record. The headers that every record of a connector has are borrowed, so that they are encoded once
/// for all records. A transform that removes one of them from a record makes the others that record's own.
#[derive(Clone, Debug, Default)]
pub struct Headers<'a> {
    front: Vec<Header<'a>>,
    shared: &'a [Header<'a>],
    back: Vec<Header<'a>>,
}

impl<'a> Headers<'a> {
    /// The connector's own headers, the same on all its records.
    pub fn shared(shared: &'a [Header<'a>]) -> Self {
        Self { front: Vec::new(), shared, back: Vec::new() }
    }

    /// Adds a header before all others.
    pub fn push_front(&mut self, header: Header<'a>) {
        self.front.insert(0, header);
    }

    /// Adds a header after all others.
    pub fn push(&mut self, header: Header<'a>) {
        self.back.push(header);
    }

    /// All headers in their order.
    pub fn iter(&self) -> impl Iterator<Item = &Header<'a>> {
        self.front.iter().chain(self.shared).chain(&self.back)
    }

    /// The first header of this name.
    pub fn find(&self, name: &str) -> Option<&Header<'a>> {
        self.iter().find(|header| *header.name == *name)
    }

    /// Keeps only the headers that `keep` accepts.
    pub fn retain(&mut self, mut keep: impl FnMut(&Header<'a>) -> bool) {
        self.front.retain(&mut keep);
        let kept: Vec<bool> = self.shared.iter().map(&mut keep).collect();
        if kept.contains(&false) {
            let shared = std::mem::take(&mut self.shared);
            self.front.extend(shared.iter().zip(kept).filter(|(_, keep)| *keep).map(|(header, _)| header.clone()));
        }
        self.back.retain(&mut keep);
    }

    /// The headers before the shared ones, whether the shared ones are there, and the headers after them.
    pub fn parts(&self) -> (&[Header<'a>], bool, &[Header<'a>]) {
        (&self.front, !self.shared.is_empty(), &self.back)
    }
}

impl<'a> Extend<Header<'a>> for Headers<'a> {
    fn extend<T: IntoIterator<Item = Header<'a>>>(&mut self, headers: T) {
        self.back.extend(headers);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Kind;

    fn header(name: &str) -> Header<'static> {
        Header::new(name, Schema::of(Kind::String).build(), Value::text(name))
    }

    #[track_caller]
    fn check(change: impl FnOnce(&mut Headers<'_>), expect: &str, is_shared: bool) {
        let shared = [header("s"), header("t")];
        let mut headers = Headers::shared(&shared);
        change(&mut headers);
        let names: Vec<&str> = headers.iter().map(|header| &*header.name).collect();
        assert_eq!((names.join(" ").as_str(), headers.parts().1), (expect, is_shared));
    }

    #[test]
    fn one_list() {
        check(|_| (), "s t", true);
        check(|headers| headers.push(header("b")), "s t b", true);
        check(|headers| headers.push_front(header("a")), "a s t", true);
        let change = |headers: &mut Headers<'_>| {
            headers.push(header("b"));
            headers.push_front(header("a"));
            headers.retain(|header| *header.name != *"a");
        };
        check(change, "s t b", true);
        check(|headers| headers.retain(|header| *header.name != *"s"), "t", false);
        let change = |headers: &mut Headers<'_>| {
            headers.push(header("b"));
            headers.push_front(header("a"));
            headers.retain(|header| *header.name != *"s");
        };
        check(change, "a t b", false);
    }
}
