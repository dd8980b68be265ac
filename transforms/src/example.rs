//! Examples as tests: what a transform's documentation shows is run, and so are the cases of its own tests.
//!
//! An example is a JSON text: first the options, then records, each followed by `=>` and what becomes of it. The options name
//! the class (`type`) where several classes share a module.
//!
//! - `=> {…}`: the members that change (`topic`, `key`, `value`, `headers`, `partition`, `timestamp`); all others must stay.
//!   Of an envelope only the members that are named are compared, of everything else the whole, with the order of the fields.
//!   `types` names types of the result by the path of a field, such as `"value.id": "int64?"` or `"value": "struct p.t.Value"`;
//!   `"value#version"` is the version of the schema at that path.
//! - `=> dropped`
//! - `=> fails: message`
//!
//! In a record, a value with the member `op` (other than `m`) is a change of the table that the topic names; its source block is filled in,
//! and `source` and `transaction` may name members of it. Types follow from the JSON (int32 or int64, float64, boolean, string,
//! array, struct; all optional but the field `id`), unless `types` names them: `"after.amount": "decimal(2)?"`,
//! `"at": "int64? io.debezium.time.Timestamp"`, `"n": "int32?=5"`, with parameters `"v": "string {name=value}"`. Bytes are
//! written as text, or as `"0x0aff"`. A record with a `value` of null is a tombstone; one with the `op` `m` is a logical decoding
//! message.
//!
//! Options whose names begin with `transforms` or `predicates` are those of the connector, so an example can have a whole chain.
//!
//! Each example runs twice: on raw changes, and on the same records as owned values.
//!
//! Must not know: any transform.

mod records;
mod text;

use std::path::Path;

use record::{Payload, Record};
use serde_json::Value as Json;
use settings::Properties;

use self::records::Given;
use self::text::{Outcome, steps};
use crate::{ALL, Chain, Chunks, Connector, Kind, RecordSpans};

/// Runs an example of the transform of this class.
#[track_caller]
pub(crate) fn check(class: &str, example: &str) {
    run(class, example).unwrap_or_else(|wrong| panic!("{wrong}\nin the example\n{example}"));
}

