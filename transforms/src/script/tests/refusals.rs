//! What is refused when the connector is created, with the place and what to write instead.
//!
//! Must not know: how anything is parsed.

use super::super::Language;
use super::check;

#[test]
fn in_groovy() {
    check(
        Language::Groovy,
        "update",
        &[
            ("", "refused: line 1, column 1: the expression is empty"),
            ("operation != 'd", "refused: line 1, column 14: the text has no end: a ' is missing"),
            ("value.op == ", "refused: line 1, column 13: the end stands where a value must stand"),
            (
                "value.op = 'c'",
                "refused: line 1, column 10: = cannot stand here: = assigns to a variable: write == to compare",
            ),
            ("(value.op == 'c'", "refused: line 1, column 17: a bracket is missing that closes ("),
            ("value.op == 'c')", "refused: line 1, column 16: the bracket ) closes nothing"),
            ("headers.a.value", "refused: line 1, column 1: there is no variable headers: write header"),
            ("op == 'c'", "refused: line 1, column 1: there is no variable op: write value.op"),
            (
                "record.value.op == 'c'",
                "refused: line 1, column 1: there is no variable record: write value for the record's value, key for its key",
            ),
            ("value.op == 'c' and value.op == 'u'", "refused: line 1, column 17: and cannot stand here: write &&"),
            ("value.op === 'c'", "refused: line 1, column 10: === compares objects, not values: write =="),
            ("topic.includes('a')", "refused: line 1, column 7: a text has no method includes(): write contains"),
            (
                "value.after.email.includes('a')",
                "refused: line 1, column 19: there is no method includes(): write contains",
            ),
            ("topic.length == 3", "refused: line 1, column 7: a text has no property length: write length() or size()"),
            ("topic.startsWith()", "refused: line 1, column 7: startsWith() takes 1 arguments, not 0"),
            (
                "value.getClass()",
                "refused: line 1, column 7: there is no method getClass(): classes cannot be used: write instanceof",
            ),
            (
                "value.class.forName('x')",
                "refused: line 1, column 7: class is Java's class, not a field: write get('class') for a field of this name, instanceof for a class",
            ),
            (
                "value.after.tags.any { it == 'a' }",
                "refused: line 1, column 22: closures cannot be used: write in, contains or containsAll",
            ),
            (
                "value.after.tags.any({ it == 'a' })",
                "refused: line 1, column 22: { cannot stand here: closures cannot be used: write in, contains or containsAll",
            ),
            (
                "System.exit(0)",
                "refused: line 1, column 1: System cannot stand here: expressions cannot write anything",
            ),
            (
                "Runtime.getRuntime()",
                "refused: line 1, column 1: there is no variable Runtime: classes cannot be used: write x.toInteger(), x as Integer and the like (JavaScript: Number(x), String(x))",
            ),
            (
                "Integer.parseInt('1') == 1",
                "refused: line 1, column 1: there is no variable Integer: classes cannot be used: write x.toInteger(), x as Integer and the like (JavaScript: Number(x), String(x))",
            ),
            (
                "'ls'.execute()",
                "refused: line 1, column 6: a text has no method execute(): records cannot be changed in an expression",
            ),
            (
                "new File('/etc/passwd').text",
                "refused: line 1, column 1: new File: expressions cannot make objects of classes: write a text, a number or a list: 'a', 1, [1, 2]",
            ),
            (
                "for (x in [1]) { x }",
                "refused: line 1, column 1: for cannot stand here: loops cannot be used: write in, contains or containsAll",
            ),
            (
                "while (true) {}",
                "refused: line 1, column 1: while cannot stand here: loops cannot be used: write in, contains or containsAll",
            ),
            (
                "import java.io.File\ntrue",
                "refused: line 1, column 1: import cannot stand here: classes cannot be used",
            ),
            ("def f(x) { x }\nf(1)", "refused: line 1, column 5: functions cannot be declared"),
            (
                "f(1)",
                "refused: line 1, column 1: there is no function f: an expression knows key, value, keySchema, valueSchema, topic and header, and its own variables",
            ),
            (
                "topic = 'x'",
                "refused: line 1, column 1: topic is a part of the record and cannot be changed: write == to compare",
            ),
            (
                "def value = 1",
                "refused: line 1, column 5: value is a part of the record: give the variable another name",
            ),
            (
                "value.after.put('a', 1)",
                "refused: line 1, column 13: there is no method put(): records cannot be changed in an expression",
            ),
            ("topic ==~ '('", "refused: line 1, column 11: Unclosed group near index 1\n("),
            (
                "topic ==~ value.op",
                "refused: line 1, column 11: a regex must be written out here, as in topic ==~ /srv\\..*/, so that it can be checked now",
            ),
            (
                "topic.matches(value.op)",
                "refused: line 1, column 7: the regex of matches() must be written out as a text, so that it can be checked now",
            ),
            (
                "topic ==~ /srv/ ==~ 1",
                "refused: line 1, column 21: a regex must be written out here, as in topic ==~ /srv\\..*/, so that it can be checked now",
            ),
            ("1 << 2", "refused: line 1, column 3: << cannot stand here: the operator cannot be used"),
            ("2 ** 3", "refused: line 1, column 3: ** cannot stand here: the operator cannot be used"),
            (
                "x++",
                "refused: line 1, column 1: there is no variable x: an expression knows key, value, keySchema, valueSchema, topic and header, and its own variables",
            ),
            ("def x = 1; x++", "refused: line 1, column 13: ++ cannot stand here: write x = x + 1"),
            (
                "1 instanceof Foo",
                "refused: line 1, column 14: the class Foo cannot be used: these can: Number, String, Integer, Long, Short, Byte, Double, Float, BigDecimal, Boolean, List, Map, Date, CharSequence, GString, Struct, Object",
            ),
            (
                "99999999999999999999",
                "refused: line 1, column 1: 99999999999999999999 is no number that can be used here: whole numbers have at most 64 bits; write a decimal, such as 1.0",
            ),
            (
                "'a\\d'",
                "refused: line 1, column 3: \\d has no meaning in a text: write \\\\d for a backslash, or /…/ for a regex",
            ),
            (
                "\"a$\"",
                "refused: line 1, column 3: a $ in a text between \" stands before a name or {: write \\$ for the character",
            ),
            ("\"${topic\"", "refused: line 1, column 9: the text has no end: a \" is missing"),
            ("value.op == 'c' # x", "refused: line 1, column 17: the character # has no meaning here"),
            (
                "value.op\n== 'c' 'd'",
                "refused: line 2, column 8: a text cannot stand here; between two statements there is a ;",
            ),
            (
                "valueSchema.nosuch",
                "refused: line 1, column 13: a schema has no property nosuch: it has field(), fields(), fields, name(), name, type(), type, version(), version, doc(), isOptional(), optional, parameters(), parameters, defaultValue(), defaultValue, valueSchema(), keySchema()",
            ),
            (
                "header.a.b",
                "refused: line 1, column 10: a header has no property b: it has value, getValue(), schema, getSchema()",
            ),
            ("null.x", "refused: line 1, column 6: null has no property x: it has toString(), equals()"),
            ("topic()", "refused: line 1, column 6: this is no function: only methods can be called"),
        ],
    );
}

