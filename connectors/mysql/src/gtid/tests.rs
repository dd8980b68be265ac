use proptest::prelude::*;

use super::*;

const A: &str = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
const B: &str = "726757ad-4455-11e8-ae04-0242ac110002";

fn set(text: &str) -> MySqlSet {
    text.replace('@', A).replace('%', B).parse().unwrap()
}

/// A set's text, in the same short form that [`set`] takes.
fn short(set: &MySqlSet) -> String {
    set.to_string().replace(A, "@").replace(B, "%")
}

#[track_caller]
fn check_text(text: &str, expect: &str) {
    assert_eq!(short(&set(text)), expect, "{text}");
}

#[test]
fn the_canonical_form() {
    check_text("", "");
    check_text("@:1", "@:1-1");
    check_text("@:1-5:7-9,\n%:1", "@:1-5:7-9,%:1-1");
    check_text("%:3,@:2", "@:2-2,%:3-3");
    check_text("@:7-9:1-5:6", "@:1-9");
    check_text("@:1-5,@:4-8", "@:1-8");
    check_text("@:5-3", "");
    check_text("@:5-0:7", "@:7-7");
    check_text(" @ : 1 - 2 , ", "@:1-2");
    check_text("3E11FA4771CA11E19E33C80AA9429562:4", "@:4-4");
}

#[test]
fn tags_follow_their_uuid() {
    check_text("@:1-13805:tagx:1", "@:1-13805:tagx:1-1");
    check_text("@:Tag_B:2:taga:1:3,@:9", "@:9-9:tag_b:2-2:taga:1-1:3-3");
    check_text("@:_:1", "@:_:1-1");
}

#[track_caller]
fn check_wrong(text: &str, expect: &'static str) {
    assert_eq!(text.replace('@', A).parse::<MySqlSet>(), Err(GtidError(expect)), "{text}");
}

#[test]
fn texts_that_are_no_sets() {
    check_wrong("x:1", "a server's UUID is expected");
    check_wrong("3e11fa47:1", "a server's UUID is expected");
    check_wrong("@", "numbers are expected behind a UUID or tag");
    check_wrong("@:", "numbers are expected behind a tag");
    check_wrong("@:tag", "numbers are expected behind a UUID or tag");
    check_wrong("@:tag:other:1", "numbers are expected behind a tag");
    check_wrong("@:t-g:1", "a tag is expected");
    check_wrong("@:0", "a number is out of range");
    check_wrong("@:9223372036854775807", "a number is out of range");
    check_wrong("@:1-x", "a number is expected");
    check_wrong("@:a_tag_of_33_characters_is_too_long:1", "a tag is expected");
}

#[test]
fn one_id_more() {
    let mut running = set("@:1-5,%:1");
    let uuid = *running.sources().next().map(|(source, _)| &source.uuid).unwrap();
    running.add(Source { uuid, tag: Tag::NONE }, 6);
    running.add(Source { uuid, tag: Tag::new(b"t").unwrap() }, 1);
    assert_eq!(short(&running), "@:1-6:t:1-1,%:1-1");
}

#[track_caller]
fn check_available(stored: &str, executed: &str, purged: &str, expect: bool) {
    let without_b = |uuid: &str| uuid != B;
    assert_eq!(mysql_available(&set(stored), &set(executed), &set(purged), without_b), expect);
}

#[test]
fn what_a_server_can_still_send() {
    check_available("", "", "", true);
    check_available("@:1-5", "@:1-9", "", true);
    check_available("@:1-5", "@:1-9", "@:1-5", true);
    check_available("@:1-5", "@:1-9", "@:1-6", false);
    check_available("@:1-5", "@:1-4", "", false);
    check_available("@:1-5", "", "", false);
    // The filter takes B out of the stored set, so that the server need not have it.
    check_available("@:1-5,%:1-3", "@:1-9", "", true);
}

#[track_caller]
fn check_start(stored: &str, executed: &str, purged: &str, expect: &str) {
    assert_eq!(short(&mysql_start(&set(stored), &set(executed), &set(purged), |_| true)), expect);
}

#[test]
fn the_set_that_the_server_is_given() {
    check_start("@:1-5", "@:1-9", "", "@:1-5");
    // A server that is not known is sent from its first id on.
    check_start("@:1-5", "@:1-9,%:1-7", "", "@:1-5");
    // What is purged of it cannot be sent.
    check_start("@:1-5", "@:1-9,%:1-7", "%:1-2", "@:1-5,%:1-2");
    // A tag that is new on a known server is sent whole.
    check_start("@:1-5", "@:1-9:t:1-3", "", "@:1-5");
    check_start("@:3-5", "@:1-9", "@:1-4", "@:3-5");
}

#[test]
fn a_filtered_server_is_not_in_the_start_set() {
    let start = mysql_start(&set("@:1-5,%:1-2"), &set("@:1-9,%:1-7"), &set(""), |uuid| uuid == A);
    assert_eq!(short(&start), "@:1-5");
}

#[test]
fn encodings() {
    let uuid = "3e11fa4771ca11e19e33c80aa9429562";
    let interval = |first: u8, end: u8| format!("{first:02x}00000000000000{end:02x}00000000000000");
    let plain = format!("0100000000000000{uuid}0100000000000000{}", interval(1, 6));
    let tagged = format!(
        "0102000000000001{uuid}000100000000000000{}{uuid}0a7461675f610100000000000000{}",
        interval(1, 6),
        interval(1, 2)
    );
    for (text, expect) in [("@:1-5", plain), ("@:1-5:tag_a:1", tagged), ("", "0000000000000000".to_owned())] {
        let mut out = Vec::new();
        set(text).encode(&mut out);
        assert_eq!(Some(&out), record::unhex(expect.as_bytes()).as_ref(), "{text}");
        assert_eq!(MySqlSet::decode(&out), Ok(set(text)));
    }
}

