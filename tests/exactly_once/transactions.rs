//! The sink's transactions on a real broker.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use afterimage::sink::properties::Properties;
use afterimage::sink::transactional::transactional_producer;
use afterimage::sink::{self, OffsetEntry, Outgoing, ProducerSettings, Sink, SinkError, TransactionEnd};

use crate::rig::{Kafka, Server, kafka_address, unique, within};

/// The numbers of the records that were delivered, each with whether it was.
type Delivered = Arc<Mutex<Vec<(u64, bool)>>>;

struct Bed {
    servers: String,
    id: String,
    topic: String,
    offsets: String,
}

fn bed(servers: &str) -> Bed {
    let name = unique("transactions");
    let bed = Bed {
        servers: servers.to_owned(),
        id: format!("{name}-id"),
        topic: format!("{name}-data"),
        offsets: format!("{name}-offsets"),
    };
    Kafka::at(servers).create_topics(&[bed.topic.clone(), bed.offsets.clone()]);
    bed
}

impl Bed {
    /// Makes a sink with the bed's transactional id and takes the id over.
    fn sink(&self) -> (Arc<dyn Sink>, Delivered) {
        let none = Properties::new();
        let lasts = Duration::from_secs(60);
        let (properties, _) = transactional_producer(&self.servers, &none, &none, &self.id, lasts);
        let may_produce = Box::new(|| true);
        let settings = ProducerSettings { client_id: "test".to_owned(), properties, may_produce };
        let delivered = Delivered::default();
        let note = Arc::clone(&delivered);
        let delivery = move |seq, outcome: Result<(), sink::Undelivered<'_>>| {
            note.lock().unwrap().push((seq, outcome.is_ok()));
        };
        let sink = sink::open(settings, Box::new(delivery)).unwrap();
        assert!(within(Duration::from_secs(60), || sink.claim(Duration::from_secs(5)).unwrap()), "no answer");
        (sink, delivered)
    }

    fn send(&self, sink: &dyn Sink, value: &str, seq: u64) {
        let value = Some(value.as_bytes());
        let out =
            Outgoing { topic: &self.topic, partition: None, timestamp_ms: None, key: None, value, headers: None, seq };
        sink.send(out).unwrap();
    }

    fn commit(&self, sink: &dyn Sink, offset: &str, within: Duration) -> Result<(), SinkError> {
        let value = Some(offset.as_bytes());
        sink.commit(&[OffsetEntry { topic: &self.offsets, partition: 0, key: b"k", value }], within)
    }

    /// The committed values of data and offsets.
    fn committed(&self) -> (Vec<String>, Vec<String>) {
        let kafka = Kafka::at(&self.servers);
        let values = |topic: &str| {
            let text = |value: Option<Vec<u8>>| String::from_utf8(value.unwrap_or_default()).unwrap();
            kafka.consume_committed(topic).into_iter().map(|m| text(m.value)).collect()
        };
        (values(&self.topic), values(&self.offsets))
    }
}

fn texts(values: &[&str]) -> Vec<String> {
    values.iter().map(|value| (*value).to_owned()).collect()
}

const LONG: Duration = Duration::from_secs(60);

#[test]
fn records_and_offsets_come_together_or_not_at_all() {
    let bed = bed(&kafka_address());
    let (sink, delivered) = bed.sink();
    sink.begin().unwrap();
    bed.send(&*sink, "a", 1);
    bed.commit(&*sink, "1", LONG).unwrap();
    sink.begin().unwrap();
    bed.send(&*sink, "b", 2);
    sink.abort(LONG).unwrap();
    sink.begin().unwrap();
    bed.send(&*sink, "c", 3);
    assert!(sink.flush(LONG));
    // It is written, and not committed.
    assert_eq!(bed.committed(), (texts(&["a"]), texts(&["1"])));
    bed.commit(&*sink, "3", LONG).unwrap();
    assert_eq!(bed.committed(), (texts(&["a", "c"]), texts(&["1", "3"])));
    let mut all = delivered.lock().unwrap().clone();
    all.sort_unstable();
    assert_eq!(all, [(1, true), (2, true), (3, true)], "what was aborted counts as delivered; offsets have no number");
    sink.stop(true);
}

#[test]
fn whoever_takes_the_id_fences_the_one_before() {
    let bed = bed(&kafka_address());
    let (first, _) = bed.sink();
    first.begin().unwrap();
    bed.send(&*first, "old", 1);
    assert!(first.flush(LONG));
    let (second, _) = bed.sink();
    second.begin().unwrap();
    bed.send(&*second, "new", 1);
    bed.commit(&*second, "2", LONG).unwrap();
    let refused = bed.commit(&*first, "1", LONG);
    let end = |result: &Result<(), SinkError>| match result {
        Err(SinkError::Transaction { end, .. }) => Some(*end),
        _ => None,
    };
    assert_eq!(end(&refused), Some(TransactionEnd::Fenced), "{refused:?}");
    assert_eq!(bed.committed(), (texts(&["new"]), texts(&["2"])));
    first.stop(true);
    second.stop(true);
}

/// The coordinator does not answer the end of a transaction. Its producer is dropped, and the next one finds out what happened.
#[test]
fn an_end_that_is_not_answered_is_found_out_by_the_next_producer() {
    let broker = Server::kafka();
    let bed = bed(broker.address());
    for round in 0..3 {
        let (sink, _) = bed.sink();
        sink.begin().unwrap();
        let value = format!("{round}");
        bed.send(&*sink, &value, 1);
        assert!(sink.flush(LONG));
        broker.signal("-STOP");
        let outcome = bed.commit(&*sink, &value, Duration::from_secs(3));
        broker.signal("-CONT");
        assert!(
            matches!(
                outcome,
                Err(SinkError::Transaction { end: TransactionEnd::Unknown | TransactionEnd::Aborted, .. })
            ),
            "{outcome:?}"
        );
        assert!(outcome.unwrap_err().is_transient());
        sink.stop(true);
        drop(sink);
        // Taking the id over waits until what was asked for before has ended one way or the other.
        let (next, _) = bed.sink();
        let (data, offsets) = bed.committed();
        assert_eq!(data, offsets, "the record without its offset, or the offset without its record");
        next.begin().unwrap();
        bed.send(&*next, "next", 2);
        bed.commit(&*next, "next", LONG).unwrap();
        let (data, offsets) = bed.committed();
        assert_eq!((data.last().unwrap().as_str(), &data), ("next", &offsets));
        next.stop(true);
    }
}
