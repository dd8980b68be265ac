//! Calendar arithmetic and the text forms that several converters share (proleptic Gregorian, year 0 exists, as java.time).

/// Days since 1970-01-01 of a date. Howard Hinnant's algorithm: exact for every year an `i64` can hold here.
pub fn days_from_civil(year: i64, month: u32, day: u32) -> i64 {
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let yoe = y.rem_euclid(400);
    let mp = i64::from((month + 9) % 12);
    let doy = (153 * mp + 2) / 5 + i64::from(day) - 1;
    let doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    era * 146_097 + doe - 719_468
}

/// Year, month and day of a number of days since 1970-01-01.
pub fn civil_from_days(days: i64) -> (i64, u32, u32) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let day = (doy - (153 * mp + 2) / 5 + 1) as u32;
    let month = if mp < 10 { mp + 3 } else { mp - 9 } as u32;
    (yoe + era * 400 + i64::from(month <= 2), month, day)
}

fn two(out: &mut Vec<u8>, n: u32) {
    out.extend_from_slice(&[b'0' + (n / 10 % 10) as u8, b'0' + (n % 10) as u8]);
}

fn year(out: &mut Vec<u8>, year: i64) {
    // java.time: at least four digits, a sign in front of negative years and of years beyond 9999.
    let digits = year.unsigned_abs();
    if year < 0 {
        out.push(b'-');
    } else if year > 9999 {
        out.push(b'+');
    }
    if digits < 10_000 {
        two(out, (digits / 100) as u32);
        two(out, (digits % 100) as u32);
    } else {
        out.extend_from_slice(digits.to_string().as_bytes());
    }
}

/// Writes `yyyy-mm-dd` of a number of days since 1970-01-01.
pub fn write_iso_date(out: &mut Vec<u8>, days: i64) {
    let (y, m, d) = civil_from_days(days);
    year(out, y);
    out.push(b'-');
    two(out, m);
    out.push(b'-');
    two(out, d);
}

/// Writes an instant (microseconds since 1970-01-01T00:00:00Z) as `yyyy-mm-ddThh:mm:ss[.fraction]Z` with exactly
/// `digits` (0–6) fraction digits: the form of io.debezium.time.ZonedTimestamp.
pub fn write_zoned(out: &mut Vec<u8>, micros: i64, digits: u8) {
    const DAY: i64 = 86_400_000_000;
    let in_day = micros.rem_euclid(DAY);
    let (seconds, fraction) = ((in_day / 1_000_000) as u32, (in_day % 1_000_000) as u32);
    let mut text = *b"Thh:mm:ss.ffffffZ";
    put_two(&mut text, 1, seconds / 3600);
    put_two(&mut text, 4, seconds / 60 % 60);
    put_two(&mut text, 7, seconds % 60);
    put_two(&mut text, 10, fraction / 10_000);
    put_two(&mut text, 12, fraction / 100 % 100);
    put_two(&mut text, 14, fraction % 100);
    let end = if digits == 0 { 9 } else { 10 + usize::from(digits.min(6)) };
    text[end] = b'Z';
    write_iso_date(out, micros.div_euclid(DAY));
    // A copy of a fixed length is a few instructions, one of any length a call.
    let length = out.len() + end + 1;
    out.extend_from_slice(&text);
    out.truncate(length);
}

fn put_two(text: &mut [u8; 17], at: usize, number: u32) {
    text[at] = b'0' + (number / 10) as u8;
    text[at + 1] = b'0' + (number % 10) as u8;
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(micros: i64, digits: u8, expect: &str) {
        let mut out = Vec::new();
        write_zoned(&mut out, micros, digits);
        assert_eq!(String::from_utf8(out).unwrap(), expect);
    }

    #[test]
    fn instants() {
        check(0, 6, "1970-01-01T00:00:00.000000Z");
        check(-1, 6, "1969-12-31T23:59:59.999999Z");
        check(1_709_212_455_123_456, 3, "2024-02-29T13:14:15.123Z");
        for digits in 1..=6 {
            let fraction = &"654321"[..usize::from(digits)];
            check(1_709_212_455_654_321, digits, &format!("2024-02-29T13:14:15.{fraction}Z"));
        }
        check(253_402_300_800_000_000, 0, "+10000-01-01T00:00:00Z");
        check(-62_198_755_200_000_000, 0, "-0001-01-01T00:00:00Z");
        check(-62_167_219_200_000_000, 0, "0000-01-01T00:00:00Z");
    }

    proptest! {
        #[test]
        fn days_and_dates_are_inverse(days in -3_000_000_i64..3_000_000) {
            let (y, m, d) = civil_from_days(days);
            prop_assert_eq!(days_from_civil(y, m, d), days);
            prop_assert!((1..=12).contains(&m) && (1..=31).contains(&d));
        }
    }
}
