//! Types whose texts have a syntax of their own: bit strings, points, hstore, PostGIS, pgvector.

use record::{Value, unhex};
use relational::values::point_of;

/// A bit string (`0`s and `1`s) as io.debezium.data.Bits: little-endian bytes, trailing zero bytes dropped.
pub(super) fn bits(text: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = vec![0_u8; text.len().div_ceil(8)];
    for (place, bit) in text.iter().rev().enumerate() {
        match bit {
            b'0' => {}
            b'1' => bytes[place / 8] |= 1 << (place % 8),
            _ => return None,
        }
    }
    while bytes.last() == Some(&0) {
        bytes.pop();
    }
    Some(bytes)
}

/// `(x,y)` as io.debezium.data.geometry.Point: coordinates, 21 bytes of little-endian WKB, no SRID.
pub(super) fn point(text: &[u8]) -> Option<Value> {
    let inner = std::str::from_utf8(text).ok()?.strip_prefix('(')?.strip_suffix(')')?;
    let (x, y) = inner.split_once(',')?;
    Some(point_of(x.parse().ok()?, y.parse().ok()?))
}

/// The text of a geometric type with its numbers as Java writes them: `(1,2.5)` becomes `(1.0,2.5)`.
pub(super) fn geometric(text: &str) -> String {
    let is_mark = |c: char| "()[]{}<>,".contains(c);
    let mut out = String::with_capacity(text.len() * 2);
    for part in text.split_inclusive(is_mark) {
        let number = part.trim_end_matches(is_mark);
        match number.parse() {
            Ok(number) => out.push_str(&java_double(number)),
            Err(_) => out.push_str(number),
        }
        out.push_str(&part[number.len()..]);
    }
    out
}

/// A number as Java's `Double.toString` writes it.
fn java_double(number: f64) -> String {
    match number {
        n if n.is_nan() => "NaN".into(),
        n if n.is_infinite() => if n > 0.0 { "Infinity" } else { "-Infinity" }.into(),
        n if n == 0.0 || (1e-3..1e7).contains(&n.abs()) => format!("{n:?}"),
        n => {
            let text = format!("{n:e}");
            let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
            format!("{digits}{}E{exponent}", if digits.contains('.') { "" } else { ".0" })
        }
    }
}

/// The pairs of an hstore's text (`"a"=>"1", "b"=>NULL`).
pub(super) fn hstore(text: &str) -> Option<Vec<(String, Option<String>)>> {
    let mut pairs = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (key, after) = quoted(rest)?;
        let after = after.strip_prefix("=>")?;
        let (value, after) = match after.strip_prefix("NULL") {
            Some(after) => (None, after),
            None => quoted(after).map(|(value, after)| (Some(value), after))?,
        };
        pairs.push((key, value));
        rest = after.strip_prefix(',').unwrap_or(after).trim_start();
    }
    Some(pairs)
}

fn quoted(text: &str) -> Option<(String, &str)> {
    let body = text.strip_prefix('"')?;
    let (mut out, mut chars) = (String::new(), body.char_indices());
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((out, &body[at + 1..])),
            '\\' => out.push(chars.next()?.1),
            _ => out.push(c),
        }
    }
    None
}

/// PostGIS's text form (hexadecimal EWKB) as the struct of wkb and srid; the bytes stay as they are.
pub(super) fn geometry(text: &[u8]) -> Option<Value> {
    let wkb = unhex(text)?;
    let little = *wkb.first()? == 1;
    let word = |at: usize| -> Option<u32> {
        let bytes: [u8; 4] = wkb.get(at..at + 4)?.try_into().ok()?;
        Some(if little { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) })
    };
    // The SRID stands behind the type when the type's flag says so (EWKB).
    let srid = if word(1)? & 0x2000_0000 != 0 { Value::Int(i64::from(word(5)?)) } else { Value::Null };
    Some(Value::Struct(vec![Value::Bytes(wkb), srid]))
}

/// pgvector's `[1,2.5]` as an array of FLOAT32 (`single`) or FLOAT64.
pub(super) fn vector(text: &str, single: bool) -> Option<Value> {
    let inner = text.strip_prefix('[')?.strip_suffix(']')?;
    let element = |item: &str| {
        let item = item.trim();
        if single { item.parse().ok().map(Value::Float) } else { item.parse().ok().map(Value::Double) }
    };
    if inner.is_empty() {
        return Some(Value::Array(Vec::new()));
    }
    inner.split(',').map(element).collect::<Option<Vec<_>>>().map(Value::Array)
}

/// pgvector's `{1:1.5,3:2}/5`: the indices as printed, the dimensions as INT16.
pub(super) fn sparse_vector(text: &str) -> Option<Value> {
    let (inner, dimensions) = text.strip_prefix('{')?.split_once("}/")?;
    let dimensions: i16 = dimensions.parse().ok()?;
    let mut entries = Vec::new();
    for item in inner.split(',').filter(|item| !item.is_empty()) {
        let (index, value) = item.split_once(':')?;
        entries.push((
            Value::Int(i64::from(index.trim().parse::<i16>().ok()?)),
            Value::Double(value.trim().parse().ok()?),
        ));
    }
    Some(Value::Struct(vec![Value::Int(i64::from(dimensions)), Value::Map(entries)]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bit_strings() {
        for (text, expect) in [
            ("101", vec![5]),
            ("00000000", vec![]),
            ("10101010", vec![0xaa]),
            ("1111000011110000111", vec![0x87, 0x87, 0x07]),
            ("", vec![]),
        ] {
            assert_eq!(bits(text.as_bytes()), Some(expect), "{text}");
        }
        assert_eq!(bits(b"2"), None);
    }

    #[test]
    fn geometric_texts() {
        for (text, expect) in [
            ("(1,1),(0,-0.5)", "(1.0,1.0),(0.0,-0.5)"),
            ("<(1,2),3>", "<(1.0,2.0),3.0>"),
            ("{1e+300,2e-05,Infinity}", "{1.0E300,2.0E-5,Infinity}"),
            ("[(12345678,0.00123),(1,1)]", "[(1.2345678E7,0.00123),(1.0,1.0)]"),
        ] {
            assert_eq!(geometric(text), expect);
        }
    }

    #[test]
    fn hstores() {
        let pair = |k: &str, v: Option<&str>| (k.to_owned(), v.map(str::to_owned));
        assert_eq!(
            hstore(r#""a"=>"1", "b\"c"=>NULL, "d"=>"NULL""#),
            Some(vec![pair("a", Some("1")), pair("b\"c", None), pair("d", Some("NULL"))])
        );
        assert_eq!(hstore(""), Some(vec![]));
        assert_eq!(hstore("a=>1"), None);
    }

    #[test]
    fn vectors() {
        assert_eq!(vector("[1,2.5]", false), Some(Value::Array(vec![Value::Double(1.0), Value::Double(2.5)])));
        assert!(sparse_vector("{1:1.5}/99999").is_none());
    }
}
