//! Makes REST calls.

use std::time::Duration;

use serde_json::Value;

/// The answer to a call.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The content type without its parameters.
    pub content_type: String,
    /// The body as sent.
    pub text: String,
}

impl Answer {
    /// The body as JSON; `Null` when it is not JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or(Value::Null)
    }

    /// Whether the status is below 400.
    pub fn is_ok(&self) -> bool {
        self.status < 400
    }
}

/// Calls `url`. An HTTP error status is an answer; only a failed connection is an error.
pub fn ask(method: &str, url: &str, body: Option<&str>, headers: &[(String, String)]) -> Result<Answer, String> {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .allow_non_standard_methods(true)
        .timeout_global(Some(Duration::from_secs(100)))
        .build()
        .into();
    let mut request = ureq::http::Request::builder().method(method).uri(url);
    if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
        request = request.header("content-type", "application/json");
    }
    for (name, value) in headers {
        request = request.header(name.as_str(), value.as_str());
    }
    let sent = match body {
        Some(body) => agent.run(request.body(body.to_owned()).map_err(|e| e.to_string())?),
        None => agent.run(request.body(()).map_err(|e| e.to_string())?),
    };
    let mut answer = sent.map_err(|e| format!("{method} {url}: {e}"))?;
    let content_type = answer.headers().get("content-type").and_then(|v| v.to_str().ok()).unwrap_or("");
    let content_type = content_type.split(';').next().unwrap_or("").to_owned();
    let text = answer.body_mut().read_to_string().map_err(|e| e.to_string())?;
    Ok(Answer { status: answer.status().as_u16(), content_type, text })
}
