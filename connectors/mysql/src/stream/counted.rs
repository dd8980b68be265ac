//! What a batch that leaves adds to the task's numbers.
//!
//! Must not know: events, how a batch is sent.

use std::sync::Arc;

use record::Position;
use relational::Meters;

use super::held::Counts;
use crate::position::{FILE, POS};

/// Counts what became of transactions, and shows how far the batch reaches.
pub(super) fn count(meters: &Meters, counts: Counts, reached: Option<&Position>) {
    meters.count(|numbers| {
        let log = numbers.log();
        log.rolled_back += counts.rolled_back;
        log.not_well_formed += counts.not_well_formed;
        log.large += counts.large;
        let Some(position) = reached else { return };
        log.file = position.texts.as_ref().and_then(|texts| texts.get(FILE)?.as_ref().map(Arc::clone));
        log.position = position.word(POS).map(i64::unsigned_abs);
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::position::TEXTS;

    #[test]
    fn what_a_batch_adds() {
        let meters = Meters::new("c".into());
        let counts = Counts { rolled_back: 1, not_well_formed: 2, large: 3 };
        let mut texts: Vec<Option<Arc<str>>> = vec![None; TEXTS];
        texts[FILE] = Some("b.7".into());
        let mut position = Position { texts: Some(texts.into()), ..Position::UNKNOWN };
        position.words[POS] = 120;
        count(&meters, counts, Some(&position));
        count(&meters, counts, None);
        let log = meters.read().log.unwrap();
        assert_eq!((log.rolled_back, log.not_well_formed, log.large), (2, 4, 6));
        assert_eq!((log.file.as_deref(), log.position), (Some("b.7"), Some(120)));
    }
}
