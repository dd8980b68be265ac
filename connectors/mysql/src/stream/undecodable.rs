//! Events that cannot be decoded (`event.processing.failure.handling.mode`).
//!
//! Must not know: the socket, rows, tables.

use std::sync::Arc;

use relational::Meters;

use super::decoder::Decoder;
use crate::binlog::{BinlogError, EventKind};
use crate::config::Failure;
use crate::error::Error;

/// Without these events nothing that follows can be placed or read, so that they are never passed over.
const NEEDED: &[EventKind] = &[EventKind::FORMAT_DESCRIPTION, EventKind::ROTATE];

/// What becomes of an event that cannot be decoded.
#[derive(Debug)]
pub(crate) struct Undecodable {
    mode: Failure,
    meters: Arc<Meters>,
}

impl Undecodable {
    pub(crate) fn new(mode: Failure, meters: Arc<Meters>) -> Self {
        Self { mode, meters }
    }

    /// Takes the error of the event that was read last. Where the mode says so the event counts as done, and the stream goes
    /// on behind it: its changes are lost. Else the error comes back; so does one that reading the event again may mend, and
    /// one that is no fault of the event.
    pub(crate) fn pass_over(&self, error: Error, decoder: &mut Decoder) -> Result<(), Error> {
        let Error::Binlog(bad) = &error else { return Err(error) };
        if self.mode == Failure::Fail || bad.is_transient() || NEEDED.contains(&bad.event) {
            return Err(error);
        }
        let end = decoder.reader.position();
        self.note(bad, end);
        decoder.done(end);
        Ok(())
    }

    fn note(&self, bad: &BinlogError, end: u64) {
        self.meters.count(|numbers| {
            numbers.bad_value();
            numbers.log().passed_over += 1;
        });
        if self.mode == Failure::Warn {
            let BinlogError { file, position, .. } = bad;
            tracing::warn!(
                "{bad}; the event is passed over (event.processing.failure.handling.mode=warn), and its changes are \
                lost. To see it: mysqlbinlog --start-position={position} --stop-position={end} --verbose {file}"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use record::Position;
    use relational::{Changes, Wanted};
    use serde_json::{Map, Value as Json};

    use super::*;
    use crate::binlog::{Checksum, Reader};
    use crate::position::{RESTART_POS, from_offset, transaction_id};
    use crate::stream::{Executed, Options, Place};

    fn decoder() -> Decoder {
        let offset = Map::from_iter([("file".to_owned(), Json::from("b.1")), ("pos".to_owned(), Json::from(4))]);
        let place = Place::new(&from_offset(&offset).unwrap(), Executed::NONE);
        let options = Options { with_query: false, unknown_table: Failure::Fail, held_events: 0, sources: None };
        let changes = Changes::new(Wanted::default(), None, transaction_id);
        Decoder::new(Reader::new("b.1", 4, Checksum::Crc32), place, changes, options, None)
    }

    /// An event that begins at 4, with a right checksum.
    fn event(kind: EventKind, body: &[u8]) -> Vec<u8> {
        let length = (19 + body.len() + 4) as u32;
        let mut out = vec![0, 0, 0, 0, kind.0, 1, 0, 0, 0];
        out.extend(length.to_le_bytes());
        out.extend((4 + length).to_le_bytes());
        out.extend([0, 0]);
        out.extend(body);
        out.extend(crc32fast::hash(&out).to_le_bytes());
        out
    }

    /// `goes_on` is where the stream goes on; none where the error ends it.
    #[track_caller]
    fn check(mode: Failure, event: &[u8], goes_on: Option<i64>) {
        let (mut decoder, meters) = (decoder(), Arc::new(Meters::new("c".into())));
        let error = decoder.reader.event(event, 0).unwrap_err();
        let passed = Undecodable::new(mode, Arc::clone(&meters)).pass_over(error.clone().into(), &mut decoder);
        let found = passed.map(|()| {
            let position: Position = decoder.place.position(decoder.reader.position());
            position.word(RESTART_POS)
        });
        let told = found.map_err(|error| error.to_string());
        assert_eq!(told, goes_on.map(Some).ok_or(error.to_string()));
        let passed_over = u64::from(goes_on.is_some());
        let counted = meters.read();
        assert_eq!((counted.erroneous, counted.log.map_or(0, |log| log.passed_over)), (passed_over, passed_over));
    }

    #[test]
    fn which_events_are_passed_over() {
        let short = event(EventKind::XID, &[1]);
        check(Failure::Warn, &short, Some(28));
        check(Failure::Skip, &short, Some(28));
        check(Failure::Ignore, &short, Some(28));
        check(Failure::Fail, &short, None);
        check(Failure::Warn, &event(EventKind(200), b"x"), Some(28));
        check(Failure::Warn, &event(EventKind::ROTATE, &[1]), None);
        check(Failure::Warn, &event(EventKind::FORMAT_DESCRIPTION, &[1]), None);
        let mut changed = event(EventKind::XID, &7_u64.to_le_bytes());
        changed[20] ^= 1;
        check(Failure::Warn, &changed, None);
    }

    #[test]
    fn other_errors_are_no_fault_of_an_event() {
        let undecodable = Undecodable::new(Failure::Warn, Arc::new(Meters::new("c".into())));
        let error = Error::UnknownTable { table: "d.t".to_owned() };
        assert!(matches!(undecodable.pass_over(error, &mut decoder()), Err(Error::UnknownTable { .. })));
    }
}
