//! JavaScript's rules, one row each.
//!
//! Must not know: how anything is evaluated.

use super::super::Language;

#[track_caller]
fn check(on: &str, table: &[(&str, &str)]) {
    super::check(Language::JavaScript, on, table);
}

#[test]
fn one_liners() {
    check(
        "update",
        &[
            ("value.op == 'u' && value.before.id == 2", "true"),
            ("value.op === 'u' && value.before.id === 2 && value.before.big === 2", "true"),
            ("value.op != 'd' || value.before.id != 2", "true"),
            ("header.idh.value == 1 && topic.startsWith('dummy')", "false"),
            ("value.after?.status === 'shipped' ? 'high-value' : null", "'high-value'"),
            ("['c', 'u'].includes(value.op)", "true"),
            ("['c', 'u'].indexOf(value.op) >= 0", "true"),
            ("'op' in value && !('nosuch' in value) && 'idh' in header", "true"),
            ("`${topic}-x`", "'srv.inventory.orders-x'"),
            (
                "topic + '.' + value.op + value.before.id + 1.0 + true + null + undefined",
                "'srv.inventory.orders.u21truenullundefined'",
            ),
            ("/^srv\\./.test(topic) && !/^SRV/.test(topic) && /^SRV/i.test(topic)", "true"),
            ("topic.split('.')[2]", "'orders'"),
            ("topic.replace('.', '_') + topic.replace(/\\./g, '-')", "'srv_inventory.orderssrv-inventory-orders'"),
            ("valueSchema.field('op') != null && valueSchema.name().endsWith('.Envelope')", "true"),
            ("value.after.amount > 1000", "true"),
            ("var x = value.op; x === 'u'", "true"),
            ("if (value.op === 'd') { 'deletes' } else { null }", "null"),
            ("let a = 1, b = 2; a + b === 3", "true"),
            ("value.after.tags.includes('a') && value.after.tags.length === 2 && value.after.tags[0] === 'a'", "true"),
            ("value.after.tags.contains('b') && value.after.tags.size() === 2", "true"),
            ("String(value.before.id) === '2' && Number('12') === 12 && Boolean('') === false", "true"),
            (
                "typeof value.op === 'string' && typeof value.before.id == 'number' && typeof value.nothing",
                "fails: nothing is not a valid field name (column 84)",
            ),
        ],
    );
    check(
        "delete",
        &[
            ("value.after?.amount > 1000", "false"),
            ("value.after?.country.value", "null"),
            ("(value.after?.country).value", "fails: TypeError: Cannot read property 'value' of undefined (column 24)"),
            ("value.after.amount > 1000", "fails: TypeError: Cannot read property 'amount' of null (column 13)"),
            ("value.after === null && value.after !== undefined && value.after == undefined", "true"),
        ],
    );
    check(
        "bare",
        &[(
            "true",
            "fails: java.lang.ClassCastException: class java.lang.Integer cannot be cast to class org.apache.kafka.connect.data.Struct",
        )],
    );
    check("tombstone", &[("value == null ? 'nulls' : 'x'", "'nulls'")]);
    check("flat", &[("value.class", "'x'"), ("value.nosuch", "fails: nosuch is not a valid field name (column 7)")]);
}

#[test]
fn operators() {
    check(
        "update",
        &[
            ("1 == '1' && 1 !== '1' && true == 1 && null == undefined && null !== undefined && '' == 0", "true"),
            ("NaN == NaN || null == 0 || undefined == 0", "false"),
            ("null >= 0 && !(undefined >= 0) && !(undefined < 0)", "true"),
            ("'10' < '9' && !(10 < '9') && 'b' > 'a'", "true"),
            ("'a' > 1 || 'a' < 1", "false"),
            ("0 || '' || null", "null"),
            ("0 || 'x'", "'x'"),
            ("'a' && 'b'", "'b'"),
            ("value.before && value.before.flags", "'{}'"),
            ("null ?? 'x'", "'x'"),
            ("'' ?? 'x'", "''"),
            ("!!value.before && ![].length && !![]", "true"),
            ("7 / 2 === 3.5 && 7 % 3 === 1 && -7 % 3 === -1 && 2147483647 + 1 === 2147483648", "true"),
            ("1 / 0 === -(-1 / 0) && isNaN(0 / 0) && isNaN('x')", "true"),
            ("'5' * '2' === 10 && '5' - 2 === 3 && +'5' === 5 && -'5' === -5 && '5' + 2 === '52'", "true"),
            ("(5 & 3) === 1 && (5 | 2) === 7 && (5 ^ 1) === 4", "true"),
            ("0.1 + 0.2 + ''", "'0.30000000000000004'"),
            ("value.before.amount == 2 && value.before.amount === 2", "false"),
            ("header.nosuch === undefined && header.nosuch?.value === undefined", "true"),
            ("header.nosuch.value", "fails: TypeError: Cannot read property 'value' of undefined (column 15)"),
            ("'abc'.length === 3 && 'abc'[1] === 'b' && 'abc'[9] === undefined && 'abc'.charAt(0) === 'a'", "true"),
            ("'abcd'.slice(-2) + 'abcd'.substring(3, 1) + 'abcd'.slice(1, 2)", "'cdbcb'"),
            ("'abc'.match(/b(c)/)[1] === 'c' && 'abc'.match(/x/) === null && 'abc'.search(/c/) === 2", "true"),
            ("'a-b-c'.replaceAll('-', '+') + 'a1b2'.replace(/(\\d)/g, '<$1$&$$>')", "'a+b+ca<11$>b<22$>'"),
            ("'ab'.repeat(2) + 'x'.padStart(3, '-') + ' y '.trim() + 'aB'.toUpperCase()", "'abab--xyAB'"),
            ("['a', null, 1].join('-') + [1, 2]", "'a--11,2'"),
            ("(2.5).toFixed(2)", "'2.50'"),
            ("['x'].includes(value.nosuch)", "fails: nosuch is not a valid field name (column 22)"),
        ],
    );
}
