//! Which message of a document a record is: the indexes that stand behind the id.
//!
//! In a document of ours it is the first one. A registry may answer with another document (`use.latest.version`), in which
//! other messages may stand before it.
//!
//! Must not know: registries, fields.

use super::write::varint;

/// The written form of the place of the first message.
pub(super) const FIRST: &[u8] = &[0];

/// The written form of the place of a message that is not inside of another one.
pub(super) fn written(place: usize) -> Vec<u8> {
    if place == 0 {
        return FIRST.to_vec();
    }
    // The number of indexes and then each of them, in a form in which small negative numbers are short as well.
    let mut out = vec![2];
    varint(&mut out, place as u64 * 2);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_forms() {
        for (place, expect) in [(0, &[0][..]), (1, &[2, 2]), (8, &[2, 16]), (100, &[2, 200, 1])] {
            assert_eq!(written(place), expect);
        }
    }
}
