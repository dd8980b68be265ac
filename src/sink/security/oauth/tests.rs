#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use serde_json::Value;

use super::*;
use crate::sink::properties::producer;

const MODULE: &str = "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required";
const CREDENTIALS: &str = "clientId=\"me\" clientSecret=\"canary\"";

fn properties(lines: &[&str]) -> Properties {
    lines.iter().filter_map(|line| line.split_once('=')).map(|(k, v)| (k.to_owned(), v.to_owned())).collect()
}

/// A login by OAUTHBEARER with these options of the login module and these further properties.
fn oauth(options: &str, more: &[&str]) -> Mapped {
    let jaas = format!("sasl.jaas.config={MODULE} {options};");
    let usual = [
        "security.protocol=SASL_SSL",
        "sasl.mechanism=OAUTHBEARER",
        "sasl.oauthbearer.token.endpoint.url=https://h/token",
        &jaas,
    ];
    producer("h:1", &Properties::new(), &properties(&[&usual[..], more].concat()))
}

fn msk(servers: &str, options: &str, more: &[&str]) -> Mapped {
    let jaas = format!("sasl.jaas.config=software.amazon.msk.auth.iam.IAMLoginModule required {options};");
    let usual = ["security.protocol=SASL_SSL", "sasl.mechanism=AWS_MSK_IAM", &jaas];
    producer(servers, &Properties::new(), &properties(&[&usual[..], more].concat()))
}

#[track_caller]
fn made(mapped: &Mapped) -> Value {
    assert_eq!((&mapped.refusals[..], &mapped.warnings[..]), (&[][..], &[][..]));
    assert_eq!(mapped.client.get("sasl.mechanism").map(String::as_str), Some("OAUTHBEARER"));
    serde_json::from_str(&mapped.client[PROPERTY]).unwrap()
}

#[track_caller]
fn refused(mapped: &Mapped, part: &str) {
    let said: Vec<_> = mapped.refusals.iter().map(ToString::to_string).collect();
    assert!(said.iter().any(|said| said.contains(part)), "{said:?} lacks {part:?}");
    assert!(!said.iter().any(|said| said.contains("canary")), "{said:?}");
    assert!(!mapped.client.contains_key(PROPERTY) || part.contains("sasl.login"), "{part}");
}

