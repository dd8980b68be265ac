//! Translates Java's `security.protocol`, `sasl.*` and `ssl.*` into librdkafka's properties.
//!
//! Java's client reads key stores in Java's own format (JKS); librdkafka reads PEM and PKCS#12. A store that OpenSSL
//! cannot read is refused, with the command that converts it. Messages name files and properties, never their contents.

use super::properties::{Mapped, Properties};

/// Prefixes of the properties that this file translates.
pub(super) const NAMES: &[&str] = &["security.protocol", "sasl.", "ssl."];

/// Properties that are ignored with a warning: they make no sense without a JVM, and OpenSSL has its own defaults.
const IGNORED: &[(&str, &str)] = &[
    ("ssl.protocol", "OpenSSL negotiates the newest TLS version that both sides know"),
    ("ssl.provider", "there are no JVM security providers here"),
    ("ssl.keymanager.algorithm", "there is no JVM here"),
    ("ssl.trustmanager.algorithm", "there is no JVM here"),
    ("ssl.secure.random.implementation", "there is no JVM here"),
];

pub(super) fn apply(mapped: &mut Mapped, properties: &Properties) {
    let get = |name: &str| properties.get(name).map(|value| value.trim()).filter(|value| !value.is_empty());
    let protocol = get("security.protocol").unwrap_or("PLAINTEXT").to_ascii_lowercase();
    match protocol.as_str() {
        "plaintext" | "ssl" | "sasl_plaintext" | "sasl_ssl" => mapped.set("security.protocol", protocol.as_str()),
        _ => mapped.refuse(
            "security.protocol",
            format!("{protocol:?} is not a protocol of Kafka"),
            "Use PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL",
        ),
    }
    if get("ssl.engine.factory.class").is_some() {
        mapped.refuse("ssl.engine.factory.class", "there is no JVM here to load the class", "Use PEM files");
    }
    // As in Java, the settings of a protocol that is not in use are ignored.
    if protocol.starts_with("sasl") {
        sasl(mapped, properties);
    }
    if protocol.ends_with("ssl") {
        for (name, reason) in IGNORED {
            if get(name).is_some() {
                mapped.warn(name, reason);
            }
        }
        refuse_limits(mapped, &get);
        truststore(mapped, properties);
        keystore(mapped, properties);
        match properties.get("ssl.endpoint.identification.algorithm").map(|value| value.trim()) {
            Some("") => mapped.set("ssl.endpoint.identification.algorithm", "none"),
            Some(algorithm) => mapped.set("ssl.endpoint.identification.algorithm", algorithm.to_ascii_lowercase()),
            None => {}
        }
    }
}

/// Refuses restrictions of TLS that librdkafka does not pass to OpenSSL. Ignoring them would be unsafe: a user who
/// restricts TLS relies on it.
fn refuse_limits<'a>(mapped: &mut Mapped, get: &dyn Fn(&str) -> Option<&'a str>) {
    if get("ssl.cipher.suites").is_some() {
        let reason = "OpenSSL's own choice of suites would be used, and Java's names are not its names";
        mapped.refuse("ssl.cipher.suites", reason, "Remove it, and narrow the suites down at the brokers");
    }
    if get("ssl.enabled.protocols").is_some_and(|all| !all.split(',').any(|one| one.trim() == "TLSv1.2")) {
        let reason = "TLS 1.2 would be spoken all the same where a broker has no newer one";
        mapped.refuse(
            "ssl.enabled.protocols",
            reason,
            "Add TLSv1.2, or remove it, and switch TLS 1.2 off at the brokers",
        );
    }
}

/// Whether each property of this file works, has no effect, or is refused, for the generated reference.
pub(super) fn support() -> Vec<(&'static str, settings::Support)> {
    use settings::Support::{NoEffect, Refused, Works};
    const NO_CLASS: settings::Support = Refused("there is no JVM here to load the class", "Remove it.");
    let mut all: Vec<_> = WORK.iter().map(|name| (*name, Works)).collect();
    all.extend(IGNORED.iter().map(|(name, why)| (*name, NoEffect(why))));
    all.extend(CLASSES.iter().map(|name| (*name, NO_CLASS)));
    all.push(("ssl.engine.factory.class", NO_CLASS));
    all
}

/// Properties that are passed to librdkafka. Values that librdkafka cannot honour are refused when they are read.
const WORK: &[&str] = &[
    "security.protocol",
    "sasl.mechanism",
    "sasl.jaas.config",
    "ssl.truststore.type",
    "ssl.truststore.location",
    "ssl.truststore.certificates",
    "ssl.keystore.type",
    "ssl.keystore.location",
    "ssl.keystore.password",
    "ssl.keystore.key",
    "ssl.keystore.certificate.chain",
    "ssl.key.password",
    "ssl.endpoint.identification.algorithm",
    "ssl.cipher.suites",
    "ssl.enabled.protocols",
];

/// Properties that name Java classes for SASL logins; they are refused.
const CLASSES: &[&str] =
    &["sasl.login.class", "sasl.client.callback.handler.class", "sasl.login.callback.handler.class"];

