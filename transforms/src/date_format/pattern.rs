//! Compiles patterns: letters that stand for fields, and text.

/// A part of a pattern.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Item {
    /// Text that stands for itself.
    Text(String),
    /// A field, and how many letters it has in the pattern.
    Field(Field, usize),
}

/// A field of a date or time; its letter in patterns stands behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    /// `G`
    Era,
    /// `y`
    Year,
    /// `Y`
    WeekYear,
    /// `M` and `L`
    Month,
    /// `w`
    WeekOfYear,
    /// `W`
    WeekOfMonth,
    /// `D`
    DayOfYear,
    /// `d`
    DayOfMonth,
    /// `F`: the how manyth of its weekday in the month the day is.
    WeekdayInMonth,
    /// `E`
    DayName,
    /// `u`: from 1 for Monday.
    DayNumber,
    /// `a`
    HalfOfDay,
    /// `H`: 0 to 23.
    Hour,
    /// `k`: 1 to 24.
    HourFromOne,
    /// `K`: 0 to 11.
    HalfHour,
    /// `h`: 1 to 12.
    HalfHourFromOne,
    /// `m`
    Minute,
    /// `s`
    Second,
    /// `S`: a number of milliseconds, not a fraction.
    Millisecond,
    /// `z`
    ZoneName,
    /// `Z`: `+hhmm`.
    Zone,
    /// `X`: `Z`, `+hh`, `+hhmm` or `+hh:mm`.
    IsoZone,
}

impl Field {
    fn of(letter: char) -> Option<Self> {
        Some(match letter {
            'G' => Self::Era,
            'y' => Self::Year,
            'Y' => Self::WeekYear,
            'M' | 'L' => Self::Month,
            'w' => Self::WeekOfYear,
            'W' => Self::WeekOfMonth,
            'D' => Self::DayOfYear,
            'd' => Self::DayOfMonth,
            'F' => Self::WeekdayInMonth,
            'E' => Self::DayName,
            'u' => Self::DayNumber,
            'a' => Self::HalfOfDay,
            'H' => Self::Hour,
            'k' => Self::HourFromOne,
            'K' => Self::HalfHour,
            'h' => Self::HalfHourFromOne,
            'm' => Self::Minute,
            's' => Self::Second,
            'S' => Self::Millisecond,
            'z' => Self::ZoneName,
            'Z' => Self::Zone,
            'X' => Self::IsoZone,
            _ => return None,
        })
    }
}

impl Field {
    /// Whether the field is written as a number, given how many letters it has.
    pub(super) fn is_number(self, count: usize) -> bool {
        match self {
            Self::Month => count <= 2,
            Self::Era | Self::DayName | Self::HalfOfDay | Self::ZoneName | Self::Zone | Self::IsoZone => false,
            _ => true,
        }
    }
}

/// Compiles a pattern, or says what is wrong with it, as Java does.
pub(super) fn compile(pattern: &str) -> Result<Vec<Item>, String> {
    let mut items = Vec::new();
    let mut quoted = false;
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            // Two quotes are one that stands for itself, inside and outside of quotes.
            '\'' if chars.next_if_eq(&'\'').is_some() => push(&mut items, '\''),
            '\'' => quoted = !quoted,
            c if !quoted && c.is_ascii_alphabetic() => {
                let field = Field::of(c).ok_or_else(|| format!("Illegal pattern character '{c}'"))?;
                let mut count = 1;
                while chars.next_if_eq(&c).is_some() {
                    count += 1;
                }
                if field == Field::IsoZone && count > 3 {
                    return Err(format!("invalid ISO 8601 format: length={count}"));
                }
                items.push(Item::Field(field, count));
            }
            c => push(&mut items, c),
        }
    }
    if quoted { Err("Unterminated quote".to_owned()) } else { Ok(items) }
}

fn push(items: &mut Vec<Item>, c: char) {
    if let Some(Item::Text(text)) = items.last_mut() {
        text.push(c);
    } else {
        items.push(Item::Text(c.to_string()));
    }
}
