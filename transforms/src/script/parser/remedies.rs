//! What to write instead of what expressions may not use.
//!
//! Must not know: how anything is parsed.

use super::super::Dialect;

/// Words that begin something that expressions may not use, with the reason and the remedy.
pub(super) fn of_word(dialect: Dialect, word: &str) -> Option<&'static str> {
    Some(match word {
        "for" | "while" | "do" => "loops cannot be used: write in, contains or containsAll",
        "switch" | "case" => "switch cannot be used: write if … else, or a ? b : c",
        "try" | "catch" | "throw" => "exceptions cannot be used: write ?. where a value may be null",
        "import" | "class" | "interface" | "enum" | "package" => "classes cannot be used",
        "function" | "async" | "await" | "yield" => "functions cannot be declared",
        "assert" => "assert cannot be used: let the expression be true or false",
        "delete" | "void" => "it cannot be used",
        "this" | "super" | "it" => {
            "there is no such object: the record's parts are key, value, keySchema, valueSchema, topic and header"
        }
        "println" | "print" | "printf" | "System" | "console" | "log" => "expressions cannot write anything",
        "and" if dialect == Dialect::Groovy => "write &&",
        "or" if dialect == Dialect::Groovy => "write ||",
        "not" => "write !",
        _ => return None,
    })
}

const CLASSES: &str =
    "classes cannot be used: write x.toInteger(), x as Integer and the like (JavaScript: Number(x), String(x))";

/// What to write instead of a name that no binding has.
pub(super) fn of_variable(name: &str) -> String {
    let instead = match name {
        "headers" => "write header",
        "record" => "write value for the record's value, key for its key",
        "op" | "before" | "after" | "source" | "ts_ms" | "transaction" => return format!("write value.{name}"),
        "keyschema" | "key_schema" => "write keySchema",
        "valueschema" | "value_schema" | "schema" => "write valueSchema",
        "None" | "nil" | "NULL" | "Null" => "write null",
        "True" | "TRUE" => "write true",
        "False" | "FALSE" => "write false",
        "java" | "groovy" | "org" | "com" | "io" => CLASSES,
        name if name.starts_with(|c: char| c.is_ascii_uppercase()) => CLASSES,
        _ => "an expression knows key, value, keySchema, valueSchema, topic and header, and its own variables",
    };
    instead.to_owned()
}

/// What to write instead of a method or property that no value has, or not this kind of value.
pub(super) fn of_member(dialect: Dialect, name: &str, called: bool) -> Option<&'static str> {
    let groovy = dialect == Dialect::Groovy;
    Some(match (name, called) {
        ("includes", true) if groovy => "write contains",
        ("length" | "size", false) if groovy => "write length() or size()",
        ("contains", true) if !groovy => "write includes",
        ("size" | "length", true) if !groovy => "write length, without brackets",
        ("equals", true) if !groovy => "write ===",
        ("matches", true) if !groovy => "write /^…$/.test(text)",
        ("get" | "getString" | "getInt32" | "getInt64" | "getStruct" | "getBoolean", true) if !groovy => {
            "write value.field"
        }
        ("name" | "type" | "fields" | "optional" | "version" | "parameters" | "doc", false) if !groovy => {
            "write it with brackets, as a method"
        }
        (
            "any" | "every" | "find" | "findAll" | "collect" | "each" | "some" | "filter" | "map" | "forEach"
            | "inject" | "reduce" | "stream" | "sum" | "groupBy" | "grep",
            true,
        ) => "functions over items cannot be used: write in, contains or containsAll",
        ("getClass" | "class" | "metaClass", _) => "classes cannot be used: write instanceof",
        ("charAt", true) if groovy => "write text[0] or substring",
        ("group" | "groupCount" | "start" | "end", true) => "write (text =~ /…/)[0][1] for the first group",
        ("parseText" | "parse" | "stringify", true) => "JSON inside of a text cannot be read",
        ("put" | "add" | "remove" | "set" | "push" | "execute" | "invokeMethod" | "evaluate", true) => {
            "records cannot be changed in an expression"
        }
        ("format" | "sprintf" | "formatted", true) => "write a + b",
        _ => return None,
    })
}

/// What to write instead of an operator.
pub(super) fn of_sign(dialect: Dialect, sign: &str) -> Option<&'static str> {
    Some(match sign {
        "=" => "= assigns to a variable: write == to compare",
        "+=" | "-=" | "*=" | "/=" | "%=" | "&=" | "|=" | "^=" | "**=" | "<<=" | ">>=" | ">>>=" | "??=" | "&&="
        | "||=" => "write x = x + 1 in full",
        "++" | "--" => "write x = x + 1",
        "**" | "<<" | ">>" | ">>>" => "the operator cannot be used",
        "..<" => "write .. with the last number",
        "->" | "{" if dialect == Dialect::Groovy => "closures cannot be used: write in, contains or containsAll",
        "=>" | "{" => "functions and objects cannot be used: write includes or ===",
        ".&" | ".@" | "::" => "write . and the name",
        "~" => "write text ==~ /regex/",
        "@" => "annotations cannot be used",
        "<>" => "write !=",
        _ => return None,
    })
}
