//! The exact error messages in both styles, and that the reader survives any text.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use proptest::prelude::*;
use settings::{Asked, Check, Def, Key, Kind, Properties, Reader, Width};

fn no_control(asked: &Asked<'_>) -> Vec<String> {
    match asked.value {
        Some("") => vec![format!("Invalid value  for configuration {}: String may not be empty", asked.name)],
        _ => Vec::new(),
    }
}

const CONNECT: &[Key] = &[
    Key::new("name", Kind::String).required().high().at("Common", 1).checks(&[Check::Own(no_control)]),
    Key::new("tasks.max", Kind::Int).default("1").checks(&[Check::Range { min: Some(1), max: None }]),
    Key::new("enforce", Kind::Boolean).default("true"),
    Key::new("tolerance", Kind::String).default("none").checks(&[Check::OneOfExactly(&["none", "all"])]),
    Key::new("boundary", Kind::String).default("poll").checks(&[Check::OneOfAnyCase(&[
        "interval",
        "poll",
        "connector",
    ])]),
    Key::new("topic", Kind::String).checks(&[Check::NonEmpty]),
    Key::new("groups", Kind::List).default("").checks(&[Check::Distinct]),
    Key::new("pw", Kind::Password),
    Key::new("ratio", Kind::Double).default("0.5"),
    Key::new("port", Kind::Short).default("0").checks(&[Check::Range { min: None, max: Some(9) }]),
];
const PLAIN: Def = Def::new(&[CONNECT]);

const OWN: &[Key] = &[
    Key::debezium("prefix", Kind::String).checks(&[Check::Required]),
    Key::debezium("port", Kind::Int).default("5432").checks(&[Check::Integer]),
    Key::debezium("batch", Kind::Int).default("10").checks(&[Check::PositiveInteger]),
    Key::debezium("zero", Kind::Int).default("0").checks(&[Check::NonNegativeInteger]),
    Key::debezium("wait", Kind::Long).default("1").checks(&[Check::PositiveLong]),
    Key::debezium("delay", Kind::Long).default("0").checks(&[Check::NonNegativeLong]),
    Key::debezium("plain", Kind::Boolean).default("false"),
    Key::debezium("twice", Kind::Boolean).default("true").checks(&[Check::Boolean]),
    Key::debezium("mode", Kind::String).default("fast").one_of(&["slow", "fast"], &[Check::OneOf(&["slow", "fast"])]),
    Key::debezium("class", Kind::Class).default("a.B"),
    Key::debezium("tags", Kind::List).checks(&[Check::Pairs]),
    Key::debezium("include", Kind::List).checks(&[Check::RegexList]),
    Key::debezium("exclude", Kind::List)
        .checks(&[Check::NotWith { other: "include", shown: "odd.include" }, Check::RegexList]),
    Key::debezium("new.flag", Kind::Boolean).default("false").aliases(&["old.flag"]),
    Key::debezium("old.flag", Kind::Boolean).default("false").alias_of("new.flag"),
    Key::debezium("aside", Kind::String).default("none").unlisted().checks(&[Check::OneOf(&["none", "some"])]),
    Key::debezium("soft", Kind::Int).default("7").unlisted().lenient(),
    Key::debezium("short", Kind::Short).default("1"),
    Key::debezium("double", Kind::Double).default("1"),
    Key::debezium("secret", Kind::Password),
];
const CONNECTOR: Def = Def::new(&[OWN]);

fn messages(def: Def, pairs: &[(&str, &str)]) -> Vec<String> {
    let properties: Properties = pairs.iter().copied().collect();
    def.complaints(&properties).into_iter().map(|i| i.message).collect()
}

