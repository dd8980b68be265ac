//! Keeps what the registry answered, and lets it be asked once only.
//!
//! Whoever asks for what is already being asked for waits for the same answer. When all of them give up (their tasks
//! stop), the request ends as well. An answer is kept; of many answers, those that were used last. A refusal is kept
//! for a short time, because under `errors.tolerance=all` each further record of a table would ask again. A registry
//! that did not answer is not remembered: the caller waits before it asks again.
//!
//! Must not know: what is asked for.

use std::collections::HashMap;
use std::future::Future;
use std::hash::Hash;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::{FutureExt as _, Shared, WeakShared};
use tokio::time::Instant;

use super::RegistryError;

/// How long a refusal is remembered.
pub(super) const REFUSED_FOR: Duration = Duration::from_secs(10);

type Outcome<V> = Result<V, RegistryError>;
type Asking<V> = Shared<Pin<Box<dyn Future<Output = Outcome<V>> + Send>>>;

/// Answers by key.
pub(super) struct Cache<K, V: Clone> {
    at_most: usize,
    slots: Mutex<Slots<K, V>>,
}

struct Slots<K, V: Clone> {
    by_key: HashMap<K, Slot<V>>,
    /// Counts uses, to find the slot that was used the longest time ago.
    uses: u64,
}

enum Slot<V: Clone> {
    Asking(WeakShared<Pin<Box<dyn Future<Output = Outcome<V>> + Send>>>),
    Known { answer: V, used: u64 },
    Refused { error: RegistryError, until: Instant },
}

impl<K, V> Cache<K, V>
where
    K: Clone + Eq + Hash + Send + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// A cache of at most so many answers.
    pub(super) fn new(at_most: usize) -> Self {
        Self { at_most, slots: Mutex::new(Slots { by_key: HashMap::new(), uses: 0 }) }
    }

    fn slots(&self) -> MutexGuard<'_, Slots<K, V>> {
        // A panic cannot leave the map half changed.
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The answer for `key`: the one that is known, else that of `ask`.
    pub(super) async fn get<F>(self: &Arc<Self>, key: &K, ask: impl FnOnce() -> F) -> Outcome<V>
    where
        F: Future<Output = Outcome<V>> + Send + 'static,
    {
        let asking = match self.look(key, ask) {
            Ok(outcome) => return outcome,
            Err(asking) => asking,
        };
        asking.await
    }

    fn look<F>(self: &Arc<Self>, key: &K, ask: impl FnOnce() -> F) -> Result<Outcome<V>, Asking<V>>
    where
        F: Future<Output = Outcome<V>> + Send + 'static,
    {
        let mut slots = self.slots();
        slots.uses += 1;
        let now = slots.uses;
        match slots.by_key.get_mut(key) {
            Some(Slot::Known { answer, used }) => {
                *used = now;
                return Ok(Ok(answer.clone()));
            }
            Some(Slot::Refused { error, until }) if Instant::now() < *until => return Ok(Err(error.clone())),
            Some(Slot::Asking(asking)) => {
                if let Some(asking) = asking.upgrade() {
                    return Err(asking);
                }
            }
            Some(Slot::Refused { .. }) | None => {}
        }
        let (cache, asked, question) = (Arc::clone(self), key.clone(), ask());
        let future = async move {
            let outcome = question.await;
            cache.settle(asked, &outcome);
            outcome
        };
        let asking = (Box::pin(future) as Pin<Box<dyn Future<Output = Outcome<V>> + Send>>).shared();
        if let Some(weak) = asking.downgrade() {
            slots.by_key.insert(key.clone(), Slot::Asking(weak));
        }
        Err(asking)
    }

    fn settle(&self, key: K, outcome: &Outcome<V>) {
        let mut slots = self.slots();
        let used = slots.uses;
        match outcome {
            Ok(answer) => slots.by_key.insert(key, Slot::Known { answer: answer.clone(), used }),
            Err(error) if error.is_transient() => slots.by_key.remove(&key),
            Err(error) => {
                let until = Instant::now() + REFUSED_FOR;
                slots.by_key.insert(key, Slot::Refused { error: error.clone(), until })
            }
        };
        slots.shrink(self.at_most);
    }
}

