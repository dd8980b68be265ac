//! Asks a registry over HTTP and tells what came of it: both clients, Confluent's and Apicurio's, send through here.
//!
//! One rule each:
//! - Several addresses: the one that answered last is asked first, and the next ones when it does not answer. A refusal
//!   is an answer, so it is not asked for again elsewhere.
//! - Credentials and headers of the configuration go to the configured addresses only. A redirect to another host is
//!   followed without them, and the method and the body stay what they were.
//! - What is no JSON did not come from a registry but from something before it: it counts as no answer, except where it
//!   says that the credentials are wrong.
//! - An address is shown without user and password, and without a query.
//!
//! There are no pauses here. Who asks decides when to ask again.
//!
//! Must not know: subjects, schemas, what is asked for.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue, LOCATION};
use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, Method, Proxy, Request, StatusCode, Url};
use serde_json::Value;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::Error as RustlsError;

use super::RegistryError;
use super::oauth::Tokens;

/// The longest answer that is read, in bytes.
const LONGEST_ANSWER: usize = 16 << 20;
/// How many redirects are followed.
const HOPS: usize = 5;

/// One address of a registry, without user and password.
#[derive(Clone, Debug)]
pub(super) struct Address {
    pub(super) url: Url,
    pub(super) credentials: Credentials,
}

/// How an address is to be convinced. `Debug` shows no secret: header values are marked as sensitive.
#[derive(Clone, Debug)]
pub(super) enum Credentials {
    /// Not at all.
    None,
    /// The value of the header `Authorization`.
    Header(HeaderValue),
    /// Tokens of an OAuth server.
    Tokens(std::sync::Arc<Tokens>),
}

/// What a transport is made from.
#[derive(Debug)]
pub(super) struct Wiring {
    pub(super) addresses: Vec<Address>,
    /// Headers of each request to a configured address.
    pub(super) headers: HeaderMap,
    pub(super) proxy: Option<Proxy>,
    pub(super) connect_timeout: Duration,
    pub(super) read_timeout: Duration,
}

/// A registry's answer that is JSON, or empty with a status that says so.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) text: String,
}

/// Why there is no such answer.
#[derive(Clone, Debug, thiserror::Error)]
pub(super) enum Failure {
    /// Nobody answered, or somebody who cannot now.
    #[error("{reason}")]
    Unavailable { at: String, reason: String },
    /// The registry said no.
    #[error("{status}: {message}")]
    Refused {
        at: String,
        status: u16,
        /// The registry's own code; the status where it has none.
        code: i64,
        /// The registry's name for the error; empty where it has none.
        name: String,
        message: String,
    },
    /// Asking again does not help, for a reason that has nothing to do with schemas.
    #[error(transparent)]
    Hopeless(#[from] RegistryError),
}

/// Sends requests to the addresses of one registry.
pub(super) struct Transport {
    client: Client,
    wiring: Wiring,
    /// The place of the address that answered last.
    current: AtomicUsize,
}

impl std::fmt::Debug for Transport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Transport").field("wiring", &self.wiring).finish_non_exhaustive()
    }
}

impl Transport {
    /// # Errors
    /// When the settings do not fit together.
    pub(super) fn new(wiring: Wiring, tls: ClientConfig) -> Result<Self, RegistryError> {
        let client = builder(&wiring, tls).build().map_err(|error| {
            let reason = format!("the HTTP client cannot be made: {}", chain(&error));
            RegistryError::setting("proxy.host", reason, "Check the addresses of the registry and of the proxy.")
        })?;
        Ok(Self { client, wiring, current: AtomicUsize::new(0) })
    }

