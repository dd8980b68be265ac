//! Keys of queues, snapshots, retries and limits.
//!
//! Must not know: how the values are used.

use settings::{Check, Key, Kind, Support, Width};

use super::rules;

/// `event.processing.failure.handling.mode`.
pub const EVENT_PROCESSING_FAILURE_HANDLING_MODE: Key = Key::debezium(
    "event.processing.failure.handling.mode",
    Kind::String,
)
.default("fail")
.shown("Event deserialization failure handling", Width::Short)
.one_of(&["warn", "fail", "ignore", "skip"], &[Check::OneOf(&["warn", "fail", "ignore", "skip"])])
.doc("When one change cannot be decoded: fail stops the task at it; warn, skip and ignore lose that change and go on.")
.support(Support::NoEffect("a change that cannot be decoded always stops the task at it, so that none is lost"));

/// `max.batch.size`.
pub const MAX_BATCH_SIZE: Key = Key::debezium("max.batch.size", Kind::Int)
    .default("2048")
    .shown("Change event batch size", Width::Short)
    .checks(&[Check::PositiveInteger])
    .doc("Largest number of records that Debezium hands on in one batch.")
    .support(Support::NoEffect("batches grow with the load by themselves"));

/// `max.queue.size`.
pub const MAX_QUEUE_SIZE: Key = Key::debezium("max.queue.size", Kind::Int)
        .default("8192")
        .shown("Change event buffer size", Width::Short)
        .checks(&[Check::Own(rules::queue_size)])
        .doc(
            "Largest number of records that Debezium keeps between reading and sending. Must be larger than max.batch.size.",
        )
        .support(Support::NoEffect("queues are bounded in bytes, for the whole process"));

/// `poll.interval.ms`.
pub const POLL_INTERVAL_MS: Key = Key::debezium("poll.interval.ms", Kind::Long)
    .default("500")
    .shown("Poll interval (ms)", Width::Short)
    .checks(&[Check::PositiveInteger])
    .doc("Milliseconds that Debezium waits for a record before it hands on an empty batch.")
    .support(Support::NoEffect("changes are handed on as they come, without a timer"));

/// `max.queue.size.in.bytes`.
pub const MAX_QUEUE_SIZE_IN_BYTES: Key = Key::debezium("max.queue.size.in.bytes", Kind::Long)
        .default("0")
        .shown("Change event buffer size in bytes", Width::Long)
        .checks(&[Check::NonNegativeLong])
        .doc(
            "Largest number of bytes that Debezium keeps between reading and sending, beside max.queue.size; 0 sets no limit.",
        )
        .support(Support::NoEffect("queues are bounded in bytes, for the whole process"));

/// `provide.transaction.metadata`.
pub const PROVIDE_TRANSACTION_METADATA: Key = Key::debezium("provide.transaction.metadata", Kind::Boolean)
        .default("false")
        .low()
        .shown("Store transaction metadata information in a dedicated topic.", Width::Short)
        .doc(
            "Send a record at the begin and at the end of each transaction to the transaction topic (topic.transaction), and put a transaction block into the records of changes.",
        );

/// `snapshot.delay.ms`.
pub const SNAPSHOT_DELAY_MS: Key = Key::debezium("snapshot.delay.ms", Kind::Long)
    .default("0")
    .low()
    .shown("Snapshot Delay (milliseconds)", Width::Medium)
    .checks(&[Check::NonNegativeLong])
    .doc("Milliseconds to wait after the start of the connector before the snapshot begins.");

/// `streaming.delay.ms`.
pub const STREAMING_DELAY_MS: Key = Key::debezium("streaming.delay.ms", Kind::Long)
    .default("0")
    .low()
    .shown("Streaming Delay (milliseconds)", Width::Medium)
    .checks(&[Check::NonNegativeLong])
    .doc("Milliseconds to wait between the end of the snapshot and streaming.");

/// `snapshot.include.collection.list`.
pub const SNAPSHOT_INCLUDE_COLLECTION_LIST: Key = Key::debezium("snapshot.include.collection.list", Kind::List)
        .shown("Snapshot mode include data collection", Width::Long)
        .checks(&[Check::RegexList])
        .doc(
            "Regexes on 'schema.table', separated by commas: of the captured tables, those whose rows the snapshot copies. The others are only streamed. Not set: all captured tables are copied.",
        );

