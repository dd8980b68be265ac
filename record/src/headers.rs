//! The headers of a record: one list in the order in which they are sent, whether the connector or a transform added them.

use std::sync::{Arc, Mutex, PoisonError};

use crate::{Payload, Schema, Value};

/// One header.
#[derive(Clone, Debug)]
pub struct Header<'a> {
    /// The header's name. A record may have several headers of one name.
    pub name: Arc<str>,
    /// The header's value.
    pub value: Payload<'a>,
}

impl Header<'_> {
    /// A header with an owned value.
    pub fn new(name: impl Into<Arc<str>>, schema: Arc<Schema>, value: Value) -> Self {
        Self { name: name.into(), value: Payload::Value(schema, value) }
    }

    /// The header without anything borrowed.
    pub fn into_owned(self) -> Header<'static> {
        Header { name: self.name, value: self.value.into_owned() }
    }
}

/// All headers of a record. The headers that every record of a connector has are borrowed, so that they are encoded once
/// for all records. A transform that removes one of them from a record makes the others that record's own.
#[derive(Clone, Debug, Default)]
pub struct Headers<'a> {
    front: Vec<Header<'a>>,
    shared: &'a [Header<'a>],
    back: Vec<Header<'a>>,
    /// What is appended in place is noted here, as long as the record has the very headers that the connector gave it.
    follower: Option<Follower>,
}

/// The headers that transforms append in place to a delete, for the tombstone behind it: Debezium's connectors give both
/// records one and the same list of headers.
pub type Follower = Arc<Mutex<Vec<Header<'static>>>>;

impl<'a> Headers<'a> {
    /// The connector's own headers, the same on all its records.
    pub fn shared(shared: &'a [Header<'a>]) -> Self {
        Self { shared, ..Self::default() }
    }

    /// Lets a tombstone follow: it gets a copy of everything that is appended in place.
    pub fn followed_by(&mut self, follower: &Follower) {
        self.follower = Some(Arc::clone(follower));
    }

    /// Adds a header after all others, to the list that a delete shares with its tombstone.
    pub fn append_in_place(&mut self, header: Header<'a>) {
        if let Some(follower) = &self.follower {
            follower.lock().unwrap_or_else(PoisonError::into_inner).push(header.clone().into_owned());
        }
        self.back.push(header);
    }

    /// From now on the list is the record's own. Call it where the Java class makes a new record.
    pub fn detach(&mut self) {
        self.follower = None;
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
