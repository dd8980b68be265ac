//! The byte budget: how much data that connectors have read and not yet converted may be in memory at once.
//!
//! A connector whose broker is away fills its queue and keeps it full. So that it cannot take the memory that other
//! connectors need, each connector has a floor that no other can use, and only the rest is shared. Three laws hold,
//! whatever the other connectors do:
//!
//! - A request that fits into the connector's own floor is granted at once.
//! - A connector that holds nothing is granted any request, so that a row larger than the whole budget can pass. Such a
//!   lease does not count against the budget: other connectors go on beside it.
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
    /// Requests that wait, the oldest first.
    waiting: VecDeque<Waiting>,
}

#[derive(Debug)]
struct Sums {
    total_bytes: usize,
    floor_bytes: usize,
    /// The number of connectors. The floor of each is taken from the total.
    accounts: usize,
    /// The bytes that all accounts together hold beyond their floors.
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
    /// Only locked while the budget's lock is held, so this lock is always free.
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    /// Bytes of the leases that count: against the floor first, then against the shared part.
    bytes: usize,
    /// The number of leases that were too large for both and do not count.
    oversized: usize,
}

/// A part of the byte budget. Dropping it gives the bytes back.
#[derive(Debug)]
pub struct Lease {
    account: Arc<Account>,
    /// `None`: larger than what was available, granted because the connector held nothing.
    bytes: Option<usize>,
}

impl Budget {
    /// A budget of `total_bytes` for the process, of which each connector has `floor_bytes` for itself. If the floors
    /// of all connectors together exceed the total, each connector still has its floor, and nothing is shared.
    pub fn new(total_bytes: usize, floor_bytes: usize) -> Self {
        let sums = Sums { total_bytes, floor_bytes, accounts: 0, beyond_bytes: 0 };
        Self(Arc::new(Mutex::new(Shared { sums, waiting: VecDeque::new() })))
    }

    /// Adds a connector. Its floor is reserved until the account and all its leases are dropped.
    pub(crate) fn open(&self) -> Arc<Account> {
        self.lock().sums.accounts += 1;
        Arc::new(Account { budget: self.clone(), held: Mutex::default() })
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        // A panic cannot leave the numbers half changed, so a poisoned lock can still be used.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Grants every waiting request that can be granted now. A request that does not fit does not hold up those behind
    /// it.
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
        // Sent without the lock: if the waiter has just given up, its lease is dropped here, and that takes the lock
        // again.
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

    /// Waits until the account may hold `bytes` more. The future may be dropped while it waits.
    pub(crate) async fn lease(self: Arc<Self>, bytes: usize) -> Lease {
        // Declared before the receiver and so dropped after it: `Place::drop` looks for closed receivers.
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
            // Cannot happen: a sender leaves the queue unused only when this future is dropped.
            Err(_) => Lease { account: Arc::clone(&self), bytes: Some(0) },
        }
    }
}

/// Removes from the queue, when dropped, the requests whose futures were dropped, such as those of a connector that
/// stops.
struct Place<'a>(&'a Budget);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut shared = self.0.lock();
        if !shared.waiting.is_empty() {
            // Dropping a request here never drops its account, which would take the lock again: the future that gave up
            // still holds the account.
            shared.waiting.retain(|one| !one.granted.is_closed());
        }
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        self.budget.lock().sums.accounts -= 1;
        // The floor of this account is now part of what is shared.
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
