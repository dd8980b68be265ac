//! What Java answered about schemas and values, held against this crate's answers.

use super::Options;
use super::document::document;
use crate::convert::tests::answers;

/// Where two texts begin to differ.
fn first_difference(made: &str, expect: &str) -> String {
    let at = made.bytes().zip(expect.bytes()).take_while(|(one, other)| one == other).count();
    let around = |text: &str| {
        String::from_utf8_lossy(&text.as_bytes()[at.saturating_sub(80)..text.len().min(at + 80)]).into_owned()
    };
    format!("  wanted …{}…\n  made   …{}…", around(expect), around(made))
}

#[test]
fn documents_equal_java_to_the_letter() {
    let (mut count, mut wrong) = (0, 0);
    for case in &answers::read("converters/json_schema.jsonl") {
        let Some(Ok(Some(expect))) = case.answer("document") else { continue };
        let made = document(case.schema.as_ref().unwrap(), Options::read(&case.options));
        count += 1;
        if made != expect {
            wrong += 1;
            println!("{}\n{}", case.line, first_difference(&made, &expect));
        }
    }
    assert_eq!(wrong, 0);
    assert!(count > 300, "{count}");
}