    /// A walk over the addresses, in the order in which to ask them now.
    pub(super) fn walk(&self) -> Walk<'_> {
        Walk { transport: self, left: self.wiring.addresses.len(), failed: None }
    }

    /// The address at a place.
    pub(super) fn address(&self, place: usize) -> &Url {
        &self.wiring.addresses[place].url
    }

    /// The address that is asked first now, to show.
    pub(super) fn shown(&self) -> String {
        shown(self.address(self.current.load(Ordering::Relaxed)))
    }

    /// Makes a request whose answer is JSON, and follows redirects.
    pub(super) async fn send(&self, request: Request) -> Result<Answer, Failure> {
        self.exchange(request, true).await
    }

    /// Makes a request whose answer is a document of any kind, and follows redirects.
    pub(super) async fn text(&self, request: Request) -> Result<String, Failure> {
        self.exchange(request, false).await.map(|answer| answer.text)
    }

    async fn exchange(&self, mut request: Request, is_json: bool) -> Result<Answer, Failure> {
        let at = shown(request.url());
        for _ in 0..=HOPS {
            // Only a request whose body is a stream cannot be copied, and none is.
            let Some(mut sent) = request.try_clone() else {
                return Err(Failure::Unavailable { at, reason: "the request cannot be sent twice".into() });
            };
            self.convince(&mut sent).await?;
            let unavailable = |error: &reqwest::Error| failure(&at, error);
            let response = self.client.execute(sent).await.map_err(|error| unavailable(&error))?;
            let status = response.status();
            if !status.is_redirection() || status == StatusCode::NOT_MODIFIED {
                let text = text(response).await.map_err(|error| match error {
                    Unread::Broken(error) => unavailable(&error),
                    Unread::TooLong => {
                        Failure::Unavailable { at: at.clone(), reason: "the answer is too long".to_owned() }
                    }
                })?;
                return judge(&at, status, text, is_json);
            }
            let target = response.headers().get(LOCATION).and_then(|to| to.to_str().ok());
            let Some(target) = target.and_then(|to| request.url().join(to).ok()) else {
                return Err(Failure::Unavailable { at, reason: format!("{status} without a target") });
            };
            if status == StatusCode::SEE_OTHER || !matches!(target.scheme(), "http" | "https") {
                return Err(redirected(&at, &target));
            }
            *request.url_mut() = target;
        }
        Err(redirected(&at, request.url()))
    }

    /// Adds credentials and headers when the request goes to a configured address.
    async fn convince(&self, request: &mut Request) -> Result<(), Failure> {
        let origin = request.url().origin();
        let Some(address) = self.wiring.addresses.iter().find(|address| address.url.origin() == origin) else {
            return Ok(());
        };
        let authorization = match &address.credentials {
            Credentials::None => None,
            Credentials::Header(value) => Some(value.clone()),
            Credentials::Tokens(tokens) => Some(tokens.header(&self.client).await?),
        };
        let headers = request.headers_mut();
        if let Some(authorization) = authorization {
            headers.insert(AUTHORIZATION, authorization);
        }
        for (name, value) in &self.wiring.headers {
            headers.insert(name, value.clone());
        }
        Ok(())
    }

    /// A request to the address at `place`: its path, then `path`, whose parts are encoded here.
    pub(super) fn request(&self, place: usize, method: Method, path: &[&str], query: &[(&str, &str)]) -> Request {
        let mut url = self.address(place).clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        Request::new(method, url)
    }
}

/// Asks one address after the other until one answers.
pub(super) struct Walk<'a> {
    transport: &'a Transport,
    left: usize,
    failed: Option<Failure>,
}

impl Walk<'_> {
    /// The place of the next address to ask.
    pub(super) fn next(&mut self) -> Option<usize> {
        let (first, all) = (self.transport.current.load(Ordering::Relaxed), self.transport.wiring.addresses.len());
        self.left = self.left.checked_sub(1)?;
        Some((first + all - 1 - self.left) % all)
    }

    /// Takes what came of asking the address. The result is final when there is one; else the next address is to be
    /// asked.
    pub(super) fn take<T>(&mut self, place: usize, outcome: Result<T, Failure>) -> Option<Result<T, Failure>> {
        let Err(Failure::Unavailable { at, reason }) = outcome else {
            self.transport.current.store(place, Ordering::Relaxed);
            return Some(outcome);
        };
        let reason = match &self.failed {
            Some(Failure::Unavailable { at: before, reason: why }) => format!("{reason}; {before}: {why}"),
            _ => reason,
        };
        let failure = Failure::Unavailable { at, reason };
        if self.left == 0 {
            return Some(Err(failure));
        }
        self.failed = Some(failure);
        None
    }

    /// The failure when there was no address at all.
    pub(super) fn nobody() -> Failure {
        Failure::Unavailable { at: String::new(), reason: "no address is configured".to_owned() }
    }
}

