use record::{Span, Value, ValueRef};
use settings::Properties;

use super::*;
use crate::types::{PgType, TypeKind};

/// Tables of a connector with these settings, and types that its database has.
fn tables(settings: &[(&str, &str)]) -> Tables {
    let basics = [
        ("name", "c"),
        ("topic.prefix", "p"),
        ("database.hostname", "h"),
        ("database.user", "u"),
        ("database.password", "x"),
        ("database.dbname", "d"),
        ("slot.name", "s"),
    ];
    let properties: Properties = basics.iter().chain(settings).copied().collect();
    let mut tables = Tables::new(&PostgresConfig::read(&properties).unwrap(), "1").unwrap();
    let types = [(23, "int4"), (25, "text")];
    tables.catalogue.extend(types.map(|(oid, name)| PgType::built_in(oid, name, TypeKind::Base)));
    tables
}

/// Columns as a snapshot finds them: `name:oid`, required ones with a star.
fn found(columns: &str) -> Vec<sql::Column> {
    let column = |text: &str| {
        let (name, oid) = text.trim_end_matches('*').split_once(':').unwrap();
        sql::Column {
            attnum: 1,
            name: name.to_owned(),
            type_oid: oid.parse().unwrap(),
            typmod: -1,
            not_null: text.ends_with('*'),
            default: None,
            generated: 0,
            identity: 0,
        }
    };
    columns.split(' ').map(column).collect()
}

fn built(tables: &mut Tables, columns: &str, key: &[&str], copied: bool) -> Arc<Shape> {
    let found = found(columns);
    let sent: Vec<_> = found
        .iter()
        .map(|c| Sent {
            name: &c.name,
            oid: c.type_oid,
            typmod: c.typmod,
            known: Some(c),
            in_identity: false,
            printed: None,
        })
        .collect();
    let key = key.iter().map(|name| (*name).to_owned()).collect();
    tables.build("public", "t", &sent, key, copied).unwrap().shape
}

/// The ids by which prepared encoders are found.
fn views(shape: &Shape) -> (u32, Option<u32>) {
    (shape.views.envelope(shape).id, shape.views.key(shape).map(|view| view.id))
}

#[test]
fn a_table_that_is_announced_again_and_did_not_change_keeps_what_was_prepared_for_it() {
    let mut tables = tables(&[("column.mask.with.3.chars", "public.t.v")]);
    let columns = "id:23* v:25";
    let kept = built(&mut tables, columns, &["id"], false);
    let first = views(&kept);
    assert_eq!(views(&built(&mut tables, columns, &["id"], false)), first);
    // A snapshot's rows are read in another format, and have the same shape.
    assert_eq!(views(&built(&mut tables, columns, &["id"], true)), first);
    for (columns, key) in [("id:23* v:25 w:25", &["id"][..]), ("id:23* v:25*", &["id"]), (columns, &[])] {
        assert_ne!(views(&built(&mut tables, columns, key, false)), first, "{columns} {key:?}");
    }
    assert_eq!(views(&built(&mut tables, columns, &["id"], false)), first);
}

#[test]
fn a_key_keeps_the_values_of_a_column_that_is_treated_in_the_row() {
    let mut tables = tables(&[("column.mask.with.3.chars", "public.t.(id|v)"), ("column.exclude.list", "public.t.w")]);
    let shape = built(&mut tables, "w:25 id:25* v:25 n:23", &["id"], false);
    let spans = [Span { start: 0, len: 1 }, Span { start: 1, len: 3 }, Span::NULL, Span { start: 4, len: 2 }];
    let mut cells = Vec::new();
    shape.decode.row(b"wkey42", &spans, &mut cells).unwrap();
    let shown = |places: &[u16]| places.iter().map(|place| cells[usize::from(*place)].to_value()).collect::<Vec<_>>();
    let mask = || Value::text("***");
    assert_eq!(shown(&shape.cells), [mask(), mask(), Value::Int(42)]);
    let key = shape.key.as_ref().unwrap();
    assert_eq!(shown(&key.cells), [Value::text("key")]);
    // Only the row's schema has the parameter that tells of the mask; the key's has none.
    let parameters = |schema: &Schema, name: &str| schema.fields()[schema.field(name).unwrap()].schema.parameters.len();
    assert_eq!((parameters(&key.schema, "id"), parameters(&shape.row, "id")), (0, 1));
}

#[test]
fn a_table_without_rules_is_decoded_by_its_own_decoder_alone() {
    let mut tables =
        tables(&[("column.mask.with.3.chars", "public.other.*"), ("column.truncate.to.3.chars", "public.t.n")]);
    let shape = built(&mut tables, "v:25 n:23", &[], false);
    let mut cells = Vec::new();
    shape.decode.row(b"v42", &[Span { start: 0, len: 1 }, Span { start: 1, len: 2 }], &mut cells).unwrap();
    assert_eq!(cells, [ValueRef::Text("v"), ValueRef::Int(42)]);
}
