//! A thousand tables that are seen for the first time at once.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::join_all;

use std::time::Duration;

use super::*;

/// Each schema is registered once, however many ask for it, with few requests at a time, although the registry answers
/// 429 to some of them.
#[tokio::test]
async fn each_schema_is_registered_once() {
    let (taken, now, most) = (
        Arc::new(Mutex::new(HashMap::<String, usize>::new())),
        Arc::new(AtomicUsize::new(0)),
        Arc::new(AtomicUsize::new(0)),
    );
    let (registrations, asked) = (Arc::clone(&taken), AtomicUsize::new(0));
    let stub = Stub::start(move |request| {
        if asked.fetch_add(1, Ordering::Relaxed) % 20 == 19 {
            return Reply::error(429, 42900, "too many requests");
        }
        let mut taken = registrations.lock().unwrap();
        let next = taken.len() + 1;
        *taken.entry(request.path.clone()).or_default() += 1;
        Reply::json(200, &format!(r#"{{"id":{next}}}"#)).after(Duration::from_millis(5))
    })
    .await;
    let registry = confluent(&stub.url(), &[]);
    let one = |number: usize| {
        let (registry, now, most) = (registry.clone(), Arc::clone(&now), Arc::clone(&most));
        async move {
            let document = avro(&format!(r#"{{"type":"record","name":"r{number}","fields":[]}}"#));
            loop {
                most.fetch_max(now.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
                let outcome = registry.resolve(&format!("t{number}"), false, None, &document).await;
                now.fetch_sub(1, Ordering::Relaxed);
                match outcome {
                    Ok(registered) => return registered.id,
                    Err(error) => assert!(error.is_transient(), "{error:?}"),
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    };
    let ids = join_all((0..3000).map(|number| one(number % 1000))).await;
    let taken = taken.lock().unwrap();
    assert_eq!(taken.len(), 1000);
    assert!(taken.values().all(|times| *times == 1), "registered more than once");
    assert!(most.load(Ordering::Relaxed) >= 1000, "they were to ask at the same time");
    for number in 0..1000 {
        assert!(ids[number] == ids[number + 1000] && ids[number] == ids[number + 2000]);
    }
}

/// So many requests are under way at once, and not more.
#[tokio::test]
async fn requests_under_way_are_bounded() {
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (listener, seen) = (tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap(), Arc::clone(&most));
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = axum::Router::new().fallback(move || {
        let (now, most) = (Arc::clone(&now), Arc::clone(&most));
        async move {
            most.fetch_max(now.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
            tokio::time::sleep(Duration::from_millis(20)).await;
            now.fetch_sub(1, Ordering::Relaxed);
            r#"{"id":1}"#
        }
    });
    let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    let registry = confluent(&url, &[]);
    let topics: Vec<String> = (0..100).map(|number| number.to_string()).collect();
    let document = avro("\"int\"");
    for outcome in join_all(topics.iter().map(|topic| registry.resolve(topic, false, None, &document))).await {
        outcome.unwrap();
    }
    assert_eq!(seen.load(Ordering::Relaxed), AT_ONCE);
    server.abort();
}
