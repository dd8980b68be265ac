//! MariaDB's UUID, INET4 and INET6. The binlog carries their bytes in the order of the text, without trailing zero bytes.

use std::net::{Ipv4Addr, Ipv6Addr};

use record::ValueRef;
use relational::values::words;

use super::form::Form;

/// The bytes with the zeros that the binlog cuts; none when there are more than the type has.
fn whole<const N: usize>(raw: &[u8]) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    bytes.get_mut(..raw.len())?.copy_from_slice(raw);
    Some(bytes)
}

fn printed(raw: &[u8]) -> Option<ValueRef<'_>> {
    std::str::from_utf8(raw).ok().map(ValueRef::Text)
}

/// A UUID: lower-case, 8-4-4-4-12.
pub(super) fn uuid(form: Form, raw: &[u8]) -> Option<ValueRef<'_>> {
    if !matches!(form, Form::Log(_)) {
        return printed(raw).filter(|_| raw.len() == 36);
    }
    Some(match raw.try_into() {
        Ok(bytes) => ValueRef::Uuid(bytes),
        Err(_) => words(match ValueRef::Uuid(&whole(raw)?).to_value() {
            record::Value::Text(text) => text,
            _ => return None,
        }),
    })
}

/// An INET4: `192.0.2.1`.
pub(super) fn inet4(form: Form, raw: &[u8]) -> Option<ValueRef<'_>> {
    if !matches!(form, Form::Log(_)) {
        return printed(raw);
    }
    Some(words(Ipv4Addr::from(whole::<4>(raw)?).to_string()))
}

/// An INET6: `2001:db8::1`.
pub(super) fn inet6(form: Form, raw: &[u8]) -> Option<ValueRef<'_>> {
    if !matches!(form, Form::Log(_)) {
        return printed(raw);
    }
    let bytes = whole::<16>(raw)?;
    // The server prints addresses that embed one of version 4 with its dots; Rust only those of ::ffff:0:0/96.
    let embeds = bytes[..12] == [0; 12] && bytes[12..14] != [0, 0];
    Some(words(if embeds {
        let [.., a, b, c, d] = bytes;
        format!("::{a}.{b}.{c}.{d}")
    } else {
        Ipv6Addr::from(bytes).to_string()
    }))
}

#[cfg(test)]
mod tests {
    use record::Value;

    use super::*;
    use crate::binlog::{WireColumn, wire_type as kind};

    const LOG: Form = Form::Log(WireColumn { kind: kind::STRING, metadata: 0 });

    #[track_caller]
    fn check(found: Option<ValueRef<'_>>, expect: Option<&str>) {
        assert_eq!(found.map(|value| value.to_value()), expect.map(Value::text));
    }

    #[test]
    fn uuids() {
        let raw = record::unhex(b"123e4567e89b12d3a456426655440000").unwrap();
        check(uuid(LOG, &raw), Some("123e4567-e89b-12d3-a456-426655440000"));
        check(uuid(LOG, &raw[..14]), Some("123e4567-e89b-12d3-a456-426655440000"));
        check(uuid(LOG, &[]), Some("00000000-0000-0000-0000-000000000000"));
        check(uuid(LOG, &[1; 17]), None);
        let text = "123e4567-e89b-12d3-a456-426655440000";
        check(uuid(Form::Text, text.as_bytes()), Some(text));
        check(uuid(Form::Text, b"123e"), None);
    }

    #[test]
    fn addresses() {
        check(inet4(LOG, &[1, 2, 3, 4]), Some("1.2.3.4"));
        check(inet4(LOG, &[255, 255, 255]), Some("255.255.255.0"));
        check(inet4(Form::Text, b"1.2.3.4"), Some("1.2.3.4"));
        let six = |text: &str| text.parse::<Ipv6Addr>().unwrap().octets();
        for text in ["2001:db8::1", "::ffff:1.2.3.4", "::1.2.3.4", "::", "fe80::", "::1", "1:2:3:4:5:6:7:8"] {
            check(inet6(LOG, &six(text)), Some(text));
        }
        check(inet6(LOG, &[0xfe, 0x80]), Some("fe80::"));
        check(inet6(LOG, &[0; 17]), None);
    }
}
