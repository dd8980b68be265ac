//! What a restart leaves out: it reads the open transaction again from its begin, and the stored offset counts the events and
//! rows of it that were delivered.
//!
//! Must not know: what events are.

/// The counts of a stored offset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Resume {
    /// The completed events behind the offset's place.
    events: u64,
    /// The rows of the next event.
    rows: u64,
    /// How many events had been counted when the offset's place was met; none before that.
    base: Option<u64>,
    /// The offset's place, if other transactions may come before it.
    wanted: Option<(Box<str>, u64)>,
}

impl Resume {
    /// `None` if nothing behind the offset's place is done. `place` is that file and position if the server may send other
    /// transactions first, as it does with those of a server that the offset does not know.
    pub(crate) fn new(events: u64, rows: u64, place: Option<(&str, u64)>) -> Option<Self> {
        let wanted = place.map(|(file, pos)| (file.into(), pos));
        let base = wanted.is_none().then_some(0);
        (events > 0 || rows > 0).then_some(Self { events, rows, base, wanted })
    }

    /// A transaction begins here, after `counted` events.
    pub(crate) fn begins(&mut self, file: &str, pos: u64, counted: u64) {
        if self.base.is_none() && self.wanted.as_ref().is_some_and(|(name, at)| &**name == file && *at == pos) {
            self.base = Some(counted);
        }
    }

    /// Whether the event that comes after `counted` others was delivered as a whole.
    pub(crate) fn is_done(&self, counted: u64) -> bool {
        self.base.is_some_and(|base| counted - base < self.events)
    }

    /// How many rows were delivered of an event that comes after `counted` others; `u64::MAX` is all of them.
    pub(crate) fn rows_done(&self, counted: u64) -> u64 {
        match self.base.map(|base| counted - base) {
            Some(seen) if seen < self.events => u64::MAX,
            Some(seen) if seen == self.events => self.rows,
            _ => 0,
        }
    }

    /// Whether an event that comes after `counted` others is behind everything that was delivered.
    pub(crate) fn is_over(&self, counted: u64) -> bool {
        self.base.is_some_and(|base| counted - base > self.events)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(events: u64, rows: u64, expect: &[u64]) {
        let resume = Resume::new(events, rows, None).unwrap();
        let found: Vec<u64> = (0..expect.len() as u64).map(|counted| resume.rows_done(counted)).collect();
        assert_eq!(found, expect);
    }

    #[test]
    fn rows_that_were_delivered() {
        check(2, 3, &[u64::MAX, u64::MAX, 3, 0]);
        check(1, 0, &[u64::MAX, 0, 0]);
        check(0, 2, &[2, 0]);
        assert_eq!(Resume::new(0, 0, None), None);
    }

    #[test]
    fn transactions_of_an_unknown_server_come_first() {
        let mut resume = Resume::new(2, 1, Some(("b.1", 100))).unwrap();
        resume.begins("b.1", 50, 0);
        assert_eq!([resume.rows_done(1), resume.rows_done(2)], [0, 0]);
        resume.begins("b.1", 100, 4);
        assert_eq!([resume.rows_done(5), resume.rows_done(6), resume.rows_done(7)], [u64::MAX, 1, 0]);
        assert!(!resume.is_over(6) && resume.is_over(7));
    }
}
