//! The client's side of HTTPS, on rustls.
//!
//! Confluent's `schema.registry.ssl.*` and Apicurio's `apicurio.registry.tls.*` say the same things by other names, so
//! this file gets values with the names of their keys. Stores are PEM, PKCS12 or JKS, found out from the content. Without a
//! trust store, the authorities that the system trusts are trusted.
//!
//! Must not know: HTTP.

use std::path::Path;
use std::sync::Arc;

use certificates::{Passwords, Place, Problem};
use relational::tls::Verifier;
use settings::Secret;
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};

use super::RegistryError;

/// A value and the key that it was set by.
#[derive(Clone, Debug)]
pub(super) struct Set<T> {
    pub(super) key: &'static str,
    pub(super) value: T,
}

/// Where certificates or keys are.
#[derive(Clone, Debug)]
pub(super) enum Store {
    /// A file: PEM, PKCS12 or JKS.
    File(String),
    /// PEM text.
    Text(Secret),
}

impl Store {
    /// What is wrong with it, as an error of the setting that is to blame.
    fn wrong(&self, blamed: &str, reason: &str, remedy: &str) -> RegistryError {
        match self {
            Self::File(_) => RegistryError::file(blamed, reason, remedy),
            Self::Text(_) => RegistryError::setting(blamed, reason, remedy),
        }
    }
}

/// What a connection by TLS needs.
#[derive(Clone, Debug)]
pub(super) struct Tls {
    /// The authorities that are trusted; none: the system's.
    pub(super) trusted: Vec<Set<Store>>,
    pub(super) trusted_password: Option<Secret>,
    /// The client's certificates.
    pub(super) own: Option<Set<Store>>,
    /// The client's private key, where it is apart from the certificates.
    pub(super) own_key: Option<Set<Store>>,
    pub(super) own_password: Option<Secret>,
    pub(super) key_password: Option<Set<Secret>>,
    /// Whether the server's certificate must name the host.
    pub(super) checks_host: bool,
    /// Whether the server's certificate is checked at all.
    pub(super) checks_certificate: bool,
    /// The names of TLS versions, as Java writes them; empty: those that are safe.
    pub(super) versions: Vec<String>,
}

impl Default for Tls {
    fn default() -> Self {
        Self {
            trusted: Vec::new(),
            trusted_password: None,
            own: None,
            own_key: None,
            own_password: None,
            key_password: None,
            checks_host: true,
            checks_certificate: true,
            versions: Vec::new(),
        }
    }
}

impl Tls {
    /// Reads the files and makes the configuration of connections.
    ///
    /// # Errors
    /// Names the key whose value will not do.
    pub(super) fn client_config(&self) -> Result<ClientConfig, RegistryError> {
        let provider = Arc::new(ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&self.protocol_versions())
            .map_err(|error| RegistryError::setting("ssl.enabled.protocols", error.to_string(), "Remove it."))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(self.verifier(&provider)?));
        let Some(own) = &self.own else {
            if let Some(key) = &self.own_key {
                let remedy = "Set the client's certificates too.";
                return Err(RegistryError::setting(key.key, "there are no certificates for this key", remedy));
            }
            return Ok(builder.with_no_client_auth());
        };
        let password = self.own_password.as_ref();
        let read = match &self.own_key {
            Some(key) => {
                certificates::Store { key: self.read(key, None)?.key, ..self.read_certificates(own, password)? }
            }
            None => self.read(own, password)?,
        };
        let Some(key) = read.key else {
            return Err(own.value.wrong(
                own.key,
                "there is no private key in it",
                "Put the private key beside its certificates.",
            ));
        };
        builder.with_client_auth_cert(read.chain, key).map_err(|error| {
            let reason = format!("the key and the certificates will not do: {error}");
            own.value.wrong(own.key, &reason, "Name a key and the certificate that was made for it.")
        })
    }

    fn protocol_versions(&self) -> Vec<&'static SupportedProtocolVersion> {
        let named = |name: &str| self.versions.is_empty() || self.versions.iter().any(|version| version == name);
        let mut versions: Vec<&'static SupportedProtocolVersion> = Vec::new();
        if named("TLSv1.3") {
            versions.push(&TLS13);
        }
        if named("TLSv1.2") {
            versions.push(&TLS12);
        }
        versions
    }

    fn verifier(&self, provider: &Arc<CryptoProvider>) -> Result<Verifier, RegistryError> {
        if !self.checks_certificate {
            return Ok(Verifier::of_anything(provider));
        }
        let (mut roots, mut named) = (RootCertStore::empty(), Vec::new());
        if self.trusted.is_empty() {
            let (_, _) = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
        for store in &self.trusted {
            let read = self.read_certificates(store, self.trusted_password.as_ref())?;
            if roots.add_parsable_certificates(read.trusted.iter().cloned()).0 == 0 {
                return Err(store.value.wrong(
                    store.key,
                    "there is no usable certificate in it",
                    "Name a PEM file with the certificate of the authority that signed the registry's certificate.",
                ));
            }
            named.extend(read.trusted);
        }
        // A system may have no authorities. A registry without TLS can be used there all the same.
        let verifier = Verifier::of_roots(roots, named, self.checks_host, provider);
        Ok(verifier.unwrap_or_else(|_| Verifier::of_nobody(provider)))
    }

    fn read(&self, store: &Set<Store>, password: Option<&Secret>) -> Result<certificates::Store, RegistryError> {
        let key_password = self.key_password.as_ref();
        let passwords =
            Passwords { store: password.map(Secret::reveal), key: key_password.map(|set| set.value.reveal()) };
        let opened = match &store.value {
            Store::Text(text) => certificates::Store::of_pem(text.reveal(), passwords.key),
            Store::File(file) => certificates::Store::open(Path::new(file), passwords),
        };
        opened.map_err(|problem| self.unusable(store, &problem))
    }

    /// The certificates of a store. A private key in it is not opened.
    fn read_certificates(
        &self,
        store: &Set<Store>,
        password: Option<&Secret>,
    ) -> Result<certificates::Store, RegistryError> {
        let opened = match &store.value {
            Store::Text(text) => certificates::Store::trust_of_pem(text.reveal()),
            Store::File(file) => certificates::Store::trust(Path::new(file), password.map(Secret::reveal)),
        };
        opened.map_err(|problem| self.unusable(store, &problem))
    }

    fn unusable(&self, store: &Set<Store>, problem: &Problem) -> RegistryError {
        // A store's password has no key of its own here; the message says that it is the password.
        let blamed = match problem.place {
            Place::KeyPassword => self.key_password.as_ref().map_or(store.key, |set| set.key),
            Place::Store | Place::StorePassword => store.key,
        };
        store.value.wrong(blamed, &problem.reason, &format!("{}.", problem.remedy))
    }
}
