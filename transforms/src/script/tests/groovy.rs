//! Groovy's rules, one row each.
//!
//! Must not know: how anything is evaluated.

use super::super::Language;

#[track_caller]
fn check(on: &str, table: &[(&str, &str)]) {
    super::check(Language::Groovy, on, table);
}

#[test]
fn properties() {
    check(
        "update",
        &[
            ("value.after.status", "'shipped'"),
            ("value.get('op')", "'u'"),
            ("value['op']", "'u'"),
            ("value.after.'status'", "'shipped'"),
            ("value.nosuch", "fails: nosuch is not a valid field name (column 7)"),
            ("value['nosuch']", "fails: nosuch is not a valid field name (column 6)"),
            // A null field gives its default, unless one asks without.
            ("value.after.count == 7", "true"),
            ("value.after.getWithoutDefault('count') == null", "true"),
            ("value.after.nothing", "null"),
            ("value.after.nothing.x", "fails: Cannot get property 'x' on null object (column 21)"),
            ("value.after.nothing?.x?.y", "null"),
            (
                "value.after.nothing.foo()",
                "refused: line 1, column 21: there is no method foo(): no value of a record has it",
            ),
            ("value.after.nothing.trim()", "fails: Cannot invoke method trim() on null object (column 21)"),
            ("value.after.nothing?.trim()", "null"),
            ("value.after.nothing.toString()", "'null'"),
            ("value.after.status.x", "fails: No such property: x for class: java.lang.String (column 20)"),
            ("header.nosuch", "null"),
            ("header.nosuch.value", "fails: Cannot get property 'value' on null object (column 15)"),
            ("header.nosuch?.value", "null"),
            ("header['name'].value + header.get('name').getValue()", "'hh'"),
            ("header.idh.schema.type().name()", "'INT32'"),
            ("header.containsKey('idh') && header.size() == 2", "true"),
            ("keySchema.name", "'srv.inventory.orders.Key'"),
            ("valueSchema.version == 2 && !valueSchema.optional", "true"),
            ("valueSchema.field('nosuch') == null", "true"),
            ("valueSchema.field('op').schema().type().getName()", "'string'"),
            ("valueSchema.fields()*.name().contains('op')", "true"),
            ("valueSchema.fields*.name.contains('nosuch')", "false"),
            ("value.after.schema().field('status').index()", "<Integer>"),
            ("value.getStruct('after').getString('status')", "'shipped'"),
            ("value.after.getInt32('status')", "fails: Field 'status' is not of type INT32 (column 13)"),
            ("value.after.at.time - value.before.at.getTime() == 4000", "true"),
            ("value.after.at > value.before.at", "true"),
            ("value.source.lsn == 24023128 && value.source.snapshot == 'false'", "true"),
            ("value.ts_ms > value.source.ts_ms", "true"),
            ("value.transaction == null", "true"),
        ],
    );
    check("tombstone", &[("valueSchema", "null"), ("valueSchema?.field('op')", "null"), ("value?.op", "null")]);
    check(
        "bare",
        &[
            ("key == 7 && value.id == 2", "true"),
            ("key.id", "fails: No such property: id for class: java.lang.Integer (column 5)"),
        ],
    );
    check("flat", &[("value.get('class')", "'x'")]);
}

#[test]
fn truth_and_logic() {
    let mut table = Vec::new();
    for (value, expect) in [
        ("null", "false"),
        ("0", "false"),
        ("0.0", "false"),
        ("value.after.price", "false"),
        ("-1", "true"),
        ("''", "false"),
        ("'a'", "true"),
        ("\"${''}\"", "false"),
        ("[]", "false"),
        ("[0]", "true"),
        ("[:]", "false"),
        ("[a: 1]", "true"),
        ("('ab' =~ /b/)", "true"),
        ("('ab' =~ /c/)", "false"),
        ("value.before", "true"),
        ("value.after.nothing", "false"),
        ("valueSchema", "true"),
        ("header", "true"),
    ] {
        table.push((format!("!!{value}"), expect));
        table.push((format!("{value} ? true : false"), expect));
        table.push((format!("{value} && true"), expect));
        table.push((format!("false || {value}"), expect));
    }
    let table: Vec<(&str, &str)> = table.iter().map(|(source, expect)| (source.as_str(), *expect)).collect();
    check("update", &table);
    check(
        "update",
        &[
            ("true || value.nosuch", "true"),
            ("false && value.nosuch", "false"),
            ("null ?: 'x'", "'x'"),
            ("'' ?: 'x'", "'x'"),
            ("'a' ?: value.nosuch", "'a'"),
            ("value.after.nothing ?: value.after.blank ?: 'z'", "'z'"),
            ("true ? 'a' : false ? 'b' : 'c'", "'a'"),
            ("false ? 'a' : false ? 'b' : 'c'", "'c'"),
            ("!value.op == 'u'", "false"),
            ("!(value.op == 'c')", "true"),
        ],
    );
}

