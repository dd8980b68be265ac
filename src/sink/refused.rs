//! Why brokers do not let a client in: TLS or the login fails.
//!
//! librdkafka tries such a connection again and again, as if the broker were away, and tells the reason only to those who poll
//! the client for errors. An admin client is not polled by its crate. So a client with the same properties is asked aside.

use std::error::Error;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::client::{ClientContext, OAuthToken};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{BaseProducer, Producer as _, ProducerContext};

use crate::login;

/// How long brokers are asked.
const ASK: Duration = Duration::from_secs(6);
/// How often brokers are asked at most for one client. Each question makes a client of its own.
const ASK_EVERY: Duration = Duration::from_secs(60);
/// How long one question waits before the client is polled for errors.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Whether an error says that a broker refused the connection: asking again does not help, until somebody mends the settings.
/// With TLS 1.3 a broker that wants a certificate says so after the handshake, which librdkafka takes for a broken connection.
pub(super) fn is_refusal(error: &KafkaError, reason: &str) -> bool {
    use RDKafkaErrorCode::{Authentication, SSL, SaslAuthenticationFailed};
    let code = error.rdkafka_error_code();
    matches!(code, Some(Authentication | SSL | SaslAuthenticationFailed)) || reason.contains("SSL routines:")
}

/// Whether an error says that there is no token for a login (mechanism OAUTHBEARER).
pub(super) fn has_no_token(reason: &str) -> bool {
    reason.contains("Failed to acquire SASL OAUTHBEARER token")
}

/// librdkafka's reason with Java's name of the setting.
pub(super) fn told(reason: &str) -> String {
    reason.replace("ssl.ca.location", "ssl.truststore.location")
}

/// Keeps the first refusal that librdkafka reports.
#[derive(Default)]
struct Ears(Mutex<Option<String>>);

impl ClientContext for Ears {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;

    fn generate_oauth_token(&self, login: Option<&str>) -> Result<OAuthToken, Box<dyn Error>> {
        login::token(login)
    }

    fn error(&self, error: KafkaError, reason: &str) {
        if is_refusal(&error, reason) {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(|| told(reason));
        }
    }
}

impl ProducerContext for Ears {
    type DeliveryOpaque = ();

    fn delivery(&self, _: &DeliveryResult<'_>, (): ()) {}
}

/// Asks why brokers refuse a client, with the properties of that client.
pub(super) struct Inquiry {
    config: ClientConfig,
    /// When they were asked last, and what they said.
    last: Mutex<Option<(Instant, Option<String>)>>,
}

impl Inquiry {
    pub(super) fn new(config: ClientConfig) -> Self {
        Self { config, last: Mutex::default() }
    }

    /// librdkafka's words why brokers refuse the client; `None` when they let it in, or do not answer at all. What was said less
    /// than a minute ago is said again. Blocks for some seconds.
    pub(super) fn reason(&self) -> Option<String> {
        // Without a token no broker is asked.
        login::trouble(|name| self.config.get(name)).or_else(|| self.reason_by(ask))
    }

    fn reason_by(&self, ask: impl FnOnce(&ClientConfig) -> Option<String>) -> Option<String> {
        // Held while brokers are asked: who wants to know the same meanwhile waits for the answer.
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, said)) = &*last
            && at.elapsed() < ASK_EVERY
        {
            return said.clone();
        }
        let said = ask(&self.config);
        *last = Some((Instant::now(), said.clone()));
        said
    }
}

/// Asks the brokers, with a client that is made for it.
fn ask(config: &ClientConfig) -> Option<String> {
    let client: BaseProducer<Ears> = config.create_with_context(Ears::default()).ok()?;
    let began = Instant::now();
    while began.elapsed() < ASK {
        if client.client().fetch_cluster_id(LOOK_EVERY).is_some() {
            return None;
        }
        client.poll(Duration::from_millis(10));
        if let Some(reason) = client.context().0.lock().unwrap_or_else(PoisonError::into_inner).take() {
            return Some(reason);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brokers_are_asked_once_in_a_while() {
        for said in [None, Some("no such user".to_owned())] {
            let (inquiry, mut asked) = (Inquiry::new(ClientConfig::new()), 0);
            for _ in 0..3 {
                let told = inquiry.reason_by(|_| {
                    asked += 1;
                    said.clone()
                });
                assert_eq!(told, said);
            }
            assert_eq!(asked, 1);
        }
    }
}
