//! Tokens of a server, by the grant of client credentials (RFC 6749, section 4.4), as Java's `ClientCredentialsJwtRetriever` asks
//! for them.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{ACCEPT, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use reqwest::{StatusCode, Url};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::http::{self, Tls};
use super::jwt;
use super::refresh::Refresh;
use super::source::{Failure, Fetched};

/// A client's credentials, and where they are exchanged for tokens.
#[derive(Clone, Serialize, Deserialize)]
pub struct Oidc {
    /// `sasl.oauthbearer.token.endpoint.url`.
    pub endpoint: String,
    /// Who asks.
    pub client_id: String,
    /// The secret of who asks.
    pub client_secret: String,
    /// What the token is to allow; `None` leaves it to the server.
    pub scope: Option<String>,
    /// `sasl.oauthbearer.header.urlencode`: the credentials are encoded as RFC 6749 says before they are joined.
    pub urlencode: bool,
    /// The claim that names who logs in.
    pub sub_claim: String,
    /// SASL extensions that go to the broker beside the token.
    pub extensions: Vec<(String, String)>,
    /// How long a connection to the server may take, in milliseconds.
    pub connect_timeout_ms: u64,
    /// How long more of its answer may take, in milliseconds.
    pub read_timeout_ms: u64,
    /// The first pause between attempts, in milliseconds.
    pub backoff_ms: u64,
    /// For how long attempts follow one another, in milliseconds.
    pub backoff_max_ms: u64,
    /// When the token is replaced.
    pub refresh: Refresh,
    /// The options `ssl.*` of the login module.
    pub tls: Tls,
}

impl Oidc {
    /// Checks the address of the server.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check_endpoint(text: &str) -> Result<(), &'static str> {
        http::address(text).map(drop)
    }

    pub(super) fn shown(&self) -> String {
        let shown = http::address(&self.endpoint).map(|url| http::shown(&url)).unwrap_or_default();
        format!("the token endpoint {shown}")
    }

    pub(super) async fn fetch(&self) -> Result<Fetched, Failure> {
        let url = http::address(&self.endpoint)
            .map_err(|reason| Failure::lasting(format!("sasl.oauthbearer.token.endpoint.url: {reason}")))?;
        let (connecting, reading) =
            (Duration::from_millis(self.connect_timeout_ms), Duration::from_millis(self.read_timeout_ms));
        let client = http::client(&self.tls, connecting, reading)?;
        let mut credentials = HeaderValue::try_from(self.authorization())
            .map_err(|_| Failure::lasting("the client's id and secret cannot stand in a header"))?;
        credentials.set_sensitive(true);
        let sent = client
            .post(url)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(ACCEPT, "application/json")
            .header(CACHE_CONTROL, "no-cache")
            .header(AUTHORIZATION, credentials)
            .body(self.form());
        let response = sent.send().await.map_err(|error| {
            let (what, cause) = (self.shown(), http::cause(&error));
            Failure::passing(format!(
                "{what} cannot be reached ({cause}): check its address, its certificate and the network"
            ))
        })?;
        let status = response.status();
        let text = http::text(response)
            .await
            .map_err(|failure| Failure { reason: format!("{}: {}", self.shown(), failure.reason), ..failure })?;
        self.read(status, &text)
    }

    /// The value of the header `Authorization`.
    fn authorization(&self) -> String {
        let encoded = |text: &str| if self.urlencode { form_encoded(text) } else { text.to_owned() };
        let pair = format!("{}:{}", encoded(&self.client_id), encoded(&self.client_secret));
        format!("Basic {}", STANDARD.encode(pair))
    }

    /// The body of the request.
    fn form(&self) -> String {
        let scope = self.scope.iter().map(|scope| format!("&scope={}", form_encoded(scope)));
        std::iter::once("grant_type=client_credentials".to_owned()).chain(scope).collect()
    }

    /// Reads the token in an answer. The answer is never shown: some servers repeat the request in it.
    fn read(&self, status: StatusCode, text: &str) -> Result<Fetched, Failure> {
        let what = self.shown();
        let answer: Option<Value> = serde_json::from_str(text).ok();
        let field = |name: &str| answer.as_ref().and_then(|answer| answer.get(name)).and_then(Value::as_str);
        if !status.is_success() {
            let code = field("error").and_then(error_code).map(|code| format!(" ({code})")).unwrap_or_default();
            let number = status.as_u16();
            let remedy = match (number, field("error")) {
                (_, Some("invalid_scope")) => "check the scope in sasl.jaas.config or sasl.oauthbearer.scope",
                (400 | 401 | 403, _) => {
                    "check clientId, clientSecret and scope in sasl.jaas.config (or sasl.oauthbearer.client.credentials.*)"
                }
                (300..=407 | 409..=428 | 430..=499, _) => "check sasl.oauthbearer.token.endpoint.url",
                _ => "look at the server's log",
            };
            let reason = format!("{what} answers {number}{code}: {remedy}");
            return Err(if is_worth_another(status) { Failure::passing(reason) } else { Failure::lasting(reason) });
        }
        let lasting = |reason: String| Failure::lasting(format!("{what} answers {}: {reason}", status.as_u16()));
        let token =
            field("access_token").or_else(|| field("id_token")).map(str::trim).filter(|token| !token.is_empty());
        let token = token.ok_or_else(|| {
            lasting("there is no access_token in it: check sasl.oauthbearer.token.endpoint.url".to_owned())
        })?;
        let claims = jwt::read(token, &self.sub_claim).map_err(|reason| lasting(format!("of its token, {reason}")))?;
        Ok(Fetched {
            token: token.to_owned(),
            principal: claims.subject,
            issued_ms: claims.issued_ms,
            expires_ms: claims.expires_ms,
        })
    }
}

/// Which answers are asked for again at once: Java's list of those that are not, turned round.
fn is_worth_another(status: StatusCode) -> bool {
    !matches!(status.as_u16(), 300..=407 | 409..=428 | 430..=499 | 501 | 505)
}

/// The code of an error (RFC 6749, section 5.2), if it looks like one.
fn error_code(code: &str) -> Option<&str> {
    let fits = code.len() <= 64 && code.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    fits.then_some(code)
}

/// A text as a form has it.
fn form_encoded(text: &str) -> String {
    // The address serves only as a place for the form.
    let Ok(mut url) = Url::parse("http://form/") else { return String::new() };
    url.query_pairs_mut().append_pair("", text);
    url.query().and_then(|query| query.strip_prefix('=')).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests;
