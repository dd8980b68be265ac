//! Whether a start reads the structure of the tables and writes it to the schema history anew, for databases that have one.

use crate::mode::{Copies, Flags, Stored};

/// What a `snapshot.mode` asks for of the structure of tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StructureRule {
    /// When the structure is read.
    pub reads: Copies,
    /// Whether it is read when the schema history is lost although a position is stored. If not, such a start is refused:
    /// without the history the log cannot be read.
    pub reads_when_lost: bool,
    /// Whether a stored position is demanded: there is something to recover.
    pub recovers: bool,
}

/// Why a start is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StructureRefusal {
    /// A position is stored, and the schema history that it needs does not exist or is empty.
    HistoryLost,
    /// The mode recovers the schema history of a stored position, and no position is stored.
    NothingToRecover,
}

impl StructureRule {
    /// `initial`, `initial_only`, `no_data`, `when_needed`: at the first start.
    pub const INITIAL: Self = Self { reads: Copies::Once, reads_when_lost: false, recovers: false };
    /// `always`: at every start.
    pub const ALWAYS: Self = Self { reads: Copies::EveryStart, ..Self::INITIAL };
    /// `recovery`: at every start, from the tables as they are now, and the stored position stays.
    pub const RECOVERY: Self = Self { reads: Copies::EveryStart, reads_when_lost: true, recovers: true };

    /// Whether a start reads the structure. `is_history_lost`: the schema history does not exist, or is empty. Ask this before
    /// [`decide`](crate::decide), and again of a position that turned out to be lost: then it is read whenever rows are copied
    /// anew (`copies_anew`).
    ///
    /// # Errors
    /// When there is nothing to recover, and when the history that a stored position needs is lost.
    pub fn reads(self, stored: Stored, is_history_lost: bool, copies_anew: bool) -> Result<bool, StructureRefusal> {
        match stored {
            Stored::Nothing if self.recovers => return Err(StructureRefusal::NothingToRecover),
            Stored::Nothing => {}
            _ if is_history_lost && !self.reads_when_lost => return Err(StructureRefusal::HistoryLost),
            _ if is_history_lost || copies_anew => return Ok(true),
            _ => {}
        }
        Ok(match self.reads {
            Copies::Never => false,
            Copies::Once => matches!(stored, Stored::Nothing | Stored::Unfinished),
            Copies::EveryStart => true,
        })
    }
}

impl Flags {
    /// What the flags ask for of the structure of tables.
    pub fn structure_rule(self) -> StructureRule {
        StructureRule {
            reads: if self.schema { Copies::EveryStart } else { Copies::Never },
            reads_when_lost: self.on_schema_error,
            recovers: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a start does with nothing stored, an unfinished copy, and a position; then the same without the schema history.
    #[track_caller]
    fn check(rule: StructureRule, expect: [&str; 6]) {
        let all = [Stored::Nothing, Stored::Unfinished, Stored::Position];
        let cases = all.iter().map(|stored| (*stored, false)).chain(all.iter().map(|stored| (*stored, true)));
        let shown: Vec<String> = cases
            .map(|(stored, is_lost)| match rule.reads(stored, is_lost, false) {
                Ok(reads) => if reads { "reads" } else { "" }.to_owned(),
                Err(refusal) => format!("{refusal:?}"),
            })
            .collect();
        assert_eq!(shown, expect, "{rule:?}");
    }

    #[test]
    fn the_named_modes() {
        check(StructureRule::INITIAL, ["reads", "reads", "", "reads", "HistoryLost", "HistoryLost"]);
        check(StructureRule::ALWAYS, ["reads", "reads", "reads", "reads", "HistoryLost", "HistoryLost"]);
        check(StructureRule::RECOVERY, ["NothingToRecover", "reads", "reads", "NothingToRecover", "reads", "reads"]);
    }

    #[test]
    fn rows_that_are_copied_anew_bring_their_structure() {
        assert_eq!(StructureRule::INITIAL.reads(Stored::Lost, false, true), Ok(true));
        assert_eq!(StructureRule::INITIAL.reads(Stored::Lost, false, false), Ok(false));
    }

    #[test]
    fn rules_put_together_by_a_configuration() {
        let never = StructureRule { reads: Copies::Never, ..StructureRule::INITIAL };
        check(never, ["", "", "", "", "HistoryLost", "HistoryLost"]);
        check(StructureRule { reads_when_lost: true, ..never }, ["", "", "", "", "reads", "reads"]);
    }
}
