//! Names made harmless, as `scrub.invalid.names` of Confluent's converters does it.
//!
//! Must not know: what a format allows in a name.

/// A name of ASCII letters, digits and underscores. Others are encoded as in the form of a web page, and what is none of these
/// characters afterwards becomes an underscore. A name whose first character is odd gets an `x` before it.
pub(super) fn scrubbed(name: &str, is_odd: impl Fn(char) -> bool) -> String {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let mut out = String::with_capacity(name.len() + 1);
    if name.starts_with(is_odd) {
        out.push('x');
    }
    for byte in name.bytes() {
        match byte {
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => out.push(char::from(byte)),
            // A form leaves these alone or, for the blank, writes a plus.
            b'_' | b'.' | b'-' | b'*' | b' ' => out.push('_'),
            _ => {
                out.push('_');
                out.push(char::from(HEX[usize::from(byte >> 4)]));
                out.push(char::from(HEX[usize::from(byte & 15)]));
            }
        }
    }
    out
}
