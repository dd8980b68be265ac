//! Closing Kafka's clients, which waits for brokers, without keeping whoever drops them: that is often one of the runtime's
//! two threads, which serve all connectors.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};

/// Threads that close something, for the end of the process.
static CLOSING: Mutex<Vec<JoinHandle<()>>> = Mutex::new(Vec::new());

/// Holds on to something until all others have let go of it, and then drops it on a thread of its own. To be the last field
/// of a struct, as fields are dropped in their order.
pub(super) struct Aside<T: Send + Sync + 'static>(Option<Arc<T>>);

impl<T: Send + Sync + 'static> Aside<T> {
    pub(super) fn hold(what: &Arc<T>) -> Self {
        Self(Some(Arc::clone(what)))
    }
}

impl<T: Send + Sync + 'static> Drop for Aside<T> {
    fn drop(&mut self) {
        let held = self.0.take();
        // Where no thread can be made it is dropped right here: late, but dropped.
        if let Ok(thread) = Builder::new().name("kafka-close".to_owned()).spawn(move || drop(held)) {
            remember(thread);
        }
    }
}

/// The end of the process is to wait for this thread.
pub(super) fn remember(thread: JoinHandle<()>) {
    let mut closing = CLOSING.lock().unwrap_or_else(PoisonError::into_inner);
    closing.retain(|thread| !thread.is_finished());
    closing.push(thread);
}

/// Waits until every client that was dropped has closed, so that the process does not end in the middle of it. Blocks, for
/// as long as their brokers are away.
pub fn wait_closed() {
    let closing = std::mem::take(&mut *CLOSING.lock().unwrap_or_else(PoisonError::into_inner));
    for thread in closing {
        // A panic in it was logged where it fell.
        let _ = thread.join();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};
    use std::thread::ThreadId;

    use super::*;

    /// Like a client whose broker is away: dropping it waits.
    struct Client {
        may_close: Mutex<Receiver<()>>,
        closed: Sender<ThreadId>,
    }

    impl Drop for Client {
        fn drop(&mut self) {
            let _ = self.may_close.lock().unwrap_or_else(PoisonError::into_inner).recv();
            self.closed.send(std::thread::current().id()).expect("the test listens");
        }
    }

    struct Sink {
        _client: Arc<Client>,
        _last: Aside<Client>,
    }

    #[test]
    fn whoever_drops_it_does_not_wait() {
        let ((let_close, may_close), (closed, is_closed)) = (channel(), channel());
        let client = Arc::new(Client { may_close: Mutex::new(may_close), closed });
        let last = Aside::hold(&client);
        drop(Sink { _client: client, _last: last });
        // Reached though it cannot have closed yet.
        let_close.send(()).expect("the client waits");
        assert_ne!(is_closed.recv().expect("it closes"), std::thread::current().id());
    }
}
