#![allow(clippy::unwrap_used, reason = "a test")]

use relational::{HistoryNumbers, HistoryState, LogNumbers, Numbers, Retained};

use super::*;
use crate::runtime::supervisor::{
    ClassOf, ConnectorNumbers, RebalanceNumbers, RestartNumbers, StartNumbers, TaskNumbers, WorkerNumbers,
};
use crate::runtime::traces::TraceNumbers;

fn class(class: &str) -> ClassOf {
    ClassOf { class: class.to_owned(), version: "4.3.1" }
}

fn connector(name: &str, prefix: &str, kind: &'static str, counted: Numbers) -> ConnectorNumbers {
    ConnectorNumbers {
        name: name.to_owned(),
        topic_prefix: prefix.to_owned(),
        class: format!("io.debezium.{kind}"),
        kind: Some(kind),
        version: Some("3.6.1.Final"),
        state: "RUNNING".to_owned(),
        task_class: Some("io.debezium.Task"),
        converters: [class("Key"), class("Value"), class("Header")],
        transforms: vec![("route".to_owned(), class("Router"))],
        predicates: vec![("is".to_owned(), class("Predicate"))],
        tasks: vec![TaskNumbers {
            number: 0,
            state: "RUNNING".to_owned(),
            running_ratio: 0.75,
            pause_ratio: 0.25,
            restarts: RestartNumbers { total: 3, due_s: (kind == "mysql").then_some(7.5) },
            counted: Some(counted),
        }],
    }
}

fn scraped() -> Scraped {
    let mut counted = Numbers {
        creates: 2,
        filtered: 1,
        reads: 5,
        polled: 7,
        sent: 7,
        written: 6,
        under_way: 1,
        lag_ms: Some(12),
        is_connected: true,
        queue_capacity: 8,
        queued: 3,
        queued_events: 30,
        sent_bytes: 900,
        skipped: 1,
        retained: Some(Retained { bytes: 4096, safe_bytes: Some(10) }),
        ..Numbers::default()
    };
    counted.lags.add(12);
    counted.snapshot.begins();
    counted.snapshot.reads(3);
    counted.snapshot.table_ends();
    counted.snapshot.rows.insert("s.t".into(), 5);
    let latency = relational::Histogram::default();
    for time_ms in [3, 700] {
        latency.add(time_ms);
    }
    counted.latency = latency.read();
    let of_binlog = Numbers {
        log: Some(LogNumbers {
            file: Some("binlog.000007".into()),
            position: Some(157),
            has_transaction_ids: true,
            disconnects: 2,
            passed_over: 3,
            rolled_back: 4,
            not_well_formed: 5,
            large: 6,
        }),
        history: Some(HistoryNumbers {
            state: HistoryState::Running,
            recovery_began_ms: Some(1_700_000_000_999),
            recovered: 8,
            applied: 9,
            ..HistoryNumbers::default()
        }),
        ..Numbers::default()
    };
    Scraped {
        worker: WorkerNumbers {
            worker_id: "h:8083".to_owned(),
            started_ms: 1_700_000_000_500,
            rebalances: RebalanceNumbers { completed: 3, since_ms: Some(f64::INFINITY), ..RebalanceNumbers::default() },
            generation: 5,
            owner_url: None,
            task_starts: StartNumbers { attempts: 2, successes: 1, failures: 1, success_ratio: Some(0.5) },
            connector_starts: StartNumbers::default(),
            traces: Some(TraceNumbers { exported: 9, full: 2, failed: 1, rejected: 0 }),
            connectors: vec![connector("c\"1", "p", "postgres", counted), connector("c2", "m", "mysql", of_binlog)],
        },
        commit: "abc".to_owned(),
        url: "http://h:8083".to_owned(),
    }
}

fn page(names: &str) -> String {
    let words: Vec<String> = names.split(',').map(str::to_owned).collect();
    text(&scraped(), MetricNames::parse(&words).unwrap()).unwrap()
}

#[track_caller]
fn check(names: &str, lines: &[&str]) {
    let text = page(names);
    for line in lines {
        assert!(text.lines().any(|known| known == *line), "{line} is not in\n{text}");
    }
}

