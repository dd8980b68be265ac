//! How fast rows are decoded on one core: found in their events, put into batches, and each cell read as a value.

use std::hint::black_box;
use std::time::Instant;

use record::ValueRef;

use super::super::decoder::Statement;
use super::*;

/// A transaction of 1,000 rows (`mysql.sql` beside the file), in events of as many rows as fit into 8 KiB: BIGINT, INT,
/// BIGINT, VARCHAR of 64 characters, DECIMAL(12,2) and TIMESTAMP(6).
const ROWS: &[u8] = include_bytes!("../../../tests/binlog/mysql-rows.binlog");

#[test]
#[ignore = "a measurement, for a release build"]
fn rows_decoded_a_second() {
    let log = mysql(ROWS, By::File);
    let events: Vec<&[u8]> = log.events().collect();
    let (mut rows, mut best_s) = (0_usize, f64::MAX);
    for _ in 0..200 {
        let given = Given { doubts: false, kept_bytes: KEPT_BYTES };
        let (mut decoder, mut tables, mut run) = log.reader(&log.start(), &[], given);
        let (mut seen, mut spent_s) = (0, 0.0);
        for event in &events {
            run.buffer.clear();
            run.buffer.extend_from_slice(event);
            let begun = Instant::now();
            let mut context = Context { tables: &mut tables, catalog: &run.catalog };
            let step = decoder.event(&run.buffer, 0..event.len(), false, &mut run.batch, &mut context).unwrap();
            seen += run.decode();
            spent_s += begun.elapsed().as_secs_f64();
            if let Step::Statement(statement) = step {
                let Statement { text, database, sql_mode, .. } = &*statement;
                run.catalog.apply(&Query { text, database, sql_mode: *sql_mode });
                decoder.applied(&statement, &mut run.batch);
            }
            run.batch.clear();
        }
        (rows, best_s) = (seen, best_s.min(spent_s));
    }
    let each_s = best_s / rows as f64;
    println!("{rows} rows a round: {:.0} rows/s, {:.0} ns a row", 1.0 / each_s, each_s * 1e9);
    assert_eq!(rows, 1000);
}

impl Run {
    /// Reads every cell of the changes in the batch. Returns the number of rows.
    fn decode(&self) -> usize {
        let mut rows = 0;
        let mut cells: Vec<ValueRef<'_>> = Vec::new();
        for item in &self.batch.items {
            let Item::Change(change) = item else { continue };
            let shape = &self.batch.shapes[usize::from(change.shape)];
            for row in [change.before, change.after].into_iter().flatten() {
                cells.clear();
                shape.decode.row(&self.buffer, self.batch.cells(row), &mut cells).unwrap();
                black_box(&cells);
                rows += 1;
            }
        }
        rows
    }
}
