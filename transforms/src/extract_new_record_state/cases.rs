//! Examples of what Debezium makes of changes, one after the other, with types.

use super::KIND;
use crate::example::check;

const CLASS: &str = KIND.class;
/// A row was inserted; it has a column that is required, and one that is null but has a default.
const CREATE: &str = r#"{"topic": "srv.public.orders", "key": {"id": 1}, "types": {"after.n": "int32?=5"},
    "value": {"op": "c", "after": {"id": 1, "name": "Ann", "n": null}}}"#;
const DELETE: &str = r#"{"topic": "srv.public.orders", "key": {"id": 1}, "types": {"before.n": "int32?=5"},
    "value": {"op": "d", "before": {"id": 1, "name": "Ann", "n": null}}}"#;
const TOMBSTONE: &str = r#"{"topic": "srv.public.orders", "key": {"id": 1}, "value": null}"#;
const TRUNCATE: &str = r#"{"topic": "srv.public.orders", "value": {"op": "t"}}"#;

/// Checks what becomes of an insert, a delete and the tombstone behind the delete. A truncate is always dropped.
#[track_caller]
fn case(options: &str, create: &str, delete: &str, tombstone: &str) {
    check(
        CLASS,
        &format!(
            "{options}\n{CREATE} => {create}\n{DELETE} => {delete}\n{TOMBSTONE} => {tombstone}\n{TRUNCATE} => dropped"
        ),
    );
}

const ROW: &str = r#"{"value": {"id": 1, "name": "Ann", "n": null}, "types": {"value": "struct srv.public.orders.Value",
    "value.id": "int32", "value.n": "int32?=5", "key": "struct srv.public.orders.Key"}}"#;
/// What becomes of a delete in the mode `tombstone`.
const NULL: &str = r#"{"value": null, "types": {"value": "struct? srv.public.orders.Value"}}"#;

