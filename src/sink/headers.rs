//! Headers in the producer's own form.

use rdkafka::message::{Header, Headers as _, OwnedHeaders};

use super::error::varint_bytes;

/// The headers of a record as bytes, in the producer's native form: built once, and cloned natively for each record that
/// carries them.
#[derive(Debug, Clone, Default)]
pub struct EncodedHeaders {
    native: Option<OwnedHeaders>,
    /// Bytes these headers take in a record, in the wire form of KIP-98: the size check needs them.
    pub(super) wire_bytes: usize,
    pub(super) count: usize,
}

impl EncodedHeaders {
    /// Adds a header at the end; `None` is Kafka's null header value, not an empty one.
    #[must_use]
    pub fn with(mut self, name: &str, value: Option<&[u8]>) -> Self {
        let native = self.native.take().unwrap_or_default();
        self.native = Some(native.insert(Header { key: name, value }));
        self.wire_bytes +=
            varint_bytes(name.len()) + name.len() + value.map_or(1, |value| varint_bytes(value.len()) + value.len());
        self.count += 1;
        self
    }

    /// Adds the headers of another set at the end.
    #[must_use]
    pub fn and(mut self, other: &Self) -> Self {
        for (name, value) in other.iter() {
            self = self.with(name, value);
        }
        self
    }

    /// Whether there is no header.
    pub fn is_empty(&self) -> bool {
        self.native.is_none()
    }

    /// Names and values in their order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Option<&[u8]>)> {
        self.native.iter().flat_map(|native| native.iter()).map(|header| (header.key, header.value))
    }

    pub(super) fn native(&self) -> Option<OwnedHeaders> {
        self.native.clone()
    }
}
