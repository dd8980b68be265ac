//! Feeds arbitrary texts to the parsers and evaluators of expressions: nothing may panic, and everything must end.
//!
//! The fuzz target (`fuzz/`) calls this function with libFuzzer's inputs. The tests below call it with texts that are made
//! of the words of the languages.

use std::sync::{Arc, LazyLock};

use record::{Header, Headers, Kind, Payload, Record, Schema, Value};

use super::{Expression, Language, Outcome};

/// A record with values of every type, among them a long text and a long list.
static WHOLE: LazyLock<Record<'static>> = LazyLock::new(whole);
/// A tombstone.
static TOMBSTONE: LazyLock<Record<'static>> =
    LazyLock::new(|| Record { value: Payload::Null, headers: Headers::default(), ..whole() });

fn whole() -> Record<'static> {
    let of = |kind| Schema::of(kind).optional().build();
    let logical = |kind, name: &str| Schema::of(kind).optional().named(name, Some(1)).parameter("scale", "2").build();
    let decimal = || logical(Kind::Bytes, "org.apache.kafka.connect.data.Decimal");
    let inner = || of(Kind::structure([("v", of(Kind::String)), ("n", of(Kind::Int64))]));
    let after = [
        ("a", of(Kind::Int64), Value::Int(i64::MIN)),
        ("b", of(Kind::Int8), Value::Int(2)),
        ("c", of(Kind::Float64), Value::Double(f64::NAN)),
        ("d", of(Kind::Float32), Value::Float(1.5)),
        ("e", of(Kind::Bool), Value::Bool(true)),
        ("f", of(Kind::Bytes), Value::Bytes(vec![1])),
        ("g", decimal(), Value::Decimal { unscaled: vec![0xff, 1], scale: 2 }),
        ("h", decimal(), Value::Decimal { unscaled: vec![1; 3000], scale: 2 }),
        ("i", logical(Kind::Int64, "org.apache.kafka.connect.data.Timestamp"), Value::Int(i64::MAX)),
        ("j", of(Kind::String), Value::text("é𐀀x")),
        ("k", of(Kind::String), Value::Text("ab ".repeat(50_000))),
        ("l", of(Kind::Array(of(Kind::Int32))), Value::Array((0..20_000).map(Value::Int).collect())),
        ("m", of(Kind::Array(inner())), Value::Array(vec![Value::Struct(vec![Value::text("x"), Value::Int(1)]); 2])),
        (
            "n",
            of(Kind::Map(of(Kind::String), of(Kind::Int64))),
            Value::Map(vec![(Value::text("x"), Value::Int(1)), (Value::text("y"), Value::Null)]),
        ),
        ("o", inner(), Value::Null),
        ("p", Schema::of(Kind::Int32).optional().default(Some(Value::Int(7))).build(), Value::Null),
    ];
    let row = of(Kind::structure(after.iter().map(|(name, schema, _)| (*name, Arc::clone(schema)))));
    let values = Value::Struct(after.into_iter().map(|(_, _, value)| value).collect());
    let envelope = Kind::structure([("before", Arc::clone(&row)), ("after", row), ("op", of(Kind::String))]);
    let envelope = Schema::of(envelope).named("t.Envelope", Some(2)).build();
    let key = Schema::of(Kind::structure([("id", of(Kind::Int64))])).named("t.Key", None).build();
    let mut headers = Headers::default();
    headers.push(Header::new("h", of(Kind::String), Value::text("x")));
    headers.push(Header::new("h", inner(), Value::Struct(vec![Value::Null, Value::Int(3)])));
    Record {
        topic: "srv.s.t".into(),
        partition: None,
        timestamp_ms: None,
        key: Payload::Value(key, Value::Struct(vec![Value::Int(1)])),
        value: Payload::Value(envelope, Value::Struct(vec![Value::Null, values, Value::text("u")])),
        headers,
    }
}

/// Parses an expression and evaluates it twice on two records. The first byte is the language; the rest is the expression.
///
/// # Panics
/// If something panics, or gives two results for one record.
pub fn expression(bytes: &[u8]) {
    let Some((language, source)) = bytes.split_first() else { return };
    let language = match language % 3 {
        0 => Language::Groovy,
        1 => Language::JavaScript,
        _ => Language::Cel,
    };
    look(language, &String::from_utf8_lossy(source));
}

