//! A collector that is away, slow or in trouble.

use std::time::{Duration, Instant};

use super::collector::Collector;
use super::{SOON, metric, options};
use crate::rig::{Daemon, Database, Kafka, free_port, wait_until};

fn dropped(daemon: &Daemon, reason: &str) -> u64 {
    metric(daemon, &format!("afterimage_traces_dropped_spans_total{{reason=\"{reason}\"}}")).unwrap()
}

/// How often the log has a text.
fn said(daemon: &Daemon, text: &str) -> usize {
    daemon.log().matches(text).count()
}

#[test]
fn a_collector_that_is_away_or_in_trouble_holds_nothing_up() {
    let away = format!("http://127.0.0.1:{}", free_port());
    let broken = Collector::start();
    broken.answer(500);
    let hung = Collector::start();
    hung.answer(0);
    for (label, url, reason) in
        [("away", &away, "queue_full"), ("broken", &broken.url(), "export_failed"), ("hung", &hung.url(), "queue_full")]
    {
        let variables = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", url.as_str()),
            ("OTEL_BSP_MAX_QUEUE_SIZE", "8"),
            ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "4"),
        ];
        let mut daemon = Daemon::start(options(label, &variables));
        let database = Database::create(label);
        database.run("create table t(id int primary key)");
        daemon.create(label, &database.connector(&[]));
        database.wait_streamed(true);
        let topic = format!("{}.public.t", database.name);
        let kafka = Kafka::shared();
        let began = Instant::now();
        for id in 0..20 {
            database.run(&format!("insert into t values ({id})"));
        }
        wait_until(&format!("{label}: all rows"), SOON, || kafka.length(&topic) == 20);
        println!("{label}: {:?}", began.elapsed());
        for _ in 0..20 {
            daemon.rest("GET", "/connectors", None);
        }
        wait_until(&format!("{label}: dropped spans"), SOON, || dropped(&daemon, reason) > 0);
        assert_eq!(metric(&daemon, "afterimage_traces_exported_spans_total"), Some(0), "{label}");
        if label != "hung" {
            assert_eq!(said(&daemon, "spans cannot be exported"), 1, "{label}: {}", daemon.log());
        }
        let began = Instant::now();
        assert_eq!(daemon.terminate(Duration::from_secs(20)), Some(0), "{label}");
        assert!(began.elapsed() < Duration::from_secs(9), "{label}: {:?}", began.elapsed());
    }
}

#[test]
fn a_collector_that_comes_back_gets_spans_again() {
    let collector = Collector::start();
    collector.answer(500);
    let daemon = Daemon::start(options("back", &[("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.url())]));
    wait_until("spans are dropped", SOON, || {
        daemon.rest("GET", "/connectors", None);
        dropped(&daemon, "export_failed") > 0
    });
    collector.answer(200);
    wait_until("spans come", SOON, || {
        daemon.rest("GET", "/connectors", None);
        !collector.spans().is_empty()
    });
    wait_until("the log says so", SOON, || said(&daemon, "the collector of traces takes spans again") == 1);
    assert_eq!(said(&daemon, "spans cannot be exported"), 1);
}