#[test]
fn in_javascript() {
    check(
        Language::JavaScript,
        "update",
        &[
            ("value.get('op') == 'd'", "refused: line 1, column 7: a struct has no method get(): write value.field"),
            ("topic.contains('a')", "refused: line 1, column 7: a text has no method contains(): write includes"),
            ("value.op.equals('c')", "refused: line 1, column 10: there is no method equals(): write ==="),
            (
                "valueSchema.name",
                "refused: line 1, column 13: a schema has no property name: write it with brackets, as a method",
            ),
            (
                "return true",
                "refused: line 1, column 1: return cannot stand outside of a function: the value of the last statement is the result",
            ),
            ("function f() {}", "refused: line 1, column 1: function cannot stand here: functions cannot be declared"),
            (
                "[1].some(x => x == 1)",
                "refused: line 1, column 10: functions cannot be used: write includes, indexOf or ===",
            ),
            (
                "({a: 1}).a",
                "refused: line 1, column 2: { cannot stand here: functions and objects cannot be used: write includes or ===",
            ),
            (
                "new Date()",
                "refused: line 1, column 1: new Date: expressions cannot make objects of classes: write a text, a number or a list: 'a', 1, [1, 2]",
            ),
            (
                "JSON.parse(value.after)",
                "refused: line 1, column 1: there is no variable JSON: classes cannot be used: write x.toInteger(), x as Integer and the like (JavaScript: Number(x), String(x))",
            ),
            (
                "Java.type('java.lang.System')",
                "refused: line 1, column 1: there is no variable Java: classes cannot be used: write x.toInteger(), x as Integer and the like (JavaScript: Number(x), String(x))",
            ),
            (
                "/a/.exec(topic)",
                "refused: line 1, column 1: a regex stands only in /…/.test(text), text.match(/…/), replace(/…/, '…'), split(/…/) and search(/…/)",
            ),
            ("/(/.test(topic)", "refused: line 1, column 1: Unclosed group near index 1\n("),
            ("/a/y.test(topic)", "refused: line 1, column 1: the flag y of a regex cannot be used"),
            (
                "topic.match('a')",
                "refused: line 1, column 7: the argument of match() must be a regex: write match(/…/)",
            ),
            (
                "topic.startsWith(/a/)",
                "refused: line 1, column 18: the argument of startsWith() is no regex: write a text",
            ),
            ("value.op == 'c' ==~ 1", "refused: line 1, column 19: ~ cannot stand here: write text ==~ /regex/"),
            (
                "value instanceof Object",
                "refused: line 1, column 7: instanceof cannot be used: write typeof x == 'number'",
            ),
            ("10n", "refused: line 1, column 1: 10n is no number that can be used here: write it without n"),
            (
                "value.op = 'x'",
                "refused: line 1, column 10: = cannot stand here: = assigns to a variable: write == to compare",
            ),
        ],
    );
}
