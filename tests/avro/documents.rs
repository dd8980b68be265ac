//! The documents that a table gets in a real registry are those of Java's converters, and Apicurio's converter carries ids
//! in its own ways.

use serde_json::{Value, json};

use super::{SOON, avro, decode};
use crate::rig::{Daemon, Database, Kafka, Options, Registry, wait_until};

const APICURIO: &str = "io.apicurio.registry.utils.converter.AvroConverter";

/// A table with a column of every kind, and what Apicurio's converter on a Connect worker registered for it.
#[test]
fn the_documents_of_a_table_equal_javas_to_the_letter() {
    let (daemon, registry, kafka) =
        (Daemon::start(Options::new("avro_documents")), Registry::shared(), Kafka::shared());
    let api = [registry.native_url(2), registry.native_url(3)];
    for url in [None, Some(&api[0]), Some(&api[1])] {
        let database = Database::create("documents");
        database.run(include_str!("../data/avro/kinds.sql"));
        let mut config = avro(&database, &registry.confluent_url(), &[]);
        if let Some(url) = url {
            for part in ["key", "value"] {
                config.insert(format!("{part}.converter"), json!(APICURIO));
                config.insert(format!("{part}.converter.apicurio.registry.url"), json!(url));
                config.insert(format!("{part}.converter.apicurio.registry.auto-register"), json!("true"));
            }
        }
        daemon.create(&database.name, &config);
        let topic = format!("{}.public.t", database.name);
        wait_until("the copy is there", SOON, || kafka.length(&topic) == 2);
        for (part, golden) in [
            ("key", include_str!("../data/avro/kinds.key.avsc")),
            ("value", include_str!("../data/avro/kinds.value.avsc")),
        ] {
            let seen = registry.version(&format!("{topic}-{part}"), 1)["schema"].as_str().unwrap().to_owned();
            let golden: Value = serde_json::from_str(&golden.replace("av_kinds", &database.name)).unwrap();
            assert_eq!(seen, golden.to_string(), "{part} {url:?}");
        }
        for message in kafka.consume(&topic) {
            let key = decode::record(&registry, &message.key.unwrap());
            let value = decode::record(&registry, &message.value.unwrap());
            assert_eq!((&key["id"], &key["code"]), (&value["after"]["id"], &value["after"]["code"]));
        }
    }
}

/// With `headers.enabled` the ids stand in headers, and the bytes are the bare data.
#[test]
fn apicurios_ids_in_headers() {
    let (daemon, registry, kafka) = (Daemon::start(Options::new("avro_headers")), Registry::shared(), Kafka::shared());
    let database = Database::create("avro_headers");
    database.run("create table t(id int primary key); insert into t values (7)");
    let mut config = database.connector(&[]);
    for part in ["key", "value"] {
        for (key, value) in [
            ("", APICURIO),
            (".apicurio.registry.url", &*registry.native_url(3)),
            (".apicurio.registry.auto-register", "true"),
            (".apicurio.registry.headers.enabled", "true"),
        ] {
            config.insert(format!("{part}.converter{key}"), json!(value));
        }
    }
    daemon.create(&database.name, &config);
    let topic = format!("{}.public.t", database.name);
    wait_until("the row is there", SOON, || kafka.length(&topic) == 1);
    let message = &kafka.consume(&topic)[0];
    assert_eq!(message.key.as_deref(), Some(&[14][..]));
    // The connector's own headers come first.
    let ids = message.headers.split_at(message.headers.len() - 4).1;
    let names: Vec<&str> = ids.iter().map(|(name, _)| &**name).collect();
    let expect =
        ["apicurio.key.contentId", "apicurio.key.encoding", "apicurio.value.contentId", "apicurio.value.encoding"];
    assert_eq!(names, expect);
    // The value as the other way would carry it.
    let id = ids[2].1.as_ref().unwrap();
    let framed = [&[0], &id[4..], message.value.as_ref().unwrap()].concat();
    assert_eq!(decode::record(&registry, &framed)["after"], json!({"id": 7}));
}
