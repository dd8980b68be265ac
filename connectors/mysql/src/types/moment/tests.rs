//! The bytes of these cases were worked out from the manual's and the source's description of each format.

use proptest::prelude::*;

use super::*;

fn log(kind: u8, digits: u16) -> Form {
    Form::Log(WireColumn { kind, metadata: digits })
}

/// Days of a date.
fn on(year: i64, month: u32, day: u32) -> i64 {
    days_from_civil(year, month, day)
}

#[track_caller]
#[allow(clippy::needless_pass_by_value, reason = "cases are written in place")]
fn check<T: PartialEq + std::fmt::Debug>(found: Result<T, Fault>, expect: T) {
    assert_eq!(found, Ok(expect));
}

fn packed_date(year: u32, month: u32, day: u32) -> [u8; 3] {
    let bytes = (year << 9 | month << 5 | day).to_le_bytes();
    [bytes[0], bytes[1], bytes[2]]
}

#[test]
fn dates() {
    let of_log = |year, month, day| date(log(kind::DATE, 0), &packed_date(year, month, day), true);
    check(of_log(2024, 2, 29), Some(19_782));
    check(of_log(1000, 1, 1), Some(-354_285));
    check(of_log(20, 3, 4), Some(18_325));
    check(of_log(100, 1, 1), Some(-683_003));
    check(of_log(70, 1, 1), Some(0));
    for (year, month, day) in [(0, 0, 0), (2020, 0, 15), (2020, 5, 0), (0, 5, 6)] {
        check(of_log(year, month, day), None);
    }
    assert_eq!(of_log(2023, 2, 29), Err(Fault::Calendar));
    assert_eq!(of_log(2023, 13, 1), Err(Fault::Calendar));
    check(date(Form::Text, b"2024-02-29", true), Some(19_782));
    check(date(Form::Text, b"0000-05-06", true), Some(on(2000, 5, 6)));
    check(date(Form::Text, b"0000-05-06", false), Some(on(0, 5, 6)));
    check(date(Form::Text, b"2020-00-00", true), None);
    check(date(Form::Binary, &[0xe8, 7, 2, 29], true), Some(19_782));
    check(date(Form::Binary, &[], true), None);
    for bad in ["2024-2-29", "20240229", "2024-02-29 00:00:00", "2024-02-2x", ""] {
        assert_eq!(date(Form::Text, bad.as_bytes(), true), Err(Fault::Value("not a date")), "{bad}");
    }
}

/// DATETIME2 of a date and time of day, without its fraction.
fn packed_datetime(date: (u64, u64, u64), clock: (u64, u64, u64)) -> Vec<u8> {
    let packed = 1 << 39 | (date.0 * 13 + date.1) << 22 | date.2 << 17 | clock.0 << 12 | clock.1 << 6 | clock.2;
    packed.to_be_bytes()[3..].to_vec()
}

