//! What post-processors do with a table that the stream announces.

use record::{Value, ValueRef};
use relational::reselect::{Reselect, Selectable};

use super::{Built, Tables};
use crate::reselect::{Candidate, Plan, Plans};
use crate::sql::{ByKey, KeyColumn};
use crate::stream::Relation;

impl Tables {
    /// The plans for a table. `own_key` names the columns of its own key, which `message.key.columns` may have replaced in
    /// the event's key. A table whose records have no key is left alone, as in Debezium.
    pub(super) fn plans(&self, relation: &Relation, own_key: &[String], built: &Built) -> Plans {
        if self.processors.is_empty() || built.shape.key.is_none() {
            return None;
        }
        let plan = |processor| self.plan(processor, relation, own_key, built);
        let plans: Vec<_> = self.processors.iter().filter_map(plan).collect();
        (!plans.is_empty()).then(|| plans.into())
    }

    /// What one post-processor does; `None`: nothing, because no column can lack that it selects.
    fn plan(&self, processor: &Reselect, relation: &Relation, own_key: &[String], built: &Built) -> Option<Plan> {
        let table = format!("{}.{}", relation.schema, relation.table);
        let captured = built.codecs.iter().enumerate().filter_map(|(place, codec)| Some((place, codec.as_ref()?)));
        let mut columns = Vec::new();
        for ((place, codec), column) in captured.zip(&built.described.columns).filter(|(_, column)| column.in_value) {
            let treatment = column.rule.as_ref().and_then(|rule| rule.treatment.as_ref());
            let shown = |value: &Value| match treatment {
                None => value.clone(),
                Some(treatment) => treatment.apply(ValueRef::Shared(value)).to_value(),
            };
            let selectable = Selectable {
                name: &column.name,
                schema: &column.schema,
                may_be_absent: codec.may_be_absent(),
                absent: codec.shown_when_absent().map(shown),
                null: shown(codec.shown_for_null()),
            };
            if let Some(when) = processor.when(&table, &selectable, &self.modes.placeholder) {
                columns.push(Candidate { place: place as u16, when, codec: codec.clone() });
            }
        }
        if columns.is_empty() {
            return None;
        }
        let place = |name: &String| relation.columns.iter().position(|column| column.name == *name);
        let key_places: Vec<u16> = if processor.is_by_event_key() {
            built.wire_key.clone()
        } else {
            own_key.iter().filter_map(place).map(|place| place as u16).collect()
        };
        let key: Vec<_> = key_places.iter().map(|place| &relation.columns[usize::from(*place)]).collect();
        let types = key.iter().map(|column| {
            let of = self.catalogue.get(column.oid).map(|of| (of.schema.as_str(), of.name.as_str()));
            (column.name.as_str(), of)
        });
        let types: Vec<KeyColumn<'_>> = types.collect();
        let query = (!types.is_empty()).then(|| ByKey::new(&relation.schema, &relation.table, &types));
        let key = key.iter().map(|column| column.name.clone()).collect();
        Some(Plan { processor: processor.clone(), table, columns, key, key_places, query })
    }
}

#[cfg(test)]
mod tests;
