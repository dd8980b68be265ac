//! Checks every request before a resource is chosen: path, method, media types and password, in the order of Connect's
//! HTTP layers (Jetty and Jersey).
//!
//! Must not know: what a resource does.

use std::time::Instant;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{ACCEPT, ALLOW, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, USER_AGENT};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::routes::{self, Row};
use super::{ApiError, App, Part, Segments};

/// Answers a request that needs no resource. Otherwise passes it on, with a path without trailing slashes.
pub(super) async fn gate(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let path = request.uri().path();
    if let Some(reason) = refused(path) {
        return bad_request(request.method(), &reason);
    }
    // What follows a semicolon are parameters of a segment (RFC 3986, 3.3). No resource has any.
    let plain = |segment: &'_ str| segment.split(';').next().unwrap_or_default().to_owned();
    let raw: Vec<String> = path.split('/').map(plain).filter(|segment| !segment.is_empty()).collect();
    let raw: Vec<&str> = raw.iter().map(String::as_str).collect();
    let is_admin = raw.first() == Some(&"admin");
    let is_served = match app.part {
        Part::Whole => true,
        Part::WithoutAdmin => !is_admin,
        Part::Admin => is_admin,
    };
    let Some(row) = routes::find(&raw).filter(|_| is_served) else {
        return ApiError::untyped(StatusCode::NOT_FOUND).into_response();
    };
    // Like Connect, the admin listeners ask for no password.
    let auth =
        app.config.auth.as_ref().filter(|_| app.part != Part::Admin && !row.is_internal(request.method().as_str()));
    let is_refused = auth.is_some_and(|auth| !auth.admits(request.headers()));
    if request.method() == Method::OPTIONS {
        return if is_refused { unauthorized("text/plain") } else { options(row) };
    }
    let method = if request.method() == Method::HEAD { "GET" } else { request.method().as_str() };
    let Some((_, reads, _)) = row.methods.iter().find(|(name, ..)| *name == method) else {
        return ApiError::untyped(StatusCode::METHOD_NOT_ALLOWED).into_response();
    };
    if row.consumes && !is_json(request.headers(), *reads) {
        return ApiError::untyped(StatusCode::UNSUPPORTED_MEDIA_TYPE).into_response();
    }
    if row.path != routes::METRICS && !accepts_json(request.headers()) {
        return ApiError::untyped(StatusCode::NOT_ACCEPTABLE).into_response();
    }
    if is_refused {
        return unauthorized("application/json");
    }
    let segments = Segments(raw.iter().map(|segment| decode(segment)).collect());
    let mut plain = format!("/{}", raw.join("/"));
    if let Some(query) = request.uri().query() {
        plain.push('?');
        plain.push_str(query);
    }
    if let Ok(uri) = plain.parse::<Uri>() {
        *request.uri_mut() = uri;
    }
    request.extensions_mut().insert(segments);
    next.run(request).await
}

/// Logs one line for each request, in the form of Connect's own log.
pub(super) async fn log(request: Request, next: Next) -> Response {
    let begin = Instant::now();
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let agent = request.headers().get(USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or("-").to_owned();
    let response = next.run(request).await;
    let length = response.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()).unwrap_or("-");
    tracing::info!(
        target: "org.apache.kafka.connect.runtime.rest.RestServer",
        "\"{method} {uri} HTTP/1.1\" {} {length} \"-\" \"{agent}\" {}",
        response.status().as_u16(),
        begin.elapsed().as_millis()
    );
    response
}

/// Decodes percent-encoding. Bytes that are not UTF-8 are replaced, and the result then matches no name.
pub(super) fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let hex = (first == b'%').then(|| tail.get(..2)).flatten();
        let byte = hex.and_then(|hex| u8::from_str_radix(str::from_utf8(hex).ok()?, 16).ok());
        bytes.push(byte.unwrap_or(first));
        rest = if byte.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The reasons for which Connect's HTTP server, Jetty, refuses a path before any JSON is made, in Jetty's order.
/// What parameters hold is not checked; that `.` or `..` has any is.
fn refused(path: &str) -> Option<String> {
    let mut reasons = [
        ("Ambiguous URI path segment", false),
        ("Ambiguous URI empty segment", path.contains("//")),
        ("Ambiguous URI path separator", false),
        ("Ambiguous URI path parameter", false),
        ("Ambiguous URI path encoding", false),
        ("Bad UTF-8 encoding", false),
        ("Suspicious Path Character", false),
        ("Illegal Path Character", false),
    ];
    let [dots, _, separator, parameter, percent, utf8, suspicious, illegal] = reasons.each_mut().map(|(_, is)| is);
    for segment in path.split('/') {
        let (name, parameters) = segment.split_once(';').map_or((segment, false), |(name, _)| (name, true));
        let (mut decoded, mut bytes) = (Vec::with_capacity(name.len()), name.bytes());
        while let Some(byte) = bytes.next() {
            let byte = if byte == b'%' {
                let mut digit = || char::from(bytes.next()?).to_digit(16);
                let Some(code) = digit().zip(digit()).map(|(high, low)| (high * 16 + low) as u8) else {
                    return Some("Bad Request".to_owned());
                };
                if code == 0 {
                    return Some("Bad Request".to_owned());
                }
                *separator |= code == b'/';
                *percent |= code == b'%';
                code
            } else {
                *illegal |= b"\"<>[\\]^`{|}".contains(&byte);
                byte
            };
            *suspicious |= matches!(byte, 0..0x20 | 0x7f | b'\\');
            decoded.push(byte);
        }
        let is_dots = matches!(decoded.as_slice(), b"." | b"..");
        *dots |= is_dots && name.contains('%');
        *parameter |= is_dots && parameters;
        *utf8 |= str::from_utf8(&decoded).is_err();
    }
    let said: Vec<&str> = reasons.iter().filter(|(_, is)| *is).map(|(reason, _)| *reason).collect();
    (!said.is_empty()).then(|| said.join(", "))
}

