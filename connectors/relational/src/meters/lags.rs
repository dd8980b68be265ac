//! Lags behind the source: extremes, mean and percentiles since the start of the task.

/// Lags below this are told apart exactly.
const EXACT_MS: u64 = 16;
/// Each further doubling is cut into so many parts, so that a percentile is wrong by a sixteenth at most.
const PARTS: u64 = 8;
/// Number of places; the last one takes all lags above 2^37 ms, which are four years.
const PLACES: usize = 280;

/// Lags since the start of the task, in milliseconds.
#[derive(Clone, Debug, Default)]
pub struct Lags {
    /// The number of lags measured.
    pub count: u64,
    /// The sum of all lags.
    pub sum: i64,
    /// The smallest lag; 0 before the first.
    pub min: i64,
    /// The largest lag; 0 before the first.
    pub max: i64,
    /// How many lags there were of each place; empty before the first.
    spread: Vec<u64>,
}

impl Lags {
    /// Adds a lag.
    pub fn add(&mut self, lag_ms: i64) {
        let is_first = self.count == 0;
        self.min = if is_first { lag_ms } else { self.min.min(lag_ms) };
        self.max = if is_first { lag_ms } else { self.max.max(lag_ms) };
        self.sum = self.sum.saturating_add(lag_ms);
        self.count += 1;
        self.spread.resize(PLACES, 0);
        self.spread[place(lag_ms.max(0).unsigned_abs())] += 1;
    }

    /// The mean lag; `None` before the first.
    pub fn mean(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum as f64 / self.count as f64)
    }

    /// The lag that `part` (0 to 1) of all lags do not exceed, wrong by a sixteenth at most; `None` before the first.
    pub fn percentile(&self, part: f64) -> Option<f64> {
        let wanted = (part * self.count as f64).ceil().max(1.0) as u64;
        let mut seen = 0;
        let found = self.spread.iter().position(|count| {
            seen += count;
            seen >= wanted
        })?;
        Some(middle(found).clamp(self.min as f64, self.max as f64))
    }
}

fn place(lag_ms: u64) -> usize {
    if lag_ms < EXACT_MS {
        return lag_ms as usize;
    }
    let doubling = u64::from(lag_ms.ilog2());
    let part = (lag_ms >> (doubling - 3)) % PARTS;
    ((EXACT_MS + (doubling - 4) * PARTS + part) as usize).min(PLACES - 1)
}

/// The lag in the middle of a place.
fn middle(place: usize) -> f64 {
    let place = place as u64;
    if place < EXACT_MS {
        return place as f64;
    }
    let (doubling, part) = ((place - EXACT_MS) / PARTS + 4, (place - EXACT_MS) % PARTS);
    let width = (1_u64 << (doubling - 3)) as f64;
    (PARTS + part) as f64 * width + width / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lags() {
        let mut lags = Lags::default();
        assert_eq!((lags.mean(), lags.percentile(0.5)), (None, None));
        for lag in [5, -1, 8] {
            lags.add(lag);
        }
        assert_eq!((lags.count, lags.sum, lags.min, lags.max), (3, 12, -1, 8));
        assert_eq!((lags.mean(), lags.percentile(0.5), lags.percentile(0.99)), (Some(4.0), Some(5.0), Some(8.0)));
    }

    #[test]
    fn percentiles_are_wrong_by_a_sixteenth_at_most() {
        for step in [1_i64, 7, 950, 86_400_000] {
            let mut lags = Lags::default();
            (1..=1000).for_each(|lag| lags.add(lag * step));
            for (part, of_thousand) in [(0.5, 500), (0.95, 950), (0.99, 990)] {
                let (found, true_one) = (lags.percentile(part).unwrap(), (of_thousand * step) as f64);
                assert!((found - true_one).abs() <= true_one / 16.0, "{part} of {step}: {found}, not {true_one}");
            }
        }
        let mut lags = Lags::default();
        lags.add(i64::MAX);
        assert_eq!(lags.percentile(0.5), Some(i64::MAX as f64), "the last place takes what is above it");
    }
}
