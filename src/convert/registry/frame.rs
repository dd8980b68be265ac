//! How a record carries the id of its schema: in the bytes before the data, or in a header.
//!
//! Must not know: HTTP.

use std::sync::Arc;

use super::settings::{ApicurioRules, ConfluentRules};
use super::{DocumentKind, Frame, Registered, RegistryError};

/// Confluent's way: a zero byte, the id in 4 bytes, the indexes; or all in a header, as a one byte and the GUID.
pub(super) fn confluent(
    rules: &ConfluentRules,
    is_key: bool,
    registered: &Registered,
    indexes: &[u8],
) -> Result<Frame, RegistryError> {
    let (in_header, key, header) = if is_key {
        (rules.key_in_header, "key.schema.id.serializer", "__key_schema_id")
    } else {
        (rules.value_in_header, "value.schema.id.serializer", "__value_schema_id")
    };
    if !in_header {
        return Ok(Frame { prefix: [&[0], &number(registered.id, 4)?[..], indexes].concat(), headers: Vec::new() });
    }
    let Some(guid) = registered.guid else {
        return Err(RegistryError::setting(
            key,
            "Schema GUID is null: this registry gives none (Confluent's does from version 8.0 on)",
            "Use io.confluent.kafka.serializers.schema.id.PrefixSchemaIdSerializer.",
        ));
    };
    Ok(Frame { prefix: Vec::new(), headers: vec![(Arc::from(header), [&[1], &guid[..], indexes].concat())] })
}

/// Apicurio's way: a zero byte and the id in 4 or 8 bytes; or the id in a header of 8 bytes, and for Avro a header with
/// its encoding.
pub(super) fn apicurio(
    rules: &ApicurioRules,
    is_key: bool,
    registered: &Registered,
    indexes: &[u8],
) -> Result<Frame, RegistryError> {
    if !rules.in_headers {
        let id = number(registered.id, rules.id_bytes)?;
        return Ok(Frame { prefix: [&[0], &id[..], indexes].concat(), headers: Vec::new() });
    }
    let name = &rules.header_names[usize::from(!is_key)];
    let mut headers = vec![(Arc::clone(name), number(registered.id, 8)?)];
    if registered.kind == DocumentKind::Avro {
        let name = if is_key { "apicurio.key.encoding" } else { "apicurio.value.encoding" };
        headers.push((Arc::from(name), b"BINARY".to_vec()));
    }
    Ok(Frame { prefix: indexes.to_vec(), headers })
}

/// An id in so many bytes, the highest first.
fn number(id: i64, bytes: usize) -> Result<Vec<u8>, RegistryError> {
    let all = id.to_be_bytes();
    let (high, low) = all.split_at(all.len() - bytes.min(all.len()));
    if high.iter().any(|byte| *byte != 0) {
        return Err(RegistryError::setting(
            "apicurio.registry.id-handler",
            format!("the id {id} does not fit into {bytes} bytes"),
            "Use io.apicurio.registry.serde.Legacy8ByteIdHandler.",
        ));
    }
    Ok(low.to_vec())
}
