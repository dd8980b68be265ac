//! Sends spans to the collector: takes them from the queue in batches, tries again what may pass, and drops and counts what
//! the collector does not take in time.
//!
//! One tokio task does all of it. While it waits for the collector, spans wait in the queue, and when that is full they are
//! dropped where they end: nothing of the daemon ever waits here. The log says once that the collector is away, and once that it
//! is back.
//!
//! Must not know: what spans are about.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use http::header::{CONTENT_TYPE, RETRY_AFTER, USER_AGENT};
use reqwest::redirect::Policy;
use reqwest::{Client, Response};
use retry::Backoff;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until, timeout_at};

use super::settings::{Exporting, Hidden};
use super::span::{Ended, Name, Value};
use super::{Counts, Shared, Tracer, otlp, tls};

/// The first and the longest pause between two attempts of an export.
const PAUSES: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(5));
/// How much of an answer is read at most; what matters is in the first few bytes.
const ANSWER_BYTES: usize = 64 * 1024;
/// How long the stop of the daemon may wait for the collector.
const FAREWELL: Duration = Duration::from_secs(5);

/// Why spans cannot be exported at all.
#[derive(Debug, thiserror::Error)]
#[error("worker setting {key}: {reason}")]
pub struct TraceError {
    /// Name of the setting.
    pub key: &'static str,
    /// What is wrong with it, and how to correct it.
    pub reason: String,
}

/// Waits until the spans that have ended are sent.
#[derive(Debug)]
pub struct Flusher {
    stop: watch::Sender<bool>,
    done: JoinHandle<()>,
}

impl Flusher {
    /// Sends what waits, within 5 s and at the latest until `deadline`. Spans that end later are dropped.
    pub async fn flush(mut self, deadline: Instant) {
        self.stop.send_replace(true);
        let until = deadline.min(Instant::now() + FAREWELL);
        if timeout_at(until, &mut self.done).await.is_err() {
            self.done.abort();
            tracing::warn!("the collector of traces did not take the last spans in time: they are dropped");
        }
    }
}

/// Starts the exporter; without settings traces are off. `worker_id` tells this process from others of its service.
///
/// # Errors
/// When a file with certificates cannot be used.
pub fn start(settings: Option<Exporting>, worker_id: &str) -> Result<(Tracer, Option<Flusher>), TraceError> {
    let Some(settings) = settings else { return Ok((Tracer::default(), None)) };
    let tls = tls::client_config(&settings)?;
    let client = Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(Policy::none())
        .no_proxy()
        .connect_timeout(settings.timeout)
        .timeout(settings.timeout)
        .build()
        .map_err(|error| TraceError { key: "otel.exporter.otlp.endpoint", reason: error.to_string() })?;
    let (queue, ended) = mpsc::channel(settings.queue);
    let (stop, stopping) = watch::channel(false);
    let counts = Arc::<Counts>::default();
    let shared =
        Shared { sampler: settings.sampler, propagates: settings.propagates, queue, counts: Arc::clone(&counts) };
    tracing::info!("spans are exported to {} as service {}", settings.url.place(), settings.service);
    let exporter = Exporter {
        resource: otlp::resource(&resource(&settings, worker_id)),
        client,
        url: settings.url,
        headers: settings.headers,
        delay: settings.delay,
        batch: settings.batch,
        patience: settings.patience,
        ended,
        stopping,
        counts,
        is_away: false,
        dropped: 0,
        told_of_full: false,
    };
    let done = tokio::spawn(exporter.run());
    Ok((Tracer(Some(Arc::new(shared))), Some(Flusher { stop, done })))
}

