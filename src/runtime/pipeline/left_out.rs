//! Records that cannot be sent: the task ends, or the record is left out and may leave a letter behind.
//!
//! Must not know: what is tolerated, how letters are written.

use record::Record;

use super::scratch::{Last, Scratch};
use super::{Pipeline, Source, number};
use crate::runtime::failure::{Failure, Stage};
use crate::runtime::letters::desk::Case;
use crate::runtime::letters::kept;
use crate::runtime::tolerance::class_of;

impl Pipeline {
    /// Counts and logs a record that could not be sent, and writes its letter. `Ok` when it is left out, an error when the task
    /// ends.
    pub(super) fn failed(
        &mut self,
        failure: Failure,
        topic: &str,
        source: Source<'_>,
        record: Option<&Record<'_>>,
        scratch: &mut Scratch,
    ) -> Result<(), Failure> {
        let tolerance = &self.reporter.tolerance;
        let class = match failure.stage() {
            Stage::Transformation => self.chain.failed_class(),
            Stage::HeaderConverter => self.header.class,
            Stage::KeyConverter => self.key.class,
            Stage::ValueConverter => self.value.class,
            // Not tolerated, or not the record's fault: the task ends and its trace says why; nothing is logged here.
            _ if tolerance.trail.is_none() || !failure.is_of_the_record() => return Err(failure),
            stage => class_of(stage),
        };
        if failure.is_stop() {
            return Err(failure);
        }
        let origin = source.origin();
        let shown = record.filter(|_| tolerance.logs && tolerance.shows_records);
        let shown = shown.map(|record| self.reporter.show(record, &origin));
        let goes_on = self.reporter.failed(&failure, class, topic, &origin, shown.as_deref());
        match record {
            _ if !goes_on => Err(failure),
            Some(record) if self.letters.is_some() => self.letter(&failure, class, record, source, scratch),
            _ => Ok(()),
        }
    }

    /// Writes the letter of a record that is left out.
    fn letter(
        &mut self,
        failure: &Failure,
        class: &str,
        record: &Record<'_>,
        source: Source<'_>,
        scratch: &mut Scratch,
    ) -> Result<(), Failure> {
        let seq = number(&self.ledger, &*self.sink)?;
        let Some(letters) = &mut self.letters else { return Ok(()) };
        let by_position = source.change.is_some_and(kept::is_named);
        let (position, nth, timestamp_ms) = (source.position, source.nth, scratch.time_ms(Last::Letter));
        let case = Case { failure, class, record, position, nth, by_position, timestamp_ms };
        letters.desk.write(&case, seq, &*self.sink)
    }
}
