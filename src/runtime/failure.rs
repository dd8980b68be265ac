//! Why a task ends: the trace that `status.trace` shows, in Java's form, followed by what to do.

use std::fmt;

use record::DecodeError;
use relational::TaskError;
use retry::Outlook;
use transforms::TransformError;

use super::defect::Defect;
use crate::convert::ConvertError;
use crate::sink::SinkError;
use crate::sink::topics::TopicError;

/// The stages of a record in Connect's terms. `Decode` is shown as TASK_POLL; `Defect` is ours alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// A transform.
    Transformation,
    /// The header converter.
    HeaderConverter,
    /// The key converter.
    KeyConverter,
    /// The value converter.
    ValueConverter,
    /// The producer.
    KafkaProduce,
    /// Reading a row.
    Decode,
    /// A panic, in whatever stage.
    Defect,
}

impl Stage {
    /// The stage's name in Connect's log lines.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Transformation => "TRANSFORMATION",
            Self::HeaderConverter => "HEADER_CONVERTER",
            Self::KeyConverter => "KEY_CONVERTER",
            Self::ValueConverter => "VALUE_CONVERTER",
            Self::KafkaProduce => "KAFKA_PRODUCE",
            Self::Decode => "TASK_POLL",
            Self::Defect => "DEFECT",
        }
    }
}

/// A failure of a record or of the way to the broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    stage: Stage,
    /// `class: message` of the cause.
    cause: String,
    /// What a person can do.
    remedy: String,
    /// Set when the task was stopped or lost the fence; then nothing is reported.
    stopped: bool,
    /// Only this record is at fault; another one may pass.
    of_the_record: bool,
    /// The same record may pass a little later.
    transient: bool,
    /// The way to the broker failed, and another producer may succeed.
    of_the_way: bool,
    /// A service that a converter needs does not answer. It is waited for, and no record is left out because of it.
    of_a_service: bool,
    /// Whether a task that ends because of it may succeed when it is started again later.
    outlook: Outlook,
}

impl Failure {
    /// A transform could not take the record.
    pub(crate) fn transform(error: &TransformError) -> Self {
        let mut failure = Self::new(Stage::Transformation, format!("{}: {error}", error.java_class()), error.remedy());
        failure.transient = error.is_transient();
        failure.outlook = Outlook::transient_or(failure.transient, Outlook::CannotPass);
        failure
    }

    /// A converter could not take the record.
    pub(crate) fn convert(stage: Stage, error: &ConvertError) -> Self {
        let mut failure = Self::new(stage, format!("{}: {error}", error.java_class()), error.remedy());
        failure.transient = error.is_transient();
        failure.of_a_service = error.is_transient();
        failure.of_the_record = !error.is_transient();
        failure.outlook = error.outlook();
        failure
    }

    /// A row could not be read.
    pub(crate) fn decode(table: &str, error: &DecodeError) -> Self {
        let cause = format!("io.debezium.DebeziumException: Error while processing event of table {table}: {error}");
        Self::new(
            Stage::Decode,
            cause,
            "Leave the column out with column.exclude.list. If the column may be NULL, \
            event.converting.failure.handling.mode=warn helps as well: it emits null instead of the value.",
        )
    }

    /// The sink did not take the record.
    pub(crate) fn sink(error: &SinkError) -> Self {
        let mut failure = Self::new(Stage::KafkaProduce, error.to_string(), "");
        failure.stopped = matches!(error, SinkError::Stopped);
        failure.of_the_record = error.is_of_the_record();
        failure.of_the_way = error.is_transient();
        failure.outlook = error.outlook();
        failure
    }

    /// The sink took a record and could not deliver it.
    pub(crate) fn delivery(cause: String, outlook: Outlook) -> Self {
        let mut failure = Self::new(Stage::KafkaProduce, cause, "");
        failure.outlook = outlook;
        failure
    }

    /// Says whether another producer may succeed.
    pub(crate) fn of_the_way(mut self, may_pass: bool) -> Self {
        self.of_the_way = may_pass;
        self
    }

    /// Whether the way to the broker failed, and another producer may succeed.
    pub(crate) fn is_of_the_way(&self) -> bool {
        self.of_the_way
    }

    /// The pipeline panicked.
    pub(super) fn defect(defect: &Defect) -> Self {
        let mut failure = Self::new(Stage::Defect, defect.trace("the pipeline"), "");
        failure.outlook = Outlook::Unknown;
        failure
    }

    /// The Java class of the cause; the stage's name if the cause has none.
    pub(crate) fn class(&self) -> &str {
        let class = self.cause.split(':').next().unwrap_or_default();
        let is_class =
            class.contains('.') && class.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._$".contains(&byte));
        if is_class { class } else { self.stage.name() }
    }

