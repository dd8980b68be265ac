//! Creates topics before their first record, as the `topic.creation.*` groups say (KIP-158).
//!
//! If a connector has any such key, each of its topics is created as the first matching group says. Without such keys,
//! the broker's automatic topic creation is relied on.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::error::RDKafkaErrorCode;
use retry::Outlook;
use settings::JavaRegex;

use super::aside::Aside;
use super::properties::{Mapped, Properties, Refusal};
use super::refused::Inquiry;
use crate::login::Tokens;

/// Why a topic could not be looked up or created.
#[derive(Debug, Clone, thiserror::Error)]
pub enum TopicError {
    /// A `topic.creation.*` key is wrong.
    #[error("topic creation key {key}: {reason}")]
    Key {
        /// The whole key, with its prefix.
        key: String,
        /// What is wrong with the key or its value.
        reason: String,
    },
    /// A record for the topic in which the task's offsets are. The text is Java's.
    #[error(
        "org.apache.kafka.connect.errors.ConnectException: Source tasks may not produce to their own offsets topics when \
         exactly-once support is enabled (topic {topic})"
    )]
    OwnOffsets {
        /// The topic.
        topic: String,
    },
    /// A client property that cannot be honoured.
    #[error(transparent)]
    Property(#[from] Refusal),
    /// The broker did not create the topic. The text is Java's.
    #[error(
        "org.apache.kafka.connect.errors.ConnectException: Task failed to create new topic {described}. Ensure that the \
         task is authorized to create topics or that the topic exists and restart the task (topic {topic}: {reason})"
    )]
    Create {
        /// The topic.
        topic: String,
        /// The wanted topic as Java describes it.
        described: String,
        /// The broker's answer.
        reason: String,
        /// Whether a task that fails because of it may succeed later.
        outlook: Outlook,
    },
    /// The admin client could not be made: librdkafka refuses its properties. It does the same when it is asked again.
    #[error(
        "org.apache.kafka.common.KafkaException: Failed to create new KafkaAdminClient ({client_id}): {reason}\n\
         Reason: this client looks at topics before their first record and makes them; check the admin.* settings of the \
         worker, admin.override.* of the connector, and the files that they name"
    )]
    Client {
        /// The client's id.
        client_id: String,
        /// librdkafka's message.
        reason: String,
    },
    /// The broker did not answer when asked about the topic.
    #[error(
        "org.apache.kafka.common.errors.TimeoutException: the broker did not describe topic {topic}: {reason}\n\
         Reason: the topic must be looked at before its first record; check that Kafka runs and that bootstrap.servers and \
         admin.* settings are right"
    )]
    Broker {
        /// The topic.
        topic: String,
        /// librdkafka's message.
        reason: String,
    },
}

impl TopicError {
    /// Whether the same may succeed when it is tried again.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Broker { .. })
    }

    /// Whether a task that fails because of this may succeed when it is started again later.
    pub fn outlook(&self) -> Outlook {
        match self {
            Self::Broker { .. } => Outlook::MayPass,
            Self::Create { outlook, .. } => *outlook,
            // The files of the client's certificates may be in the middle of a change.
            Self::Client { .. } => Outlook::Unknown,
            Self::Property(refusal) => refusal.outlook(),
            Self::Key { .. } | Self::OwnOffsets { .. } => Outlook::CannotPass,
        }
    }
}

/// The outlook after a broker's refusal to make a topic.
fn outlook_of(code: RDKafkaErrorCode) -> Outlook {
    use RDKafkaErrorCode as Code;
    match code {
        Code::InvalidTopic | Code::InvalidPartitions | Code::InvalidConfig | Code::PolicyViolation => {
            Outlook::CannotPass
        }
        // Fewer brokers run than the topic is to have replicas, as while a cluster is rolled; and who may do what is changed by
        // others.
        Code::InvalidReplicationFactor
        | Code::TopicAuthorizationFailed
        | Code::ClusterAuthorizationFailed
        | Code::NotController
        | Code::RequestTimedOut
        | Code::OperationTimedOut
        | Code::ThrottlingQuotaExceeded => Outlook::MayPass,
        _ => Outlook::Unknown,
    }
}

/// One group: which topics it matches, and how they are created.
#[derive(Debug, Clone)]
struct Group {
    include: Vec<JavaRegex>,
    exclude: Vec<JavaRegex>,
    partitions: i32,
    replication_factor: i32,
    config: BTreeMap<String, String>,
}

