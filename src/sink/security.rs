//! Translates Java's `security.protocol`, `sasl.*` and `ssl.*` into librdkafka's properties.
//!
//! Stores of keys and certificates are opened before librdkafka is asked (`stores.rs`). Messages name files and properties,
//! never their contents. A login by tokens is made to one text, which `src/login/` reads when a client asks for a token.

mod jaas;
mod oauth;
mod stores;

use settings::Support::{self, NoEffect, Refused, Works};
use settings::Values;

use self::jaas::Jaas;
pub(crate) use self::oauth::is_other_handler;
use super::properties::{Mapped, Properties};

/// Prefixes of the properties that this file translates.
pub(super) const NAMES: &[&str] = &["security.protocol", "sasl.", "ssl."];

const NO_JVM: &str = "there is no JVM here to load the class";
const LOGIN: &str = "Give username and password in sasl.jaas.config.";
const KERBEROS: Support = NoEffect("only the mechanism GSSAPI uses it, and that is refused");

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
    (Support::Partly(VERSIONS), &[PROTOCOLS]),
    (Refused(NO_JVM, "Use PEM files."), &["ssl.engine.factory.class"]),
    (NoEffect("OpenSSL negotiates the newest TLS version that both sides know"), &["ssl.protocol"]),
    (NoEffect("there are no JVM security providers here"), &["ssl.provider"]),
    (
        NoEffect("there is no JVM here"),
        &["ssl.keymanager.algorithm", "ssl.trustmanager.algorithm", "ssl.secure.random.implementation"],
    ),
    (Refused(NO_JVM, LOGIN), &["sasl.login.class"]),
    (oauth::HANDLER_CLASSES, &["sasl.client.callback.handler.class", "sasl.login.callback.handler.class"]),
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
];

const PROTOCOLS: &str = "ssl.enabled.protocols";
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
    KEYS.iter().chain(oauth::KEYS).flat_map(|(support, names)| names.iter().map(|name| (*name, *support)))
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
    let has_tokens = has_sasl && matches!(&*mechanism(properties), "OAUTHBEARER" | "AWS_MSK_IAM");
    let of_tokens = |name: &str| oauth::KEYS.iter().any(|(_, names)| names.contains(&name));
    if has_sasl {
        oauth::check_classes(mapped, properties, has_tokens);
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
            (Some(_), None) if of_tokens(name) && !has_tokens => mapped.warn(name, oauth::UNUSED),
            (Some((_, NoEffect(reason))), None) => mapped.warn(name, reason),
            (Some((_, Refused(reason, remedy))), None) => mapped.refuse(name, reason, remedy.trim_end_matches('.')),
            (Some((_, Support::Partly(_))), None) if name == PROTOCOLS && lacks_tls12(value) => {
                mapped.refuse(name, OLD_TLS, ADD_TLS12.trim_end_matches('.'));
            }
            (Some((_, Support::Partly(_))), None) if name == PROTOCOLS && value.trim() == "TLSv1.2" => {
                mapped.warn(name, "TLS 1.3 is spoken where the broker has it");
            }
            (Some((_, Support::Partly(_) | Works)), None) => {}
        }
    }
}

fn mechanism(properties: &Properties) -> String {
    get(properties, "sasl.mechanism").unwrap_or("GSSAPI").to_ascii_uppercase()
}

fn sasl(mapped: &mut Mapped, properties: &Properties) {
    const REMEDY: &str = "Use SCRAM-SHA-512, OAUTHBEARER, PLAIN over SASL_SSL, or client certificates";
    let mechanism = mechanism(properties);
    match mechanism.as_str() {
        "PLAIN" | "SCRAM-SHA-256" | "SCRAM-SHA-512" => mapped.set("sasl.mechanism", mechanism.as_str()),
        "GSSAPI" => {
            let reason = "this build has no Kerberos (sasl.mechanism=GSSAPI, which is also Java's default)";
            return mapped.refuse("sasl.mechanism", reason, REMEDY);
        }
        "OAUTHBEARER" => return oauth::oauthbearer(mapped, properties),
        "AWS_MSK_IAM" => return oauth::msk(mapped, properties),
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
