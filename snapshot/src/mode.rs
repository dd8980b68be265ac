//! `snapshot.mode` against what is stored: copy, stream, both, or refuse.

/// `snapshot.mode`, as far as it decides by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Rows at the first start, and again while a first copy is unfinished.
    Initial,
    /// Rows at every start.
    Always,
    /// Rows as in `initial`, then nothing.
    InitialOnly,
    /// Never rows.
    NoData,
    /// Rows as in `initial`, and when the log does not reach back to the stored position any more.
    WhenNeeded,
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
    /// Changes since the stored position are gone.
    Lost,
    /// A copy was begun, and the mode may not finish it.
    NeverCopies,
}

/// What a start in this mode does.
///
/// # Errors
/// When going on would lose rows in silence.
pub fn decide(mode: Mode, stored: Stored) -> Result<Decision, Refusal> {
    let stream = mode != Mode::InitialOnly;
    let does = |copy| Ok(Decision { copy, forget: false, stream });
    match (mode, stored) {
        (Mode::WhenNeeded, Stored::Lost) => Ok(Decision { copy: true, forget: true, stream }),
        // A mode that does not stream needs no log.
        (Mode::InitialOnly, Stored::Lost) => does(false),
        (_, Stored::Lost) => Err(Refusal::Lost),
        (Mode::NoData, Stored::Unfinished) => Err(Refusal::NeverCopies),
        (Mode::NoData, _) => does(false),
        (Mode::Always, _) | (_, Stored::Nothing | Stored::Unfinished) => does(true),
        (_, Stored::Position) => does(false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(mode: Mode, expect: [&str; 4]) {
        let stored = [Stored::Nothing, Stored::Unfinished, Stored::Position, Stored::Lost];
        let shown = stored.map(|stored| match decide(mode, stored) {
            Ok(Decision { copy, forget, stream }) => [(copy, "copy "), (forget, "anew "), (stream, "stream")]
                .iter()
                .filter(|(is, _)| *is)
                .map(|(_, t)| *t)
                .collect(),
            Err(refusal) => format!("{refusal:?}"),
        });
        assert_eq!(shown.each_ref().map(|text| text.trim()), expect, "{mode:?}");
    }

    #[test]
    fn the_table() {
        check(Mode::Initial, ["copy stream", "copy stream", "stream", "Lost"]);
        check(Mode::Always, ["copy stream", "copy stream", "copy stream", "Lost"]);
        check(Mode::InitialOnly, ["copy", "copy", "", ""]);
        check(Mode::NoData, ["stream", "NeverCopies", "stream", "Lost"]);
        check(Mode::WhenNeeded, ["copy stream", "copy stream", "stream", "copy anew stream"]);
    }
}