/// `snapshot.fetch.size`.
pub const SNAPSHOT_FETCH_SIZE: Key = Key::debezium("snapshot.fetch.size", Kind::Int)
    .shown("Snapshot fetch size", Width::Medium)
    .checks(&[Check::NonNegativeInteger])
    .doc("Number of rows that Debezium asks for at a time during the snapshot.")
    .support(Support::NoEffect("rows are copied in one stream, which the reader slows down by itself"));

/// `snapshot.max.threads`.
pub const SNAPSHOT_MAX_THREADS: Key = Key::debezium("snapshot.max.threads", Kind::Int)
    .default("1")
    .shown("Snapshot maximum threads", Width::Short)
    .checks(&[Check::PositiveInteger])
    .doc("Number of connections that read the snapshot side by side.")
    .support(Support::NoEffect("one connection copies table after table, with the same records"));

/// `snapshot.max.threads.multiplier`.
pub const SNAPSHOT_MAX_THREADS_MULTIPLIER: Key = Key::debezium("snapshot.max.threads.multiplier", Kind::Int)
        .default("1")
        .shown("Snapshot maximum thread multiplier", Width::Short)
        .checks(&[Check::PositiveInteger])
        .doc(
            "Number of chunks that Debezium cuts each table into for each of snapshot.max.threads; snapshot.max.threads.multiplier.<schema>.<table> sets it for one table.",
        )
        .family("snapshot.max.threads.multiplier.<table>")
        .support(Support::NoEffect("one connection copies table after table, with the same records"));

/// `legacy.snapshot.max.threads`.
pub const LEGACY_SNAPSHOT_MAX_THREADS: Key = Key::debezium("legacy.snapshot.max.threads", Kind::Boolean)
    .default("false")
    .low()
    .shown("Enforces using a single thread per table regardless of table size", Width::Short)
    .aliases(&["internal.legacy.snapshot.max.threads"])
    .doc("With snapshot.max.threads above 1: each thread reads whole tables instead of chunks.")
    .support(Support::NoEffect("one connection copies table after table, with the same records"));

/// `internal.legacy.snapshot.max.threads`.
pub const INTERNAL_LEGACY_SNAPSHOT_MAX_THREADS: Key =
    Key::debezium("internal.legacy.snapshot.max.threads", Kind::Boolean)
        .default("false")
        .low()
        .shown("Enforces using a single thread per table regardless of table size", Width::Short)
        .alias_of("legacy.snapshot.max.threads")
        .doc("Earlier name of legacy.snapshot.max.threads.")
        .support(Support::NoEffect(
            "Debezium does not read this name either; legacy.snapshot.max.threads took its place",
        ));

/// `snapshot.mode.custom.name`.
pub const SNAPSHOT_MODE_CUSTOM_NAME: Key = Key::debezium("snapshot.mode.custom.name", Kind::String)
        .shown("Snapshot Mode Custom Name", Width::Medium)
        .checks(&[Check::Own(rules::custom_snapshot_mode)])
        .doc(
            "With snapshot.mode=custom: the name of the Java plug-in that decides when rows are copied. Java plug-ins do not run here.",
        )
        .support(Support::NoEffect("Java plug-ins cannot be loaded here"));

/// `snapshot.mode.configuration.based.snapshot.data`.
pub const SNAPSHOT_MODE_CONFIGURATION_BASED_SNAPSHOT_DATA: Key =
    Key::debezium("snapshot.mode.configuration.based.snapshot.data", Kind::Boolean)
        .default("false")
        .shown("Snapshot mode property based snapshot data", Width::Medium)
        .doc("With snapshot.mode=configuration_based: whether the rows are copied, at every start.");

/// `snapshot.mode.configuration.based.snapshot.schema`.
pub const SNAPSHOT_MODE_CONFIGURATION_BASED_SNAPSHOT_SCHEMA: Key = Key::debezium("snapshot.mode.configuration.based.snapshot.schema", Kind::Boolean)
        .default("false")
        .shown("Snapshot mode property based snapshot schema", Width::Medium)
        .doc(
            "With snapshot.mode=configuration_based: whether the structure of the tables is read. This connector reads it at every start anyway; but true lets a start go on that finds an unfinished snapshot and may not copy rows, and false refuses such a start.",
        );

