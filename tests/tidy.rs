//! The house rules as tests: floors, file sizes, openings of rooms, and words that must not occur.
//!
//! Every rule is a function from text to complaints, so that each also has a test that it complains.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a test program")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Limit for the length of Rust files, so that each file stays about one thing.
const LINES_AT_MOST: usize = 500;

/// The floor of each package. A package uses lower floors only.
const FLOORS: &[(&str, usize)] = &[
    ("afterimage-certificates", 0),
    ("afterimage-config", 0),
    ("afterimage-record", 0),
    ("afterimage-retry", 0),
    ("afterimage-embedded", 0),
    ("afterimage-snapshot", 1),
    ("afterimage-transforms", 1),
    ("afterimage-relational", 1),
    ("afterimage-postgres", 2),
    ("afterimage-mysql", 2),
    ("afterimage", 3),
];

/// The floors of the rooms in the root package: `main → cli → rest → runtime → {plugins, convert, sink, store} → login`.
const ROOMS: &[(&str, usize)] = &[
    ("login", 0),
    ("plugins", 1),
    ("convert", 1),
    ("sink", 1),
    ("store", 1),
    ("runtime", 2),
    ("rest", 3),
    ("cli", 4),
    ("main", 5),
];

/// Names that do not say what is inside.
const SAYS_NOTHING: &[&str] = &["utils", "util", "common", "helpers", "helper", "core", "base"];

/// Hosts of package registries. Which registry serves a build depends on the machine, so none may be named.
const REGISTRY_HOSTS: &[&str] = &[
    concat!("static.crates", ".io"),
    concat!("index.crates", ".io"),
    concat!("repo.maven.apache", ".org"),
    concat!("repo1.maven", ".org"),
    concat!("packages.confluent", ".io"),
    concat!("pypi", ".org"),
    concat!("registry.npmjs", ".org"),
    concat!("proxy.golang", ".org"),
    concat!("deb.debian", ".org"),
    concat!("apt.postgresql", ".org"),
    concat!("artifactory", "."),
];

/// Places outside of the checkout, which only one machine has.
const ELSEWHERE: &[&str] = &[concat!("..", "/shared"), concat!("/work", "/")];

/// Marks of unfinished work.
const UNFINISHED: &[&str] = &["TODO", "FIXME", "todo!(", "unimplemented!("];

fn rank(table: &[(&str, usize)], name: &str) -> Option<usize> {
    table.iter().find(|(n, _)| *n == name).map(|(_, rank)| *rank)
}

// --- the rules ---

/// Checks the floors of packages. `uses` holds every pair of a package and a workspace package that it depends on.
fn floors(uses: &[(String, String)]) -> Vec<String> {
    let mut complaints = Vec::new();
    for (user, used) in uses {
        match (rank(FLOORS, user), rank(FLOORS, used)) {
            (Some(above), Some(below)) if below < above => {}
            (Some(_), Some(_)) => complaints.push(format!("{user} uses {used}, which is not on a lower floor")),
            _ => complaints.push(format!("{user} uses {used}: one of them has no floor in tests/tidy.rs")),
        }
    }
    complaints
}

/// The rooms of the root package that `text` names through `crate::` or `afterimage::`.
fn rooms_named(text: &str) -> BTreeSet<String> {
    let code: String = text.lines().map(|line| line.split("//").next().unwrap_or("")).collect::<Vec<_>>().join("\n");
    let mut found = BTreeSet::new();
    for root in ["crate::", "afterimage::"] {
        for (at, _) in code.match_indices(root) {
            let before = code[..at].chars().next_back();
            if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '$') {
                continue;
            }
            let rest = &code[at + root.len()..];
            if let Some(group) = rest.strip_prefix('{') {
                // Only the outermost level of a group names rooms, as in crate::{sink::{A, B}, store}.
                let (mut depth, mut fresh, mut name) = (1, true, String::new());
                for c in group.chars() {
                    match c {
                        '{' => depth += 1,
                        '}' => depth -= 1,
                        ',' if depth == 1 => fresh = true,
                        _ if depth == 1 && fresh && (c.is_alphanumeric() || c == '_') => {
                            name.push(c);
                            continue;
                        }
                        _ => {}
                    }
                    if !name.is_empty() {
                        found.insert(std::mem::take(&mut name));
                        fresh = c == ',' && depth == 1;
                    }
                    if depth == 0 {
                        break;
                    }
                }
            } else {
                found.insert(rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect());
            }
        }
    }
    found
}

