//! HTTPS on rustls, as the worker's `ssl.*` settings say.
//!
//! The settings are Connect's: `listeners.https.ssl.*` (or `admin.listeners.https.ssl.*`) when at least one of them is
//! set, else the plain `ssl.*`, never a mixture. As in Java, the kind of a store (PEM, PKCS12, JKS) is found out from the
//! content of the file. The crate `certificates` opens it; rustls does everything else.
//!
//! Anything unclear (no key, a file that cannot be read, an unknown protocol) is an error, and the worker does not
//! start. An API that was encrypted must not become open.
//!
//! Must not know: HTTP.

use std::path::Path;
use std::sync::Arc;

use certificates::{Passwords, Place, Problem, Store};
use settings::Properties;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::server::danger::ClientCertVerifier;
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig, SupportedProtocolVersion};
use tokio_rustls::server::TlsStream;

/// Why a listener cannot speak TLS.
#[derive(Debug, thiserror::Error)]
#[error("worker setting {key}: {reason}")]
pub struct TlsError {
    /// Name of the setting, with its prefix.
    pub key: String,
    /// What is wrong with the setting, and how to correct it.
    pub reason: String,
}

/// A listener's side of TLS.
#[derive(Clone)]
pub struct Tls(TlsAcceptor);

impl Tls {
    /// Reads the worker's settings. `prefix` is `listeners.https.` or `admin.listeners.https.`.
    pub fn read(worker: &Properties, prefix: &str) -> Result<Self, TlsError> {
        let own: Properties = worker.under(prefix).collect();
        let settings = if own.iter().next().is_some() {
            Settings { all: &own, prefix }
        } else {
            Settings { all: worker, prefix: "" }
        };
        settings.server_config().map(|config| Self(TlsAcceptor::from(Arc::new(config))))
    }

    /// The other side of TLS, for calls to another worker, by the same settings: it trusts the authorities of `ssl.truststore.*`,
    /// or the system's where none is set, and shows this worker's own certificate if there is one.
    ///
    /// # Errors
    /// When the settings cannot be used.
    pub fn client(worker: &Properties, prefix: &str) -> Result<ClientConfig, TlsError> {
        let own: Properties = worker.under(prefix).collect();
        let settings = if own.iter().next().is_some() {
            Settings { all: &own, prefix }
        } else {
            Settings { all: worker, prefix: "" }
        };
        settings.client_config()
    }

    pub(super) async fn accept(&self, stream: TcpStream) -> std::io::Result<TlsStream<TcpStream>> {
        self.0.accept(stream).await
    }
}

const KEY_STORE: &str = "ssl.keystore.location";
const TRUST_STORE: &str = "ssl.truststore.location";

struct Settings<'a> {
    all: &'a Properties,
    /// Prefix of each key in the worker's file, for error messages.
    prefix: &'a str,
}

