use proptest::prelude::*;

use super::*;

/// The expectations come from Java's class, in the locale en-US; versions 17 and 25 agree.
#[test]
fn written() {
    for (pattern, ms, expect) in [
        ("yyyy-MM-dd'T'HH:mm:ss.SSS'Z'", 1_704_164_645_678, "2024-01-02T03:04:05.678Z"),
        ("yy y yyyyy", 1_704_164_645_678, "24 2024 02024"),
        ("EEE, d MMM yyyy HH:mm:ss Z", 1_704_164_645_678, "Tue, 2 Jan 2024 03:04:05 +0000"),
        ("EEEE, MMMM d, LLL L", 1_704_164_645_678, "Tuesday, January 2, Jan 1"),
        ("G yyyy", -62_167_219_200_001, "BC 0001"),
        ("yyyy-MM-dd", -12_219_292_800_000, "1582-10-15"),
        ("yyyy-MM-dd EEE D", -12_219_292_800_001, "1582-10-04 Thu 277"),
        ("yyyy-MM-dd", -62_135_596_800_000, "0001-01-03"),
        ("yyyyMMdd", 253_402_300_800_000, "100000101"),
        ("k K h H a", 1_704_067_200_000, "24 0 12 0 AM"),
        ("k K h H a", 1_704_110_400_000, "12 0 12 12 PM"),
        ("SSSSSS S", 1_704_164_645_078, "000078 78"),
        ("z zzzz Z X XX XXX", 0, "UTC Coordinated Universal Time +0000 Z Z Z"),
        ("YYYY-'W'ww-u W F", 1_703_980_800_000, "2024-W01-7 6 5"),
        ("YYYY ww", 1_704_153_600_000, "2024 01"),
        ("yyyy-DDD", 1_703_980_800_000, "2023-365"),
        ("h 'o''clock' ''a''", 0, "12 o'clock 'AM'"),
        ("HH:mm:ss.SSS", -1, "23:59:59.999"),
        ("E u", -86_400_000, "Wed 3"),
    ] {
        let mut out = Vec::new();
        DateFormat::new(pattern).unwrap().write(&mut out, ms);
        assert_eq!(String::from_utf8(out).unwrap(), expect, "{pattern}");
    }
}

