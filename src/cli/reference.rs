//! Makes the reference of all keys, `docs/configuration.md`, from the same tables that the daemon reads.
//!
//! Must not know: what the keys do beyond what their tables say.

use std::cmp::Reverse;
use std::fmt::Write;

use settings::{Def, Key, Support, Values};

use super::keys::{DISTRIBUTED, STANDALONE};
use crate::plugins;
use crate::runtime::catalog::{Catalog, PartKind};
use crate::runtime::keys::{COMMON, PREDICATE, TRANSFORM};
use crate::sink::properties::{self, Client};

const HEAD: &str = "\
# Configuration

Made by `afterimage keys` from the tables that the daemon reads; a test holds this file against them. Do not edit it by hand.

Each key says what becomes of it here. **works**: it does what is written. **no effect**: a value other than the default
changes nothing and harms nobody; it is said once in the log when the connector starts, and as a warning in the answer of
`PUT /connector-plugins/{plugin}/config/validate`. **refused**: a value other than the default is a 400 when the connector is
created or validated, and for the worker's own keys a start that fails; better than a promise that is not kept.
";

pub(super) fn markdown() -> String {
    let mut out = HEAD.to_owned();
    table(
        &mut out,
        "Worker",
        "Keys of `afterimage run FILE`, in the file, as `CONNECT_A_B` in the environment, or by `--set`.",
        &DISTRIBUTED,
        "",
    );
    let alone: Vec<&Key> = STANDALONE.keys().filter(|key| DISTRIBUTED.get(key.name).is_none()).collect();
    rows(
        &mut out,
        "Worker with --standalone",
        "Keys of `afterimage run --standalone`, in place of those of the group and its topics.",
        &alone,
        "",
    );
    table(&mut out, "Connectors", "Keys of every connector.", &COMMON, "");
    let of_connectors: Vec<(&str, &Def)> = plugins::ALL.iter().map(|plugin| (plugin.class, (plugin.keys)())).collect();
    connectors(&mut out, &of_connectors);
    table(&mut out, "Transformations", "Keys of every transformation.", &TRANSFORM, "transforms.<name>.");
    table(&mut out, "Predicates", "Keys of every predicate.", &PREDICATE, "predicates.<name>.");
    let mut seen = Vec::new();
    for part in Catalog::all().iter() {
        let prefix = match part.kind {
            PartKind::Transformation => "transforms.<name>.",
            PartKind::Predicate => "predicates.<name>.",
            PartKind::Converter | PartKind::HeaderConverter => "<role>.converter.",
        };
        if seen.contains(&part.class) {
            continue;
        }
        seen.push(part.class);
        table(
            &mut out,
            &format!("`{}`", part.class),
            &format!("A {}.", part.kind.name().replace('_', " ")),
            &part.keys,
            prefix,
        );
    }
    for (title, about, client) in [
        (
            "Producer properties",
            "Properties of a connector's producer. The worker sets them for all connectors with the prefix `producer.`, and a connector for itself with `producer.override.`.",
            Client::Producer,
        ),
        (
            "Admin client properties",
            "Properties of the client that makes a connector's topics. The worker sets them for all connectors with the prefix `admin.`, and a connector for itself with `admin.override.`.",
            Client::Admin,
        ),
    ] {
        heading(&mut out, title, about);
        out.push_str("\n| property | support |\n|---|---|\n");
        for (name, support) in properties::support(client) {
            // Writing to a string cannot fail.
            let _ = writeln!(out, "| `{name}` | {} |", cell(&support_text(support)));
        }
    }
    out
}