impl Settings<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.all.get(key).map(str::trim).filter(|value| !value.is_empty())
    }

    fn refused(&self, key: &str, reason: impl Into<String>) -> TlsError {
        TlsError { key: format!("{}{key}", self.prefix), reason: reason.into() }
    }

    fn server_config(&self) -> Result<ServerConfig, TlsError> {
        let provider = Arc::new(self.provider()?);
        let (key_setting, store) = self.own_certificate()?;
        let config = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&self.versions()?)
            .map_err(|error| {
                self.refused("ssl.cipher.suites", format!("{error}: none of them fits ssl.enabled.protocols"))
            })?;
        let config = match self.client_verifier(&provider)? {
            Some(verifier) => config.with_client_cert_verifier(verifier),
            None => config.with_no_client_auth(),
        };
        let Some(key) = store.key else {
            return Err(
                self.refused(key_setting, "there is no private key in it: the key must stand beside its certificates")
            );
        };
        let mut config = config
            .with_single_cert(store.chain, key)
            .map_err(|error| self.refused(key_setting, format!("the key and the certificates will not do: {error}")))?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(config)
    }

    fn client_config(&self) -> Result<ClientConfig, TlsError> {
        let mut roots = RootCertStore::empty();
        match self.trusted()? {
            Some((_, store)) => drop(roots.add_parsable_certificates(store.trusted)),
            None => drop(roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs)),
        }
        let builder = ClientConfig::builder_with_provider(Arc::new(self.provider()?))
            .with_protocol_versions(&self.versions()?)
            .map_err(|error| self.refused("ssl.cipher.suites", error.to_string()))?
            .with_root_certificates(roots);
        if self.get(KEY_STORE).is_none() && self.get("ssl.keystore.certificate.chain").is_none() {
            return Ok(builder.with_no_client_auth());
        }
        let (setting, store) = self.own_certificate()?;
        let Some(key) = store.key else { return Ok(builder.with_no_client_auth()) };
        builder
            .with_client_auth_cert(store.chain, key)
            .map_err(|error| self.refused(setting, format!("the key and the certificates will not do: {error}")))
    }

    /// The authorities of `ssl.truststore.*` and the name of the setting that they came from; `None` when none is set.
    fn trusted(&self) -> Result<Option<(&'static str, Store)>, TlsError> {
        const INLINE: &str = "ssl.truststore.certificates";
        Ok(match (self.get(INLINE), self.get(TRUST_STORE)) {
            (Some(inline), _) => Some((INLINE, Store::trust_of_pem(inline).map_err(|e| self.unusable(INLINE, &e))?)),
            (None, Some(file)) => {
                let password = self.get("ssl.truststore.password");
                let store = Store::trust(Path::new(file), password).map_err(|e| self.unusable(TRUST_STORE, &e))?;
                Some((TRUST_STORE, store))
            }
            (None, None) => None,
        })
    }

    fn provider(&self) -> Result<CryptoProvider, TlsError> {
        let mut provider = ring::default_provider();
        let Some(wanted) = self.get("ssl.cipher.suites") else { return Ok(provider) };
        let wanted: Vec<&str> = wanted.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
        // rustls says TLS13_AES_128_GCM_SHA256 where Java says TLS_AES_128_GCM_SHA256.
        provider.cipher_suites.retain(|suite| {
            let name = format!("{:?}", suite.suite()).replacen("TLS13_", "TLS_", 1);
            wanted.iter().any(|wanted| wanted.eq_ignore_ascii_case(&name))
        });
        if provider.cipher_suites.is_empty() {
            let known: Vec<String> = ring::default_provider()
                .cipher_suites
                .iter()
                .map(|suite| format!("{:?}", suite.suite()).replacen("TLS13_", "TLS_", 1))
                .collect();
            return Err(self.refused(
                "ssl.cipher.suites",
                format!("none of these can be used here; there are: {}", known.join(", ")),
            ));
        }
        Ok(provider)
    }

    fn versions(&self) -> Result<Vec<&'static SupportedProtocolVersion>, TlsError> {
        const KEY: &str = "ssl.enabled.protocols";
        let wanted = self.get(KEY).unwrap_or("TLSv1.2,TLSv1.3");
        let version = |name: &str| match name {
            "TLSv1.3" => Some(&TLS13),
            "TLSv1.2" => Some(&TLS12),
            _ => None,
        };
        let versions: Vec<_> = wanted.split(',').filter_map(|name| version(name.trim())).collect();
        if versions.is_empty() {
            return Err(
                self.refused(KEY, format!("'{wanted}' names neither TLSv1.2 nor TLSv1.3, and older ones are broken"))
            );
        }
        Ok(versions)
    }

    /// The server's key and certificates, and the name of the setting that they came from.
    fn own_certificate(&self) -> Result<(&'static str, Store), TlsError> {
        const INLINE: &str = "ssl.keystore.certificate.chain";
        let key_password = self.get("ssl.key.password");
        if let Some(chain) = self.get(INLINE) {
            let Some(key) = self.get("ssl.keystore.key") else {
                return Err(self.refused("ssl.keystore.key", "must be set beside ssl.keystore.certificate.chain"));
            };
            let store = Store::trust_of_pem(chain).map_err(|error| self.unusable(INLINE, &error))?;
            let Store { key, .. } =
                Store::of_pem(key, key_password).map_err(|error| self.unusable("ssl.keystore.key", &error))?;
            return Ok((INLINE, Store { key, ..store }));
        }
        let Some(file) = self.get(KEY_STORE) else {
            return Err(self.refused(
                KEY_STORE,
                "must name the file with the key and the certificates of an https listener (PEM, PKCS12 or JKS)",
            ));
        };
        let passwords = Passwords { store: self.get("ssl.keystore.password"), key: key_password };
        let store = Store::open(Path::new(file), passwords).map_err(|error| self.unusable(KEY_STORE, &error))?;
        if store.chain.is_empty() {
            return Err(self.refused(KEY_STORE, format!("{file} holds no certificate")));
        }
        Ok((KEY_STORE, store))
    }

    /// The verifier of clients' certificates, as `ssl.client.auth` says; `None` for `none`.
    fn client_verifier(&self, provider: &Arc<CryptoProvider>) -> Result<Option<Arc<dyn ClientCertVerifier>>, TlsError> {
        const KEY: &str = "ssl.client.auth";
        let is_required = match self.get(KEY).unwrap_or("none") {
            "none" => return Ok(None),
            "requested" => false,
            "required" => true,
            other => return Err(self.refused(KEY, format!("'{other}' is none of none, requested and required"))),
        };
        let Some((key, store)) = self.trusted()? else {
            return Err(self.refused(
                TRUST_STORE,
                "must name the file with the authorities (PEM, PKCS12 or JKS) by which clients' certificates are checked",
            ));
        };
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(store.trusted);
        let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
        let builder = if is_required { builder } else { builder.allow_unauthenticated() };
        let verifier = builder.build().map_err(|error| {
            self.refused(key, format!("holds no authority by which a client's certificate could be checked: {error}"))
        })?;
        Ok(Some(verifier))
    }

    /// What is wrong with a store, as an error of the setting that is to blame. `ssl.keystore.type` and
    /// `ssl.truststore.type` are not used: Java does not go by them either.
    fn unusable(&self, setting: &str, problem: &Problem) -> TlsError {
        let blamed = match problem.place {
            Place::Store => setting,
            Place::StorePassword if setting == TRUST_STORE => "ssl.truststore.password",
            Place::StorePassword => "ssl.keystore.password",
            Place::KeyPassword => "ssl.key.password",
        };
        self.refused(blamed, problem.to_string())
    }
}

#[cfg(test)]
#[allow(clippy::expect_used, reason = "a test may")]
mod tests;
