use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};

use super::*;

/// Keeps what is logged.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<String>>>);

impl tracing::Subscriber for Heard {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}

    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        struct Text(String);
        impl Visit for Text {
            fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
                use std::fmt::Write as _;
                write!(self.0, " {}={value:?}", field.name()).unwrap();
            }
        }
        let mut text = Text(event.metadata().level().to_string());
        event.record(&mut text);
        self.0.lock().unwrap().push(text.0);
    }

    fn enter(&self, _: &tracing::span::Id) {}

    fn exit(&self, _: &tracing::span::Id) {}
}

/// What is logged while the log is read, and the changes.
fn heard(log: Log) -> (Vec<String>, Vec<String>) {
    let heard = Heard::default();
    let seen = tracing::subscriber::with_default(heard.clone(), || log.read(&log.start(), &[]).unwrap());
    let all = heard.0.lock().unwrap().clone();
    (all, texts(&seen).into_iter().map(str::to_owned).collect())
}

/// A statement that changes rows and was logged as text gives no change and leaves the tables as they are. The warning names
/// its place and not its text.
#[test]
fn statements_that_change_rows_are_warned_of() {
    for (log, expect) in [
        (mariadb(MARIADB_SERVERS, By::Gtid), "position=2040 database=\"bin_servers\""),
        (mysql(MYSQL_IMAGES, By::File), "database=\"bin_images\""),
    ] {
        let (logged, changes) = heard(log);
        let warned: Vec<_> = logged.iter().filter(|text| text.contains("logged as text")).collect();
        assert_eq!(warned.len(), 1, "{logged:?}");
        assert!(warned[0].starts_with("WARN") && warned[0].contains(expect), "{warned:?}");
        assert!(!warned[0].contains("UPDATE") && !warned[0].contains("INSERT"), "{warned:?}");
        assert!(!changes.iter().any(|change| change.starts_with('u') && change.contains(" t 2")), "{changes:?}");
        assert!(!changes.contains(&"c u 7".to_owned()), "{changes:?}");
    }
    let (_, changes) = heard(mariadb(MARIADB_SERVERS, By::Gtid));
    assert_eq!(changes.last().unwrap(), "c t 70", "the stream goes on");
}

/// `SET STATEMENT … FOR ALTER TABLE`: the rows behind it have the new column in front.
#[test]
fn alter_table_behind_set_statement() {
    for by in [By::Gtid, By::File] {
        let log = mariadb(MARIADB_SERVERS, by);
        let seen = log.read(&log.start(), &[]).unwrap();
        let columns = |text: &str| {
            let at = seen.iter().find(|seen| seen.text == text).unwrap();
            let table = at.from.catalog.tables().next().unwrap();
            table.columns.iter().map(|column| &*column.name).collect::<Vec<_>>().join(",")
        };
        assert_eq!(columns("c t 5"), "id,v");
        assert_eq!(columns("c t 60"), "c,id,v");
        let after: Vec<_> = texts(&seen).into_iter().skip_while(|text| *text != "c t 60").collect();
        assert_eq!(after, ["c t 60", "c t 70"]);
    }
}
