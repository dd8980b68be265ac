//! What the column rules ask of a column's type: name, length, scale (`column.truncate.to.N.chars`, hashes that are cut to a
//! column's length, `*.propagate.source.type`).
//!
//! Must not know: which rules there are.

use relational::SourceType;

use super::plan::jdbc;
use crate::model::Column;

/// The type of a column as the table's model has it: the name in upper case, length and scale only where they were written.
pub fn source_type(column: &Column) -> SourceType {
    SourceType {
        name: column.type_name.to_string(),
        length: column.length,
        scale: column.scale,
        is_text: matches!(column.jdbc_type, jdbc::CHAR | jdbc::VARCHAR | jdbc::NCHAR | jdbc::NVARCHAR),
        comment: column.comment.as_deref().map(str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::sample::column;

    #[test]
    fn types_as_the_model_has_them() {
        for (definition, name, length, scale, is_text) in [
            ("INT UNSIGNED", "INT UNSIGNED", None, None, false),
            ("VARCHAR(20)", "VARCHAR", Some(20), None, true),
            ("DECIMAL(10,3) UNSIGNED", "DECIMAL UNSIGNED", Some(10), Some(3), false),
            ("ENUM('x','y')", "ENUM", Some(1), None, true),
            ("NCHAR(5)", "NCHAR", Some(5), None, true),
            ("TIMESTAMP(3)", "TIMESTAMP", Some(3), None, false),
            ("BLOB", "BLOB", None, None, false),
            ("JSON", "JSON", None, None, false),
        ] {
            let expect = SourceType { name: name.to_owned(), length, scale, is_text, comment: None };
            assert_eq!(source_type(&column(definition)), expect, "{definition}");
        }
    }
}
