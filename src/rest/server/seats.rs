//! The places for connections, and which connection is closed when all are taken.
//!
//! Each connection has a place, which is marked with what the connection waits for: its client (for a request or the
//! rest of one) or the worker (for an answer). When a new client connects and no place is free, the connection that has
//! waited longest for its client is asked to leave. So clients that send nothing, or one byte a second, cannot keep
//! others out. All that is lost is an idle connection, which a well-behaved client opens again.
//!
//! Must not know: sockets, HTTP.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::time::Instant;

/// What a connection waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Waits {
    /// The client has to begin a request.
    ForRequest,
    /// The client has to send the rest of a request's head.
    ForHead,
    /// The client has to send more of a request's body.
    ForBody,
    /// The worker has to answer.
    ForAnswer,
    /// Nothing: the place was given to another connection.
    Gone,
}

pub(super) struct Seats {
    max: usize,
    taken: Mutex<Vec<Arc<Seat>>>,
    freed: Notify,
}

/// The place of one connection.
pub(super) struct Seat {
    /// What the connection waits for, and since when.
    waits: Mutex<(Waits, Instant)>,
    leave: Notify,
}

/// A place that is taken for as long as this value lives.
pub(super) struct Taken {
    seats: Arc<Seats>,
    seat: Arc<Seat>,
}

impl Seats {
    pub(super) fn new(max: usize) -> Arc<Self> {
        Arc::new(Self { max, taken: Mutex::default(), freed: Notify::new() })
    }

    fn taken(&self) -> MutexGuard<'_, Vec<Arc<Seat>>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a place. When none is free, asks one connection to leave and waits for its place.
    pub(super) async fn take(self: &Arc<Self>) -> Taken {
        loop {
            let freed = self.freed.notified();
            {
                let mut taken = self.taken();
                if taken.len() < self.max {
                    let seat =
                        Arc::new(Seat { waits: Mutex::new((Waits::ForRequest, Instant::now())), leave: Notify::new() });
                    taken.push(Arc::clone(&seat));
                    drop(taken);
                    return Taken { seats: Arc::clone(self), seat };
                }
                let waiting = taken.iter().filter_map(|seat| Some((seat.waiting_since()?, seat)));
                if let Some((_, seat)) = waiting.min_by_key(|(since, _)| *since) {
                    seat.evict();
                }
            }
            freed.await;
        }
    }
}

impl Seat {
    fn waits(&self) -> MutexGuard<'_, (Waits, Instant)> {
        self.waits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn waiting_since(&self) -> Option<Instant> {
        let (waits, since) = *self.waits();
        matches!(waits, Waits::ForRequest | Waits::ForHead | Waits::ForBody).then_some(since)
    }

    fn evict(&self) {
        self.waits().0 = Waits::Gone;
        self.leave.notify_one();
    }

    /// Returns once the place is given to another connection.
    pub(super) async fn left(&self) {
        self.leave.notified().await;
    }

    pub(super) fn now(&self) -> (Waits, Instant) {
        *self.waits()
    }

    /// Notes that the connection now waits for `to`, if until now it waited for one of `before`. Returns whether it
    /// did.
    pub(super) fn turn(&self, before: &[Waits], to: Waits) -> bool {
        let mut waits = self.waits();
        let turns = before.contains(&waits.0);
        if turns {
            *waits = (to, Instant::now());
        }
        turns
    }
}

impl Taken {
    pub(super) fn seat(&self) -> &Arc<Seat> {
        &self.seat
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.seats.taken().retain(|seat| !Arc::ptr_eq(seat, &self.seat));
        self.seats.freed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::{advance, timeout};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_longest_waiting_client_makes_room() {
        let seats = Seats::new(3);
        let answered = seats.take().await;
        assert!(answered.seat().turn(&[Waits::ForRequest], Waits::ForAnswer));
        advance(Duration::from_secs(1)).await;
        let slow = seats.take().await;
        assert!(slow.seat().turn(&[Waits::ForRequest], Waits::ForHead));
        advance(Duration::from_secs(1)).await;
        let idle = seats.take().await;
        advance(Duration::from_secs(1)).await;
        let seats = Arc::clone(&seats);
        let next = tokio::spawn(async move { seats.take().await });
        slow.seat().left().await;
        assert_eq!(slow.seat().now().0, Waits::Gone);
        assert!(!slow.seat().turn(&[Waits::ForHead], Waits::ForAnswer), "one that is to go begins nothing");
        assert_eq!((answered.seat().now().0, idle.seat().now().0), (Waits::ForAnswer, Waits::ForRequest));
        drop(slow);
        assert!(next.await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_being_answered_is_not_sent_away() {
        let seats = Seats::new(1);
        let answered = seats.take().await;
        answered.seat().turn(&[Waits::ForRequest], Waits::ForAnswer);
        assert!(timeout(Duration::from_secs(60), seats.take()).await.is_err());
        drop(answered);
        assert!(timeout(Duration::from_secs(60), seats.take()).await.is_ok());
    }
}