#[test]
fn connect_words() {
    #[track_caller]
    fn check(key: &str, value: &str, expect: &[&str]) {
        let mut pairs = vec![("name", "x")];
        pairs.retain(|(k, _)| *k != key);
        pairs.push((key, value));
        assert_eq!(messages(PLAIN, &pairs), expect);
    }
    assert_eq!(messages(PLAIN, &[]), ["Missing required configuration \"name\" which has no default value."]);
    check("name", " ", &["Invalid value  for configuration name: String may not be empty"]);
    check("tasks.max", "0", &["Invalid value 0 for configuration tasks.max: Value must be at least 1"]);
    check("tasks.max", " 3 ", &[]);
    check(
        "tasks.max",
        "abc",
        &[
            "Invalid value abc for configuration tasks.max: Not a number of type INT",
            "Invalid value null for configuration tasks.max: Value must be non-null",
        ],
    );
    check(
        "tasks.max",
        "99999999999",
        &[
            "Invalid value 99999999999 for configuration tasks.max: Not a number of type INT",
            "Invalid value null for configuration tasks.max: Value must be non-null",
        ],
    );
    check(
        "enforce",
        "yes",
        &["Invalid value yes for configuration enforce: Expected value to be either true or false"],
    );
    check("enforce", " TRUE ", &[]);
    check("tolerance", "All", &["Invalid value All for configuration tolerance: String must be one of: none, all"]);
    check(
        "boundary",
        "x",
        &[
            "Invalid value x for configuration boundary: String must be one of (case insensitive): INTERVAL, POLL, CONNECTOR",
        ],
    );
    check("boundary", "Poll", &[]);
    check("topic", "", &["Invalid value  for configuration topic: String must be non-empty"]);
    check("groups", "a, b,a", &["Configuration 'groups' values must not be duplicated."]);
    check("ratio", "x", &["Invalid value x for configuration ratio: Not a number of type DOUBLE"]);
    check("port", "10", &["Invalid value 10 for configuration port: Value must be no more than 9"]);
}

#[test]
fn connect_values() {
    let properties: Properties =
        [("name", " x "), ("groups", "a , b"), ("pw", "p"), ("tasks.max", "007")].into_iter().collect();
    let shown: Vec<_> = PLAIN.validate(&properties).into_iter().map(|c| (c.name, c.value)).collect();
    let expect = [
        ("name", Some("x")),
        ("tasks.max", Some("7")),
        ("enforce", Some("true")),
        ("tolerance", Some("none")),
        ("boundary", Some("poll")),
        ("topic", None),
        ("groups", Some("a,b")),
        ("pw", Some("[hidden]")),
        ("ratio", Some("0.5")),
        ("port", Some("0")),
    ];
    let expect: Vec<_> = expect.iter().map(|(n, v)| ((*n).to_owned(), v.map(str::to_owned))).collect();
    assert_eq!(shown, expect);
}

#[test]
fn embedded_keys_carry_the_prefix_in_the_type_check_only() {
    let properties: Properties = [("transforms.a.tasks.max", "x"), ("transforms.a.name", "n")].into_iter().collect();
    let checked = Def::validate_embedded(&[&PLAIN], "transforms.a.", "Transforms: a", 1, &properties);
    let max = checked.iter().find(|c| c.name == "transforms.a.tasks.max").unwrap();
    assert_eq!(
        max.errors,
        [
            "Invalid value x for configuration transforms.a.tasks.max: Not a number of type INT",
            "Invalid value null for configuration tasks.max: Value must be non-null"
        ]
    );
    let orders: Vec<_> = checked.iter().map(|c| c.definition.as_ref().unwrap().order_in_group).collect();
    assert_eq!(orders, (1..=10).collect::<Vec<_>>());
    assert_eq!(checked[0].definition.as_ref().unwrap().group.as_deref(), Some("Transforms: a"));
}

#[test]
fn debezium_words() {
    #[track_caller]
    fn check(key: &str, value: &str, expect: &[&str]) {
        let mut pairs = vec![("prefix", "p")];
        pairs.retain(|(k, _)| *k != key);
        pairs.push((key, value));
        let expect: Vec<_> = expect.iter().map(|p| format!("The '{key}' value is invalid: {p}")).collect();
        assert_eq!(messages(CONNECTOR, &pairs), expect, "{key}={value}");
    }
    assert_eq!(messages(CONNECTOR, &[]), ["The 'prefix' value is invalid: A value is required"]);
    let (int, long) = ("An integer is expected", "A long value is expected");
    let positive = "A positive, non-zero integer value is expected";
    let boolean = "Either 'true' or 'false' is expected";
    let class = "A Java class name is expected";
    let pairs = "A equivalent-separated map of valid key/value pairs is expected, for example: k1=v1,k2=v2";
    check("prefix", " ", &["A value is required"]);
    check("port", "x", &[int, int]);
    check("port", " 7 ", &[int, int]);
    check("port", "-1", &[]);
    check("batch", "x", &[int, positive]);
    check("batch", "0", &[positive]);
    check("zero", "", &[int, "An non-negative integer is expected"]);
    check("zero", "-1", &["An non-negative integer is expected"]);
    check("wait", "x", &[long, "A positive, non-zero long value is expected"]);
    check("delay", "-1", &["A non-negative long value is expected"]);
    check("plain", "1", &[boolean]);
    check("plain", " TRUE ", &[]);
    check("twice", "yes", &[boolean, boolean]);
    check("mode", "x", &["Value must be one of slow, fast"]);
    check("mode", "", &["Value must be one of slow, fast"]);
    check("mode", " Slow ", &[]);
    check("short", "40000", &["A short value is expected"]);
    check("double", "x", &["A double value is expected"]);
    for bad in ["", " ", "1a", "a.b-c", "int", "a..b"] {
        check("class", bad, &[class]);
    }
    check("class", "a.b$C", &[]);
    for bad in ["x", "a=b,c", "a=b=c", "a="] {
        check("tags", bad, &[pairs]);
    }
    for good in ["", " ", "k=v", "k=v,w=x"] {
        check("tags", good, &[]);
    }
    check("include", "a,,b", &[]);
    check("soft", "x", &[]);
    check("aside", "x", &["Value must be one of none, some"]);
    let both = messages(CONNECTOR, &[("prefix", "p"), ("include", ""), ("exclude", "a")]);
    assert_eq!(both, ["The 'exclude' value is invalid: \"odd.include\" is already specified"]);
    let regex = messages(CONNECTOR, &[("prefix", "p"), ("include", "a,[")]);
    let start = "The 'include' value is invalid: A comma-separated list of valid regular expressions is expected, but ";
    assert!(regex.len() == 1 && regex[0].starts_with(start), "{regex:?}");
    let alias = messages(CONNECTOR, &[("prefix", "p"), ("old.flag", "x")]);
    assert_eq!(alias, ["The 'new.flag' value is invalid: Either 'true' or 'false' is expected"]);
}

