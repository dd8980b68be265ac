//! Measurements of the last minute: means, extremes and rates as Kafka's clients compute them.

use std::time::Duration;

use tokio::time::Instant;

/// Rates, means and extremes are taken over the last two windows of this length, as in Kafka's clients
/// (`metrics.num.samples` and `metrics.sample.window.ms`).
const WINDOW: Duration = Duration::from_secs(30);

/// The measurements of one window.
#[derive(Clone, Copy, Debug)]
struct Window {
    begin: Instant,
    count: u64,
    sum: f64,
    min: f64,
    max: f64,
}

/// Measurements of the last two windows of 30 seconds.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sampled {
    earlier: Option<Window>,
    now: Option<Window>,
}

impl Sampled {
    /// Adds a measurement taken at `at`.
    pub fn add(&mut self, at: Instant, value: f64) {
        match &mut self.now {
            Some(window) if at.duration_since(window.begin) < WINDOW => {
                window.count += 1;
                window.sum += value;
                window.min = window.min.min(value);
                window.max = window.max.max(value);
            }
            last => {
                self.earlier = last.replace(Window { begin: at, count: 1, sum: value, min: value, max: value });
            }
        }
    }

    fn windows(&self) -> impl Iterator<Item = &Window> {
        [&self.earlier, &self.now].into_iter().flatten().filter(|window| window.begin.elapsed() < WINDOW * 2)
    }

    /// The mean of the measurements; `None` without measurements.
    pub fn mean(&self) -> Option<f64> {
        let (count, sum) =
            self.windows().fold((0, 0.0), |(count, sum), window| (count + window.count, sum + window.sum));
        (count > 0).then(|| sum / count as f64)
    }

    /// The largest measurement; `None` without measurements.
    pub fn max(&self) -> Option<f64> {
        self.windows().map(|window| window.max).reduce(f64::max)
    }

    /// The smallest measurement; `None` without measurements.
    pub fn min(&self) -> Option<f64> {
        self.windows().map(|window| window.min).reduce(f64::min)
    }

    /// The sum of the measurements per second.
    pub fn per_second(&self) -> f64 {
        let Some(first) = self.windows().next() else { return 0.0 };
        // As in Kafka's clients, the first window counts as a whole one; otherwise the first batch would give a huge
        // rate.
        let mut elapsed = first.begin.elapsed();
        if elapsed < WINDOW {
            elapsed += WINDOW;
        }
        self.windows().map(|window| window.sum).sum::<f64>() / elapsed.as_secs_f64()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn windows_forget() {
        let seen = |sampled: &Sampled| (sampled.mean(), sampled.min(), sampled.max(), sampled.per_second());
        let mut sampled = Sampled::default();
        assert_eq!(seen(&sampled), (None, None, None, 0.0));
        sampled.add(Instant::now(), 30.0);
        sampled.add(Instant::now(), 60.0);
        assert_eq!(seen(&sampled), (Some(45.0), Some(30.0), Some(60.0), 3.0));
        tokio::time::advance(WINDOW).await;
        sampled.add(Instant::now(), 15.0);
        assert_eq!(seen(&sampled), (Some(35.0), Some(15.0), Some(60.0), 3.5));
        tokio::time::advance(WINDOW).await;
        assert_eq!(seen(&sampled), (Some(15.0), Some(15.0), Some(15.0), 0.5));
    }
}