/// As Java reads them, had it compiled the pattern on 2024-06-01.
#[test]
fn read() {
    const COMPILED_MS: i64 = 1_717_200_000_000;
    for (pattern, text, expect) in [
        ("yyyy-MM-dd", "2024-01-02", Some(1_704_153_600_000)),
        ("yyyy-MM-dd", "2024-01-32", Some(1_706_745_600_000)),
        ("yyyy-MM-dd", "2024-13-00", Some(1_735_603_200_000)),
        ("yyyy-MM-dd", "2024-1-2 tail", Some(1_704_153_600_000)),
        ("yyyy-MM-dd", " 2024- 1- 2", Some(1_704_153_600_000)),
        ("yyyy-MM-dd", "2024/01/02", None),
        ("yyyy-MM-dd", "", None),
        ("yyyy-MM-dd", "2024-01-", None),
        ("yyyy-MM-dd", "-5-01-02", Some(-62_325_072_000_000)),
        ("yyyyMMddHHmmss", "20240102030405", Some(1_704_164_645_000)),
        ("yyyyMMdd", "2024010", Some(1_703_980_800_000)),
        ("yyyyMMdd", "20240102030405", Some(177_130_972_800_000)),
        ("dd/MM/yy", "02/01/24", Some(1_704_153_600_000)),
        ("dd/MM/yy", "02/01/99", Some(915_235_200_000)),
        ("dd/MM/yy", "02/01/1999", Some(915_235_200_000)),
        ("yyyy", "99", Some(-59_043_168_000_000)),
        ("HH:mm:ss.SSS", "03:04:05.6", Some(11_045_006)),
        ("HH:mm:ss.SSS", "03:04:05.678901", Some(11_723_901)),
        ("EEE, d MMM yyyy HH:mm:ss Z", "Tue, 2 jan 2024 03:04:05 +0130", Some(1_704_159_245_000)),
        ("EEE, d MMM yyyy HH:mm:ss z", "Mon, 2 January 2024 03:04:05 PDT", Some(1_704_189_845_000)),
        ("MMM d", "May 5", Some(10_713_600_000)),
        ("MMM d", " May 5", None),
        ("MMM d", "Foo 5", None),
        ("h:mm a", "12:30 am", Some(1_800_000)),
        ("h:mm a", "12:30 PM", Some(45_000_000)),
        ("K:mm a", "0:30 PM", Some(45_000_000)),
        ("kk:mm", "24:30", Some(1_800_000)),
        ("H a", "15 AM", Some(54_000_000)),
        ("a", "PM", Some(43_200_000)),
        ("yyyy-MM-dd'T'HH:mm:ssX", "2024-01-02T03:04:05Z", Some(1_704_164_645_000)),
        ("yyyy-MM-dd'T'HH:mm:ssX", "2024-01-02T03:04:05+01", Some(1_704_161_045_000)),
        ("yyyy-MM-dd'T'HH:mm:ssX", "2024-01-02T03:04:05.123Z", None),
        ("HHXX", "03+0130", Some(5_400_000)),
        ("HHXX", "03+01:30", None),
        ("HHXXX", "03-01:30", Some(16_200_000)),
        ("HHXXX", "03-0130", None),
        ("HH z", "03 GMT-1:30", Some(16_200_000)),
        ("HH z", "03 GMT", Some(10_800_000)),
        ("HH z", "03 utc", Some(10_800_000)),
        ("HH z", "03 Central European Summer Time", Some(3_600_000)),
        ("HH z", "03 Nowhere", None),
        ("HH Z", "03 +2500", None),
        ("YYYY-MM-dd", "2024-05-06", Some(1_703_980_800_000)),
        ("YYYY-'W'ww-u", "2024-W01-2", Some(1_704_153_600_000)),
        ("yyyy-DDD", "2024-060", Some(1_709_164_800_000)),
        ("yyyy-DDD", "1582-344", Some(-12_213_590_400_000)),
        ("yyyy-MM W E", "2024-05 2 Wed", Some(1_715_126_400_000)),
        ("yyyy-MM F E", "2024-05 2 Wed", Some(1_715_126_400_000)),
        ("yyyy-MM F E", "2024-05 -1 Wed", Some(1_716_940_800_000)),
        ("yyyy ww", "2024 10", Some(1_709_424_000_000)),
        ("yyyy-MM-dd E", "2024-05-06 Sun", Some(1_714_953_600_000)),
        ("G yyyy-MM-dd", "BC 0001-12-31", Some(-62_135_856_000_000)),
        ("yyyy-MM-dd", "1582-10-04", Some(-12_219_379_200_000)),
        ("yyyy-MM-dd", "1582-10-10", Some(-12_218_860_800_000)),
        ("yyyy-MM-dd", "1582-10-15", Some(-12_219_292_800_000)),
        ("yyyy-MM-dd", "1500-02-29", Some(-14_825_894_400_000)),
        ("yyyy", "99999999999", Some(1_471_883_220_702_496_768)),
        ("yyyy", "999999999999999999999", Some(-6_019_000_092_841_406_464)),
        ("SSSa", "67890AM", Some(67_890)),
        ("'x'''yy", "x'24", Some(1_704_067_200_000)),
        ("dd/MM/yy", "31/05/44", Some(2_348_265_600_000)),
        ("dd/MM/yy", "01/06/44", Some(-807_408_000_000)),
        ("dd/MM/yy", "02/06/44", Some(-807_321_600_000)),
        ("yy", "44", Some(2_335_219_200_000)),
        ("yy", "43", Some(2_303_683_200_000)),
        ("yy", "45", Some(-788_918_400_000)),
    ] {
        assert_eq!(DateFormat::at(pattern, COMPILED_MS).unwrap().read(text), expect, "{text} as {pattern}");
    }
}

#[test]
fn patterns_that_are_wrong() {
    for (pattern, expect) in [
        ("yyyy-MM-ddT", "Illegal pattern character 'T'"),
        ("b", "Illegal pattern character 'b'"),
        ("yyyy'", "Unterminated quote"),
        ("XXXX", "invalid ISO 8601 format: length=4"),
    ] {
        assert_eq!(DateFormat::new(pattern).unwrap_err(), expect, "{pattern}");
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read(ms in -200_000_000_000_000_i64..300_000_000_000_000) {
        for pattern in ["G yyyy-MM-dd HH:mm:ss.SSS", "EEEE, d MMMM yyyy G h:mm:ss.SSS a Z", "G yyyy-DDD kk:mm:ss.SSS XXX"] {
            let format = DateFormat::new(pattern).unwrap();
            let mut out = Vec::new();
            format.write(&mut out, ms);
            prop_assert_eq!(format.read(std::str::from_utf8(&out).unwrap()), Some(ms), "{}", pattern);
        }
    }

    /// Whatever the text is, reading it ends.
    #[test]
    fn any_text_is_read_or_not(text in "\\PC*", digits in "[-0-9 :TZ+]{0,30}") {
        for pattern in ["yyyyMMddHHmmssSSSZ", "yyyy-MM-dd'T'HH:mm:ss.SSSX", "G YYYY ww F W u E a h K k z"] {
            let format = DateFormat::new(pattern).unwrap();
            let _ = (format.read(&text), format.read(&digits));
        }
    }
}
