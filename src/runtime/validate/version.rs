//! Wanted versions of plug-ins (`connector.plugin.version` and its like, KIP-891): compares a Maven version range with the
//! one version that is built in.
//!
//! Must not know: which plug-ins there are.

use std::cmp::Ordering;

/// Connect's complaint when the range `wanted` does not contain `version`, the only one of `class`. A version without brackets
/// means exactly that version.
pub(super) fn refusal(class: &str, wanted: &str, version: &str) -> Option<String> {
    let wanted = wanted.trim();
    let range = if wanted.starts_with(['[', '(']) { wanted.to_owned() } else { format!("[{wanted},{wanted}]") };
    let is_there = wanted.is_empty() || ranges(&range).iter().any(|range| holds(range, version));
    (!is_there).then(|| {
        format!("Plugin {class} not found that matches the version range {range}, available versions: [{version}]")
    })
}

/// Whether a text is a version, which any word is, or a list of ranges in which every bracket is closed.
pub(super) fn is_range(text: &str) -> bool {
    let mut is_open = false;
    for letter in text.chars() {
        match letter {
            '[' | '(' if is_open => return false,
            '[' | '(' => is_open = true,
            ']' | ')' if !is_open => return false,
            ']' | ')' => is_open = false,
            _ => {}
        }
    }
    !is_open
}

/// Splits `[a,b),[c,d)` into its ranges.
fn ranges(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut start = 0;
    for (at, _) in text.match_indices([']', ')']) {
        found.push(text[start..=at].trim_matches(|c: char| c == ',' || c.is_whitespace()));
        start = at + 1;
    }
    found
}

fn holds(range: &str, version: &str) -> bool {
    let (open, close) = (range.starts_with('['), range.ends_with(']'));
    let inner = range.trim_matches(['[', ']', '(', ')']);
    let (from, to) = inner.split_once(',').map_or((inner.trim(), inner.trim()), |(from, to)| (from.trim(), to.trim()));
    let fits = |bound: &str, wrong: Ordering, is_in: bool| match compare(version, bound) {
        _ if bound.is_empty() => true,
        Ordering::Equal => is_in,
        order => order != wrong,
    };
    fits(from, Ordering::Less, open) && fits(to, Ordering::Greater, close)
}

/// Compares versions part by part: numbers by value, words by text. `Final` and missing parts count as zero.
fn compare(a: &str, b: &str) -> Ordering {
    let parts = |text: &str| -> Vec<String> { text.split(['.', '-']).map(str::to_ascii_lowercase).collect() };
    let (a, b) = (parts(a), parts(b));
    for at in 0..a.len().max(b.len()) {
        let part = |of: &[String]| of.get(at).filter(|part| *part != "final").cloned().unwrap_or_default();
        let (a, b) = (part(&a), part(&b));
        let number = |part: &str| if part.is_empty() { Some(0) } else { part.parse::<u64>().ok() };
        let order = match (number(&a), number(&b)) {
            (Some(a), Some(b)) => a.cmp(&b),
            // A word stands for something before the release: alpha, beta, CR1.
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (None, None) => a.cmp(&b),
        };
        if order != Ordering::Equal {
            return order;
        }
    }
    Ordering::Equal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        #[track_caller]
        fn check(wanted: &str, taken: bool) {
            assert_eq!(refusal("x.Y", wanted, "3.6.1.Final").is_none(), taken, "{wanted}");
        }
        for wanted in ["3.6.1.Final", "3.6.1", "", "[3.6,4)", "[3,)", "(,3.6.1]", "[1,2),[3.6.1,4)", "[3.6.0.CR1,3.10]"]
        {
            check(wanted, true);
        }
        for wanted in ["", "1.0", "latest", "[3.6,4)", "[1,2),[3,)"] {
            assert!(is_range(wanted), "{wanted}");
        }
        for wanted in ["[1.0", "1.0]", "[1,[2]", "(", "[1,2)]"] {
            assert!(!is_range(wanted), "{wanted}");
        }
        for wanted in ["1.0", "3.6", "[3.6.2,)", "(3.6.1,4)", "(,3.6.1)", "[1,2),[4,5]", "latest", "[3.6.1.Beta1]"] {
            check(wanted, false);
        }
        assert_eq!(
            refusal("x.Y", "1.0", "3.6.1.Final").as_deref(),
            Some("Plugin x.Y not found that matches the version range [1.0,1.0], available versions: [3.6.1.Final]")
        );
    }
}
