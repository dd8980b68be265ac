//! Logins by tokens: Java's `sasl.oauthbearer.*`, `sasl.login.*` and login modules of OAUTHBEARER and AWS_MSK_IAM become a
//! [`Login`], which librdkafka carries to the callback for tokens.

use settings::Support::{self, NoEffect, Refused, Works};
use settings::{Asked, Values};

use super::get;
use super::jaas::Jaas;
use crate::login::{Login, MskIam, Oidc, PROPERTY, Refresh, Role, Tls, region_of};
use crate::sink::properties::{Mapped, Properties, number};

const ENDPOINT: &str = "sasl.oauthbearer.token.endpoint.url";
const JAAS: &str = "sasl.jaas.config";
const LOGIN_HANDLER: &str = "sasl.login.callback.handler.class";
const CLIENT_HANDLER: &str = "sasl.client.callback.handler.class";
const RETRIEVER: &str = "sasl.oauthbearer.jwt.retriever.class";
const VALIDATOR: &str = "sasl.oauthbearer.jwt.validator.class";

const OAUTH: &str = "org.apache.kafka.common.security.oauthbearer.";
/// The classes whose work is done here, without their package, which was another one before Kafka 4.
const OF_OIDC: &[&str] = &["OAuthBearerLoginCallbackHandler"];
const OF_MSK: &[&str] = &["IAMOAuthBearerLoginCallbackHandler", "IAMClientCallbackHandler"];
const OF_CLIENTS: &[&str] = &["IAMClientCallbackHandler", "OAuthBearerSaslClientCallbackHandler"];
const RETRIEVERS: &[&str] = &["DefaultJwtRetriever", "ClientCredentialsJwtRetriever"];
const VALIDATORS: &[&str] = &["DefaultJwtValidator", "ClientJwtValidator"];

const NO_JVM: &str = "there is no JVM here to load the class";
const HANDLERS: &str = "Known are org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginCallbackHandler with \
                        sasl.oauthbearer.token.endpoint.url, and those of software.amazon.msk.auth.iam.";
const CLIENT_CREDENTIALS: &str = "Remove it, and use the client's id and secret.";
const CHECKED: &str = "Remove it: a token must be a JWT with the claims exp and sub, and the brokers check it.";
const BROKERS: &str = "the brokers check tokens, and a client reads their end and their subject only";
const ASSERTIONS: &str =
    "only tokens by assertions use it, and these are refused (sasl.oauthbearer.jwt.retriever.class)";

