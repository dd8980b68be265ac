//! Whether a key does here what it promises: it works, it has no effect, or it is refused.
//!
//! A key that is taken in silence and does nothing is the worst of the three: a person finds out from the data. So each
//! key of each table says which it is, and the same answer serves the validation (a refusal is an error of that key), the
//! log (a key without effect is a warning), a start (which a refusal ends) and the generated reference. What guards data,
//! promises delivery or changes values is never "no effect": it works or is refused.
//!
//! Must not know: which keys exist, who asks.

use crate::{Asked, Check, Key, Kind, Properties, SecretNames};

/// What becomes of a key that is set.
#[derive(Clone, Copy, Debug)]
pub enum Support {
    /// Code reads the value and does what the documentation says.
    Works,
    /// Any value but the default changes nothing; the text says why that harms nobody. One warning.
    NoEffect(&'static str),
    /// Any value but the default is refused: the first text says why, the second what to do instead. Each is a clause that
    /// can follow a colon, and a whole sentence.
    Refused(&'static str, &'static str),
    /// Works, but for some values; the first case that a value belongs to holds.
    Partly(&'static [(Values, Support)]),
}

/// The values that one case of [`Support::Partly`] is about. Texts are compared without blanks around them and in any case;
/// of a list, one item is enough.
#[derive(Clone, Copy, Debug)]
pub enum Values {
    /// These.
    These(&'static [&'static str]),
    /// All others.
    Not(&'static [&'static str]),
    /// Those for which the function says so.
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

/// What holds for one value of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Works,
    NoEffect(&'static str),
    Refused(&'static str, &'static str),
}

impl Key {
    /// What becomes of `value`, set under `name` (the key's own, or one of its family).
    pub(crate) fn verdict(&self, name: &str, value: &str, properties: &Properties) -> Verdict {
        if value.trim().is_empty() || self.is_default(value) {
            return Verdict::Works;
        }
        let asked = Asked { name, value: Some(value), properties };
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

    /// Whether `value` says what the default says.
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

/// A name as it may stand in a message: what follows `.salt.` is a secret.
pub(crate) fn shown_name(name: &str) -> String {
    match name.split_once(".salt.") {
        Some((known, _)) => format!("{known}.salt.{}", crate::MASK),
        None => name.to_owned(),
    }
}

/// The whole message of a refusal, in the words around it that the key's style has.
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

/// The whole remark of a key without effect.
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
