//! Java classes that older Debezium releases had, and the classes that replaced them. A config that still names one of them
//! is refused, and the answer says which class to name.
//!
//! Must not know: what the classes do.

/// The class that replaced `class`, which a Debezium release removed; none for all other names. Full names and simple names are
/// known, as Connect accepts both.
pub fn replaced(class: &str) -> Option<&'static str> {
    const GONE: &[(&str, &str)] = &[
        ("io.debezium.converters.ByteBufferConverter", "io.debezium.converters.BinaryDataConverter"),
        ("io.debezium.transforms.UnwrapFromEnvelope", "io.debezium.transforms.ExtractNewRecordState"),
        ("io.debezium.transforms.partitions.ComputePartition", "io.debezium.transforms.partitions.PartitionRouting"),
    ];
    GONE.iter().find(|(gone, _)| settings::names_class(class, gone, &[])).map(|(_, now)| *now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_today() {
        let unwrap = Some("io.debezium.transforms.ExtractNewRecordState");
        assert_eq!(replaced("io.debezium.transforms.UnwrapFromEnvelope"), unwrap);
        assert_eq!(replaced("UnwrapFromEnvelope"), unwrap);
        let partition = Some("io.debezium.transforms.partitions.PartitionRouting");
        assert_eq!(replaced("io.debezium.transforms.partitions.ComputePartition"), partition);
        let binary = Some("io.debezium.converters.BinaryDataConverter");
        assert_eq!(replaced("io.debezium.converters.ByteBufferConverter"), binary);
        assert_eq!(replaced("io.debezium.transforms.ExtractNewRecordState"), None);
    }
}
