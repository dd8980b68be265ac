//! How fast the socket is read when changes come without a pause.

use std::time::Duration;

use tokio::time::Instant;

/// Keeps the reader from waking up for every row: the server writes each row to the socket by itself, and a reader that is
/// faster than the server would read them one by one.
///
/// After [`READS`](Self::READS) reads in less than two milliseconds the reader sleeps for one millisecond. From then on
/// changes flow: whenever the socket was empty and bytes come again, the reader sleeps for a millisecond first, as long as
/// [`FLOW`](Self::FLOW) bytes come from one such sleep to the next. A reader that never finds the socket empty never sleeps.
pub(super) struct Pace {
    reads: u32,
    bytes: usize,
    flows: bool,
    last: Instant,
}

impl Pace {
    const READS: u32 = 24;
    const WITHIN: Duration = Duration::from_millis(1);
    const FLOW: usize = 8 << 10;

    pub(super) fn new() -> Self {
        Self { reads: 0, bytes: 0, flows: false, last: Instant::now() }
    }

    /// Called after each read, with the number of bytes and whether the socket was empty before. Waits if there have been many
    /// in a short time.
    pub(super) async fn read(&mut self, bytes: usize, was_empty: bool) {
        self.reads += 1;
        self.bytes += bytes;
        if self.flows && was_empty {
            self.flows = self.bytes >= Self::FLOW;
            if self.flows {
                self.sleep().await;
            }
        } else if self.reads >= Self::READS {
            if Instant::now().duration_since(self.last) < Self::WITHIN * 2 {
                self.flows = true;
                self.sleep().await;
            } else {
                (self.reads, self.bytes, self.last) = (0, 0, Instant::now());
            }
        }
    }

    async fn sleep(&mut self) {
        tokio::time::sleep(Self::WITHIN).await;
        (self.reads, self.bytes, self.last) = (0, 0, Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How long the reads wait in all, if each brings so many bytes and comes `apart` after the one before.
    async fn check(pace: &mut Pace, reads: u32, (bytes, was_empty): (usize, bool), apart: Duration, expect: Duration) {
        let began = Instant::now();
        for _ in 0..reads {
            tokio::time::sleep(apart).await;
            pace.read(bytes, was_empty).await;
        }
        assert_eq!(began.elapsed(), expect + apart * reads);
    }

    #[tokio::test(start_paused = true)]
    async fn only_many_reads_in_a_short_time_wait() {
        let (row, ms) = ((100, true), Duration::from_millis(1));
        check(&mut Pace::new(), Pace::READS - 1, row, Duration::ZERO, Duration::ZERO).await;
        check(&mut Pace::new(), Pace::READS, row, Duration::ZERO, ms).await;
        check(&mut Pace::new(), Pace::READS * 3, row, ms, Duration::ZERO).await;
    }

    #[tokio::test(start_paused = true)]
    async fn while_changes_flow_each_read_from_an_empty_socket_waits() {
        let (mut pace, ms) = (Pace::new(), Duration::from_millis(1));
        check(&mut pace, Pace::READS, (100, true), Duration::ZERO, ms).await;
        check(&mut pace, 5, (Pace::FLOW, true), Duration::ZERO, ms * 5).await;
        // Reads that find more at once do not wait, until they are many.
        check(&mut pace, Pace::READS - 1, (Pace::FLOW, false), Duration::ZERO, Duration::ZERO).await;
        check(&mut pace, 1, (100, true), Duration::ZERO, ms).await;
        // Too little came since the last sleep: it flows no more.
        check(&mut pace, 10, (100, true), Duration::ZERO, Duration::ZERO).await;
    }
}
