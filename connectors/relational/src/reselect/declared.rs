//! Reads the declarations of post-processors (`post.processors`), as leniently as Debezium does.
//!
//! Must not know: tables, columns.

use settings::{Finding, Invalid, JavaRegex, Reader, Severity, split_regex_list};

use super::{
    BY_EVENT_KEY, CLASS, Columns, EXCLUDE, INCLUDE, NULL, ON_ERROR, OPTIONS, Reselect, UNAVAILABLE, declaration,
};
use crate::Patterns;

pub(super) fn read(r: &mut Reader<'_>) -> Vec<Reselect> {
    r.list("post.processors").iter().filter_map(|name| one(r, name)).collect()
}

/// The post-processor of this name; none if it cannot be used, which is a complaint.
fn one(r: &mut Reader<'_>, name: &str) -> Option<Reselect> {
    let Some((prefix, class)) = declaration(r.properties(), name) else {
        r.complain(Invalid::new(
            "post.processors",
            format!(
                "Post processor '{name}' is missing '{name}.type' and/or '{name}.<option>' configurations: set \
                 post.processors.{name}.type to {CLASS}, and its options beside it"
            ),
        ));
        return None;
    };
    if class != CLASS {
        let key = format!("{prefix}type");
        let message = format!(
            "The '{key}' value is invalid: {class} is not built in, and post processors of one's own are Java classes, which \
             do not run here. There is {CLASS}."
        );
        r.complain(Invalid::new(key, message));
        return None;
    }
    let mut options = Options { r, prefix: &prefix };
    options.remark_on_spelling(name);
    let (unavailable, null) = (options.boolean(UNAVAILABLE, true), options.boolean(NULL, true));
    if !unavailable && !null {
        options.find(
            UNAVAILABLE,
            "Reselect post-processor disables both null and unavailable columns, no-reselection will occur.",
            format!("Set {UNAVAILABLE} or {NULL} to true, or remove the post processor."),
        );
    }
    let columns = match (options.patterns(INCLUDE), options.patterns(EXCLUDE)) {
        (Some(only), _) => Columns::Only(only),
        (None, Some(but)) => Columns::AllBut(but),
        (None, None) => Columns::All,
    };
    let (by_event_key, fails) = (options.boolean(BY_EVENT_KEY, false), options.fails());
    Some(Reselect { name: name.to_owned(), columns, unavailable, null, by_event_key, fails })
}

/// The options of one post-processor.
struct Options<'a, 'r> {
    r: &'a mut Reader<'r>,
    prefix: &'a str,
}

impl Options<'_, '_> {
    fn get(&self, option: &str) -> Option<&str> {
        self.r.properties().get(&format!("{}{option}", self.prefix))
    }

    fn find(&mut self, option: &str, reason: impl Into<String>, remedy: impl Into<String>) {
        self.r.find(Finding {
            key: format!("{}{option}", self.prefix),
            severity: Severity::Warning,
            reason: reason.into(),
            remedy: remedy.into(),
        });
    }

    /// Remarks on the older spelling, and on options that the post-processor does not have.
    fn remark_on_spelling(&mut self, name: &str) {
        if !self.prefix.starts_with("post.processors.") {
            self.find(
                "type",
                "The configuration used for post-processors is deprecated, please refer to the documentation.",
                format!("Write post.processors.{name}.type, and the options in the same way."),
            );
        }
        let under = self.r.properties().under(self.prefix).map(|(option, _)| option);
        let unknown: Vec<String> =
            under.filter(|option| *option != "type" && !OPTIONS.contains(option)).map(str::to_owned).collect();
        for option in unknown {
            self.find(
                &option,
                "is no option of this post processor and does nothing.",
                format!("Its options are {}.", OPTIONS.join(", ")),
            );
        }
    }

    /// A boolean. What is neither true nor false counts as the default.
    fn boolean(&mut self, option: &str, default: bool) -> bool {
        match self.get(option).map(|text| text.trim().to_ascii_lowercase()).as_deref() {
            Some("true") => true,
            Some("false") => false,
            None => default,
            Some(_) => {
                self.find(
                    option,
                    format!("is neither true nor false; the default ({default}) is used instead."),
                    "Correct the value or remove the key.",
                );
                default
            }
        }
    }

    /// A list of patterns; none if it is not set or blank.
    fn patterns(&mut self, option: &str) -> Option<Patterns> {
        let list = split_regex_list(self.get(option)?);
        let key = format!("{}{option}", self.prefix);
        for bad in list.iter().filter_map(|pattern| JavaRegex::new(pattern).err()) {
            self.r.complain(Invalid::new(
                key.clone(),
                format!(
                    "The '{key}' value is invalid: A comma-separated list of valid regular expressions is expected, but {bad}"
                ),
            ));
        }
        (!list.is_empty()).then(|| Patterns::new(&list).unwrap_or_default())
    }

    /// Whether a column that cannot be read again ends the task. What is no mode counts as warn.
    fn fails(&mut self) -> bool {
        match self.get(ON_ERROR).map(|text| text.trim().to_ascii_lowercase()).as_deref() {
            Some("fail") => true,
            Some("warn") | None => false,
            Some(_) => {
                self.find(
                    ON_ERROR,
                    "is neither warn nor fail; the default (warn) is used instead.",
                    "Correct the value or remove the key.",
                );
                false
            }
        }
    }
}
