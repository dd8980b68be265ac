//! Tokens of an OAuth server, by the client credentials grant (RFC 6749, section 4.4).
//!
//! A token is used until shortly before it expires. The server's answer is never shown.
//!
//! Must not know: the registry.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::{Client, Url};
use serde::Deserialize;
use settings::Secret;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::RegistryError;
use super::transport::{Failure, shown, text};

/// Fetches tokens and keeps the newest.
#[derive(Debug)]
pub(super) struct Tokens {
    pub(super) endpoint: Url,
    pub(super) client_id: String,
    pub(super) client_secret: Secret,
    pub(super) scope: Option<String>,
    /// How long before its end a token is replaced.
    pub(super) buffer: Duration,
    /// What a wrong secret is an error of.
    pub(super) key: &'static str,
    pub(super) held: Mutex<Option<Held>>,
}

/// A token that is in use.
#[derive(Debug)]
pub(super) struct Held {
    header: HeaderValue,
    until: Instant,
}

#[derive(Deserialize)]
struct Granted {
    access_token: String,
    expires_in: Option<u64>,
}

impl Tokens {
    /// The value of the header `Authorization`.
    pub(super) async fn header(&self, client: &Client) -> Result<HeaderValue, Failure> {
        let mut held = self.held.lock().await;
        if let Some(token) = held.as_ref().filter(|token| Instant::now() < token.until) {
            return Ok(token.header.clone());
        }
        let granted = self.fetch(client).await?;
        let mut header = HeaderValue::try_from(format!("Bearer {}", granted.access_token))
            .map_err(|_| self.unavailable("its token cannot stand in a header"))?;
        header.set_sensitive(true);
        // A server that names no time means some short one; a buffer longer than the time is not used, as in Java.
        let time = Duration::from_secs(granted.expires_in.unwrap_or(60));
        let usable = time.checked_sub(self.buffer).filter(|left| !left.is_zero()).unwrap_or(time);
        *held = Some(Held { header: header.clone(), until: Instant::now() + usable });
        Ok(header)
    }

    async fn fetch(&self, client: &Client) -> Result<Granted, Failure> {
        let mut form = Url::clone(&self.endpoint);
        form.query_pairs_mut().clear().append_pair("grant_type", "client_credentials");
        if let Some(scope) = &self.scope {
            form.query_pairs_mut().append_pair("scope", scope);
        }
        let body = form.query().unwrap_or_default().to_owned();
        let mut basic = HeaderValue::try_from(format!(
            "Basic {}",
            STANDARD.encode(format!("{}:{}", self.client_id, self.client_secret.reveal()))
        ))
        .map_err(|_| self.unavailable("the credentials cannot stand in a header"))?;
        basic.set_sensitive(true);
        let sent = client
            .post(self.endpoint.clone())
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(ACCEPT, "application/json")
            .header(AUTHORIZATION, basic)
            .body(body)
            .send();
        let response = sent.await.map_err(|_| self.unavailable("no answer"))?;
        let status = response.status();
        if matches!(status.as_u16(), 400 | 401 | 403) {
            return Err(Failure::Hopeless(RegistryError::setting(
                self.key,
                format!("the server of tokens {} answers {}", shown(&self.endpoint), status.as_u16()),
                "Check client id, secret and scope, then restart the task.",
            )));
        }
        let text = text(response).await.map_err(|_| self.unavailable("the answer broke off or is too long"))?;
        let granted = serde_json::from_str(&text).ok().filter(|_| status.is_success());
        granted.ok_or_else(|| self.unavailable(&format!("it answers {} without a token", status.as_u16())))
    }

    fn unavailable(&self, reason: &str) -> Failure {
        Failure::Unavailable { at: shown(&self.endpoint), reason: format!("the server of tokens: {reason}") }
    }
}
