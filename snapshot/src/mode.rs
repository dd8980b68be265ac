//! What a start does, by its rule and by what is stored: copy rows, follow the log, both, or refuse.
//!
//! A database's connector maps its own `snapshot.mode` to a [`Rule`]; the modes that all databases share are constants here.

/// At which starts rows are copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Copies {
    /// At none.
    Never,
    /// Until a copy was finished, and then no more.
    Once,
    /// At every start of the task, also after a finished copy.
    EveryStart,
}

/// What a `snapshot.mode` asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// When rows are copied.
    pub copies: Copies,
    /// Whether rows are copied when the log no longer reaches back to the stored position. If not, such a start is refused,
    /// because the changes in between would silently be missing.
    pub copies_when_lost: bool,
    /// Whether the log is followed. A start that does not follow it needs no position either.
    pub streams: bool,
    /// Whether a start goes on from a copy that was begun and not finished, though this rule copies no rows.
    pub leaves_unfinished: bool,
}

impl Rule {
    /// `initial`: rows at the first start, then the log.
    pub const INITIAL: Self =
        Self { copies: Copies::Once, copies_when_lost: false, streams: true, leaves_unfinished: false };
    /// `always`: rows at every start, then the log.
    pub const ALWAYS: Self = Self { copies: Copies::EveryStart, ..Self::INITIAL };
    /// `initial_only`: rows as in `initial`, then nothing.
    pub const INITIAL_ONLY: Self = Self { streams: false, ..Self::INITIAL };
    /// `no_data`: only the log.
    pub const NO_DATA: Self = Self { copies: Copies::Never, ..Self::INITIAL };
    /// `recovery`: only the log, also after a copy that was not finished, whose position stays.
    pub const RECOVERY: Self = Self { leaves_unfinished: true, ..Self::NO_DATA };
    /// `when_needed`: as `initial`, and rows again when the stored position is gone.
    pub const WHEN_NEEDED: Self = Self { copies_when_lost: true, ..Self::INITIAL };
}

/// The flags of `snapshot.mode=configuration_based`. Debezium looks at them at each start, whatever is stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// Whether rows are copied.
    pub data: bool,
    /// Whether the structure of the tables is read.
    pub schema: bool,
    /// Whether the log is followed.
    pub stream: bool,
    /// Whether rows are copied again when the stored position is gone.
    pub on_data_error: bool,
    /// Whether the structure is read again when the schema history is lost.
    pub on_schema_error: bool,
}

impl Flags {
    /// What the flags ask for of rows.
    pub fn rule(self) -> Rule {
        Rule {
            copies: if self.data { Copies::EveryStart } else { Copies::Never },
            copies_when_lost: self.on_data_error,
            streams: self.stream,
            leaves_unfinished: self.schema,
        }
    }
}

/// What is stored for the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored {
    /// Nothing.
    Nothing,
    /// A copy was begun and not finished.
    Unfinished,
    /// A position in the log, which the log still has.
    Position,
    /// A position that the log no longer has.
    Lost,
}

/// What a start does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Rows are copied.
    pub copy: bool,
    /// The stored position is forgotten first.
    pub forget: bool,
    /// The log is followed.
    pub stream: bool,
}

/// Why a start is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The log no longer reaches back to the stored position: changes since then are gone.
    Lost,
    /// A copy was begun and not finished, and the rule copies no rows.
    NeverCopies,
}

/// What a start by this rule does.
///
/// # Errors
/// When going on would silently lose rows.
pub fn decide(rule: Rule, stored: Stored) -> Result<Decision, Refusal> {
    let stream = rule.streams;
    let does = |copy| Ok(Decision { copy, forget: false, stream });
    match (rule.copies, stored) {
        (copies, Stored::Lost) if !stream => does(copies == Copies::EveryStart),
        (_, Stored::Lost) if rule.copies_when_lost => Ok(Decision { copy: true, forget: true, stream }),
        (_, Stored::Lost) => Err(Refusal::Lost),
        (Copies::Never, Stored::Unfinished) if !rule.leaves_unfinished => Err(Refusal::NeverCopies),
        (Copies::Never, _) | (Copies::Once, Stored::Position) => does(false),
        (Copies::EveryStart, _) | (Copies::Once, Stored::Nothing | Stored::Unfinished) => does(true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a start does with nothing stored, an unfinished copy, a position, and a lost position.
    #[track_caller]
    fn check(rule: Rule, expect: [&str; 4]) {
        let stored = [Stored::Nothing, Stored::Unfinished, Stored::Position, Stored::Lost];
        let shown = stored.map(|stored| match decide(rule, stored) {
            Ok(Decision { copy, forget, stream }) => [(copy, "copy "), (forget, "anew "), (stream, "stream")]
                .iter()
                .filter(|(is, _)| *is)
                .map(|(_, t)| *t)
                .collect(),
            Err(refusal) => format!("{refusal:?}"),
        });
        assert_eq!(shown.each_ref().map(|text| text.trim()), expect, "{rule:?}");
    }

    #[test]
    fn the_named_modes() {
        check(Rule::INITIAL, ["copy stream", "copy stream", "stream", "Lost"]);
        check(Rule::ALWAYS, ["copy stream", "copy stream", "copy stream", "Lost"]);
        check(Rule::INITIAL_ONLY, ["copy", "copy", "", ""]);
        check(Rule::NO_DATA, ["stream", "NeverCopies", "stream", "Lost"]);
        check(Rule::RECOVERY, ["stream", "stream", "stream", "Lost"]);
        check(Rule::WHEN_NEEDED, ["copy stream", "copy stream", "stream", "copy anew stream"]);
    }

    #[test]
    fn rules_put_together_by_a_configuration() {
        let every = Rule { copies: Copies::EveryStart, ..Rule::INITIAL };
        let never = Rule { copies: Copies::Never, ..Rule::INITIAL };
        check(
            Rule { copies_when_lost: true, ..every },
            ["copy stream", "copy stream", "copy stream", "copy anew stream"],
        );
        check(Rule { streams: false, ..every }, ["copy", "copy", "copy", "copy"]);
        check(Rule { copies_when_lost: true, ..never }, ["stream", "NeverCopies", "stream", "copy anew stream"]);
        check(Rule { leaves_unfinished: true, ..never }, ["stream", "stream", "stream", "Lost"]);
        check(Rule { streams: false, ..never }, ["", "NeverCopies", "", ""]);
    }
}
