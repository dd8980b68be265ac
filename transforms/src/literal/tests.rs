use record::Payload;

use super::*;

/// The expectations come from Connect's class `Values`. It gives lists and maps of nothing but nulls no types for their items;
/// a list whose items have no common type is a text here.
#[test]
fn literals() {
    for (text, expect) in [
        ("true", "true boolean"),
        ("false", "false boolean"),
        (" true ", "true boolean"),
        ("true}", r#""true}" string"#),
        ("null", "-"),
        ("x", r#""x" string"#),
        ("", r#""" string"#),
        ("7", "7 int8"),
        ("007", "7 int8"),
        ("7.0", "7 int8"),
        ("-7", "-7 int8"),
        ("+5", "5 int8"),
        ("-", r#""-" string"#),
        ("300", "300 int16"),
        ("70000", "70000 int32"),
        ("5000000000", "5000000000 int64"),
        ("9223372036854775808", r#""9223372036854775808" decimal(0)"#),
        ("1e3", "1000 int16"),
        ("3.14", "3.140000104904175 float32"),
        ("1e39", "1e+39 float64"),
        ("1e400", r#""1" decimal(-400)"#),
        ("1e-400", "0.0 float32"),
        ("0.1", "0.10000000149011612 float32"),
        ("2024-01-02", "19724 int32 org.apache.kafka.connect.data.Date"),
        ("2024-13-45", "20133 int32 org.apache.kafka.connect.data.Date"),
        ("12:34:56.789Z", "45296789 int32 org.apache.kafka.connect.data.Time"),
        ("2024-01-02T12:34:56.789Z", "1704198896789 int64 org.apache.kafka.connect.data.Timestamp"),
        (r"12\:34\:56.789Z", "45296789 int32 org.apache.kafka.connect.data.Time"),
        (r#""2024-01-02""#, r#""\"2024-01-02\"" string"#),
        ("[1,2]", "[1,2] array<int8>"),
        ("[1,300,2.5]", "[1.0,300.0,2.5] array<float32>"),
        ("[1, null]", r#""[1, null]" string"#),
        ("[]", "[] array<string?>"),
        ("[null]", "[null] array<string?>"),
        ("[1,2", r#""[1,2" string"#),
        ("[1 2]", r#""[1 2]" string"#),
        ("[,1]", r#""[,1]" string"#),
        (r#"["a","b"]"#, r#"["a","b"] array<string>"#),
        ("[a]", r#""[a]" string"#),
        (r#"[1,"a"]"#, r#""[1,\"a\"]" string"#),
        ("[[1],[2]]", "[[1],[2]] array<array<int8>>"),
        (r#"{"a":1}"#, r#"{"a":1} map<string,int8>"#),
        (r#"{"a":1,"b":300}"#, r#"{"a":1,"b":300} map<string,int16>"#),
        (r#"{"a":null}"#, r#"{"a":null} map<string,string?>"#),
        ("{}", "{} map<string?,string?>"),
        ("{1:true}", r#"{"1":true} map<int8,boolean>"#),
        (r#"{"a"}"#, r#""{\"a\"}" string"#),
        ("{a:1}", r#""{a:1}" string"#),
        ("1,2", "1 int8"),
        ("12:34", "12 int8"),
        (r#"["2024-01-02"]"#, "[19724] array<int32 org.apache.kafka.connect.data.Date>"),
        ("[1, 12:34:56.789Z]", "[1,45296789] array<int32 org.apache.kafka.connect.data.Time>"),
    ] {
        let found = parse(text).map_or(Payload::Null, |(schema, value)| Payload::Value(schema, value));
        assert_eq!(crate::example::described(&found), expect, "{text}");
    }
}

/// What is nested deeper than a stack allows is a text.
#[test]
fn depth() {
    for (open, close) in [("[", "]"), ("{1:", "}")] {
        let nested = |depth: usize| open.repeat(depth) + "1" + &close.repeat(depth);
        let is_text = |text: &str| parse(text).is_some_and(|(_, value)| value == Value::text(text));
        assert!(!is_text(&nested(100)) && is_text(&nested(200)) && is_text(&nested(200_000)), "{open}");
    }
}