#[test]
fn equality_and_order() {
    check(
        "update",
        &[
            // Keys are compared with literals, so this matters most: INT32, INT16, INT64 and decimals are compared by value.
            (
                "value.before.id == 2 && value.before.small == 2 && value.before.big == 2 && value.before.amount == 2",
                "true",
            ),
            ("value.before.amount == 2.0 && 2.00 == value.before.amount && value.before.price == 2.5", "true"),
            ("value.before.big == value.before.small", "true"),
            ("2 == 2L && 2 == 2.0 && 2.0 == 2.0d && 2.0f == 2", "true"),
            ("'2' == 2", "false"),
            ("2 == '2'", "false"),
            ("null == null", "true"),
            ("null == 0", "false"),
            ("value.after.nothing == ''", "false"),
            ("\"${'a'}b\" == 'ab' && 'ab' == \"${'a'}b\"", "true"),
            ("[1, 2] == [1L, 2.0] && [1] != [1, 2] && [a: 1] == [a: 1L]", "true"),
            ("value.after.tags == ['a', 'b']", "true"),
            ("value.before == value.before && value.before != value.after", "true"),
            ("value.before.country == value.after.country", "true"),
            ("true == false", "false"),
            ("null < 1 && null < 'a' && 1 > null", "true"),
            ("null > 1 || null >= 1", "false"),
            ("null <= null && !(null < null)", "true"),
            ("value.after.nothing > 1000", "false"),
            ("value.after.nothing < 1000", "true"),
            ("'a' > 1", "fails: Cannot compare java.lang.String and java.lang.Integer (column 5)"),
            ("1 > 'abc'", "fails: Cannot compare java.lang.Integer and java.lang.String (column 3)"),
            ("'a' < 'b' && 'B' < 'a' && 'a' < 'ab'", "true"),
            ("'\\uffff' > '𐀀'", "true"),
            ("false < true", "true"),
            ("2 <=> 3", "<Integer>"),
            ("(2 <=> 3) == -1 && ('b' <=> 'a') == 1", "true"),
            (
                "value.before > value.after",
                "fails: Cannot compare org.apache.kafka.connect.data.Struct and org.apache.kafka.connect.data.Struct (column 14)",
            ),
        ],
    );
}

#[test]
fn arithmetic() {
    check(
        "update",
        &[
            ("1 + 2 * 3 == 7 && (1 + 2) * 3 == 9 && 7 - 2 - 1 == 4", "true"),
            ("2147483647 + 1 == -2147483648", "true"),
            ("2147483647L + 1 == 2147483648", "true"),
            ("9223372036854775807 + 1 == -9223372036854775807 - 1", "true"),
            ("1 / 2", "<BigDecimal>"),
            ("1 / 2 == 0.5 && 7 % 3 == 1 && -7 % 3 == -1", "true"),
            ("'' + 1 / 3", "'0.3333333333'"),
            ("'' + 1.10 + 2.5d + 3L + true + null", "'1.102.53truenull'"),
            ("1 + 'a'", "'1a'"),
            ("1 / 0", "fails: Division by zero (column 3)"),
            ("1 % 0", "fails: Division by zero (column 3)"),
            ("null + 1", "fails: Cannot invoke method plus() on null object (column 6)"),
            (
                "'a' - 1",
                "fails: No signature of method: java.lang.String.minus() is applicable for argument types: (java.lang.Integer) (column 5)",
            ),
            (
                "6 & 3 == 2",
                "fails: No signature of method: java.lang.Integer.and() is applicable for argument types: (java.lang.Boolean) (column 3)",
            ),
            ("(6 & 3) == 2 && (6 | 1) == 7 && (6 ^ 2) == 4", "true"),
            ("true & false | true", "true"),
            ("0x1F == 31 && 010 == 8 && 1_000 == 1000", "true"),
            (
                "1.5.class",
                "refused: line 1, column 5: class is Java's class, not a field: write get('class') for a field of this name, instanceof for a class",
            ),
            ("-2.5 + +2.5 == 0", "true"),
            ("7.intdiv(2) == 3 && -5.abs() == -5 && (-5).abs() == 5", "true"),
            ("[1] + [2] == [1, 2] && [1] + 2 == [1, 2]", "true"),
            ("value.before.big + value.before.small", "<Long>"),
            ("value.before.small + value.before.small", "<Integer>"),
            ("value.before.amount * 2 == 4", "true"),
        ],
    );
}

