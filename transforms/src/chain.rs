//! A connector's transforms in the order in which they run, each with its predicate.
//!
//! Must not know: what the transforms do.

use std::sync::{Arc, PoisonError};

use record::{Follower, Payload, Record};
use settings::{Finding, Invalid, Properties};

use crate::error::{Refusal, java, refusals};
use crate::{Connector, Predicate, PredicateKind, Transform, TransformError, table};

/// A connector's transforms.
#[derive(Default)]
pub struct Chain {
    links: Vec<Link>,
    /// The class of the transform that was applied last.
    last: &'static str,
    /// If the last record with a value was a delete with a tombstone behind it: its topic, and what was appended to its
    /// headers in place. Debezium gives both records one list of headers, so the tombstone shows these headers too.
    delete: Option<(Arc<str>, Follower)>,
}

struct Link {
    /// The transform's Java class.
    class: &'static str,
    transform: Box<dyn Transform>,
    /// A predicate and whether it is negated: the transform runs when the predicate's answer differs from this flag.
    /// `None`: the transform always runs.
    predicate: Option<(Predicate, bool)>,
}

impl std::fmt::Debug for Chain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Chain").field("links", &self.links.len()).finish_non_exhaustive()
    }
}

/// The aliases that the key `transforms` or `predicates` lists, or the complaint that one of them is listed twice.
fn aliases(properties: &Properties, key: &str) -> Result<Vec<String>, Invalid> {
    let text = properties.get(key).unwrap_or_default().trim();
    let list: Vec<String> =
        if text.is_empty() { Vec::new() } else { text.split(',').map(|alias| alias.trim().to_owned()).collect() };
    if list.iter().enumerate().any(|(i, alias)| list[..i].contains(alias)) {
        let (list, key) = (list.join(", "), key.to_owned());
        let message = format!("Invalid value [{list}] for configuration {key}: Duplicate alias provided.");
        return Err(Invalid::new(key, message));
    }
    Ok(list)
}

/// The properties under `prefix`, without it.
fn options(properties: &Properties, prefix: &str) -> Properties {
    properties.under(prefix).collect()
}

/// The class named by the key `<prefix>type`, or the complaint that the key is missing.
fn class<'a>(properties: &'a Properties, prefix: &str) -> Result<&'a str, Invalid> {
    let key = format!("{prefix}type");
    let missing = || {
        let message = format!("Missing required configuration \"{key}\" which has no default value.");
        Invalid::new(key.clone(), message)
    };
    properties.get(&key).map(str::trim).ok_or_else(missing)
}

fn unknown(prefix: &str, class: &str) -> Invalid {
    let key = format!("{prefix}type");
    let message = format!("Invalid value {class} for configuration {key}: Class {class} could not be found.");
    Invalid::new(key, message)
}

/// The refusals with `prefix` before their keys. The messages keep the short names, as Connect's do.
fn prefixed(prefix: &str, refusals: Vec<Refusal>) -> impl Iterator<Item = Refusal> {
    refusals.into_iter().map(move |refusal| {
        let key = format!("{prefix}{}", refusal.invalid.key);
        Refusal { invalid: Invalid::new(key, refusal.invalid.message), ..refusal }
    })
}

fn predicate(properties: &Properties, name: &str) -> Result<Predicate, Vec<Refusal>> {
    let prefix = format!("predicates.{name}.");
    let class = class(properties, &prefix).map_err(|missing| vec![missing.into()])?;
    let kind = PredicateKind::find(class).ok_or_else(|| vec![unknown(&prefix, class).into()])?;
    let made = kind.create(&options(properties, &prefix));
    made.map_err(|complaints| prefixed(&prefix, refusals(complaints)).collect())
}

