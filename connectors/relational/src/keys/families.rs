//! Families of key names.
//!
//! Must not know: how the values are used.

use settings::{Key, Kind, Support};

const NO_SUCH_RULE: Support = Support::Refused(
    "it is of no form that is known, and columns that it should hide would be sent as they are",
    "Write column.mask.with.<n>.chars, column.mask.hash.<digest>.with.salt.<salt>, \
     column.mask.hash.v2.<digest>.with.salt.<salt> or column.truncate.to.<n>.chars.",
);

/// `queue.provider.type`.
pub const QUEUE_PROVIDER_TYPE: Key = Key::debezium("queue.provider.type", Kind::String)
    .default("memory")
    .doc("Where Debezium keeps changes between the reader and Kafka.")
    .unlisted()
    .lenient()
    .support(Support::NoEffect("changes wait in memory, and come again from the server after a crash"));

/// `post.processors.<name>.type`.
pub const POST_PROCESSOR_TYPE: Key = Key::debezium("post.processors.<name>.type", Kind::Class)
        .family("post.processors.<name>.type")
        .doc("Java class of the post processor: io.debezium.processors.reselect.ReselectColumnsPostProcessor. Others are refused, because they are Java classes, which do not run here.")
        .unlisted();

/// `post.processors.<name>.reselect.columns.include.list`.
pub const POST_PROCESSOR_RESELECT_COLUMNS_INCLUDE_LIST: Key = Key::debezium("post.processors.<name>.reselect.columns.include.list", Kind::List)
        .family("post.processors.<name>.reselect.columns.include.list")
        .doc("Regexes on 'schema.table:column', separated by commas: only these columns are read again. Not set: all columns. The columns of one change are read by one query, so name those that are needed.")
        .unlisted();

/// `post.processors.<name>.reselect.columns.exclude.list`.
pub const POST_PROCESSOR_RESELECT_COLUMNS_EXCLUDE_LIST: Key = Key::debezium("post.processors.<name>.reselect.columns.exclude.list", Kind::List)
        .family("post.processors.<name>.reselect.columns.exclude.list")
        .doc("Regexes on 'schema.table:column', separated by commas: these columns are not read again. Not read if reselect.columns.include.list is set.")
        .unlisted();

/// `post.processors.<name>.reselect.unavailable.values`.
pub const POST_PROCESSOR_RESELECT_UNAVAILABLE_VALUES: Key = Key::debezium("post.processors.<name>.reselect.unavailable.values", Kind::Boolean)
        .family("post.processors.<name>.reselect.unavailable.values")
        .default("true")
        .doc("Read columns again whose value the server did not send (unchanged large values), in place of unavailable.value.placeholder. What is read is the value of now, not of the time of the change.")
        .unlisted();

/// `post.processors.<name>.reselect.null.values`.
pub const POST_PROCESSOR_RESELECT_NULL_VALUES: Key = Key::debezium("post.processors.<name>.reselect.null.values", Kind::Boolean)
        .family("post.processors.<name>.reselect.null.values")
        .default("true")
        .doc("Read columns again that are null and have no default. With many nullable columns that is a query for nearly every change.")
        .unlisted();

/// `post.processors.<name>.reselect.use.event.key`.
pub const POST_PROCESSOR_RESELECT_USE_EVENT_KEY: Key = Key::debezium(
    "post.processors.<name>.reselect.use.event.key",
    Kind::Boolean,
)
.family("post.processors.<name>.reselect.use.event.key")
.default("false")
.doc("Look for the row by the columns of the event's key (message.key.columns), and not by those of the primary key.")
.unlisted();

/// `post.processors.<name>.reselect.error.handling.mode`.
pub const POST_PROCESSOR_RESELECT_ERROR_HANDLING_MODE: Key = Key::debezium("post.processors.<name>.reselect.error.handling.mode", Kind::String)
        .family("post.processors.<name>.reselect.error.handling.mode")
        .default("warn")
        .doc("When the row is gone or the database refuses the query: warn logs it and sends the change as it is, fail stops the task. While the database cannot be reached, the task waits for it in either case.")
        .unlisted();

/// `post.processors.<name>.<option>`.
pub const POST_PROCESSOR_OTHER: Key = Key::debezium("post.processors.<name>.<option>", Kind::String)
    .family("post.processors.<name>.<option>")
    .doc("Any other name: no option of the post processor.")
    .unlisted()
    .support(Support::NoEffect("the post processor has no such option"));

/// `signal.consumer.<property>`.
pub const SIGNAL_CONSUMER: Key = Key::debezium("signal.consumer.<property>", Kind::String)
    .family("signal.consumer.<property>")
    .doc("A property of the Kafka consumer of the channel 'kafka' of signal.enabled.channels.")
    .unlisted()
    .support(Support::NoEffect("signals are not built in yet"));

/// `column.mask.<form>`.
pub const COLUMN_MASK_OTHER: Key = Key::debezium("column.mask.<form>", Kind::String)
        .family("column.mask.<form>")
        .doc("Any other name that begins with column.mask: probably column.mask.with.<n>.chars or column.mask.hash.… mistyped.")
        .unlisted()
        .support(NO_SUCH_RULE);

/// `column.truncate.<form>`.
pub const COLUMN_TRUNCATE_OTHER: Key = Key::debezium("column.truncate.<form>", Kind::String)
    .family("column.truncate.<form>")
    .doc("Any other name that begins with column.truncate: probably column.truncate.to.<n>.chars mistyped.")
    .unlisted()
    .support(NO_SUCH_RULE);
