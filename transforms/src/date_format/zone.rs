//! Reads time zones: offsets from UTC in milliseconds.

/// Abbreviations, and their hours east of UTC. Java knows many more names; a text with another one cannot be read.
const NAMES: &[(&str, i64)] = &[
    ("UTC", 0),
    ("GMT", 0),
    ("WET", 0),
    ("WEST", 1),
    ("CET", 1),
    ("CEST", 2),
    ("EET", 2),
    ("EEST", 3),
    ("EST", -5),
    ("EDT", -4),
    ("CST", -6),
    ("CDT", -5),
    ("MST", -7),
    ("MDT", -6),
    ("PST", -8),
    ("PDT", -7),
    ("Coordinated Universal Time", 0),
    ("Greenwich Mean Time", 0),
    ("Eastern Standard Time", -5),
    ("Eastern Daylight Time", -4),
    ("Central Standard Time", -6),
    ("Central Daylight Time", -5),
    ("Mountain Standard Time", -7),
    ("Mountain Daylight Time", -6),
    ("Pacific Standard Time", -8),
    ("Pacific Daylight Time", -7),
    ("Central European Standard Time", 1),
    ("Central European Summer Time", 2),
    ("Eastern European Standard Time", 2),
    ("Eastern European Summer Time", 3),
    ("Western European Standard Time", 0),
    ("Western European Summer Time", 1),
];

fn sign(byte: Option<&u8>) -> Option<i64> {
    match byte {
        Some(b'+') => Some(1),
        Some(b'-') => Some(-1),
        _ => None,
    }
}

/// Reads a zone of the letters `z` and `Z`: `+hhmm`, `GMT`, `GMT+h:mm` (without a space before it) or a name. Gives the offset
/// and where the text goes on.
pub(super) fn general(text: &[u8], at: usize, after_space: bool) -> Option<(i64, usize)> {
    let rest = text.get(at..)?;
    if let Some(sign) = sign(rest.first()) {
        return offset(text, at + 1, sign, Form::HoursMinutes);
    }
    if !after_space && rest.len() >= 3 && rest[..3].eq_ignore_ascii_case(b"GMT") {
        return match sign(rest.get(3)) {
            Some(sign) => offset(text, at + 4, sign, Form::Short),
            None => Some((0, at + 3)),
        };
    }
    let starts = |name: &str| rest.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name.as_bytes()));
    let found = NAMES.iter().filter(|(name, _)| starts(name)).max_by_key(|(name, _)| name.len())?;
    Some((found.1 * 3_600_000, at + found.0.len()))
}

/// Reads a zone of the letter `X`, given how many there are: `Z`, `+hh`, `+hhmm` or `+hh:mm`.
pub(super) fn iso(text: &[u8], at: usize, letters: usize) -> Option<(i64, usize)> {
    if text.get(at) == Some(&b'Z') {
        return Some((0, at + 1));
    }
    let form = match letters {
        1 => Form::Hours,
        2 => Form::HoursMinutes,
        _ => Form::Colon,
    };
    offset(text, at + 1, sign(text.get(at))?, form)
}

/// How an offset is written.
#[derive(Clone, Copy, PartialEq)]
enum Form {
    /// `hh`
    Hours,
    /// `hhmm`
    HoursMinutes,
    /// `hh:mm`
    Colon,
    /// `h:mm` or `hh:mm`
    Short,
}

fn offset(text: &[u8], at: usize, sign: i64, form: Form) -> Option<(i64, usize)> {
    let digit = |at: usize| text.get(at).filter(|byte| byte.is_ascii_digit()).map(|byte| i64::from(byte - b'0'));
    let mut at = at;
    let mut next = || {
        at += 1;
        at - 1
    };
    let mut hours = digit(next())?;
    let second = next();
    match digit(second) {
        Some(units) => hours = hours * 10 + units,
        None if form == Form::Short => at = second,
        None => return None,
    }
    if hours > 23 {
        return None;
    }
    let mut minutes = 0;
    if form != Form::Hours {
        if form != Form::HoursMinutes {
            if text.get(at) != Some(&b':') {
                return None;
            }
            at += 1;
        }
        minutes = digit(at)? * 10 + digit(at + 1)?;
        at += 2;
        if minutes > 59 {
            return None;
        }
    }
    Some((sign * (hours * 60 + minutes) * 60_000, at))
}
