//! Rebuilds a struct and the structs inside of it, with some of their fields replaced.
//!
//! Several of Debezium's transforms walk through all structs of a value and put each field back. Connect's getter gives them
//! the default of a field that is null, so after the walk such nulls have become defaults. A view does the same without
//! copying a cell.
//!
//! Must not know: transforms, values.

use std::sync::Arc;

use record::{Kind, Part};

use crate::TransformError;

/// The struct `part`, rebuilt. `replace` is asked for each field first; a field that it leaves is walked through when it is a
/// struct, and otherwise put back.
pub(crate) fn rebuilt(
    part: &Part,
    replace: &mut impl FnMut(&str, &Part) -> Result<Option<Part>, TransformError>,
) -> Result<Part, TransformError> {
    let mut fields: Vec<(Arc<str>, Part)> = Vec::with_capacity(part.schema.fields().len());
    for (name, field) in part.fields() {
        let new = match replace(&name, &field)? {
            Some(new) => new,
            None if matches!(field.schema.kind, Kind::Struct(_)) => rebuilt(&field, replace)?,
            None => field.or_default(),
        };
        fields.push((name, new));
    }
    // Debezium's copy of a schema has no default.
    Ok(Part::structure(&part.schema.edit().default(None).build(), fields, part.presence()))
}