#[test]
fn membership_and_types() {
    check(
        "update",
        &[
            ("value.op in ['c', 'u']", "true"),
            ("!(value.op in ['c', 'u'])", "false"),
            ("value.op !in ['c', 'u']", "false"),
            // List.contains asks Java's equals, for which an Integer is no Long.
            ("value.before.id in [1, 2]", "true"),
            ("value.before.big in [1, 2]", "false"),
            ("value.before.big in [1L, 2L]", "true"),
            ("[1, 2].contains(value.before.big)", "false"),
            ("(value.before.big as int) in [1, 2]", "true"),
            ("'a' in value.after.tags && value.after.tags.contains('b') && !value.after.tags.contains('c')", "true"),
            ("'x' in [x: 1] && !('y' in [x: 1])", "true"),
            ("3 in 1..5 && !(6 in 1..5) && 3 in 5..1", "true"),
            ("null in [null] && !(null in [1])", "true"),
            ("'a' in String && !(1 in String)", "true"),
            ("'ab' in ~/a./", "true"),
            ("'ab' in 'ab'", "true"),
            ("'idh' in header", "true"),
            (
                "1 instanceof Integer && 1 instanceof Number && !(1 instanceof Long) && 1L instanceof java.lang.Long",
                "true",
            ),
            ("value.before.small instanceof Short && value.before.amount instanceof BigDecimal", "true"),
            (
                "value instanceof org.apache.kafka.connect.data.Struct && 'a' instanceof String && null !instanceof String",
                "true",
            ),
            ("\"${1}\" instanceof String || !(\"${1}\" instanceof GString)", "false"),
            ("'5' as Integer == 5 && ('5' as int) + 1 == 6 && '2.5' as BigDecimal == 2.5", "true"),
            ("5 as String", "'5'"),
            ("(String) 5", "'5'"),
            ("(int) 5.9 == 5 && (long) 3000000000.5 == 3000000000 && 300 as byte == 44", "true"),
            ("null as Integer", "null"),
            ("'x' as Integer", "fails: java.lang.NumberFormatException: the text is no such number (column 5)"),
            (
                "value.after as Integer",
                "fails: Cannot cast object of class 'org.apache.kafka.connect.data.Struct' to the class that is asked for (column 13)",
            ),
            ("'false' as Boolean", "true"),
        ],
    );
}

