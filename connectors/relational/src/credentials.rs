//! User and password of a connection, as they are when it is opened.
//!
//! Must not know: how a server is logged in to.

use std::time::Duration;

use settings::{Reader, Renewal, Secret};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

const USER: &str = "database.user";
const PASSWORD: &str = "database.password";

/// Asks for the user and the password of a connector again, where its configuration has variables for them
/// (`${file:/run/secrets/db:password}`): passwords rotate, and tokens of clouds that stand for them end after minutes.
#[derive(Clone, Debug)]
pub struct Credentials(Renewal);

/// What has been read again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Renewed {
    /// `database.user`, if it has a variable.
    pub user: Option<String>,
    /// `database.password`, if it has a variable.
    pub password: Option<Secret>,
}

impl Credentials {
    /// Those of a connector's configuration; `None` if they cannot change.
    pub fn read(r: &Reader<'_>) -> Option<Self> {
        r.properties().renewal(&[USER, PASSWORD]).map(Self)
    }

    /// What they are now. What cannot be read now, or not within `limit`, is left out: then those that were read before are
    /// tried.
    pub async fn now(&self, limit: Duration) -> Renewed {
        let renewal = self.0.clone();
        let read = timeout(limit, spawn_blocking(move || renewal.read())).await;
        // The second error is a panic of a provider, which the log has, or the end of the process.
        let Ok(Ok(values)) = read else { return Renewed::default() };
        Renewed { user: values.get(USER).map(str::to_owned), password: values.get(PASSWORD).map(Secret::new) }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use settings::{Def, Key, Kind, Properties, Resolve};

    use super::*;

    const KEYS: &[Key] = &[Key::new(USER, Kind::String).doc("U."), Key::new(PASSWORD, Kind::Password).doc("P.")];

    #[tokio::test]
    async fn they_are_read_at_each_connection() {
        let calls = AtomicU32::new(0);
        let resolve: Resolve = Arc::new(move |config| {
            let call = calls.fetch_add(1, Ordering::Relaxed);
            let told = |text: &str| text.replace("${n}", &call.to_string());
            config.iter().filter_map(|(name, value)| Some((name.to_owned(), told(value?)))).collect()
        });
        let of = |password: &str| {
            let written: Properties = [(USER, "u"), (PASSWORD, password)].into_iter().collect();
            let resolved = written.resolved(&resolve);
            Credentials::read(&Reader::new(Def::new(&[KEYS]), &resolved))
        };
        assert!(of("p").is_none());
        let credentials = of("p${n}").expect("it has a variable");
        for call in 2..5 {
            let password = Some(Secret::new(format!("p{call}")));
            assert_eq!(credentials.now(Duration::from_secs(1)).await, Renewed { user: None, password });
        }
    }
}
