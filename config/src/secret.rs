//! Values that must not be shown, and the names of keys that have such values.
//!
//! Must not know: what the secrets open.

use std::borrow::Cow;
use std::fmt;

use crate::JavaRegex;

/// What Connect shows for a password.
pub const HIDDEN: &str = "[hidden]";

/// What a log shows for the value of a secret-looking name.
pub const MASK: &str = "********";

/// A text that cannot be printed or serialised by accident: `Debug` and `Display` show `[hidden]`, and there is no
/// `Serialize`.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself: for the code that sends it to the server, and nothing else.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether the text is empty.
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

/// Decides which names have secret values.
#[derive(Clone, Debug, Default)]
pub enum SecretNames {
    /// Names with one of the built-in endings, such as `password` and `secret`.
    #[default]
    Usual,
    /// Names that fit the regex of `custom.sanitize.pattern`, which takes the place of the endings. It is a Java regex,
    /// ignores case and is matched against the whole name.
    Pattern(Box<JavaRegex>),
}

/// Endings of secret names: Debezium's, then those of Kafka's PASSWORD keys that Debezium's do not cover.
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
    "ssl.keystore.certificate.chain",
    "ssl.truststore.certificates",
    "passphrase",
    "bearer.auth.token",
    "request.header.authorization",
    "request.headers.authorization",
    "registry.tls.client-key",
];

/// A value as a log may show it where its name is not secret: without the user and the password of an address in it.
pub(crate) fn without_user_info(value: &str) -> Cow<'_, str> {
    let mut shown = Cow::Borrowed(value);
    let mut from = 0;
    while let Some(start) = shown[from..].find("://").map(|at| from + at + 3) {
        let end = shown[start..].find(['/', '?', '#', ',', ' ']).map_or(shown.len(), |at| start + at);
        from = end;
        if let Some(at) = shown[start..end].rfind('@') {
            shown.to_mut().replace_range(start..start + at, MASK);
            from = start + MASK.len();
        }
    }
    shown
}

impl SecretNames {
    /// Whether the value of `name` must be masked. When the engine gives up on the pattern, the value is masked: hiding
    /// one value too many does less harm than showing a secret.
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
        for name in [
            "database.password",
            "DATABASE.SSLPASSWORD",
            "a.secret",
            "x.sasl.jaas.config",
            "my.connectionString",
            "value.converter.request.header.Authorization",
        ] {
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
    fn addresses() {
        #[track_caller]
        fn check(value: &str, expect: &str) {
            assert_eq!(without_user_info(value), expect);
        }
        check("http://a:1/x", "http://a:1/x");
        check("http://u:p@a:1/x@y,https://u:p@b", "http://********@a:1/x@y,https://********@b");
        check("http://u:p@ss@a", "http://********@a");
        check("a@b", "a@b");
        check("://", "://");
    }

    #[test]
    fn a_secret_never_shows() {
        let secret = Secret::new("hunter2");
        assert_eq!(format!("{secret} {secret:?} {:?}", Some(&secret)), "[hidden] [hidden] Some([hidden])");
        assert_eq!(secret.reveal(), "hunter2");
    }
}
