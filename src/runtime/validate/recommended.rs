//! Which classes and versions a validation recommends.
//!
//! Tools build forms from them and compare them with what they know. So they are those of a worker with Debezium's connectors,
//! for PostgreSQL and MySQL 3.6.1 and for MariaDB 3.5.0, each in a plug-in folder of its own: Connect shows a class once for each
//! folder that holds it. What this daemon has besides can be named all the same; a complaint about a class that is not there
//! lists all of them.
//!
//! Must not know: configurations.

use crate::runtime::catalog::{Catalog, Offered, PartKind};

/// How many folders of such a worker hold a class. Kafka's own folder counts too.
fn folders(class: &str) -> usize {
    match class {
        // Debezium's folders bring Kafka's library with these two.
        "org.apache.kafka.connect.storage.StringConverter"
        | "org.apache.kafka.connect.storage.SimpleHeaderConverter" => 4,
        // New in Debezium 3.6.
        "io.debezium.transforms.EnforceRecordSize" => 2,
        // These come with other packages, or are not announced to Connect.
        "io.debezium.transforms.ContentBasedRouter"
        | "io.debezium.transforms.Filter"
        | "io.debezium.converters.CloudEventsConverter"
        | "io.apicurio.registry.utils.converter.ProtobufConverter" => 0,
        _ if class.starts_with("io.confluent.") || class.starts_with("io.debezium.connector.jdbc.") => 0,
        _ if class.starts_with("io.debezium.connector.") => 1,
        _ if class.starts_with("io.debezium.") || class.starts_with("io.apicurio.") => 3,
        _ => 1,
    }
}

/// The base of Apicurio's converters. Connect shows it, although it cannot be used.
const BASE: &str = "io.apicurio.registry.utils.converter.SerdeBasedConverter";

/// The classes of a kind, sorted.
pub(super) fn classes(catalog: &Catalog, kind: PartKind) -> Vec<String> {
    let mut all = catalog.classes(kind);
    if kind == PartKind::Converter {
        all.push(BASE.to_owned());
    }
    all.sort();
    all.iter().flat_map(|class| std::iter::repeat_n(class.clone(), folders(class))).collect()
}

/// The versions of a transformation or predicate.
pub(super) fn versions(offered: &Offered) -> Vec<String> {
    let older = offered.class.starts_with("io.debezium.") && folders(offered.class) == 3;
    older.then(|| "3.5.0.Final".to_owned()).into_iter().chain([offered.version.to_owned()]).collect()
}