#[test]
fn datetimes() {
    let leap = on(2024, 2, 29) * DAY_MICROS + 86_399_000_000;
    let with = |fraction: &[u8]| [packed_datetime((2024, 2, 29), (23, 59, 59)), fraction.to_vec()].concat();
    for (digits, fraction, micros) in [
        (0, &[][..], 0),
        (1, &[90], 900_000),
        (2, &[98], 980_000),
        (3, &[0x26, 0x8e], 987_000),
        (4, &[0x26, 0x94], 987_600),
        (5, &[0x0f, 0x12, 0x00], 987_648),
        (6, &[0x0f, 0x12, 0x06], 987_654),
    ] {
        check(datetime(log(kind::DATETIME2, digits), &with(fraction), true), Some(leap + micros));
    }
    let of = |date, clock| datetime(log(kind::DATETIME2, 0), &packed_datetime(date, clock), true);
    check(of((0, 0, 0), (0, 0, 0)), None);
    check(of((2020, 1, 0), (1, 2, 3)), None);
    check(of((99, 12, 31), (1, 2, 3)), Some(on(1999, 12, 31) * DAY_MICROS + 3_723_000_000));
    assert_eq!(of((2021, 2, 31), (0, 0, 0)), Err(Fault::Calendar));
    assert_eq!(of((2021, 2, 1), (24, 0, 0)), Err(Fault::Calendar));
    let old = 20_240_229_235_959_u64.to_le_bytes();
    check(datetime(log(kind::DATETIME, 0), &old, true), Some(leap));
    check(datetime(log(kind::DATETIME, 0), &[0; 8], true), None);
    check(datetime(Form::Text, b"2024-02-29 23:59:59.9876", true), Some(leap + 987_600));
    check(datetime(Form::Text, b"9999-12-31 23:59:59.999999", true), Some(253_402_300_799_999_999));
    check(datetime(Form::Text, b"0000-00-00 00:00:00", true), None);
    check(datetime(Form::Binary, &[0xe8, 7, 2, 29, 23, 59, 59], true), Some(leap));
    check(datetime(Form::Binary, &[0xe8, 7, 2, 29, 23, 59, 59, 1, 0, 0, 0], true), Some(leap + 1));
    check(datetime(Form::Binary, &[0xe8, 7, 2, 29], true), Some(on(2024, 2, 29) * DAY_MICROS));
}

#[test]
fn timestamps() {
    let last = 0x7fff_ffff_u32.to_be_bytes();
    let with = |fraction: &[u8]| [&last[..], fraction].concat();
    check(timestamp(log(kind::TIMESTAMP2, 0), &last, None), Some(2_147_483_647_000_000));
    check(timestamp(log(kind::TIMESTAMP2, 3), &with(&[0x13, 0x7e]), None), Some(2_147_483_647_499_000));
    check(timestamp(log(kind::TIMESTAMP2, 6), &with(&[7, 0x9d, 0x2b]), None), Some(2_147_483_647_498_987));
    check(timestamp(log(kind::TIMESTAMP2, 0), &[0; 4], None), None);
    check(timestamp(log(kind::TIMESTAMP2, 2), &[0, 0, 0, 0, 1], None), Some(10_000));
    check(timestamp(log(kind::TIMESTAMP, 0), &1_u32.to_le_bytes(), None), Some(1_000_000));
    // Since MySQL 8.0.28 the seconds use all 32 bits.
    check(timestamp(log(kind::TIMESTAMP2, 0), &[0xff; 4], None), Some(4_294_967_295_000_000));
    check(timestamp(Form::Text, b"2038-01-19 03:14:07.499", None), Some(2_147_483_647_499_000));
    check(timestamp(Form::Text, b"0000-00-00 00:00:00", None), None);
    let new_york = TimeZone::get("America/New_York").unwrap();
    let at = |text: &[u8]| timestamp(Form::Text, text, Some(&new_york));
    check(at(b"2020-05-06 07:08:09"), Some(1_588_763_289_000_000));
    // The hour that is there twice: its first time; the hour that is not: an hour later.
    check(at(b"2024-11-03 01:30:00"), Some(1_730_611_800_000_000));
    check(at(b"2024-03-10 02:30:00"), Some(1_710_055_800_000_000));
}

