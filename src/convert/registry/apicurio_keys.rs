//! The keys by which Apicurio's converters reach a registry: `apicurio.registry.*`.
//!
//! Must not know: how a value is used.

use settings::{Asked, Check, Key, Kind, Support, Values};

use super::confluent_keys::urls;
use super::subject::ArtifactStrategy;

const NO_JVM: &str = "there is no JVM here to load the class";
const ONLY_READING: Support = Support::NoEffect("only reading uses it, in Kafka Connect too");
const ONCE: Support = Support::NoEffect("a schema is looked up once, and its id cannot change");

/// The keys of Apicurio's registry client and of what its serialisers ask it for.
pub const APICURIO: &[Key] = &[
    Key::new("apicurio.registry.url", Kind::String)
        .required()
        .high()
        .checks(&[Check::Own(address)])
        .doc("The registry's address: http://host:port, or with /apis/registry/v2 or /apis/registry/v3."),
    Key::new("apicurio.registry.url.version", Kind::String)
        .doc("Version of the registry's API, 2 or 3, for an address that does not show it. Not set: it is found out.")
        .support(Support::Partly(&[(
            Values::Not(&["2", "3", "v2", "v3"]),
            Support::Refused("the versions 2 and 3 are known here", "Set 2 or 3, or remove it."),
        )])),
    Key::new("apicurio.registry.auto-register", Kind::Boolean)
        .default("false")
        .high()
        .doc("Whether schemas are registered. If not, the registry must have them."),
    Key::new("apicurio.registry.auto-register.if-exists", Kind::String)
        .default("FIND_OR_CREATE_VERSION")
        .doc("What registering does when the artifact exists: FIND_OR_CREATE_VERSION (RETURN_OR_UPDATE in version 2), CREATE_VERSION (UPDATE) or FAIL.")
        .support(Support::Partly(&[
            (
                Values::These(&["RETURN"]),
                Support::Refused("it would write with the id of another schema", "Use FIND_OR_CREATE_VERSION."),
            ),
            (
                Values::Not(&["FIND_OR_CREATE_VERSION", "RETURN_OR_UPDATE", "CREATE_VERSION", "UPDATE", "FAIL"]),
                Support::Refused("the registry knows no such way", "Use FIND_OR_CREATE_VERSION."),
            ),
        ])),
    Key::new("apicurio.registry.find-latest", Kind::Boolean)
        .default("false")
        .doc("Whether to write with the artifact's latest version, when auto-register is false."),
    Key::new("apicurio.registry.artifact-resolver-strategy", Kind::Class)
        .default("io.apicurio.registry.serde.strategy.TopicIdStrategy")
        .doc("How a schema's artifact is named: TopicIdStrategy, SimpleTopicIdStrategy, RecordIdStrategy, QualifiedRecordIdStrategy or TopicRecordIdStrategy.")
        .support(Support::Partly(&[(
            Values::Own(|asked| ArtifactStrategy::of_class(asked.value.unwrap_or_default()).is_none()),
            Support::Refused(
                "this strategy is not built in",
                "Use TopicIdStrategy or SimpleTopicIdStrategy of io.apicurio.registry.serde.strategy, or \
                 RecordIdStrategy, QualifiedRecordIdStrategy or TopicRecordIdStrategy of \
                 io.apicurio.registry.serde.avro.strategy.",
            ),
        )])),
    Key::new("apicurio.registry.artifact.group-id", Kind::String).doc("Group of the artifact, instead of the strategy's."),
    Key::new("apicurio.registry.artifact.artifact-id", Kind::String)
        .doc("Id of the artifact, instead of the strategy's."),
    Key::new("apicurio.registry.artifact.version", Kind::String)
        .doc("Version of the artifact: the one to write with, or with auto-register the one to create."),
    Key::new("apicurio.registry.artifact.schema.location", Kind::String)
        .doc("File with the schema to write with.")
        .support(Support::Refused("the schema is always that of the records", "Remove it.")),
    Key::new("apicurio.registry.id-handler", Kind::Class)
        .default("io.apicurio.registry.serde.Default4ByteIdHandler")
        .doc("Length of the id before the data: Default4ByteIdHandler, or Legacy8ByteIdHandler (DefaultIdHandler in version 2).")
        .support(Support::Partly(&[(
            Values::Own(|asked| id_bytes(asked.value.unwrap_or_default()).is_none()),
            Support::Refused(NO_JVM, "Use io.apicurio.registry.serde.Default4ByteIdHandler or Legacy8ByteIdHandler."),
        )])),
    Key::new("apicurio.registry.as-confluent", Kind::Boolean)
        .unlisted()
        .default("false")
        .doc("An older way (version 2) to ask for an id of 4 bytes."),
    Key::new("apicurio.registry.use-id", Kind::String)
        .default("contentId")
        .doc("Which id is written: contentId or globalId.")
        .support(Support::Partly(&[(
            Values::Not(&["contentId", "globalId"]),
            Support::Refused("the registry has no such id", "Use contentId or globalId."),
        )])),
    Key::new("apicurio.registry.headers.enabled", Kind::Boolean)
        .default("false")
        .doc("Whether the id is in the record's headers instead of before the data."),
    Key::new("apicurio.registry.headers.handler", Kind::Class)
        .default("io.apicurio.registry.serde.headers.DefaultHeadersHandler")
        .low()
        .doc("Java class that writes the headers.")
        .support(Support::Partly(&[(
            Values::Not(&[
                "io.apicurio.registry.serde.headers.DefaultHeadersHandler",
                "io.apicurio.registry.serde.kafka.headers.DefaultHeadersHandler",
            ]),
            Support::Refused(NO_JVM, "Remove it: the usual headers are built in."),
        )])),
    Key::new("apicurio.registry.headers.key.contentId.name", Kind::String)
        .default("apicurio.key.contentId")
        .low()
        .doc("Name of the header with a key's contentId."),
    Key::new("apicurio.registry.headers.value.contentId.name", Kind::String)
        .default("apicurio.value.contentId")
        .low()
        .doc("Name of the header with a value's contentId."),
    Key::new("apicurio.registry.headers.key.globalId.name", Kind::String)
        .default("apicurio.key.globalId")
        .low()
        .doc("Name of the header with a key's globalId."),
    Key::new("apicurio.registry.headers.value.globalId.name", Kind::String)
        .default("apicurio.value.globalId")
        .low()
        .doc("Name of the header with a value's globalId."),
    Key::new("apicurio.registry.schema-resolver", Kind::Class)
        .default("io.apicurio.registry.resolver.DefaultSchemaResolver")
        .low()
        .doc("Java class that finds schemas.")
        .support(Support::Refused(NO_JVM, "Remove it: the usual way is built in.")),
    Key::new("apicurio.registry.check-period-ms", Kind::Long)
        .default("30000")
        .low()
        .doc("Milliseconds after which a Java client asks for a schema again.")
        .support(ONCE),
    Key::new("apicurio.registry.cache-latest", Kind::Boolean)
        .default("true")
        .low()
        .doc("Whether a Java client remembers which version is the latest.")
        .support(Support::NoEffect("a newer version is used from the next start of the task on")),
    Key::new("apicurio.registry.fault-tolerant-refresh", Kind::Boolean)
        .default("false")
        .low()
        .doc("Whether a Java client goes on with what it remembers when the registry is away.")
        .support(Support::NoEffect("it is always so: a schema that has its id needs the registry no more")),
    Key::new("apicurio.registry.background-refresh-enabled", Kind::Boolean)
        .default("false")
        .low()
        .doc("Whether a Java client asks for schemas again beside its work.")
        .support(ONCE),
    Key::new("apicurio.registry.retry-count", Kind::Long)
        .default("3")
        .low()
        .doc("How often a request that a registry did not answer is made again before that counts as a failure.")
        .support(Support::NoEffect("the task itself asks again, every five seconds and for ten minutes at least, and its status says so")),
    Key::new("apicurio.registry.retry-backoff-ms", Kind::Long)
        .default("300")
        .low()
        .doc("Pause in milliseconds before each repetition.")
        .support(Support::NoEffect("the task itself asks again, every five seconds and for ten minutes at least, and its status says so")),
    Key::new("apicurio.registry.canonicalize", Kind::Boolean)
        .default("false")
        .doc("Whether the registry compares schemas in a normal form."),
    Key::new("apicurio.registry.dereference-schema", Kind::Boolean)
        .default("false")
        .low()
        .doc("Whether references in schemas are resolved.")
        .support(Support::NoEffect("schemas of records are whole: they refer to no others")),
    Key::new("apicurio.registry.serde.validation-enabled", Kind::Boolean)
        .default("true")
        .low()
        .doc("Whether Java checks the data against a JSON schema.")
        .support(Support::NoEffect("the data and its schema are made from the same columns")),
    Key::new("apicurio.registry.avro.encoding", Kind::String)
        .default("BINARY")
        .low()
        .doc("How Avro is written: BINARY.")
        .support(Support::Partly(&[(
            Values::Not(&["BINARY"]),
            Support::Refused("Avro is written in its binary form only", "Use BINARY."),
        )])),
    Key::new("apicurio.registry.auth.service.token.endpoint", Kind::String)
        .doc("Address of the OAuth server that grants tokens (client credentials grant)."),
    Key::new("apicurio.registry.auth.service.url", Kind::String)
        .unlisted()
        .doc("Address of a Keycloak (version 2).")
        .support(Support::Refused(
            "the server of tokens is named by its whole address here",
            "Set apicurio.registry.auth.service.token.endpoint: …/realms/REALM/protocol/openid-connect/token.",
        )),
    Key::new("apicurio.registry.auth.client.id", Kind::String).doc("Client id for the OAuth server."),
    Key::new("apicurio.registry.auth.client.secret", Kind::Password).doc("Client secret for the OAuth server."),
    Key::new("apicurio.registry.auth.client.scope", Kind::String).doc("Scope to ask the OAuth server for."),
    Key::new("apicurio.registry.auth.username", Kind::String).doc("User for basic authentication."),
    Key::new("apicurio.registry.auth.password", Kind::Password).doc("Password for basic authentication."),
    Key::new("apicurio.registry.request.headers.<name>", Kind::String)
        .unlisted()
        .family("apicurio.registry.request.headers.<name>")
        .doc("A header that is sent with each request to the registry (version 2)."),
    Key::new("apicurio.registry.tls.truststore.location", Kind::String)
        .doc("File with the authorities that are trusted, PEM, PKCS12 or JKS. Not set: the system's."),
    Key::new("apicurio.registry.tls.truststore.password", Kind::Password).doc("Password of the trust store."),
    Key::new("apicurio.registry.tls.truststore.type", Kind::String)
        .default("JKS")
        .doc("Format of the trust store.")
        .support(Support::NoEffect("the format is found out from the content: PEM, PKCS12 or JKS")),
    Key::new("apicurio.registry.tls.certificates", Kind::String)
        .doc("The authorities that are trusted: PEM text, or PEM files separated by commas."),
    Key::new("apicurio.registry.tls.keystore.location", Kind::String)
        .doc("File with the client's certificates and private key, PEM, PKCS12 or JKS."),
    Key::new("apicurio.registry.tls.keystore.password", Kind::Password).doc("Password of the key store."),
    Key::new("apicurio.registry.tls.keystore.type", Kind::String)
        .default("JKS")
        .doc("Format of the key store.")
        .support(Support::NoEffect("the format is found out from the content: PEM, PKCS12 or JKS")),
    Key::new("apicurio.registry.tls.client-certificate", Kind::String)
        .doc("The client's certificates: PEM text or a PEM file."),
    Key::new("apicurio.registry.tls.client-key", Kind::Password).doc("The client's private key: PEM text or a PEM file."),
    Key::new("apicurio.registry.tls.trust-all", Kind::Boolean)
        .default("false")
        .doc("Whether any certificate is accepted. Whoever is in between can then read and change schemas and credentials."),
    Key::new("apicurio.registry.tls.verify-host", Kind::Boolean)
        .default("true")
        .doc("Whether the registry's certificate must name its host."),
    Key::new("apicurio.registry.proxy.host", Kind::String).doc("Host of the HTTP proxy to the registry."),
    Key::new("apicurio.registry.proxy.port", Kind::Int).doc("Port of the HTTP proxy to the registry."),
    Key::new("apicurio.registry.proxy.username", Kind::String).doc("User for the proxy."),
    Key::new("apicurio.registry.proxy.password", Kind::Password).doc("Password for the proxy."),
    Key::new("apicurio.registry.http.adapter", Kind::String)
        .default("AUTO")
        .low()
        .doc("Which HTTP client a Java client uses.")
        .support(Support::NoEffect("there is one HTTP client here")),
    Key::new("apicurio.registry.otel.enabled", Kind::Boolean)
        .default("false")
        .low()
        .doc("Whether requests are traced.")
        .support(Support::NoEffect("requests to the registry are not traced")),
    Key::new("apicurio.registry.fallback.group-id", Kind::String).low().doc("Group for reading.").support(ONLY_READING),
    Key::new("apicurio.registry.fallback.artifact-id", Kind::String).low().doc("Artifact for reading.").support(ONLY_READING),
    Key::new("apicurio.registry.fallback.version", Kind::String).low().doc("Version for reading.").support(ONLY_READING),
];

/// The number of bytes that an id handler writes; `None` for a class that is not built in.
pub(super) fn id_bytes(class: &str) -> Option<usize> {
    match class.trim().strip_prefix("io.apicurio.registry.serde.").unwrap_or(class.trim()) {
        "Default4ByteIdHandler" | "Legacy4ByteIdHandler" | "OptimisticFallbackIdHandler" => Some(4),
        "Legacy8ByteIdHandler" | "DefaultIdHandler" => Some(8),
        _ => None,
    }
}

fn address(asked: &Asked<'_>) -> Vec<String> {
    if asked.value.is_some_and(|value| value.contains("/apis/ccompat")) {
        return vec![format!(
            "Invalid value for configuration {}: this address speaks Confluent's API. Use \
             io.confluent.connect.avro.AvroConverter with schema.registry.url, or end the address before /apis.",
            asked.name
        )];
    }
    urls(asked)
}