fn bad_request(method: &Method, reason: &str) -> Response {
    if !matches!(*method, Method::GET | Method::HEAD | Method::POST) {
        // Jetty writes an error page for these three methods only.
        return (StatusCode::BAD_REQUEST, [(CONNECTION, "close")]).into_response();
    }
    let page = format!(
        "<html><head><title>Error 400 {reason}</title></head><body><h2>HTTP ERROR 400 {reason}</h2></body></html>\n"
    );
    let headers = [(CONTENT_TYPE, "text/html;charset=iso-8859-1"), (CONNECTION, "close")];
    (StatusCode::BAD_REQUEST, headers, page).into_response()
}

/// The answer of Connect's basic auth extension: plain text, whatever the content type says. There is no
/// `WWW-Authenticate`, so that browsers do not ask for a password.
fn unauthorized(media: &'static str) -> Response {
    (StatusCode::UNAUTHORIZED, [(CONTENT_TYPE, media)], "User cannot access the resource.").into_response()
}

fn options(row: &Row) -> Response {
    let mut methods: Vec<&str> = row.methods.iter().map(|(name, ..)| *name).collect();
    if let Some(get) = methods.iter().position(|name| *name == "GET") {
        methods.remove(get);
        methods.insert(0, "HEAD");
        methods.push("GET");
    }
    methods.push("OPTIONS");
    let mut response = Response::new(Body::from(methods.join(", ")));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    if let Ok(allow) = HeaderValue::from_str(&methods.join(",")) {
        response.headers_mut().insert(ALLOW, allow);
    }
    response
}

fn is_json(headers: &HeaderMap, reads: bool) -> bool {
    let Some(sent) = headers.get(CONTENT_TYPE) else { return !reads };
    let media = sent.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim();
    matches!(media.to_ascii_lowercase().as_str(), "application/json" | "application/*" | "*/*")
}

fn accepts_json(headers: &HeaderMap) -> bool {
    let mut ranges = headers
        .get_all(ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .filter(|range| !range.is_empty())
        .peekable();
    let is_any = ranges.peek().is_none();
    is_any
        || ranges.any(|range| {
            let mut parts = range.split(';').map(str::trim);
            let media = parts.next().unwrap_or_default().to_ascii_lowercase();
            let refused = parts.any(|p| p.strip_prefix("q=").and_then(|q| q.parse::<f32>().ok()) == Some(0.0));
            !refused && matches!(media.as_str(), "application/json" | "application/*" | "*/*" | "*")
        })
}

#[cfg(test)]
mod tests {
    use super::refused;

    #[test]
    fn paths_that_connect_refuses() {
        const ENCODING: &str = "Ambiguous URI path encoding";
        const SEGMENT: &str = "Ambiguous URI path segment";
        const SUSPICIOUS: &str = "Suspicious Path Character";
        // The reasons that Kafka Connect 4.3.1 gave for each path.
        for (name, reason) in [
            ("a%25b", ENCODING),
            ("%252e", ENCODING),
            ("a%5Cb", SUSPICIOUS),
            ("a%0Ab", SUSPICIOUS),
            ("a%7Fb", SUSPICIOUS),
            ("%2e%2e/x", SEGMENT),
            ("x/%2E%2e", SEGMENT),
            ("%2e/x", SEGMENT),
            (".%2e", SEGMENT),
            ("%2e%2f", "Ambiguous URI path separator"),
            ("..;a/x", "Ambiguous URI path parameter"),
            ("a//b", "Ambiguous URI empty segment"),
            ("a;b%25//", "Ambiguous URI empty segment"),
            ("a%FF", "Bad UTF-8 encoding"),
            ("a%C3%28", "Bad UTF-8 encoding"),
            ("a|b", "Illegal Path Character"),
            ("a[b", "Illegal Path Character"),
            ("a\\b", "Suspicious Path Character, Illegal Path Character"),
            ("a%25%2Fb", "Ambiguous URI path separator, Ambiguous URI path encoding"),
            ("%25/%2e", "Ambiguous URI path segment, Ambiguous URI path encoding"),
            (
                "%2e;/%2F%FF%5C|//",
                "Ambiguous URI path segment, Ambiguous URI empty segment, Ambiguous URI path separator, \
                 Ambiguous URI path parameter, Bad UTF-8 encoding, Suspicious Path Character, Illegal Path Character",
            ),
            ("a%zz", "Bad Request"),
            ("%", "Bad Request"),
            ("%u0041", "Bad Request"),
            ("a%25%00", "Bad Request"),
        ] {
            assert_eq!(refused(&format!("/connectors/{name}")).as_deref(), Some(reason), "{name}");
        }
        for name in [
            "a%22b",
            "a%3Fb",
            "a%20b",
            "a%3Bb",
            "a;b",
            "a;%25",
            "a;%2f",
            "a;%zz",
            "a%2e;b",
            "...;a",
            "a%2e%2eb",
            "a%2e",
            "a%5Eb",
            "a%7Bb",
            "a%C3%A9",
            "../x",
            "x/.",
            "a'b",
            "a@b:c!$&()*+,=~",
        ] {
            assert_eq!(refused(&format!("/connectors/{name}")), None, "{name}");
        }
    }
}
