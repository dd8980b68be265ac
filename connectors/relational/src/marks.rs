//! The marks of copied rows (`source.snapshot`): which row is the first and which is the last.

use record::SnapshotMark;

/// Gives each row its mark. Which row is the last of its table or of the copy is known only afterwards, so the caller holds
/// one row back and asks for that row's final mark at the end of its table and of the copy.
#[derive(Debug, Default)]
pub(crate) struct Marks {
    tables: usize,
    in_table: bool,
}

impl Marks {
    /// A table begins.
    pub(crate) fn table(&mut self) {
        self.tables += 1;
        self.in_table = false;
    }

    /// The mark of the next row.
    pub(crate) fn row(&mut self) -> SnapshotMark {
        // Only a row of the first table is marked `first`: when that table is empty, no row is.
        match (std::mem::replace(&mut self.in_table, true), self.tables) {
            (true, _) => SnapshotMark::True,
            (false, 1) => SnapshotMark::First,
            (false, _) => SnapshotMark::FirstInCollection,
        }
    }

    /// The mark of the row held back, now that its table has ended.
    pub(crate) fn table_ended(held: SnapshotMark) -> SnapshotMark {
        if held == SnapshotMark::First { held } else { SnapshotMark::LastInCollection }
    }

    /// The mark of the row held back, now that all tables have been read.
    pub(crate) fn ended() -> SnapshotMark {
        SnapshotMark::Last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The marks of tables with these numbers of rows.
    #[track_caller]
    fn check(tables: &[usize], expect: &[&str]) {
        let (mut marks, mut out) = (Marks::default(), Vec::new());
        for rows in tables {
            marks.table();
            for _ in 0..*rows {
                out.push(marks.row());
            }
            if let Some(held) = out.last_mut().filter(|_| *rows > 0) {
                *held = Marks::table_ended(*held);
            }
        }
        if let Some(held) = out.last_mut() {
            *held = Marks::ended();
        }
        assert_eq!(out.iter().filter_map(|mark| mark.text()).collect::<Vec<_>>(), expect);
    }

    #[test]
    fn marks() {
        check(&[1], &["last"]);
        check(
            &[2, 1, 1, 1],
            &["first", "last_in_data_collection", "last_in_data_collection", "last_in_data_collection", "last"],
        );
        check(&[1, 2], &["first", "first_in_data_collection", "last"]);
        check(&[3, 0], &["first", "true", "last"]);
        check(
            &[0, 3, 3],
            &[
                "first_in_data_collection",
                "true",
                "last_in_data_collection",
                "first_in_data_collection",
                "true",
                "last",
            ],
        );
        check(&[0], &[]);
    }
}
