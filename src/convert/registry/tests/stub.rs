//! An HTTP server on loopback that answers as a test says, and remembers what it was asked. It ends when it is dropped.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Request};
use axum::response::Response;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A request that came.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) method: String,
    /// The path and the query.
    pub(super) path: String,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
}

impl Asked {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

/// An answer.
#[derive(Clone, Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) content_type: &'static str,
    pub(super) location: Option<String>,
    pub(super) body: String,
    pub(super) after: Duration,
}

impl Reply {
    pub(super) fn new(status: u16, content_type: &'static str, body: &str) -> Self {
        Self { status, content_type, location: None, body: body.to_owned(), after: Duration::ZERO }
    }

    pub(super) fn json(status: u16, body: &str) -> Self {
        Self::new(status, "application/vnd.schemaregistry.v1+json", body)
    }

    /// An error as registries answer it.
    pub(super) fn error(status: u16, code: i64, message: &str) -> Self {
        Self::json(status, &serde_json::json!({ "error_code": code, "message": message }).to_string())
    }

    pub(super) fn redirect(status: u16, location: &str) -> Self {
        Self { location: Some(location.to_owned()), ..Self::new(status, "text/html", "<html>moved</html>") }
    }

    pub(super) fn after(self, after: Duration) -> Self {
        Self { after, ..self }
    }
}

/// The server.
pub(super) struct Stub {
    port: u16,
    asked: Arc<Mutex<Vec<Asked>>>,
    task: JoinHandle<()>,
}

impl Stub {
    pub(super) async fn start(answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (port, asked) = (listener.local_addr().unwrap().port(), Arc::new(Mutex::new(Vec::new())));
        let router = router(answer, Arc::clone(&asked));
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { port, asked, task }
    }

    /// The address by its number.
    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(super) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    pub(super) fn times(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

impl Drop for Stub {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The routes of a stub: each request is noted and answered.
pub(super) fn router(
    answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static,
    notes: Arc<Mutex<Vec<Asked>>>,
) -> Router {
    let answer = Arc::new(answer);
    Router::new().fallback(move |request: Request<Body>| {
        let (answer, notes) = (Arc::clone(&answer), Arc::clone(&notes));
        async move {
            let (parts, body) = request.into_parts();
            let body: Bytes = axum::body::to_bytes(body, 1 << 20).await.unwrap();
            let asked = Asked {
                method: parts.method.to_string(),
                path: parts.uri.path_and_query().map_or_else(String::new, ToString::to_string),
                headers: parts.headers,
                body: String::from_utf8_lossy(&body).into_owned(),
            };
            let reply = answer(&asked);
            notes.lock().unwrap().push(asked);
            tokio::time::sleep(reply.after).await;
            let mut response = Response::builder().status(reply.status).header("content-type", reply.content_type);
            if let Some(location) = &reply.location {
                response = response.header("location", location);
            }
            response.body(Body::from(reply.body)).unwrap()
        }
    })
}
