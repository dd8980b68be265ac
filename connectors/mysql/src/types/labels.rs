//! The labels of ENUM and SET, which the table's definition has and the binlog counts.

use record::ValueRef;
use relational::values::words;
use std::sync::Arc;

/// The labels of a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Labels(Box<[Box<str>]>);

impl Labels {
    /// From the labels of a SET as the definition writes them, with their quotes and escapes.
    pub(super) fn new(written: &[Arc<str>]) -> Self {
        Self(written.iter().map(|label| unescaped(inside(label)).into()).collect())
    }

    /// From the labels of an ENUM. As in Debezium, the stream shows them as the schema's parameter does, with a backslash
    /// before each comma, and backslashes as the definition writes them; a snapshot shows the server's own text.
    pub(super) fn of_enum(written: &[Arc<str>]) -> Self {
        Self(written.iter().map(|label| shown(label).into()).collect())
    }

    /// The label of an ENUM's index: from 1; 0 is the empty text that stands for a value the server refused.
    pub(super) fn label(&self, index: u64) -> Option<ValueRef<'_>> {
        let Some(place) = index.checked_sub(1) else { return Some(ValueRef::Text("")) };
        self.0.get(usize::try_from(place).ok()?).map(|label| ValueRef::Text(label))
    }

    /// The labels of a SET's bits, joined by commas in the order of the definition.
    pub(super) fn labels(&self, bits: u64) -> Option<ValueRef<'_>> {
        if bits == 0 {
            return Some(ValueRef::Text(""));
        }
        if bits.is_power_of_two() {
            return self.label(u64::from(bits.trailing_zeros()) + 1);
        }
        if self.0.len() < 64 && bits >> self.0.len() != 0 {
            return None;
        }
        let chosen = self.0.iter().take(64).enumerate().filter(|(place, _)| bits >> place & 1 == 1);
        let labels: Vec<&str> = chosen.map(|(_, label)| &**label).collect();
        Some(words(labels.join(",")))
    }
}

/// The parameter `allowed` of the schema: the labels joined by commas, a comma inside of a label with a backslash before it.
/// Of the escapes only those of the quote are resolved, as in Debezium's records.
pub(super) fn allowed(written: &[Arc<str>]) -> String {
    written.iter().map(|label| shown(label)).collect::<Vec<_>>().join(",")
}

fn shown(label: &str) -> String {
    inside(label).replace("\\'", "'").replace("''", "'").replace(',', "\\,")
}

/// A label without its quotes.
fn inside(label: &str) -> &str {
    let label = label.trim();
    let label = label.find('\'').filter(|at| label.starts_with('_') && *at > 0).map_or(label, |at| &label[at..]);
    label.strip_prefix('\'').and_then(|label| label.strip_suffix('\'')).unwrap_or(label)
}

/// A literal's text: doubled quotes and the escapes of the manual's chapter "String Literals".
pub(super) fn unescaped(text: &str) -> String {
    let (mut out, mut chars) = (String::with_capacity(text.len()), text.chars());
    while let Some(c) = chars.next() {
        match c {
            '\'' => {
                out.push('\'');
                if chars.as_str().starts_with('\'') {
                    chars.next();
                }
            }
            '\\' => match chars.next() {
                Some('0') => out.push('\0'),
                Some('b') => out.push('\u{8}'),
                Some('n') => out.push('\n'),
                Some('r') => out.push('\r'),
                Some('t') => out.push('\t'),
                Some('Z') => out.push('\u{1a}'),
                Some(other) => out.push(other),
                None => out.push('\\'),
            },
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use record::Value;

    use super::*;

    fn written(labels: &[&str]) -> Vec<Arc<str>> {
        labels.iter().map(|label| Arc::from(*label)).collect()
    }

    #[track_caller]
    fn check(found: Option<ValueRef<'_>>, expect: Option<&str>) {
        assert_eq!(found.map(|value| value.to_value()), expect.map(Value::text));
    }

    #[test]
    fn labels_by_index() {
        let all = ["'a,b'", "'it''s'", "'it\\'s'", "'\"q\"'", "''", "'  sp'", "'日本'", "'back\\\\slash'"];
        let labels = Labels::of_enum(&written(&all));
        for (index, expect) in [
            (0, ""),
            (1, "a\\,b"),
            (2, "it's"),
            (3, "it's"),
            (4, "\"q\""),
            (5, ""),
            (6, "  sp"),
            (7, "日本"),
            (8, "back\\\\slash"),
        ] {
            check(labels.label(index), Some(expect));
        }
        check(labels.label(9), None);
        check(labels.label(u64::MAX), None);
    }

    #[test]
    fn labels_by_bits() {
        let labels = Labels::new(&written(&["'red'", "'green'", "'blue'", "'it''s'"]));
        for (bits, expect) in [
            (0, Some("")),
            (1, Some("red")),
            (8, Some("it's")),
            (15, Some("red,green,blue,it's")),
            (16, None),
            (17, None),
        ] {
            check(labels.labels(bits), expect);
        }
        let many: Vec<String> = (0..64).map(|n| format!("'{n}'")).collect();
        let many = Labels::new(&many.iter().map(|label| Arc::from(label.as_str())).collect::<Vec<_>>());
        check(many.labels(1 << 63 | 1), Some("0,63"));
        check(many.labels(1 << 63), Some("63"));
    }

    #[test]
    fn the_parameter_of_the_schema() {
        let all = ["'a,b'", "'it''s'", "'\"q\"'", "''", "'back\\\\slash'"];
        assert_eq!(allowed(&written(&all)), "a\\,b,it's,\"q\",,back\\\\slash");
    }
}
