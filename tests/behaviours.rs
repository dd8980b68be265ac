//! The lists of behaviours in `tests/behaviours/`: each behaviour names the tests that hold it, and each of them exists.
//!
//! A list has one `[[behaviour]]` a row: `id` (one word that no other row has), `says` (what happens, in plain words) and
//! `tests`. What stands in `tests` is one of:
//! - `path/of/file.rs::function`: a test of that file, which is not ignored;
//! - `path/of/file.rs::function | text`: the test's function holds this text, which is the case that is meant;
//! - `path/of/file.rs | text`: an example in the file's documentation holds this text (the transforms' examples are run by
//!   `what_the_documentation_shows_is_what_happens`);
//! - `path/of/data | text`: a file of data whose cases a test runs; one of its lines holds this text;
//! - `golden name`: a scenario of `tests/golden`, with what Debezium wrote.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a test program")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Gives the text of a file of the checkout, if it is there.
type Read<'a> = &'a dyn Fn(&str) -> Option<String>;

/// What is wrong with one list. `ids` are those of the lists before.
fn complaints(name: &str, list: &str, ids: &mut BTreeSet<String>, read: Read<'_>) -> Vec<String> {
    let list: toml::Table = match list.parse() {
        Ok(list) => list,
        Err(error) => return vec![format!("{name}: {error}")],
    };
    let rows = list.get("behaviour").and_then(toml::Value::as_array).map_or(&[][..], Vec::as_slice);
    if rows.is_empty() || list.len() > 1 {
        return vec![format!("{name}: it must hold [[behaviour]] rows and nothing else")];
    }
    let mut wrong = Vec::new();
    for row in rows {
        let text = |key: &str| row.get(key).and_then(toml::Value::as_str).unwrap_or_default();
        let tests = row.get("tests").and_then(toml::Value::as_array).map_or(&[][..], Vec::as_slice);
        let id = text("id");
        if id.is_empty() || text("says").is_empty() || row.as_table().unwrap().len() != 3 {
            wrong.push(format!("{name}, {id}: a row has id, says and tests"));
        }
        if !ids.insert(id.to_owned()) {
            wrong.push(format!("{name}, {id}: another row has this id"));
        }
        if tests.is_empty() {
            wrong.push(format!("{name}, {id}: no test"));
        }
        for test in tests {
            let found = test.as_str().ok_or_else(|| "not a text".to_owned()).and_then(|test| find(test, read));
            wrong.extend(found.err().map(|why| format!("{name}, {id}: {test}: {why}")));
        }
    }
    wrong
}

/// Looks for a test.
fn find(test: &str, read: Read<'_>) -> Result<(), String> {
    let get = |path: &str| read(path).ok_or_else(|| format!("there is no {path}"));
    if let Some(scenario) = test.strip_prefix("golden ") {
        let path = |ending: &str| format!("tests/data/golden/{scenario}.{ending}");
        return get(&path("toml")).and(get(&path("jsonl"))).map(|_| ());
    }
    let (place, case) = test.split_once(" | ").map_or((test, None), |(place, case)| (place, Some(case)));
    let (path, function) = place.split_once("::").map_or((place, None), |(path, name)| (path, Some(name)));
    let source = get(path)?;
    let within = match (function, case) {
        (Some(name), _) => body(&source, name)?,
        (None, Some(_)) if Path::new(path).extension().is_some_and(|kind| kind == "rs") => examples(&source),
        (None, Some(_)) => source,
        (None, None) => return Err("neither a function nor a case".to_owned()),
    };
    let holds = |line: &str| case.is_none_or(|case| line.contains(case));
    if within.lines().any(holds) { Ok(()) } else { Err("no line of it holds this text".to_owned()) }
}

/// A test's function, from its first line to its last.
fn body(source: &str, name: &str) -> Result<String, String> {
    let lines: Vec<&str> = source.lines().collect();
    let begins = |line: &&str| {
        let line = line.trim_start();
        line.strip_prefix("async ")
            .unwrap_or(line)
            .strip_prefix("fn ")
            .is_some_and(|rest| rest.strip_prefix(name).is_some_and(|rest| rest.starts_with('(')))
    };
    let first = lines.iter().position(begins).ok_or("there is no such function")?;
    let above = lines[..first].iter().rev().take_while(|line| {
        let line = line.trim_start();
        line.starts_with("#[") || line.starts_with("///")
    });
    let above: Vec<&str> = above.map(|line| line.trim_start()).collect();
    if !above.iter().any(|line| line.starts_with("#[test]") || line.starts_with("#[tokio::test")) {
        return Err("the function is no test".to_owned());
    }
    if above.iter().any(|line| line.starts_with("#[ignore")) {
        return Err("the test is ignored".to_owned());
    }
    let indent = &lines[first][..lines[first].len() - lines[first].trim_start().len()];
    let end = format!("{indent}}}");
    let count = lines[first..].iter().position(|line| *line == end).ok_or("the function has no end")?;
    Ok(lines[first..=first + count].join("\n"))
}

