//! What the variables mean.

use std::time::Duration;

use crate::runtime::traces::{Exporting, Sampler, TraceSettings};

const ON: (&str, &str) = ("otel.exporter.otlp.endpoint", "http://c:4318");

fn read(pairs: &[(&str, &str)]) -> Result<TraceSettings, Vec<String>> {
    let get = |key: &str| pairs.iter().rev().find(|(known, _)| *known == key).map(|(_, value)| *value);
    TraceSettings::read(&get).map_err(|wrong| wrong.iter().map(|e| format!("{}: {}", e.key, e.reason)).collect())
}

#[track_caller]
fn on(pairs: &[(&str, &str)]) -> Exporting {
    read(&[&[ON], pairs].concat()).unwrap().exporting.unwrap()
}

#[test]
fn where_spans_are_sent_to() {
    #[track_caller]
    fn check(pairs: &[(&str, &str)], expect: Option<&str>) {
        let read = read(pairs).unwrap();
        let url = read.exporting.map(|exporting| exporting.url.0.to_string());
        assert_eq!(url.as_deref(), expect, "{pairs:?}");
    }
    const TRACES: &str = "otel.exporter.otlp.traces.endpoint";
    check(&[], None);
    check(&[("otel.exporter.otlp.endpoint", " ")], None);
    check(&[ON], Some("http://c:4318/v1/traces"));
    check(&[("otel.exporter.otlp.endpoint", "https://c/otlp/")], Some("https://c/otlp/v1/traces"));
    // That of traces is taken as it is, and counts more.
    check(&[ON, (TRACES, "http://t:1/own/path?x=1")], Some("http://t:1/own/path?x=1"));
    check(&[ON, ("otel.sdk.disabled", "TRUE")], None);
    check(&[ON, ("otel.sdk.disabled", "yes")], Some("http://c:4318/v1/traces"));
    check(&[ON, ("otel.traces.exporter", "none")], None);
    check(&[ON, ("otel.traces.exporter", "otlp")], Some("http://c:4318/v1/traces"));
    // Without an endpoint nothing is wrong, whatever else is set.
    check(&[("otel.exporter.otlp.protocol", "grpc"), ("otel.traces.exporter", "zipkin")], None);
}

#[test]
fn what_cannot_be_done_is_refused_by_name_and_shows_no_secret() {
    #[track_caller]
    fn check(pairs: &[(&str, &str)], expect: &str) {
        let wrong = read(&[&[ON], pairs].concat()).unwrap_err();
        assert!(wrong.len() == 1 && wrong[0].starts_with(expect), "{wrong:?}");
        assert!(!wrong[0].contains("hunter2"), "{wrong:?}");
    }
    check(&[("otel.exporter.otlp.protocol", "grpc")], "otel.exporter.otlp.protocol: grpc is not spoken");
    check(&[("otel.exporter.otlp.traces.protocol", "grpc")], "otel.exporter.otlp.traces.protocol: grpc");
    check(&[("otel.exporter.otlp.protocol", "http/json")], "otel.exporter.otlp.protocol: 'http/json'");
    check(&[("otel.traces.exporter", "otlp,zipkin")], "otel.traces.exporter: 'zipkin' is not built in");
    check(&[("otel.exporter.otlp.endpoint", "u:hunter2@c:4318")], "otel.exporter.otlp.endpoint: this is no address");
    check(&[("otel.exporter.otlp.endpoint", "unix:/socket")], "otel.exporter.otlp.endpoint: this is no address");
    check(&[("otel.exporter.otlp.headers", "a=1,hunter2")], "otel.exporter.otlp.headers: part 2 of it is no header");
    check(&[("otel.exporter.otlp.headers", "a=%zzhunter2")], "otel.exporter.otlp.headers: part 1");
    check(&[("otel.exporter.otlp.client.key", "/k")], "otel.exporter.otlp.client.key: a client's certificate and its");
    let all = read(&[("otel.exporter.otlp.endpoint", "x"), ("otel.exporter.otlp.protocol", "grpc")]).unwrap_err();
    assert_eq!(all.len(), 2, "{all:?}");
}

