//! Which fields of which records are converted: the options `include.list` and `exclude.list`.
//!
//! Must not know: time zones, values.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use settings::{JavaRegex, split_regex_list};

use crate::error::{Refusal, java};
use crate::options::Options;

pub(super) const INCLUDE: &str = "include.list";
pub(super) const EXCLUDE: &str = "exclude.list";

/// What Debezium demands of the whole list as Java prints it. So a prefix may stand at the first item only.
static FORM: LazyLock<Option<JavaRegex>> = LazyLock::new(|| {
    let form = r#"^\[(source|topic|[".\w\s_]+):([".\w\s_]+(?::[".\w\s_]+)?(?:,|]$))+$"#;
    JavaRegex::new_case_sensitive(form).ok()
});

/// What is converted in a record. A number is an index into the rules' [`Fields`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Selection {
    /// Nothing.
    None,
    /// All fields of the rows.
    All,
    /// These fields.
    Only(usize),
    /// All fields but these.
    AllBut(usize),
}

/// The fields that a rule names, by where they are.
#[derive(Debug, Default)]
pub(super) struct Fields {
    pub(super) before: HashSet<String>,
    pub(super) after: HashSet<String>,
    pub(super) source: HashSet<String>,
}

impl Fields {
    fn add(&mut self, field: &str) {
        if let Some(field) = field.strip_prefix("source.") {
            self.source.insert(field.to_owned());
        } else if let Some(field) = field.strip_prefix("before.") {
            self.before.insert(field.to_owned());
        } else if let Some(field) = field.strip_prefix("after.") {
            self.after.insert(field.to_owned());
        } else {
            self.before.insert(field.to_owned());
            self.after.insert(field.to_owned());
        }
    }

    fn is_empty(&self) -> bool {
        self.before.is_empty() && self.after.is_empty() && self.source.is_empty()
    }
}

/// The rules of one of the two lists.
#[derive(Debug, Default)]
pub(super) struct Rules {
    excludes: bool,
    topics: HashMap<String, usize>,
    tables: HashMap<String, usize>,
    either: HashMap<String, usize>,
    fields: Vec<Fields>,
}

/// Notes what is wrong with the lists by themselves: Debezium wants regexes there, although it compares names.
pub(super) fn check_regexes(options: &mut Options<'_>) {
    for key in [INCLUDE, EXCLUDE] {
        let items = options.text(key).map(split_regex_list).unwrap_or_default();
        if let Some(error) = items.iter().find_map(|item| JavaRegex::new(item).err()) {
            let problem = format!("A comma-separated list of valid regular expressions is expected, but {error}");
            options.problem(key, problem);
        }
    }
}

/// What is wrong with the form of the list that is used.
pub(super) fn check_form(options: &Options<'_>) -> Option<Refusal> {
    let (include, exclude) = (options.list(INCLUDE), options.list(EXCLUDE));
    let (key, name, list) =
        if include.is_empty() { (EXCLUDE, "exclude", exclude) } else { (INCLUDE, "include", include) };
    let text = format!("[{}]", list.join(", "));
    if list.is_empty() || FORM.as_ref().is_some_and(|form| form.matches(&text).unwrap_or(false)) {
        return None;
    }
    let forms = r#""source:<tablename>:<fieldnames>", "topic:<topicname>:<fieldnames>", "<matchname>:<fieldnames>""#;
    let message = format!("Invalid {name} list format. Please specify a list of rules in the format of {forms}");
    Some(Refusal::new(java::DEBEZIUM, key, message))
}

/// The complaint about two lists.
pub(super) fn check_one_list(options: &Options<'_>) -> Option<Refusal> {
    let both = !options.list(INCLUDE).is_empty() && !options.list(EXCLUDE).is_empty();
    let message = "Both include and exclude lists are specified. Please specify only one.";
    both.then(|| Refusal::new(java::DEBEZIUM, EXCLUDE, message))
}

impl Rules {
    /// The rules of options that have passed the checks.
    pub(super) fn new(options: &Options<'_>) -> Self {
        let exclude = options.list(EXCLUDE);
        let excludes = !exclude.is_empty();
        let list = if excludes { exclude } else { options.list(INCLUDE) };
        let mut rules = Self { excludes, ..Self::default() };
        // A prefix holds for the items behind it too, until the next one.
        let mut prefix = "";
        for item in &list {
            let parts: Vec<&str> = item.split(':').collect();
            let is_prefix = |text: &str| text.eq_ignore_ascii_case("source") || text.eq_ignore_ascii_case("topic");
            let (name, field) = match parts[..] {
                [first, name, ref rest @ ..] if is_prefix(first) => {
                    prefix = first;
                    (name, rest.first().copied())
                }
                [name, ref rest @ ..] => (name, rest.first().copied()),
                [] => continue,
            };
            let names = match prefix {
                "topic" => &mut rules.topics,
                "source" => &mut rules.tables,
                _ => &mut rules.either,
            };
            let fields = &mut rules.fields;
            let at = *names.entry(name.to_owned()).or_insert_with(|| {
                fields.push(Fields::default());
                fields.len() - 1
            });
            if let Some(field) = field {
                rules.fields[at].add(field);
            }
        }
        rules
    }

