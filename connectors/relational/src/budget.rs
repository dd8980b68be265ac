//! The byte budget: how much of what connectors have read and not yet converted may be in memory at once.
//!
//! One connector whose broker is away fills its queue and keeps it full. So that it cannot take the memory that others need
//! to go on, each connector has a floor that nobody else can use, and only the rest is shared. Three laws hold, whatever the
//! other connectors do:
//!
//! - What fits into a connector's own floor is granted at once.
//! - A connector that holds nothing is granted whatever it asks for, so that a row larger than the whole budget passes. It
//!   is counted against nobody then: others go on beside it.
//! - Beyond the floors, all connectors together hold no more than the shared part.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

/// The byte budget of the whole process.
#[derive(Clone, Debug)]
pub struct Budget(Arc<Mutex<Shared>>);

#[derive(Debug)]
struct Shared {
    sums: Sums,
    /// Who waits, the longest first.
    waiting: VecDeque<Waiting>,
}

#[derive(Debug)]
struct Sums {
    total_bytes: usize,
    floor_bytes: usize,
    /// How many connectors there are: each one's floor is taken from the total.
    accounts: usize,
    /// What all accounts hold beyond their floors.
    beyond_bytes: usize,
}

#[derive(Debug)]
struct Waiting {
    account: Arc<Account>,
    bytes: usize,
    granted: oneshot::Sender<Lease>,
}

/// One connector's part of the budget.
#[derive(Debug)]
pub(crate) struct Account {
    budget: Budget,
    /// Guarded by the budget's lock, which is always taken first: this lock is never waited for.
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    /// What counts against the floor first, then against the shared part.
    bytes: usize,
    /// How many leases are out that were too large for either.
    oversized: usize,
}

/// A part of the byte budget. Dropping it gives the bytes back.
#[derive(Debug)]
pub struct Lease {
    account: Arc<Account>,
    /// `None`: larger than what was to be had, granted because the connector held nothing.
    bytes: Option<usize>,
}

impl Budget {
    /// `total_bytes` for the process, of which each connector has `floor_bytes` for itself. With so many connectors that
    /// their floors are more than the total, each still has its floor, and nothing is shared.
    pub fn new(total_bytes: usize, floor_bytes: usize) -> Self {
        let sums = Sums { total_bytes, floor_bytes, accounts: 0, beyond_bytes: 0 };
        Self(Arc::new(Mutex::new(Shared { sums, waiting: VecDeque::new() })))
    }

    /// A connector comes. Its floor is its own until the account and all its leases are gone.
    pub(crate) fn open(&self) -> Arc<Account> {
        self.lock().sums.accounts += 1;
        Arc::new(Account { budget: self.clone(), held: Mutex::default() })
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        // The numbers are whole between two statements.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands out what may be handed out now. One that does not fit holds up nobody behind it.
    fn serve(&self) {
        let mut ready = Vec::new();
        {
            let Shared { sums, waiting } = &mut *self.lock();
            let mut next = 0;
            while let Some(one) = waiting.get(next) {
                match sums.grant(&one.account, one.bytes) {
                    Some(lease) => ready.extend(waiting.remove(next).map(|one| (one, lease))),
                    None => next += 1,
                }
            }
        }
        // Without the lock: a waiter that has given up in this moment gives its lease back here, which takes the lock again.
        for (one, lease) in ready {
            let _ = one.granted.send(lease);
        }
    }
}

impl Sums {
    fn shared_bytes(&self) -> usize {
        self.total_bytes.saturating_sub(self.accounts.saturating_mul(self.floor_bytes))
    }

    fn grant(&mut self, account: &Arc<Account>, bytes: usize) -> Option<Lease> {
        let mut held = account.held();
        let before = held.bytes.saturating_sub(self.floor_bytes);
        let after = held.bytes.saturating_add(bytes).saturating_sub(self.floor_bytes);
        let beyond_bytes = (self.beyond_bytes - before).saturating_add(after);
        let counted = if after == 0 || beyond_bytes <= self.shared_bytes() {
            held.bytes += bytes;
            self.beyond_bytes = beyond_bytes;
            Some(bytes)
        } else if held.bytes == 0 && held.oversized == 0 {
            held.oversized += 1;
            None
        } else {
            return None;
        };
        Some(Lease { account: Arc::clone(account), bytes: counted })
    }

    fn give_back(&mut self, account: &Account, counted: Option<usize>) {
        let mut held = account.held();
        match counted {
            Some(bytes) => {
                let before = held.bytes.saturating_sub(self.floor_bytes);
                held.bytes -= bytes;
                self.beyond_bytes -= before - held.bytes.saturating_sub(self.floor_bytes);
            }
            None => held.oversized -= 1,
        }
    }
}

impl Account {
    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until so many bytes may be held. May be dropped while it waits.
    pub(crate) async fn lease(self: Arc<Self>, bytes: usize) -> Lease {
        // Dropped after the receiver, so that it finds the place in the queue given up.
        let _place = Place(&self.budget);
        let granted = {
            let mut shared = self.budget.lock();
            if let Some(lease) = shared.sums.grant(&self, bytes) {
                return lease;
            }
            let (grant, granted) = oneshot::channel();
            shared.waiting.push_back(Waiting { account: Arc::clone(&self), bytes, granted: grant });
            granted
        };
        match granted.await {
            Ok(lease) => lease,
            // Cannot be: only this future takes its sender out of the queue without using it.
            Err(_) => Lease { account: Arc::clone(&self), bytes: Some(0) },
        }
    }
}

/// Takes places in the queue out that were given up: a connector that stops waits no more.
struct Place<'a>(&'a Budget);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut shared = self.0.lock();
        if !shared.waiting.is_empty() {
            // The account of each is still held by the future that gave up: none ends under the lock.
            shared.waiting.retain(|one| !one.granted.is_closed());
        }
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        self.budget.lock().sums.accounts -= 1;
        // Its floor is shared now.
        self.budget.serve();
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let has_waiters = {
            let mut shared = self.account.budget.lock();
            shared.sums.give_back(&self.account, self.bytes);
            !shared.waiting.is_empty()
        };
        if has_waiters {
            self.account.budget.serve();
        }
    }
}

#[cfg(test)]
mod tests;
