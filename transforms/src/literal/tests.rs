use record::Payload;

use super::*;

/// The expectations come from Connect's class `Values`. It gives lists and maps of nothing but nulls no types for their items;
/// a list whose items have no common type is a text here.
#[test]
fn literals() {
    for (text, expect) in [
        (r#"true"#, r#"true boolean"#),
        (r#"false"#, r#"false boolean"#),
        (r#" true "#, r#"true boolean"#),
        (r#"true}"#, r#""true}" string"#),
        (r#"null"#, r#"-"#),
        (r#"x"#, r#""x" string"#),
        (r#""#, r#""" string"#),
        (r#"7"#, r#"7 int8"#),
        (r#"007"#, r#"7 int8"#),
        (r#"7.0"#, r#"7 int8"#),
        (r#"-7"#, r#"-7 int8"#),
        (r#"+5"#, r#"5 int8"#),
        (r#"-"#, r#""-" string"#),
        (r#"300"#, r#"300 int16"#),
        (r#"70000"#, r#"70000 int32"#),
        (r#"5000000000"#, r#"5000000000 int64"#),
        (r#"9223372036854775808"#, r#""9223372036854775808" decimal(0)"#),
        (r#"1e3"#, r#"1000 int16"#),
        (r#"3.14"#, r#"3.140000104904175 float32"#),
        (r#"1e39"#, r#"1e+39 float64"#),
        (r#"1e400"#, r#""1" decimal(-400)"#),
        (r#"1e-400"#, r#"0.0 float32"#),
        (r#"0.1"#, r#"0.10000000149011612 float32"#),
        (r#"2024-01-02"#, r#"19724 int32 org.apache.kafka.connect.data.Date"#),
        (r#"2024-13-45"#, r#"20133 int32 org.apache.kafka.connect.data.Date"#),
        (r#"12:34:56.789Z"#, r#"45296789 int32 org.apache.kafka.connect.data.Time"#),
        (r#"2024-01-02T12:34:56.789Z"#, r#"1704198896789 int64 org.apache.kafka.connect.data.Timestamp"#),
        (r#"12\:34\:56.789Z"#, r#"45296789 int32 org.apache.kafka.connect.data.Time"#),
        (r#""2024-01-02""#, r#""\"2024-01-02\"" string"#),
        (r#"[1,2]"#, r#"[1,2] array<int8>"#),
        (r#"[1,300,2.5]"#, r#"[1.0,300.0,2.5] array<float32>"#),
        (r#"[1, null]"#, r#""[1, null]" string"#),
        (r#"[]"#, r#"[] array<string?>"#),
        (r#"[null]"#, r#"[null] array<string?>"#),
        (r#"[1,2"#, r#""[1,2" string"#),
        (r#"[1 2]"#, r#""[1 2]" string"#),
        (r#"[,1]"#, r#""[,1]" string"#),
        (r#"["a","b"]"#, r#"["a","b"] array<string>"#),
        (r#"[a]"#, r#""[a]" string"#),
        (r#"[1,"a"]"#, r#""[1,\"a\"]" string"#),
        (r#"[[1],[2]]"#, r#"[[1],[2]] array<array<int8>>"#),
        (r#"{"a":1}"#, r#"{"a":1} map<string,int8>"#),
        (r#"{"a":1,"b":300}"#, r#"{"a":1,"b":300} map<string,int16>"#),
        (r#"{"a":null}"#, r#"{"a":null} map<string,string?>"#),
        (r#"{}"#, r#"{} map<string?,string?>"#),
        (r#"{1:true}"#, r#"{"Int(1)":true} map<int8,boolean>"#),
        (r#"{"a"}"#, r#""{\"a\"}" string"#),
        (r#"{a:1}"#, r#""{a:1}" string"#),
        (r#"1,2"#, r#"1 int8"#),
        (r#"12:34"#, r#"12 int8"#),
        (r#"["2024-01-02"]"#, r#"[19724] array<int32 org.apache.kafka.connect.data.Date>"#),
        (r#"[1, 12:34:56.789Z]"#, r#"[1,45296789] array<int32 org.apache.kafka.connect.data.Time>"#),
    ] {
        let found = parse(text).map_or(Payload::Null, |(schema, value)| Payload::Value(schema, value));
        assert_eq!(crate::example::described(&found), expect, "{text}");
    }
}
