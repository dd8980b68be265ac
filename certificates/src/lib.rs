//! Key stores and trust stores: PEM, PKCS12, Java's JKS and plain DER, opened in memory.
//!
//! Purpose: Kafka clients, the REST API, the clients of schema registries and the databases all take stores in these
//! forms. They open them by the same code, with the same bounds and the same errors. The form is told by the content, never
//! by the file's name. Nothing is written to a disk: whoever needs PEM (librdkafka) gets it as text.
//!
//! OpenSSL, which the Kafka client brings anyway, opens PKCS12 and encrypted keys. JKS is read here (`jks.rs`), because the
//! one crate for it allocates as much as a damaged file asks for and panics on a cut one.
//!
//! Must not know: the names of settings, rustls, what the certificates are for. A [`Problem`] says which of the caller's
//! settings is to blame; messages name files, never passwords or contents.

mod jks;
mod keys;
mod pem;
mod pkcs12;
mod problem;
mod reader;

use std::io::Read as _;
use std::path::Path;

use rustls_pki_types::{CertificateDer, PrivateKeyDer};

pub use pem::{certificates_to_pem, key_to_pem};
use problem::{Fault, Source};
pub use problem::{Place, Problem};

/// No store is as large. A longer file (or a device without an end) is refused before it fills the memory.
const LONGEST_BYTES: u64 = 16 * 1024 * 1024;

/// What opens a store.
#[derive(Clone, Copy, Default)]
pub struct Passwords<'a> {
    /// Opens PKCS12 and JKS. Without it, the integrity of a JKS trust store is not checked, as in Java.
    pub store: Option<&'a str>,
    /// Opens a private key that is encrypted by itself: in PEM, or in JKS. Not set: in JKS the store's password, as in Java.
    pub key: Option<&'a str>,
}

/// What a store holds.
#[derive(Debug, Default)]
pub struct Store {
    /// The private key; `None` in a trust store. If JKS has several, the first one in the file.
    pub key: Option<PrivateKeyDer<'static>>,
    /// The certificates to show beside the key, that of the key first. In a store without a key, and in PEM and PKCS12, all
    /// certificates.
    pub chain: Vec<CertificateDer<'static>>,
    /// The certificates of a trust store: all, where the form does not tell which are trusted.
    pub trusted: Vec<CertificateDer<'static>>,
    /// Whether it is PEM, which has no password of its own.
    pub is_pem: bool,
}

/// What is wanted of a store.
#[derive(Clone, Copy)]
pub(crate) enum Wanted<'a> {
    /// The certificates alone. Private keys stay closed. The password is that of the store.
    Certificates(Option<&'a str>),
    /// The private key, too.
    All(Passwords<'a>),
}

impl<'a> Wanted<'a> {
    fn store_password(self) -> Option<&'a str> {
        match self {
            Self::Certificates(password) => password,
            Self::All(passwords) => passwords.store,
        }
    }

    /// The passwords for private keys, if these are to be opened.
    fn key(self) -> Option<Passwords<'a>> {
        match self {
            Self::Certificates(_) => None,
            Self::All(passwords) => Some(passwords),
        }
    }
}

impl Store {
    /// Opens a file. It is read each time, so that the next connection uses a renewed certificate.
    ///
    /// # Errors
    /// Says which setting is to blame, what is wrong and what to do.
    pub fn open(file: &Path, passwords: Passwords<'_>) -> Result<Self, Problem> {
        Self::of_file(file, Wanted::All(passwords))
    }

    /// Opens the certificates of a file. A private key that stands beside them is left alone: it may be encrypted with a
    /// password that nobody here knows, or of a kind that is not known. `password` opens PKCS12 and JKS.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn trust(file: &Path, password: Option<&str>) -> Result<Self, Problem> {
        Self::of_file(file, Wanted::Certificates(password))
    }

    fn of_file(file: &Path, wanted: Wanted<'_>) -> Result<Self, Problem> {
        let source = Source::File(file);
        let bytes = read(file).map_err(|reason| Fault::Unreadable(reason).of(source))?;
        let opened = if jks::is(&bytes) {
            jks::open(&bytes, wanted)
        } else if pem::is(&bytes) {
            // Before DER, because a comment in front of PEM may begin with a 0, which is DER's first byte.
            pem::open(&bytes, wanted)
        } else if bytes.first() == Some(&0x30) {
            pkcs12::open(&bytes, wanted)
        } else if bytes.starts_with(&[0xce; 4]) {
            Err(Fault::Jceks)
        } else {
            Err(Fault::Unknown)
        };
        opened.map_err(|fault| fault.of(source))
    }

    /// Opens certificates, a key or both in the form of a text, as Java's `ssl.keystore.key` and the like have it: the lines
    /// may be joined by blanks.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn of_pem(text: &str, key_password: Option<&str>) -> Result<Self, Problem> {
        Self::of_text(text, Wanted::All(Passwords { store: None, key: key_password }))
    }

    /// Opens the certificates of a text, as [`Store::trust`] those of a file.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn trust_of_pem(text: &str) -> Result<Self, Problem> {
        Self::of_text(text, Wanted::Certificates(None))
    }

    fn of_text(text: &str, wanted: Wanted<'_>) -> Result<Self, Problem> {
        let opened = if pem::is(text.as_bytes()) { pem::open(text.as_bytes(), wanted) } else { Err(Fault::Unknown) };
        opened.map_err(|fault| fault.of(Source::Text))
    }
}

fn read(file: &Path) -> Result<Vec<u8>, String> {
    // Opening a pipe would wait for its other end.
    let about = std::fs::metadata(file).map_err(|error| error.to_string())?;
    if !about.is_file() {
        return Err("it is no regular file".to_owned());
    }
    let opened = std::fs::File::open(file).map_err(|error| error.to_string())?;
    let mut bytes = Vec::new();
    opened.take(LONGEST_BYTES + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() as u64 > LONGEST_BYTES {
        return Err(format!("it has more than {LONGEST_BYTES} bytes"));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests;
