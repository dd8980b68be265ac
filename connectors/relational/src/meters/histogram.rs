//! A histogram that is counted in without a lock.

use std::sync::atomic::{AtomicU64, Ordering};

/// The upper bounds of the buckets, in milliseconds; one more bucket takes what is above the last.
const BOUNDS_MS: [u64; 14] = [1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000];
const BUCKETS: usize = BOUNDS_MS.len() + 1;

/// How often times of each length came, in milliseconds.
#[derive(Debug, Default)]
pub struct Histogram {
    buckets: [AtomicU64; BUCKETS],
    sum_ms: AtomicU64,
}

/// A histogram at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HistogramNumbers {
    counts: [u64; BUCKETS],
    /// The sum of all times.
    pub sum_ms: u64,
}

impl Histogram {
    /// Adds a time.
    pub fn add(&self, time_ms: u64) {
        let bucket = BOUNDS_MS.partition_point(|bound| *bound < time_ms);
        self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        self.sum_ms.fetch_add(time_ms, Ordering::Relaxed);
    }

    /// A copy. While times are added, its sum may be that of a moment later than its counts.
    pub fn read(&self) -> HistogramNumbers {
        HistogramNumbers {
            counts: std::array::from_fn(|bucket| self.buckets[bucket].load(Ordering::Relaxed)),
            sum_ms: self.sum_ms.load(Ordering::Relaxed),
        }
    }
}

impl HistogramNumbers {
    /// The number of times.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Each bucket: its upper bound in milliseconds (`None`: it has none), and how many times are in it and in no lower one.
    pub fn buckets(&self) -> impl Iterator<Item = (Option<u64>, u64)> {
        BOUNDS_MS.into_iter().map(Some).chain([None]).zip(self.counts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_in_the_lowest_bucket_that_holds_it() {
        let histogram = Histogram::default();
        for time_ms in [0, 1, 2, 500, 501, 60_000, 60_001] {
            histogram.add(time_ms);
        }
        let numbers = histogram.read();
        let filled: Vec<_> = numbers.buckets().filter(|(_, count)| *count > 0).collect();
        let expect = [(Some(1), 2), (Some(5), 1), (Some(500), 1), (Some(1000), 1), (Some(60_000), 1), (None, 1)];
        assert_eq!(filled, expect);
        assert_eq!((numbers.count(), numbers.sum_ms), (7, 121_005));
    }
}