#[test]
fn names_without_rules() {
    check(
        "f1",
        &[
            "kafka_connect_connect_worker_metrics_connector_count 2.0",
            "kafka_connect_connect_worker_metrics_task_count 2.0",
            "kafka_connect_connect_worker_metrics_task_startup_attempts_total 2",
            "kafka_connect_connect_worker_metrics_task_startup_failure_percentage 0.5",
            "kafka_connect_connect_worker_metrics_connector_startup_success_percentage 0.0",
            r#"kafka_connect_connect_worker_metrics_connector_running_task_count{connector="c\"1"} 1.0"#,
            "kafka_connect_connect_worker_rebalance_metrics_epoch 5.0",
            "kafka_connect_connect_worker_rebalance_metrics_completed_rebalances_total 3",
            r#"kafka_connect_connect_coordinator_metrics_assigned_tasks{client_id="h:8083"} 2.0"#,
            r#"kafka_connect_connector_metrics_status{connector="c2",status="running"} 1.0"#,
            r#"kafka_connect_connector_metrics_status{connector="c2",status="paused"} 0.0"#,
            r#"kafka_connect_connector_task_metrics_status{connector="c\"1",task="0",status="running"} 1.0"#,
            r#"kafka_connect_connector_task_metrics_status{connector="c\"1",task="0",status="failed"} 0.0"#,
            r#"kafka_connect_connector_task_metrics_running_ratio{connector="c2",task="0"} 0.75"#,
            r#"kafka_connect_connector_task_metrics_pause_ratio{connector="c2",task="0"} 0.25"#,
            r#"kafka_connect_source_task_metrics_source_record_poll_total{connector="c\"1",task="0"} 7"#,
            r#"kafka_connect_source_task_metrics_source_record_write_total{connector="c\"1",task="0"} 6"#,
            r#"kafka_connect_source_task_metrics_source_record_active_count{connector="c\"1",task="0"} 1.0"#,
            r#"kafka_connect_task_error_metrics_total_records_skipped{connector="c\"1",task="0"} 1.0"#,
            r#"kafka_connect_connector_transform_metrics_info{connector="c2",task="0",transform="route",transform_class="Router",transform_version="4.3.1"} 1.0"#,
            r#"kafka_connect_connector_predicate_metrics_info{connector="c2",task="0",predicate="is",predicate_class="Predicate",predicate_version="4.3.1"} 1.0"#,
            r#"kafka_connect_app_info{id="h:8083",version="4.3.1",commit_id="abc"} 1.0"#,
            "# TYPE kafka_connect_source_task_metrics_source_record_poll_total counter",
            "# TYPE kafka_connect_task_error_metrics_total_record_errors gauge",
        ],
    );
}

#[test]
fn names_of_the_example_file_and_of_debezium_s() {
    check(
        "f2,f3",
        &[
            "kafka_connect_worker_connector_count 2.0",
            "kafka_connect_worker_task_startup_attempts_total 2",
            r#"kafka_connect_worker_connector_running_task_count{connector="c\"1"} 1.0"#,
            "kafka_connect_worker_rebalance_completed_rebalances_total 3",
            r#"kafka_connect_connector_task_running_ratio{connector="c2",task="0"} 0.75"#,
            r#"kafka_connect_source_task_source_record_write_total{connector="c\"1",task="0"} 6"#,
            r#"kafka_connect_task_error_total_records_skipped{connector="c\"1",task="0"} 1.0"#,
            r#"kafka_connect_connector_status{connector="c\"1",task="0",status="running"} 1.0"#,
            r#"kafka_connect_version_info{clientId="h:8083",version="4.3.1"} 1.0"#,
            r#"kafka_connect_start_time_seconds{clientId="h:8083"} 1700000000.5"#,
            "kafka_connect_worker_metrics_task_count 2.0",
        ],
    );
    let text = page("f2,f3");
    assert!(
        !text.contains("source_record_poll_rate") && !text.contains("kafka_connect_connect_worker_metrics"),
        "{text}"
    );
}

#[test]
fn names_without_total() {
    check(
        "f1,strip-total",
        &[
            r#"kafka_connect_source_task_metrics_source_record_poll{connector="c\"1",task="0"} 7.0"#,
            "# TYPE kafka_connect_source_task_metrics_source_record_poll gauge",
            r#"afterimage_task_sent_bytes_total{connector="c\"1",task="0"} 900"#,
        ],
    );
}

