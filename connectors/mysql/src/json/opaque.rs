//! Values of types that JSON does not have: decimals, dates and times, bytes.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{JsonError, decimal};
use crate::binlog::wire_type;

/// Writes an opaque value. `kind` is the type of the column that the value could be in.
pub(super) fn write(out: &mut Vec<u8>, kind: u8, data: &[u8]) -> Result<(), JsonError> {
    match kind {
        wire_type::NEWDECIMAL => {
            let (Some([precision, scale]), Some(digits)) = (data.first_chunk(), data.get(2..)) else {
                return Err(JsonError("a decimal ends early"));
            };
            decimal::write(out, digits, *precision, *scale).ok_or(JsonError("a decimal is malformed"))
        }
        wire_type::DATE => quoted(out, |out| {
            write_date(out, Packed::date(number(data)?));
            Ok(())
        }),
        wire_type::DATETIME | wire_type::TIMESTAMP => quoted(out, |out| {
            let packed = number(data)?;
            write_date(out, Packed::date(packed));
            out.push(b' ');
            write_time(out, Packed::time(packed, 0x1f));
            Ok(())
        }),
        wire_type::TIME => quoted(out, |out| {
            let packed = number(data)?;
            if packed < 0 {
                out.push(b'-');
            }
            write_time(out, Packed::time(packed.saturating_abs(), 0x3ff));
            Ok(())
        }),
        _ => quoted(out, |out| {
            let start = out.len();
            let room = base64::encoded_len(data.len(), true).ok_or(JsonError("bytes are too long"))?;
            out.resize(start + room, 0);
            let written = STANDARD.encode_slice(data, out.get_mut(start..).unwrap_or_default());
            written.map(drop).map_err(|_| JsonError("bytes are too long"))
        }),
    }
}

fn quoted(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>) -> Result<(), JsonError>) -> Result<(), JsonError> {
    out.push(b'"');
    write(out)?;
    out.push(b'"');
    Ok(())
}

fn number(data: &[u8]) -> Result<i64, JsonError> {
    let bytes = data.try_into().map_err(|_| JsonError("a time has not eight bytes"))?;
    Ok(i64::from_le_bytes(bytes))
}

/// The parts of a packed time. From the lowest bit on: 24 bits of microseconds, 6 of seconds, 6 of minutes, then hours (10
/// bits in a TIME, 5 where a date follows), 5 bits of the day, and 13 times the year plus the month.
struct Packed;

impl Packed {
    fn date(packed: i64) -> [i64; 3] {
        let days = packed >> 41;
        let months = days >> 5;
        [months / 13, months % 13, days & 31]
    }

    /// `hours` are the bits of the hours.
    fn time(packed: i64, hours: i64) -> [i64; 4] {
        [packed >> 36 & hours, packed >> 30 & 0x3f, packed >> 24 & 0x3f, packed & 0x00ff_ffff]
    }
}

fn write_date(out: &mut Vec<u8>, [year, month, day]: [i64; 3]) {
    padded(out, year, 4);
    out.push(b'-');
    padded(out, month, 2);
    out.push(b'-');
    padded(out, day, 2);
}

/// The fraction is written if it is not zero, without the zeros at its end.
fn write_time(out: &mut Vec<u8>, [hours, minutes, seconds, micros]: [i64; 4]) {
    padded(out, hours, 2);
    out.push(b':');
    padded(out, minutes, 2);
    out.push(b':');
    padded(out, seconds, 2);
    if micros != 0 {
        out.push(b'.');
        padded(out, micros, 6);
        while out.last() == Some(&b'0') {
            out.pop();
        }
    }
}

fn padded(out: &mut Vec<u8>, number: i64, width: usize) {
    let start = out.len();
    record::write_int(out, number);
    let digits = out.len() - start;
    if digits < width {
        out.splice(start..start, std::iter::repeat_n(b'0', width - digits));
    }
}
