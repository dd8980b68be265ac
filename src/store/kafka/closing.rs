//! Closing a Kafka client that is given up, while its topic's thread goes on.

use std::thread::JoinHandle;

use rdkafka::consumer::BaseConsumer;

use super::reader::Reads;

/// Closes the client that was given up last, in a thread: closing may take as long as the client's broker is away.
#[derive(Default)]
pub(super) struct Closing(Option<JoinHandle<()>>);

impl Closing {
    /// Whether a client is still being closed. Then no other one may be given up: an outage must not pile threads up.
    pub(super) fn is_busy(&self) -> bool {
        self.0.as_ref().is_some_and(|thread| !thread.is_finished())
    }

    /// Closes the client. If no thread can be started, this happens here and now.
    pub(super) fn close(&mut self, client: BaseConsumer<Reads>) {
        self.0 = std::thread::Builder::new().name("kafka-close".to_owned()).spawn(move || drop(client)).ok();
    }
}
