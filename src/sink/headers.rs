//! Record headers in librdkafka's form.

use std::sync::Arc;

use rdkafka::message::{Header, Headers as _, OwnedHeaders};

use super::error::varint_bytes;

/// The headers of a record, already converted to bytes, in librdkafka's form. They are built once and shared by all records
/// that carry them. librdkafka gets a copy for each record, which takes a few blocks of memory for each header.
#[derive(Debug, Clone, Default)]
pub struct EncodedHeaders {
    native: Option<Arc<OwnedHeaders>>,
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
        self
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

    /// A copy for librdkafka, which frees it.
    pub(super) fn native(&self) -> Option<OwnedHeaders> {
        self.native.as_deref().cloned()
    }
}