/// The examples in a file's documentation.
fn examples(source: &str) -> String {
    let mut is_example = false;
    let mut found = String::new();
    for line in source.lines().filter_map(|line| line.strip_prefix("//!")) {
        match line.trim() {
            "```json" => is_example = true,
            "```" => is_example = false,
            line if is_example => found.extend([line, "\n"]),
            _ => {}
        }
    }
    found
}

#[test]
fn each_behaviour_names_tests_that_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &str| fs::read_to_string(root.join(path)).ok();
    let mut paths: Vec<_> =
        fs::read_dir(root.join("tests/behaviours")).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let (mut ids, mut wrong) = (BTreeSet::new(), Vec::new());
    for path in &paths {
        let name = path.file_name().unwrap().to_str().unwrap();
        wrong.extend(complaints(name, &fs::read_to_string(path).unwrap(), &mut ids, &read));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(!ids.is_empty(), "no list was read");
}

/// The list is believed only if each mistake in it is noticed.
mod mistakes_are_noticed {
    use super::*;

    const SOURCE: &str = "//! ```json\n//! {\"a\": 1}\n//! ```\n//! {\"b\": 1}\n\n/// Adds.\n#[test]\nfn adds() {\n    \
                          check(\"one\");\n}\n\n#[tokio::test]\nasync fn waits() {\n    check(\"two\");\n}\n\nfn helps() {\n}\n\n\
                          #[test]\n#[ignore = \"slow\"]\nfn sleeps() {\n}\n";

    fn read(path: &str) -> Option<String> {
        match path {
            "a.rs" => Some(SOURCE.to_owned()),
            "tests/data/golden/pg.toml" | "tests/data/golden/pg.jsonl" | "tests/data/golden/new.toml" => {
                Some("x = 1".to_owned())
            }
            _ => None,
        }
    }

    #[track_caller]
    fn check(test: &str, expect: Result<(), &str>) {
        assert_eq!(find(test, &read), expect.map_err(str::to_owned), "{test}");
    }

    #[test]
    fn in_references() {
        const LACKS: Result<(), &str> = Err("no line of it holds this text");
        for fine in ["a.rs::adds", "a.rs::waits", "a.rs::adds | \"one\"", "a.rs | {\"a\"", "golden pg"] {
            check(fine, Ok(()));
        }
        check("b.rs::adds", Err("there is no b.rs"));
        check("a.rs::add", Err("there is no such function"));
        check("a.rs::helps", Err("the function is no test"));
        check("a.rs::sleeps", Err("the test is ignored"));
        check("a.rs::adds | \"two\"", LACKS);
        check("a.rs | {\"b\"", LACKS);
        check("a.rs", Err("neither a function nor a case"));
        check("tests/data/golden/pg.toml | y = 1", LACKS);
        check("golden mine", Err("there is no tests/data/golden/mine.toml"));
        check("golden new", Err("there is no tests/data/golden/new.jsonl"));
    }

    #[test]
    fn in_rows() {
        const ROW: &str = "[[behaviour]]\nid = 'x'\nsays = 'X.'\ntests = ['a.rs::adds']\n";
        let check = |list: &str, expect: &[&str]| {
            let found = complaints("l.toml", list, &mut BTreeSet::new(), &read);
            assert_eq!(found.len(), expect.len(), "{found:?}");
            for (said, part) in found.iter().zip(expect) {
                assert!(said.contains(part), "{said:?} lacks {part:?}");
            }
        };
        check(ROW, &[]);
        check(&format!("{ROW}{ROW}"), &["another row has this id"]);
        check(&ROW.replace("'a.rs::adds'", ""), &["l.toml, x: no test"]);
        check(&ROW.replace("adds", "adds2"), &["a.rs::adds2"]);
        check(&ROW.replace("'X.'", "''"), &["a row has id, says and tests"]);
        check(&format!("{ROW}more = 1\n"), &["a row has id, says and tests"]);
        check("", &["it must hold"]);
        check("[[behaviour", &["l.toml: "]);
    }
}