/// A connector's `topic.creation.*` keys.
#[derive(Debug, Clone, Default)]
pub struct TopicCreation {
    /// The groups in the order of `topic.creation.groups`, then the default group. Empty when there are no keys.
    groups: Vec<Group>,
}

/// How a topic is to be created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Partitions, or −1 for the broker's default.
    pub partitions: i32,
    /// Replicas, or −1 for the broker's default.
    pub replication_factor: i32,
    /// The topic's settings, such as `cleanup.policy`.
    pub config: BTreeMap<String, String>,
}

const PREFIX: &str = "topic.creation.";

impl TopicCreation {
    /// Reads the `topic.creation.*` keys of a connector's config. Fails on the first wrong or missing key.
    pub fn parse(connector: &Properties) -> Result<Self, TopicError> {
        let names: Vec<&str> =
            connector.get("topic.creation.groups").map_or(Vec::new(), |groups| list(groups).collect());
        if !connector.keys().any(|key| key.starts_with(PREFIX)) {
            return Ok(Self::default());
        }
        let mut default = group(connector, "default", None)?;
        default.include.clear();
        default.exclude.clear();
        let mut groups = Vec::with_capacity(names.len() + 1);
        for name in names.into_iter().filter(|name| *name != "default") {
            groups.push(group(connector, name, Some(&default))?);
        }
        groups.push(default);
        Ok(Self { groups })
    }

    /// Creates every topic with so many partitions and replicas; −1 is the broker's default.
    pub fn one(partitions: i32, replication_factor: i32) -> Self {
        let (include, exclude, config) = (Vec::new(), Vec::new(), BTreeMap::new());
        Self { groups: vec![Group { include, exclude, partitions, replication_factor, config }] }
    }

    /// How `topic` is to be created; `None` leaves it to the broker.
    pub fn wanted(&self, topic: &str) -> Option<Wanted> {
        let (default, named) = self.groups.split_last()?;
        // A pattern that exceeds the engine's backtracking limit counts as not matching.
        let any = |patterns: &[JavaRegex]| patterns.iter().any(|pattern| pattern.matches(topic).unwrap_or(false));
        let group = named.iter().find(|g| any(&g.include) && !any(&g.exclude)).unwrap_or(default);
        let Group { partitions, replication_factor, config, .. } = group.clone();
        Some(Wanted { partitions, replication_factor, config })
    }
}

fn list(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|item| !item.is_empty())
}

fn group(connector: &Properties, name: &str, default: Option<&Group>) -> Result<Group, TopicError> {
    let prefix = format!("{PREFIX}{name}.");
    let mut config = BTreeMap::new();
    let (mut include, mut exclude, mut partitions, mut replication_factor) = (Vec::new(), Vec::new(), None, None);
    for (key, value) in connector {
        let Some(short) = key.strip_prefix(&prefix) else { continue };
        let wrong = |reason: String| TopicError::Key { key: key.clone(), reason };
        let patterns = || {
            let compile = |pattern| JavaRegex::new_case_sensitive(pattern).map_err(|e| wrong(e.to_string()));
            list(value).map(compile).collect::<Result<Vec<_>, _>>()
        };
        let count = |most: i32| match value.trim().parse::<i32>() {
            Ok(count) if count == -1 || (1..=most).contains(&count) => Ok(Some(count)),
            _ => Err(wrong(format!("{value:?} must be at least 1, or -1 for the broker's default"))),
        };
        match short {
            "include" => include = patterns()?,
            "exclude" => exclude = patterns()?,
            "partitions" => partitions = count(i32::MAX)?,
            "replication.factor" => replication_factor = count(i32::from(i16::MAX))?,
            _ => {
                config.insert(short.to_owned(), value.clone());
            }
        }
    }
    let missing = |short: &str| TopicError::Key {
        key: format!("{prefix}{short}"),
        reason: "it is required as soon as any topic.creation key is given".to_owned(),
    };
    Ok(Group {
        include,
        exclude,
        partitions: partitions.or(default.map(|d| d.partitions)).ok_or_else(|| missing("partitions"))?,
        replication_factor: replication_factor
            .or(default.map(|d| d.replication_factor))
            .ok_or_else(|| missing("replication.factor"))?,
        config,
    })
}

/// What [`Topics::ensure`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ensured {
    /// The topic already existed.
    Present,
    /// The topic was created now.
    Created,
    /// The topic does not exist, and there are no `topic.creation.*` keys. A broker with automatic topic creation
    /// creates it at the first record.
    LeftToBroker,
}

