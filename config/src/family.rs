//! Families of keys: one definition covers all names of a pattern such as `producer.override.<property>`.
//!
//! Must not know: which families exist.

/// Whether `name` fits `pattern`. `<n>` stands for one or more digits, any other part in angle brackets for one or more
/// characters; the rest must be equal.
pub(crate) fn is_of(pattern: &str, name: &str) -> bool {
    let Some((before, rest)) = pattern.split_once('<') else { return pattern == name };
    let Some((part, after)) = rest.split_once('>') else { return pattern == name };
    let Some(name) = name.strip_prefix(before) else { return false };
    let fits = |end: usize| {
        let (text, tail) = name.split_at(end);
        !text.is_empty() && (part != "n" || text.bytes().all(|b| b.is_ascii_digit())) && is_of(after, tail)
    };
    if after.is_empty() { fits(name.len()) } else { name.char_indices().any(|(at, _)| fits(at)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        #[track_caller]
        fn check(pattern: &str, name: &str, expect: bool) {
            assert_eq!(is_of(pattern, name), expect, "{pattern} {name}");
        }
        check("a.b", "a.b", true);
        check("a.b", "a.b.c", false);
        check("producer.override.<property>", "producer.override.linger.ms", true);
        check("producer.override.<property>", "producer.override.", false);
        check("column.mask.with.<n>.chars", "column.mask.with.12.chars", true);
        for not in
            ["column.mask.with.x.chars", "column.mask.with..chars", "column.mask.with.12.char", "column.mask.with.1"]
        {
            check("column.mask.with.<n>.chars", not, false);
        }
        check("config.providers.<name>.param.<option>", "config.providers.a.b.param.x.y", true);
        check("config.providers.<name>.param.<option>", "config.providers.a.class", false);
        check("<name>.type", "ü.type", true);
    }
}