/// `snapshot.mode.configuration.based.start.stream`.
pub const SNAPSHOT_MODE_CONFIGURATION_BASED_START_STREAM: Key =
    Key::debezium("snapshot.mode.configuration.based.start.stream", Kind::Boolean)
        .default("false")
        .shown("Snapshot mode property based start stream", Width::Medium)
        .doc("With snapshot.mode=configuration_based: whether changes are streamed after the snapshot.");

/// `snapshot.mode.configuration.based.snapshot.on.schema.error`.
pub const SNAPSHOT_MODE_CONFIGURATION_BASED_SNAPSHOT_ON_SCHEMA_ERROR: Key =
    Key::debezium("snapshot.mode.configuration.based.snapshot.on.schema.error", Kind::Boolean)
        .default("false")
        .shown("Snapshot mode property based snapshot on schema error", Width::Medium)
        .doc("With snapshot.mode=configuration_based: whether the structure of the tables is read again when the schema history is lost.");

/// `snapshot.mode.configuration.based.snapshot.on.data.error`.
pub const SNAPSHOT_MODE_CONFIGURATION_BASED_SNAPSHOT_ON_DATA_ERROR: Key = Key::debezium("snapshot.mode.configuration.based.snapshot.on.data.error", Kind::Boolean)
        .default("false")
        .shown("Snapshot mode property based snapshot on data error", Width::Medium)
        .doc(
            "With snapshot.mode=configuration_based: whether rows are copied again when the stored position is no longer in the server's log.",
        );

/// `retriable.restart.connector.wait.ms`.
pub const RETRIABLE_RESTART_CONNECTOR_WAIT_MS: Key = Key::debezium("retriable.restart.connector.wait.ms", Kind::Long)
        .default("10000")
        .low()
        .shown("Retriable restart wait (ms)", Width::Medium)
        .checks(&[Check::PositiveLong])
        .doc(
            "Milliseconds to wait before the connector connects again after an error that may pass, such as a lost connection.",
        );

/// `query.fetch.size`.
pub const QUERY_FETCH_SIZE: Key = Key::debezium("query.fetch.size", Kind::Int)
    .default("0")
    .shown("Query fetch size", Width::Medium)
    .checks(&[Check::NonNegativeInteger])
    .doc("Number of rows that Debezium asks for at a time in queries other than the snapshot's; 0 sets no limit.")
    .support(Support::NoEffect("the connector's other queries have short answers"));

/// `errors.max.retries`.
pub const ERRORS_MAX_RETRIES: Key = Key::debezium("errors.max.retries", Kind::Int)
        .default("-1")
        .low()
        .shown("The maximum number of retries", Width::Medium)
        .checks(&[Check::Integer])
        .doc(
            "How many times the connector connects again after errors that may pass, before the task fails: -1 never gives up, 0 fails at once.",
        );

/// `incremental.snapshot.watermarking.strategy`.
pub const INCREMENTAL_SNAPSHOT_WATERMARKING_STRATEGY: Key = Key::debezium("incremental.snapshot.watermarking.strategy", Kind::String)
        .default("INSERT_INSERT")
        .low()
        .shown("Incremental snapshot watermarking strategy", Width::Medium)
        .one_of(&["insert_delete", "insert_insert"], &[Check::OneOf(&["insert_delete", "insert_insert"])])
        .doc(
            "How an incremental snapshot marks in the signal table where each chunk begins and ends: insert_insert writes two rows, insert_delete writes one row and deletes it again.",
        )
        .support(Support::NoEffect("there are no incremental snapshots yet, and a signal table is refused"));

/// `internal.log.position.check.enable`.
pub const INTERNAL_LOG_POSITION_CHECK_ENABLE: Key = Key::debezium("internal.log.position.check.enable", Kind::Boolean)
        .default("true")
        .shown("Enable/Disable log position check", Width::Medium)
        .doc(
            "Check at the start that the server's log still has the stored position. Without the check, a lost position is noticed only later, and changes are missing.",
        );

/// `internal.advanced.metrics.enable`.
pub const INTERNAL_ADVANCED_METRICS_ENABLE: Key = Key::debezium("internal.advanced.metrics.enable", Kind::Boolean)
    .default("false")
    .shown("Enable/Disable advance metrics", Width::Medium)
    .doc("Count events for each table in the metrics.")
    .support(Support::NoEffect("no events are counted by table"));

