//! The properties of a producer whose records go in transactions (exactly once, KIP-618).
//!
//! As in Connect, settings that would break the guarantee are replaced, with a warning, and not refused: a connector that ran at
//! least once must start when its worker is switched to exactly once.

use std::time::Duration;

use super::properties::{Mapped, Properties, number, producer};

/// How long a transaction may last unless `transaction.timeout.ms` says otherwise, as in Java's client.
pub const USUAL_TIMEOUT: Duration = Duration::from_secs(60);

/// As [`producer`], for transactions under the transactional id `id`. A transaction may last for `timeout` unless the
/// properties set `transaction.timeout.ms`. Returns the mapped properties and how long a transaction may last.
pub fn transactional_producer(
    bootstrap_servers: &str,
    worker: &Properties,
    connector: &Properties,
    id: &str,
    timeout: Duration,
) -> (Mapped, Duration) {
    let mut mapped = producer(bootstrap_servers, worker, connector);
    let get = |name: &str| connector.get(name).or_else(|| worker.get(name)).map(|value| value.trim());
    for (name, kept, value) in [
        ("transactional.id", &[][..], id),
        ("enable.idempotence", &["true", "TRUE", "True"][..], "true"),
        ("acks", &["all", "-1"][..], "all"),
    ] {
        mapped.refusals.retain(|refusal| refusal.name != name);
        mapped.warnings.retain(|(warned, _)| warned != name);
        if let Some(text) = get(name).filter(|text| !kept.contains(text)) {
            mapped.say(name, replaced(name, text, value));
        }
        mapped.set(name, value);
    }
    mapped.warnings.retain(|(warned, _)| warned != "transaction.timeout.ms");
    if get("retries") == Some("0") {
        mapped.warnings.retain(|(warned, _)| warned != "retries");
        mapped.say("retries", replaced("retries", "0", "2147483647"));
        mapped.set("retries", "2147483647");
    }
    let in_flight = mapped.client.get("max.in.flight").and_then(|text| text.parse().ok()).unwrap_or(5);
    mapped.set("max.in.flight", in_flight.min(5).to_string());
    let name = "transaction.timeout.ms";
    let set = get(name).map(|text| Properties::from([(name.to_owned(), text.to_owned())])).unwrap_or_default();
    let timeout_ms = number(&mut mapped, &set, name, 1, i64::from(i32::MAX));
    let timeout_ms = timeout_ms.unwrap_or(timeout.as_millis() as i64).max(1000);
    mapped.set(name, timeout_ms.to_string());
    // A record may not wait longer than its transaction lasts: librdkafka demands it.
    let message_ms = mapped.client.get("message.timeout.ms").and_then(|text| text.parse::<i64>().ok()).unwrap_or(0);
    let message_ms = if message_ms == 0 { timeout_ms } else { message_ms.min(timeout_ms) };
    mapped.set("message.timeout.ms", message_ms.to_string());
    (mapped, Duration::from_millis(timeout_ms as u64))
}

fn replaced(name: &str, text: &str, value: &str) -> String {
    format!(
        "Kafka client property {name}={text} is replaced by {value}: exactly.once.source.support=enabled needs that"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(connector: &[(&str, &str)]) -> (Mapped, Duration) {
        let connector = connector.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        transactional_producer("b:1", &Properties::new(), &connector, "g-c-0", USUAL_TIMEOUT)
    }

    #[track_caller]
    fn check(connector: &[(&str, &str)], expect: &[(&str, &str)], warned: &[&str]) {
        let (mapped, _) = made(connector);
        for (name, value) in expect {
            assert_eq!(mapped.client.get(*name).map(String::as_str), Some(*value), "{connector:?}: {name}");
        }
        let names: Vec<&str> = mapped.warnings.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, warned, "{connector:?}");
        assert!(mapped.refusals.is_empty(), "{connector:?}: {:?}", mapped.refusals);
    }

    #[test]
    fn what_would_break_the_guarantee_is_replaced_with_a_warning() {
        const ALWAYS: &[(&str, &str)] = &[
            ("transactional.id", "g-c-0"),
            ("enable.idempotence", "true"),
            ("acks", "all"),
            ("transaction.timeout.ms", "60000"),
            ("message.timeout.ms", "60000"),
        ];
        check(&[], ALWAYS, &[]);
        check(&[("acks", "1")], ALWAYS, &["acks"]);
        check(&[("acks", "-1"), ("enable.idempotence", "true")], ALWAYS, &[]);
        check(&[("enable.idempotence", "false")], ALWAYS, &["enable.idempotence"]);
        check(&[("transactional.id", "mine")], ALWAYS, &["transactional.id"]);
        check(&[("retries", "0")], &[("retries", "2147483647")], &["retries"]);
        check(&[("max.in.flight.requests.per.connection", "3")], &[("max.in.flight", "3")], &[]);
    }

    #[test]
    fn a_record_waits_no_longer_than_its_transaction_lasts() {
        let ms = |connector: &[(&str, &str)]| {
            let (mapped, timeout) = made(connector);
            (
                mapped.client["message.timeout.ms"].clone(),
                mapped.client["transaction.timeout.ms"].clone(),
                timeout.as_millis(),
            )
        };
        assert_eq!(ms(&[("transaction.timeout.ms", "9000")]), ("9000".to_owned(), "9000".to_owned(), 9000));
        assert_eq!(ms(&[("delivery.timeout.ms", "5000")]), ("5000".to_owned(), "60000".to_owned(), 60_000));
        let (mapped, _) = made(&[("transaction.timeout.ms", "soon")]);
        assert_eq!(mapped.refusals.len(), 1, "{:?}", mapped.refusals);
    }
}
