use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::channel;

use rdkafka::client::ClientContext as _;
use rdkafka::error::KafkaError;

use super::*;
use crate::sink::properties;

/// After a panic in the delivery callback its record would count as under way for ever, so the task must learn of it.
#[test]
fn a_panic_in_a_delivery_ends_the_sink_and_is_told() {
    let (tell, told) = channel();
    let has_panicked = AtomicBool::new(false);
    let delivery: Box<Delivery> = Box::new(move |_, outcome| {
        assert!(has_panicked.swap(true, Ordering::Relaxed), "a defect");
        // Fails when the test has already ended, which does not matter.
        let _ = tell.send(outcome.expect_err("nobody answers").error.to_string());
    });
    let none = BTreeMap::new();
    let properties = properties::producer("127.0.0.1:1", &none, &none);
    let settings = ProducerSettings { client_id: "test".to_owned(), properties, may_produce: Box::new(|| true) };
    let sink = KafkaSink::new(settings, delivery).expect("a sink");
    let record =
        Outgoing { topic: "t", partition: Some(0), timestamp_ms: None, key: None, value: None, headers: None, seq: 0 };
    sink.send(record).expect("taken");
    assert!(!sink.is_stopped());
    sink.line.producer.purge(PurgeConfig::default().queue().inflight().non_blocking());
    let text = told.recv_timeout(Duration::from_secs(30)).expect("the task is told");
    assert!(text.contains("defect of afterimage"), "{text}");
    assert!(sink.is_stopped());
    assert!(matches!(sink.send(Outgoing { seq: 1, ..record }), Err(SinkError::Stopped)));
}

/// librdkafka reports each broker that fails, and once that all of them are down.
#[test]
fn one_broker_that_refuses_is_not_all_of_them() {
    use RDKafkaErrorCode::{AllBrokersDown, Authentication, BrokerTransportFailure};
    #[track_caller]
    fn check(reports: &[(RDKafkaErrorCode, &str)], away: Option<&str>) {
        let flow = Arc::new(Flow::new(Box::new(|| true), Box::new(|_, _| {})));
        // A record waits.
        flow.sent.fetch_add(1, Ordering::AcqRel);
        let callbacks = Callbacks::new("test".to_owned(), Arc::clone(&flow));
        for (code, reason) in reports {
            callbacks.error(KafkaError::Global(*code), reason);
        }
        assert_eq!(flow.away().as_deref(), away, "{reports:?}");
    }
    let (refused, gone, all) = ((Authentication, "login"), (BrokerTransportFailure, "gone"), (AllBrokersDown, "1/1"));
    check(&[refused], None);
    check(&[refused, refused], None);
    check(&[refused, all], Some("login"));
    check(&[gone, all], Some("1/1"));
    check(&[refused, gone, all], Some("1/1"));
    check(&[gone, all, refused], Some("login"));
    check(&[refused, all, gone], Some("login"));
    // Without a token for the login, none is tried.
    let no_token = (Authentication, "Failed to acquire SASL OAUTHBEARER token: 401");
    check(&[no_token], Some(no_token.1));
    check(&[no_token, all], Some(no_token.1));
}
