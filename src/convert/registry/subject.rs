//! Under which name a schema is registered.
//!
//! Must not know: HTTP, settings.

use settings::names_class;

use super::RegistryError;

/// Confluent's strategies for the name of a subject, by their Java class names in
/// `io.confluent.kafka.serializers.subject`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SubjectStrategy {
    /// `TopicNameStrategy`: the topic and `-key` or `-value`.
    #[default]
    TopicName,
    /// `RecordNameStrategy`: the full name of the record's schema.
    RecordName,
    /// `TopicRecordNameStrategy`: the topic, `-`, and the full name of the record's schema.
    TopicRecordName,
}

impl SubjectStrategy {
    const PACKAGE: &str = "io.confluent.kafka.serializers.subject";

    /// The strategy of a Java class; `None` for a class that is not built in.
    pub fn of_class(class: &str) -> Option<Self> {
        let named = |name: &str| names_class(class.trim(), &format!("{}.{name}", Self::PACKAGE), &[]);
        let all = [
            ("TopicNameStrategy", Self::TopicName),
            ("RecordNameStrategy", Self::RecordName),
            ("TopicRecordNameStrategy", Self::TopicRecordName),
        ];
        all.into_iter().find_map(|(name, strategy)| named(name).then_some(strategy))
    }

    /// The subject of a schema. `record_name` is the full name of a record's schema, and `None` for a schema that is no
    /// record.
    ///
    /// # Errors
    /// When the strategy needs a record's name and there is none.
    pub fn subject(self, topic: &str, is_key: bool, record_name: Option<&str>) -> Result<String, RegistryError> {
        let name = |strategy: &str| {
            record_name.ok_or_else(|| {
                let what = if is_key { "key" } else { "value" };
                RegistryError::setting(
                    &format!("{what}.subject.name.strategy"),
                    format!(
                        "In configuration {what}.subject.name.strategy = {}.{strategy}, the message {what} must only be a \
                         record schema",
                        Self::PACKAGE
                    ),
                    format!("Use {}.TopicNameStrategy.", Self::PACKAGE),
                )
            })
        };
        Ok(match self {
            Self::TopicName => format!("{topic}-{}", if is_key { "key" } else { "value" }),
            Self::RecordName => name("RecordNameStrategy")?.to_owned(),
            Self::TopicRecordName => format!("{topic}-{}", name("TopicRecordNameStrategy")?),
        })
    }
}

/// Apicurio's strategies for the place of a schema, by their Java class names in `io.apicurio.registry.serde.strategy`
/// and `io.apicurio.registry.serde.avro.strategy`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum ArtifactStrategy {
    /// `TopicIdStrategy`: the topic and `-key` or `-value`.
    #[default]
    Topic,
    /// `SimpleTopicIdStrategy`: the topic.
    SimpleTopic,
    /// `RecordIdStrategy`: the record's namespace is the group, its name the artifact.
    Record,
    /// `QualifiedRecordIdStrategy`: the full name of the record's schema.
    QualifiedRecord,
    /// `TopicRecordIdStrategy`: the record's namespace is the group; the artifact is the topic, `-`, and the name.
    TopicRecord,
}

/// Where a schema stands in a registry.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Place {
    /// The group of an artifact in Apicurio; empty for a subject.
    pub(super) group: String,
    /// The name of the subject, or the id of the artifact.
    pub(super) name: String,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if matches!(&*self.group, "" | "default") {
            return f.write_str(&self.name);
        }
        write!(f, "{}/{}", self.group, self.name)
    }
}

impl ArtifactStrategy {
    /// The strategy of a Java class; `None` for a class that is not built in.
    pub(super) fn of_class(class: &str) -> Option<Self> {
        const PACKAGE: &str = "io.apicurio.registry.serde";
        let all = [
            ("strategy.TopicIdStrategy", Self::Topic),
            ("strategy.SimpleTopicIdStrategy", Self::SimpleTopic),
            ("avro.strategy.RecordIdStrategy", Self::Record),
            ("avro.strategy.QualifiedRecordIdStrategy", Self::QualifiedRecord),
            ("avro.strategy.TopicRecordIdStrategy", Self::TopicRecord),
        ];
        all.into_iter()
            .find_map(|(name, found)| names_class(class.trim(), &format!("{PACKAGE}.{name}"), &[]).then_some(found))
    }