impl<K: Clone + Eq + Hash, V: Clone> Slots<K, V> {
    /// Forgets old refusals, then the answers that were used the longest time ago.
    fn shrink(&mut self, at_most: usize) {
        if self.by_key.len() <= at_most {
            return;
        }
        let now = Instant::now();
        self.by_key.retain(|_, slot| match slot {
            Slot::Asking(asking) => asking.upgrade().is_some(),
            Slot::Known { .. } => true,
            Slot::Refused { until, .. } => now < *until,
        });
        while self.by_key.len() > at_most {
            let known = self.by_key.iter().filter_map(|(key, slot)| match slot {
                Slot::Known { used, .. } => Some((*used, key)),
                Slot::Asking(_) | Slot::Refused { .. } => None,
            });
            let Some((_, oldest)) = known.min_by_key(|(used, _)| *used) else { return };
            let oldest = oldest.clone();
            self.by_key.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// A cache, and how often the registry was asked.
    struct Asked {
        cache: Arc<Cache<u32, u32>>,
        times: Arc<AtomicUsize>,
    }

    impl Asked {
        fn new(at_most: usize) -> Self {
            Self { cache: Arc::new(Cache::new(at_most)), times: Arc::default() }
        }

        /// Asks for `key`. The answer takes 100 ms.
        async fn get(&self, key: u32, outcome: Outcome<u32>) -> Outcome<u32> {
            let times = Arc::clone(&self.times);
            let ask = || async move {
                times.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(Duration::from_millis(100)).await;
                outcome
            };
            self.cache.get(&key, ask).await
        }

        fn times(&self) -> usize {
            self.times.load(Ordering::Relaxed)
        }
    }

    fn away() -> RegistryError {
        RegistryError::Unavailable { at: "http://r".into(), reason: "away".into() }
    }

    fn refused() -> RegistryError {
        RegistryError::Other { at: "http://r".into(), reason: "no".into(), remedy: String::new() }
    }

    #[tokio::test(start_paused = true)]
    async fn what_many_ask_for_at_once_is_asked_once() {
        let asked = Asked::new(10);
        let all = futures_util::future::join_all((0..50).map(|_| asked.get(1, Ok(7)))).await;
        assert_eq!(all, vec![Ok(7); 50]);
        assert_eq!(asked.get(1, Ok(8)).await, Ok(7), "the answer is kept");
        assert_eq!(asked.times(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn who_gives_up_does_not_stop_the_others() {
        let asked = Asked::new(10);
        let short = tokio::time::timeout(Duration::from_millis(10), asked.get(1, Ok(7)));
        let (gave_up, got) = tokio::join!(short, asked.get(1, Ok(7)));
        assert!(gave_up.is_err());
        assert_eq!((got, asked.times()), (Ok(7), 1));
        // Where all give up, the request ends, and the next one asks anew.
        assert!(tokio::time::timeout(Duration::from_millis(10), asked.get(2, Ok(7))).await.is_err());
        assert_eq!((asked.get(2, Ok(9)).await, asked.times()), (Ok(9), 3));
    }

    #[tokio::test(start_paused = true)]
    async fn failures() {
        let asked = Asked::new(10);
        // All who wait together get the same failure; a registry that is away is asked again at the next call.
        let (a, b) = tokio::join!(asked.get(1, Err(away())), asked.get(1, Ok(7)));
        assert_eq!((a, b, asked.times()), (Err(away()), Err(away()), 1));
        assert_eq!((asked.get(1, Ok(7)).await, asked.times()), (Ok(7), 2));
        // A refusal holds for a time.
        assert_eq!((asked.get(2, Err(refused())).await, asked.times()), (Err(refused()), 3));
        assert_eq!((asked.get(2, Ok(8)).await, asked.times()), (Err(refused()), 3));
        tokio::time::sleep(REFUSED_FOR).await;
        assert_eq!((asked.get(2, Ok(8)).await, asked.times()), (Ok(8), 4));
    }

    #[tokio::test(start_paused = true)]
    async fn the_bound_holds_and_what_is_used_stays() {
        let asked = Asked::new(3);
        for key in 0..100 {
            assert_eq!(asked.get(key, Ok(key)).await, Ok(key));
            assert_eq!(asked.get(0, Ok(0)).await, Ok(0));
            assert!(asked.cache.slots().by_key.len() <= 3);
        }
        assert_eq!(asked.times(), 100, "the first key was used all the time");
        for key in 200..300 {
            let _ = asked.get(key, Err(refused())).await;
            tokio::time::sleep(REFUSED_FOR).await;
        }
        assert!(asked.cache.slots().by_key.len() <= 4, "old refusals are forgotten");
    }
}
