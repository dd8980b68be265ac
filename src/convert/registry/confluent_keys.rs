//! The keys by which Confluent's converters reach a registry: `schema.registry.*` and those beside them.
//!
//! Must not know: how a value is used.

use reqwest::Url;
use settings::{Asked, Check, Key, Kind, Support, Values};

use super::subject::SubjectStrategy;

const NO_RULES: Support = Support::Refused(
    "rules of a data contract are Java classes, and there is no JVM here to load them",
    "Remove it, and transform the records with SMTs.",
);
const NO_JVM: &str = "there is no JVM here to load the class";
const ONLY_READING: Support = Support::NoEffect("only reading uses it, in Kafka Connect too");
const INHERITED: &str = "the converter is not given the Kafka client's SASL settings";

/// The keys of Confluent's registry client and of what its serialisers ask it for.
pub const CONFLUENT: &[Key] = &[
    Key::new("schema.registry.url", Kind::List)
        .required()
        .high()
        .checks(&[Check::Own(urls)])
        .doc("The registry's addresses, separated by commas. When one does not answer, the next one is asked."),
    Key::new("max.schemas.per.subject", Kind::Int)
        .default("1000")
        .low()
        .doc("Number of a subject's schemas whose ids a Java client remembers.")
        .support(Support::NoEffect("the ids of the 10000 schemas used last are remembered, of whatever subject")),
    Key::new("normalize.schemas", Kind::Boolean)
        .default("false")
        .doc("Whether the registry compares and keeps schemas in a normal form, so that the order of properties does not matter."),
    Key::new("auto.register.schemas", Kind::Boolean)
        .default("true")
        .doc("Whether schemas are registered. If not, the registry must have them: see use.schema.id and use.latest.version."),
    Key::new("propagate.schema.tags", Kind::Boolean)
        .default("false")
        .low()
        .doc("Whether a new version of a schema gets the tags of the one before.")
        .support(Support::Refused("tags are not copied here", "Remove it, and set tags in the registry.")),
    Key::new("use.schema.id", Kind::Int)
        .default("-1")
        .low()
        .doc("Id of the schema to write with, when auto.register.schemas is false. -1: none."),
    Key::new("use.schema.guid", Kind::String)
        .low()
        .doc("GUID of the schema to write with.")
        .support(Support::Refused("schemas are found by id, version or content here", "Set use.schema.id instead.")),
    Key::new("id.compatibility.strict", Kind::Boolean)
        .default("true")
        .low()
        .doc("Whether the schema of use.schema.id must fit the data: otherwise it is used unseen."),
    Key::new("use.latest.version", Kind::Boolean)
        .default("false")
        .low()
        .doc("Whether to write with the subject's latest version, when auto.register.schemas is false."),
    Key::new("latest.compatibility.strict", Kind::Boolean)
        .default("true")
        .low()
        .doc("Whether the latest version must fit the data: otherwise it is used unseen."),
    Key::new("latest.cache.size", Kind::Int)
        .default("1000")
        .low()
        .doc("Number of latest versions that a Java client remembers.")
        .support(Support::NoEffect("the latest version is asked for once for each schema of a table")),
    Key::new("latest.cache.ttl.sec", Kind::Int)
        .default("-1")
        .low()
        .doc("Seconds for which a Java client remembers a latest version.")
        .support(Support::NoEffect("a newer version is used from the next start of the task on")),
    Key::new("use.latest.with.metadata", Kind::String)
        .low()
        .doc("Metadata of the version to write with, as key=value pairs.")
        .support(Support::Refused(
            "versions are not looked up by their metadata here",
            "Set use.latest.version or use.schema.id instead.",
        )),
    Key::new("schema.format", Kind::String)
        .low()
        .doc("Form in which the registry sends schemas.")
        .support(ONLY_READING),
    Key::new("rule.executors", Kind::List).default("").low().doc("Names of data contract rules' classes.").support(NO_RULES),
    Key::new("rule.actions", Kind::List).default("").low().doc("Names of data contract actions' classes.").support(NO_RULES),
    Key::new("rule.service.loader.enable", Kind::Boolean)
        .default("true")
        .low()
        .doc("Whether a Java client looks for the classes of rules by itself.")
        .support(Support::NoEffect("there is no JVM here whose class path it could look through")),
    Key::new("basic.auth.credentials.source", Kind::String)
        .default("URL")
        .checks(&[Check::Own(sources)])
        .doc("Where user and password are: URL (in schema.registry.url) or USER_INFO (in basic.auth.user.info).")
        .support(Support::Partly(&[
            (Values::These(&["SASL_INHERIT"]), Support::Refused(INHERITED, "Use USER_INFO with basic.auth.user.info.")),
            (
                Values::Not(&["URL", "USER_INFO"]),
                Support::Refused("it is none of URL and USER_INFO", "Use USER_INFO with basic.auth.user.info."),
            ),
        ])),
    Key::new("bearer.auth.credentials.source", Kind::String)
        .default("STATIC_TOKEN")
        .doc("Where the token is from: STATIC_TOKEN (bearer.auth.token) or OAUTHBEARER (a server of tokens).")
        .support(Support::Partly(&[
            (
                Values::These(&["SASL_OAUTHBEARER_INHERIT"]),
                Support::Refused(INHERITED, "Use OAUTHBEARER with bearer.auth.issuer.endpoint.url."),
            ),
            (
                Values::Not(&["STATIC_TOKEN", "OAUTHBEARER"]),
                Support::Refused(
                    "it is none of STATIC_TOKEN and OAUTHBEARER",
                    "Use OAUTHBEARER with bearer.auth.issuer.endpoint.url, or STATIC_TOKEN with bearer.auth.token.",
                ),
            ),
        ])),
    Key::new("schema.registry.basic.auth.user.info", Kind::Password)
        .default("")
        .doc("User and password as user:password; an older name of basic.auth.user.info, which wins when both are set.")
        .support(Support::Partly(&[(Values::Own(no_user_info), UNUSED_USER_INFO)])),
    Key::new("basic.auth.user.info", Kind::Password)
        .default("")
        .doc("User and password as user:password, with basic.auth.credentials.source=USER_INFO.")
        .support(Support::Partly(&[(Values::Own(no_user_info), UNUSED_USER_INFO)])),
    Key::new("bearer.auth.token", Kind::Password)
        .default("")
        .doc("The token that is sent as Authorization: Bearer."),
    Key::new("bearer.auth.issuer.endpoint.url", Kind::String)
        .doc("Address of the OAuth server that grants tokens (client credentials grant)."),
    Key::new("bearer.auth.client.id", Kind::String).doc("Client id for the OAuth server."),
    Key::new("bearer.auth.client.secret", Kind::Password).doc("Client secret for the OAuth server."),
    Key::new("bearer.auth.scope", Kind::String).doc("Scope to ask the OAuth server for."),
    Key::new("bearer.auth.scope.claim.name", Kind::String)
        .default("scope")
        .low()
        .doc("Name of the claim with the scope in the server's tokens.")
        .support(Support::NoEffect("tokens are passed on without a look into them")),
    Key::new("bearer.auth.sub.claim.name", Kind::String)
        .default("sub")
        .low()
        .doc("Name of the claim with the subject in the server's tokens.")
        .support(Support::NoEffect("tokens are passed on without a look into them")),
    Key::new("bearer.auth.identity.pool.id", Kind::String)
        .doc("Sent as the header Confluent-Identity-Pool-Id when tokens of an OAuth server are used."),
    Key::new("bearer.auth.logical.cluster", Kind::String)
        .doc("Sent as the header target-sr-cluster when tokens of an OAuth server are used."),
    Key::new("bearer.auth.cache.expiry.buffer.seconds", Kind::Short)
        .default("300")
        .low()
        .checks(&[Check::Range { min: Some(0), max: Some(3600) }])
        .doc("Seconds before its end at which a token of the OAuth server is replaced."),
    Key::new("bearer.auth.custom.provider.class", Kind::String)
        .doc("Java class that gives tokens.")
        .support(Support::Refused(NO_JVM, "Use bearer.auth.credentials.source=OAUTHBEARER.")),
    Key::new("context.name.strategy", Kind::Class)
        .default("io.confluent.kafka.serializers.context.NullContextNameStrategy")
        .doc("Java class that chooses the registry's context.")
        .support(Support::Refused(
            "only the default context is built in",
            "Put the context into schema.registry.url: …/contexts/.NAME.",
        )),
    Key::new("key.subject.name.strategy", Kind::Class)
        .default("io.confluent.kafka.serializers.subject.TopicNameStrategy")
        .doc("How a key's schema is named: TopicNameStrategy, RecordNameStrategy or TopicRecordNameStrategy.")
        .support(STRATEGIES),
    Key::new("key.schema.id.serializer", Kind::Class)
        .default("io.confluent.kafka.serializers.schema.id.PrefixSchemaIdSerializer")
        .doc("Where a key's schema id is: PrefixSchemaIdSerializer (before the data) or HeaderSchemaIdSerializer (a GUID in a header).")
        .support(SERIALIZERS),
    Key::new("key.schema.id.deserializer", Kind::Class)
        .default("io.confluent.kafka.serializers.schema.id.DualSchemaIdDeserializer")
        .doc("How a key's schema id is read.")
        .support(ONLY_READING),
    Key::new("value.subject.name.strategy", Kind::Class)
        .default("io.confluent.kafka.serializers.subject.TopicNameStrategy")
        .doc("How a value's schema is named: TopicNameStrategy, RecordNameStrategy or TopicRecordNameStrategy.")
        .support(STRATEGIES),
    Key::new("value.schema.id.serializer", Kind::Class)
        .default("io.confluent.kafka.serializers.schema.id.PrefixSchemaIdSerializer")
        .doc("Where a value's schema id is: PrefixSchemaIdSerializer (before the data) or HeaderSchemaIdSerializer (a GUID in a header).")
        .support(SERIALIZERS),
    Key::new("value.schema.id.deserializer", Kind::Class)
        .default("io.confluent.kafka.serializers.schema.id.DualSchemaIdDeserializer")
        .doc("How a value's schema id is read.")
        .support(ONLY_READING),
    Key::new("schema.reflection", Kind::Boolean)
        .default("false")
        .low()
        .doc("Whether Java objects are looked into.")
        .support(Support::NoEffect("there are no Java objects here")),
    Key::new("proxy.host", Kind::String).default("").low().doc("Host of the HTTP proxy to the registry."),
    Key::new("proxy.port", Kind::Int).default("-1").low().doc("Port of the HTTP proxy to the registry."),
    Key::new("http.connect.timeout.ms", Kind::Int)
        .default("60000")
        .low()
        .checks(&[Check::Range { min: Some(1), max: None }])
        .doc("Longest time in milliseconds that opening a connection may take."),
    Key::new("http.read.timeout.ms", Kind::Int)
        .default("60000")
        .low()
        .checks(&[Check::Range { min: Some(1), max: None }])
        .doc("Longest time in milliseconds that an answer, or the next part of it, may take."),
    Key::new("max.retries", Kind::Int)
        .default("3")
        .low()
        .doc("How often a request that a registry did not answer is made again before that counts as a failure.")
        .support(Support::NoEffect("the task itself asks again, every five seconds and for ten minutes at least, and its status says so")),
    Key::new("retries.wait.ms", Kind::Int)
        .default("1000")
        .low()
        .doc("Longest pause in milliseconds before the first repetition. It doubles each time.")
        .support(Support::NoEffect("the task itself asks again, every five seconds and for ten minutes at least, and its status says so")),
    Key::new("retries.max.wait.ms", Kind::Int)
        .default("20000")
        .low()
        .doc("Longest pause in milliseconds before any repetition.")
        .support(Support::NoEffect("the task itself asks again, every five seconds and for ten minutes at least, and its status says so")),
    Key::new("request.header.<name>", Kind::String)
        .unlisted()
        .family("request.header.<name>")
        .doc("A header that is sent with each request to the registry."),
    Key::new("url.randomize", Kind::Boolean)
        .unlisted()
        .default("false")
        .low()
        .doc("Whether a Java client begins with a random address.")
        .support(Support::NoEffect("the first address is asked first")),
    Key::new("use.apache.http.client", Kind::Boolean)
        .unlisted()
        .default("false")
        .low()
        .doc("Which HTTP client a Java client uses.")
        .support(Support::NoEffect("there is one HTTP client here")),
    Key::new("schema.registry.ssl.truststore.type", Kind::String)
        .default("JKS")
        .doc("Format of the trust store.")
        .support(Support::NoEffect("the format is found out from the content: PEM, PKCS12 or JKS")),
    Key::new("schema.registry.ssl.truststore.location", Kind::String)
        .high()
        .doc("File with the authorities that are trusted, PEM, PKCS12 or JKS. Not set: the system's."),
    Key::new("schema.registry.ssl.truststore.password", Kind::Password).high().doc("Password of the trust store."),
    Key::new("schema.registry.ssl.truststore.certificates", Kind::Password)
        .high()
        .doc("The authorities that are trusted, as PEM text."),
    Key::new("schema.registry.ssl.keystore.type", Kind::String)
        .default("JKS")
        .doc("Format of the key store.")
        .support(Support::NoEffect("the format is found out from the content: PEM, PKCS12 or JKS")),
    Key::new("schema.registry.ssl.keystore.location", Kind::String)
        .high()
        .doc("File with the client's certificates and private key, PEM, PKCS12 or JKS."),
    Key::new("schema.registry.ssl.keystore.password", Kind::Password).high().doc("Password of the key store."),
    Key::new("schema.registry.ssl.keystore.certificate.chain", Kind::Password)
        .high()
        .doc("The client's certificates as PEM text."),
    Key::new("schema.registry.ssl.keystore.key", Kind::Password).high().doc("The client's private key as PEM text."),
    Key::new("schema.registry.ssl.key.password", Kind::Password).high().doc("Password of an encrypted private key in PEM."),
    Key::new("schema.registry.ssl.endpoint.identification.algorithm", Kind::String)
        .default("https")
        .low()
        .doc("https: the registry's certificate must name its host. Empty: it need not."),
    Key::new("schema.registry.ssl.enabled.protocols", Kind::List)
        .default("TLSv1.2,TLSv1.3")
        .doc("The TLS versions that may be spoken: TLSv1.2 and TLSv1.3.")
        .support(Support::Partly(&[(
            Values::Not(&["TLSv1.2", "TLSv1.3"]),
            Support::Refused("only TLSv1.2 and TLSv1.3 are spoken", "Name these, or remove it."),
        )])),
    Key::new("schema.registry.ssl.protocol", Kind::String)
        .default("TLSv1.3")
        .doc("TLS version that Java prefers.")
        .support(Support::NoEffect("the newest TLS version that both sides know is negotiated")),
    Key::new("schema.registry.ssl.cipher.suites", Kind::List)
        .low()
        .doc("The cipher suites that may be used.")
        .support(Support::Refused("the safe ones are used", "Remove it, and narrow the suites down at the registry.")),
    Key::new("schema.registry.ssl.engine.factory.class", Kind::Class)
        .low()
        .doc("Java class that makes TLS engines.")
        .support(Support::Refused(NO_JVM, "Use PEM files.")),
    Key::new("schema.registry.ssl.provider", Kind::String)
        .doc("Java's security provider.")
        .support(Support::NoEffect("there are no JVM security providers here")),
    Key::new("schema.registry.ssl.keymanager.algorithm", Kind::String)
        .default("SunX509")
        .low()
        .doc("Java's algorithm of key managers.")
        .support(Support::NoEffect("there is no JVM here")),
    Key::new("schema.registry.ssl.trustmanager.algorithm", Kind::String)
        .default("PKIX")
        .low()
        .doc("Java's algorithm of trust managers.")
        .support(Support::NoEffect("there is no JVM here")),
    Key::new("schema.registry.ssl.secure.random.implementation", Kind::String)
        .low()
        .doc("Java's source of random numbers.")
        .support(Support::NoEffect("there is no JVM here")),
];

