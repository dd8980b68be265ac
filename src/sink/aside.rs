//! Closes Kafka clients on threads of their own. Closing a client waits for brokers, and the thread that drops it is
//! often one of the async runtime's two threads, which serve all connectors and must not be blocked.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};

/// Threads that are closing a client; the end of the process waits for them.
static CLOSING: Mutex<Vec<JoinHandle<()>>> = Mutex::new(Vec::new());

/// Holds a reference to a client, so that the client is not dropped with the struct that owns it, and then drops that
/// reference on a new thread. It must be the last field of the struct, because fields are dropped in order.
pub(super) struct Aside<T: Send + Sync + 'static>(Option<Arc<T>>);

impl<T: Send + Sync + 'static> Aside<T> {
    pub(super) fn hold(what: &Arc<T>) -> Self {
        Self(Some(Arc::clone(what)))
    }
}

impl<T: Send + Sync + 'static> Drop for Aside<T> {
    fn drop(&mut self) {
        let held = self.0.take();
        // If no thread can be started, `spawn` drops the closure, and with it the reference, on this thread.
        if let Ok(thread) = Builder::new().name("kafka-close".to_owned()).spawn(move || drop(held)) {
            remember(thread);
        }
    }
}

/// Makes [`wait_closed`] wait for this thread too.
pub(super) fn remember(thread: JoinHandle<()>) {
    let mut closing = CLOSING.lock().unwrap_or_else(PoisonError::into_inner);
    closing.retain(|thread| !thread.is_finished());
    closing.push(thread);
}

/// Waits until every dropped client has closed, so that the process does not end before. Blocks as long as the brokers
/// of these clients cannot be reached.
pub fn wait_closed() {
    let closing = std::mem::take(&mut *CLOSING.lock().unwrap_or_else(PoisonError::into_inner));
    for thread in closing {
        // A panic of the thread was already logged when it happened.
        let _ = thread.join();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};
    use std::thread::ThreadId;

    use super::*;

    /// Behaves like a client whose broker is away: dropping it blocks.
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
        // The drop has returned although the client cannot have closed yet.
        let_close.send(()).expect("the client waits");
        assert_ne!(is_closed.recv().expect("it closes"), std::thread::current().id());
    }
}
