//! Translates Java's `security.protocol`, `sasl.*` and `ssl.*` into librdkafka's properties.
//!
//! Stores of keys and certificates are opened before librdkafka is asked (`stores.rs`). Messages name files and properties,
//! never their contents.

mod jaas;
mod stores;

use settings::Support::{self, NoEffect, Refused, Works};
use settings::Values;

use self::jaas::Jaas;
use super::properties::{Mapped, Properties};

/// Prefixes of the properties that this file translates.
pub(super) const NAMES: &[&str] = &["security.protocol", "sasl.", "ssl."];

const NO_JVM: &str = "there is no JVM here to load the class";
const LOGIN: &str = "Give username and password in sasl.jaas.config.";
const KERBEROS: Support = NoEffect("only the mechanism GSSAPI uses it, and that is refused");
const OAUTH: Support = NoEffect("only the mechanism OAUTHBEARER uses it, and that is refused");

/// What becomes of each property of Java's `SaslConfigs` and `SslConfigs` (Kafka 4.3), where the protocol uses it. Some
/// values of a property that works are refused by the code below.
const KEYS: &[(Support, &[&str])] = &[
    (
        Works,
        &[
            "security.protocol",
            "sasl.mechanism",
            "sasl.jaas.config",
            "ssl.truststore.type",
            "ssl.truststore.location",
            "ssl.truststore.password",
            "ssl.truststore.certificates",
            "ssl.keystore.type",
            "ssl.keystore.location",
            "ssl.keystore.password",
            "ssl.keystore.key",
            "ssl.keystore.certificate.chain",
            "ssl.key.password",
            "ssl.endpoint.identification.algorithm",
        ],
    ),
    // librdkafka passes no restriction of TLS to OpenSSL that Java's properties could be translated into. Ignoring one
    // would be unsafe: a user who restricts TLS relies on it.
    (
        Refused(
            "OpenSSL's own choice of suites would be used, and Java's names are not its names",
            "Remove it, and narrow the suites down at the brokers.",
        ),
        &["ssl.cipher.suites"],
    ),
    (Support::Partly(VERSIONS), &["ssl.enabled.protocols"]),
    (Refused(NO_JVM, "Use PEM files."), &["ssl.engine.factory.class"]),
    (NoEffect("OpenSSL negotiates the newest TLS version that both sides know"), &["ssl.protocol"]),
    (NoEffect("there are no JVM security providers here"), &["ssl.provider"]),
    (
        NoEffect("there is no JVM here"),
        &["ssl.keymanager.algorithm", "ssl.trustmanager.algorithm", "ssl.secure.random.implementation"],
    ),
    (
        Refused(NO_JVM, LOGIN),
        &["sasl.login.class", "sasl.client.callback.handler.class", "sasl.login.callback.handler.class"],
    ),
    (
        KERBEROS,
        &[
            "sasl.kerberos.kinit.cmd",
            "sasl.kerberos.min.time.before.relogin",
            "sasl.kerberos.service.name",
            "sasl.kerberos.ticket.renew.jitter",
            "sasl.kerberos.ticket.renew.window.factor",
        ],
    ),
    (
        OAUTH,
        &[
            "sasl.login.connect.timeout.ms",
            "sasl.login.read.timeout.ms",
            "sasl.login.refresh.buffer.seconds",
            "sasl.login.refresh.min.period.seconds",
            "sasl.login.refresh.window.factor",
            "sasl.login.refresh.window.jitter",
            "sasl.login.retry.backoff.max.ms",
            "sasl.login.retry.backoff.ms",
            "sasl.oauthbearer.assertion.algorithm",
            "sasl.oauthbearer.assertion.claim.aud",
            "sasl.oauthbearer.assertion.claim.exp.seconds",
            "sasl.oauthbearer.assertion.claim.iss",
            "sasl.oauthbearer.assertion.claim.jti.include",
            "sasl.oauthbearer.assertion.claim.nbf.seconds",
            "sasl.oauthbearer.assertion.claim.sub",
            "sasl.oauthbearer.assertion.file",
            "sasl.oauthbearer.assertion.private.key.file",
            "sasl.oauthbearer.assertion.private.key.passphrase",
            "sasl.oauthbearer.assertion.template.file",
            "sasl.oauthbearer.client.credentials.client.id",
            "sasl.oauthbearer.client.credentials.client.secret",
            "sasl.oauthbearer.clock.skew.seconds",
            "sasl.oauthbearer.expected.audience",
            "sasl.oauthbearer.expected.issuer",
            "sasl.oauthbearer.header.urlencode",
            "sasl.oauthbearer.jwks.endpoint.refresh.ms",
            "sasl.oauthbearer.jwks.endpoint.retry.backoff.max.ms",
            "sasl.oauthbearer.jwks.endpoint.retry.backoff.ms",
            "sasl.oauthbearer.jwks.endpoint.url",
            "sasl.oauthbearer.jwt.retriever.class",
            "sasl.oauthbearer.jwt.validator.class",
            "sasl.oauthbearer.scope",
            "sasl.oauthbearer.scope.claim.name",
            "sasl.oauthbearer.sub.claim.name",
            "sasl.oauthbearer.token.endpoint.url",
        ],
    ),
];

const VERSIONS: &[(Values, Support)] = &[
    (Values::Own(|asked| lacks_tls12(asked.value.unwrap_or_default())), Refused(OLD_TLS, ADD_TLS12)),
    (Values::Not(&["TLSv1.2", "TLSv1.3"]), NoEffect(OTHER_TLS)),
];
const OLD_TLS: &str = "TLS 1.2 would be spoken all the same where a broker has no newer one";
const ADD_TLS12: &str = "Add TLSv1.2, or remove it, and switch TLS 1.2 off at the brokers.";
const OTHER_TLS: &str = "TLS 1.2 and 1.3 are spoken, and no older version";