/// An HTTP client with the limits of the settings. It follows no redirect by itself.
pub(super) fn builder(wiring: &Wiring, tls: ClientConfig) -> ClientBuilder {
    let builder = ClientBuilder::new()
        .tls_backend_preconfigured(tls)
        .redirect(Policy::none())
        .user_agent(concat!("afterimage/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(wiring.connect_timeout)
        // Java bounds each read. The whole is bounded too, so that an answer that trickles in ends some time.
        .read_timeout(wiring.read_timeout)
        .timeout(wiring.connect_timeout.saturating_add(wiring.read_timeout));
    match &wiring.proxy {
        Some(proxy) => builder.proxy(proxy.clone()),
        None => builder.no_proxy(),
    }
}

/// An address without user, password and query.
pub(super) fn shown(url: &Url) -> String {
    let mut shown = url.clone();
    // Neither can fail for a URL with a host, and others are refused before.
    let _ = shown.set_username("");
    let _ = shown.set_password(None);
    shown.set_query(None);
    shown.set_fragment(None);
    shown.to_string()
}

fn redirected(at: &str, target: &Url) -> Failure {
    Failure::Hopeless(RegistryError::Other {
        at: at.to_owned(),
        reason: format!("it redirects to {}", shown(target)),
        remedy: "Configure the address that it redirects to, if that is the registry.".to_owned(),
    })
}

/// Why an answer was not read to its end.
pub(super) enum Unread {
    Broken(reqwest::Error),
    TooLong,
}

/// The content of an answer, if it is not longer than an answer may be.
pub(super) async fn text(mut response: reqwest::Response) -> Result<String, Unread> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(Unread::Broken)? {
        if bytes.len() + chunk.len() > LONGEST_ANSWER {
            return Err(Unread::TooLong);
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
}

/// What an answer means.
fn judge(at: &str, status: StatusCode, text: String, is_json: bool) -> Result<Answer, Failure> {
    let parsed: Option<Value> = serde_json::from_str(&text).ok();
    if status.is_success() {
        if parsed.is_some() || (!is_json && !text.trim().is_empty()) {
            return Ok(Answer { status, text });
        }
        let what = if text.trim().is_empty() { "nothing" } else { "something that is no JSON" };
        let reason = format!("it answers {} with {what}, so it is not the registry that answers", status.as_u16());
        return Err(Failure::Unavailable { at: at.to_owned(), reason });
    }
    let field = |name: &str| {
        let found = parsed.as_ref().and_then(|value| value.get(name)).and_then(Value::as_str).unwrap_or_default();
        found.to_owned()
    };
    let message = ["message", "title", "detail"].into_iter().map(field).find(|text| !text.is_empty());
    let number = status.as_u16();
    let busy = status.is_server_error() || matches!(number, 408 | 425 | 429);
    let wrong_credentials = matches!(number, 401 | 403);
    match message {
        Some(message) if busy => {
            let reason = format!("{number}: {}", shortened(&message));
            Err(Failure::Unavailable { at: at.to_owned(), reason })
        }
        None if !wrong_credentials => {
            let reason = format!("it answers {number}");
            Err(Failure::Unavailable { at: at.to_owned(), reason })
        }
        message => Err(Failure::Refused {
            at: at.to_owned(),
            status: number,
            code: parsed
                .as_ref()
                .and_then(|value| value.get("error_code"))
                .and_then(Value::as_i64)
                .unwrap_or(i64::from(number)),
            name: field("name"),
            message: shortened(&message.unwrap_or_default()),
        }),
    }
}

/// A registry's message without the old schema, which Confluent's adds whole, and not longer than a line may be.
fn shortened(message: &str) -> String {
    const LONGEST: usize = 2000;
    let mut text = message.to_owned();
    if let Some(start) = text.find("{oldSchema:") {
        let end = text[start..].find("'}").map_or(text.len(), |end| start + end + 2);
        text.replace_range(start..end, "{oldSchema: …}");
    }
    if let Some((end, _)) = text.char_indices().nth(LONGEST) {
        text.truncate(end);
        text.push('…');
    }
    text
}

fn failure(at: &str, error: &reqwest::Error) -> Failure {
    let reason = chain(error);
    if is_tls(error) {
        return Failure::Hopeless(RegistryError::Other {
            at: at.to_owned(),
            reason,
            remedy: "The registry's certificate must name its host and descend from an authority in the trust store \
                     (schema.registry.ssl.truststore.* or apicurio.registry.tls.*; without one, from an authority that \
                     the system trusts). If the registry wants a client's certificate, set the key store too."
                .to_owned(),
        });
    }
    Failure::Unavailable { at: at.to_owned(), reason }
}

/// Whether TLS itself failed: a certificate, an alert, a protocol.
fn is_tls(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if error.is::<RustlsError>() {
            return true;
        }
        // The source of an I/O error is that of the error inside it, and not that error itself.
        let inner = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        next = inner.map(|inner| inner as &(dyn std::error::Error + 'static)).or_else(|| error.source());
    }
    false
}

/// The innermost causes in words, without the address, which may hold a password.
fn chain(error: &reqwest::Error) -> String {
    let what = match error {
        error if error.is_timeout() => "no answer in time",
        error if error.is_connect() => "no connection",
        error if error.is_body() || error.is_decode() => "the answer broke off",
        _ => "the request failed",
    };
    let mut innermost: Option<&(dyn std::error::Error + 'static)> = std::error::Error::source(error);
    while let Some(source) = innermost.and_then(std::error::Error::source) {
        innermost = Some(source);
    }
    match innermost.filter(|inner| !inner.is::<reqwest::Error>()) {
        Some(inner) if !error.is_timeout() => format!("{what}: {inner}"),
        _ => what.to_owned(),
    }
}