#[test]
fn modes() {
    let mode = |mode: &str| format!(r#"{{"delete.tombstone.handling.mode": "{mode}"}}"#);
    case("{}", ROW, NULL, "dropped");
    case(&mode("tombstone"), ROW, NULL, "dropped");
    case(&mode("drop"), ROW, "dropped", "dropped");
    case(&mode(" Delete-To-Tombstone "), ROW, r#"{"value": null, "types": {"value": "none"}}"#, "dropped");
    // Here nulls become defaults.
    let row = |deleted: bool| {
        format!(
            r#"{{"value": {{"id": 1, "name": "Ann", "n": 5, "__deleted": "{deleted}"}},
                "types": {{"value": "struct srv.public.orders.Value", "value.__deleted": "string?", "value.n": "int32?=5"}}}}"#
        )
    };
    case(&mode("rewrite"), &row(false), &row(true), "dropped");
    case(&mode("rewrite-with-tombstone"), &row(false), &row(true), r#"{"types": {"value": "none"}}"#);
    let row =
        |deleted: bool| format!(r#"{{"value": {{"id": 1, "name": "Ann", "n": null, "__deleted": "{deleted}"}}}}"#);
    let raw = r#"{"delete.tombstone.handling.mode": "rewrite", "replace.null.with.default": "false"}"#;
    case(raw, &row(false), &row(true), "dropped");
    // Options of older releases change nothing.
    case(r#"{"drop.tombstones": "false", "delete.handling.mode": "rewrite"}"#, ROW, NULL, "dropped");
}

#[test]
fn records_of_other_kinds() {
    check(
        CLASS,
        r#"{"delete.tombstone.handling.mode": "drop", "add.headers": "op"}
        {"topic": "any", "value": null} => dropped
        {"topic": "srv.public.orders", "value": {"op": "d"}} => dropped
        {"topic": "__debezium-heartbeat.srv", "value": {"ts_ms": 1}} => {}
        {"topic": "srv.transaction", "value": {"status": "BEGIN", "id": "7"}} => {}
        {"topic": "srv.message", "types": {"": "struct io.debezium.connector.postgresql.MessageValue"}, "value": {"op": "m"}}
        => {}"#,
    );
    // A flattened row is no envelope, so a second transform leaves it alone.
    let twice = r#"{"transforms": "a,b", "transforms.a.type": "io.debezium.transforms.ExtractNewRecordState",
        "transforms.a.add.headers": "op", "transforms.b.type": "io.debezium.transforms.ExtractNewRecordState",
        "transforms.b.add.headers": "op"}"#;
    check(
        CLASS,
        &format!(
            r#"{twice} {CREATE} => {{"value": {{"id": 1, "name": "Ann", "n": null}}, "headers": [["__op", "c"]]}}"#
        ),
    );
}

#[test]
fn added_fields() {
    let options = |fields: &str, more: &str| format!(r#"{{"add.fields": "{fields}"{more}}}"#);
    let row = |added: &str| format!(r#"{{"value": {{"id": 1, "name": "Ann", "n": null, {added}}}}}"#);
    case(
        r#"{"add.fields": "op,table,source.ts_ms,transaction.id:tx,lsn,nosuch", "add.headers": "db:database,op"}"#,
        r#"{"value": {"id": 1, "name": "Ann", "n": null, "__op": "c", "__table": "orders", "__source_ts_ms": 1700000000000,
            "__tx": null, "__lsn": 24023128}, "headers": [["__database", "shop"], ["__op", "c"]],
            "types": {"value.__tx": "string?", "value.__lsn": "int64?", "header:__op": "string?"}}"#,
        r#"{"value": null, "headers": [["__database", "shop"], ["__op", "d"]]}"#,
        "dropped",
    );
    case(
        &options("ts_ms,source.ts_ms", r#", "add.fields.prefix": """#),
        &row(r#""ts_ms": 1700000000123, "source_ts_ms": 1700000000000"#),
        NULL,
        "dropped",
    );
    case(&options("op:operation", ""), &row(r#""__operation": "c""#), NULL, "dropped");
    // `id` is the transaction's, not the column's.
    case(&options("id, nosuch", ""), &row(r#""__id": null"#), NULL, "dropped");
    case(
        &options("source.snapshot", ""),
        r#"{"value": {"id": 1, "name": "Ann", "n": null, "__source_snapshot": null},
            "types": {"value.__source_snapshot": "string? io.debezium.data.Enum"}}"#,
        NULL,
        "dropped",
    );
    case(
        r#"{"delete.tombstone.handling.mode": "rewrite", "add.fields": "op,lsn"}"#,
        r#"{"value": {"id": 1, "name": "Ann", "n": 5, "__deleted": "false", "__op": "c", "__lsn": 24023128}}"#,
        r#"{"value": {"id": 1, "name": "Ann", "n": 5, "__deleted": "true", "__op": "d", "__lsn": 24023128}}"#,
        "dropped",
    );
}

#[test]
fn added_fields_that_fail() {
    let options = |fields: &str| format!(r#"{{"add.fields": "{fields}", "add.fields.prefix": ""}}"#);
    let twice = |name: &str| format!("fails: Cannot create field because of field name duplication {name}");
    case(&options("op:name"), &twice("name"), NULL, "dropped");
    case(&options("op,op"), &twice("op"), NULL, "dropped");
    let whole = "fails: Struct schemas do not match.";
    case(&options("source"), whole, NULL, "dropped");
    case(&options("source.x.y,none.x"), "fails: none is not a valid field name", NULL, "dropped");
    // A whole struct passes only as a null.
    let null = r#"{"value": {"id": 1, "name": "Ann", "n": null, "transaction": null}, "types": {"value.transaction": "struct? event.block"}}"#;
    case(&options("transaction"), null, NULL, "dropped");
}

/// See the other tests for what the tombstone behind the delete gets.
#[test]
fn added_headers() {
    let options = r#"{"delete.tombstone.handling.mode": "rewrite-with-tombstone", "add.headers": "op,table:t,nosuch",
        "add.headers.prefix": "h_"}"#;
    check(
        CLASS,
        &format!(
            r#"{options}
            {CREATE} => {{"value": {{"id": 1, "name": "Ann", "n": 5, "__deleted": "false"}}, "headers": [["h_op", "c"], ["h_t", "orders"]]}}
            {DELETE} => {{"value": {{"id": 1, "name": "Ann", "n": 5, "__deleted": "true"}}, "headers": [["h_op", "d"], ["h_t", "orders"]]}}
            {{"topic": "other", "key": {{"id": 1}}, "value": null, "headers": [["a", 1]]}}
            => {{"headers": [["a", 1], ["h_op", "d"]], "types": {{"header:h_op": "string"}}}}"#
        ),
    );
}

#[test]
fn a_whole_struct_as_a_header() {
    check(
        CLASS,
        r#"{"add.headers": "transaction"}
        {"topic": "t", "value": {"op": "c", "after": {"id": 1},
         "transaction": {"id": "5:7", "total_order": 1, "data_collection_order": 2}}}
        => {"value": {"id": 1}, "headers": [["__transaction", {"id": "5:7", "total_order": 1, "data_collection_order": 2}]]}
        {"topic": "t", "value": {"op": "c", "after": {"id": 1}}}
        => {"value": {"id": 1}, "headers": [["__transaction", null]], "types": {"header:__transaction": "struct? event.block"}}"#,
    );
}

#[test]
fn routes() {
    let options = r#"{"route.by.field": "to", "delete.tombstone.handling.mode": "tombstone"}"#;
    check(
        CLASS,
        &format!(
            r#"{options}
            {{"topic": "t", "value": {{"op": "c", "after": {{"to": "x"}}}}}} => {{"topic": "x", "value": {{"to": "x"}}}}
            {{"topic": "t", "value": {{"op": "d", "before": {{"to": "y"}}}}}} => {{"topic": "y", "value": null}}
            {{"topic": "t", "value": {{"op": "c", "after": {{"to": null}}}}}} => {{"value": {{"to": null}}}}
            {{"topic": "t", "value": {{"op": "c", "after": {{"to": " "}}}}}} => {{"value": {{"to": " "}}}}
            {{"topic": "t", "types": {{"after.to": "string?=z"}}, "value": {{"op": "c", "after": {{"to": null}}}}}}
            => {{"value": {{"to": null}}}}
            {{"topic": "t", "value": {{"op": "c", "after": {{"to": 1}}}}}} => fails: Field 'to' is not of type STRING
            {{"topic": "t", "value": {{"op": "d", "before": {{"id": 1}}}}}} => fails: to is not a valid field name"#
        ),
    );
    // In the rewrite modes the row that is looked at has its defaults, and `__deleted`.
    check(
        CLASS,
        r#"{"route.by.field": "to", "delete.tombstone.handling.mode": "rewrite"}
        {"topic": "t", "types": {"after.to": "string?=z"}, "value": {"op": "c", "after": {"to": null}}}
        => {"topic": "z", "value": {"to": "z", "__deleted": "false"}}
        {"topic": "t", "types": {"before.to": "string?=z"}, "value": {"op": "d", "before": {"to": null}}}
        => {"value": {"to": "z", "__deleted": "true"}}"#,
    );
    check(
        CLASS,
        r#"{"route.by.field": "__deleted", "delete.tombstone.handling.mode": "rewrite"}
        {"topic": "t", "value": {"op": "c", "after": {"id": 1}}} => {"topic": "false", "value": {"id": 1, "__deleted": "false"}}
        {"topic": "t", "value": {"op": "d", "before": {"id": 1}}} => fails: __deleted is not a valid field name"#,
    );
}

#[test]
fn dropped_fields() {
    let gone =
        r#""headers": [["gone", ["id", "name", "__op"]]], "types": {"after.n": "int32?=5", "before.n": "int32?=5"}"#;
    let create = format!(
        r#"{{"topic": "t", "key": {{"id": 1, "name": "Ann"}}, {gone}, "value": {{"op": "c", "after": {{"id": 1, "name": "Ann", "n": null}}}}}}"#
    );
    let delete = format!(
        r#"{{"topic": "t", "key": {{"id": 1, "name": "Ann"}}, {gone}, "value": {{"op": "d", "before": {{"id": 1, "name": "Ann", "n": null}}}}}}"#
    );
    let case = |options: &str, created: &str, deleted: &str| {
        let options = format!(
            r#"{{"drop.fields.header.name": "gone", "delete.tombstone.handling.mode": "rewrite", "add.fields": "op"{options}}}"#
        );
        check(CLASS, &format!("{options} {create} => {created} {delete} => {deleted}"));
    };
    // Only optional fields go; of a delete, what `add.fields` adds stays.
    case(
        "",
        r#"{"value": {"id": 1, "n": 5, "__deleted": "false"}}"#,
        r#"{"value": {"id": 1, "n": 5, "__deleted": "true", "__op": "d"}}"#,
    );
    case(
        r#", "drop.fields.keep.schema.compatible": "false""#,
        r#"{"value": {"n": 5, "__deleted": "false"}}"#,
        r#"{"value": {"n": 5, "__deleted": "true", "__op": "d"}}"#,
    );
    case(
        r#", "drop.fields.from.key": "true""#,
        r#"{"key": {"id": 1}, "value": {"id": 1, "n": 5, "__deleted": "false"}, "types": {"key": "struct t.Key"}}"#,
        r#"{"key": {"id": 1}, "value": {"id": 1, "n": 5, "__deleted": "true", "__op": "d"}}"#,
    );
    check(
        CLASS,
        r#"{"drop.fields.header.name": "gone", "drop.fields.from.key": "true"}
        {"topic": "t", "key": "k", "headers": [["gone", ["id"]]], "value": {"op": "c", "after": {"id": 1}}}
        => fails: Cannot list fields on non-struct type
        {"topic": "t", "key": "k", "headers": [["gone", []]], "value": {"op": "c", "after": {"id": 1}}}
        => {"value": {"id": 1}}
        {"topic": "t", "headers": [["gone", 1]], "value": {"op": "c", "after": {"id": 1}}}
        => fails: the header gone is not a list of field names, as drop.fields.header.name needs it
        {"topic": "t", "headers": [["gone", ["n", "n"]]], "value": {"op": "c", "after": {"id": 1, "n": 2}}}
        => {"value": {"id": 1}}"#,
    );
    check(
        CLASS,
        r#"{"drop.fields.header.name": "gone", "drop.fields.keep.schema.compatible": "false"}
        {"topic": "t", "headers": [["gone", ["n", "n"]]], "value": {"op": "c", "after": {"id": 1, "n": 2}}}
        => fails: Configuration 'exclude' values must not be duplicated."#,
    );
}

/// Only the changed columns are sent.
#[test]
fn in_a_chain_with_changed_columns() {
    let update = r#"{"topic": "t", "types": {"after.name": "string", "before.name": "string"}, "value": {"op": "u",
        "before": {"id": 1, "name": "Ann", "qty": null}, "after": {"id": 1, "name": "Ann", "qty": 5}}}"#;
    let case = |options: &str, value: &str| {
        let options = format!(
            r#"{{"transforms": "c,u", "transforms.c.type": "io.debezium.transforms.ExtractChangedRecordState",
                "transforms.c.header.unchanged.name": "Unchanged",
                "transforms.u.type": "io.debezium.transforms.ExtractNewRecordState",
                "transforms.u.drop.fields.header.name": "Unchanged"{options}}}"#
        );
        check(
            CLASS,
            &format!(r#"{options} {update} => {{"value": {value}, "headers": [["Unchanged", ["id", "name"]]]}}"#),
        );
    };
    case("", r#"{"id": 1, "name": "Ann", "qty": 5}"#);
    case(r#", "transforms.u.drop.fields.keep.schema.compatible": "false""#, r#"{"qty": 5}"#);
}
