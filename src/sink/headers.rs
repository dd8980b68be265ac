//! Record headers in librdkafka's form.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use rdkafka::message::{Header, Headers as _, OwnedHeaders};

use super::error::varint_bytes;

/// The headers of a record, already converted to bytes, in librdkafka's form. They are built once and shared by all records
/// that carry them. librdkafka gets a copy for each record, which takes a few blocks of memory for each header, unless they are
/// [`repeated`](Self::repeated).
#[derive(Debug, Clone, Default)]
pub struct EncodedHeaders {
    native: Option<Arc<OwnedHeaders>>,
    is_repeated: bool,
    /// The bytes that these headers take in a record on the wire (KIP-98), for the check against `max.request.size`.
    pub(super) wire_bytes: usize,
    pub(super) count: usize,
}

impl EncodedHeaders {
    /// Appends a header. A value of `None` is Kafka's null, not an empty value.
    #[must_use]
    pub fn with(mut self, name: &str, value: Option<&[u8]>) -> Self {
        let native = self.native.take().map(Arc::unwrap_or_clone).unwrap_or_default();
        self.native = Some(Arc::new(native.insert(Header { key: name, value })));
        self.wire_bytes +=
            varint_bytes(name.len()) + name.len() + value.map_or(1, |value| varint_bytes(value.len()) + value.len());
        self.count += 1;
        self.is_repeated = false;
        self
    }

    /// Says that most records of a sink carry these headers, so that their copies are worth keeping.
    #[must_use]
    pub fn repeated(self) -> Self {
        Self { is_repeated: true, ..self }
    }

    /// Appends the headers of `other`.
    #[must_use]
    pub fn and(mut self, other: &Self) -> Self {
        for (name, value) in other.iter() {
            self = self.with(name, value);
        }
        self
    }

    /// Whether there are no headers.
    pub fn is_empty(&self) -> bool {
        self.native.is_none()
    }

    /// Names and values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Option<&[u8]>)> {
        self.native.iter().flat_map(|native| native.iter()).map(|header| (header.key, header.value))
    }

    fn is(&self, other: &Self) -> bool {
        matches!((&self.native, &other.native), (Some(one), Some(other)) if Arc::ptr_eq(one, other))
    }
}

/// How many copies are kept at most: about as many as are delivered together. One takes half a kilobyte.
const MOST_COPIES: usize = 1024;

/// Copies of headers for librdkafka. Those of the sink's [repeated](EncodedHeaders::repeated) headers come back when their
/// records are delivered, and go out with other records: making and freeing a copy takes a tenth of the time of a record.
#[derive(Default)]
pub(super) struct HeaderCopies {
    /// The headers whose copies come back: the first repeated ones.
    set: OnceLock<EncodedHeaders>,
    spare: Mutex<Spare>,
}

#[derive(Default)]
struct Spare {
    copies: Vec<OwnedHeaders>,
    is_in_use: bool,
}

impl HeaderCopies {
    /// A copy of the headers, and whether it is to be given [`back`](Self::give_back).
    pub(super) fn of(&self, headers: &EncodedHeaders) -> (Option<OwnedHeaders>, bool) {
        let comes_back = headers.is_repeated && self.set.get_or_init(|| headers.clone()).is(headers);
        let kept = comes_back.then(|| self.spare().take()).flatten();
        (kept.or_else(|| headers.native.as_deref().cloned()), comes_back)
    }

    /// Keeps a copy that librdkafka needs no more.
    pub(super) fn give_back(&self, copy: OwnedHeaders) {
        let mut spare = self.spare();
        if spare.copies.len() < MOST_COPIES {
            spare.copies.push(copy);
        }
    }

    /// Frees the copies if none was asked for since the last call.
    pub(super) fn free_unused(&self) {
        let mut spare = self.spare();
        if !std::mem::take(&mut spare.is_in_use) {
            spare.copies = Vec::new();
        }
    }

    fn spare(&self) -> MutexGuard<'_, Spare> {
        // A panic does not leave the copies half changed, so a poisoned lock can still be used.
        self.spare.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Spare {
    fn take(&mut self) -> Option<OwnedHeaders> {
        self.is_in_use = true;
        self.copies.pop()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(copy: Option<&OwnedHeaders>) -> Vec<String> {
        copy.iter().flat_map(|copy| copy.iter()).map(|h| format!("{}={:?}", h.key, h.value)).collect()
    }

    fn kept(copies: &HeaderCopies) -> usize {
        copies.spare().copies.len()
    }

    #[test]
    fn copies_of_repeated_headers_are_used_again_until_nobody_asks_for_them() {
        let (copies, set) = (HeaderCopies::default(), EncodedHeaders::default().with("a", Some(b"1")).with("b", None));
        let set = set.repeated();
        let (first, comes_back) = copies.of(&set);
        assert!(comes_back);
        copies.give_back(first.unwrap());
        let (again, _) = copies.of(&set);
        assert_eq!((texts(again.as_ref()), kept(&copies)), (vec!["a=Some([49])".to_owned(), "b=None".to_owned()], 0));
        copies.give_back(again.unwrap());
        copies.free_unused();
        assert_eq!(kept(&copies), 1, "one was asked for a moment ago");
        copies.free_unused();
        assert_eq!(kept(&copies), 0);
    }

    #[test]
    fn other_headers_never_get_such_a_copy() {
        let (copies, set) = (HeaderCopies::default(), EncodedHeaders::default().with("a", Some(b"1")).repeated());
        copies.give_back(copies.of(&set).0.unwrap());
        for other in [set.clone().with("b", None), set.clone().with("b", None).repeated(), EncodedHeaders::default()] {
            let (copy, comes_back) = copies.of(&other);
            assert_eq!((texts(copy.as_ref()).len(), comes_back), (other.count, false));
        }
        assert_eq!(kept(&copies), 1);
    }

    #[test]
    fn the_number_of_copies_is_bounded() {
        let (copies, set) = (HeaderCopies::default(), EncodedHeaders::default().with("a", Some(b"1")).repeated());
        for copy in std::iter::repeat_with(|| set.native.as_deref().cloned().unwrap()).take(MOST_COPIES + 1) {
            copies.give_back(copy);
        }
        assert_eq!(kept(&copies), MOST_COPIES);
    }
}