#[test]
fn debezium_s_names_and_our_own() {
    let of = |name: &str, context: &str, more: &str, value: &str| {
        format!(r#"debezium_metrics_{name}{{context="{context}",name="p",plugin="postgres"{more}}} {value}"#)
    };
    let lines = [
        of("MilliSecondsBehindSource", "streaming", "", "12.0"),
        of("MilliSecondsBehindSourceP95", "streaming", "", "12.0"),
        of("TotalNumberOfEventsSeen", "streaming", "", "3.0"),
        of("TotalNumberOfEventsSeen", "snapshot", "", "5.0"),
        of("NumberOfUnchangedEventsSkipped", "streaming", "", "-1.0"),
        of("QueueRemainingCapacity", "streaming", "", "5.0"),
        of("QueueRemainingCapacity", "snapshot", "", "5.0"),
        of("SnapshotRunning", "snapshot", "", "1.0"),
        of("SnapshotCompleted", "snapshot", "", "0.0"),
        of("TotalTableCount", "snapshot", "", "3.0"),
        of("RemainingTableCount", "snapshot", "", "2.0"),
        of("RowsScanned", "snapshot", r#",table="s.t""#, "5.0"),
    ];
    check("f1", &lines.iter().map(String::as_str).collect::<Vec<_>>());
    check(
        "f1",
        &[
            r#"afterimage_task_sent_bytes_total{connector="c\"1",task="0"} 900"#,
            r#"afterimage_task_lag_records{connector="c\"1",task="0"} 31.0"#,
            r#"afterimage_task_retained_log_bytes{connector="c\"1",task="0"} 4096.0"#,
            r#"afterimage_task_safe_log_bytes{connector="c\"1",task="0"} 10.0"#,
            "# TYPE afterimage_task_latency_seconds histogram",
            r#"afterimage_task_latency_seconds_bucket{connector="c\"1",task="0",le="0.005"} 1"#,
            r#"afterimage_task_latency_seconds_bucket{connector="c\"1",task="0",le="1"} 2"#,
            r#"afterimage_task_latency_seconds_bucket{connector="c\"1",task="0",le="+Inf"} 2"#,
            r#"afterimage_task_latency_seconds_sum{connector="c\"1",task="0"} 0.703"#,
            r#"afterimage_task_latency_seconds_count{connector="c\"1",task="0"} 2"#,
            r#"afterimage_task_restarts_total{connector="c\"1",task="0"} 3"#,
            r#"afterimage_task_restart_due_seconds{connector="c2",task="0"} 7.5"#,
        ],
    );
    assert!(!page("f1").contains(r#"restart_due_seconds{connector="c\"1""#), "it does not restart");
}

#[test]
fn names_of_the_binlog_s_connectors() {
    let text = page("f1");
    // Each transaction would begin a new series.
    assert!(!text.contains("GtidSet"), "{text}");
    for (context, name, more, value) in [
        ("streaming", "BinlogFilename", r#",filename="binlog.000007""#, "1.0"),
        ("streaming", "BinlogPosition", "", "157.0"),
        ("streaming", "IsGtidModeEnabled", "", "1.0"),
        ("streaming", "NumberOfDisconnects", "", "2.0"),
        ("streaming", "NumberOfSkippedEvents", "", "3.0"),
        ("streaming", "NumberOfRolledBackTransactions", "", "4.0"),
        ("streaming", "NumberOfNotWellFormedTransactions", "", "5.0"),
        ("streaming", "NumberOfLargeTransactions", "", "6.0"),
        ("schema-history", "Status", r#",status="RUNNING""#, "1.0"),
        ("schema-history", "Status", r#",status="RECOVERING""#, "0.0"),
        ("schema-history", "RecoveryStartTime", "", "1700000000.0"),
        ("schema-history", "ChangesRecovered", "", "8.0"),
        ("schema-history", "ChangesApplied", "", "9.0"),
        ("schema-history", "MilliSecondsSinceLastRecoveredChange", "", "-1.0"),
        ("schema-history", "MilliSecondsSinceLastAppliedChange", "", "-1.0"),
    ] {
        let line = format!(r#"debezium_metrics_{name}{{context="{context}",name="m",plugin="mysql"{more}}} {value}"#);
        assert!(text.lines().any(|known| known == line), "{line} is not in\n{text}");
        // A connector without a binlog and a schema history shows nothing of them.
        assert!(!text.contains(&format!(r#"debezium_metrics_{name}{{context="{context}",name="p""#)), "{name}");
    }
}

#[test]
fn a_metric_is_described_once_and_nothing_is_infinite() {
    let text = page("f1,f2,f3");
    let mut names: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")).collect();
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all, "{text}");
    let values = text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.rsplit_once(' '));
    for (series, value) in values {
        assert!(value.parse::<f64>().is_ok_and(f64::is_finite), "{series} {value}");
    }
}
