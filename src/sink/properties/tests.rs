#![allow(clippy::expect_used)] // tests

use rdkafka::ClientConfig;
use rdkafka::producer::BaseProducer;

use super::*;
use crate::sink::SinkError;
use crate::sink::topics::TopicError;

fn properties(text: &str) -> Properties {
    let pairs = text.split('\n').filter_map(|line| line.trim().split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// Translates the properties in `given`. Each line of `expect` is `name=value` (must be in the result), `!word` (in a
/// refusal), `?word` (in a warning) or `-name` (must not be in the result). If nothing is refused, librdkafka must
/// accept the result.
#[track_caller]
fn check(given: &str, expect: &str) {
    let mapped = producer("127.0.0.1:1", &Properties::new(), &properties(given));
    for line in expect.split('\n').map(str::trim).filter(|line| !line.is_empty()) {
        if let Some(word) = line.strip_prefix('!') {
            let texts: Vec<String> = mapped.refusals.iter().map(ToString::to_string).collect();
            assert!(texts.iter().any(|text| text.contains(word)), "{given}: no refusal with {word}: {texts:?}");
        } else if let Some(word) = line.strip_prefix('?') {
            assert!(mapped.warnings.iter().any(|(_, text)| text.contains(word)), "{given}: {:?}", mapped.warnings);
        } else if let Some(name) = line.strip_prefix('-') {
            assert!(!mapped.client.contains_key(name), "{given}: {name} is set");
        } else {
            let (name, value) = line.split_once('=').expect("name=value");
            assert_eq!(mapped.client.get(name).map(String::as_str), Some(value), "{given}: {name}");
        }
    }
    assert_eq!(mapped.refusals.is_empty(), !expect.contains('!'), "{given}: {:?}", mapped.refusals);
    let files = given.contains(".location=");
    if mapped.refusals.is_empty() && !files {
        let mut config = ClientConfig::new();
        for (name, value) in &mapped.client {
            config.set(name, value);
        }
        if let Err(error) = config.create::<BaseProducer>() {
            panic!("{given}: librdkafka refuses it: {error}");
        }
    }
}

#[test]
fn defaults_are_safe_and_quick() {
    check(
        "",
        "enable.idempotence=true\nacks=all\ncompression.type=lz4\npartitioner=murmur2_random\nmax.in.flight=5
         message.timeout.ms=0\nqueue.buffering.max.kbytes=8192\nlinger.ms=1\nbootstrap.servers=127.0.0.1:1",
    );
}

#[test]
fn rows() {
    for (given, expect) in [
        ("acks=1", "acks=1\nenable.idempotence=false\nmax.in.flight=1\n?acks=1"),
        ("acks=all", "acks=all\nenable.idempotence=true"),
        ("enable.idempotence=true", "acks=all\nenable.idempotence=true\nmax.in.flight=5"),
        ("acks=2", "!acks"),
        ("enable.idempotence=false", "enable.idempotence=false\nmax.in.flight=1"),
        ("max.in.flight.requests.per.connection=7", "max.in.flight=5\n?5 is used"),
        ("enable.idempotence=false\nmax.in.flight.requests.per.connection=7", "max.in.flight=7\n?reorder"),
        ("max.in.flight.requests.per.connection=x", "!whole number"),
        ("retries=0", "enable.idempotence=false\n?retries=0"),
        ("retries=2147483647", "enable.idempotence=true\nretries=2147483647"),
        ("delivery.timeout.ms=2147483647", "message.timeout.ms=0"),
        ("delivery.timeout.ms=5000", "message.timeout.ms=5000"),
        ("max.block.ms=9223372036854775807", "?max.block.ms"),
        ("buffer.memory=67108864", "queue.buffering.max.kbytes=65536"),
        ("buffer.memory=1", "queue.buffering.max.kbytes=2048"),
        ("max.request.size=20971520", "queue.buffering.max.kbytes=40960"),
        ("max.request.size=30000", "message.max.bytes=31024"),
        ("batch.size=65536\nlinger.ms=20", "batch.size=65536\nlinger.ms=20"),
        ("compression.type=zstd\ncompression.zstd.level=7", "compression.type=zstd\ncompression.level=7"),
        ("compression.type=gzip\ncompression.zstd.level=7", "compression.type=gzip\n-compression.level"),
        ("compression.lz4.level=17", "compression.level=12"),
        ("compression.type=brotli", "!codec"),
        (
            "partitioner.class=org.apache.kafka.clients.producer.RoundRobinPartitioner",
            "partitioner=random\n?RoundRobin",
        ),
        ("partitioner.class=com.example.Mine", "!no JVM"),
        ("partitioner.ignore.keys=true", "partitioner=random"),
        ("interceptor.classes=com.example.I", "!com.example.I"),
        (
            "interceptor.classes=io.confluent.monitoring.clients.interceptor.MonitoringProducerInterceptor",
            "?interceptor.classes",
        ),
        ("security.protocol=SSL\nssl.cipher.suites=TLS_AES_128_GCM_SHA256", "!ssl.cipher.suites"),
        ("security.protocol=SSL\nssl.enabled.protocols=TLSv1.3", "!ssl.enabled.protocols"),
        ("key.serializer=org.apache.kafka.common.serialization.ByteArraySerializer", "?key.serializer"),
        ("metric.reporters=x\nmetrics.num.samples=3", "?metric.reporters\n?metrics.num.samples"),
        ("transactional.id=mine", "!transactional.id"),
        ("request.timeout.ms=30000", "request.timeout.ms=30000\nsocket.timeout.ms=30000"),
        ("metadata.max.age.ms=60000", "topic.metadata.refresh.interval.ms=60000\nmetadata.max.age.ms=180000"),
        (
            "send.buffer.bytes=-1\nreceive.buffer.bytes=65536",
            "socket.send.buffer.bytes=0\nsocket.receive.buffer.bytes=65536",
        ),
        ("connections.max.idle.ms=540000", "connections.max.idle.ms=540000"),
        ("client.dns.lookup=use_all_dns_ips\nretry.backoff.ms=200", "retry.backoff.ms=200"),
        ("client.id=mine", "client.id=mine"),
        ("no.such.property=1", "?no.such.property\n-no.such.property"),
    ] {
        check(given, expect);
    }
}

#[test]
fn security() {
    const PLAIN: &str = "org.apache.kafka.common.security.plain.PlainLoginModule required";
    const SCRAM: &str = "org.apache.kafka.common.security.scram.ScramLoginModule required";
    let sasl = |mechanism: &str, jaas: &str| {
        format!("security.protocol=SASL_PLAINTEXT\nsasl.mechanism={mechanism}\nsasl.jaas.config={jaas}")
    };
    for (given, expect) in [
        ("security.protocol=PLAINTEXT".to_owned(), "security.protocol=plaintext"),
        ("security.protocol=TLS".to_owned(), "!security.protocol"),
        (
            sasl("PLAIN", &format!("{PLAIN} username=\"bob\" password=\"b=o;b\\\"\";")),
            "sasl.username=bob\nsasl.password=b=o;b\"\nsasl.mechanism=PLAIN",
        ),
        (
            sasl("SCRAM-SHA-512", &format!("{SCRAM} username='alice' password='se cret' ;")),
            "sasl.username=alice\nsasl.password=se cret\nsasl.mechanism=SCRAM-SHA-512",
        ),
        (sasl("SCRAM-SHA-256", &format!("{SCRAM} username=a;")), "!sasl.jaas.config"),
        // Azure Event Hubs.
        (
            sasl(
                "PLAIN",
                &format!("{PLAIN} username=\"$ConnectionString\" password=\"Endpoint=sb://h/;SharedAccessKey=k==\";"),
            ),
            "sasl.username=$ConnectionString\nsasl.password=Endpoint=sb://h/;SharedAccessKey=k==",
        ),
        (sasl("GSSAPI", "com.sun.security.auth.module.Krb5LoginModule required;"), "!GSSAPI"),
        (sasl("SCRAM-SHA-256", "com.example.Login required username=a password=b;"), "!com.example.Login"),
        (
            "security.protocol=SSL\nssl.endpoint.identification.algorithm=".to_owned(),
            "ssl.endpoint.identification.algorithm=none",
        ),
        ("security.protocol=SSL\nssl.engine.factory.class=com.example.F".to_owned(), "!no JVM"),
        ("security.protocol=SSL\nssl.endpoint.identification.algorithm=LDAPS".to_owned(), "!\"ldaps\" is not known"),
    ] {
        check(&given, expect);
    }
}

/// Stores are opened, whatever their form, and reach librdkafka as PEM.
#[test]
fn stores() {
    #[track_caller]
    fn check(given: &str, set: &[&str], refused: &str) {
        let given = given.replace("DATA", concat!(env!("CARGO_MANIFEST_DIR"), "/certificates/tests/data"));
        let mapped =
            producer("127.0.0.1:1", &Properties::new(), &properties(&format!("security.protocol=SSL\n{given}")));
        let told = mapped.refusals.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        assert_eq!(told.is_empty(), refused.is_empty(), "{given}: {told}");
        assert!(told.contains(refused), "{given}: {told}");
        assert!(!told.contains("s3cr3t"), "{told}");
        // A file may be in the middle of its renewal: the task starts again later.
        for refusal in mapped.refusals.iter().filter(|_| told.contains("/certificates/tests/data/")) {
            for outlook in [refusal.outlook(), SinkError::from(refusal.clone()).outlook()] {
                assert_eq!(outlook, Outlook::Unknown, "{refusal}");
            }
            assert_eq!(TopicError::from(refusal.clone()).outlook(), Outlook::Unknown, "{refusal}");
        }
        for name in ["ssl.ca.pem", "ssl.certificate.pem", "ssl.key.pem"] {
            let value = mapped.client.get(name);
            assert_eq!(value.is_some(), set.contains(&name), "{given}: {name}");
            assert!(value.is_none_or(|pem| pem.starts_with("-----BEGIN ")), "{given}: {name}");
        }
        let is_told = ["SSL_CERT_FILE", "SSL_CERT_DIR"].iter().any(|name| std::env::var_os(name).is_some());
        let looks = mapped.client.get("ssl.ca.location").is_some_and(|location| location == "probe");
        assert_eq!(looks, !given.contains("truststore") && !is_told, "{given}: the system's authorities");
    }
    const OWN: &[&str] = &["ssl.certificate.pem", "ssl.key.pem"];
    const CA: &[&str] = &["ssl.ca.pem"];
    check("ssl.truststore.location=DATA/ca.pem\nssl.truststore.type=PEM", CA, "");
    check(
        "ssl.truststore.location=DATA/trust.p12\nssl.truststore.password=changeit\nssl.truststore.type=pkcs12",
        CA,
        "",
    );
    check("ssl.truststore.location=DATA/trust.jks\nssl.truststore.password=changeit", CA, "");
    check("ssl.truststore.location=DATA/trust.jks", CA, "");
    // The password of the key in it is not known, and not needed.
    check("ssl.truststore.location=DATA/client.jks\nssl.truststore.password=storepass", CA, "");
    // A directory of authorities, as OpenSSL takes it.
    check("ssl.truststore.location=DATA", &[], "");
    check("ssl.truststore.location=DATA/trust.jks\nssl.truststore.password=s3cr3t", &[], "ssl.truststore.password");
    check("ssl.truststore.location=DATA/trust.p12", &[], "needs a password");
    check("ssl.truststore.location=DATA/none.jks", &[], "none.jks cannot be read");
    check("ssl.truststore.certificates=hello", &[], "ssl.truststore.certificates");
    check("ssl.truststore.location=DATA/ca.pem\nssl.truststore.type=BCFKS", CA, "\"BCFKS\" are not read here");
    let store = "ssl.keystore.location=DATA/client.jks\nssl.keystore.password=storepass";
    check(&format!("{store}\nssl.key.password=keypass"), OWN, "");
    check(store, &[], "ssl.key.password");
    check(&format!("{store}\nssl.key.password=s3cr3t"), &[], "does not open the private key");
    check("ssl.keystore.location=DATA/client.jks\nssl.keystore.password=s3cr3t", &[], "ssl.keystore.password");
    check("ssl.keystore.location=DATA/old.p12\nssl.keystore.password=storepass", &[], "openssl pkcs12 -legacy");
    check("ssl.keystore.location=DATA/ca.pem", &[], "no private key");
    check("ssl.keystore.key=x", &[], "ssl.keystore.certificate.chain");
    check("ssl.keystore.certificate.chain=x", &[], "ssl.keystore.key");
}

/// A property of Java's clients that changes nothing here is said to, and so is a slip of the pen.
#[test]
fn no_security_property_is_passed_over_in_silence() {
    const SASL: &str = "security.protocol=SASL_SSL\nsasl.mechanism=PLAIN\n\
                        sasl.jaas.config=x.PlainLoginModule required username=\"a\" password=\"b\";\n";
    const TLS: &str = "security.protocol=SSL\n";
    const PEM: &str =
        "security.protocol=SSL\nssl.keystore.type=PEM\nssl.keystore.location=certificates/tests/data/ca.pem\n";
    for (beside, given, expect) in [
        (
            SASL,
            "sasl.kerberos.service.name=kafka",
            "?sasl.kerberos.service.name has no effect here: only the mechanism GSSAPI",
        ),
        (SASL, "sasl.login.refresh.window.factor=0.5", "?only the mechanism OAUTHBEARER"),
        (SASL, "sasl.oauthbearer.token.endpoint.url=https://h/", "?only the mechanism OAUTHBEARER"),
        (SASL, "sasl.login.class=com.example.L", "!sasl.login.class"),
        (SASL, "sasl.login.callback.handler.class=com.example.L", "!sasl.login.callback.handler.class"),
        (SASL, "sasl.machanism=PLAIN", "?sasl.machanism has no effect here: it is not a property of this client"),
        (TLS, "ssl.truststore.pasword=p", "?ssl.truststore.pasword has no effect here: it is not a property"),
        (TLS, "ssl.client.auth=required", "?ssl.client.auth has no effect here: it is not a property of this client"),
        (TLS, "ssl.truststore.password=p", "?ssl.truststore.password has no effect here: no file is read"),
        (TLS, "ssl.key.password=p", "?ssl.key.password has no effect here: there is no key"),
        (TLS, "ssl.provider=BC", "?ssl.provider"),
        (TLS, "ssl.enabled.protocols=TLSv1.2", "?TLS 1.3 is spoken"),
        (TLS, "ssl.keystore.password=p", "?there is no ssl.keystore.location"),
        (TLS, "ssl.keystore.type=JKS", "?no file is named"),
        (PEM, "ssl.keystore.password=p", "?a PEM file has no password\n!no private key"),
        // As in Java, what the protocol does not use is not even looked at.
        ("", "ssl.engine.factory.class=com.example.F", "?security.protocol=PLAINTEXT uses no TLS"),
        ("", "ssl.truststore.location=/c/ca.jks", "?security.protocol=PLAINTEXT uses no TLS\n-ssl.ca.location"),
        ("", "sasl.login.class=com.example.L", "?security.protocol=PLAINTEXT uses no SASL"),
        (TLS, "sasl.jaas.config=x", "?security.protocol=SSL uses no SASL"),
    ] {
        check(&format!("{beside}{given}"), expect);
    }
    for quiet in ["", TLS, PEM, SASL, "security.protocol=SSL\nssl.enabled.protocols=TLSv1.2,TLSv1.3"] {
        let mapped = producer("127.0.0.1:1", &Properties::new(), &properties(quiet));
        assert_eq!(mapped.warnings, [], "{quiet}");
    }
}

/// An admin client is warned of its own properties alone: the worker's unprefixed keys are everybody's.
#[test]
fn an_admin_client_warns_of_what_is_meant_for_it() {
    let worker = properties("bootstrap.servers=h:1\nlisteners=x\nssl.provider=BC\nsecurity.protocol=SSL");
    let mapped = admin(&worker, &properties("ssl.truststoer=1"), &properties("linger.ms=5"));
    let names: Vec<&str> = mapped.warnings.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["linger.ms", "ssl.truststoer"]);
}

#[test]
fn a_value_that_librdkafka_does_not_take_is_refused() {
    for (text, expect) in [("linger.ms=x", "linger.ms"), ("reconnect.backoff.ms=-7", "reconnect.backoff.ms")] {
        let mapped = producer("h:1", &Properties::new(), &properties(text));
        let names: Vec<&str> = mapped.refusals.iter().map(|refusal| refusal.name.as_str()).collect();
        assert_eq!(names, [expect]);
    }
    let mapped = producer("h:1", &Properties::new(), &properties("linger.ms=5\nreconnect.backoff.ms=7"));
    assert_eq!(mapped.refusals, []);
}

#[test]
fn every_row_has_a_name_of_its_own() {
    let mut names: Vec<_> = COMMON.iter().chain(PRODUCER).map(|(name, _)| *name).collect();
    names.sort_unstable();
    let count = names.len();
    names.dedup();
    assert_eq!(names.len(), count);
}

#[test]
fn internal_clients_pass_over_the_workers_own_keys() {
    let worker =
        properties("bootstrap.servers=h:1\ngroup.id=g\nconfig.storage.topic=c\nssl.keystore.password=p\nlisteners=x");
    let mapped = internal(Client::Consumer, &worker);
    assert!(mapped.warnings.is_empty() && mapped.refusals.is_empty(), "{mapped:?}");
    assert_eq!(mapped.client.get("group.id").map(String::as_str), Some("g"));
    assert!(!mapped.client.contains_key("config.storage.topic"));
}

/// A forgotten `security.protocol` would show as brokers that do not answer. TLS settings may be meant for REST.
#[test]
fn internal_clients_warn_of_security_settings_without_effect() {
    for (text, expect) in [
        ("sasl.mechanism=PLAIN", &["sasl.mechanism"][..]),
        ("ssl.keystore.password=p", &[]),
        ("security.protocol=ssl\nssl.truststore.type=PEM\nssl.protocol=TLSv1.1", &["ssl.protocol"]),
    ] {
        let mapped = internal(Client::Admin, &properties(text));
        let names: Vec<&str> = mapped.warnings.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, expect, "{text}");
    }
}

#[test]
fn debug_prints_no_values() {
    let mapped = producer("h:1", &Properties::new(), &properties("client.id=quiet"));
    assert!(!format!("{mapped:?}").contains("quiet"));
}