/// Whether the expression was accepted.
fn look(language: Language, source: &str) -> bool {
    let Ok(expression) = Expression::new(language, source) else { return false };
    for record in [&*WHOLE, &*TOMBSTONE] {
        let outcome = expression.evaluate(record);
        assert_eq!(outcome, expression.evaluate(record), "two results for one record");
        if let Ok(Outcome::Text(text)) = outcome {
            assert!(text.len() <= 64 << 20, "a text of {} bytes", text.len());
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Words of the languages, so that many of their sequences are nearly right.
    const WORDS: &str = "value key topic header valueSchema keySchema .after .before .op .a .b .c .d .e .f .g .h .i .j .k .l .m .n \
        .o .p ?. . ?.a *. 1 2L 2.5 1e9 0x1F '' 'a' \"b\" \"${topic}\" \"$x\" `c` `${value.op}` /a+/ /(a)(b)?/g ~/x/ true false null \
        undefined + - * / % & | ^ ! && || ?? ?: ? : == != === !== < <= > >= <=> in !in instanceof as .. =~ ==~ ( ) [ ] [: { } \
        , ; = if else return def var let x y int String Integer (int) .size() .length .length() .startsWith( .contains( \
        .containsAll( .split( .replaceAll( .replace( .matches( .toString() .get( .field( .fields() .keySet() .name .name() \
        .toInteger() .padLeft( .take( .join( .equals( .intdiv( .compareTo( .hashCode() .value .schema .find() [0] [-1] [1..2] \
        .includes( .indexOf( .slice( .repeat( .test( .match( typeof Number( String( has( size( int( .exists(t, .all(t, .filter(t, \
        .map(t, .?a t 9999999999 -9223372036854775807 2147483647 'é𐀀' // /* */ \\n";

    fn soup() -> impl Strategy<Value = String> {
        let words: Vec<String> = WORDS.split_whitespace().map(|word| word.replace("\\n", "\n")).collect();
        proptest::collection::vec(proptest::sample::select(words), 0..24)
            .prop_map(|words| words.join(" ").replace(" .", "."))
    }

    /// Expressions that are right more often than not.
    fn grown() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![
            Just("value.after".to_owned()),
            "value\\.after\\.[a-p]".prop_map(|path| path),
            "value\\?\\.after\\?\\.[a-p]".prop_map(|path| path),
            Just("topic".to_owned()),
            Just("header.h.value".to_owned()),
            any::<i32>().prop_map(|number| format!("({number})")),
            "'[ab.é]{0,3}'",
            Just("null".to_owned()),
            Just("[1, 'a', null]".to_owned()),
        ];
        leaf.prop_recursive(5, 40, 3, |inner| {
            let two = proptest::sample::select(vec![
                "+", "-", "*", "/", "%", "==", "!=", "<", ">=", "&&", "||", "in", "?:", "<=>", "&", "??", "===",
            ]);
            let call = proptest::sample::select(vec![
                ".size()",
                ".length",
                ".toString()",
                ".trim()",
                ".toUpperCase()",
                ".toInteger()",
                "[0]",
                ".isEmpty()",
                ".abs()",
                "*.toString()",
                ".length()",
                " as int",
                " instanceof Number",
                " ==~ /a.*/",
                " =~ /b/",
                ".first()",
                ".time",
            ]);
            let called = proptest::sample::select(vec![
                ".startsWith",
                ".contains",
                ".indexOf",
                ".equals",
                ".get",
                ".padLeft",
                ".concat",
                ".join",
                ".includes",
                ".compareTo",
                ".take",
                ".getWithoutDefault",
                ".slice",
                ".containsAll",
            ]);
            prop_oneof![
                (inner.clone(), two, inner.clone()).prop_map(|(left, sign, right)| format!("({left} {sign} {right})")),
                (inner.clone(), call).prop_map(|(of, call)| format!("({of}{call})")),
                (inner.clone(), called, inner.clone()).prop_map(|(of, call, with)| format!("{of}{call}({with})")),
                (inner.clone(), inner.clone(), inner.clone()).prop_map(|(a, b, c)| format!("({a} ? {b} : {c})")),
                inner.clone().prop_map(|of| format!("!({of})")),
                inner.clone().prop_map(|of| format!("\"${{{of}}}\"")),
                (inner.clone(), inner).prop_map(|(a, b)| format!("[{a}, {b}]")),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_words(language: u8, source in soup()) {
            expression(&[&[language], source.as_bytes()].concat());
        }

        #[test]
        fn any_tree(language: u8, source in grown()) {
            expression(&[&[language], source.as_bytes()].concat());
        }

        #[test]
        fn any_text(language: u8, source: String) {
            expression(&[&[language], source.as_bytes()].concat());
        }
    }

    /// The generator of trees is worth nothing if its trees are refused.
    #[test]
    fn many_trees_are_accepted() {
        use proptest::strategy::ValueTree;
        use proptest::test_runner::TestRunner;
        let mut runner = TestRunner::deterministic();
        let sources = (0..300).filter_map(|_| Some(grown().new_tree(&mut runner).ok()?.current()));
        let accepted = sources.filter(|source| look(Language::Groovy, source)).count();
        assert!(accepted > 100, "only {accepted} of 300 expressions were accepted");
    }
}