/// Sends records, changes as raw ones, through the transform of this class, and gives each result to `look`.
pub(crate) fn look_at(class: &str, options: &[(&str, &str)], records: &[&str], look: impl FnMut(Record<'_>)) {
    look_at_with(class, None, options, records, look);
}

/// The same, where spans are made of records.
pub(crate) fn look_at_with(
    class: &str,
    spans: Option<RecordSpans>,
    options: &[(&str, &str)],
    records: &[&str],
    mut look: impl FnMut(Record<'_>),
) {
    let mut config = Properties::new();
    config.insert("transforms", "x");
    config.insert("transforms.x.type", class);
    for (name, value) in options {
        config.insert(format!("transforms.x.{name}"), *value);
    }
    let mut chain = Chain::build(&config).unwrap();
    chain.attach(&Connector { spans, ..connector() });
    for record in records {
        let given = Given::new(&serde_json::from_str(record).unwrap()).unwrap();
        given.with(false, |record| look(chain.apply(record).unwrap().unwrap()));
    }
}

/// Builds the record of an example and passes it on; with `owned`, its values are owned.
pub(crate) fn with_record<R>(json: &str, owned: bool, run: impl FnOnce(&Record<'_>) -> R) -> R {
    let json = serde_json::from_str(json).unwrap_or_else(|error| panic!("{error} in {json}"));
    Given::new(&json).unwrap_or_else(|wrong| panic!("{wrong}")).with(owned, |record| run(&record))
}

fn run(class: &str, example: &str) -> Result<(), String> {
    let (options, steps) = steps(example)?;
    let mut config = Properties::new();
    config.insert("transforms", "x");
    config.insert("transforms.x.type", class);
    for (name, value) in options {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let whole = name.starts_with("predicates") || name.starts_with("transforms");
        config.insert(if whole { name } else { format!("transforms.x.{name}") }, value);
    }
    for owned in [false, true] {
        let mut chain = Chain::build(&config).map_err(|wrong| format!("the options are refused: {wrong:?}"))?;
        chain.attach(&connector());
        for (given, expect) in &steps {
            let given = Given::new(given)?;
            given.with(owned, |record| step(&mut chain, record, given.json(), expect)).map_err(|wrong| {
                format!("{wrong}\n(record {}{})", given.json(), if owned { ", as values" } else { "" })
            })?;
        }
    }
    Ok(())
}

/// A connector to a database with TimescaleDB: a hypertable `public.conditions` and its aggregate `public.conditions_daily`.
fn connector() -> Connector {
    let name = |schema: &str, table: &str| (schema.to_owned(), table.to_owned());
    let internal = move |table| name("_timescaledb_internal", table);
    let chunks = move || Chunks {
        hypertables: vec![
            (internal("_hyper_1_1_chunk"), name("public", "conditions")),
            (internal("_hyper_2_3_chunk"), internal("_materialized_hypertable_2")),
        ],
        aggregates: vec![(internal("_materialized_hypertable_2"), name("public", "conditions_daily"))],
    };
    Connector { chunks: Box::new(move |_| Box::new(move || Ok(chunks()))), ..Connector::default() }
}

fn step(chain: &mut Chain, record: Record<'_>, given: &Json, expect: &Outcome) -> Result<(), String> {
    let outcome = chain.apply(record);
    match (expect, outcome) {
        (Outcome::Dropped, Ok(None)) => Ok(()),
        (Outcome::Fails(message), Err(error)) if error.to_string() == *message => Ok(()),
        (Outcome::Becomes(expect), Ok(Some(record))) => text::compare(&record, given, expect),
        (_, Ok(None)) => Err("the record was dropped".to_owned()),
        (_, Err(error)) => Err(format!("failed: {} {error}", error.java_class())),
        (_, Ok(Some(record))) => Err(format!("became {}", text::shown(&record))),
    }
}

/// A payload as tests of transforms write it: its JSON and its type.
pub(crate) fn described(payload: &Payload<'_>) -> String {
    text::described(payload)
}

/// The file in which a transform stands, found by the path of its module.
fn source_of(kind: &Kind) -> String {
    let path = kind.module.split("::").skip(1).collect::<Vec<_>>().join("/");
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(format!("{path}.rs"));
    std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// The examples in a file's documentation: what stands between the marks ` ```json ` and ` ``` `.
fn examples(source: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut open: Option<String> = None;
    for line in source.lines().map_while(|line| line.strip_prefix("//!")) {
        let line = line.strip_prefix(' ').unwrap_or(line);
        match (line.trim(), &mut open) {
            ("```json", None) => open = Some(String::new()),
            ("```", Some(_)) => found.extend(open.take()),
            (_, Some(text)) => {
                text.push_str(line);
                text.push('\n');
            }
            _ => {}
        }
    }
    found
}

/// Whether an example is one of this class. It is, unless it names another one.
fn is_of(example: &str, kind: &Kind) -> bool {
    let options = steps(example).map(|(options, _)| options).unwrap_or_default();
    options.get("type").and_then(Json::as_str).is_none_or(|class| class == kind.class)
}

#[test]
fn what_the_documentation_shows_is_what_happens() {
    let mut wrong = Vec::new();
    for kind in ALL {
        let examples = examples(&source_of(kind));
        if examples.is_empty() {
            wrong.push(format!("{}: no example", kind.class));
        }
        for example in examples.into_iter().filter(|example| is_of(example, kind)) {
            wrong.extend(run(kind.class, &example).err().map(|text| format!("{}: {text}\n{example}", kind.class)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn a_wrong_example_is_noticed() {
    let class = "org.apache.kafka.connect.transforms.RegexRouter";
    let options = r#"{"regex": "a", "replacement": "b"}"#;
    for wrong in [
        r#"{"topic": "a"} => {"topic": "a"}"#,
        r#"{"topic": "a"} => dropped"#,
        r#"{"topic": "a"} => fails: x"#,
        r#"{"topic": "a", "value": {"op": "c", "after": {"id": 1}}} => {"topic": "b", "value": {"after": {"id": 2}}}"#,
        r#"{"topic": "a", "value": {"id": 1}} => {"topic": "b", "value": {"id": 1, "x": 2}}"#,
        r#"{"topic": "a", "value": {"id": 1}} => {"topic": "b", "types": {"value.id": "int64"}}"#,
        r#"{"topic": "a", "headers": [["h", "x"]]} => {"topic": "b", "headers": []}"#,
    ] {
        assert!(run(class, &format!("{options}\n{wrong}")).is_err(), "{wrong}");
    }
}

/// Whether a payload is an envelope.
fn is_envelope(payload: &Payload<'_>) -> bool {
    payload.schema().and_then(|schema| schema.name.as_deref()).is_some_and(|name| name.ends_with(".Envelope"))
}
