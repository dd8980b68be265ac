//! Name adjustment (`schema.name.adjustment.mode`, `field.name.adjustment.mode`): rewrites names that Avro would
//! refuse.
//!
//! Must not know: which names there are.

use std::fmt::Write as _;

/// How names are rewritten.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Adjustment {
    /// Names are not changed.
    #[default]
    None,
    /// Each character that Avro does not allow becomes `_`.
    Avro,
    /// Each character that Avro does not allow, and `_` itself, becomes `_u` and its UTF-16 code unit in hexadecimal.
    AvroUnicode,
}

/// Adjusts a full schema name. A `.` stays, because it separates namespaces.
pub fn adjust_schema_name(mode: Adjustment, name: &str) -> String {
    adjust(mode, name, true)
}

/// Adjusts a field name. A `.` is replaced too.
pub fn adjust_field_name(mode: Adjustment, name: &str) -> String {
    adjust(mode, name, false)
}

fn adjust(mode: Adjustment, name: &str, dots: bool) -> String {
    let mut out = String::with_capacity(name.len() + 8);
    // Java works on UTF-16 code units: a character beyond U+FFFF has two of them and is replaced twice.
    for (i, unit) in name.encode_utf16().enumerate() {
        let c = char::from_u32(u32::from(unit)).unwrap_or('\u{fffd}');
        let letter = c.is_ascii_alphabetic();
        let plain = match mode {
            Adjustment::None => return name.to_owned(),
            Adjustment::Avro => letter || c == '_' || c.is_ascii_digit() || dots && c == '.',
            Adjustment::AvroUnicode => letter || (c.is_ascii_digit() && i > 0) || dots && c == '.',
        };
        match mode {
            Adjustment::Avro if i == 0 && c.is_ascii_digit() => {
                out.push('_');
                out.push(c);
            }
            _ if plain => out.push(c),
            Adjustment::AvroUnicode => push_unicode(&mut out, unit),
            _ => out.push('_'),
        }
    }
    out
}

/// Appends `_u` and the code unit in lower-case hexadecimal. As in Debezium, one or two digits get a prefix `00`, and
/// three digits are not padded.
pub fn push_unicode(out: &mut String, unit: u16) {
    out.push_str(if unit <= 0xff { "_u00" } else { "_u" });
    // Writing to a String cannot fail.
    let _ = write!(out, "{unit:x}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(mode: Adjustment, name: &str, schema: &str, field: &str) {
        assert_eq!(adjust_schema_name(mode, name), schema);
        assert_eq!(adjust_field_name(mode, name), field);
    }

    #[test]
    fn names() {
        check(Adjustment::None, "a-b.ü", "a-b.ü", "a-b.ü");
        check(Adjustment::Avro, "a-b.c_d", "a_b.c_d", "a_b_c_d");
        check(Adjustment::Avro, "1st", "_1st", "_1st");
        check(Adjustment::AvroUnicode, "a_b.c", "a_u005fb.c", "a_u005fb_u002ec");
        check(Adjustment::AvroUnicode, "a\tb", "a_u009b", "a_u009b");
        check(Adjustment::AvroUnicode, "1st", "_u0031st", "_u0031st");
        check(Adjustment::Avro, "😀", "__", "__");
    }
}