/// How long the broker may take to say whether a topic exists, before the task says that it waits.
const ASK: Duration = Duration::from_secs(30);

/// Makes sure that a connector's topics exist; asks the broker once for each topic.
pub struct Topics {
    admin: Arc<AdminClient<Tokens>>,
    /// Asks brokers that refuse the admin client why.
    inquiry: Arc<Inquiry>,
    creation: TopicCreation,
    known: Mutex<HashSet<String>>,
    /// Closing the client waits for its thread and for brokers, so it is done on another thread. Must be the last
    /// field.
    _last: Aside<AdminClient<Tokens>>,
}

impl Topics {
    /// Makes the admin client. `client` holds its translated properties: the worker's unprefixed keys, `admin.*`, and
    /// the connector's `admin.override.*`.
    pub fn new(client_id: &str, client: &Mapped, creation: TopicCreation) -> Result<Self, TopicError> {
        for (_, warning) in &client.warnings {
            tracing::warn!(client = %client_id, "{warning}");
        }
        if let Some(refusal) = client.refusals.first() {
            return Err(refusal.clone().into());
        }
        let mut config = ClientConfig::new();
        for (name, value) in &client.client {
            config.set(name, value);
        }
        // Asking about a topic must not create it: it is created as its group says, with `create`.
        config.set("client.id", client_id).set("allow.auto.create.topics", "false");
        let failed = |reason| TopicError::Client { client_id: client_id.to_owned(), reason };
        let admin: AdminClient<_> = config.create_with_context(Tokens).map_err(|e| failed(e.to_string()))?;
        let admin = Arc::new(admin);
        let last = Aside::hold(&admin);
        Ok(Self { admin, inquiry: Arc::new(Inquiry::new(config)), creation, known: Mutex::default(), _last: last })
    }

    /// Asks the broker whether `topic` exists, and creates it if it does not and there are `topic.creation.*` keys.
    pub async fn ensure(&self, topic: &str) -> Result<Ensured, TopicError> {
        if self.known.lock().unwrap_or_else(PoisonError::into_inner).contains(topic) {
            return Ok(Ensured::Present);
        }
        let found = self.exists(topic).await?;
        let ensured = match (found, self.creation.wanted(topic)) {
            (true, _) => Ensured::Present,
            (false, None) => Ensured::LeftToBroker,
            (false, Some(wanted)) => self.create(topic, &wanted).await?,
        };
        self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(topic.to_owned());
        Ok(ensured)
    }

    async fn exists(&self, topic: &str) -> Result<bool, TopicError> {
        let (admin, name) = (Arc::clone(&self.admin), topic.to_owned());
        let failed = |reason: String| TopicError::Broker { topic: topic.to_owned(), reason };
        let inquiry = Arc::clone(&self.inquiry);
        let asked = tokio::task::spawn_blocking(move || {
            let metadata = admin
                .inner()
                .fetch_metadata(Some(&name), ASK)
                .map_err(|error| inquiry.reason().unwrap_or_else(|| error.to_string()))?;
            let is_known = |t: &rdkafka::metadata::MetadataTopic| {
                t.name() == name && !t.partitions().is_empty() && t.error().is_none()
            };
            Ok::<_, String>(metadata.topics().iter().any(is_known))
        });
        asked.await.map_err(|e| failed(e.to_string()))?.map_err(failed)
    }