/// The option of Java's tools that limits which servers of tokens are asked (CVE-2025-27817). Kafka 4 allows none without it; here, none
/// is left out without it, as before Kafka 4.
const ALLOWED: &str = "-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls";
/// Variables that may carry it. A later one wins, as in `connect-distributed.sh`.
const JAVA_OPTIONS: [&str; 5] =
    ["JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "KAFKA_JVM_PERFORMANCE_OPTS", "KAFKA_OPTS", "EXTRA_ARGS"];

/// What is said of a setting of this file when another mechanism is in use.
pub(super) const UNUSED: &str = "only the mechanism OAUTHBEARER uses it";

/// What becomes of the properties, for the mechanisms of this file.
pub(super) const KEYS: &[(Support, &[&str])] = &[
    (
        Works,
        &[
            "sasl.login.connect.timeout.ms",
            "sasl.login.read.timeout.ms",
            "sasl.login.refresh.buffer.seconds",
            "sasl.login.refresh.min.period.seconds",
            "sasl.login.refresh.window.factor",
            "sasl.login.refresh.window.jitter",
            "sasl.login.retry.backoff.max.ms",
            "sasl.login.retry.backoff.ms",
            "sasl.oauthbearer.client.credentials.client.id",
            "sasl.oauthbearer.client.credentials.client.secret",
            "sasl.oauthbearer.header.urlencode",
            "sasl.oauthbearer.scope",
            "sasl.oauthbearer.sub.claim.name",
            ENDPOINT,
        ],
    ),
    (Support::Partly(&[(Values::Own(is_other_retriever), Refused(NO_JVM, CLIENT_CREDENTIALS))]), &[RETRIEVER]),
    (Support::Partly(&[(Values::Own(is_other_validator), Refused(NO_JVM, CHECKED))]), &[VALIDATOR]),
    (
        NoEffect(BROKERS),
        &[
            "sasl.oauthbearer.clock.skew.seconds",
            "sasl.oauthbearer.expected.audience",
            "sasl.oauthbearer.expected.issuer",
            "sasl.oauthbearer.jwks.endpoint.refresh.ms",
            "sasl.oauthbearer.jwks.endpoint.retry.backoff.max.ms",
            "sasl.oauthbearer.jwks.endpoint.retry.backoff.ms",
            "sasl.oauthbearer.jwks.endpoint.url",
            "sasl.oauthbearer.scope.claim.name",
        ],
    ),
    (
        NoEffect(ASSERTIONS),
        &[
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
        ],
    ),
];

/// What becomes of the classes that answer for a login: those are known whose work is done here.
pub(super) const HANDLER_CLASSES: Support =
    Support::Partly(&[(Values::Own(is_other_handler), Refused(NO_JVM, HANDLERS))]);

fn simple(class: &str) -> &str {
    class.trim().rsplit('.').next().unwrap_or_default()
}

fn is_other(class: &str, known: &[&[&str]]) -> bool {
    !class.trim().is_empty() && !known.iter().any(|known| known.contains(&simple(class)))
}

/// Whether the class is none of the callback handlers that are known.
pub(crate) fn is_other_handler(asked: &Asked<'_>) -> bool {
    is_other(asked.value.unwrap_or_default(), &[OF_OIDC, OF_MSK, OF_CLIENTS])
}

fn is_other_retriever(asked: &Asked<'_>) -> bool {
    is_other(asked.value.unwrap_or_default(), &[RETRIEVERS])
}

fn is_other_validator(asked: &Asked<'_>) -> bool {
    is_other(asked.value.unwrap_or_default(), &[VALIDATORS])
}

/// Refuses classes whose work is not done here: with any mechanism the callback handlers, `has_tokens`: those for tokens, too.
pub(super) fn check_classes(mapped: &mut Mapped, properties: &Properties, has_tokens: bool) {
    let of_tokens = [(RETRIEVER, &[RETRIEVERS][..], CLIENT_CREDENTIALS), (VALIDATOR, &[VALIDATORS][..], CHECKED)];
    for (name, known, remedy) in
        [(LOGIN_HANDLER, &[OF_OIDC, OF_MSK][..], HANDLERS), (CLIENT_HANDLER, &[OF_CLIENTS][..], HANDLERS)]
            .into_iter()
            .chain(of_tokens.into_iter().filter(|_| has_tokens))
    {
        if let Some(class) = get(properties, name).filter(|class| is_other(class, known)) {
            let reason = format!("there is no JVM here to load the class {class}");
            mapped.refuse(name, reason, remedy.trim_end_matches('.'));
        }
    }
}

/// Translates a login of the mechanism OAUTHBEARER.
pub(super) fn oauthbearer(mapped: &mut Mapped, properties: &Properties) {
    let handler = get(properties, LOGIN_HANDLER).map(simple);
    let is_msk = handler.is_some_and(|handler| OF_MSK.contains(&handler));
    let form = format!("Write: {OAUTH}OAuthBearerLoginModule required clientId=\"…\" clientSecret=\"…\" scope=\"…\";");
    let Some(jaas) = module(mapped, properties, &["OAuthBearerLoginModule"], &form) else { return };
    if is_msk {
        return msk_by(mapped, properties, &jaas);
    }
    let Some(endpoint) = get(properties, ENDPOINT) else {
        let remedy = format!(
            "Set it, and {LOGIN_HANDLER}={OAUTH}OAuthBearerLoginCallbackHandler; for Amazon MSK set \
             sasl.mechanism=AWS_MSK_IAM"
        );
        return mapped.refuse(ENDPOINT, "it is missing, and tokens without a signature are not made", remedy);
    };
    if let Err(reason) = Oidc::check_endpoint(endpoint) {
        return mapped.refuse(ENDPOINT, reason, "Name the address at which the server of tokens answers");
    }
    if !is_allowed(endpoint, |name| std::env::var(name).ok()) {
        let reason = format!("it is not among the addresses of {ALLOWED} in the environment");
        return mapped.refuse(ENDPOINT, reason, "Add it there");
    }
    // As in Java, the property wins over the option of the login module.
    let set = |mapped: &mut Mapped, name: &str, option: &str| {
        let found = get(properties, name).or_else(|| jaas.option(option).filter(|text| !text.is_empty()));
        if found.is_none() {
            mapped.refuse(JAAS, format!("it has no {option}, and there is no {name}"), form.as_str());
        }
        found.map(str::to_owned)
    };
    let client_id = set(mapped, "sasl.oauthbearer.client.credentials.client.id", "clientId");
    let client_secret = set(mapped, "sasl.oauthbearer.client.credentials.client.secret", "clientSecret");
    let (Some(client_id), Some(client_secret)) = (client_id, client_secret) else { return };
    let scope =
        get(properties, "sasl.oauthbearer.scope").or_else(|| jaas.option("scope").filter(|text| !text.is_empty()));
    let urlencode = get(properties, "sasl.oauthbearer.header.urlencode");
    let Some(extensions) = extensions(mapped, &jaas) else { return };
    if !options_are_known(mapped, &jaas, &["clientId", "clientSecret", "scope"], &["extension_", "ssl.", "unsecured"]) {
        return;
    }
    let ms = |mapped: &mut Mapped, name: &str, default: u64, least: i64| {
        let number = number(mapped, properties, name, least, i64::from(i32::MAX));
        number.and_then(|ms| u64::try_from(ms).ok()).unwrap_or(default)
    };
    let oidc = Oidc {
        endpoint: endpoint.to_owned(),
        client_id,
        client_secret,
        scope: scope.map(str::to_owned),
        urlencode: urlencode.is_some_and(|text| text.eq_ignore_ascii_case("true")),
        sub_claim: get(properties, "sasl.oauthbearer.sub.claim.name").unwrap_or("sub").to_owned(),
        extensions,
        // Java waits without end by default.
        connect_timeout_ms: ms(mapped, "sasl.login.connect.timeout.ms", 10_000, 1),
        read_timeout_ms: ms(mapped, "sasl.login.read.timeout.ms", 10_000, 1),
        backoff_ms: ms(mapped, "sasl.login.retry.backoff.ms", 100, 1),
        backoff_max_ms: ms(mapped, "sasl.login.retry.backoff.max.ms", 10_000, 1),
        refresh: refresh(mapped, properties),
        tls: Tls {
            trust_file: jaas.option("ssl.truststore.location").map(str::to_owned),
            trust_text: jaas.option("ssl.truststore.certificates").map(str::to_owned),
            trust_password: jaas.option("ssl.truststore.password").map(str::to_owned),
            key_file: jaas.option("ssl.keystore.location").map(str::to_owned),
            key_store_password: jaas.option("ssl.keystore.password").map(str::to_owned),
            key_password: jaas.option("ssl.key.password").map(str::to_owned),
        },
    };
    if urlencode.is_some_and(|text| !["true", "false"].contains(&&*text.to_ascii_lowercase())) {
        mapped.refuse("sasl.oauthbearer.header.urlencode", "it is neither true nor false", "Correct it");
    }
    login(mapped, &Login::Oidc(oidc));
}

/// Whether the environment lets this server of tokens be asked.
fn is_allowed(endpoint: &str, variable: impl Fn(&str) -> Option<String>) -> bool {
    let options = JAVA_OPTIONS.iter().filter_map(|name| variable(name)).collect::<Vec<_>>().join(" ");
    let set = |word: &str| word.strip_prefix(ALLOWED).and_then(|rest| rest.strip_prefix('=')).map(str::to_owned);
    let allowed = options.split_whitespace().filter_map(set).next_back();
    allowed.is_none_or(|urls| urls.split(',').any(|url| url.trim() == endpoint))
}

/// Translates a login of Java's mechanism AWS_MSK_IAM.
pub(super) fn msk(mapped: &mut Mapped, properties: &Properties) {
    let form = "Write: software.amazon.msk.auth.iam.IAMLoginModule required;";
    if let Some(jaas) = module(mapped, properties, &["IAMLoginModule"], form) {
        msk_by(mapped, properties, &jaas);
    }
}

/// The options of Amazon's login modules.
const MSK_OPTIONS: &[&str] = &[
    "awsProfileName",
    "awsRoleArn",
    "awsRoleSessionName",
    "awsRoleExternalId",
    "awsStsRegion",
    "awsDebugCreds",
    "awsMaxRetries",
    "awsMaxBackOffTimeMs",
];

fn msk_by(mapped: &mut Mapped, properties: &Properties, jaas: &Jaas) {
    for name in ["awsRoleAccessKeyId", "awsRoleSecretAccessKey", "awsRoleSessionToken"] {
        if jaas.option(name).is_some() {
            let remedy =
                "Remove it, and set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN in the environment";
            return mapped.refuse(JAAS, format!("the option {name} is not read here"), remedy);
        }
    }
    if !options_are_known(mapped, jaas, MSK_OPTIONS, &[]) {
        return;
    }
    let servers = get(properties, "bootstrap.servers").unwrap_or_default();
    let Some(region) = region_of(servers, |name| std::env::var(name).ok()) else {
        let reason = "the names of the brokers do not say in which region of AWS they are";
        return mapped.refuse(
            "bootstrap.servers",
            reason,
            "Use the brokers' own names, or set AWS_REGION in the environment",
        );
    };
    let option = |name: &str| jaas.option(name).filter(|text| !text.is_empty()).map(str::to_owned);
    let role = option("awsRoleArn").map(|arn| Role {
        arn,
        session: option("awsRoleSessionName").unwrap_or_else(|| "afterimage".to_owned()),
        external_id: option("awsRoleExternalId"),
        sts_region: option("awsStsRegion"),
    });
    let refresh = refresh(mapped, properties);
    login(mapped, &Login::MskIam(MskIam { region, profile: option("awsProfileName"), role, refresh }));
}

fn login(mapped: &mut Mapped, login: &Login) {
    mapped.set("sasl.mechanism", "OAUTHBEARER");
    mapped.set(PROPERTY, login.to_property());
}

/// The login module in `sasl.jaas.config`, if it is one of these.
fn module(mapped: &mut Mapped, properties: &Properties, known: &[&str], form: &str) -> Option<Jaas> {
    let Some(text) = get(properties, JAAS) else {
        mapped.refuse(JAAS, "it is missing", form);
        return None;
    };
    match Jaas::parse(text) {
        Ok(jaas) if known.contains(&simple(&jaas.module)) => return Some(jaas),
        Ok(jaas) => {
            let reason = format!("the login module {} is not one of this mechanism", jaas.module);
            mapped.refuse(JAAS, reason, form);
        }
        Err(reason) => mapped.refuse(JAAS, reason, form),
    }
    None
}

/// Warns of options that change nothing here; refuses the signs of tokens without a signature.
fn options_are_known(mapped: &mut Mapped, jaas: &Jaas, known: &[&str], starts: &[&str]) -> bool {
    for name in jaas.names() {
        if name.starts_with("unsecuredLogin") {
            let reason = format!("the option {name} asks for tokens without a signature, which are not made");
            mapped.refuse(JAAS, reason, "Use a server of tokens");
            return false;
        }
        if !known.contains(&name) && !starts.iter().any(|start| name.starts_with(start)) {
            mapped.say(JAAS, format!("the option {name} in sasl.jaas.config has no effect here: it is not known"));
        }
    }
    true
}

/// The options `extension_…`, which go to the broker beside the token (KIP-342).
fn extensions(mapped: &mut Mapped, jaas: &Jaas) -> Option<Vec<(String, String)>> {
    let mut found = Vec::new();
    for (option, value) in jaas.names().filter_map(|option| Some((option, jaas.option(option)?))) {
        let Some(name) = option.strip_prefix("extension_") else { continue };
        let is_name = !name.is_empty() && name != "auth" && name.bytes().all(|byte| byte.is_ascii_alphabetic());
        let is_value = value.bytes().all(|byte| byte.is_ascii_graphic() || b" \t\r\n".contains(&byte));
        if !is_name || !is_value {
            let what = if is_name {
                "its value has other characters than ASCII's"
            } else {
                "its name must be of ASCII letters, and not auth"
            };
            mapped.refuse(JAAS, format!("the option {option} is no SASL extension: {what}"), "Correct it");
            return None;
        }
        found.push((name.to_owned(), value.to_owned()));
    }
    Some(found)
}

fn refresh(mapped: &mut Mapped, properties: &Properties) -> Refresh {
    let usual = Refresh::default();
    let part = |mapped: &mut Mapped, name: &str, from: f64, to: f64| -> Option<f64> {
        let text = get(properties, name)?;
        match text.parse::<f64>() {
            Ok(part) if (from..=to).contains(&part) => Some(part),
            _ => {
                mapped.refuse(name, format!("{text:?} is not a number from {from} to {to}"), "Correct the number");
                None
            }
        }
    };
    let prefix = |name: &str| format!("sasl.login.refresh.{name}");
    Refresh {
        factor: part(mapped, &prefix("window.factor"), 0.5, 1.0).unwrap_or(usual.factor),
        jitter: part(mapped, &prefix("window.jitter"), 0.0, 0.25).unwrap_or(usual.jitter),
        min_period_s: number(mapped, properties, &prefix("min.period.seconds"), 0, 900).unwrap_or(usual.min_period_s),
        buffer_s: number(mapped, properties, &prefix("buffer.seconds"), 0, 3600).unwrap_or(usual.buffer_s),
    }
}

#[cfg(test)]
mod tests;