const UNUSED_USER_INFO: Support = Support::NoEffect("basic.auth.credentials.source is not USER_INFO");

const STRATEGIES: Support = Support::Partly(&[(
    Values::Own(|asked| SubjectStrategy::of_class(asked.value.unwrap_or_default()).is_none()),
    Support::Refused(
        "this strategy is not built in",
        "Use TopicNameStrategy, RecordNameStrategy or TopicRecordNameStrategy of io.confluent.kafka.serializers.subject.",
    ),
)]);

const SERIALIZERS: Support = Support::Partly(&[(
    Values::Not(&[
        "io.confluent.kafka.serializers.schema.id.PrefixSchemaIdSerializer",
        "io.confluent.kafka.serializers.schema.id.HeaderSchemaIdSerializer",
    ]),
    Support::Refused(
        "this class is not built in",
        "Use PrefixSchemaIdSerializer or HeaderSchemaIdSerializer of io.confluent.kafka.serializers.schema.id.",
    ),
)]);

fn no_user_info(asked: &Asked<'_>) -> bool {
    let source = asked.properties.get("basic.auth.credentials.source").unwrap_or("URL");
    !source.trim().eq_ignore_ascii_case("USER_INFO")
}

/// Java refuses both kinds of credentials at once.
fn sources(asked: &Asked<'_>) -> Vec<String> {
    let set = |name: &str| asked.properties.get(name).is_some_and(|value| !value.trim().is_empty());
    let (basic, bearer) = ("basic.auth.credentials.source", "bearer.auth.credentials.source");
    if set(basic) && set(bearer) {
        return vec![format!("Only one of '{basic}' and '{bearer}' may be specified")];
    }
    Vec::new()
}

/// Each address must be one that can be asked. The complaint shows no address, because it may hold a password.
pub(super) fn urls(asked: &Asked<'_>) -> Vec<String> {
    let name = asked.name;
    let bad = |text: &str| {
        if text.starts_with("mock://") {
            return Some("mock:// is a registry inside Java's memory, and there is none here. Name a real one.");
        }
        match Url::parse(text) {
            Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => None,
            _ => Some("an address in it is no URL that begins with http:// or https://. Write http://host:port."),
        }
    };
    let items = asked.value.unwrap_or_default().split(',').map(str::trim).filter(|item| !item.is_empty());
    items.filter_map(bad).map(|what| format!("Invalid value for configuration {name}: {what}")).collect()
}