fn sasl(mapped: &mut Mapped, properties: &Properties) {
    let get = |name: &str| properties.get(name).map(|value| value.trim()).filter(|value| !value.is_empty());
    let mechanism = get("sasl.mechanism").unwrap_or("GSSAPI").to_ascii_uppercase();
    match mechanism.as_str() {
        "PLAIN" | "SCRAM-SHA-256" | "SCRAM-SHA-512" => mapped.set("sasl.mechanism", mechanism.as_str()),
        "GSSAPI" => {
            let reason = "this build has no Kerberos (sasl.mechanism=GSSAPI, which is also Java's default)";
            return mapped.refuse(
                "sasl.mechanism",
                reason,
                "Use SCRAM-SHA-512, PLAIN over SASL_SSL, or client certificates",
            );
        }
        _ => {
            let reason = format!("this build has no {mechanism}");
            return mapped.refuse(
                "sasl.mechanism",
                reason,
                "Use SCRAM-SHA-512, PLAIN over SASL_SSL, or client certificates",
            );
        }
    }
    for name in CLASSES {
        if get(name).is_some() {
            mapped.refuse(
                name,
                "there is no JVM here to load the class",
                "Give username and password in sasl.jaas.config",
            );
        }
    }
    let Some(jaas) = get("sasl.jaas.config") else {
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

/// One entry of a JAAS configuration: login module, control flag and options, in the grammar of
/// `javax.security.auth.login.Configuration`.
struct Jaas {
    module: String,
    options: Vec<(String, String)>,
}

impl Jaas {
    fn option(&self, name: &str) -> Option<String> {
        self.options.iter().find(|(option, _)| option == name).map(|(_, value)| value.clone())
    }

    /// Parses an entry. The errors never quote the text, because it holds a password.
    fn parse(text: &str) -> Result<Self, &'static str> {
        let mut words = words(text)?.into_iter();
        let module = words.next().ok_or("it is empty")?;
        let control = words.next().ok_or("the control flag is missing")?;
        if !["required", "requisite", "sufficient", "optional"].contains(&control.to_ascii_lowercase().as_str()) {
            return Err("the control flag after the login module is none of required, requisite, sufficient, optional");
        }
        let mut options = Vec::new();
        loop {
            match words.next().as_deref() {
                Some(";") => break,
                None => return Err("it does not end with a semicolon"),
                Some(name) => {
                    if words.next().as_deref() != Some("=") {
                        return Err("an option has no equals sign");
                    }
                    let value = words.next().ok_or("an option has no value")?;
                    options.push((name.to_owned(), value));
                }
            }
        }
        Ok(Self { module, options })
    }
}

/// Splits a JAAS entry into words, quoted strings (in which a backslash escapes), and the marks `=` and `;`.
fn words(text: &str) -> Result<Vec<String>, &'static str> {
    let mut out = Vec::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            c if c.is_whitespace() => {}
            '=' | ';' => out.push(c.to_string()),
            quote @ ('"' | '\'') => {
                let mut word = String::new();
                loop {
                    match chars.next() {
                        None => return Err("a quoted value does not end"),
                        Some(c) if c == quote => break,
                        Some('\\') => word.extend(chars.next()),
                        Some(c) => word.push(c),
                    }
                }
                out.push(word);
            }
            c => {
                let mut word = String::from(c);
                while let Some(c) = chars.next_if(|c| !c.is_whitespace() && !matches!(c, '=' | ';' | '"' | '\'')) {
                    word.push(c);
                }
                out.push(word);
            }
        }
    }
    Ok(out)
}

/// The type of a store: the configured one (`said`), else `PKCS12` or `PEM` by the file's extension, else Java's
/// default `JKS`.
fn store_type(said: Option<&str>, location: &str) -> String {
    let extension = location.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
    match (said, extension.as_str()) {
        (Some(said), _) => said.to_ascii_uppercase(),
        (None, "p12" | "pfx") => "PKCS12".to_owned(),
        (None, "pem" | "crt") => "PEM".to_owned(),
        (None, _) => "JKS".to_owned(),
    }
}

fn truststore(mapped: &mut Mapped, properties: &Properties) {
    let get = |name: &str| properties.get(name).map(|value| value.trim()).filter(|value| !value.is_empty());
    if let Some(certificates) = get("ssl.truststore.certificates") {
        mapped.set("ssl.ca.pem", certificates);
    }
    let Some(location) = get("ssl.truststore.location") else { return };
    match store_type(get("ssl.truststore.type"), location).as_str() {
        "PEM" => mapped.set("ssl.ca.location", location),
        "PKCS12" => mapped.refuse(
            "ssl.truststore.location",
            "certificates of authorities are read from PEM files only",
            format!("Convert it: openssl pkcs12 -in {location} -nokeys -out ca.pem; then ssl.truststore.type=PEM"),
        ),
        _ => mapped.refuse(
            "ssl.truststore.location",
            "Java key stores (JKS) cannot be read here",
            format!("Convert it: keytool -list -rfc -keystore {location} > ca.pem; then ssl.truststore.type=PEM"),
        ),
    }
}

fn keystore(mapped: &mut Mapped, properties: &Properties) {
    let get = |name: &str| properties.get(name).map(|value| value.trim()).filter(|value| !value.is_empty());
    if let Some(password) = get("ssl.key.password") {
        mapped.set("ssl.key.password", password);
    }
    if let Some(chain) = get("ssl.keystore.certificate.chain") {
        mapped.set("ssl.certificate.pem", chain);
    }
    if let Some(key) = get("ssl.keystore.key") {
        mapped.set("ssl.key.pem", key);
    }
    let Some(location) = get("ssl.keystore.location") else { return };
    match store_type(get("ssl.keystore.type"), location).as_str() {
        "PEM" => {
            mapped.set("ssl.certificate.location", location);
            mapped.set("ssl.key.location", location);
        }
        "PKCS12" => {
            mapped.set("ssl.keystore.location", location);
            if let Some(password) = get("ssl.keystore.password") {
                mapped.set("ssl.keystore.password", password);
            }
        }
        _ => mapped.refuse(
            "ssl.keystore.location",
            "Java key stores (JKS) cannot be read here",
            format!(
                "Convert it: keytool -importkeystore -srckeystore {location} -destkeystore client.p12 \
                 -deststoretype PKCS12; then ssl.keystore.type=PKCS12"
            ),
        ),
    }
}
