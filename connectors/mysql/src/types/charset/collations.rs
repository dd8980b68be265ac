//! Which character set a collation is for, by the collation's number in a TABLE_MAP.
//!
//! The numbers are those of `information_schema.COLLATIONS` of MySQL 9.7 and of
//! `COLLATION_CHARACTER_SET_APPLICABILITY` of MariaDB 10.11, which never give one number to two sets.

/// First and last number of a run of collations, and their set.
const RUNS: &[(u32, u32, &str)] = &[
    (1, 1, "big5"),
    (2, 2, "latin2"),
    (3, 3, "dec8"),
    (4, 4, "cp850"),
    (5, 5, "latin1"),
    (6, 6, "hp8"),
    (7, 7, "koi8r"),
    (8, 8, "latin1"),
    (9, 9, "latin2"),
    (10, 10, "swe7"),
    (11, 11, "ascii"),
    (12, 12, "ujis"),
    (13, 13, "sjis"),
    (14, 14, "cp1251"),
    (15, 15, "latin1"),
    (16, 16, "hebrew"),
    (18, 18, "tis620"),
    (19, 19, "euckr"),
    (20, 20, "latin7"),
    (21, 21, "latin2"),
    (22, 22, "koi8u"),
    (23, 23, "cp1251"),
    (24, 24, "gb2312"),
    (25, 25, "greek"),
    (26, 26, "cp1250"),
    (27, 27, "latin2"),
    (28, 28, "gbk"),
    (29, 29, "cp1257"),
    (30, 30, "latin5"),
    (31, 31, "latin1"),
    (32, 32, "armscii8"),
    (33, 33, "utf8mb3"),
    (34, 34, "cp1250"),
    (35, 35, "ucs2"),
    (36, 36, "cp866"),
    (37, 37, "keybcs2"),
    (38, 38, "macce"),
    (39, 39, "macroman"),
    (40, 40, "cp852"),
    (41, 42, "latin7"),
    (43, 43, "macce"),
    (44, 44, "cp1250"),
    (45, 46, "utf8mb4"),
    (47, 49, "latin1"),
    (50, 52, "cp1251"),
    (53, 53, "macroman"),
    (54, 55, "utf16"),
    (56, 56, "utf16le"),
    (57, 57, "cp1256"),
    (58, 59, "cp1257"),
    (60, 61, "utf32"),
    (62, 62, "utf16le"),
    (63, 63, "binary"),
    (64, 64, "armscii8"),
    (65, 65, "ascii"),
    (66, 66, "cp1250"),
    (67, 67, "cp1256"),
    (68, 68, "cp866"),
    (69, 69, "dec8"),
    (70, 70, "greek"),
    (71, 71, "hebrew"),
    (72, 72, "hp8"),
    (73, 73, "keybcs2"),
    (74, 74, "koi8r"),
    (75, 75, "koi8u"),
    (76, 76, "utf8mb3"),
    (77, 77, "latin2"),
    (78, 78, "latin5"),
    (79, 79, "latin7"),
    (80, 80, "cp850"),
    (81, 81, "cp852"),
    (82, 82, "swe7"),
    (83, 83, "utf8mb3"),
    (84, 84, "big5"),
    (85, 85, "euckr"),
    (86, 86, "gb2312"),
    (87, 87, "gbk"),
    (88, 88, "sjis"),
    (89, 89, "tis620"),
    (90, 90, "ucs2"),
    (91, 91, "ujis"),
    (92, 93, "geostd8"),
    (94, 94, "latin1"),
    (95, 96, "cp932"),
    (97, 98, "eucjpms"),
    (99, 99, "cp1250"),
    (101, 124, "utf16"),
    (128, 159, "ucs2"),
    (160, 183, "utf32"),
    (192, 223, "utf8mb3"),
    (224, 247, "utf8mb4"),
    (248, 250, "gb18030"),
    (255, 323, "utf8mb4"),
    (576, 578, "utf8mb3"),
    (608, 610, "utf8mb4"),
    (640, 642, "ucs2"),
    (672, 674, "utf16"),
    (736, 738, "utf32"),
];

/// MariaDB adds this to the number of a collation that pads with blanks, for its twin that does not.
const NO_PAD: u32 = 1024;

/// From here on MariaDB numbers the collations of UCA 14, 256 for each of these sets.
const UCA_1400: u32 = 2048;
const UCA_1400_SETS: &[&str] = &["utf8mb3", "utf8mb4", "ucs2", "utf16", "utf32"];

/// The set, in the servers' spelling; none for a number that neither server had when the table above was made.
pub(crate) fn charset_of_collation(number: u32) -> Option<&'static str> {
    if number >= UCA_1400 {
        return UCA_1400_SETS.get(((number - UCA_1400) / 256) as usize).copied();
    }
    let number = number % NO_PAD;
    let after = RUNS.partition_point(|(_, last, _)| *last < number);
    RUNS.get(after).filter(|(first, ..)| *first <= number).map(|(.., charset)| *charset)
}

/// The most bytes of a character.
pub(crate) fn most_bytes(charset: &str) -> u16 {
    match charset {
        "utf8mb4" | "utf16" | "utf16le" | "utf32" | "gb18030" => 4,
        "utf8" | "utf8mb3" | "ujis" | "eucjpms" => 3,
        "ucs2" | "big5" | "gbk" | "gb2312" | "sjis" | "cp932" | "euckr" => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Charset;

    #[track_caller]
    fn check(number: u32, expect: Option<&str>) {
        assert_eq!(charset_of_collation(number), expect, "{number}");
    }

    #[test]
    fn numbers_of_both_servers() {
        for (number, charset) in [(8, "latin1"), (33, "utf8mb3"), (45, "utf8mb4"), (63, "binary"), (95, "cp932")] {
            check(number, Some(charset));
        }
        check(255, Some("utf8mb4"));
        check(323, Some("utf8mb4"));
        check(248, Some("gb18030"));
        // utf8mb4_nopad_bin, utf8mb4_uca1400_ai_ci and utf32_uca1400_nopad_as_cs of MariaDB.
        check(1070, Some("utf8mb4"));
        check(2304, Some("utf8mb4"));
        check(3271, Some("utf32"));
    }

    #[test]
    fn numbers_of_no_server() {
        for number in [0, 17, 700, 739, 999, 4000, u32::MAX] {
            check(number, None);
        }
    }

    #[test]
    fn every_set_is_one_that_can_be_read() {
        for (first, last, charset) in RUNS {
            assert!(first <= last && Charset::named(charset).is_some(), "{charset}");
        }
        assert!(RUNS.is_sorted());
    }
}
