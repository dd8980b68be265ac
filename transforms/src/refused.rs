//! Classes that users may name but that this daemon does not have, each with the reason and what to do instead. Without this
//! table the answer would only be that the class could not be found.
//!
//! Must not know: the transforms that there are.

use settings::names_class;

const AI: &str = "It calls an external service for each record, which this daemon does not do. \
                  Run it behind the topic, in a consumer of its own.";
const MONGODB: &str = "It is for records of MongoDB, which this daemon does not read. Remove it.";
const VITESS: &str = "It is for records of Vitess, which this daemon does not read. Remove it.";

const REFUSED: &[(&str, &str)] = &[
    ("io.debezium.ai.docling.FieldToDocling", AI),
    ("io.debezium.ai.embeddings.FieldToEmbedding", AI),
    ("io.debezium.connector.mongodb.transforms.ExtractNewDocumentState", MONGODB),
    ("io.debezium.connector.mongodb.transforms.outbox.MongoEventRouter", MONGODB),
    ("io.debezium.connector.vitess.transforms.FilterTransactionTopicRecords", VITESS),
    ("io.debezium.connector.vitess.transforms.RemoveField", VITESS),
    ("io.debezium.connector.vitess.transforms.ReplaceFieldValue", VITESS),
    ("io.debezium.connector.vitess.transforms.UseLocalVgtid", VITESS),
];

/// Why a transform of this class is refused, and what to do instead; `None` for classes that nothing is known of, and for
/// those that work.
pub fn refused(class: &str) -> Option<&'static str> {
    REFUSED.iter().find(|(name, _)| names_class(class, name, &[])).map(|(_, why)| *why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes() {
        for (class, expect) in [
            ("io.debezium.ai.embeddings.FieldToEmbedding", Some("external service")),
            ("io.debezium.ai.docling.FieldToDocling", Some("external service")),
            ("RemoveField", Some("Vitess")),
            ("io.debezium.transforms.ExtractNewRecordState", None),
            ("no.such.Class", None),
        ] {
            let why = refused(class);
            assert_eq!(why.is_some(), expect.is_some(), "{class}");
            assert!(why.unwrap_or_default().contains(expect.unwrap_or_default()), "{class}: {why:?}");
        }
    }

    #[test]
    fn what_is_refused_is_not_there() {
        for (class, _) in REFUSED {
            assert!(crate::find(class).is_none(), "{class}");
        }
    }
}