    /// The place of a schema.
    ///
    /// # Errors
    /// When the strategy needs a record's name and there is none.
    pub(super) fn artifact(self, topic: &str, is_key: bool, record_name: Option<&str>) -> Result<Place, RegistryError> {
        let name = || {
            record_name.ok_or_else(|| {
                RegistryError::setting(
                    "apicurio.registry.artifact-resolver-strategy",
                    "The message must only be an Avro record schema!",
                    "Use io.apicurio.registry.serde.strategy.TopicIdStrategy.",
                )
            })
        };
        let (group, id) = match self {
            Self::Topic => (None, format!("{topic}-{}", if is_key { "key" } else { "value" })),
            Self::SimpleTopic => (None, topic.to_owned()),
            Self::QualifiedRecord => (None, name()?.to_owned()),
            Self::Record | Self::TopicRecord => {
                let full = name()?;
                let (namespace, short) = full.rsplit_once('.').map_or((None, full), |(n, s)| (Some(n), s));
                let id = if self == Self::TopicRecord { format!("{topic}-{short}") } else { short.to_owned() };
                (namespace, id)
            }
        };
        Ok(Place { group: group.unwrap_or("default").to_owned(), name: id })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects() {
        #[track_caller]
        fn check(class: &str, is_key: bool, record: Option<&str>, expect: Result<&str, &str>) {
            let subject = SubjectStrategy::of_class(class).unwrap().subject("s.t", is_key, record);
            let told = subject.as_deref().map_err(ToString::to_string);
            assert_eq!(told.as_ref().map(|s| *s).map_err(String::as_str), expect, "{class}");
        }
        let class = |name: &str| format!("io.confluent.kafka.serializers.subject.{name}");
        check(&class("TopicNameStrategy"), true, None, Ok("s.t-key"));
        check(&class("TopicNameStrategy"), false, Some("n.R"), Ok("s.t-value"));
        check("RecordNameStrategy", false, Some("n.R"), Ok("n.R"));
        check(&class("TopicRecordNameStrategy"), true, Some("n.R"), Ok("s.t-n.R"));
        check(
            &class("RecordNameStrategy"),
            true,
            None,
            Err("Invalid value for configuration key.subject.name.strategy: In configuration \
                 key.subject.name.strategy = io.confluent.kafka.serializers.subject.RecordNameStrategy, the message key \
                 must only be a record schema"),
        );
        assert_eq!(SubjectStrategy::of_class("com.acme.Own"), None);
        assert_eq!(SubjectStrategy::of_class("x.TopicNameStrategy"), None);
    }

    #[test]
    fn artifacts() {
        #[track_caller]
        fn check(class: &str, is_key: bool, expect: (&str, &str)) {
            let found = ArtifactStrategy::of_class(class).unwrap().artifact("t", is_key, Some("a.b.R")).unwrap();
            assert_eq!((&*found.group, &*found.name), expect, "{class}");
        }
        check("io.apicurio.registry.serde.strategy.TopicIdStrategy", true, ("default", "t-key"));
        check("io.apicurio.registry.serde.strategy.TopicIdStrategy", false, ("default", "t-value"));
        check("io.apicurio.registry.serde.strategy.SimpleTopicIdStrategy", false, ("default", "t"));
        check("io.apicurio.registry.serde.avro.strategy.RecordIdStrategy", false, ("a.b", "R"));
        check("io.apicurio.registry.serde.avro.strategy.QualifiedRecordIdStrategy", false, ("default", "a.b.R"));
        check("io.apicurio.registry.serde.avro.strategy.TopicRecordIdStrategy", false, ("a.b", "t-R"));
        assert!(ArtifactStrategy::Record.artifact("t", false, None).is_err());
        let without = ArtifactStrategy::Record.artifact("t", false, Some("R")).unwrap();
        assert_eq!((&*without.group, &*without.name), ("default", "R"));
    }
}
