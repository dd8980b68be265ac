//! Basic authentication, as Kafka Connect does it with `BasicAuthSecurityRestExtension` and `PropertyFileLoginModule`.
//!
//! A JAAS login configuration names property files, which hold the names and passwords. They are read once at the
//! start, as in Connect, and a change takes effect at the next start. A login configuration or a file that is missing
//! or not understood is an error, and the worker does not start. An API that was closed must not become open. Connect
//! itself starts and refuses every call, without saying why.
//!
//! Passwords are kept and compared as keyed hashes, so that neither a log nor the time of an answer reveals them.
//!
//! Must not know: requests beyond their headers.

mod jaas;

use std::collections::HashMap;
use std::fmt;
use std::path::Path;

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use ring::hmac::{self, HMAC_SHA256};
use ring::rand::SystemRandom;

/// Whether `rest.extension.classes` may name this class. As in Connect, the simple name is accepted as well.
pub fn is_extension(class: &str) -> bool {
    class.strip_prefix(PACKAGE).unwrap_or(class) == "BasicAuthSecurityRestExtension"
}

const PACKAGE: &str = "org.apache.kafka.connect.rest.basic.auth.extension.";

/// The entry of the login configuration to use, and the one that Java uses when that is missing.
const ENTRIES: [&str; 2] = ["KafkaConnect", "other"];
const MODULE: &str = "org.apache.kafka.connect.rest.basic.auth.extension.PropertyFileLoginModule";

/// Accepts what Java's decoder accepts: the padding may be missing.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Why the users and passwords cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// A file is missing or not readable.
    #[error("{file} cannot be read: {source}")]
    Read {
        /// The file.
        file: String,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// A file is not in its form, or has something that is not supported.
    #[error("{file}: {reason}")]
    Form {
        /// The file.
        file: String,
        /// What is wrong and how to correct it.
        reason: String,
    },
    /// The operating system gives no random numbers for the hash key.
    #[error("the system gives no random numbers")]
    Random,
}

/// The users and passwords of the API.
pub struct BasicAuth {
    /// The key of the hashes, made anew at each start.
    key: hmac::Key,
    /// Passwords by user name. A name in two files has two passwords, and either is accepted.
    users: HashMap<String, Vec<hmac::Tag>>,
    /// Compared when the name is unknown, so that the answer takes as long as for a known one.
    decoy: hmac::Tag,
    /// A file that has no users. Connect then admits everybody.
    open_by: Option<String>,
}

impl fmt::Debug for BasicAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BasicAuth")
            .field("users", &self.users.len())
            .field("open_by", &self.open_by)
            .finish_non_exhaustive()
    }
}

impl BasicAuth {
    /// Reads a JAAS login configuration and the property files that its entry `KafkaConnect` names.
    pub fn read(login: &Path) -> Result<Self, AuthError> {
        let file = login.display().to_string();
        let text = std::fs::read(login).map_err(|source| AuthError::Read { file: file.clone(), source })?;
        let text = String::from_utf8_lossy(&text);
        let wrong = |reason: String| AuthError::Form { file: file.clone(), reason };
        let entries = jaas::entries(&text).map_err(wrong)?;
        let entry = ENTRIES.iter().find_map(|wanted| entries.iter().find(|entry| entry.name == *wanted));
        let Some(entry) = entry.filter(|entry| !entry.modules.is_empty()) else {
            return Err(wrong(format!("there is no entry KafkaConnect {{ {MODULE} required file=\"…\"; }}; add it")));
        };
        let random = SystemRandom::new();
        let key = hmac::Key::generate(HMAC_SHA256, &random).map_err(|_| AuthError::Random)?;
        let mut auth = Self { decoy: hmac::sign(&key, b""), key, users: HashMap::new(), open_by: None };
        // The control flag has no effect here. Connect's module never throws: it either knows the password or is
        // ignored by Java, whatever its flag. So one module that knows the password is enough.
        for module in &entry.modules {
            if module.class != MODULE {
                return Err(wrong(format!(
                    "the login module {} is not built in: use {MODULE} with its option file, or end the check of \
                     passwords in a proxy before the worker and remove rest.extension.classes",
                    module.class
                )));
            }
            let named = module.options.iter().rev().find(|(name, _)| name == "file").map(|(_, value)| value.trim());
            let Some(users) = named.filter(|users| !users.is_empty()) else {
                return Err(wrong(format!("{MODULE} needs the option file=\"…\": the properties of user=password")));
            };
            if users.contains("${") {
                return Err(wrong(format!(
                    "file=\"{users}\": Java's variables are not known here, write the path out"
                )));
            }
            auth.add_users(users)?;
        }
        Ok(auth)
    }

    fn add_users(&mut self, file: &str) -> Result<(), AuthError> {
        let path = file.strip_prefix("file:").unwrap_or(file);
        let bytes = std::fs::read(path).map_err(|source| AuthError::Read { file: file.to_owned(), source })?;
        // The parser's own message is not passed on, because it may quote a line with a password.
        let wrong =
            |_| AuthError::Form { file: file.to_owned(), reason: "it is not in the form of Java properties".into() };
        let users = java_properties::read(bytes.as_slice()).map_err(wrong)?;
        if users.is_empty() {
            self.open_by = Some(file.to_owned());
        }
        for (name, password) in users {
            let tag = hmac::sign(&self.key, password.as_bytes());
            self.users.entry(name).or_default().push(tag);
        }
        Ok(())
    }

    /// The file without users that opens the API to everybody, as in Connect. The worker warns of it.
    pub fn open_by(&self) -> Option<&str> {
        self.open_by.as_deref()
    }

    /// Whether a request with these headers is admitted.
    pub(super) fn admits(&self, headers: &HeaderMap) -> bool {
        self.open_by.is_some() || credentials(headers).is_some_and(|(name, password)| self.knows(&name, &password))
    }

    fn knows(&self, name: &str, password: &str) -> bool {
        let known = self.users.get(name).map_or(&[][..], Vec::as_slice);
        let matches = |tag: &hmac::Tag| hmac::verify(&self.key, password.as_bytes(), tag.as_ref()).is_ok();
        if known.is_empty() {
            matches(&self.decoy);
        }
        // All are compared: `any` would stop at the first match, and the time of the answer would reveal it.
        known.iter().map(matches).fold(false, |is_known, matches| is_known | matches)
    }
}

/// Name and password of the only `Authorization` header. An empty name counts as none.
fn credentials(headers: &HeaderMap) -> Option<(String, String)> {
    let mut sent = headers.get_all(AUTHORIZATION).iter();
    let header = sent.next().filter(|_| sent.next().is_none())?.to_str().ok()?;
    let (scheme, coded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(BASE64.decode(coded).ok()?).ok()?;
    let (name, password) = text.split_once(':')?;
    (!name.is_empty()).then(|| (name.to_owned(), password.to_owned()))
}

#[cfg(test)]
#[allow(clippy::expect_used, reason = "a test may")]
mod tests;
