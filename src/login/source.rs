//! The token of one login: held until it is to be replaced, and fetched by whichever client asks first.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rdkafka::client::OAuthToken;
use retry::Backoff;

use super::{LONGEST, Login, Refresh};

/// A failure answers those who ask within this time after it, so that many clients of one login do not wait one after another.
/// It is shorter than librdkafka's pause after a failure (10 s).
const REMEMBER: Duration = Duration::from_secs(3);
/// Librdkafka asks again this long after a token that could not be replaced in time.
const AGAIN: Duration = Duration::from_secs(10);
/// The part of what it takes for a token's life after which librdkafka asks for the next one.
const ASKS_AFTER: f64 = 0.8;
/// How often the same trouble is logged.
const SAY_EVERY: Duration = Duration::from_secs(60);

/// A token that was fetched.
pub(super) struct Fetched {
    pub(super) token: String,
    /// Who logs in, for librdkafka's messages.
    pub(super) principal: String,
    pub(super) issued_ms: Option<i64>,
    pub(super) expires_ms: i64,
}

/// Why a token could not be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    /// What failed, where, and what to do; no secret.
    pub(super) reason: String,
    /// Whether it may succeed when it is tried again at once.
    pub(super) may_pass: bool,
}

impl Failure {
    pub(super) fn passing(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), may_pass: true }
    }

    pub(super) fn lasting(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), may_pass: false }
    }
}

struct Held {
    fetched: Fetched,
    /// When it is to be replaced.
    refresh_ms: i64,
}

/// The last failure, if nothing was fetched since.
struct Failed {
    at: Instant,
    reason: String,
    said: Instant,
}

/// Fetches the tokens of one login.
pub(super) struct Source {
    login: Login,
    /// Locked while a token is fetched.
    held: Mutex<Option<Held>>,
    failed: Mutex<Option<Failed>>,
    asked: Mutex<Instant>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // No panic can leave the guarded values half changed.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Milliseconds since 1970.
pub(super) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// What librdkafka is to take for the end of a token's life, so that it asks for the next one at `refresh_ms`. It uses the end for
/// nothing else.
fn lifetime_ms(now_ms: i64, refresh_ms: i64) -> i64 {
    let left_ms = (refresh_ms - now_ms).max(1000) as f64;
    now_ms + (left_ms / ASKS_AFTER).ceil() as i64
}

impl Source {
    pub(super) fn new(login: Login) -> Self {
        Self { login, held: Mutex::default(), failed: Mutex::default(), asked: Mutex::new(Instant::now()) }
    }

    /// For how long nobody has asked.
    pub(super) fn idle(&self) -> Duration {
        lock(&self.asked).elapsed()
    }

    /// Why there is no new token, if the last attempt to fetch one failed.
    pub(super) fn trouble(&self) -> Option<String> {
        lock(&self.failed).as_ref().map(|failed| failed.reason.clone())
    }

    pub(super) fn token(&self) -> Result<OAuthToken, String> {
        self.token_by(fetch)
    }

    fn token_by(&self, fetch: impl FnOnce(&Login) -> Result<Fetched, Failure>) -> Result<OAuthToken, String> {
        let began = Instant::now();
        *lock(&self.asked) = began;
        let mut held = lock(&self.held);
        let now = now_ms();
        if let Some(held) = held.as_ref().filter(|held| now < held.refresh_ms) {
            return Ok(self.given(&held.fetched, lifetime_ms(now, held.refresh_ms)));
        }
        let last = lock(&self.failed).as_ref().map(|failed| (failed.at, failed.reason.clone()));
        let failure = match last {
            Some((at, reason)) if at >= began || at.elapsed() < REMEMBER => reason,
            _ => match fetch(&self.login).and_then(unexpired) {
                Ok(fetched) => {
                    let given = self.hold(&mut held, fetched);
                    self.recovered();
                    return Ok(given);
                }
                Err(failure) => {
                    self.note(&failure.reason);
                    failure.reason
                }
            },
        };
        // The old token still opens connections.
        let now = now_ms();
        let again_ms = now + i64::try_from(AGAIN.as_millis()).unwrap_or_default();
        match held.as_ref().filter(|held| now < held.fetched.expires_ms) {
            Some(held) => Ok(self.given(&held.fetched, lifetime_ms(now, again_ms))),
            None => Err(failure),
        }
    }