/// Checks the order of rooms in a file. `path` is a file of the root package, relative to its `src/`.
fn room_order(path: &Path, text: &str) -> Vec<String> {
    let first = path.components().next().unwrap().as_os_str().to_string_lossy();
    let room = first.strip_suffix(".rs").unwrap_or(&first);
    if room == "lib" {
        return Vec::new();
    }
    let Some(mine) = rank(ROOMS, room) else {
        return vec![format!("src/{}: the room {room} has no place in tests/tidy.rs", path.display())];
    };
    let named = rooms_named(text).into_iter();
    named
        .filter(|other| other != room && rank(ROOMS, other).is_some_and(|theirs| theirs >= mine))
        .map(|other| format!("src/{}: {room} must not use {other}", path.display()))
        .collect()
}

fn length(path: &Path, text: &str) -> Vec<String> {
    let table = path.components().any(|c| c.as_os_str() == "tables") || text.starts_with("// generated table");
    let lines = text.lines().count();
    if lines > LINES_AT_MOST && !table {
        return vec![format!("{}: {lines} lines, at most {LINES_AT_MOST} are allowed", path.display())];
    }
    Vec::new()
}

/// Every `lib.rs` and `mod.rs` begins with what it is for and what it must not know.
fn opening(path: &Path, text: &str) -> Vec<String> {
    if !path.file_name().is_some_and(|name| name == "lib.rs" || name == "mod.rs") {
        return Vec::new();
    }
    let docs: Vec<&str> = text.lines().map_while(|line| line.strip_prefix("//!")).map(str::trim).collect();
    let mut complaints = Vec::new();
    if docs.iter().filter(|line| !line.is_empty()).count() < 3 {
        complaints.push(format!("{}: must open with //! lines: its purpose and why it is so", path.display()));
    }
    if !docs.iter().any(|line| line.starts_with("Must not know:")) {
        complaints.push(format!("{}: its opening lacks a line \"Must not know:\"", path.display()));
    }
    complaints
}

fn names(path: &Path, text: &str) -> Vec<String> {
    let mut complaints = Vec::new();
    for part in path.components().map(|c| c.as_os_str().to_string_lossy()) {
        if SAYS_NOTHING.contains(&part.strip_suffix(".rs").unwrap_or(&part)) {
            complaints.push(format!("{}: {part} says nothing of what is inside", path.display()));
        }
    }
    for line in text.lines().map(str::trim_start) {
        let line = line.strip_prefix("pub ").or_else(|| line.strip_prefix("pub(crate) ")).unwrap_or(line);
        if let Some(name) = line.strip_prefix("mod ")
            && SAYS_NOTHING.contains(&name.trim_end_matches([' ', ';', '{']))
        {
            complaints.push(format!("{}: a module named {name} says nothing of what is inside", path.display()));
        }
    }
    complaints
}

fn words(path: &Path, text: &str, unwanted: &[&str], why: &str) -> Vec<String> {
    let mut complaints = Vec::new();
    for (number, line) in text.lines().enumerate() {
        for word in unwanted.iter().filter(|word| line.contains(**word)) {
            complaints.push(format!("{}:{}: {word}: {why}", path.display(), number + 1));
        }
    }
    complaints
}

/// Every package uses the lints of the workspace.
fn lints(path: &Path, text: &str) -> Vec<String> {
    let taken = text.parse::<toml::Table>().ok().and_then(|t| t.get("lints")?.get("workspace")?.as_bool());
    if taken == Some(true) { Vec::new() } else { vec![format!("{}: lacks [lints] workspace = true", path.display())] }
}

/// No profile may abort at a panic, because one bad row would then end all connectors. Without a setting, a profile
/// unwinds.
fn unwinding(path: &Path, text: &str) -> Vec<String> {
    let manifest = text.parse::<toml::Table>().unwrap_or_default();
    let profiles = manifest.get("profile").and_then(toml::Value::as_table).into_iter().flatten();
    profiles
        .filter(|(_, profile)| profile.get("panic").is_some_and(|how| how.as_str() != Some("unwind")))
        .map(|(name, _)| format!("{}: the profile {name} does not unwind at a panic", path.display()))
        .collect()
}

/// Every `make` target that the README names must exist, and the README must name `demo` and `test`.
fn commands(readme: &str, makefile: &str) -> Vec<String> {
    let targets: BTreeSet<&str> = makefile
        .lines()
        .filter(|line| line.starts_with(|c: char| c.is_ascii_lowercase()))
        .filter_map(|line| line.split_once(':').map(|(name, _)| name))
        .collect();
    let mut told = BTreeSet::new();
    let mut fenced = false;
    for line in readme.lines() {
        if line.starts_with("```") {
            fenced = !fenced;
        }
        let code: Vec<&str> = if fenced { vec![line] } else { line.split('`').skip(1).step_by(2).collect() };
        for piece in code {
            if let Some(name) = piece.trim_start_matches(['$', ' ']).strip_prefix("make ") {
                told.insert(name.split_whitespace().next().unwrap_or("").to_owned());
            }
        }
    }
    let mut complaints: Vec<String> = told
        .iter()
        .filter(|name| !targets.contains(name.as_str()))
        .map(|name| format!("README.md: make {name} is no target of the Makefile"))
        .collect();
    for name in ["demo", "test"].iter().filter(|name| !told.contains(**name)) {
        complaints.push(format!("README.md: does not tell of make {name}"));
    }
    complaints
}

