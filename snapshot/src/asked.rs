//! `snapshot.mode` and its flags as configurations spell them, and the rules that they stand for.

use settings::Reader;

use crate::{Copies, Flags, Rule, StructureRule};

settings::choices! {
    /// `snapshot.mode`: when tables are read. Which of these a connector has, its keys say.
    pub enum Mode {
        /// At every start.
        Always = "always",
        /// Once, when no offset is stored.
        Initial = "initial",
        /// Once; then nothing is streamed.
        InitialOnly = "initial_only",
        /// Never; only the structure is, once.
        NoData = "no_data",
        /// Only the structure as it is now, to make a lost history anew; the stored position stays.
        Recovery = "recovery",
        /// Once, and when the stored position is gone.
        WhenNeeded = "when_needed",
        /// As the keys `snapshot.mode.configuration.based.*` say.
        ConfigurationBased = "configuration_based",
        /// A Java plug-in: refused.
        Custom = "custom",
    }
}

/// What a configuration asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    /// `snapshot.mode`, for messages; what it means are the rules.
    pub mode: Mode,
    /// When rows are copied, and whether the log is followed.
    pub rule: Rule,
    /// When the structure of the tables is read and written to a schema history, where the connector has one.
    pub structure: StructureRule,
}

impl Asked {
    /// Reads `snapshot.mode`, and for `configuration_based` its flags. `custom` is refused: a Java plug-in cannot run here, and
    /// another mode would not copy what the user asked for. `names` lists the connector's other modes for that message.
    pub fn read(r: &mut Reader<'_>, names: &str) -> Self {
        let mode = r.choice("snapshot.mode", Mode::Initial);
        if mode == Mode::Custom {
            let problem = format!(
                "'custom' names a Java plug-in, and these do not run here; use {names}, or say what is copied and when with \
                 configuration_based and the keys snapshot.mode.configuration.based.*"
            );
            r.refuse("snapshot.mode", &problem);
        }
        let (rule, structure) = mode.rules(flags(r));
        Self { mode, rule, structure }
    }
}

fn flags(r: &mut Reader<'_>) -> Flags {
    Flags {
        data: r.boolean("snapshot.mode.configuration.based.snapshot.data"),
        schema: r.boolean("snapshot.mode.configuration.based.snapshot.schema"),
        stream: r.boolean("snapshot.mode.configuration.based.start.stream"),
        on_data_error: r.boolean("snapshot.mode.configuration.based.snapshot.on.data.error"),
        on_schema_error: r.boolean("snapshot.mode.configuration.based.snapshot.on.schema.error"),
    }
}

impl Mode {
    /// The rules that the mode stands for.
    fn rules(self, flags: Flags) -> (Rule, StructureRule) {
        match self {
            Self::Initial => (Rule::INITIAL, StructureRule::INITIAL),
            Self::Always => (Rule::ALWAYS, StructureRule::ALWAYS),
            Self::InitialOnly => (Rule::INITIAL_ONLY, StructureRule::INITIAL),
            Self::NoData => (Rule::NO_DATA, StructureRule::INITIAL),
            Self::Recovery => (Rule::RECOVERY, StructureRule::RECOVERY),
            Self::WhenNeeded => (Rule::WHEN_NEEDED, StructureRule::INITIAL),
            Self::ConfigurationBased => (flags.rule(), flags.structure_rule()),
            // Refused: no connector starts with it.
            Self::Custom => (Rule { copies: Copies::Never, streams: false, ..Rule::INITIAL }, StructureRule::INITIAL),
        }
    }
}
