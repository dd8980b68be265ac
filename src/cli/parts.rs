//! Transforms, predicates and converters for people: the lists and pages of `afterimage transforms` and `afterimage converters`,
//! and the document `docs/transforms.md`.
//!
//! The document is made of the comments at the head of each transform's file, which hold its examples (the transforms' own
//! tests run them), and of its table of options. The daemon carries the document, so that it can show a page of it.
//!
//! Must not know: what a transform does beyond what its file says.

use std::fmt::Write;

use settings::{Def, Key, names_class};

use super::reference::{cell, support_text};
use crate::convert;

/// What `docs/transforms.md` says.
const DOCUMENT: &str = include_str!("../../docs/transforms.md");

/// The list of all transforms and predicates, or the page of one of them.
pub(super) fn transforms(name: Option<&str>) -> Result<String, String> {
    let all = || {
        let transforms = transforms::ALL.iter().map(|kind| (kind.class, kind.summary));
        transforms.chain(transforms::PREDICATES.iter().map(|kind| (kind.class, kind.summary)))
    };
    let Some(name) = name else { return Ok(list(all())) };
    let ends = ["Transformation", "Predicate"];
    let found: Vec<&str> = all().map(|(class, _)| class).filter(|class| names_class(name, class, &ends)).collect();
    let class = only(name, &found, "transform or predicate", "afterimage transforms")?;
    Ok(section(DOCUMENT, class).unwrap_or_default())
}

/// The list of all converters, or the page of one of them.
pub(super) fn converters(name: Option<&str>) -> Result<String, String> {
    let Some(name) = name else { return Ok(list(convert::ALL.iter().map(|entry| (entry.class, entry.summary)))) };
    let named = |entry: &&convert::Entry| names_class(name, entry.class, &["HeaderConverter", "Converter"]);
    let found: Vec<&convert::Entry> = convert::ALL.iter().filter(named).collect();
    let classes: Vec<&str> = found.iter().map(|entry| entry.class).collect();
    let class = only(name, &classes, "converter", "afterimage converters")?;
    let mut out = String::new();
    for entry in found.iter().filter(|entry| entry.class == class) {
        // Writing to a string cannot fail.
        let _ = writeln!(out, "## `{class}`\n\n{}", entry.summary);
        options(&mut out, &entry.keys);
    }
    Ok(out)
}

fn list<'a>(all: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let mut out = String::new();
    for (class, summary) in all {
        let _ = writeln!(out, "{class}\n    {summary}");
    }
    out
}

fn only<'a>(name: &str, found: &[&'a str], what: &str, command: &str) -> Result<&'a str, String> {
    match found {
        [] => Err(format!("there is no {what} {name}; `{command}` lists what there is")),
        [class] => Ok(class),
        several => Err(format!("{name} names several classes: {}", several.join(", "))),
    }
}

/// The part of the document that is about a class.
fn section(document: &str, class: &str) -> Option<String> {
    let heading = format!("## `{class}`\n");
    let start = document.find(&heading)?;
    let rest = &document[start..];
    let end = rest[heading.len()..].find("\n## ").map_or(rest.len(), |at| heading.len() + at + 1);
    Some(rest[..end].to_owned())
}

fn options(out: &mut String, def: &Def) {
    let keys: Vec<&Key> = def.keys().filter(|key| key.listed).collect();
    if keys.is_empty() {
        out.push_str("\nNo options.\n");
        return;
    }
    out.push_str("\n| option | type | default | what it does | support |\n|---|---|---|---|---|\n");
    for key in keys {
        let default = match key.default {
            None if key.required => "required".to_owned(),
            None | Some("") => String::new(),
            Some(default) => format!("`{}`", cell(default)),
        };
        let (kind, doc) = (key.kind.as_str().to_lowercase(), cell(key.documentation));
        let support = cell(&support_text(key.support));
        let _ = writeln!(out, "| `{}` | {kind} | {default} | {doc} | {support} |", key.name);
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    const HEAD: &str = "\
# Transforms

Made from the comments in `transforms/src` and the tables of options; a test holds this file against them. Do not edit it by
hand. `afterimage transforms` lists the classes, `afterimage transforms NAME` shows one of these pages.

An example begins with the options. Then come records, each followed by `=>` and what becomes of it: the members that change,
`dropped`, or the message with which it fails.
";

    /// The document, made anew.
    fn made() -> String {
        let mut out = HEAD.to_owned();
        for kind in transforms::ALL {
            let _ = write!(out, "\n## `{}`\n\n{}\n", kind.class, kind.summary);
            let text = comment(kind.module);
            let body = text.split_once("\n\n").map_or("", |(_, body)| body);
            if !body.trim().is_empty() {
                let _ = write!(out, "\n{}\n", body.trim());
            }
            options(&mut out, &kind.keys);
        }
        for kind in transforms::PREDICATES {
            let _ = write!(out, "\n## `{}`\n\n{}\n", kind.class, kind.summary);
            options(&mut out, &kind.keys);
        }
        out
    }

    /// The comment at the head of a module's file, without the line that says what the module must not know.
    fn comment(module: &str) -> String {
        let path = module.split("::").skip(1).collect::<Vec<_>>().join("/");
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("transforms/src").join(format!("{path}.rs"));
        let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let lines: Vec<&str> = (text.lines().map_while(|line| line.strip_prefix("//!")))
            .map(|line| line.strip_prefix(' ').unwrap_or(line))
            .take_while(|line| !line.starts_with("Must not know"))
            .collect();
        lines.join("\n")
    }

    /// With `AFTERIMAGE_UPDATE=1` the test writes the file instead of comparing it.
    #[test]
    fn the_document_is_current() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/transforms.md");
        let made = made();
        if std::env::var_os("AFTERIMAGE_UPDATE").is_some() {
            std::fs::write(path, &made).expect("the file is written");
        }
        let there = std::fs::read_to_string(path).unwrap_or_default();
        assert!(there == made, "docs/transforms.md is not current: run this test with AFTERIMAGE_UPDATE=1");
    }

    #[test]
    fn pages() {
        let router = transforms(Some("RegexRouter")).unwrap();
        assert!(router.starts_with("## `org.apache.kafka.connect.transforms.RegexRouter`\n"), "{router}");
        assert!(router.contains("=> {\"topic\": \"orders\"}") && router.contains("| `regex` | string | required |"));
        assert_eq!(router.matches("\n## ").count(), 0, "{router}");
        assert!(transforms(None).unwrap().contains("RegexRouter\n    Renames topics by a regex.\n"));
        assert!(transforms(Some("TopicNameMatches")).unwrap().contains("| `pattern` |"));
        assert!(transforms(Some("No")).unwrap_err().starts_with("there is no transform or predicate No;"));
        assert!(converters(Some("Json")).unwrap().contains("| `schemas.enable` |"));
        assert!(converters(None).unwrap().contains("JsonConverter\n    Writes JSON"));
    }
}
