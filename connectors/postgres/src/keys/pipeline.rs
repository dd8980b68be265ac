//! Group `Connector`, first part: queues, snapshots, retries, limits.
//!
//! Order and titles are those of Debezium's answer over REST, for forms that are built from it.
//!
//! Must not know: how the values are used.

use settings::{Check, Key, Kind, Support, Width};

use crate::keys::rules;

const GROUP: &str = "Connector";

pub(super) const KEYS: &[Key] = &[
    Key::debezium("event.processing.failure.handling.mode", Kind::String)
        .default("fail")
        .at(GROUP, 1)
        .shown("Event deserialization failure handling", Width::Short)
        .one_of(&["warn", "fail", "ignore", "skip"], &[Check::OneOf(&["warn", "fail", "ignore", "skip"])])
        .doc(
            "When one change cannot be decoded: fail stops the task at it; warn, skip and ignore lose that change and go on.",
        )
        .support(Support::NoEffect("a change that cannot be decoded always stops the task at it, so that none is lost")),
    Key::debezium("max.batch.size", Kind::Int)
        .default("2048")
        .at(GROUP, 2)
        .shown("Change event batch size", Width::Short)
        .checks(&[Check::PositiveInteger])
        .doc(
            "Most records in one batch handed on. More gives throughput, fewer memory and latency.",
        )
        .support(Support::NoEffect("batches grow with the load by themselves")),
    Key::debezium("max.queue.size", Kind::Int)
        .default("8192")
        .at(GROUP, 3)
        .shown("Change event buffer size", Width::Short)
        .checks(&[Check::Own(rules::queue_size)])
        .doc(
            "Most records between the reader and Kafka; a full queue stops reading. Must be larger than max.batch.size.",
        )
        .support(Support::NoEffect("queues are bounded in bytes, for the whole process")),
    Key::debezium("poll.interval.ms", Kind::Long)
        .default("500")
        .at(GROUP, 4)
        .shown("Poll interval (ms)", Width::Short)
        .checks(&[Check::PositiveInteger])
        .doc(
            "Milliseconds to wait for a first record before an empty batch is handed on.",
        )
        .support(Support::NoEffect("changes are handed on as they come, without a timer")),
    Key::debezium("max.queue.size.in.bytes", Kind::Long)
        .default("0")
        .at(GROUP, 5)
        .shown("Change event buffer size in bytes", Width::Long)
        .checks(&[Check::NonNegativeLong])
        .doc(
            "Most bytes between the reader and Kafka, beside max.queue.size; 0 leaves it to the process's own byte budget.",
        )
        .support(Support::NoEffect("queues are bounded in bytes, for the whole process")),
    Key::debezium("provide.transaction.metadata", Kind::Boolean)
        .default("false")
        .low()
        .at(GROUP, 6)
        .shown("Store transaction metadata information in a dedicated topic.", Width::Short)
        .doc(
            "Send BEGIN and END records to the transaction topic and put a transaction block into each change. One more record at each end of every transaction.",
        ),
    Key::debezium("snapshot.delay.ms", Kind::Long)
        .default("0")
        .low()
        .at(GROUP, 7)
        .shown("Snapshot Delay (milliseconds)", Width::Medium)
        .checks(&[Check::NonNegativeLong])
        .doc(
            "Milliseconds to wait before the snapshot, for instance while connectors are moved about at start.",
        ),
    Key::debezium("streaming.delay.ms", Kind::Long)
        .default("0")
        .low()
        .at(GROUP, 8)
        .shown("Streaming Delay (milliseconds)", Width::Medium)
        .checks(&[Check::NonNegativeLong])
        .doc(
            "Milliseconds to wait between a completed snapshot and streaming, so that the snapshot's offset is stored first.",
        ),
    Key::debezium("snapshot.include.collection.list", Kind::List)
        .at(GROUP, 9)
        .shown("Snapshot mode include data collection", Width::Long)
        .checks(&[Check::RegexList])
        .doc(
            "Regexes on 'schema.table': of the captured tables, those whose rows are copied. The others are only streamed: what was in them before stays unread.",
        ),
    Key::debezium("snapshot.fetch.size", Kind::Int)
        .at(GROUP, 10)
        .shown("Snapshot fetch size", Width::Medium)
        .checks(&[Check::NonNegativeInteger])
        .doc(
            "Rows asked for at a time during the snapshot.",
        )
        .support(Support::NoEffect("rows are copied in one stream, which the reader slows down by itself")),
    Key::debezium("snapshot.max.threads", Kind::Int)
        .default("1")
        .at(GROUP, 11)
        .shown("Snapshot maximum threads", Width::Short)
        .checks(&[Check::PositiveInteger])
        .doc(
            "Connections that read the snapshot side by side. More is faster and a heavier load on the server.",
        )
        .support(Support::NoEffect("one connection copies table after table, with the same records")),
    Key::debezium("snapshot.max.threads.multiplier", Kind::Int)
        .default("1")
        .at(GROUP, 12)
        .shown("Snapshot maximum thread multiplier", Width::Short)
        .checks(&[Check::PositiveInteger])
        .doc(
            "Chunks a table is cut into for each of snapshot.max.threads. For one table: snapshot.max.threads.multiplier.<schema>.<table>.",
        )
        .family("snapshot.max.threads.multiplier.<table>")
        .support(Support::NoEffect("one connection copies table after table, with the same records")),
    Key::debezium("legacy.snapshot.max.threads", Kind::Boolean)
        .default("false")
        .low()
        .at(GROUP, 13)
        .shown("Enforces using a single thread per table regardless of table size", Width::Short)
        .aliases(&["internal.legacy.snapshot.max.threads"])
        .doc(
            "With several threads: one table a thread instead of chunks of every table.",
        )
        .support(Support::NoEffect("one connection copies table after table, with the same records")),
    Key::debezium("internal.legacy.snapshot.max.threads", Kind::Boolean)
        .default("false")
        .low()
        .at(GROUP, 13)
        .shown("Enforces using a single thread per table regardless of table size", Width::Short)
        .alias_of("legacy.snapshot.max.threads")
        .doc(
            "Earlier name of legacy.snapshot.max.threads. Accepted, without effect.",
        )
        .support(Support::NoEffect("Debezium does not read this name either; legacy.snapshot.max.threads took its place")),
    Key::debezium("snapshot.mode.custom.name", Kind::String)
        .at(GROUP, 14)
        .shown("Snapshot Mode Custom Name", Width::Medium)
        .checks(&[Check::Own(rules::custom_snapshot_mode)])
        .doc(
            "Name of a Java snapshotter, for snapshot.mode=custom. Java plug-ins do not run here.",
        )
        .support(Support::NoEffect("Java plug-ins cannot be loaded here")),
    Key::debezium("snapshot.mode.configuration.based.snapshot.data", Kind::Boolean)
        .default("false")
        .at(GROUP, 15)
        .shown("Snapshot mode property based snapshot data", Width::Medium)
        .doc(
            "For snapshot.mode=configuration_based: copy the rows, at every start.",
        ),
    Key::debezium("snapshot.mode.configuration.based.snapshot.schema", Kind::Boolean)
        .default("false")
        .at(GROUP, 16)
        .shown("Snapshot mode property based snapshot schema", Width::Medium)
        .doc(
            "For snapshot.mode=configuration_based: read the tables' structure. A connector to PostgreSQL reads it at every start; with true a start that finds an unfinished copy, and may not copy rows, goes on instead of being refused.",
        ),
    Key::debezium("snapshot.mode.configuration.based.start.stream", Kind::Boolean)
        .default("false")
        .at(GROUP, 17)
        .shown("Snapshot mode property based start stream", Width::Medium)
        .doc(
            "For snapshot.mode=configuration_based: stream after the copy. With false nothing is streamed.",
        ),
    Key::debezium("snapshot.mode.configuration.based.snapshot.on.schema.error", Kind::Boolean)
        .default("false")
        .at(GROUP, 18)
        .shown("Snapshot mode property based snapshot on schema error", Width::Medium)
        .doc(
            "For snapshot.mode=configuration_based: copy again when the schema history is lost. PostgreSQL has none, so this does nothing.",
        )
        .support(Support::NoEffect("PostgreSQL keeps no schema history that could be lost")),
    Key::debezium("snapshot.mode.configuration.based.snapshot.on.data.error", Kind::Boolean)
        .default("false")
        .at(GROUP, 19)
        .shown("Snapshot mode property based snapshot on data error", Width::Medium)
        .doc(
            "For snapshot.mode=configuration_based: copy again when the stored position is no longer in the server's log.",
        ),
    Key::debezium("retriable.restart.connector.wait.ms", Kind::Long)
        .default("10000")
        .low()
        .at(GROUP, 20)
        .shown("Retriable restart wait (ms)", Width::Medium)
        .checks(&[Check::PositiveLong])
        .doc(
            "Milliseconds to wait before the task starts again after an error that may pass.",
        ),
    Key::debezium("query.fetch.size", Kind::Int)
        .default("0")
        .at(GROUP, 21)
        .shown("Query fetch size", Width::Medium)
        .checks(&[Check::NonNegativeInteger])
        .doc(
            "Rows asked for at a time by other queries; 0 leaves it to the server.",
        )
        .support(Support::NoEffect("the connector's other queries have short answers")),
    Key::debezium("errors.max.retries", Kind::Int)
        .default("-1")
        .low()
        .at(GROUP, 22)
        .shown("The maximum number of retries", Width::Medium)
        .checks(&[Check::Integer])
        .doc(
            "Restarts after errors that may pass before the task fails: -1 never gives up, 0 fails at once.",
        ),
    Key::debezium("incremental.snapshot.watermarking.strategy", Kind::String)
        .default("INSERT_INSERT")
        .low()
        .at(GROUP, 23)
        .shown("Incremental snapshot watermarking strategy", Width::Medium)
        .one_of(&["insert_delete", "insert_insert"], &[Check::OneOf(&["insert_delete", "insert_insert"])])
        .doc(
            "How an incremental snapshot's window is marked in the signal table: insert_insert writes two rows a chunk, insert_delete removes the first again, which keeps the table small.",
        )
        .support(Support::NoEffect("there are no incremental snapshots yet, and a signal table is refused")),
    Key::debezium("internal.log.position.check.enable", Kind::Boolean)
        .default("true")
        .at(GROUP, 24)
        .shown("Enable/Disable log position check", Width::Medium)
        .doc(
            "Check at start that the server still has the stored position. Without the check a lost position is found later, as a gap.",
        ),
    Key::debezium("internal.advanced.metrics.enable", Kind::Boolean)
        .default("false")
        .at(GROUP, 25)
        .shown("Enable/Disable advance metrics", Width::Medium)
        .doc(
            "Count events for each table in the metrics. One more set of series a table.",
        )
        .support(Support::NoEffect("no events are counted by table")),
    Key::debezium("connection.validation.timeout.ms", Kind::Long)
        .default("60000")
        .low()
        .at(GROUP, 26)
        .shown("Connection validation timeout (ms)", Width::Short)
        .checks(&[Check::PositiveLong])
        .doc(
            "Milliseconds that the test connection of a validation may take.",
        ),
    Key::debezium("executor.shutdown.timeout.ms", Kind::Long)
        .default("4000")
        .at(GROUP, 27)
        .shown("Executor shutdown timeout (ms)", Width::Medium)
        .checks(&[Check::PositiveLong])
        .doc(
            "Milliseconds that workers have to end when the task stops, before they are cut off.",
        )
        .support(Support::NoEffect("the worker's task.shutdown.graceful.timeout.ms bounds the whole stop")),
    Key::debezium("openlineage.integration.enabled", Kind::Boolean)
        .default("false")
        .low()
        .at(GROUP, 28)
        .shown("Enables OpenLineage integration", Width::Short)
        .doc(
            "Emit OpenLineage run events. Not done here: accepted, and said in the log.",
        )
        .support(Support::NoEffect("no OpenLineage events are sent; the records are the same")),
    Key::debezium("openlineage.integration.config.file.path", Kind::String)
        .default("./openlineage.yml")
        .low()
        .at(GROUP, 29)
        .shown("Path to OpenLineage file configuration", Width::Long)
        .doc(
            "OpenLineage client configuration. Read only with openlineage.integration.enabled.",
        )
        .support(Support::NoEffect("no OpenLineage events are sent")),
    Key::debezium("openlineage.integration.job.namespace", Kind::String)
        .low()
        .at(GROUP, 30)
        .shown("Namespace used for Debezium job", Width::Long)
        .doc(
            "Namespace of the OpenLineage job.",
        )
        .support(Support::NoEffect("no OpenLineage events are sent")),
    Key::debezium("openlineage.integration.job.description", Kind::String)
        .default("Debezium change data capture job")
        .low()
        .at(GROUP, 31)
        .shown("Description used for Debezium job", Width::Long)
        .doc(
            "Description of the OpenLineage job.",
        )
        .support(Support::NoEffect("no OpenLineage events are sent")),
    Key::debezium("openlineage.integration.job.tags", Kind::List)
        .low()
        .at(GROUP, 32)
        .shown("Debezium job tags", Width::Long)
        .checks(&[Check::Pairs])
        .doc(
            "Tags of the OpenLineage job, 'k1=v1,k2=v2'.",
        )
        .support(Support::NoEffect("no OpenLineage events are sent")),
    Key::debezium("openlineage.integration.job.owners", Kind::List)
        .low()
        .at(GROUP, 33)
        .shown("Debezium job owners", Width::Long)
        .checks(&[Check::Pairs])
        .doc(
            "Owners of the OpenLineage job, 'role=name,role=name'.",
        )
        .support(Support::NoEffect("no OpenLineage events are sent")),
    Key::debezium("openlineage.integration.dataset.kafka.bootstrap.servers", Kind::String)
        .low()
        .at(GROUP, 34)
        .shown("Kafka bootstrap server used in Kafka Connect deployment", Width::Long)
        .doc(
            "Kafka address by which OpenLineage names the topics.",
        )
        .support(Support::NoEffect("no OpenLineage events are sent")),
];