    fn hold(&self, held: &mut Option<Held>, fetched: Fetched) -> OAuthToken {
        let now = now_ms();
        let refresh_ms = self.refresh().before_next_login(now, fetched.issued_ms, fetched.expires_ms, fastrand::f64());
        tracing::debug!(
            login = %self.login.shown(),
            principal = %fetched.principal,
            expires_in_ms = fetched.expires_ms - now,
            replaced_in_ms = refresh_ms - now,
            "a token for logins to Kafka was fetched"
        );
        let given = self.given(&fetched, lifetime_ms(now, refresh_ms));
        *held = Some(Held { fetched, refresh_ms });
        given
    }

    fn given(&self, fetched: &Fetched, lifetime_ms: i64) -> OAuthToken {
        OAuthToken {
            token: fetched.token.clone(),
            principal_name: fetched.principal.clone(),
            lifetime_ms,
            extensions: match &self.login {
                Login::Oidc(oidc) => oidc.extensions.clone(),
                Login::MskIam(_) => Vec::new(),
            },
        }
    }

    fn refresh(&self) -> Refresh {
        match &self.login {
            Login::Oidc(oidc) => oidc.refresh,
            Login::MskIam(msk) => msk.refresh,
        }
    }

    fn note(&self, reason: &str) {
        let now = Instant::now();
        let mut failed = lock(&self.failed);
        let said = failed.as_ref().filter(|last| last.reason == reason && last.said.elapsed() < SAY_EVERY);
        let said = if let Some(said) = said {
            said.said
        } else {
            tracing::warn!("no token for logins to Kafka: {reason}. It is tried again every {} s", AGAIN.as_secs());
            now
        };
        *failed = Some(Failed { at: now, reason: reason.to_owned(), said });
    }

    fn recovered(&self) {
        if lock(&self.failed).take().is_some() {
            tracing::info!(login = %self.login.shown(), "there is a token for logins to Kafka again");
        }
    }
}

/// A token that has expired already would be refused by each broker.
fn unexpired(fetched: Fetched) -> Result<Fetched, Failure> {
    if fetched.expires_ms > now_ms() {
        return Ok(fetched);
    }
    Err(Failure::lasting(
        "the token that came has expired already: check the clocks of this machine and of the server of tokens",
    ))
}

/// Fetches a token, on this thread. After a failure that may pass it tries again, as `sasl.login.retry.backoff.*` say.
fn fetch(login: &Login) -> Result<Fetched, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::passing(format!("no runtime to fetch a token: {error}")))?;
    let fetched = runtime.block_on(async {
        if let Ok(fetched) = tokio::time::timeout(LONGEST, attempts(login)).await {
            return fetched;
        }
        let (what, longest) = (login.shown(), LONGEST.as_secs());
        Err(Failure::passing(format!("{what} gave no token within {longest} s: check that it can be reached")))
    });
    // A name that is being looked up must not be waited for.
    runtime.shutdown_background();
    fetched
}

async fn attempts(login: &Login) -> Result<Fetched, Failure> {
    let (first, all) = login.pauses();
    let (mut backoff, began) = (Backoff::new(first, all), tokio::time::Instant::now());
    loop {
        let fetched = match login {
            Login::Oidc(oidc) => oidc.fetch().await,
            Login::MskIam(msk) => msk.fetch().await,
        };
        let failure = match fetched {
            Err(failure) if failure.may_pass => failure,
            fetched => return fetched,
        };
        let pause = backoff.pause();
        if began.elapsed() + pause > all {
            return Err(failure);
        }
        tokio::time::sleep(pause).await;
    }
}

impl Login {
    /// What is asked, for messages.
    fn shown(&self) -> String {
        match self {
            Self::Oidc(oidc) => oidc.shown(),
            Self::MskIam(msk) => msk.shown(),
        }
    }

    /// The first pause between attempts, and for how long attempts are made.
    fn pauses(&self) -> (Duration, Duration) {
        match self {
            Self::Oidc(oidc) => (Duration::from_millis(oidc.backoff_ms), Duration::from_millis(oidc.backoff_max_ms)),
            Self::MskIam(_) => (Duration::from_millis(100), Duration::from_secs(3)),
        }
    }
}

#[cfg(test)]
mod tests;