fn link(properties: &Properties, alias: &str, predicates: &[(String, Predicate)]) -> Result<Link, Vec<Refusal>> {
    let prefix = format!("transforms.{alias}.");
    let class = class(properties, &prefix).map_err(|missing| vec![missing.into()])?;
    let kind = table::find(class).ok_or_else(|| {
        let named = table::abstract_class(class).map(|message| Invalid::new(format!("{prefix}type"), message));
        vec![named.unwrap_or_else(|| unknown(&prefix, class)).into()]
    })?;
    let mut own = options(properties, &prefix);
    let wanted = own.get("predicate").map(|name| name.trim().to_owned());
    // Java's parseBoolean: anything but "true" is false.
    let negate = own.get("negate").map(|text| text.eq_ignore_ascii_case("true"));
    own.remove("predicate");
    own.remove("negate");
    let mut complaints = Vec::new();
    if negate.is_some() && wanted.is_none() {
        let message = format!(
            "Config '{prefix}negate' was provided but there is no config '{prefix}predicate' defining a predicate to be negated."
        );
        complaints.push(Invalid::new(format!("{prefix}type"), message).into());
    }
    let found = wanted.as_ref().and_then(|name| predicates.iter().find(|(known, _)| known == name));
    if let Some(name) = wanted.as_ref().filter(|_| found.is_none()) {
        // Connect's own text for an undeclared predicate, which it wraps twice.
        let message = format!("{}: Unknown configuration 'predicates.{name}.plugin.version'", java::CONFIG);
        complaints.push(Refusal::new(java::CONNECT, &format!("{prefix}predicate"), message));
    }
    let transform = match kind.create(&own) {
        Ok(transform) if complaints.is_empty() => transform,
        made => {
            complaints.extend(made.err().into_iter().flat_map(|wrong| prefixed(&prefix, wrong)));
            return Err(complaints);
        }
    };
    Ok(Link {
        class: kind.class,
        transform,
        predicate: found.map(|(_, predicate)| (predicate.clone(), negate.unwrap_or(false))),
    })
}

impl Chain {
    /// Builds the chain from a connector's whole config: `transforms`, `transforms.A.…`, `predicates`,
    /// `predicates.P.…`.
    ///
    /// # Errors
    /// All refusals, each with the key under which validation shows it.
    pub fn build(properties: &Properties) -> Result<Self, Vec<Refusal>> {
        let mut complaints = Vec::new();
        let mut list = |key| {
            aliases(properties, key).unwrap_or_else(|twice| {
                complaints.push(twice.into());
                Vec::new()
            })
        };
        let (names, declared) = (list("transforms"), list("predicates"));
        let mut predicates = Vec::new();
        for name in declared {
            match predicate(properties, &name) {
                Ok(predicate) => predicates.push((name, predicate)),
                Err(wrong) => complaints.extend(wrong),
            }
        }
        let mut links = Vec::new();
        for alias in names {
            match link(properties, &alias, &predicates) {
                Ok(link) => links.push(link),
                Err(wrong) => complaints.extend(wrong),
            }
        }
        if complaints.is_empty() { Ok(Self { links, ..Self::default() }) } else { Err(complaints) }
    }

    /// Remarks on options of the transforms that are accepted but have no effect.
    pub fn warnings(properties: &Properties) -> Vec<Finding> {
        let mut findings = Vec::new();
        for alias in aliases(properties, "transforms").unwrap_or_default() {
            let prefix = format!("transforms.{alias}.");
            let kind = class(properties, &prefix).ok().and_then(table::find);
            for finding in kind.into_iter().flat_map(|kind| kind.warnings(&options(properties, &prefix))) {
                findings.push(Finding { key: format!("{prefix}{}", finding.key), ..finding });
            }
        }
        findings
    }

