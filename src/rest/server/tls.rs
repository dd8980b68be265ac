//! HTTPS on rustls, as the worker's `ssl.*` settings say.
//!
//! The settings are Connect's: `listeners.https.ssl.*` (or `admin.listeners.https.ssl.*`) when at least one of them is
//! set, else the plain `ssl.*`, never a mixture. As in Java, the kind of a store is found out from the content of the
//! file. PEM and PKCS12 are read. Java's own JKS is refused, with the command that converts it. The OpenSSL that the
//! Kafka client needs anyway opens PKCS12 stores and encrypted keys; rustls does everything else.
//!
//! Anything unclear (no key, a file that cannot be read, an unknown protocol) is an error, and the worker does not
//! start. An API that was encrypted must not become open.
//!
//! Must not know: HTTP.

use std::sync::Arc;

use openssl::pkcs12::Pkcs12;
use openssl::pkey::PKey;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use settings::Properties;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::server::danger::ClientCertVerifier;
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion};
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

/// The content of a key store or trust store.
struct Store {
    key: Option<PrivateKeyDer<'static>>,
    certificates: Vec<CertificateDer<'static>>,
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
            .with_single_cert(store.certificates, key)
            .map_err(|error| self.refused(key_setting, format!("the key and the certificates will not do: {error}")))?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(config)
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
            let Store { certificates, .. } = self.pem(INLINE, chain.as_bytes(), None)?;
            let Store { key, .. } = self.pem("ssl.keystore.key", key.as_bytes(), key_password)?;
            return Ok((INLINE, Store { key, certificates }));
        }
        let Some(file) = self.get(KEY_STORE) else {
            return Err(self.refused(
                KEY_STORE,
                "must name the file with the key and the certificates of an https listener (PEM or PKCS12)",
            ));
        };
        let store = self.store(KEY_STORE, file, self.get("ssl.keystore.password"), key_password)?;
        if store.certificates.is_empty() {
            return Err(self.refused(KEY_STORE, format!("{file} holds no certificate")));
        }
        Ok((KEY_STORE, store))
    }

    /// The verifier of clients' certificates, as `ssl.client.auth` says; `None` for `none`.
    fn client_verifier(&self, provider: &Arc<CryptoProvider>) -> Result<Option<Arc<dyn ClientCertVerifier>>, TlsError> {
        const KEY: &str = "ssl.client.auth";
        const INLINE: &str = "ssl.truststore.certificates";
        let is_required = match self.get(KEY).unwrap_or("none") {
            "none" => return Ok(None),
            "requested" => false,
            "required" => true,
            other => return Err(self.refused(KEY, format!("'{other}' is none of none, requested and required"))),
        };
        let (key, store) = match (self.get(INLINE), self.get(TRUST_STORE)) {
            (Some(inline), _) => (INLINE, self.pem(INLINE, inline.as_bytes(), None)?),
            (None, Some(file)) => {
                (TRUST_STORE, self.store(TRUST_STORE, file, self.get("ssl.truststore.password"), None)?)
            }
            (None, None) => {
                return Err(self.refused(
                    TRUST_STORE,
                    "must name the file with the authorities (PEM or PKCS12) by which clients' certificates are checked",
                ));
            }
        };
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(store.certificates);
        let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
        let builder = if is_required { builder } else { builder.allow_unauthenticated() };
        let verifier = builder.build().map_err(|error| {
            self.refused(key, format!("holds no authority by which a client's certificate could be checked: {error}"))
        })?;
        Ok(Some(verifier))
    }

    /// Reads a store of any kind. `ssl.keystore.type` and `ssl.truststore.type` are not used: Java does not go by them
    /// either.
    fn store(
        &self,
        setting: &str,
        file: &str,
        password: Option<&str>,
        key_password: Option<&str>,
    ) -> Result<Store, TlsError> {
        let bytes =
            std::fs::read(file).map_err(|error| self.refused(setting, format!("{file} cannot be read: {error}")))?;
        if bytes.starts_with(&[0xfe, 0xed, 0xfe, 0xed]) {
            return Err(self.refused(
                setting,
                format!(
                    "{file} is a Java key store (JKS), which is not read here. Convert it with: keytool -importkeystore \
                     -srckeystore {file} -srcstoretype JKS -destkeystore NEW.p12 -deststoretype PKCS12, and name NEW.p12"
                ),
            ));
        }
        if bytes.first() == Some(&0x30) {
            return self.pkcs12(setting, file, &bytes, password);
        }
        if !bytes.windows(10).any(|window| window == b"-----BEGIN") {
            return Err(self.refused(setting, format!("{file} is neither PEM nor PKCS12")));
        }
        self.pem(setting, &bytes, key_password)
    }

    fn pem(&self, setting: &str, text: &[u8], key_password: Option<&str>) -> Result<Store, TlsError> {
        let certificates = CertificateDer::pem_slice_iter(text)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| self.refused(setting, format!("a certificate in it is no PEM: {error}")))?;
        let has = |word: &[u8]| text.windows(word.len()).any(|window| window == word);
        let key = if has(b"ENCRYPTED") {
            let Some(password) = key_password else {
                return Err(self.refused("ssl.key.password", "must be set: the private key is encrypted"));
            };
            let key = PKey::private_key_from_pem_passphrase(text, password.as_bytes())
                .and_then(|key| key.private_key_to_pkcs8())
                .map_err(|_| self.refused("ssl.key.password", "does not open the private key"))?;
            Some(PrivatePkcs8KeyDer::from(key).into())
        } else if has(b"PRIVATE KEY-----") {
            let key = PrivateKeyDer::from_pem_slice(text)
                .map_err(|error| self.refused(setting, format!("the private key in it is no PEM: {error}")))?;
            Some(key)
        } else {
            None
        };
        Ok(Store { key, certificates })
    }

    fn pkcs12(&self, setting: &str, file: &str, bytes: &[u8], password: Option<&str>) -> Result<Store, TlsError> {
        let remedy = format!(
            "If the password is right, the file is encrypted in an old way (before Java 17) that is not read here; convert \
             it with: openssl pkcs12 -legacy -in {file} -nodes -out NEW.pem, and name NEW.pem"
        );
        let opened = Pkcs12::from_der(bytes)
            .map_err(|_| self.refused(setting, format!("{file} is neither PEM nor PKCS12")))?
            .parse2(password.unwrap_or_default())
            .map_err(|_| {
                let password = setting.replace("location", "password");
                self.refused(setting, format!("{file} cannot be opened with {}{password}. {remedy}", self.prefix))
            })?;
        let broken = |error: &dyn std::fmt::Display| self.refused(setting, format!("{file} cannot be used: {error}"));
        let key = opened.pkey.map(|key| key.private_key_to_pkcs8()).transpose().map_err(|e| broken(&e))?;
        let key = key.map(|key| PrivatePkcs8KeyDer::from(key).into());
        let mut certificates = Vec::new();
        for certificate in opened.cert.into_iter().chain(opened.ca.into_iter().flatten()) {
            certificates.push(CertificateDer::from(certificate.to_der().map_err(|e| broken(&e))?));
        }
        Ok(Store { key, certificates })
    }
}

#[cfg(test)]
#[allow(clippy::expect_used, reason = "a test may")]
mod tests;