    /// The fields at an index.
    pub(super) fn fields(&self, at: usize) -> Option<&Fields> {
        self.fields.get(at)
    }

    /// Whether the table of a record matters.
    pub(super) fn ask_for_tables(&self) -> bool {
        !self.tables.is_empty() || !self.either.is_empty()
    }

    /// What is converted in the records of this topic and this table.
    pub(super) fn select(&self, topic: &str, table: Option<&str>) -> Selection {
        if self.fields.is_empty() {
            return Selection::All;
        }
        let of_table = |names: &HashMap<String, usize>| table.and_then(|table| names.get(table)).copied();
        let hit = (self.topics.get(topic).copied())
            .or_else(|| of_table(&self.tables))
            .or_else(|| self.either.get(topic).copied())
            .or_else(|| of_table(&self.either));
        match (hit, self.excludes) {
            (None, false) => Selection::None,
            (None, true) => Selection::All,
            (Some(at), false) if self.fields[at].is_empty() => Selection::All,
            (Some(at), true) if self.fields[at].is_empty() => Selection::None,
            (Some(at), false) => Selection::Only(at),
            (Some(at), true) => Selection::AllBut(at),
        }
    }
}

#[cfg(test)]
mod tests {
    use settings::Properties;

    use super::*;

    #[track_caller]
    fn check(list: (&str, &str), (topic, table): (&str, &str), expect: &str) {
        let properties: Properties = [list].into_iter().collect();
        let options = Options::new(&properties);
        assert_eq!(check_form(&options).map(|wrong| wrong.to_string()), None);
        let rules = Rules::new(&options);
        let sorted = |names: &HashSet<String>| {
            let mut names: Vec<_> = names.iter().cloned().collect();
            names.sort_unstable();
            names.join(" ")
        };
        let selection = rules.select(topic, Some(table));
        let fields = match selection {
            Selection::Only(at) | Selection::AllBut(at) => rules.fields(at).unwrap(),
            _ => &Fields::default(),
        };
        let name = format!("{selection:?}").split('(').next().unwrap().to_owned();
        let found = format!("{name} {}|{}|{}", sorted(&fields.before), sorted(&fields.after), sorted(&fields.source));
        assert_eq!(found, expect, "{list:?}");
    }

    #[test]
    fn selections() {
        let (topic, table) = ("srv.public.a", "a");
        check((INCLUDE, "source:a"), (topic, table), "All ||");
        check((INCLUDE, "source:a"), ("a", "b"), "None ||");
        check((INCLUDE, "source:a:x, a:y ,b:z"), (topic, table), "Only x y|x y|");
        check((INCLUDE, "source:a:x,b:z"), (topic, "b"), "Only z|z|");
        check((INCLUDE, "topic:srv.public.a:before.x,b:y"), (topic, "b"), "Only x||");
        check((INCLUDE, "a:after.x"), (topic, table), "Only |x|");
        check((INCLUDE, "srv.public.a:x"), (topic, table), "Only x|x|");
        check((INCLUDE, "source:a:source.ts_ms"), (topic, table), "Only ||ts_ms");
        check((EXCLUDE, "source:a"), (topic, table), "None ||");
        check((EXCLUDE, "source:a"), (topic, "b"), "All ||");
        check((EXCLUDE, "source:a:x"), (topic, table), "AllBut x|x|");
        check((EXCLUDE, ","), (topic, table), "All ||");
        // A prefix in another case ends an item, but its rules hold for tables and topics.
        check((INCLUDE, "Source:a:x"), (topic, table), "Only x|x|");
        // A topic's rule is looked at before one that may be of a table.
        check((INCLUDE, "a:x,topic:srv.public.a"), (topic, table), "All ||");
    }

    #[test]
    fn forms() {
        #[track_caller]
        fn check(list: &str, expect: bool) {
            for key in [INCLUDE, EXCLUDE] {
                let wrong = check_form(&Options::new(&[(key, list)].into_iter().collect()));
                let name = key.split('.').next().unwrap();
                let start =
                    format!("Invalid {name} list format. Please specify a list of rules in the format of \"source");
                assert_eq!(wrong.is_none(), expect, "{list}");
                assert!(wrong.is_none_or(|wrong| wrong.to_string().starts_with(&start)));
            }
        }
        for fine in ["source:a", "source:a,", "topic:srv.public.a:x", "a:x", "source:a:x,b:y,c", "source:\"A b\":x"] {
            check(fine, true);
        }
        for wrong in ["", "a", "source:a:x,source:b:y", "topic:a-b:x", "source:a:x:y", "source:"] {
            check(wrong, false);
        }
    }

    #[test]
    fn regexes_and_two_lists() {
        let properties = [(INCLUDE, "source:[")].into_iter().collect();
        let mut options = Options::new(&properties);
        check_regexes(&mut options);
        let wrong = options.each_refused().unwrap_err();
        let start =
            "Invalid value source:[ for configuration include.list: The 'include.list' value is invalid: A comma-";
        assert!(wrong[0].to_string().starts_with(start), "{}", wrong[0]);
        let both = check_one_list(&Options::new(&[(INCLUDE, "a:b"), (EXCLUDE, "a:b")].into_iter().collect()));
        assert_eq!(both.unwrap().to_string(), "Both include and exclude lists are specified. Please specify only one.");
    }
}
