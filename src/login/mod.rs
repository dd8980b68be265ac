//! Tokens with which Kafka clients log in by the mechanism OAUTHBEARER.
//!
//! Purpose: librdkafka asks a client's context for a token when it needs one. All contexts answer by [`token`], with what the
//! client's configuration says under [`PROPERTY`]: a [`Login`] as text. So a login reaches each client on the way of all its
//! other properties, and clients with equal logins share one token.
//!
//! The vendored crate rdkafka calls on librdkafka's background thread (vendor/rdkafka/PATCH.md), so an answer may take a while.
//! It never takes longer than [`LONGEST`].
//!
//! Must not know: Java's names of properties (`sink/security/` translates them), what the clients do.

mod aws;
mod http;
mod jwt;
mod msk;
mod oidc;
mod refresh;
mod source;

use std::collections::HashMap;
use std::error::Error;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use rdkafka::client::{ClientContext, OAuthToken};
use rdkafka::consumer::ConsumerContext;
use serde::{Deserialize, Serialize};

pub use self::aws::{Role, region_of};
pub use self::http::Tls;
pub use self::msk::MskIam;
pub use self::oidc::Oidc;
pub use self::refresh::Refresh;
use self::source::Source;

/// The property of librdkafka that holds the login. librdkafka does not read it: it hands it to the callback for tokens.
pub const PROPERTY: &str = "sasl.oauthbearer.config";

/// How long fetching a token may take, with all its attempts. Closing a client waits as long for a fetch that is under way.
const LONGEST: Duration = Duration::from_secs(30);

/// After this time without a question a login is forgotten. It must be longer than tokens usually last.
const FORGET_AFTER: Duration = Duration::from_secs(25 * 3600);

/// How the token of a login is got. It holds secrets, so it has no `Debug`.
#[derive(Clone, Serialize, Deserialize)]
pub enum Login {
    /// A server of tokens is asked, by the grant of client credentials.
    Oidc(Oidc),
    /// A request to Amazon MSK is signed with AWS credentials.
    MskIam(MskIam),
}

impl Login {
    /// The login as the value of [`PROPERTY`].
    pub fn to_property(&self) -> String {
        // Fails for maps whose keys are no texts only; a login has no map.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// The logins that are in use, by their text.
static SOURCES: LazyLock<Mutex<HashMap<String, Arc<Source>>>> = LazyLock::new(Mutex::default);

fn source(property: &str) -> Result<Arc<Source>, serde_json::Error> {
    let mut sources = SOURCES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(source) = sources.get(property) {
        return Ok(Arc::clone(source));
    }
    let source = Arc::new(Source::new(serde_json::from_str(property)?));
    sources.retain(|_, source| source.idle() < FORGET_AFTER);
    sources.insert(property.to_owned(), Arc::clone(&source));
    Ok(source)
}

/// The token of the login that `property` holds: the one that is held, or a new one, for which the caller waits up to
/// [`LONGEST`]. To be called outside of async code. The error says what failed and what to do, and holds no secret.
pub fn token(property: Option<&str>) -> Result<OAuthToken, Box<dyn Error>> {
    let property = property.ok_or("the client has no login by tokens")?;
    let source = source(property).map_err(|_| "the client's login by tokens is damaged")?;
    source.token().map_err(Into::into)
}

/// Why clients with these properties get no token at present, if that is so.
pub fn trouble<'a>(mut property_of: impl FnMut(&str) -> Option<&'a str>) -> Option<String> {
    let property = property_of(PROPERTY)?;
    let sources = SOURCES.lock().unwrap_or_else(PoisonError::into_inner);
    sources.get(property)?.trouble()
}

/// The context of a client that needs nothing of its context but tokens.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tokens;

impl ClientContext for Tokens {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;

    fn generate_oauth_token(&self, login: Option<&str>) -> Result<OAuthToken, Box<dyn Error>> {
        token(login)
    }
}

impl ConsumerContext for Tokens {}