/// `connection.validation.timeout.ms`.
pub const CONNECTION_VALIDATION_TIMEOUT_MS: Key = Key::debezium("connection.validation.timeout.ms", Kind::Long)
    .default("60000")
    .low()
    .shown("Connection validation timeout (ms)", Width::Short)
    .checks(&[Check::PositiveLong])
    .doc("Milliseconds that the test connection may take when a configuration is validated.");

/// `executor.shutdown.timeout.ms`.
pub const EXECUTOR_SHUTDOWN_TIMEOUT_MS: Key = Key::debezium("executor.shutdown.timeout.ms", Kind::Long)
    .default("4000")
    .shown("Executor shutdown timeout (ms)", Width::Medium)
    .checks(&[Check::PositiveLong])
    .doc("Milliseconds that the connector's threads have to end when the task stops.")
    .support(Support::NoEffect("the worker's task.shutdown.graceful.timeout.ms bounds the whole stop"));

/// `openlineage.integration.enabled`.
pub const OPENLINEAGE_INTEGRATION_ENABLED: Key = Key::debezium("openlineage.integration.enabled", Kind::Boolean)
    .default("false")
    .low()
    .shown("Enables OpenLineage integration", Width::Short)
    .doc("Send OpenLineage events about runs of the connector.")
    .support(Support::NoEffect("no OpenLineage events are sent; the records are the same"));

/// `openlineage.integration.config.file.path`.
pub const OPENLINEAGE_INTEGRATION_CONFIG_FILE_PATH: Key =
    Key::debezium("openlineage.integration.config.file.path", Kind::String)
        .default("./openlineage.yml")
        .low()
        .shown("Path to OpenLineage file configuration", Width::Long)
        .doc("With openlineage.integration.enabled=true: the file with the configuration of the OpenLineage client.")
        .support(Support::NoEffect("no OpenLineage events are sent"));

/// `openlineage.integration.job.namespace`.
pub const OPENLINEAGE_INTEGRATION_JOB_NAMESPACE: Key =
    Key::debezium("openlineage.integration.job.namespace", Kind::String)
        .low()
        .shown("Namespace used for Debezium job", Width::Long)
        .doc("With openlineage.integration.enabled=true: the job's namespace.")
        .support(Support::NoEffect("no OpenLineage events are sent"));

/// `openlineage.integration.job.description`.
pub const OPENLINEAGE_INTEGRATION_JOB_DESCRIPTION: Key =
    Key::debezium("openlineage.integration.job.description", Kind::String)
        .default("Debezium change data capture job")
        .low()
        .shown("Description used for Debezium job", Width::Long)
        .doc("With openlineage.integration.enabled=true: the job's description.")
        .support(Support::NoEffect("no OpenLineage events are sent"));

/// `openlineage.integration.job.tags`.
pub const OPENLINEAGE_INTEGRATION_JOB_TAGS: Key = Key::debezium("openlineage.integration.job.tags", Kind::List)
    .low()
    .shown("Debezium job tags", Width::Long)
    .checks(&[Check::Pairs])
    .doc("With openlineage.integration.enabled=true: the job's tags, as 'k1=v1,k2=v2'.")
    .support(Support::NoEffect("no OpenLineage events are sent"));

/// `openlineage.integration.job.owners`.
pub const OPENLINEAGE_INTEGRATION_JOB_OWNERS: Key = Key::debezium("openlineage.integration.job.owners", Kind::List)
    .low()
    .shown("Debezium job owners", Width::Long)
    .checks(&[Check::Pairs])
    .doc("With openlineage.integration.enabled=true: the job's owners, as 'role=name,role=name'.")
    .support(Support::NoEffect("no OpenLineage events are sent"));

/// `openlineage.integration.dataset.kafka.bootstrap.servers`.
pub const OPENLINEAGE_INTEGRATION_DATASET_KAFKA_BOOTSTRAP_SERVERS: Key =
    Key::debezium("openlineage.integration.dataset.kafka.bootstrap.servers", Kind::String)
        .low()
        .shown("Kafka bootstrap server used in Kafka Connect deployment", Width::Long)
        .doc("With openlineage.integration.enabled=true: the Kafka address by which topics are named.")
        .support(Support::NoEffect("no OpenLineage events are sent"));