#[test]
fn texts() {
    check(
        "update",
        &[
            ("topic.startsWith('srv.') && topic.endsWith('orders') && topic.contains('inv')", "true"),
            ("'a'.equals('a') && !'a'.equals('b') && 'Ab'.equalsIgnoreCase('aB') && !'a'.equals(null)", "true"),
            ("topic.length() == 20 && topic.size() == 20 && ''.isEmpty() && ' '.isBlank()", "true"),
            ("'é𐀀'.length() == 3", "true"),
            ("'aB'.toUpperCase() + 'aB'.toLowerCase() + ' x '.trim()", "'ABabx'"),
            ("'abcd'.substring(1) + 'abcd'.substring(1, 3)", "'bcdbc'"),
            (
                "'abcd'.substring(5)",
                "fails: java.lang.StringIndexOutOfBoundsException: String index out of range (column 8)",
            ),
            ("'abcd'.indexOf('c') == 2 && 'abcd'.indexOf('x') == -1 && 'abab'.lastIndexOf('b') == 3", "true"),
            ("topic.split('\\\\.')[1]", "'inventory'"),
            ("topic.split(/\\./).length == 3 && topic.tokenize('.').size() == 3 && 'a b'.split()[1] == 'b'", "true"),
            ("topic.split('\\\\.')[-1] + topic.tokenize('.').last()", "'ordersorders'"),
            ("topic.split('\\\\.')[9]", "null"),
            ("topic.replace('.', '_')", "'srv_inventory_orders'"),
            ("topic.replaceAll('[aeiou]', '').replaceFirst(/\\./, '-')", "'srv-nvntry.rdrs'"),
            ("topic.replaceAll('(\\\\w+)$', '<$1>')", "'srv.inventory.<orders>'"),
            ("topic.replaceAll('s', '$9')", "fails: No group 9 (column 7)"),
            (
                "'12'.toInteger() + '3'.toLong() == 15 && '1.50'.toBigDecimal() == 1.5 && '2.5'.toDouble() == 2.5",
                "true",
            ),
            (
                "'x'.toInteger()",
                "fails: java.lang.NumberFormatException: the text is no number for toInteger() (column 5)",
            ),
            ("'12'.isNumber() && !'a'.isNumber() && '7'.isInteger() && 'true'.toBoolean()", "true"),
            ("'abc'[0] + 'abc'[-1] + 'abcd'[1..2]", "'acbc'"),
            (
                "'ab'.concat('c') + 'x'.padLeft(3, '0') + 'abc'.take(2) + 'abc'.drop(2) + 'abc'.reverse()",
                "'abc00xabccba'",
            ),
            ("'abc'.hashCode() == 96354 && 'b'.compareTo('a') > 0", "true"),
            ("topic.matches('srv') || !topic.matches('srv.*')", "false"),
            ("topic ==~ /srv\\.inventory\\.(orders|items)/", "true"),
            ("topic ==~ 'srv'", "false"),
            ("null ==~ /x/", "false"),
            ("topic =~ /inv/ ? 'yes' : 'no'", "'yes'"),
            ("(topic =~ /(\\w+)\\.(\\w+)$/)[0][2]", "'orders'"),
            ("(topic =~ /r\\w/)[1]", "'ry'"),
            (
                "(topic =~ /x/)[0]",
                "fails: java.lang.IndexOutOfBoundsException: the regex has fewer matches (column 15)",
            ),
            ("(topic =~ /srv/).find() && !(topic =~ /srv/).matches()", "true"),
            ("\"${topic}-${value.op}\".toString()", "'srv.inventory.orders-u'"),
            (
                "\"$topic.x\"",
                "refused: line 1, column 9: a text has no property x: it has startsWith(), endsWith(), contains(), equalsIgnoreCase(), containsIgnoreCase(), startsWithIgnoreCase(), endsWithIgnoreCase(), length(), size(), isEmpty(), isBlank(), toLowerCase(), toUpperCase(), trim(), strip(), capitalize(), reverse(), substring(), take(), drop(), indexOf(), lastIndexOf(), concat(), replace(), replaceAll(), replaceFirst(), matches(), split(), tokenize(), padLeft(), padRight(), toInteger(), toLong(), toDouble(), toFloat(), toBigDecimal(), toBoolean(), isNumber(), isInteger(), isLong(), compareTo(), hashCode(), toString()",
            ),
            ("(\"$value.op-x\" + 'y').toString()", "'u-xy'"),
            ("\"a\" + \"${1}\"", "'a1'"),
            ("\"${1}\" + 'a'", "<GStringImpl>"),
            ("'it''s'", "refused: line 1, column 5: a text cannot stand here; between two statements there is a ;"),
            ("'''a'b''' + \"\"\"c\"d\"\"\"", "'a'bc\"d'"),
            ("'a\\tb\\u0041\\'' + \"\\$x\"", "'a\tbA'$x'"),
            ("'' + [1, 'a', [b: null]] + value.after.tags", "'[1, a, [b:null]][a, b]'"),
            ("'' + value.after.country", "'Struct{value=UK}'"),
            ("'' + valueSchema", "'Schema{srv.inventory.orders.Envelope:STRUCT}'"),
            ("['a', 'b'].join('-') + value.after.tags.join('')", "'a-bab'"),
        ],
    );
}

#[test]
fn statements() {
    check(
        "update",
        &[
            ("def x = value.op; x == 'u'", "true"),
            ("def x = value.before.id\nif (x == 2) {\n  return 'two'\n} else {\n  return 'other'\n}", "'two'"),
            ("if (value.op == 'd') 'a' else if (value.op == 'u') 'b' else 'c'", "'b'"),
            ("if (value.op == 'd') { 'a' }", "null"),
            ("String t = topic + '.x'; t", "'srv.inventory.orders.x'"),
            ("final int n = 2.9; n == 2", "true"),
            ("x = 1; x = x + 1; x == 2", "true"),
            ("def a, b = 2; a == null && b == 2", "true"),
            ("return true; value.nosuch", "true"),
            ("// a comment\nvalue.op == 'u' /* and\n more */ && true", "true"),
            ("value.op == 'u'\n  && value.before.id == 2\n  ? 'yes'\n  : 'no'", "'yes'"),
            ("topic\n  .toUpperCase()", "'SRV.INVENTORY.ORDERS'"),
            ("[1,\n 2].size() == 2", "true"),
            (
                "if (true) { def y = 1 }; y",
                "refused: line 1, column 26: there is no variable y: an expression knows key, value, keySchema, valueSchema, topic and header, and its own variables",
            ),
            ("if (false) { z = 1 }; z", "fails: the variable has no value yet (column 23)"),
            ("return", "null"),
            (
                "def m = [a: 1, 'b': 2, (topic): 3]; m.a + m['b'] + m.get(topic) == 6 && m.c == null && m.size() == 3",
                "true",
            ),
            ("def l = [1, 2, 3]; l[0] + l[-1] == 4 && l[7] == null && l.first() == 1 && l.indexOf(3) == 2", "true"),
        ],
    );
}
