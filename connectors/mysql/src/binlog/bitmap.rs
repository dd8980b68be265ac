//! Bits of columns.

/// A bit for each column, the lowest bit of a byte first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bitmap<'a>(&'a [u8]);

impl<'a> Bitmap<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The bit of a column; false for a column that there is not.
    pub fn get(self, column: usize) -> bool {
        self.0.get(column / 8).is_some_and(|byte| byte >> (column % 8) & 1 != 0)
    }

    /// How many of the first `columns` bits are set.
    pub fn count(self, columns: usize) -> usize {
        let (whole, rest) = (columns / 8, columns % 8);
        let last = self.0.get(whole).map_or(0, |byte| (byte & ((1 << rest) - 1)).count_ones());
        self.0.iter().take(whole).map(|byte| byte.count_ones()).chain([last]).sum::<u32>() as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_behind_the_last_column_do_not_count() {
        let bits = Bitmap::new(&[0xff, 0xfd]);
        for (columns, expect) in [(0, 0), (7, 7), (8, 8), (9, 9), (10, 9), (16, 15)] {
            assert_eq!(bits.count(columns), expect, "{columns}");
        }
        assert!(bits.get(8) && !bits.get(9) && !bits.get(16));
    }
}
