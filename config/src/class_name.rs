//! The names by which a configuration may call a Java class.

/// Whether `text`, written in a config, names the Java class `class`. Kafka Connect accepts the full name, the simple
/// name (`JsonConverter`), and the simple name without one of `ends`, the words that such classes end in (`Json`). A nested
/// class (`Cast$Value`) has no shorter name, because many would share it.
pub fn names_class(text: &str, class: &str, ends: &[&str]) -> bool {
    let simple = class.rsplit('.').next().unwrap_or(class);
    let short = ends.iter().find_map(|end| simple.strip_suffix(end));
    let is_short = text == simple || short.is_some_and(|short| !short.is_empty() && text == short);
    text == class || is_short && !simple.contains('$')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        const ENDS: &[&str] = &["HeaderConverter", "Converter"];
        for (text, expect) in [
            ("a.b.JsonConverter", true),
            ("JsonConverter", true),
            ("Json", true),
            ("json", false),
            ("b.JsonConverter", false),
            ("", false),
        ] {
            assert_eq!(names_class(text, "a.b.JsonConverter", ENDS), expect, "{text}");
        }
        assert!(names_class("Simple", "a.SimpleHeaderConverter", ENDS));
        assert!(!names_class("Cast$Value", "a.Cast$Value", ENDS) && names_class("a.Cast$Value", "a.Cast$Value", ENDS));
        assert!(!names_class("", "a.Converter", ENDS), "a class that is only the word has no shorter name");
    }
}
