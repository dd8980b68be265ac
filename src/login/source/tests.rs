#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::cell::Cell;

use super::*;
use crate::login::{MskIam, Refresh};

fn source() -> Source {
    let refresh = Refresh { jitter: 0.0, min_period_s: 0, buffer_s: 0, ..Refresh::default() };
    Source::new(Login::MskIam(MskIam { region: "r".to_owned(), profile: None, role: None, refresh }))
}

fn fetched(token: &str, life_ms: i64) -> Fetched {
    let (token, now) = (token.to_owned(), now_ms());
    Fetched { token, principal: "p".to_owned(), issued_ms: None, expires_ms: now + life_ms }
}

/// Ages the last failure, as if so much time had passed.
fn age(source: &Source, by: Duration) {
    if let Some(failed) = lock(&source.failed).as_mut() {
        failed.at = failed.at.checked_sub(by).unwrap();
    }
}

#[test]
fn a_token_is_fetched_once_until_it_is_to_be_replaced() {
    let (source, fetches) = (source(), Cell::new(0));
    let ask = |life_ms| {
        source.token_by(|_| {
            fetches.set(fetches.get() + 1);
            Ok(fetched(&format!("t{}", fetches.get()), life_ms))
        })
    };
    let first = ask(100_000).unwrap();
    assert_eq!((first.token.as_str(), first.principal_name.as_str()), ("t1", "p"));
    // librdkafka asks after four fifths of the time that it is told, and is to ask after 80 s.
    let left_ms = first.lifetime_ms - now_ms();
    assert!((99_000..=100_001).contains(&left_ms), "{left_ms}");
    assert_eq!(ask(100_000).unwrap().token, "t1");
    lock(&source.held).as_mut().unwrap().refresh_ms = now_ms();
    assert_eq!(ask(100_000).unwrap().token, "t2");
}

/// A failure while the old token still lives is told by nobody's connection, and is over when a token comes again.
#[test]
fn an_old_token_serves_while_there_is_no_new_one() {
    let source = source();
    source.token_by(|_| Ok(fetched("old", 50_000))).unwrap();
    lock(&source.held).as_mut().unwrap().refresh_ms = now_ms();
    let old = source.token_by(|_| Err(Failure::passing("it is away"))).unwrap();
    let left_ms = old.lifetime_ms - now_ms();
    assert!(old.token == "old" && (11_000..=12_501).contains(&left_ms), "it is asked for again soon: {left_ms}");
    assert_eq!(source.trouble().as_deref(), Some("it is away"));
    age(&source, REMEMBER);
    assert_eq!(source.token_by(|_| Ok(fetched("new", 50_000))).unwrap().token, "new");
    assert_eq!(source.trouble(), None);
}

#[test]
fn a_failure_answers_those_who_ask_at_the_same_time() {
    let source = source();
    let failed = |reason: &'static str| move |_: &Login| Err(Failure::lasting(reason));
    assert_eq!(source.token_by(failed("one")).err().as_deref(), Some("one"));
    assert_eq!(source.token_by(failed("two")).err().as_deref(), Some("one"));
    age(&source, REMEMBER);
    assert_eq!(source.token_by(failed("two")).err().as_deref(), Some("two"));
    assert_eq!(source.token_by(|_| Ok(fetched("new", 50_000))).err().as_deref(), Some("two"));
    age(&source, REMEMBER);
    assert!(source.token_by(|_| Ok(fetched("new", 50_000))).is_ok());
}

#[test]
fn a_token_that_has_expired_is_none() {
    let failed = source().token_by(|_| Ok(fetched("old", -1))).err().unwrap();
    assert!(failed.contains("check the clocks"), "{failed}");
    // And one that was held.
    let source = source();
    source.token_by(|_| Ok(fetched("old", 1))).unwrap();
    std::thread::sleep(Duration::from_millis(2));
    assert_eq!(source.token_by(|_| Err(Failure::passing("away"))).err().as_deref(), Some("away"));
}