    /// The Java class of the transform that ran last. After a failed [`apply`](Self::apply) this is the one that
    /// failed; error messages name it.
    pub fn failed_class(&self) -> &'static str {
        self.last
    }

    /// Tells the transforms whose records they will see. A chain that is only checked and never run needs no connector.
    pub fn attach(&mut self, connector: &Connector) {
        self.links.iter_mut().for_each(|link| link.transform.attach(connector));
    }

    /// Whether there are no transforms.
    pub fn is_empty(&self) -> bool {
        self.links.is_empty()
    }

    /// Sends a record through all transforms; returns `None` when one of them drops it. The caller must pass a
    /// tombstone directly after its delete, because a transform may copy to the tombstone what it added to the delete.
    ///
    /// # Errors
    /// The error of the first transform or predicate that fails; [`failed_class`](Self::failed_class) then names the
    /// transform.
    pub fn apply<'a>(&mut self, record: Record<'a>) -> Result<Option<Record<'a>>, TransformError> {
        let mut record = record;
        self.join_headers(&mut record);
        for link in &mut self.links {
            self.last = link.class;
            if let Some((predicate, negate)) = &link.predicate
                && predicate.test(&record)? == *negate
            {
                continue;
            }
            match link.transform.apply(record)? {
                Some(next) => record = next,
                None => return Ok(None),
            }
        }
        Ok(Some(record))
    }

    /// Lets a delete's tombstone follow it, and gives the tombstone what was appended to the delete's headers in place.
    fn join_headers(&mut self, record: &mut Record<'_>) {
        if record.value.is_null() {
            if let Some((_, follower)) = self.delete.as_ref().filter(|(topic, _)| *topic == record.topic) {
                record.headers.extend(follower.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned());
            }
            return;
        }
        self.delete = None;
        if let Payload::View(_, Some(decoded), _) = &record.value
            && decoded.change.tombstone
        {
            let follower = Follower::default();
            record.headers.followed_by(&follower);
            self.delete = Some((Arc::clone(&record.topic), follower));
        }
    }
}

#[cfg(test)]
mod tests {
    use record::Payload;

    use super::*;

    fn properties(more: &[(&str, &str)]) -> Properties {
        let route = [
            ("transforms", "route"),
            ("transforms.route.type", "org.apache.kafka.connect.transforms.RegexRouter"),
            ("transforms.route.regex", r"a\.(.*)"),
            ("transforms.route.replacement", "$1"),
        ];
        route.iter().chain(more).copied().collect()
    }

    #[track_caller]
    fn check(more: &[(&str, &str)], expect: Result<&str, &str>) {
        let record = Record {
            topic: "a.b".into(),
            partition: None,
            timestamp_ms: None,
            key: Payload::Null,
            value: Payload::Null,
            headers: record::Headers::default(),
        };
        let sent = Chain::build(&properties(more))
            .map(|mut chain| chain.apply(record).unwrap().unwrap().topic.to_string())
            .map_err(|wrong| {
                wrong.iter().map(|w| format!("{}|{}", w.invalid.key, w.invalid.message)).collect::<Vec<_>>().join("\n")
            });
        assert_eq!(sent, expect.map(str::to_owned).map_err(str::to_owned));
    }

    #[test]
    fn chains() {
        const PREDICATE: (&str, &str) = ("transforms.route.predicate", "p");
        const NEGATE: (&str, &str) = ("transforms.route.negate", "true");
        let tombstone = [("predicates", "p"), ("predicates.p.type", "RecordIsTombstone"), PREDICATE];
        let topic =
            [("predicates", "p"), ("predicates.p.type", "TopicNameMatches"), ("predicates.p.pattern", "a"), PREDICATE];
        check(&[], Ok("b"));
        check(&tombstone, Ok("b"));
        check(&[&tombstone[..], &[NEGATE]].concat(), Ok("a.b"));
        check(&topic, Ok("a.b"));
        check(&[&topic[..], &[NEGATE]].concat(), Ok("b"));
        check(
            &[NEGATE],
            Err(
                "transforms.route.type|Config 'transforms.route.negate' was provided but there is no config 'transforms.route.predicate' defining a predicate to be negated.",
            ),
        );
        check(
            &[("transforms", "route, route")],
            Err("transforms|Invalid value [route, route] for configuration transforms: Duplicate alias provided."),
        );
        // Debezium's and Kafka's classes find out at the start of the task, and so does a chain.
        check(
            &[PREDICATE],
            Err(
                "transforms.route.predicate|org.apache.kafka.common.config.ConfigException: Unknown configuration 'predicates.p.plugin.version'",
            ),
        );
        check(
            &[("transforms.route.type", "No")],
            Err(
                "transforms.route.type|Invalid value No for configuration transforms.route.type: Class No could not be found.",
            ),
        );
    }