    /// Marks the record as at fault, so that `errors.tolerance=all` may leave it out.
    pub(super) fn blame_the_record(&mut self) {
        self.of_the_record = true;
    }

    /// The letter of a record that failed could not be written; `outlook` is that of `error`.
    pub(super) fn letter(topic: &str, (error, outlook): (&dyn fmt::Display, Outlook), failed: &Self) -> Self {
        let cause = format!(
            "org.apache.kafka.connect.errors.ConnectException: a record that failed could not be written to the dead letter \
             topic {topic}: {error}\nCaused by: {}",
            failed.cause
        );
        let mut failure = Self::new(
            Stage::KafkaProduce,
            cause,
            "Nothing is lost: the record is read again after a restart. See to it that this worker may write to the topic of \
             errors.deadletterqueue.topic.name, or mend what the record failed at.",
        );
        failure.outlook = outlook;
        failure
    }

    /// The topic of the letters could not be made.
    pub(crate) fn letter_topic(error: &TopicError) -> Self {
        let mut failure = Self::new(
            Stage::KafkaProduce,
            error.to_string(),
            "It is the topic of errors.deadletterqueue.topic.name. Make it yourself, allow this worker to make it, or set \
             errors.deadletterqueue.topic.replication.factor to at most the number of brokers.",
        );
        failure.outlook = error.outlook();
        failure
    }

    /// A topic could not be made.
    pub(crate) fn topic(error: &TopicError) -> Self {
        Self::delivery(error.to_string(), error.outlook())
    }

    fn new(stage: Stage, cause: String, remedy: &str) -> Self {
        let of_the_record = !matches!(stage, Stage::KafkaProduce | Stage::Decode | Stage::Defect);
        Self {
            stage,
            cause,
            remedy: remedy.to_owned(),
            stopped: false,
            of_the_record,
            transient: false,
            of_the_way: false,
            of_a_service: false,
            outlook: Outlook::CannotPass,
        }
    }

    /// Whether the record is at fault, so that `errors.tolerance=all` may leave it out.
    pub(crate) fn is_of_the_record(&self) -> bool {
        self.of_the_record
    }

    /// The stage that failed.
    pub(super) fn stage(&self) -> Stage {
        self.stage
    }

    /// Whether a task that ends because of it may succeed when it is started again later.
    pub(super) fn outlook(&self) -> Outlook {
        self.outlook
    }

    /// As the end of its task.
    pub(super) fn end(&self) -> TaskError {
        TaskError { trace: self.trace(), outlook: self.outlook }
    }

    /// `class: message` of the cause.
    pub(super) fn cause(&self) -> &str {
        &self.cause
    }

    /// The cause, and what a person can do.
    pub(super) fn account(&self) -> String {
        if self.remedy.is_empty() { self.cause.clone() } else { format!("{}\nRemedy: {}", self.cause, self.remedy) }
    }

    /// Whether a transform or a converter may succeed with the same record a little later.
    pub(super) fn is_transient(&self) -> bool {
        self.transient
    }

    /// Whether a service that a converter needs does not answer.
    pub(super) fn is_of_a_service(&self) -> bool {
        self.of_a_service
    }

    /// For `status.trace` while the step is tried again.
    pub(super) fn waiting(&self) -> String {
        format!(
            "{}\nReason: the record is kept and tried again, and everything behind it waits; nothing is lost, and the task goes \
             on by itself. {}",
            self.cause, self.remedy
        )
    }

    /// The task was stopped while a converter was prepared.
    pub(super) fn stopped() -> Self {
        let failure = Self::new(Stage::Defect, String::new(), "");
        failure.while_stopping()
    }

    /// The task was stopped while it waited to try again.
    pub(super) fn while_stopping(mut self) -> Self {
        self.stopped = true;
        self
    }

    /// Whether the task was stopped, so that there is nothing to report.
    pub(crate) fn is_stop(&self) -> bool {
        self.stopped
    }

    /// For `status.trace`.
    pub(crate) fn trace(&self) -> String {
        let first = match self.stage {
            Stage::Defect => return self.cause.clone(),
            Stage::KafkaProduce => {
                "org.apache.kafka.connect.errors.ConnectException: Unrecoverable exception from producer send callback"
            }
            Stage::Decode => {
                "org.apache.kafka.connect.errors.ConnectException: An exception occurred in the change event producer. This \
                 connector will be stopped."
            }
            _ => "org.apache.kafka.connect.errors.ConnectException: Tolerance exceeded in error handler",
        };
        let remedy = if self.remedy.is_empty() { String::new() } else { format!("\nRemedy: {}", self.remedy) };
        format!("{first}\nCaused by: {}{remedy}", self.cause)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.trace())
    }
}
