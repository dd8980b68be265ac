//! Values that must not be seen, and names that give such values away.
//!
//! Must not know: what the secrets open.

use std::fmt;

use crate::JavaRegex;

/// What Connect shows for a password.
pub const HIDDEN: &str = "[hidden]";

/// What a log shows for the value of a secret-looking name.
pub const MASK: &str = "********";

/// A text that neither prints nor serialises: `Debug` and `Display` show `[hidden]`, and there is no `Serialize`.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, for the one place that hands it to the other side.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

/// Which names have secret values.
#[derive(Clone, Debug, Default)]
pub enum SecretNames {
    /// The built-in endings.
    #[default]
    Usual,
    /// `custom.sanitize.pattern`: a Java regex on the whole name, case-insensitive, in place of the endings.
    Pattern(Box<JavaRegex>),
}

/// Endings of secret names: those of the reference, then Kafka's own PASSWORD keys that do not end so.
const ENDINGS: &[&str] = &[
    "secret",
    "password",
    "sasl.jaas.config",
    "credentials.json",
    "connectionstring",
    "connection.string",
    "basic.auth.user.info",
    "registry.auth.client-secret",
    "ssl.keystore.key",
    "bearer.auth.token",
];

impl SecretNames {
    /// Whether the value of `name` is to be masked. A pattern that the engine gives up on masks: a name too many hidden
    /// is the smaller harm.
    pub fn hides(&self, name: &str) -> bool {
        match self {
            Self::Usual => {
                let name = name.to_ascii_lowercase();
                ENDINGS.iter().any(|end| name.ends_with(end))
            }
            Self::Pattern(pattern) => pattern.matches(name).unwrap_or(true),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use super::*;

    #[test]
    fn names() {
        #[track_caller]
        fn check(name: &str, hidden: bool) {
            assert_eq!(SecretNames::Usual.hides(name), hidden, "{name}");
        }
        for name in
            ["database.password", "DATABASE.SSLPASSWORD", "a.secret", "x.sasl.jaas.config", "my.connectionString"]
        {
            check(name, true);
        }
        for name in ["database.user", "password.file", "secret.name", "sasl.mechanism", ""] {
            check(name, false);
        }
        let own = SecretNames::Pattern(Box::new(JavaRegex::new(".*token$").unwrap()));
        assert!(own.hides("A.Token"));
        assert!(!own.hides("database.password"));
    }

    #[test]
    fn a_secret_never_shows() {
        let secret = Secret::new("hunter2");
        assert_eq!(format!("{secret} {secret:?} {:?}", Some(&secret)), "[hidden] [hidden] Some([hidden])");
        assert_eq!(secret.reveal(), "hunter2");
    }
}
