//! CEL on records: what works, what is refused, and what never shows values.
//!
//! Must not know: how the crate evaluates.

use super::super::Language;
use super::super::tests::check;

#[test]
fn on_a_change() {
    check(
        Language::Cel,
        "update",
        &[
            ("value.op == 'u' && value.before.id == 2", "true"),
            ("value.op in ['c', 'u']", "true"),
            ("value.op == 'd' ? topic + '.deletes' : null", "null"),
            ("topic + '.x'", "'srv.inventory.orders.x'"),
            ("value.source.table == 'orders' && topic.startsWith('srv')", "true"),
            ("value.after.amount > 1000.0 && value.before.price == 2.5 && value.before.big == 2", "true"),
            ("value.after.email.contains('Example') && !value.after.email.endsWith('@test.com')", "true"),
            (
                "value.after.name.matches('^srv[0-9]$') && value.after.name.matches('rv') && !matches(topic, '^x')",
                "true",
            ),
            ("value.after.tags.exists(t, t == 'b') && 'a' in value.after.tags && size(value.after.tags) == 2", "true"),
            ("value.after.tags.all(t, t != 'c') && value.after.tags.filter(t, t > 'a') == ['b']", "true"),
            ("value.after.nothing == null && value.after.count == 7", "true"),
            ("has(value.before) && !has(value.nosuch) && 'op' in value", "true"),
            ("header.idh.value == 1 && header['name'].value == 'h' && !('nosuch' in header)", "true"),
            (
                "valueSchema.name.endsWith('.Envelope') && 'op' in valueSchema.fields && keySchema.type == 'STRUCT'",
                "true",
            ),
            ("value.?after.?nosuch.orValue('none')", "'none'"),
            ("string(value.before.tenant_id).startsWith('5') && int('7') == 7", "true"),
            ("value.before.country.value", "'UK'"),
            ("value.nosuch == 1", "fails: nosuch is not a valid field name"),
            ("value.after.nothing > 1", "fails: found no matching overload for '_>_' applied to '(null_type, int)'"),
            ("value.after.status > 1", "fails: found no matching overload for '_>_' applied to '(string, int)'"),
            ("int(value.after.status) == 1", "fails: the function int failed"),
            ("value.after[value.after.status]", "fails: there is no such field"),
            ("value.after.status + 1", "fails: no operator of string and int"),
            ("1 / 0 == 1", "fails: division by zero"),
            ("value.after", "<object>"),
            ("1 + 1", "<int>"),
        ],
    );
    check(
        Language::Cel,
        "delete",
        &[
            ("value.after != null && value.after.amount > 1000.0", "false"),
            (
                "value.after.amount > 1000.0",
                "fails: a field of null is read: ask first, as in value.after != null && value.after.id == 1",
            ),
        ],
    );
    check(Language::Cel, "tombstone", &[("value == null", "true"), ("key.id == 2", "true")]);
}

#[test]
fn refusals() {
    check(
        Language::Cel,
        "update",
        &[
            (
                "value.op == ",
                "refused: line 1, column 13: Syntax error: mismatched input '<EOF>' expecting {'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}",
            ),
            (
                "op == 'c'",
                "refused: line 1, column 1: there is no variable op: an expression knows key, value, keySchema, valueSchema, topic and header",
            ),
            (
                "topic.foo()",
                "refused: line 1, column 10: there is no function foo: the functions are contains, startsWith, endsWith, matches, size, int, uint, double, string, bytes, bool, dyn, type, of, none, ofNonZeroValue, hasValue, value, or, orValue",
            ),
            ("[1].map(x, x + 1) == [2]", "refused: line 1, column 8: map cannot be used: write exists, all or filter"),
            (
                "[1].exists(x, [2].exists(y, x == y))",
                "refused: line 1, column 25: all, exists, exists_one or filter cannot stand inside of another one: its time would have no bound",
            ),
            (
                "topic.matches(value.op)",
                "refused: line 1, column 14: the regex of matches() must be written out as a text, so that it can be checked now",
            ),
            ("topic.matches('(')", "refused: line 1, column 14: Unclosed group near index 1\n("),
        ],
    );
}

#[test]
fn it_is_bounded() {
    for source in [
        "(".repeat(5000),
        "1".to_owned() + &"+1".repeat(3000),
        "value".to_owned() + &".a".repeat(3000),
        "true?".repeat(1500),
        "[".repeat(3000),
        "a(".repeat(3000),
        "x".repeat(9000),
    ] {
        assert!(super::Cel::new(&source).is_err(), "{}", &source[..10]);
    }
    for source in ["true".to_owned() + &" || true".repeat(900), "!".repeat(5000) + "true", "-".repeat(5000) + "1"] {
        assert!(super::Cel::new(&source).is_ok(), "{}", &source[..10]);
    }
}
