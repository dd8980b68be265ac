//! The expressions that people write, from documentation, issues and public configs: at least nine of ten must run unchanged,
//! and one that cannot is refused with what to write instead.
//!
//! Must not know: how anything is evaluated.

use super::super::Language;
use super::result;

/// Rows: number of the shape, record, expression, result.
const SAMPLE: &[(u32, &str, &str, &str)] = &[
    (1, "update", "value.op == 'u' && value.before.id == 2", "true"),
    (1, "delete", "value.op == 'u' && value.before.id == 2", "false"),
    (2, "update", "value.op == 'c'", "false"),
    (2, "update", "value.op == 'c' || value.op == 'u'", "true"),
    (2, "update", "value.op != 'd'", "true"),
    (2, "update", "value.op != \"r\"", "true"),
    (3, "update", "value.after.status == 'active'", "false"),
    (3, "update", "value.source.table == 'orders'", "true"),
    (4, "update", "value.after?.status == 'shipped'", "true"),
    (4, "delete", "value.after?.status == 'shipped'", "false"),
    (5, "update", "value.after?.amount > 1000 ? 'high-value' : null", "'high-value'"),
    (5, "delete", "value.after?.amount > 1000 ? 'high-value' : null", "null"),
    (6, "update", "value.op == 'u' && value.before.active == false && value.after.active == true", "true"),
    (7, "update", "value.op in ['c','u','d']", "true"),
    (7, "delete", "(value.op in ['c','u']) ? topic : null", "null"),
    (7, "update", "(value.op in ['c','u']) ? topic : null", "'srv.inventory.orders'"),
    (
        8,
        "update",
        "value.after != null ? (value.after?.country?.value == 'UK' ? 'uk_users' : null) : (value.before?.country?.value == 'UK' ? 'uk_users' : null)",
        "'uk_users'",
    ),
    (9, "update", "topic + '.created'", "'srv.inventory.orders.created'"),
    (9, "update", "\"${topic}-x\"", "<GStringImpl>"),
    (9, "update", "\"${topic}-x\".toString()", "'srv.inventory.orders-x'"),
    (
        10,
        "update",
        "valueSchema.field('op') && value.op == 'u' && value.before && value.before.flags == '{}' && value.after.flags != '{}'",
        "true",
    ),
    (
        10,
        "update",
        "!(valueSchema.field('op') && value.op == 'u' && value.before && value.before.flags == '{}' && value.after.flags != '{}')",
        "false",
    ),
    (
        10,
        "heartbeat",
        "!(valueSchema.field('op') && value.op == 'u' && value.before && value.before.flags == '{}' && value.after.flags != '{}')",
        "true",
    ),
    (
        11,
        "update",
        "key != null && key.get('id') instanceof Number && key.get('id').longValue() >= 100L && key.get('id').longValue() % 10 == 3",
        "true",
    ),
    (
        11,
        "tombstone",
        "key != null && key.get('id') instanceof Number && key.get('id').longValue() >= 100L && key.get('id').longValue() % 10 == 3",
        "false",
    ),
    (12, "update", "header.idh.value == 1 && topic.startsWith('dummy')", "false"),
    (12, "update", "header.idh.value == 1 && topic.startsWith('srv')", "true"),
    (13, "update", "!value.after.email.endsWith('@test.com')", "true"),
    (13, "update", "value.after.email.contains('Example')", "true"),
    (13, "update", "value.after.email.toLowerCase() == 'a@example.com'", "true"),
    (13, "update", "value.after.email.matches('.*@.*')", "true"),
    (14, "update", "value.after.name ==~ /srv.*/", "true"),
    (14, "update", "!!(value.after.name =~ /rv\\d/)", "true"),
    (15, "update", "valueSchema.fields.keySet().containsAll(['op','before'])", "true"),
    (15, "update", "valueSchema.name.endsWith('.Envelope')", "true"),
    (16, "flat", "value.status == 'RETRYING' || value.status == 'FAILED'", "true"),
    (
        17,
        "update",
        "new groovy.json.JsonSlurper().parseText(value.after).x == 1",
        "refused: line 1, column 1: new groovy.json.JsonSlurper: expressions cannot make objects of classes: what stands inside of a JSON text cannot be read; write value.after.contains('…') for a part of the text, or have the field as a column of its own",
    ),
    (18, "update", "value.after.tenant_id.toString().startsWith('5')", "true"),
    (18, "update", "(value.after.tenant_id as Integer) == 51", "true"),
];

#[test]
fn at_least_nine_of_ten_run_unchanged() {
    let mut wrong = Vec::new();
    let mut shapes = std::collections::BTreeMap::new();
    for (shape, on, source, expect) in SAMPLE {
        let found = result(Language::Groovy, source, on);
        let runs = !found.starts_with("refused") && !found.starts_with("fails");
        *shapes.entry(*shape).or_insert(true) &= runs;
        if found != *expect {
            wrong.push(format!("{shape}: {source}\n  gives  {found}\n  wanted {expect}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let distinct: std::collections::BTreeSet<&str> = SAMPLE.iter().map(|(_, _, source, _)| *source).collect();
    let refused =
        distinct.iter().filter(|source| result(Language::Groovy, source, "update").starts_with("refused")).count();
    let (all, running) = (shapes.len(), shapes.values().filter(|runs| **runs).count());
    assert!(running * 10 >= all * 9, "only {running} of {all} shapes run");
    assert!((distinct.len() - refused) * 10 >= distinct.len() * 9, "{refused} of {} are refused", distinct.len());
    assert_eq!((all, running, refused), (18, 17, 1));
}

/// The worked example and the mistakes that people make often.
#[test]
fn documented_mistakes() {
    for (on, source, expect) in [
        ("heartbeat", "value.op == 'u'", "fails: op is not a valid field name (column 7)"),
        ("delete", "value.after.status == 'x'", "fails: Cannot get property 'status' on null object (column 13)"),
        ("flat", "value.op == 'c'", "fails: op is not a valid field name (column 7)"),
        ("tombstone", "value.op == 'c'", "fails: Cannot get property 'op' on null object (column 7)"),
        ("tombstone", "value == null ? 'nulls' : (value.before.id == 1 ? 'ones' : null)", "'nulls'"),
        ("update", "value.before", "<Struct>"),
        ("update", "1", "<Integer>"),
        ("update", "value.op == 'd' ? topic + '.deletes' : null", "null"),
    ] {
        assert_eq!(result(Language::Groovy, source, on), expect, "{source}");
    }
}
