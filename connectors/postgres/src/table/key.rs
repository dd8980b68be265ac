//! A table's own key: as the catalogue has it now, and as the stream had it when the event was written.
//!
//! The log is read later than it was written. In between, a table may have been dropped, its key columns renamed, its primary
//! key moved to other columns. A key that became null or lost a column would no longer match the row's earlier records, so
//! what the stream itself says counts first.

use crate::sql;
use crate::stream::Relation;

/// The primary key, else the first unique index.
pub(super) fn of_catalogue(table: &sql::Table) -> Vec<String> {
    let key = if table.primary_key.is_empty() { &table.unique_key } else { &table.primary_key };
    let named = |attnum: &i16| table.columns.iter().find(|column| column.attnum == *attnum).map(|c| c.name.clone());
    key.iter().filter_map(named).collect()
}

/// Whether the key flags of a RELATION's columns name a key: with FULL every column is flagged, with NOTHING none.
pub(super) fn is_flagged(relation: &Relation) -> bool {
    matches!(relation.identity, b'd' | b'i')
}

/// The key at the time of the events that follow a RELATION. `catalogue` is the key as the catalogue has it now.
pub(super) fn of_event(relation: &Relation, catalogue: Vec<String>) -> Vec<String> {
    let flagged: Vec<&str> =
        relation.columns.iter().filter(|column| column.identity).map(|column| column.name.as_str()).collect();
    let is_there = |name: &String| relation.columns.iter().any(|column| column.name == *name);
    let is_whole = !catalogue.is_empty() && catalogue.iter().all(is_there);
    let keeps = match relation.identity {
        // The flags name the primary key's columns as they were. Their order is only in the catalogue.
        b'd' if !flagged.is_empty() => {
            is_whole
                && catalogue.len() == flagged.len()
                && catalogue.iter().all(|name| flagged.contains(&name.as_str()))
        }
        _ => is_whole,
    };
    if keeps {
        catalogue
    } else if is_flagged(relation) {
        flagged.into_iter().map(str::to_owned).collect()
    } else {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::RelationColumn;

    /// Columns of the event, flagged ones with a star, against the catalogue's key of now.
    #[track_caller]
    fn check(identity: u8, columns: &str, catalogue: &str, expect: &str) {
        let column = |text: &str| RelationColumn {
            name: text.trim_end_matches('*').to_owned(),
            oid: 23,
            typmod: -1,
            identity: text.ends_with('*'),
        };
        let columns = columns.split(' ').map(column).collect();
        let relation = Relation { id: 1, schema: "public".into(), table: "t".into(), identity, columns };
        let key = of_event(&relation, catalogue.split_whitespace().map(str::to_owned).collect());
        assert_eq!(key.join(" "), expect, "catalogue {catalogue:?}");
    }

    #[test]
    fn keys_are_of_the_events_time() {
        // Unchanged since: the catalogue knows the order.
        check(b'd', "a* b* c", "b a", "b a");
        // Dropped since; a key column renamed since; the primary key moved, widened, narrowed since.
        check(b'd', "id* v", "", "id");
        check(b'd', "id* v", "ident", "id");
        check(b'd', "id* v", "v", "id");
        check(b'd', "id* v", "id v", "id");
        check(b'd', "id* v*", "id", "id v");
        // No primary key then: a unique index, unless it is on columns that were not there.
        check(b'd', "id v", "v", "v");
        check(b'd', "id v", "w", "");
        check(b'd', "id v", "", "");
        // The index of the replica identity need not be the key.
        check(b'i', "id v*", "id", "id");
        check(b'i', "id v*", "", "v");
        check(b'i', "id v*", "w", "v");
        // FULL flags everything, NOTHING nothing.
        check(b'f', "id* v*", "id", "id");
        check(b'f', "id* v*", "", "");
        check(b'n', "id v", "id", "id");
        check(b'n', "id v", "w", "");
    }
}