    async fn create(&self, topic: &str, wanted: &Wanted) -> Result<Ensured, TopicError> {
        let Wanted { partitions, replication_factor, config } = wanted;
        let failed = |reason: String, outlook: Outlook| {
            let mut settings = String::new();
            for (name, value) in config {
                let comma = if settings.is_empty() { "" } else { ", " };
                // Writing to a string cannot fail.
                let _ = write!(settings, "{comma}{name}={value}");
            }
            let described = format!(
                "(name={topic}, numPartitions={partitions}, replicationFactor={replication_factor}, \
                 replicasAssignments=null, configs={{{settings}}})"
            );
            TopicError::Create { topic: topic.to_owned(), described, reason, outlook }
        };
        let mut new = NewTopic::new(topic, *partitions, TopicReplication::Fixed(*replication_factor));
        for (name, value) in config {
            new = new.set(name, value);
        }
        let options = AdminOptions::new().operation_timeout(Some(Duration::from_secs(30)));
        let created = self.admin.create_topics([&new], &options).await;
        // The request itself failed: no broker has refused anything.
        let results = created.map_err(|e| failed(e.to_string(), Outlook::MayPass))?;
        match results.into_iter().next() {
            Some(Err((_, RDKafkaErrorCode::TopicAlreadyExists))) => Ok(Ensured::Present),
            Some(Err((_, code))) => Err(failed(code.to_string(), outlook_of(code))),
            Some(Ok(_)) | None => Ok(Ensured::Created),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn properties(text: &str) -> Properties {
        let pairs = text.split('\n').filter_map(|line| line.trim().split_once('='));
        pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    #[track_caller]
    fn check(keys: &str, topic: &str, expect: Result<Option<(i32, i32, &str)>, &str>) {
        let wanted = TopicCreation::parse(&properties(keys)).map(|creation| creation.wanted(topic));
        match (wanted, expect) {
            (Ok(wanted), Ok(expect)) => {
                let wanted = wanted.map(|w| {
                    let config = w.config.iter().map(|(k, v)| format!("{k}={v}")).collect::<Vec<_>>().join(",");
                    (w.partitions, w.replication_factor, config)
                });
                assert_eq!(wanted, expect.map(|(p, r, c)| (p, r, c.to_owned())), "{keys} {topic}");
            }
            (Err(error), Err(word)) => assert!(error.to_string().contains(word), "{error}"),
            (wanted, expect) => panic!("{keys}: {wanted:?} instead of {expect:?}"),
        }
    }

    #[test]
    fn groups() {
        const DEFAULT: &str = "topic.creation.default.partitions=3\ntopic.creation.default.replication.factor=-1";
        const GROUPS: &str = "topic.creation.groups=a,b
            topic.creation.default.partitions=3
            topic.creation.default.replication.factor=1
            topic.creation.default.include=nothing
            topic.creation.a.include=shop\\.public\\.(?!orders).*,exact
            topic.creation.a.exclude=.*secret
            topic.creation.a.cleanup.policy=compact
            topic.creation.b.include=shop.*
            topic.creation.b.partitions=9";
        for (keys, topic, expect) in [
            ("name=x", "t", Ok(None)),
            (DEFAULT, "t", Ok(Some((3, -1, "")))),
            (GROUPS, "shop.public.users", Ok(Some((3, 1, "cleanup.policy=compact")))),
            (GROUPS, "exact", Ok(Some((3, 1, "cleanup.policy=compact")))),
            (GROUPS, "exactly", Ok(Some((3, 1, "")))),
            (GROUPS, "shop.public.orders", Ok(Some((9, 1, "")))),
            (GROUPS, "shop.public.secret", Ok(Some((9, 1, "")))),
            ("topic.creation.default.partitions=3", "t", Err("replication.factor")),
            ("topic.creation.groups=a", "t", Err("topic.creation.default.partitions")),
            ("topic.creation.default.partitions=0", "t", Err("at least 1")),
        ] {
            check(keys, topic, expect);
        }
    }

    #[test]
    fn which_refusals_may_pass() {
        use RDKafkaErrorCode as Code;
        for (code, expect) in [
            (Code::InvalidReplicationFactor, Outlook::MayPass),
            (Code::TopicAuthorizationFailed, Outlook::MayPass),
            (Code::PolicyViolation, Outlook::CannotPass),
            (Code::InvalidTopic, Outlook::CannotPass),
            (Code::UnsupportedVersion, Outlook::Unknown),
        ] {
            assert_eq!(outlook_of(code), expect, "{code}");
        }
    }

    /// No topic is at fault, and trying again would not help: a certificate that is not there stays away.
    #[test]
    fn a_client_that_cannot_be_made_is_said_to_be_so() {
        let worker = properties("bootstrap.servers=127.0.0.1:1");
        let mut client = super::super::properties::admin(&worker, &Properties::new(), &Properties::new());
        client.client.insert("metadata.recovery.strategy".to_owned(), "pray".to_owned());
        let error = Topics::new("admin-7", &client, TopicCreation::default()).err().expect("there is no such strategy");
        let text = error.to_string();
        assert!(
            text.contains("Failed to create new KafkaAdminClient (admin-7)")
                && text.contains("metadata.recovery.strategy"),
            "{text}"
        );
        assert!(!text.contains("describe topic"), "{text}");
        assert!(!error.is_transient());
    }
}
