//! What the description of a table says, and for which records.

use super::*;
use crate::example::check;

const CLASS: &str = KIND.class;

/// The type of a column with parameters.
fn column(kind: &str, parameters: &[(&str, &str)]) -> String {
    let parameters = parameters.iter().map(|(name, value)| format!("__debezium.source.column.{name}={value}"));
    format!("{kind} {{{}}}", parameters.collect::<Vec<_>>().join(","))
}

#[test]
fn descriptions() {
    let id = column("int32", &[("name", "id"), ("type", "INT")]);
    let price = column(
        "decimal(2)?",
        &[("name", "price"), ("type", "DECIMAL"), ("length", "10"), ("scale", "2"), ("comment", "in €")],
    );
    let types = format!(
        r#""types": {{"after.id": "{id}", "after.price": "{price}", "before.id": "{id}", "before.price": "{price}"}}"#
    );
    let description = r#"{"id": "orders", "table": {"columns": [
        {"name": "id", "typeName": "INT", "length": null, "scale": null, "comment": null},
        {"name": "price", "typeName": "DECIMAL", "length": 10, "scale": 2, "comment": "in €"}]}}"#;
    check(
        CLASS,
        &format!(
            r#"{{}}
            {{"topic": "srv.public.orders", {types}, "headers": [["h", 1]],
              "value": {{"op": "c", "after": {{"id": 1, "price": "1.50"}}}}}}
            => {{"value": {{"before": null, "after": {{"id": 1, "price": "1.50"}}, "op": "c", "sourceSchema": {description}}},
                "types": {{"value": "struct srv.public.orders.Envelope", "value#version": "2",
                    "value.sourceSchema": "struct io.debezium.connector.source.Schema", "value.sourceSchema#version": "1",
                    "value.sourceSchema.table": "struct io.debezium.connector.source.schema.Table",
                    "value.sourceSchema.table.columns": "array<struct io.debezium.connector.source.schema.Column>",
                    "value.sourceSchema.table.columns.[].length": "int32?"}}}}
            {{"topic": "srv.public.orders", {types}, "value": {{"op": "d", "before": {{"id": 1, "price": "1.50"}}}}}}
            => {{"value": {{"before": {{"id": 1, "price": "1.50"}}, "after": null, "sourceSchema": {description}}}}}
            {{"topic": "srv.public.orders", {types}, "value": {{"op": "t"}}}} => {{}}
            {{"topic": "srv.public.orders", "value": null}} => {{}}
            {{"topic": "heartbeat", "value": {{"ts_ms": 1}}}} => {{}}"#
        ),
    );
}

#[test]
fn columns_without_a_type() {
    let ensure = "fails: Ensure that enable configurations \"column.propagate.source.type\" or \
                  \"datatype.propagate.source.type\" and the value is set to \".*\"";
    for (parameters, outcome) in [
        (&[("name", "id")][..], ensure),
        (&[("type", "INT")], ensure),
        (&[("name", "id"), ("type", "LONGTEXT"), ("length", "4294967295")], "fails: For input string: \"4294967295\""),
    ] {
        let id = column("int32", parameters);
        check(
            CLASS,
            &format!(
                r#"{{}} {{"topic": "t", "types": {{"after.id": "{id}"}}, "value": {{"op": "c", "after": {{"id": 1}}}}}} => {outcome}"#
            ),
        );
    }
}

#[test]
fn an_unknown_mode_is_refused() {
    let made = KIND.create(&[("schema.name.adjustment.mode", "x")].into_iter().collect()).err().unwrap();
    let expect = "Unable to validate config. The 'schema.name.adjustment.mode' value 'x' is invalid: Value must be one of \
                  none, avro, avro_unicode";
    assert_eq!((made[0].java_class, made[0].to_string().as_str()), (java::DEBEZIUM, expect));
}
