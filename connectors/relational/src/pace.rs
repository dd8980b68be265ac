//! How fast the socket is read when changes come without a pause.

use std::time::Duration;

use tokio::time::Instant;

/// Keeps the reader from waking up for every row: the server writes each row to the socket by itself, and a reader that is
/// faster than the server would read them one by one. After [`READS`](Self::READS) reads in less than two milliseconds it
/// sleeps for one millisecond.
#[derive(Debug)]
pub struct Pace {
    reads: u32,
    last: Instant,
}

impl Default for Pace {
    fn default() -> Self {
        Self { reads: 0, last: Instant::now() }
    }
}

impl Pace {
    const READS: u32 = 24;
    const WITHIN: Duration = Duration::from_millis(1);

    /// Called after each read. Waits if there have been many in a short time.
    pub async fn read(&mut self) {
        self.reads += 1;
        if self.reads < Self::READS {
            return;
        }
        self.reads = 0;
        let now = Instant::now();
        if now.duration_since(self.last) < Self::WITHIN * 2 {
            tokio::time::sleep(Self::WITHIN).await;
        }
        self.last = Instant::now();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How long the reads wait in all, if each comes `apart` after the one before.
    async fn check(reads: u32, apart: Duration, expect: Duration) {
        let (mut pace, began) = (Pace::default(), Instant::now());
        for _ in 0..reads {
            tokio::time::sleep(apart).await;
            pace.read().await;
        }
        assert_eq!(began.elapsed(), expect + apart * reads);
    }

    #[tokio::test(start_paused = true)]
    async fn only_many_reads_in_a_short_time_wait() {
        check(Pace::READS - 1, Duration::ZERO, Duration::ZERO).await;
        check(Pace::READS * 3, Duration::ZERO, Pace::WITHIN * 3).await;
        check(Pace::READS * 3, Duration::from_millis(1), Duration::ZERO).await;
    }
}