fn lacks_tls12(versions: &str) -> bool {
    !versions.trim().is_empty() && !versions.split(',').any(|one| one.trim() == "TLSv1.2")
}

/// Whether each property of this file works, has no effect, or is refused, for the generated reference.
pub(super) fn support() -> impl Iterator<Item = (&'static str, Support)> {
    KEYS.iter().flat_map(|(support, names)| names.iter().map(|name| (*name, *support)))
}

fn get<'a>(properties: &'a Properties, name: &str) -> Option<&'a str> {
    properties.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
}

pub(super) fn apply(mapped: &mut Mapped, properties: &Properties) {
    let protocol = get(properties, "security.protocol").unwrap_or("PLAINTEXT").to_ascii_lowercase();
    match protocol.as_str() {
        "plaintext" | "ssl" | "sasl_plaintext" | "sasl_ssl" => mapped.set("security.protocol", protocol.as_str()),
        _ => {
            return mapped.refuse(
                "security.protocol",
                format!("{protocol:?} is not a protocol of Kafka"),
                "Use PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL",
            );
        }
    }
    let (has_sasl, has_tls) = (protocol.starts_with("sasl"), protocol.ends_with("ssl"));
    if has_sasl {
        sasl(mapped, properties);
    }
    if has_tls {
        stores::truststore(mapped, properties);
        stores::keystore(mapped, properties);
        host_name_check(mapped, properties);
    }
    let ours = |name: &str| NAMES.iter().any(|prefix| name.starts_with(prefix));
    for (name, value) in properties.iter().filter(|(name, value)| ours(name) && !value.trim().is_empty()) {
        let unused = match name.as_str() {
            name if name.starts_with("sasl.") && !has_sasl => Some("no SASL"),
            name if name.starts_with("ssl.") && !has_tls => Some("no TLS"),
            _ => None,
        };
        match (support().find(|(known, _)| known == name), unused) {
            (None, _) => mapped.warn(name, "it is not a property of this client"),
            // As in Java, the settings of a protocol that is not in use are ignored.
            (Some(_), Some(what)) => {
                let protocol = protocol.to_ascii_uppercase();
                mapped.warn(name, &format!("security.protocol={protocol} uses {what}"));
            }
            (Some((_, NoEffect(reason))), None) => mapped.warn(name, reason),
            (Some((_, Refused(reason, remedy))), None) => mapped.refuse(name, reason, remedy.trim_end_matches('.')),
            (Some((_, Support::Partly(_))), None) if lacks_tls12(value) => {
                mapped.refuse(name, OLD_TLS, ADD_TLS12.trim_end_matches('.'));
            }
            (Some((_, Support::Partly(_))), None) if value.trim() == "TLSv1.2" => {
                mapped.warn(name, "TLS 1.3 is spoken where the broker has it");
            }
            (Some((_, Support::Partly(_) | Works)), None) => {}
        }
    }
}

fn sasl(mapped: &mut Mapped, properties: &Properties) {
    const REMEDY: &str = "Use SCRAM-SHA-512, PLAIN over SASL_SSL, or client certificates";
    let mechanism = get(properties, "sasl.mechanism").unwrap_or("GSSAPI").to_ascii_uppercase();
    match mechanism.as_str() {
        "PLAIN" | "SCRAM-SHA-256" | "SCRAM-SHA-512" => mapped.set("sasl.mechanism", mechanism.as_str()),
        "GSSAPI" => {
            let reason = "this build has no Kerberos (sasl.mechanism=GSSAPI, which is also Java's default)";
            return mapped.refuse("sasl.mechanism", reason, REMEDY);
        }
        "AWS_MSK_IAM" => {
            let remedy = "Switch SASL/SCRAM (with AWS Secrets Manager) or mutual TLS on for the cluster, and use that";
            return mapped.refuse("sasl.mechanism", "logins by AWS IAM are not built", remedy);
        }
        _ => return mapped.refuse("sasl.mechanism", format!("this build has no {mechanism}"), REMEDY),
    }
    let Some(jaas) = get(properties, "sasl.jaas.config") else {
        return mapped.refuse("sasl.jaas.config", "it is missing", "Give the login module with username and password");
    };
    match Jaas::parse(jaas) {
        Err(reason) => mapped.refuse("sasl.jaas.config", reason, JAAS_FORM),
        Ok(jaas) => {
            let module = jaas.module.rsplit('.').next().unwrap_or_default();
            if !matches!(module, "PlainLoginModule" | "ScramLoginModule") {
                let reason = format!("the login module {} is not known here", jaas.module);
                return mapped.refuse("sasl.jaas.config", reason, JAAS_FORM);
            }
            match (jaas.option("username"), jaas.option("password")) {
                (Some(username), Some(password)) => {
                    mapped.set("sasl.username", username);
                    mapped.set("sasl.password", password);
                }
                _ => mapped.refuse("sasl.jaas.config", "it has no username or no password", JAAS_FORM),
            }
        }
    }
}

const JAAS_FORM: &str =
    "Write: org.apache.kafka.common.security.scram.ScramLoginModule required username=\"…\" password=\"…\";";

fn host_name_check(mapped: &mut Mapped, properties: &Properties) {
    const NAME: &str = "ssl.endpoint.identification.algorithm";
    match properties.get(NAME).map(|value| value.trim().to_ascii_lowercase()).as_deref() {
        Some("" | "none") => mapped.set(NAME, "none"),
        Some("https") => mapped.set(NAME, "https"),
        Some(other) => {
            mapped.refuse(NAME, format!("{other:?} is not known here"), "Use https, or nothing for no check");
        }
        None => {}
    }
}
