//! Basic authentication, as Connect's `BasicAuthSecurityRestExtension` with its `PropertyFileLoginModule` does it.
//!
//! The names and passwords stand in property files that a JAAS login configuration names. The files are read once, at the
//! start; a change counts from the next start on, as in Connect. A login configuration or a file that is missing or not
//! understood is an error, and the worker does not start: an API that was closed must not become open, and Connect's own
//! way (it starts and refuses every call) says nothing of why.
//!
//! Passwords are kept as keyed hashes, and are compared as such: neither a log nor the time of an answer tells them.
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

/// Whether `rest.extension.classes` may name this class, or this simple name, which Connect takes as well.
pub fn is_extension(class: &str) -> bool {
    class.strip_prefix(PACKAGE).unwrap_or(class) == "BasicAuthSecurityRestExtension"
}

const PACKAGE: &str = "org.apache.kafka.connect.rest.basic.auth.extension.";

/// The entry of the login configuration that counts, and the one that Java takes when it is missing.
const ENTRIES: [&str; 2] = ["KafkaConnect", "other"];
const MODULE: &str = "org.apache.kafka.connect.rest.basic.auth.extension.PropertyFileLoginModule";

/// As Java decodes: padding may be missing.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Why nobody could be told from anybody else.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// A file is not there or not readable.
    #[error("{file} cannot be read: {source}")]
    Read {
        /// Which.
        file: String,
        /// Why.
        source: std::io::Error,
    },
    /// A file is not in its form, or says what is not understood.
    #[error("{file}: {reason}")]
    Form {
        /// Which.
        file: String,
        /// What is wrong and what to do.
        reason: String,
    },
    /// The system gives no random numbers for a key.
    #[error("the system gives no random numbers")]
    Random,
}

/// Who may call.
pub struct BasicAuth {
    /// Made anew at each start.
    key: hmac::Key,
    /// A name has more than one password when two files hold it: each of them opens.
    users: HashMap<String, Vec<hmac::Tag>>,
    /// Compared for a name that nobody has, so that the answer takes its time.
    decoy: hmac::Tag,
    /// A file without any user, by which Connect admits everybody.
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
        // The control flag does not count: the module never fails, it only knows a password or does not, and Java then
        // passes over it, whatever the flag. One module that knows the password is enough.
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
        // Not the parser's own words, which may quote the line.
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

    /// The file without users that opens the API to everybody, as in Connect; to be warned of.
    pub fn open_by(&self) -> Option<&str> {
        self.open_by.as_deref()
    }

    /// Whether a request with these headers may pass.
    pub(super) fn admits(&self, headers: &HeaderMap) -> bool {
        self.open_by.is_some() || credentials(headers).is_some_and(|(name, password)| self.knows(&name, &password))
    }

    fn knows(&self, name: &str, password: &str) -> bool {
        let known = self.users.get(name).map_or(&[][..], Vec::as_slice);
        let matches = |tag: &hmac::Tag| hmac::verify(&self.key, password.as_bytes(), tag.as_ref()).is_ok();
        if known.is_empty() {
            matches(&self.decoy);
        }
        // Not `any`, which would stop at the first.
        known.iter().map(matches).fold(false, |is_known, matches| is_known | matches)
    }
}

/// Name and password of the one `Authorization` header; an empty name is none.
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