// --- the tree ---

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn walk(dir: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap().map(Result::unwrap) {
        let (path, name) = (entry.path(), entry.file_name());
        // What others wrote keeps their rules.
        if name == ".git" || name == "target" || path == root().join("vendor") {
            continue;
        }
        if entry.file_type().unwrap().is_dir() { walk(&path, into) } else { into.push(path) }
    }
}

/// Every text file of the tree, with its path relative to the root.
fn files() -> Vec<(PathBuf, String)> {
    let mut paths = Vec::new();
    walk(&root(), &mut paths);
    paths.sort();
    let texts = paths.into_iter().filter_map(|path| Some((path.clone(), fs::read_to_string(&path).ok()?)));
    texts.map(|(path, text)| (path.strip_prefix(root()).unwrap().to_owned(), text)).collect()
}

fn is_rust(path: &Path) -> bool {
    path.extension().is_some_and(|e| e == "rs")
}

#[track_caller]
fn none(complaints: &[String]) {
    assert!(complaints.is_empty(), "{} complaints:\n{}", complaints.len(), complaints.join("\n"));
}

#[track_caller]
fn tree(rule: impl Fn(&Path, &str) -> Vec<String>) {
    none(&files().iter().flat_map(|(path, text)| rule(path, text)).collect::<Vec<_>>());
}

#[track_caller]
fn rust(rule: impl Fn(&Path, &str) -> Vec<String>) {
    tree(|path, text| if is_rust(path) { rule(path, text) } else { Vec::new() });
}

#[test]
fn packages_use_lower_floors_only() {
    let metadata = cargo_metadata::MetadataCommand::new().no_deps().other_options(vec!["--offline".into()]).exec();
    let packages = metadata.unwrap().packages;
    let members: BTreeSet<String> = packages.iter().map(|p| p.name.clone()).collect();
    let uses: Vec<(String, String)> = packages
        .iter()
        .flat_map(|p| p.dependencies.iter().map(|d| (p.name.clone(), d.name.clone())))
        // A package may depend on itself for its tests, to switch a feature on.
        .filter(|(user, used)| user != used && members.contains(used))
        .collect();
    assert!(uses.len() > 5, "only {} uses found: the metadata was not read", uses.len());
    none(&floors(&uses));
}

#[test]
fn rooms_use_lower_rooms_only() {
    let mut seen = 0;
    let complaints: Vec<String> = files()
        .iter()
        .filter(|(path, _)| is_rust(path))
        .filter_map(|(path, text)| Some((path.strip_prefix("src").ok()?, text)))
        .inspect(|_| seen += 1)
        .flat_map(|(path, text)| room_order(path, text))
        .collect();
    assert!(seen > 1, "src/ was not read");
    none(&complaints);
}

#[test]
fn files_are_short() {
    rust(length);
}

#[test]
fn rooms_say_what_they_are() {
    rust(opening);
}

#[test]
fn names_say_something() {
    rust(names);
}

#[test]
fn nothing_outside_the_checkout_is_named() {
    tree(|path, text| words(path, text, ELSEWHERE, "only one machine has it"));
}

#[test]
fn no_registry_is_named() {
    tree(|path, text| words(path, text, REGISTRY_HOSTS, "which registry serves a build is the machine's business"));
}

#[test]
fn nothing_is_left_unfinished() {
    rust(|path, text| {
        let source = path.components().any(|c| c.as_os_str() == "src");
        if source { words(path, text, UNFINISHED, "finish it or do not land it") } else { Vec::new() }
    });
}

#[test]
fn members_take_the_lints() {
    tree(|path, text| if path.ends_with("Cargo.toml") { lints(path, text) } else { Vec::new() });
}

#[test]
fn a_panic_ends_one_task_and_not_the_process() {
    tree(|path, text| if path.ends_with("Cargo.toml") { unwinding(path, text) } else { Vec::new() });
}

#[test]
fn the_readme_tells_the_truth() {
    let read = |name: &str| fs::read_to_string(root().join(name)).unwrap();
    none(&commands(&read("README.md"), &read("Makefile")));
}

/// Each rule must complain about what it forbids, and about nothing else.
mod rules_can_fail {
    use super::*;

