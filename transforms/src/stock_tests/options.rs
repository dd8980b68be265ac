//! What is wrong with options, in Connect's words, and when it is noticed.

use settings::Properties;

use super::{PACKAGE, chain};
use crate::table::find;

/// What validation answers: keys and messages, each on a line. Validation does not make the transform.
fn validated(name: &str, options: &[&str]) -> String {
    let properties: Properties = options.iter().map(|option| option.split_once('=').unwrap()).collect();
    let kind = find(&format!("{PACKAGE}{name}")).unwrap();
    let lines =
        kind.keys.complaints(&properties).into_iter().map(|invalid| format!("{}: {}", invalid.key, invalid.message));
    lines.collect::<Vec<_>>().join("\n")
}

#[track_caller]
fn at_validation(name: &str, options: &[&str], expect: &str) {
    assert_eq!(validated(name, options), expect, "{name} {options:?}");
    assert!(chain(name, options).is_err());
}

#[track_caller]
fn at_start(name: &str, options: &[&str], expect: &str) {
    assert_eq!(validated(name, options), "", "{name} {options:?} passes validation");
    let message = chain(name, options).expect_err("the start is refused");
    assert_eq!(message.strip_prefix("transforms.x."), Some(expect), "{name} {options:?}");
}

#[track_caller]
fn accepted(name: &str, options: &[&str]) {
    assert_eq!(chain(name, options).err(), None, "{name} {options:?}");
}

#[test]
fn lists_of_names() {
    for (name, key) in [("MaskField$Value", "fields"), ("ValueToKey", "fields"), ("DropHeaders", "headers")] {
        let option = |value: &str| format!("{key}={value}");
        at_validation(
            name,
            &[],
            &format!(
                "{key}: Missing required configuration \"{key}\" which has no default value.\n\
                 {key}: Configuration '{key}' values must not be null."
            ),
        );
        let empty =
            format!("{key}: Configuration '{key}' must not be empty. Valid values include: any non-empty value");
        at_validation(name, &[&option("")], &empty);
        at_validation(name, &[&option("a,,b")], &format!("{key}: Configuration '{key}' values must not be empty."));
        at_validation(
            name,
            &[&option("a, a")],
            &format!("{key}: Configuration '{key}' values must not be duplicated."),
        );
        at_validation(name, &[&option(" , ")], &format!("{key}: Configuration '{key}' values must not be duplicated."));
        accepted(name, &[&option(" a , b ")]);
    }
    at_validation("ReplaceField$Value", &["exclude=a,"], "exclude: Configuration 'exclude' values must not be empty.");
    at_validation(
        "ReplaceField$Value",
        &["include=a,a"],
        "include: Configuration 'include' values must not be duplicated.",
    );
    accepted("ReplaceField$Value", &["exclude=", "include="]);
}

#[test]
fn replace_field() {
    for (renames, list, wrong) in [
        ("a", "[a]", "a"),
        ("a:b,c", "[a:b, c]", "c"),
        ("a:b:c", "[a:b:c]", "a:b:c"),
        ("a:", "[a:]", "a:"),
        (":", "[:]", ":"),
    ] {
        let message =
            format!("renames: Invalid value {list} for configuration renames: Invalid rename mapping: {wrong}");
        at_validation("ReplaceField$Value", &[&format!("renames={renames}")], &message);
    }
    accepted("ReplaceField$Value", &["renames=:b"]);
    accepted("ReplaceField$Value", &["renames=a:b::"]);
    let options: Properties = [("blacklist", "a"), ("whitelist", "b")].into_iter().collect();
    let kind = find(&format!("{PACKAGE}ReplaceField$Key")).unwrap();
    let warned: Vec<String> = kind.warnings(&options).into_iter().map(|f| format!("{}: {}", f.key, f.remedy)).collect();
    assert_eq!(warned, ["blacklist: Use exclude.", "whitelist: Use include."]);
    accepted("ReplaceField$Value", &["blacklist=a"]);
}

#[test]
fn mask_field() {
    at_validation(
        "MaskField$Key",
        &["fields=a", "replacement="],
        "replacement: Invalid value  for configuration replacement: String must be non-empty",
    );
}

#[test]
fn header_from() {
    at_validation(
        "HeaderFrom$Value",
        &["fields=", "headers=a", "operation=MOVE"],
        "fields: Invalid value [] for configuration fields: Empty list\n\
         operation: Invalid value MOVE for configuration operation: String must be one of: move, copy",
    );
    at_validation(
        "HeaderFrom$Value",
        &["headers=a", "operation=move"],
        "fields: Missing required configuration \"fields\" which has no default value.\n\
         fields: Invalid value null for configuration fields: Empty list",
    );
    at_start(
        "HeaderFrom$Value",
        &["fields=a,b", "headers=a", "operation=move"],
        "fields: 'fields' config must have the same number of elements as 'headers' config.",
    );
    // This list may repeat a name.
    accepted("HeaderFrom$Value", &["fields=a,a", "headers=x,", "operation=copy"]);
}

#[test]
fn headers() {
    at_validation(
        "InsertHeader",
        &["header=h"],
        "value.literal: Missing required configuration \"value.literal\" which has no default value.\n\
         value.literal: Invalid value null for configuration value.literal: entry must be non null",
    );
    accepted("InsertHeader", &["header=", "value.literal="]);
}