#[test]
fn the_answer_lists_what_is_defined() {
    let checked = CONNECTOR.validate(&[("aside", "bad")].into_iter().collect());
    let aside = checked.iter().find(|c| c.name == "aside").unwrap();
    assert!(aside.definition.is_none() && aside.errors.len() == 1);
    let alias = checked.iter().find(|c| c.name == "old.flag").unwrap();
    assert!(alias.definition.is_some() && !alias.answered);
    assert!(CONNECTOR.validate(&Properties::new()).iter().all(|c| c.name != "aside" && c.value.is_none()));
    let definition = Key::new("k", Kind::Password).default("d").shown("K", Width::Long).definition();
    assert_eq!(definition.default_value.as_deref(), Some("[hidden]"));
}

settings::choices! {
    /// A mode.
    enum Mode {
        /// Slow.
        Slow = "slow",
        /// Fast.
        Fast = "fast",
    }
}

#[test]
fn reading_keeps_every_complaint() {
    let properties: Properties = [("port", "x"), ("mode", "y"), ("soft", "z")].into_iter().collect();
    let mut reader = Reader::new(CONNECTOR, &properties);
    assert_eq!((reader.int("port"), reader.choice("mode", Mode::Slow), reader.int("soft")), (5432, Mode::Fast, 7));
    let complaints = reader.finish(()).unwrap_err();
    let keys: Vec<_> = complaints.iter().map(|c| c.key.as_str()).collect();
    assert_eq!(keys, ["prefix", "port", "port", "mode"]);

    let properties: Properties =
        [("prefix", "p"), ("soft", "z"), ("secret", "s3"), ("new.flag", "True")].into_iter().collect();
    let mut reader = Reader::new(CONNECTOR, &properties);
    assert!(reader.boolean("new.flag"));
    let secret = reader.secret("secret").unwrap();
    assert_eq!((secret.reveal(), format!("{secret:?}")), ("s3", "[hidden]".to_owned()));
    let ((), findings) = reader.finish(()).unwrap();
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].key, "soft");
}

proptest! {
    #[test]
    fn no_text_breaks_the_reader(values in proptest::collection::vec(".*", 20)) {
        for def in [PLAIN, CONNECTOR] {
            let properties: Properties = def.keys().zip(&values).map(|(k, v)| (k.name, v.as_str())).collect();
            let mut reader = Reader::new(def, &properties);
            for key in def.keys() {
                let name = key.name;
                reader.boolean(name);
                reader.long(name);
                reader.int(name);
                reader.millis(name);
                reader.list(name);
                reader.regexes(name);
                reader.choice(name, Mode::Fast);
                reader.text(name);
            }
            // A getter of the wrong type complains too. What matters: nothing panics, and no refusal is lost.
            let refused = def.complaints(&properties).len();
            if let Err(complaints) = reader.finish(()) {
                prop_assert!(complaints.len() >= refused);
            } else {
                prop_assert_eq!(refused, 0);
            }
        }
    }

    #[test]
    fn a_masked_config_shows_no_password(password in "[a-z0-9]{12}") {
        let properties: Properties = [("database.password", password.as_str()), ("x", "1")].into_iter().collect();
        let shown = format!("{properties:?}");
        prop_assert!(!shown.contains(&password), "{}", shown);
    }
}