/// What is said of this process. What the settings say counts more than what is known by itself.
fn resource(settings: &Exporting, worker_id: &str) -> Vec<(Name, Value)> {
    let set = settings.attributes.iter().map(|(name, value)| (Name::from(name.clone()), Value::from(value.clone())));
    let mut all: Vec<(Name, Value)> =
        std::iter::once(("service.name".into(), settings.service.clone().into())).chain(set).collect();
    let own: [(&'static str, Value); 5] = [
        ("service.version", env!("CARGO_PKG_VERSION").into()),
        ("service.instance.id", worker_id.to_owned().into()),
        ("telemetry.sdk.name", "afterimage".into()),
        ("telemetry.sdk.language", "rust".into()),
        ("telemetry.sdk.version", env!("CARGO_PKG_VERSION").into()),
    ];
    for (name, value) in own {
        if all.iter().all(|(known, _)| known != name) {
            all.push((name.into(), value));
        }
    }
    all
}

struct Exporter {
    client: Client,
    url: Hidden,
    headers: http::HeaderMap,
    resource: Vec<u8>,
    delay: Duration,
    batch: usize,
    patience: Duration,
    ended: mpsc::Receiver<Ended>,
    stopping: watch::Receiver<bool>,
    counts: Arc<Counts>,
    /// Whether the last export failed, which the log has said.
    is_away: bool,
    /// Spans that were dropped since the last export that did not fail.
    dropped: u64,
    /// Whether the log has said that the queue was full.
    told_of_full: bool,
}

/// Why an attempt failed.
struct Attempt {
    why: String,
    /// Whether the same may succeed later.
    may_pass: bool,
    /// How long the collector wants to be left alone.
    after: Option<Duration>,
}

impl Exporter {
    async fn run(mut self) {
        let mut spans = Vec::with_capacity(self.batch);
        loop {
            let goes_on = self.gather(&mut spans).await;
            if !spans.is_empty() {
                self.export(&spans).await;
                spans.clear();
            }
            if !goes_on {
                return;
            }
        }
    }

    /// Takes spans until there are enough, or the delay is over. False when no more come.
    async fn gather(&mut self, spans: &mut Vec<Ended>) -> bool {
        let due = Instant::now() + self.delay;
        let mut stops = self.is_stopping();
        loop {
            if stops {
                // What waits in the queue can still be taken.
                self.ended.close();
            }
            let room = self.batch - spans.len();
            if room == 0 {
                return true;
            }
            tokio::select! {
                biased;
                taken = self.ended.recv_many(spans, room) => if taken == 0 {
                    return false;
                },
                _ = self.stopping.wait_for(|stop| *stop), if !stops => stops = true,
                () = sleep_until(due), if !stops => return true,
            }
        }
    }

    /// Whether the daemon stops. That the sender is gone is a stop too.
    fn is_stopping(&self) -> bool {
        *self.stopping.borrow() || self.stopping.has_changed().is_err()
    }

    async fn export(&mut self, spans: &[Ended]) {
        let count = spans.len() as u64;
        let body = Bytes::from(otlp::request(&self.resource, spans));
        let until = Instant::now() + self.patience;
        let mut backoff = Backoff::new(PAUSES.0, PAUSES.1);
        loop {
            let attempt = match timeout_at(until, self.post(body.clone())).await {
                Ok(Ok(rejected)) => return self.exported(count, rejected.min(count)),
                Ok(Err(attempt)) => attempt,
                Err(_) => Attempt { why: "no answer".to_owned(), may_pass: false, after: None },
            };
            self.complain(&attempt.why);
            let pause = attempt.after.unwrap_or_else(|| backoff.pause());
            let again = attempt.may_pass && Instant::now() + pause < until && !self.is_stopping();
            if !again {
                self.counts.failed.fetch_add(count, Ordering::Relaxed);
                self.dropped += count;
                return;
            }
            tokio::select! {
                () = sleep(pause) => {}
                // At the stop there is one more attempt, now.
                _ = self.stopping.wait_for(|stop| *stop) => {}
            }
        }
    }

    /// One attempt. Gives how many spans the collector refused.
    async fn post(&self, body: Bytes) -> Result<u64, Attempt> {
        let failed = |error: reqwest::Error| {
            // The address may hold a password.
            Attempt { why: chain(&error.without_url()), may_pass: true, after: None }
        };
        let call = self
            .client
            .post(self.url.0.clone())
            .headers(self.headers.clone())
            .header(CONTENT_TYPE, "application/x-protobuf")
            .header(USER_AGENT, concat!("afterimage/", env!("CARGO_PKG_VERSION")));
        let answer = call.body(body).send().await.map_err(failed)?;
        let status = answer.status();
        if !status.is_success() {
            // Those that OTLP names as passing.
            let may_pass = matches!(
                status,
                StatusCode::TOO_MANY_REQUESTS
                    | StatusCode::BAD_GATEWAY
                    | StatusCode::SERVICE_UNAVAILABLE
                    | StatusCode::GATEWAY_TIMEOUT
            );
            let after = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
            return Err(Attempt {
                why: format!("it answers {status}"),
                may_pass,
                after: after.map(Duration::from_secs),
            });
        }
        Ok(otlp::rejected(&head(answer).await))
    }

    fn exported(&mut self, count: u64, rejected: u64) {
        self.counts.exported.fetch_add(count - rejected, Ordering::Relaxed);
        self.counts.rejected.fetch_add(rejected, Ordering::Relaxed);
        if std::mem::take(&mut self.is_away) {
            let dropped = std::mem::take(&mut self.dropped);
            tracing::info!(dropped, "the collector of traces takes spans again");
        } else if !self.told_of_full && self.counts.full.load(Ordering::Relaxed) > 0 {
            self.told_of_full = true;
            tracing::warn!(
                "spans end faster than the collector of traces takes them: those for which there is no room are dropped and \
                 counted in afterimage_traces_dropped_spans_total. Raise OTEL_BSP_MAX_QUEUE_SIZE, or record fewer traces with \
                 OTEL_TRACES_SAMPLER. This is said once."
            );
        }
    }

    /// Says that the collector is away, unless that was said.
    fn complain(&mut self, why: &str) {
        if !std::mem::replace(&mut self.is_away, true) {
            tracing::warn!(
                "spans cannot be exported to {}: {why}. Connectors are not held up; spans that cannot wait any longer are \
                 dropped and counted in afterimage_traces_dropped_spans_total. This is said once until the collector takes \
                 spans again.",
                self.url.place()
            );
        }
    }
}

/// The first bytes of an answer. One that breaks off, or is in another form, says nothing.
async fn head(mut answer: Response) -> Vec<u8> {
    let mut bytes = Vec::new();
    while bytes.len() < ANSWER_BYTES
        && let Ok(Some(chunk)) = answer.chunk().await
    {
        bytes.extend_from_slice(&chunk);
    }
    bytes
}

/// An error with what is behind it.
fn chain(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut behind = std::error::Error::source(error);
    while let Some(cause) = behind {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        behind = cause.source();
    }
    text
}