#[test]
fn javas_ways_to_say_it() {
    #[track_caller]
    fn check(options: &str, more: &[&str], expect: &[(&str, &str)]) {
        let login = made(&oauth(options, more));
        for (pointer, value) in expect {
            let found = login.pointer(&format!("/Oidc/{pointer}")).unwrap();
            assert_eq!(
                found.as_str().map_or_else(|| found.to_string(), str::to_owned),
                *value,
                "{pointer} of {options}"
            );
        }
    }
    let of_jaas =
        [("client_id", "me"), ("client_secret", "canary"), ("endpoint", "https://h/token"), ("sub_claim", "sub")];
    check(CREDENTIALS, &[], &of_jaas);
    for class in ["", "secured."] {
        let class = format!("sasl.login.callback.handler.class={OAUTH}{class}OAuthBearerLoginCallbackHandler");
        check(CREDENTIALS, &[&class], &of_jaas);
    }
    check(&format!("{CREDENTIALS} scope='a b'"), &[], &[("scope", "a b")]);
    let of_keys = [
        "sasl.oauthbearer.client.credentials.client.id=other",
        "sasl.oauthbearer.client.credentials.client.secret=s",
        "sasl.oauthbearer.scope=c",
    ];
    let other = [("client_id", "other"), ("client_secret", "s"), ("scope", "c")];
    check("", &of_keys, &other);
    check(&format!("{CREDENTIALS} scope=\"x\""), &of_keys, &other);
    check(
        &format!("{CREDENTIALS} extension_logicalCluster=\"lkc-1\" extension_identityPoolId=\"p 1\""),
        &[],
        &[("extensions", r#"[["logicalCluster","lkc-1"],["identityPoolId","p 1"]]"#)],
    );
    check(&format!("{CREDENTIALS} ssl.truststore.location=\"/ca\""), &[], &[("tls/trust_file", "/ca")]);
    check(
        CREDENTIALS,
        &[
            "sasl.login.connect.timeout.ms=1",
            "sasl.login.read.timeout.ms=2",
            "sasl.login.retry.backoff.ms=3",
            "sasl.login.retry.backoff.max.ms=4",
            "sasl.login.refresh.window.factor=0.5",
            "sasl.login.refresh.window.jitter=0.1",
            "sasl.login.refresh.min.period.seconds=5",
            "sasl.login.refresh.buffer.seconds=6",
            "sasl.oauthbearer.sub.claim.name=azp",
            "sasl.oauthbearer.header.urlencode=TRUE",
        ],
        &[
            ("connect_timeout_ms", "1"),
            ("read_timeout_ms", "2"),
            ("backoff_ms", "3"),
            ("backoff_max_ms", "4"),
            ("refresh/factor", "0.5"),
            ("refresh/jitter", "0.1"),
            ("refresh/min_period_s", "5"),
            ("refresh/buffer_s", "6"),
            ("sub_claim", "azp"),
            ("urlencode", "true"),
        ],
    );
}

#[test]
fn what_is_refused() {
    #[track_caller]
    fn check(options: &str, more: &[&str], part: &str) {
        refused(&oauth(options, more), part);
    }
    let endpoint = |text: &str| format!("sasl.oauthbearer.token.endpoint.url={text}");
    check(CREDENTIALS, &[&endpoint("")], "tokens without a signature are not made");
    check(CREDENTIALS, &[&endpoint("file:///canary")], "no URL of http or https");
    check(
        "clientId=\"me\"",
        &[],
        "it has no clientSecret, and there is no sasl.oauthbearer.client.credentials.client.secret",
    );
    check("clientSecret=\"canary\"", &[], "it has no clientId");
    check("unsecuredLoginStringClaim_sub=\"canary\"", &[&endpoint("")], "it is missing");
    check(&format!("{CREDENTIALS} unsecuredLoginStringClaim_sub=\"x\""), &[], "unsecuredLoginStringClaim_sub");
    check(&format!("{CREDENTIALS} extension_auth=\"x\""), &[], "extension_auth is no SASL extension");
    check(&format!("{CREDENTIALS} extension_a1=\"x\""), &[], "extension_a1 is no SASL extension");
    check(&format!("{CREDENTIALS} extension_a=\"é\""), &[], "its value");
    let scram = "sasl.jaas.config=a.ScramLoginModule required username=\"u\" password=\"canary\";";
    check("", &[scram], "the login module a.ScramLoginModule is not one of this mechanism");
    check("", &["sasl.jaas.config="], "sasl.jaas.config");
    for class in ["io.strimzi.kafka.oauth.client.JaasClientOauthLoginCallbackHandler", "com.example.Handler"] {
        let set = format!("sasl.login.callback.handler.class={class}");
        let mapped = oauth(CREDENTIALS, &[&set]);
        assert!(mapped.refusals[0].to_string().contains(class) && mapped.refusals.len() == 1, "{:?}", mapped.refusals);
    }
    for (name, value) in [
        (RETRIEVER, "org.apache.kafka.common.security.oauthbearer.JwtBearerJwtRetriever"),
        (VALIDATOR, "org.apache.kafka.common.security.oauthbearer.BrokerJwtValidator"),
        ("sasl.login.refresh.window.factor", "0.4"),
        ("sasl.login.refresh.window.jitter", "x"),
        ("sasl.login.refresh.buffer.seconds", "3601"),
        ("sasl.login.read.timeout.ms", "0"),
        ("sasl.oauthbearer.header.urlencode", "yes"),
    ] {
        let mapped = oauth(CREDENTIALS, &[&format!("{name}={value}")]);
        assert_eq!(mapped.refusals.iter().map(|refusal| &*refusal.name).collect::<Vec<_>>(), [name]);
    }
}

#[test]
fn the_environment_limits_servers_of_tokens() {
    let option = |urls: &str| format!("-Xmx1g {ALLOWED}={urls} -Da=b");
    for (variables, is) in [
        (vec![], true),
        (vec![("KAFKA_OPTS", "-Da=b".to_owned())], true),
        (vec![("KAFKA_OPTS", option("https://h/token"))], true),
        (vec![("EXTRA_ARGS", option("https://other/,https://h/token"))], true),
        (vec![("KAFKA_OPTS", option("https://h/tok"))], false),
        (vec![("KAFKA_OPTS", option(""))], false),
        (vec![("KAFKA_OPTS", option("https://h/token")), ("EXTRA_ARGS", option("https://other/"))], false),
    ] {
        let of = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone());
        assert_eq!(is_allowed("https://h/token", of), is, "{variables:?}");
    }
}

#[test]
fn what_has_no_effect_is_said() {
    for (options, more, part) in [
        ("x=\"canary\"", "", "the option x in sasl.jaas.config has no effect here"),
        ("", "sasl.oauthbearer.jwks.endpoint.url=https://h/", "a client reads their end and their subject only"),
        ("", "sasl.oauthbearer.assertion.file=/f", "only tokens by assertions use it"),
        ("", "sasl.oauthbearer.tocken=x", "it is not a property of this client"),
    ] {
        let mapped = oauth(&format!("{CREDENTIALS} {options}"), &[more]);
        let said: Vec<_> = mapped.warnings.iter().map(|(_, said)| said.as_str()).collect();
        assert!(said.len() == 1 && said[0].contains(part) && !said[0].contains("canary"), "{said:?}");
        assert_eq!(mapped.refusals, []);
    }
}

#[test]
fn logins_to_amazons_brokers() {
    const BROKERS: &str =
        "b-1.c.x1.c2.kafka.eu-central-1.amazonaws.com:9098,b-2.c.x1.c2.kafka.eu-central-1.amazonaws.com:9098";
    #[track_caller]
    fn check(options: &str, expect: &str) {
        let class = "sasl.client.callback.handler.class=software.amazon.msk.auth.iam.IAMClientCallbackHandler";
        let mut login = made(&msk(BROKERS, options, &[class]));
        login["MskIam"].as_object_mut().unwrap().remove("refresh");
        assert_eq!(login, serde_json::from_str::<Value>(expect).unwrap());
    }
    check("", r#"{"MskIam":{"region":"eu-central-1","profile":null,"role":null}}"#);
    check(
        "awsProfileName=\"p\" awsDebugCreds=true",
        r#"{"MskIam":{"region":"eu-central-1","profile":"p","role":null}}"#,
    );
    check(
        "awsRoleArn=\"arn:aws:iam::1:role/r\" awsStsRegion=\"us-east-1\" awsRoleSessionName=\"s\"",
        r#"{"MskIam":{"region":"eu-central-1","profile":null,
            "role":{"arn":"arn:aws:iam::1:role/r","session":"s","external_id":null,"sts_region":"us-east-1"}}}"#,
    );
    // The same by the mechanism that Amazon has for other languages.
    let handler = "sasl.login.callback.handler.class=software.amazon.msk.auth.iam.IAMOAuthBearerLoginCallbackHandler";
    let of_oauth = producer(
        BROKERS,
        &Properties::new(),
        &properties(&[
            "security.protocol=SASL_SSL",
            "sasl.mechanism=OAUTHBEARER",
            &format!("sasl.jaas.config={MODULE} awsProfileName=\"p\";"),
            handler,
        ]),
    );
    assert_eq!(made(&of_oauth)["MskIam"]["profile"], "p");
    refused(&msk(BROKERS, "awsRoleAccessKeyId=\"canary\"", &[]), "AWS_ACCESS_KEY_ID");
    refused(&msk(BROKERS, "", &["sasl.jaas.config=x.PlainLoginModule required;"]), "IAMLoginModule required;");
    let unknown = msk(BROKERS, "awsRollArn=\"canary\"", &[]);
    assert!(unknown.warnings.iter().any(|(_, said)| said.contains("awsRollArn")), "{:?}", unknown.warnings);
}