    /// Runs an example of a whole chain.
    #[track_caller]
    fn chain(options: &[(&str, &str)], steps: &str) {
        let options: serde_json::Map<_, _> =
            options.iter().map(|(key, value)| ((*key).to_owned(), (*value).into())).collect();
        crate::example::check("RegexRouter", &format!("{}\n{steps}", serde_json::Value::Object(options)));
    }

    const ROUTE: [(&str, &str); 3] = [
        ("transforms.route.type", "org.apache.kafka.connect.transforms.RegexRouter"),
        ("transforms.route.regex", "srv\\.public\\.(.*)"),
        ("transforms.route.replacement", "$1"),
    ];

    /// The usual chain: rows are flattened, and the topic gets the table's name. Other records pass it.
    #[test]
    fn rows_are_flattened_and_routed() {
        let unwrap = [
            ("transforms", "unwrap,route"),
            ("transforms.unwrap.type", "io.debezium.transforms.ExtractNewRecordState"),
            ("transforms.unwrap.predicate", "isData"),
            ("transforms.unwrap.negate", "false"),
            ("predicates", "isData"),
            ("predicates.isData.type", "org.apache.kafka.connect.transforms.predicates.TopicNameMatches"),
            ("predicates.isData.pattern", "srv\\.public\\..*"),
        ];
        chain(
            &[&unwrap[..], &ROUTE].concat(),
            r#"{"topic": "srv.public.orders", "key": {"id": 1}, "value": {"op": "c", "after": {"id": 1}}}
            => {"topic": "orders", "value": {"id": 1}}
            {"topic": "srv.public.orders", "key": {"id": 1}, "value": null} => dropped
            {"topic": "srv.other.orders", "key": {"id": 1}, "value": {"op": "c", "after": {"id": 1}}} => {}
            {"topic": "srv.other.orders", "key": {"id": 1}, "value": null} => {}
            {"topic": "__debezium-heartbeat.srv", "value": {"ts_ms": 1}} => {}"#,
        );
    }

    /// A predicate looks at what the transforms before it made of the record, here at its new topic.
    #[test]
    fn predicates_see_what_came_before() {
        for (pattern, headers) in [("orders", r#"[["h", 1]]"#), ("srv\\.public\\.orders", "[]"), ("order", "[]")] {
            let mark = [
                ("transforms", "route,mark"),
                ("transforms.mark.type", "InsertHeader"),
                ("transforms.mark.header", "h"),
                ("transforms.mark.value.literal", "1"),
                ("transforms.mark.predicate", "p"),
                ("predicates", "p"),
                ("predicates.p.type", "TopicNameMatches"),
                ("predicates.p.pattern", pattern),
            ];
            chain(
                &[&mark[..], &ROUTE].concat(),
                &format!(r#"{{"topic": "srv.public.orders"}} => {{"topic": "orders", "headers": {headers}}}"#),
            );
        }
    }

    #[test]
    fn headers_are_asked_for_by_their_whole_names() {
        let drop = [
            ("transforms", "drop"),
            ("transforms.drop.type", "org.apache.kafka.connect.transforms.Filter"),
            ("transforms.drop.predicate", "p"),
            ("predicates", "p"),
            ("predicates.p.type", "HasHeaderKey"),
            ("predicates.p.name", "__op"),
        ];
        chain(
            &drop,
            r#"{"topic": "t", "headers": [["a", 1], ["__op", null]]} => dropped
            {"topic": "t", "headers": [["__OP", 1], ["__op2", 1]]} => {}
            {"topic": "t"} => {}"#,
        );
    }

    /// What is dropped does not reach the transforms behind, which would fail here: the record has no timestamp.
    #[test]
    fn a_dropped_record_ends_the_chain() {
        let types = [
            ("transforms.drop.type", "org.apache.kafka.connect.transforms.Filter"),
            ("transforms.time.type", "org.apache.kafka.connect.transforms.TimestampRouter"),
        ];
        for (order, outcome) in
            [("drop,time", "dropped"), ("time,drop", "fails: Timestamp missing on record: of topic t")]
        {
            chain(&[&[("transforms", order)], &types[..]].concat(), &format!(r#"{{"topic": "t"}} => {outcome}"#));
        }
    }
}