#[test]
fn headers_and_attributes() {
    let exporting = on(&[
        ("otel.exporter.otlp.headers", "authorization=Bearer%20hunter2, x-a=1 ,"),
        ("otel.resource.attributes", "service.name=other,deployment.environment=a%2Cb"),
    ]);
    let header = |name: &str| exporting.headers.get(name).unwrap().to_str().unwrap();
    assert_eq!((header("authorization"), header("x-a")), ("Bearer hunter2", "1"));
    assert!(!format!("{exporting:?}").contains("hunter2"), "{exporting:?}");
    assert_eq!(exporting.service, "other");
    assert_eq!(exporting.attributes, [("deployment.environment".to_owned(), "a,b".to_owned())]);
    let exporting = on(&[("otel.service.name", "mine"), ("otel.resource.attributes", "service.name=other")]);
    assert_eq!(exporting.service, "mine");
    assert_eq!(on(&[]).service, "afterimage");
    let secret = on(&[("otel.exporter.otlp.endpoint", "http://u:hunter2@c")]);
    assert!(!format!("{secret:?}").contains("hunter2"), "{secret:?}");
}

#[test]
fn numbers_and_what_counts_in_place_of_wrong_ones() {
    let exporting = on(&[
        ("otel.exporter.otlp.timeout", "7"),
        ("otel.exporter.otlp.traces.timeout", "8"),
        ("otel.bsp.schedule.delay", "9"),
        ("otel.bsp.max.queue.size", "10"),
        ("otel.bsp.export.timeout", "11"),
    ]);
    let ms = Duration::from_millis;
    assert_eq!((exporting.timeout, exporting.delay, exporting.patience), (ms(8), ms(9), ms(11)));
    assert_eq!((exporting.queue, exporting.batch), (10, 10), "no more are sent together than can wait");
    let exporting = on(&[("otel.bsp.max.queue.size", "many"), ("otel.exporter.otlp.timeout", "0")]);
    assert_eq!((exporting.queue, exporting.batch, exporting.timeout), (2048, 512, ms(10_000)));
    assert_eq!(on(&[("otel.bsp.max.queue.size", "99999999999999999999")]).queue, 2048);
    assert!(on(&[("otel.bsp.max.queue.size", "9999999999")]).queue < 1 << 17);
}

#[test]
fn what_is_odd_is_said() {
    #[track_caller]
    fn check(pairs: &[(&str, &str)], expect: &[&str]) {
        let remarks = read(pairs).unwrap().remarks;
        let keys: Vec<&str> = remarks.iter().map(|remark| remark.key.as_str()).collect();
        assert_eq!(keys, expect, "{pairs:?}");
    }
    check(&[], &[]);
    check(&[ON], &[]);
    check(&[("otel.traces.exporter", "otlp")], &["otel.traces.exporter"]);
    check(&[ON, ("otel.traces.sampler", "jaeger_remote")], &["otel.traces.sampler"]);
    check(
        &[ON, ("otel.traces.sampler", "traceidratio"), ("otel.traces.sampler.arg", "2")],
        &["otel.traces.sampler.arg"],
    );
    check(&[ON, ("otel.bsp.schedule.delay", "-1")], &["otel.bsp.schedule.delay"]);
    check(&[ON, ("otel.resource.attributes", "nothing")], &["otel.resource.attributes"]);
    check(&[("otel.exporter.otlp.endpoint", "http://c:4317")], &["otel.exporter.otlp.endpoint"]);
}

#[test]
fn samplers_and_propagators() {
    let sampler = |pairs: &[(&str, &str)]| on(pairs).sampler;
    assert_eq!(sampler(&[]), Sampler { parent_based: true, ratio: 1.0 });
    let half = [("otel.traces.sampler", "traceidratio"), ("otel.traces.sampler.arg", "0.5")];
    assert_eq!(sampler(&half), Sampler { parent_based: false, ratio: 0.5 });
    for (propagators, expect) in [("tracecontext,baggage", true), ("b3", false), ("none", false), ("", true)] {
        assert_eq!(on(&[("otel.propagators", propagators)]).propagates, expect, "{propagators}");
    }
}
