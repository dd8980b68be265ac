//! The health page of a worker whose loop does not answer.

use std::sync::Arc;

use serde_json::json;

use super::Api;

/// Connect waits 10 s for the thread that does everything. Here the supervisor's loop was running, and is not any more.
#[tokio::test]
async fn a_worker_that_is_stuck() {
    let (api, supervisor) = Api::new();
    let (ownership, stop) = (api.ownership.subscribe(), api.stop.subscribe());
    let run = {
        let supervisor = Arc::clone(&supervisor);
        tokio::spawn(async move { supervisor.run(ownership, stop).await })
    };
    api.until("GET /health", "healthy").await;
    // The loop stops in its tracks, as if it waited for something for ever.
    run.abort();
    assert!(run.await.is_err_and(|error| error.is_cancelled()));
    tokio::time::pause();
    let (status, _, body) = api.call("GET /health", "").await;
    assert_eq!((status, &body["status"]), (500, &json!("unhealthy")));
    let message = body["message"].as_str().expect("a text");
    let begin = "Worker was unable to handle this request and may be unable to handle other requests. The last operation the \
                 worker completed was reading the stored state to its end before taking over the group, which began at ";
    assert!(message.starts_with(begin), "{message}");
    // What is known without the loop is still shown.
    assert_eq!(api.call("GET /connectors", "").await.0, 200);
}