#[test]
fn times() {
    // TIME2 with six digits: the number of 48 bits around the offset.
    let packed = |micros: i64, digits: u16| {
        let fraction_bytes = u32::from(digits.div_ceil(2));
        let abs = micros.unsigned_abs();
        let (seconds, fraction) = (abs / 1_000_000, abs % 1_000_000);
        let whole = (seconds / 3600) << 12 | (seconds / 60 % 60) << 6 | (seconds % 60);
        let unit = [0, 10_000, 100, 1][fraction_bytes as usize];
        let n = (whole << (8 * fraction_bytes) | fraction.checked_div(unit).unwrap_or(0)) as i64;
        let bytes = 3 + fraction_bytes as usize;
        let n = (1_i64 << (8 * bytes - 1)) + if micros < 0 { -n } else { n };
        n.to_be_bytes()[8 - bytes..].to_vec()
    };
    for (text, digits, micros) in [
        ("12:34:56", 0, 45_296_000_000),
        ("-838:59:59", 0, -3_020_399_000_000),
        ("-00:00:00.1", 1, -100_000),
        ("-00:00:00.01", 2, -10_000),
        ("-00:00:00.001", 3, -1000),
        ("-00:00:01.0001", 4, -1_000_100),
        ("-12:00:00.50000", 5, -43_200_500_000),
        ("-00:00:00.000001", 6, -1),
        ("838:59:58.999999", 6, 3_020_398_999_999),
        ("24:00:00.001", 3, 86_400_001_000),
        ("00:00:00", 0, 0),
    ] {
        check(time(Form::Text, text.as_bytes()), micros);
        check(time(log(kind::TIME2, digits), &packed(micros, digits)), micros);
    }
    // Bytes of a real binlog: '-00:00:00.000001' TIME(6), '-00:00:01' TIME.
    check(time(log(kind::TIME2, 6), &[0x7f, 0xff, 0xff, 0xff, 0xff, 0xff]), -1);
    check(time(log(kind::TIME2, 0), &[0x7f, 0xff, 0xff]), -1_000_000);
    check(time(log(kind::TIME, 0), &[0x40, 0xe2, 0x01]), 45_296_000_000);
    check(time(log(kind::TIME, 0), &(-8_385_959_i32).to_le_bytes()[..3]), -3_020_399_000_000);
    check(time(Form::Binary, &[]), 0);
    check(time(Form::Binary, &[1, 34, 0, 0, 0, 22, 59, 59]), -3_020_399_000_000);
    check(time(Form::Binary, &[0, 0, 0, 0, 0, 1, 2, 3, 4, 0, 0, 0]), 3_723_000_004);
    for bad in ["", "-", "12", "12:60:00", "12:00:60", "a:00:00", "12:00:00.", "12:00:00:00"] {
        assert!(time(Form::Text, bad.as_bytes()).is_err(), "{bad}");
    }
}

#[test]
fn digits_without_trailing_zeros() {
    for (micros, expect) in [(0, 0), (500_000, 1), (1_010_000, 2), (-1, 6), (999_000, 3), (120, 5)] {
        assert_eq!(shown_digits(micros), expect, "{micros}");
    }
}

fn forms() -> Vec<Form> {
    let mut all = vec![Form::Text, Form::Binary];
    for kind in [kind::DATE, kind::TIME, kind::DATETIME, kind::TIMESTAMP] {
        all.push(log(kind, 0));
    }
    for kind in [kind::TIME2, kind::DATETIME2, kind::TIMESTAMP2] {
        all.extend((0..8).map(|digits| log(kind, digits)));
    }
    all
}

proptest! {
    #[test]
    fn the_forms_of_a_datetime_agree(
        (year, month, day) in (1_u64..10_000, 1_u64..13, 1_u64..29),
        (hour, minute, second) in (0_u64..24, 0_u64..60, 0_u64..60),
        micros in 0_u32..1_000_000,
    ) {
        let text = format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}.{micros:06}");
        let from_text = datetime(Form::Text, text.as_bytes(), true);
        let mut raw = packed_datetime((year, month, day), (hour, minute, second));
        raw.extend_from_slice(&micros.to_be_bytes()[1..]);
        prop_assert_eq!(datetime(log(kind::DATETIME2, 6), &raw, true), from_text);
        let mut raw = (year as u16).to_le_bytes().to_vec();
        raw.extend_from_slice(&[month as u8, day as u8, hour as u8, minute as u8, second as u8]);
        raw.extend_from_slice(&micros.to_le_bytes());
        prop_assert_eq!(datetime(Form::Binary, &raw, true), from_text);
    }

    #[test]
    fn hostile_bytes_do_not_panic(raw in proptest::collection::vec(any::<u8>(), 0..16)) {
        for form in forms() {
            let _ = (date(form, &raw, true), datetime(form, &raw, true), timestamp(form, &raw, None), time(form, &raw));
        }
    }
}
