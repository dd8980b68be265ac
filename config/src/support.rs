//! Whether the daemon does what a key promises: the key works, has no effect, or is refused.
//!
//! A key that is silently accepted and ignored is the worst case: the user finds out from wrong data. So every key in
//! every table states its support. The same statement is used by validation (a refused key is an error of that key), by
//! the log (a key without effect is a warning), at a start (a refused key ends it) and by the generated reference. A
//! key that guards data, promises delivery or changes values may not be `NoEffect`: it must work or be refused.
//! Keys in no table are accepted silently, as in Connect.
//!
//! Must not know: which keys exist, who asks.

use crate::{Asked, Check, Key, Kind, Properties, SecretNames};

/// What the daemon does with a key that is set.
#[derive(Clone, Copy, Debug)]
pub enum Support {
    /// Code reads the value and does what the documentation says.
    Works,
    /// Values other than the default change nothing and earn one warning. The text says why ignoring them does no harm.
    NoEffect(&'static str),
    /// Values other than the default are refused. The first text says why, as a clause that can follow a colon; the
    /// second says what to do instead, as a whole sentence.
    Refused(&'static str, &'static str),
    /// The key works except for some values. The first case that a value belongs to applies.
    Partly(&'static [(Values, Support)]),
}

/// The values that one case of [`Support::Partly`] applies to. Texts are compared without surrounding blanks and
/// without regard to case; for a list, one such item is enough.
#[derive(Clone, Copy, Debug)]
pub enum Values {
    /// The values in the slice.
    These(&'static [&'static str]),
    /// All values that are not in the slice.
    Not(&'static [&'static str]),
    /// The values for which the function returns true.
    Own(fn(&Asked<'_>) -> bool),
}

impl Values {
    fn hold(self, kind: Kind, asked: &Asked<'_>) -> bool {
        let text = asked.value.unwrap_or_default().trim();
        let is_one = |item: &str, of: &[&str]| of.iter().any(|one| one.eq_ignore_ascii_case(item.trim()));
        let mut items: Box<dyn Iterator<Item = &str>> = match kind {
            Kind::List => Box::new(text.split(',').filter(|item| !item.trim().is_empty())),
            _ => Box::new(std::iter::once(text)),
        };
        match self {
            Self::These(values) => items.any(|item| is_one(item, values)),
            Self::Not(values) => items.any(|item| !is_one(item, values)),
            Self::Own(own) => own(asked),
        }
    }
}

/// [`Support`] decided for one value of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Works,
    NoEffect(&'static str),
    Refused(&'static str, &'static str),
}

impl Key {
    /// The verdict on `value`, set under `name`: the key's own name, or one that its family covers.
    pub(crate) fn verdict(&self, name: &str, value: &str, properties: &Properties) -> Verdict {
        if value.trim().is_empty() || self.is_default(value) {
            return Verdict::Works;
        }
        let asked = Asked { name, value: Some(value), properties, prefix: "" };
        let mut support = self.support;
        loop {
            match support {
                Support::Works => return Verdict::Works,
                Support::NoEffect(why) => return Verdict::NoEffect(why),
                Support::Refused(why, instead) => return Verdict::Refused(why, instead),
                Support::Partly(cases) => match cases.iter().find(|(values, _)| values.hold(self.kind, &asked)) {
                    Some((_, held)) => support = *held,
                    None => return Verdict::Works,
                },
            }
        }
    }

    /// Whether `value` means the same as the default, for example `TRUE` and `true` of a boolean.
    fn is_default(&self, value: &str) -> bool {
        let Some(default) = self.default else { return false };
        let (value, default) = (value.trim(), default.trim());
        let named = self.checks.iter().any(|check| matches!(check, Check::OneOf(_) | Check::OneOfAnyCase(_)));
        match self.kind {
            Kind::Boolean => value.eq_ignore_ascii_case(default),
            Kind::Int | Kind::Short | Kind::Long => value.parse::<i64>().ok() == default.parse().ok(),
            Kind::List => value.split(',').map(str::trim).eq(default.split(',').map(str::trim)),
            _ if named => value.eq_ignore_ascii_case(default),
            _ => value == default,
        }
    }
}

/// The name as a message may show it. A column rule's name holds the salt itself
/// (`column.mask.hash.….with.salt.<salt>`), which is a secret and is masked.
pub fn shown_name(name: &str) -> String {
    match name.split_once(".salt.") {
        Some((known, _)) => format!("{known}.salt.{}", crate::MASK),
        None => name.to_owned(),
    }
}

/// The whole message of a refused value, in the words of the key's style.
pub(crate) fn refusal(key: &Key, name: &str, value: &str, why: &str, instead: &str) -> String {
    let (name, problem) = (shown_name(name), format!("{why}. {instead}"));
    match key.style {
        crate::Style::Debezium => crate::debezium::message(&name, &problem),
        crate::Style::Connect => {
            let hidden = key.kind == Kind::Password || SecretNames::Usual.hides(&name);
            let value = if hidden { crate::HIDDEN } else { value };
            format!("Invalid value {value} for configuration {name}: {problem}")
        }
    }
}

/// The remark on a key without effect.
pub(crate) fn remark(name: &str, why: &str) -> String {
    format!("'{}' has no effect here: {why}.", shown_name(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHANNELS: Key = Key::debezium("channels", Kind::List).default("source").support(Support::Partly(&[
        (Values::These(&["jmx"]), Support::Refused("there is no JVM", "Remove it.")),
        (Values::Own(|asked| asked.properties.contains("mute")), Support::NoEffect("all is mute")),
        (Values::Not(&["source", "kafka"]), Support::NoEffect("nobody listens there")),
    ]));
    const FLAG: Key = Key::new("flag", Kind::Boolean).default("true").support(Support::NoEffect("it is always so"));
    const SIZE: Key = Key::debezium("size", Kind::Int).default("10").support(Support::NoEffect("sizes grow"));
    const MODE: Key = Key::debezium("mode", Kind::String)
        .default("a")
        .one_of(&["a", "b"], &[Check::OneOf(&["a", "b"])])
        .support(Support::Refused("b is not built in", "Use a."));

    #[test]
    fn verdicts() {
        #[track_caller]
        fn check(key: &Key, value: &str, expect: &str) {
            let properties: Properties = if let Some((_, name)) = value.split_once('|') {
                [(name, "x")].into_iter().collect()
            } else {
                Properties::new()
            };
            let value = value.split('|').next().unwrap_or_default();
            let shown = match key.verdict(key.name, value, &properties) {
                Verdict::Works => "",
                Verdict::NoEffect(why) | Verdict::Refused(why, _) => why,
            };
            assert_eq!(shown, expect, "{}={value}", key.name);
        }
        for harmless in ["", " ", "source", " source ", "source,kafka", "kafka"] {
            check(&CHANNELS, harmless, "");
        }
        check(&CHANNELS, "source, JMX", "there is no JVM");
        check(&CHANNELS, "jmx|mute", "there is no JVM");
        check(&CHANNELS, "kafka|mute", "all is mute");
        check(&CHANNELS, "source,file", "nobody listens there");
        for (key, value, expect) in [
            (&FLAG, "TRUE", ""),
            (&FLAG, "false", "it is always so"),
            (&SIZE, " 10", ""),
            (&SIZE, "010", ""),
            (&SIZE, "11", "sizes grow"),
            (&MODE, "A", ""),
            (&MODE, "b", "b is not built in"),
        ] {
            check(key, value, expect);
        }
    }

    #[test]
    fn texts() {
        assert_eq!(refusal(&MODE, "mode", "b", "w", "I."), "The 'mode' value is invalid: w. I.");
        assert_eq!(refusal(&FLAG, "flag", "false", "w", "I."), "Invalid value false for configuration flag: w. I.");
        assert_eq!(
            refusal(&FLAG, "my.secret", "false", "w", "I."),
            "Invalid value [hidden] for configuration my.secret: w. I."
        );
        assert_eq!(shown_name("column.mask.hsh.MD5.with.salt.a.b"), "column.mask.hsh.MD5.with.salt.********");
        assert_eq!(remark("a", "nobody asks"), "'a' has no effect here: nobody asks.");
    }
}
