//! How much binlog the server has that this task has not read yet.
//!
//! A server deletes its binlog by age or size, whoever reads it, so what is behind the task is what may be lost.
//!
//! Must not know: events.

use std::sync::Arc;

use relational::{Meters, Retained, RetainedWatch};

use crate::error::Error;
use crate::sql::{BinlogFile, Sql};
use crate::wire::ConnectOptions;

/// A server says nothing of a limit, so this is never shown.
const ADVICE: &str = "";

/// Asks from time to time, until the watch is dropped.
pub(super) fn watch(mut options: ConnectOptions, meters: Arc<Meters>) -> RetainedWatch {
    // The statements are the user's, for sessions that read tables. This one opens again and again.
    options.initial_statements.clear();
    for limit_ms in [&mut options.connect_timeout_ms, &mut options.query_timeout_ms] {
        *limit_ms = RetainedWatch::step_ms(*limit_ms);
    }
    let options = Arc::new(options);
    RetainedWatch::start(Arc::clone(&meters), ADVICE, move || {
        let (options, meters) = (Arc::clone(&options), Arc::clone(&meters));
        async move {
            let mut sql = Sql::connect(&options).await?;
            let files = sql.binlog_files().await;
            sql.close().await;
            let log = meters.read().log.unwrap_or_default();
            let bytes = behind(&files?, log.file.as_deref().unwrap_or_default(), log.position.unwrap_or(0));
            Ok::<_, Error>(bytes.map(|bytes| Retained { bytes, safe_bytes: None }))
        }
    })
}

/// Bytes from a position to the end of the binlog; `None` if the server does not have the file.
fn behind(files: &[BinlogFile], file: &str, position: u64) -> Option<u64> {
    let at = files.iter().position(|one| one.name == file)?;
    Some(files[at..].iter().map(|one| one.size_bytes).sum::<u64>().saturating_sub(position))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_behind_a_position() {
        let file = |name: &str, size_bytes| BinlogFile { name: name.to_owned(), size_bytes };
        let files = [file("b.1", 100), file("b.2", 1000), file("b.3", 50)];
        for (name, position, expect) in [
            ("b.1", 40, Some(1110)),
            ("b.2", 1000, Some(50)),
            ("b.3", 50, Some(0)),
            ("b.3", 90, Some(0)),
            ("b.0", 4, None),
        ] {
            assert_eq!(behind(&files, name, position), expect, "{name} {position}");
        }
    }
}
