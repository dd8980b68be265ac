//! Knows which letters are under way, and writes those of records that the broker refused after they had left.
//!
//! A letter is sent under the number that its record has in the ledger, with one bit set, so that the sink's report of a letter is
//! told from that of a record. The number is done when all parts of the letter are acknowledged. The sink reports on a thread of
//! its own, which must not wait, so that a refused record is handed to another thread, which writes its letter.
//!
//! Must not know: the form of letters.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak, mpsc};
use std::time::{Duration, Instant};

use relational::Meters;
use retry::Outlook;

use super::desk::Desk;
use super::kept::ContextHeaders;
use crate::runtime::defect;
use crate::runtime::delivery::Alarm;
use crate::runtime::failure::Failure;
use crate::runtime::ledger::Ledger;
use crate::runtime::tolerance::PRODUCING;
use crate::runtime::trail::Origin;
use crate::sink::{DeliveryError, Sink};

/// The bit that makes a record's number that of its letter. The ledger's numbers do not reach it.
const LETTER: u64 = 1 << 63;
/// How long is waited between two looks at what is under way.
const LOOK: Duration = Duration::from_millis(5);

/// A record that the broker refused.
pub(crate) struct Refused {
    /// Its number in the ledger.
    pub(crate) seq: u64,
    /// Why.
    pub(crate) failure: Failure,
    /// Where it comes from.
    pub(crate) origin: Origin,
}

/// The letters of a task.
pub(crate) struct Post {
    ledger: Arc<Ledger>,
    alarm: Arc<Alarm>,
    meters: Arc<Meters>,
    /// How many parts of a letter are not acknowledged yet, by its number.
    left: Mutex<HashMap<u64, u32>>,
    /// Records that were refused and have no letter yet.
    waiting: AtomicU64,
}

/// Takes the records that the broker refused. It belongs to the sink's reports, so that the thread behind it ends with the sink.
pub(crate) struct Inbox {
    pub(crate) post: Arc<Post>,
    queue: mpsc::Sender<Refused>,
}

impl Inbox {
    /// Takes a record, to write its letter on another thread.
    pub(crate) fn take(&self, refused: Refused) {
        self.post.waiting.fetch_add(1, Ordering::AcqRel);
        if let Err(mpsc::SendError(refused)) = self.queue.send(refused) {
            let why = refused.failure.cause().to_owned();
            self.post.alarm.raise(
                format!("the thread that writes dead letters has ended: {why}"),
                false,
                Outlook::Unknown,
            );
        }
    }
}

impl Post {
    /// The letters of a task that starts now, where refused records are taken, and the queue's end for [`serve`].
    pub(crate) fn new(
        ledger: Arc<Ledger>,
        alarm: Arc<Alarm>,
        meters: Arc<Meters>,
    ) -> (Arc<Self>, Inbox, mpsc::Receiver<Refused>) {
        let (queue, refused) = mpsc::channel();
        let post = Arc::new(Self { ledger, alarm, meters, left: Mutex::default(), waiting: AtomicU64::new(0) });
        (Arc::clone(&post), Inbox { post, queue }, refused)
    }

    /// The number of the letter for the record of this number.
    pub(super) fn number(seq: u64) -> u64 {
        seq | LETTER
    }

    /// Whether the number is that of a letter. The highest number is nobody's: the sink reports its own breakdown with it.
    pub(crate) fn is_letter(number: u64) -> bool {
        number & LETTER != 0 && number != u64::MAX
    }

    fn left(&self) -> MutexGuard<'_, HashMap<u64, u32>> {
        // A poisoned lock may be used: no panic can leave the map half changed.
        self.left.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a letter that is to be written.
    pub(super) fn writes(&self) {
        self.meters.count(|numbers| numbers.letters += 1);
    }

    /// Counts a letter that could not be written.
    pub(super) fn failed(&self) {
        self.meters.count(|numbers| numbers.failed_letters += 1);
    }

    /// Call before a letter is sent: so many reports will come of it.
    pub(super) fn expect(&self, seq: u64, parts: u32) {
        self.left().insert(seq, parts);
    }

    /// Call when the sink did not take a letter, so that no report will come.
    pub(super) fn forget(&self, seq: u64) {
        self.left().remove(&seq);
    }

    /// Takes the sink's report of a part of a letter. A letter that was not delivered ends the task.
    pub(crate) fn settle(&self, number: u64, outcome: Result<(), &DeliveryError>) {
        let seq = number & !LETTER;
        match outcome {
            Ok(()) => {
                let mut left = self.left();
                let Some(parts) = left.get_mut(&seq) else { return };
                *parts -= 1;
                if *parts == 0 {
                    left.remove(&seq);
                    drop(left);
                    self.ledger.done(seq);
                }
            }
            Err(error) => {
                // Parts that come after the first failure are not counted twice.
                if self.left().remove(&seq).is_some() {
                    self.failed();
                    let cause = format!(
                        "a record that failed could not be written to errors.deadletterqueue.topic.name, and is read again \
                         after a restart: {error}"
                    );
                    self.alarm.raise(cause, error.is_transient(), error.outlook());
                }
            }
        }
    }

    /// Waits until all letters are acknowledged; false when `within` is over first, or when one cannot be.
    pub(crate) fn finish(&self, within: Duration) -> bool {
        let end = Instant::now() + within;
        while self.waiting.load(Ordering::Acquire) > 0 || !self.left().is_empty() {
            if Instant::now() >= end || self.alarm.raised().is_some() {
                return false;
            }
            std::thread::sleep(LOOK);
        }
        true
    }
}

/// Starts the thread that writes the letters of refused records. It ends when the [`Inbox`] is dropped.
///
/// # Errors
/// When no thread can be started.
pub(crate) fn serve(
    refused: mpsc::Receiver<Refused>,
    post: Arc<Post>,
    mut desk: Desk,
    // The sink's reports own the inbox, so a thread that kept the sink would keep itself.
    sink: Weak<dyn Sink>,
    context: ContextHeaders,
) -> std::io::Result<()> {
    let body = move || {
        while let Ok(Refused { seq, failure, origin }) = refused.recv() {
            let Some(sink) = sink.upgrade() else { return };
            let written = defect::catch(|| match &origin.kept {
                Some(kept) => kept.letter(&context, (&failure, PRODUCING), seq, &mut desk, &*sink),
                None => Err(failure),
            });
            match written {
                Ok(Ok(())) => {}
                Ok(Err(failure)) if failure.is_stop() => return,
                Ok(Err(failure)) => {
                    post.alarm.raise(failure.cause().to_owned(), failure.is_of_the_way(), failure.outlook());
                }
                Err(defect) => {
                    let trace = defect.trace("the thread that writes dead letters");
                    post.alarm.raise(trace, false, Outlook::Unknown);
                }
            }
            post.waiting.fetch_sub(1, Ordering::AcqRel);
        }
    };
    std::thread::Builder::new().name("dead-letters".to_owned()).spawn(body).map(drop)
}