    #[track_caller]
    fn check(complaints: &[String], expect: &[&str]) {
        assert_eq!(complaints.len(), expect.len(), "{complaints:?}");
        for (said, part) in complaints.iter().zip(expect) {
            assert!(said.contains(part), "{said:?} lacks {part:?}");
        }
    }

    fn pair(user: &str, used: &str) -> Vec<(String, String)> {
        vec![(user.to_owned(), used.to_owned())]
    }

    #[test]
    fn of_floors() {
        check(&floors(&pair("afterimage-postgres", "afterimage-record")), &[]);
        check(&floors(&pair("afterimage-record", "afterimage-config")), &["not on a lower floor"]);
        check(&floors(&pair("afterimage-snapshot", "afterimage")), &["not on a lower floor"]);
        check(&floors(&pair("afterimage-stranger", "afterimage-record")), &["has no floor"]);
    }

    #[test]
    fn of_rooms() {
        let order = |path: &str, text: &str| room_order(Path::new(path), text);
        check(&order("rest/mod.rs", "use crate::runtime::Supervisor;\nuse crate::store;"), &[]);
        check(&order("sink/kafka.rs", "use crate::store::Offsets;"), &["sink must not use store"]);
        check(&order("store/mod.rs", "fn f() { crate::rest::go() }"), &["store must not use rest"]);
        check(
            &order("runtime/mod.rs", "use crate::{sink::{A, B},\n  rest::C, cli};"),
            &["not use cli", "not use rest"],
        );
        check(&order("cli.rs", "use afterimage::main;"), &["cli must not use main"]);
        check(&order("sink/mod.rs", "// crate::store does that\npub(crate) fn f() {}"), &[]);
        check(&order("attic/mod.rs", ""), &["no place"]);
    }

    #[test]
    fn of_length() {
        let long = "x\n".repeat(LINES_AT_MOST + 1);
        check(&length(Path::new("src/a.rs"), &long), &["501 lines"]);
        check(&length(Path::new("src/a.rs"), &"x\n".repeat(LINES_AT_MOST)), &[]);
        check(&length(Path::new("src/tables/a.rs"), &long), &[]);
        check(&length(Path::new("src/a.rs"), &format!("// generated table\n{long}")), &[]);
    }

    #[test]
    fn of_openings() {
        let good = "//! Rows.\n//!\n//! Purpose: so.\n//!\n//! Must not know: all.\n";
        check(&opening(Path::new("a/lib.rs"), good), &[]);
        check(&opening(Path::new("a/mod.rs"), "mod x;"), &["must open", "Must not know"]);
        check(&opening(Path::new("a/mod.rs"), &good.replace("Must not know: all.", "and more")), &["Must not know"]);
        check(&opening(Path::new("a/row.rs"), "mod x;"), &[]);
    }

    #[test]
    fn of_names() {
        check(&names(Path::new("src/utils/mod.rs"), ""), &["utils"]);
        check(&names(Path::new("src/helpers.rs"), ""), &["helpers"]);
        check(&names(Path::new("src/row.rs"), "pub mod common;\nmod core {\nmod rows;"), &["common", "core"]);
        check(&names(Path::new("src/base64.rs"), "mod common_table;"), &[]);
    }

    #[test]
    fn of_words() {
        let here = Path::new("a.rs");
        for list in [ELSEWHERE, REGISTRY_HOSTS, UNFINISHED] {
            for word in list {
                check(&words(here, &format!("one\n a {word} b\n"), list, "why"), &["a.rs:2"]);
            }
            check(&words(here, "one\ntwo\n", list, "why"), &[]);
        }
    }

    #[test]
    fn of_lints() {
        let here = Path::new("Cargo.toml");
        check(&lints(here, "[lints]\nworkspace = true\n"), &[]);
        check(&lints(here, "[package]\nname = 'x'\n"), &["lacks"]);
        check(&lints(here, "[lints]\nworkspace = false\n"), &["lacks"]);
    }

    #[test]
    fn of_unwinding() {
        let here = Path::new("Cargo.toml");
        check(&unwinding(here, "[profile.release]\nlto = 'fat'\n[profile.quick]\npanic = 'unwind'\n"), &[]);
        check(&unwinding(here, "[profile.release]\npanic = 'abort'\n"), &["release"]);
    }

    #[test]
    fn of_commands() {
        let makefile = "demo: ## x\n\t@run\ntest:\n\t@run\n";
        check(&commands("```\nmake demo\n```\nand `make test`.", makefile), &[]);
        check(&commands("```\nmake demo\nmake coffee\n```\n`make test`", makefile), &["make coffee is no target"]);
        check(&commands("`make demo`", makefile), &["does not tell of make test"]);
    }
}
