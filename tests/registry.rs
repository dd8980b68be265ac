//! The schema registry client against a real registry (Apicurio), by both of its APIs.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a test program")]

mod rig;

use rig::{Registry, Server, unique};

const INT: &str = r#"{"type":"record","name":"row","fields":[{"name":"a","type":"int"}]}"#;
const TEXT: &str = r#"{"type":"record","name":"row","fields":[{"name":"a","type":"string"}]}"#;

/// The registry of the tests itself: it keeps the text to the letter, holds schemas against the rule, deletes, and
/// comes back after a kill with what it had.
#[test]
fn the_registry_of_the_tests_is_a_real_one() {
    let mut server = Server::registry();
    let (subject, other) = (unique("t") + "-value", unique("t") + "-value");
    let id = Registry::of(&server).register(&subject, INT);
    server.stop(true);
    server.start_again();
    let registry = Registry::of(&server);
    assert_eq!(registry.schema(id), INT);
    assert_eq!(registry.register(&other, INT), id, "the same text has one id, in whatever subject");
    assert_eq!(registry.register(&subject, INT), id);
    assert_eq!(registry.subjects(&subject), [subject.clone()]);
    registry.require(&subject, "NONE");
    assert_ne!(registry.register(&subject, TEXT), id);
    assert_eq!(registry.versions(&subject), [1, 2]);
    assert_eq!(registry.version(&subject, 1)["schema"], INT);
    registry.delete(&subject);
    assert_eq!(registry.subjects("t_").as_slice(), [other]);
}
