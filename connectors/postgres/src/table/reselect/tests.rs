use relational::reselect::{Candidate, Plan};
use settings::Properties;

use super::*;
use crate::config::PostgresConfig;
use crate::sql;
use crate::stream::RelationColumn;
use crate::table::{Sent, key};
use crate::types::{ColumnCodec, PgType, TypeKind};

const TYPES: &[(u32, &str)] = &[
    (16, "bool"),
    (17, "bytea"),
    (23, "int4"),
    (25, "text"),
    (1184, "timestamptz"),
    (1700, "numeric"),
    (3802, "jsonb"),
];
const INTEGERS: u32 = 1007;

fn tables(options: &[(&str, &str)]) -> Tables {
    let basics = [
        ("topic.prefix", "p"),
        ("database.hostname", "h"),
        ("database.user", "u"),
        ("database.dbname", "d"),
        ("post.processors", "r"),
        ("post.processors.r.type", relational::reselect::CLASS),
    ];
    let names: Vec<_> = options
        .iter()
        .map(
            |(name, _)| {
                if name.starts_with("reselect.") { format!("post.processors.r.{name}") } else { (*name).to_owned() }
            },
        )
        .collect();
    let options = names.iter().map(String::as_str).zip(options.iter().map(|(_, value)| *value));
    let properties: Properties = basics.into_iter().chain(options).collect();
    let mut tables = Tables::new(&PostgresConfig::read(&properties).unwrap(), "1").unwrap();
    tables.catalogue.extend(TYPES.iter().map(|(oid, name)| PgType::built_in(*oid, name, TypeKind::Base)));
    tables.catalogue.extend([PgType::built_in(INTEGERS, "_int4", TypeKind::Array(23))]);
    tables
}

/// What is done to table public.t. Columns are `name:type`, with a star if they may not be null, and `=default`; those of
/// the primary key are in `key`. Each column that may be read again is shown with `a` if it is when it is absent, and `n` if
/// it is when it is null; then come the columns by which the row is looked for.
#[track_caller]
fn check(options: &[(&str, &str)], columns: &str, key: &[&str], expect: &str) {
    let mut tables = tables(options);
    let columns: Vec<_> = columns
        .split(' ')
        .map(|text| {
            let (name, of) = text.split_once(':').unwrap();
            let (of, default) = of.split_once('=').map_or((of, None), |(of, default)| (of, Some(default.to_owned())));
            let oid = match of.trim_end_matches('*') {
                "int4[]" => INTEGERS,
                name => TYPES.iter().find(|(_, known)| *known == name).unwrap().0,
            };
            sql::Column {
                attnum: 1,
                name: name.to_owned(),
                type_oid: oid,
                typmod: -1,
                not_null: of.ends_with('*'),
                default,
                generated: 0,
                identity: 0,
            }
        })
        .collect();
    let relation = Relation {
        id: 1,
        schema: "public".into(),
        table: "t".into(),
        identity: b'd',
        columns: columns
            .iter()
            .map(|c| RelationColumn {
                name: c.name.clone(),
                oid: c.type_oid,
                typmod: -1,
                identity: key.contains(&c.name.as_str()),
            })
            .collect(),
    };
    let sent: Vec<_> = columns
        .iter()
        .map(|c| Sent { name: &c.name, oid: c.type_oid, typmod: -1, known: Some(c), in_identity: false, printed: None })
        .collect();
    let own_key = key::of_event(&relation, key.iter().map(|name| (*name).to_owned()).collect());
    let built = tables.build("public", "t", &sent, own_key.clone(), false).unwrap();
    let plans = tables.plans(&relation, &own_key, &built);
    let shown: Vec<String> = plans.iter().flat_map(|plans| plans.iter()).map(shown).collect();
    assert_eq!(shown.join("; "), expect, "{options:?}");
}