#[test]
fn extract_field() {
    at_validation(
        "ExtractField$Key",
        &["field=a", "field.syntax.version=V3"],
        "field.syntax.version: Invalid value V3 for configuration field.syntax.version: String must be one of (case \
         insensitive): V1, V2",
    );
    at_start(
        "ExtractField$Key",
        &["field=x.`a", "field.syntax.version=v2"],
        "field: Incomplete backtick pair in path: [x.`a], consider adding a backslash before backtick at position 2 to escape \
         it",
    );
    accepted("ExtractField$Key", &["field=x.`a"]);
    accepted("ExtractField$Key", &["field=", "field.syntax.version=V2"]);
}

#[test]
fn insert_field() {
    at_start("InsertField$Value", &[], "topic.field: No field insertion configured");
    at_start(
        "InsertField$Value",
        &["static.field=a!"],
        "static.value: Invalid value null for configuration static.value: No value specified for static field: a",
    );
    accepted("InsertField$Value", &["static.field=a", "static.value="]);
    accepted("InsertField$Value", &["offset.field=a"]);
}

#[test]
fn cast() {
    let outputs = "[INT8, INT16, INT32, INT64, FLOAT32, FLOAT64, BOOLEAN, STRING]";
    let no_type = |java: &str, shown: &str| {
        format!(
            "spec: Invalid value java.lang.IllegalArgumentException: No enum constant \
             org.apache.kafka.connect.data.Schema.Type.{java} for configuration Invalid type found in casting spec: {shown}"
        )
    };
    let several = "spec: Cast transformations that specify a type to cast the entire value to may only specify a single cast in \
                   their spec";
    at_validation("Cast$Value", &["spec="], "spec: Must specify at least one field to cast.");
    at_validation("Cast$Value", &["spec=a:foo"], &no_type("FOO", "foo"));
    at_validation("Cast$Value", &["spec=foo"], &no_type("FOO", "foo"));
    at_validation("Cast$Value", &["spec=a:int8,,"], &no_type("", ""));
    at_validation("Cast$Value", &["spec=a:"], &no_type("A", "a"));
    for unsupported in ["bytes", "a:Struct"] {
        let name = unsupported.rsplit(':').next().unwrap().to_uppercase();
        let message =
            format!("spec: Cast transformation does not support casting to {name}; supported types are {outputs}");
        at_validation("Cast$Value", &[&format!("spec={unsupported}")], &message);
    }
    let colons = "spec: Invalid value [a:b:c] for configuration renames: Invalid rename mapping: a:b:c";
    at_validation("Cast$Value", &["spec=a:b:c"], colons);
    at_validation("Cast$Value", &["spec=int8,int8"], several);
    at_validation("Cast$Value", &["spec=int8,a:int8"], several);
    accepted("Cast$Value", &["spec=a: INT8 ,b :string,a:int16"]);
    at_validation(
        "Cast$Value",
        &["spec=int8", "replace.null.with.default=x"],
        "replace.null.with.default: Invalid value x for configuration replace.null.with.default: Expected value to be either \
         true or false",
    );
}

#[test]
fn schema_metadata() {
    at_start("SetSchemaMetadata$Value", &[], "schema.name: Neither schema name nor version configured");
    let message = "schema.version: Invalid value x for configuration schema.version: Not a number of type INT";
    at_validation("SetSchemaMetadata$Value", &["schema.version=x"], message);
}

#[test]
fn timestamps() {
    at_validation(
        "TimestampConverter$Value",
        &["target.type=String"],
        "target.type: Invalid value String for configuration target.type: String must be one of: string, unix, Date, Time, \
         Timestamp",
    );
    at_validation(
        "TimestampConverter$Value",
        &["target.type=unix", "unix.precision=ms"],
        "unix.precision: Invalid value ms for configuration unix.precision: String must be one of: nanoseconds, microseconds, \
         milliseconds, seconds",
    );
    at_start(
        "TimestampConverter$Value",
        &["target.type=string", "format= "],
        "format: TimestampConverter requires format option to be specified when using string timestamps",
    );
    for (pattern, wrong) in [("b", "Illegal pattern character 'b'"), ("yyyy'", "Unterminated quote")] {
        let message = format!(
            "format: Invalid value java.lang.IllegalArgumentException: {wrong} for configuration TimestampConverter requires a \
             SimpleDateFormat-compatible pattern for string timestamps: {pattern}"
        );
        at_start("TimestampConverter$Value", &["target.type=unix", &format!("format={pattern}")], &message);
    }
    // The router's pattern is read at the first record.
    accepted("TimestampRouter", &["timestamp.format=b"]);
}

#[test]
fn classes_around_others() {
    for name in
        ["Cast", "ExtractField", "Flatten", "HeaderFrom", "HoistField", "InsertField", "MaskField", "ReplaceField"]
    {
        let whole = format!("{PACKAGE}{name}");
        let expect = format!(
            "transforms.x.type: This class is abstract and cannot be created. Did you mean {whole}$Key, {whole}$Value?"
        );
        assert_eq!(chain(name, &[]).unwrap_err(), expect);
    }
    let expect = format!("Class {PACKAGE}No could not be found.");
    assert!(chain("No", &[]).unwrap_err().ends_with(&expect));
    assert!(crate::abstract_class(&format!("{PACKAGE}Cast$Key")).is_none());
}