/// The keys of the connectors. A key that several of them have, with the same text, stands once: first come the keys of all
/// connectors, then those of some, then those of one.
fn connectors(out: &mut String, tables: &[(&str, &'static Def)]) {
    let mut keys: Vec<(String, &Key, Vec<&str>)> = Vec::new();
    for (class, def) in tables {
        for key in def.keys().filter(|key| key.alias_of.is_none()) {
            let text = row(key, "");
            match keys.iter_mut().find(|(there, ..)| *there == text) {
                Some((.., classes)) => classes.push(class),
                None => keys.push((text, key, vec![class])),
            }
        }
    }
    let mut groups: Vec<&[&str]> = Vec::new();
    for (.., classes) in &keys {
        if !groups.contains(&classes.as_slice()) {
            groups.push(classes);
        }
    }
    groups.sort_by_key(|classes| Reverse(classes.len()));
    for classes in groups {
        let title = classes.iter().map(|class| format!("`{class}`")).collect::<Vec<_>>().join(", ");
        let about = match (classes.len(), tables.len()) {
            (_, 1) => "",
            (1, _) => "Keys beside those that it has in common with others, above.",
            _ => "Keys that are the same for these connectors.",
        };
        let of_these: Vec<&Key> = keys.iter().filter(|(.., of)| of == classes).map(|(_, key, _)| *key).collect();
        rows(out, &title, about, &of_these, "");
    }
}

fn heading(out: &mut String, title: &str, about: &str) {
    let _ = write!(out, "\n## {title}\n");
    if !about.is_empty() {
        let _ = write!(out, "\n{about}\n");
    }
}

fn table(out: &mut String, title: &str, about: &str, def: &Def, prefix: &str) {
    let keys: Vec<&Key> = def.keys().filter(|key| key.alias_of.is_none()).collect();
    rows(out, title, about, &keys, prefix);
}

fn rows(out: &mut String, title: &str, about: &str, keys: &[&Key], prefix: &str) {
    heading(out, title, about);
    if keys.is_empty() {
        out.push_str("\nNo keys of its own.\n");
        return;
    }
    out.push_str("\n| key | type | default | what it does | support |\n|---|---|---|---|---|\n");
    out.extend(keys.iter().map(|key| row(key, prefix)));
}

/// One line of a table, with its line feed.
fn row(key: &Key, prefix: &str) -> String {
    let mut names = vec![key.name];
    names.extend(key.family.filter(|form| *form != key.name));
    // Debezium lists a family of keys under a regular expression, which nobody writes in a configuration.
    names.retain(|name| !name.contains('('));
    let names: Vec<String> = names.iter().map(|name| format!("`{prefix}{name}`")).collect();
    let default = match key.default {
        None if key.required => "required".to_owned(),
        None | Some("") => String::new(),
        Some(default) => format!("`{}`", cell(default)),
    };
    let (names, kind) = (names.join("<br>"), key.kind.as_str().to_lowercase());
    let (doc, support) = (cell(key.documentation), cell(&support_text(key.support)));
    format!("| {names} | {kind} | {default} | {doc} | {support} |\n")
}

pub(super) fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ").replace('<', "\\<")
}

pub(super) fn support_text(support: Support) -> String {
    match support {
        Support::Works => "works".to_owned(),
        Support::NoEffect(why) => format!("no effect: {why}"),
        Support::Refused(why, instead) => {
            format!("refused: {}{}{instead}", why.trim_end_matches('.'), if instead.is_empty() { "" } else { ". " })
        }
        Support::Partly(cases) => {
            let case = |(values, support): &(Values, Support)| match (values, support) {
                (Values::These(values), support) => Some(format!("{}: {}", values.join(", "), support_text(*support))),
                (Values::Not([]), support) => Some(support_text(*support)),
                (Values::Not(values), support) => {
                    Some(format!("others than {}: {}", values.join(", "), support_text(*support)))
                }
                (Values::Own(_), Support::Works) => None,
                (Values::Own(_), support) => Some(format!("some values: {}", support_text(*support))),
            };
            let cases: Vec<String> = cases.iter().filter_map(case).collect();
            format!("works, but for {}", cases.join("; "))
        }
    }
}

#[cfg(test)]
mod tests {
    use settings::Kind;

    use super::*;

    /// With `AFTERIMAGE_UPDATE=1` the test writes the file instead of comparing it.
    #[test]
    fn the_reference_is_current() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/configuration.md");
        let made = markdown();
        if std::env::var_os("AFTERIMAGE_UPDATE").is_some() {
            std::fs::write(path, &made).expect("the file is written");
        }
        let there = std::fs::read_to_string(path).unwrap_or_default();
        assert!(there == made, "docs/configuration.md is not current: afterimage keys > docs/configuration.md");
    }

    #[test]
    fn a_key_that_connectors_share_stands_once() {
        const A: Key = Key::new("a", Kind::Int).doc("A.");
        const B: Key = Key::new("b", Kind::Int).doc("B.");
        static ONE: Def = Def::new(&[&[A, B, B.default("1")]]);
        static TWO: Def = Def::new(&[&[B, A.doc("Another.")]]);
        static THREE: Def = Def::new(&[&[B, A]]);
        let mut out = String::new();
        connectors(&mut out, &[("One", &ONE), ("Two", &TWO), ("Three", &THREE)]);
        let shown: Vec<&str> = out.lines().filter(|l| l.starts_with("##") || l.starts_with("| `")).collect();
        assert_eq!(
            shown,
            [
                "## `One`, `Two`, `Three`",
                "| `b` | int |  | B. | works |",
                "## `One`, `Three`",
                "| `a` | int |  | A. | works |",
                "## `One`",
                "| `b` | int | `1` | B. | works |",
                "## `Two`",
                "| `a` | int |  | Another. | works |",
            ]
        );
    }

    #[test]
    fn every_table_is_in_it() {
        let made = markdown();
        for part in [
            "| `exactly.once.source.support` |",
            "| `offset.storage.file.filename` |",
            "| `errors.retry.timeout` |",
            "| `column.mask.with.<n>.chars` |",
            "| `transforms.<name>.add.fields` |",
            "| `<role>.converter.schemas.enable` |",
            "| `linger.ms` | works |",
            "| `transactional.id` | refused: ",
        ] {
            assert!(made.contains(part), "{part}");
        }
        for line in made.lines().filter(|line| line.starts_with('|')) {
            let cells = line.replace("\\|", "").matches('|').count();
            assert!(cells == 6 || cells == 3, "{line}");
        }
    }
}