fn shown(plan: &Plan<ColumnCodec, ByKey>) -> String {
    let column = |column: &Candidate<ColumnCodec>| {
        let absent = if column.when.is_absent { "a" } else { "" };
        let null = if column.when.is_null { "n" } else { "" };
        format!("{}:{absent}{null}@{} ", column.name, column.place)
    };
    let columns: String = plan.columns.iter().map(column).collect();
    assert_eq!(plan.query.is_some(), !plan.key.is_empty());
    format!("{columns}by {} @{:?}", plan.key.join(","), plan.key_places)
}

#[test]
fn columns_that_can_lack() {
    check(&[], "id:int4* body:text", &["id"], "body:an@1 by id @[0]");
    // A table of which nothing can lack is left alone, and so is one of which nothing is selected, or that has no key.
    check(&[], "id:int4* n:int4* at:timestamptz* is:bool*", &["id"], "");
    check(&[("reselect.columns.include.list", "public.t:note")], "id:int4* body:text", &["id"], "");
    check(&[("reselect.columns.exclude.list", "public.t:.*")], "id:int4* body:text", &["id"], "");
    check(&[], "id:int4* body:text", &[], "");
    // Fixed sizes are never absent; a null with a default is none.
    check(&[], "id:int4* n:int4 m:int4=7 body:text*", &["id"], "n:n@1 body:a@3 by id @[0]");
    check(&[("reselect.null.values", "false")], "id:int4* n:int4 body:text='x'::text", &["id"], "body:a@2 by id @[0]");
    check(&[("reselect.unavailable.values", "false")], "id:int4* n:int4 body:text*", &["id"], "n:n@1 by id @[0]");
    check(
        &[("reselect.unavailable.values", "false"), ("reselect.null.values", "false")],
        "id:int4* b:text",
        &["id"],
        "",
    );
    // Types with placeholders of their own, and one that has none.
    check(
        &[("reselect.null.values", "false")],
        "id:int4* b:bytea j:jsonb a:int4[]",
        &["id"],
        "b:a@1 j:a@2 a:a@3 by id @[0]",
    );
    check(&[], "id:int4* x:numeric* y:numeric", &["id"], "x:a@1 y:an@2 by id @[0]");
}

#[test]
fn columns_that_are_not_sent_or_treated() {
    let excluded = ("column.exclude.list", "public.t.(secret|id)");
    check(&[excluded], "secret:text id:int4* body:text", &["id"], "body:an@2 by id @[1]");
    let rules = [("column.mask.with.3.chars", "public.t.m"), ("column.truncate.to.5.chars", "public.t.c")];
    check(&rules, "id:int4* m:text c:text", &["id"], "c:n@2 by id @[0]");
    check(&[("column.truncate.to.100.chars", "public.t.c")], "id:int4* c:text", &["id"], "c:an@1 by id @[0]");
}

#[test]
fn keys_by_which_rows_are_looked_for() {
    let keys = ("message.key.columns", "public.t:b,a");
    check(&[], "b:int4* a:int4* body:text", &["a", "b"], "body:an@2 by a,b @[1, 0]");
    check(&[keys], "a:int4* b:int4* id:int4* body:text", &["id"], "body:an@3 by id @[2]");
    let by_event = ("reselect.use.event.key", "true");
    check(&[keys, by_event], "a:int4* b:int4* id:int4* body:text", &["id"], "body:an@3 by b,a @[1, 0]");
    check(&[by_event], "id:int4* body:text", &["id"], "body:an@1 by id @[0]");
    // A key that only the event has: there is no query, and each change that lacks is one that could not be read.
    check(&[keys], "a:int4* b:int4* body:text", &[], "body:an@2 by  @[]");
    check(&[keys, by_event], "a:int4* b:int4* body:text", &[], "body:an@2 by b,a @[1, 0]");
}

#[test]
fn several_processors_act_in_their_order() {
    let second = [
        ("post.processors", "r,s"),
        ("post.processors.s.type", relational::reselect::CLASS),
        ("post.processors.s.reselect.columns.include.list", "public.t:c"),
        ("reselect.columns.include.list", "public.t:b"),
    ];
    check(&second, "id:int4* b:text c:text d:text", &["id"], "b:an@1 by id @[0]; c:an@2 by id @[0]");
}
