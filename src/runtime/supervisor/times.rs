//! How long a task has been in which state, and how the group has changed hands: the rules are those of Connect's
//! `StateTracker` and of its metrics of rebalances.
//!
//! Must not know: why a state changes.

use std::time::Duration;

use tokio::time::Instant;

use super::machine::State;

/// How long a task has been in which state.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct StateTimes {
    /// The present state and since when; none before the first.
    now: Option<(State, Instant)>,
    running: Duration,
    paused: Duration,
    all: Duration,
}

impl StateTimes {
    /// The task is in this state from now on.
    pub(super) fn enter(&mut self, state: State) {
        *self = Self { now: Some((state, Instant::now())), ..self.until_now() };
    }

    /// Whether the task is paused.
    pub(super) fn is_paused(&self) -> bool {
        matches!(self.now, Some((State::Paused, _)))
    }

    /// The parts of its time in which the task was running and in which it was paused, 0 to 1.
    pub(super) fn ratios(&self) -> (f64, f64) {
        let Self { running, paused, all, .. } = self.until_now();
        let of_all = |part: Duration| if all.is_zero() { 0.0 } else { part.as_secs_f64() / all.as_secs_f64() };
        (of_all(running), of_all(paused))
    }

    fn until_now(&self) -> Self {
        let mut times = *self;
        if let Some((state, since)) = self.now {
            let lasts = since.elapsed();
            times.all += lasts;
            match state {
                State::Running => times.running += lasts,
                State::Paused => times.paused += lasts,
                _ => {}
            }
        }
        times
    }
}

/// How often the group has changed hands, and how long that took.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Rebalances {
    /// Since when it is not settled who runs the connectors.
    unsettled: Option<Instant>,
    settled: Option<Instant>,
    completed: u64,
    sum: Duration,
    max: Duration,
}

/// How often the group has changed hands, and how long that took.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RebalanceNumbers {
    /// How often it was settled who runs the connectors.
    pub completed: u64,
    /// Whether it is not settled now.
    pub is_rebalancing: bool,
    /// How long it took at most, in milliseconds; `None` before the first time.
    pub max_ms: Option<f64>,
    /// How long it took on average, in milliseconds; `None` before the first time.
    pub mean_ms: Option<f64>,
    /// How long ago it was settled last, in milliseconds; `None` before the first time.
    pub since_ms: Option<f64>,
}

impl Rebalances {
    /// It is not settled any more who runs the connectors.
    pub(super) fn begins(&mut self) {
        self.unsettled.get_or_insert_with(Instant::now);
    }

    /// It is settled who runs the connectors. Nothing happens if it was before.
    pub(super) fn ends(&mut self) {
        let Some(began) = self.unsettled.take() else { return };
        let took = began.elapsed();
        self.settled = Some(Instant::now());
        self.completed += 1;
        self.sum += took;
        self.max = self.max.max(took);
    }

    pub(super) fn read(&self) -> RebalanceNumbers {
        let ms = |time: Duration| time.as_secs_f64() * 1000.0;
        let of_some = |time: Duration| (self.completed > 0).then(|| ms(time));
        RebalanceNumbers {
            completed: self.completed,
            is_rebalancing: self.unsettled.is_some(),
            max_ms: of_some(self.max),
            mean_ms: of_some(self.sum).map(|sum| sum / self.completed as f64),
            since_ms: self.settled.map(|settled| ms(settled.elapsed())),
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn parts_of_a_task_s_time() {
        let mut times = StateTimes::default();
        assert_eq!(times.ratios(), (0.0, 0.0));
        for (state, seconds) in [(State::Unassigned, 1), (State::Running, 4), (State::Paused, 2), (State::Running, 1)] {
            times.enter(state);
            advance(Duration::from_secs(seconds)).await;
        }
        assert_eq!((times.ratios(), times.is_paused()), ((0.625, 0.25), false));
    }

    #[tokio::test(start_paused = true)]
    async fn times_of_rebalances() {
        let mut rebalances = Rebalances::default();
        rebalances.begins();
        assert_eq!(rebalances.read(), RebalanceNumbers { is_rebalancing: true, ..RebalanceNumbers::default() });
        for seconds in [1, 3] {
            rebalances.begins();
            advance(Duration::from_secs(seconds)).await;
            rebalances.ends();
            rebalances.ends();
        }
        advance(Duration::from_secs(5)).await;
        let expect = RebalanceNumbers {
            completed: 2,
            is_rebalancing: false,
            max_ms: Some(3000.0),
            mean_ms: Some(2000.0),
            since_ms: Some(5000.0),
        };
        assert_eq!(rebalances.read(), expect);
    }
}