#[test]
fn a_cut_encoding_is_an_error() {
    let mut out = Vec::new();
    set("@:1-5:tag_a:1,%:3-4").encode(&mut out);
    for cut in 0..out.len() {
        assert!(MySqlSet::decode(&out[..cut]).is_err(), "{cut}");
    }
    out.push(0);
    assert_eq!(MySqlSet::decode(&out), Err(GtidError("there are bytes behind the set")));
}

fn maria(text: &str) -> MariaSet {
    text.parse().unwrap()
}

#[test]
fn mariadb_positions_keep_their_order() {
    let mut running = maria("1-2-5,0-1-120");
    running.add("0-1-121".parse().unwrap());
    running.add("1-3-6".parse().unwrap());
    assert_eq!(running.to_string(), "1-2-5,1-3-6,0-1-121");
    assert_eq!(running.connect_state(), "1-3-6,0-1-121");
}

#[track_caller]
fn check_maria_available(stored: &str, executed: &str, purged: &str, expect: bool) {
    assert_eq!(maria_available(&maria(stored), &maria(executed), &maria(purged), |id| id != "7-1"), expect);
}

#[test]
fn what_a_mariadb_has() {
    check_maria_available("", "", "", true);
    check_maria_available("0-1-5", "0-1-9", "", true);
    check_maria_available("0-1-5", "0-2-9", "", true);
    check_maria_available("0-1-5", "0-1-4", "", false);
    check_maria_available("0-1-5", "", "", false);
    check_maria_available("0-1-5,1-1-1", "0-1-9", "", false);
    check_maria_available("0-1-5,7-1-1", "0-1-9", "", true);
}

#[test]
fn what_a_mariadb_has_no_more() {
    check_maria_available("0-1-5", "0-1-9", "0-1-5", true);
    check_maria_available("0-1-5", "0-1-9", "0-1-6", false);
    // Which server wrote it does not matter.
    check_maria_available("0-1-5", "0-2-9", "0-2-4", true);
    // A domain of which the reader has nothing.
    check_maria_available("0-1-5", "0-1-9,1-1-3", "1-1-2", false);
    check_maria_available("0-1-5", "0-1-9,7-1-3", "7-1-2", true);
}

#[test]
fn what_is_left_of_mariadb() {
    let mut left = maria("0-1-9,1-1-5,2-1-1");
    left.subtract(&maria("0-1-7,1-1-5"));
    assert_eq!(left.to_string(), "0-1-9,2-1-1");
    left.retain(|id| id != "2-1");
    assert_eq!(left.to_string(), "0-1-9");
}

#[test]
fn texts_that_are_no_ids_of_mariadb() {
    for text in ["0-1", "0-1-2-3", "a-1-2", "4294967296-1-1", "0--1"] {
        assert!(text.parse::<MariaSet>().is_err(), "{text}");
    }
}

/// Sets of few sources and small numbers, so that they meet often.
fn any_set() -> impl Strategy<Value = MySqlSet> {
    let source = (0_u8..2, prop_oneof![Just(""), Just("t"), Just("u")]);
    proptest::collection::vec((source, 1_u64..30, 0_u64..6), 0..12).prop_map(|parts| {
        let mut set = MySqlSet::default();
        for ((server, tag), first, more) in parts {
            let source = Source { uuid: [server; 16], tag: Tag::new(tag.as_bytes()).unwrap() };
            set.add_interval(source, Interval { first, last: first + more });
        }
        set
    })
}

/// The ids of a set, one by one.
fn ids(set: &MySqlSet) -> std::collections::BTreeSet<(Source, u64)> {
    set.sources().flat_map(|(s, is)| is.iter().flat_map(move |i| (i.first..=i.last).map(move |n| (*s, n)))).collect()
}

proptest! {
    #[test]
    fn operations_are_those_of_sets(a in any_set(), b in any_set()) {
        let (mut union, mut rest) = (a.clone(), a.clone());
        union.union(&b);
        rest.subtract(&b);
        let (ids_a, ids_b) = (ids(&a), ids(&b));
        prop_assert_eq!(ids(&union), ids_a.union(&ids_b).copied().collect());
        prop_assert_eq!(ids(&rest), ids_a.difference(&ids_b).copied().collect());
        prop_assert_eq!(a.contains(&b), ids_b.is_subset(&ids_a));
        for (source, number) in &ids_a {
            prop_assert!(a.has(source, *number));
            prop_assert_eq!(b.has(source, *number), ids_b.contains(&(*source, *number)));
        }
    }

    #[test]
    fn intervals_are_in_order_and_apart(a in any_set(), b in any_set()) {
        let (mut union, mut rest) = (a.clone(), a);
        union.union(&b);
        rest.subtract(&b);
        for set in [union, rest] {
            for (_, intervals) in set.sources() {
                prop_assert!(!intervals.is_empty());
                prop_assert!(intervals.windows(2).all(|two| two[0].last + 1 < two[1].first));
            }
        }
    }

    #[test]
    fn texts_and_encodings_are_read_back(a in any_set()) {
        prop_assert_eq!(a.to_string().parse::<MySqlSet>(), Ok(a.clone()));
        let mut out = Vec::new();
        a.encode(&mut out);
        prop_assert_eq!(MySqlSet::decode(&out), Ok(a));
    }

    #[test]
    fn any_text_and_bytes(text: String, bytes: Vec<u8>) {
        let _ = text.parse::<MySqlSet>();
        let _ = text.parse::<MariaSet>();
        let _ = MySqlSet::decode(&bytes);
    }
}
